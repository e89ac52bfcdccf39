// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Scoring: right numbers for good classifiers, and one sentence with a code for every way a classifier can misbehave.

#include <faultline/classify/any_classifier.hpp>
#include <faultline/classify/make_classifier.hpp>
#include <faultline/classify/scoring.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <chrono>
#include <cmath>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace fl = faultline;

namespace {

const fl::ImageShape shape{1, 2, 2};

/// N images whose first three pixels hold the scores that `echo` returns.
fl::ImageBatch images_of(const std::vector<std::vector<float>>& rows) {
  fl::ImageBatch images(static_cast<std::int64_t>(rows.size()), shape);
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::copy(rows[i].begin(), rows[i].end(), images.image(static_cast<std::int64_t>(i)).begin());
  return images;
}

void echo(fl::ImageView images, fl::ScoreMatrix& scores) {
  scores.resize(images.count(), 3);
  for (std::int64_t i = 0; i < images.count(); ++i)
    for (std::int64_t k = 0; k < 3; ++k) scores(i, k) = images.image(i)[static_cast<std::size_t>(k)];
}

/// What a Scorer with batches of 4 says to seven images, all zero but for their number in the last pixel.
template <class F>
std::pair<fl::ErrorCode, std::string> refusal(F&& function, fl::Scores kind = fl::Scores::logits) {
  auto classifier = fl::make_classifier(std::forward<F>(function), {.classes = 3, .scores = kind});
  fl::classify::Scorer scorer(classifier, shape, {0, 1}, 3, 4);
  fl::ImageBatch images(7, shape);
  for (std::int64_t i = 0; i < 7; ++i) images.image(i)[3] = static_cast<float>(i) / 8.0f;
  const std::vector<std::int64_t> labels{0, 1, 2, 0, 1, 2, 0};
  const std::vector<std::int64_t> index{100, 101, 102, 103, 104, 105, 106};
  try {
    (void)scorer(images, labels, {.index = index, .seed = 9});
  } catch (const fl::Error& error) {
    return {error.code(), error.what()};
  }
  return {fl::ErrorCode::not_converged, "no error"};
}

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("probabilities, margin and log odds of logits") {
  // Input in the range of the raw images, so that a pixel can be any logit.
  auto wide = fl::make_classifier(echo, {.classes = 3, .scores = fl::Scores::logits, .input = {.range = {-100, 100}}});
  fl::classify::Scorer exact(wide, shape, {-100, 100}, 3, 2);
  const auto images = images_of({{0, 0, 0}, {1, 2, 3}, {-100, 0, 100}});
  const std::vector<std::int64_t> labels{1, 2, 0};
  const fl::classify::ScoredImages said = exact(images, labels);
  CHECK(said.probabilities(0, 2) == Approx(1.0 / 3));
  CHECK(said.prediction == std::vector<std::int64_t>{0, 2, 2});  // the first among equals
  const double sum = std::exp(1.0) + std::exp(2.0) + std::exp(3.0);
  CHECK(said.probability[1] == Approx(std::exp(3.0) / sum));
  CHECK(said.margin[1] == Approx((std::exp(3.0) - std::exp(2.0)) / sum));
  CHECK(said.log_odds[1] == Approx(3.0 - std::log(std::exp(1.0) + std::exp(2.0))).epsilon(1e-5));
  CHECK(said.log_odds[0] == Approx(std::log(0.5)));
  CHECK(said.log_odds[2] == -20.0f);
  CHECK(exact.images() == 3);
  CHECK(exact.batches() == 2);
  CHECK(exact.classes() == 3);
}

TEST_CASE("declared probabilities pass as they are") {
  auto classifier = fl::make_classifier(echo, {.classes = 3, .scores = fl::Scores::probabilities});
  fl::classify::Scorer scorer(classifier, shape, {0, 1}, 3, 64);
  const fl::classify::ScoredImages said =
      scorer(images_of({{0.25f, 0.25f, 0.5f}, {1, 0, 0}}), std::vector<std::int64_t>{0, 1});
  CHECK(said.probability == std::vector<float>{0.25f, 0.0f});
  CHECK(said.margin == std::vector<float>{-0.25f, -1.0f});
  CHECK(said.log_odds[0] == Approx(std::log(1.0 / 3)));
  CHECK(said.log_odds[1] == -20.0f);
}

TEST_CASE("results do not depend on how images are grouped into calls") {
  auto classifier = fl::make_classifier(echo, {.classes = 3, .scores = fl::Scores::logits});
  fl::classify::Scorer scorer(classifier, shape, {0, 1}, 3, 4);
  fl::ImageBatch images(11, shape);
  for (std::int64_t p = 0; p < 44; ++p) images.data()[p] = static_cast<float>((p * 37) % 44) / 44.0f;
  const std::vector<std::int64_t> labels(11, 1);
  const fl::classify::ScoredImages whole = scorer(images, labels);
  for (std::int64_t i = 0; i < 11; ++i)
    CHECK(scorer(images.view().slice(i, 1), std::vector<std::int64_t>{1}).probability.front() ==
          whole.probability[static_cast<std::size_t>(i)]);
  CHECK(scorer(images.view().slice(0, 0), std::vector<std::int64_t>{}).prediction.empty());
}

TEST_CASE("every call has the same number of images, the last one filled up with copies") {
  std::vector<std::int64_t> counts;
  std::vector<float> last;
  auto classifier = fl::make_classifier(
      [&](fl::ImageView images, fl::ScoreMatrix& scores) {
        counts.push_back(images.count());
        last.assign(images.image(images.count() - 1).begin(), images.image(images.count() - 1).end());
        echo(images, scores);
      },
      {.classes = 3, .scores = fl::Scores::logits});
  fl::classify::Scorer scorer(classifier, shape, {0, 1}, 3, 4);
  CHECK(scorer(images_of({{0}, {0}, {0}, {0}, {0.5f, 0.25f}}), std::vector<std::int64_t>(5, 0)).prediction.size() == 5);
  CHECK(counts == std::vector<std::int64_t>{4, 4});
  CHECK(last == std::vector<float>{0.5f, 0.25f, 0, 0});
}

TEST_CASE("misbehaviour: the classifier throws an exception") {
  const auto throws = [](fl::ImageView images, fl::ScoreMatrix& scores) {
    if (images.image(0)[3] >= 0.5f) throw std::runtime_error("no such layer");
    echo(images, scores);
  };
  const auto [code, text] = refusal(throws);
  CHECK(code == fl::ErrorCode::classifier_threw);
  CHECK(mentions(text, "no such layer"));
  CHECK(mentions(text, "3 images beginning with sample 104 (label 1, seed 9)"));

  auto classifier = fl::make_classifier([](fl::ImageView, fl::ScoreMatrix&) { throw std::out_of_range("inner"); },
                                        {.classes = 3, .scores = fl::Scores::logits});
  fl::classify::Scorer scorer(classifier, shape, {0, 1}, 3, 4);
  bool nested = false;
  try {
    (void)scorer(images_of({{0}}), std::vector<std::int64_t>{0});
  } catch (const fl::Error& error) {
    try {
      std::rethrow_if_nested(error);
    } catch (const std::out_of_range& inner) {
      nested = std::string(inner.what()) == "inner";
    }
  }
  CHECK(nested);
}

TEST_CASE("misbehaviour: an error of the classifier's own family keeps its code and gets the sample") {
  const auto [code, text] = refusal([](fl::ImageView, fl::ScoreMatrix&) {
    throw fl::Error(fl::ErrorCode::wrong_score_shape, "inside", "two scores too few");
  });
  CHECK(code == fl::ErrorCode::wrong_score_shape);
  CHECK(mentions(text, "[F203] inside: two scores too few"));
  CHECK(mentions(text, "4 images beginning with sample 100 (label 0, seed 9)"));
}

TEST_CASE("misbehaviour: the classifier throws something that is no exception") {
  const auto [code, text] = refusal([](fl::ImageView, fl::ScoreMatrix&) { throw 42; });
  CHECK(code == fl::ErrorCode::classifier_threw);
  CHECK(mentions(text, "sample 100"));
}

TEST_CASE("misbehaviour: an error of the library's own, from inside the classifier, is a classifier's error") {
  CHECK(refusal([](fl::ImageView, fl::ScoreMatrix&) {
          throw fl::Error(fl::ErrorCode::cannot_open, "weights", "no file");
        }).first == fl::ErrorCode::classifier_threw);
  CHECK(refusal([](fl::ImageView) { return std::vector<float>(5); }).first == fl::ErrorCode::wrong_score_shape);
}

TEST_CASE("misbehaviour: NaN or infinite scores are refused before any argmax") {
  for (const float bad :
       {std::nanf(""), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
    const auto [code, text] = refusal([bad](fl::ImageView images, fl::ScoreMatrix& scores) {
      echo(images, scores);
      for (std::int64_t i = 0; i < images.count(); ++i)
        if (images.image(i)[3] >= 0.625f) scores(i, 2) = bad;
    });
    CHECK(code == fl::ErrorCode::non_finite_scores);
    CHECK(mentions(text, "class 2 of sample 105 (label 2, seed 9)"));
  }
}

TEST_CASE("misbehaviour: wrong shapes") {
  const auto nine = refusal([](fl::ImageView images, fl::ScoreMatrix& scores) { scores.resize(images.count(), 2); });
  CHECK(nine.first == fl::ErrorCode::wrong_score_shape);
  CHECK(mentions(nine.second, "[F203]"));
  CHECK(mentions(nine.second, "returned [4, 2] scores, expected [4, 3]; does it know all classes of the generator?"));
  CHECK(refusal([](fl::ImageView images, fl::ScoreMatrix& scores) { scores.resize(images.count() - 1, 3); }).first ==
        fl::ErrorCode::wrong_score_shape);
  const auto empty = refusal([](fl::ImageView, fl::ScoreMatrix&) {});
  CHECK(empty.first == fl::ErrorCode::wrong_score_shape);
  CHECK(mentions(empty.second, "resize"));
  CHECK(refusal([](fl::ImageView) { return std::vector<float>(); }).first == fl::ErrorCode::wrong_score_shape);
}

TEST_CASE("misbehaviour: logits where probabilities were declared") {
  const auto sums =
      refusal([](fl::ImageView images, fl::ScoreMatrix& scores) { scores.resize(images.count(), 3, 0.5f); },
              fl::Scores::probabilities);
  CHECK(sums.first == fl::ErrorCode::not_probabilities);
  CHECK(mentions(sums.second, "sum to 1.5"));
  CHECK(mentions(sums.second, "Scores::logits"));
  const auto negative = refusal(
      [](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 3, 1.0f);
        for (std::int64_t i = 0; i < images.count(); ++i) scores(i, 0) = -1.0f;  // sums to 1 all the same
      },
      fl::Scores::probabilities);
  CHECK(negative.first == fl::ErrorCode::not_probabilities);
  CHECK(mentions(negative.second, "between -1 and 1 and sum to 1: logits?"));
}

TEST_CASE("misbehaviour: what is no probability is told what it looks like") {
  const auto told = [](std::vector<float> row) {
    const auto refused = refusal(
        [row](fl::ImageView images, fl::ScoreMatrix& scores) {
          scores.resize(images.count(), 3);
          for (std::int64_t i = 0; i < images.count(); ++i)
            std::copy(row.begin(), row.end(), scores.row_span(i).begin());
        },
        fl::Scores::probabilities);
    CHECK(refused.first == fl::ErrorCode::not_probabilities);
    return refused.second;
  };
  // Sums to .996
  CHECK(mentions(told({0.99f, 0.004f, 0.002f}),
                 "half precision or int8? Allow for it with .probability_tolerance = 0.024"));
  // Sums to .99985
  CHECK(mentions(told({0.99805f, 0.0010f, 0.0008f}), "half precision or int8?"));
  CHECK(mentions(told({-0.1054f, -2.9957f, -2.9957f}), "logarithms of probabilities?"));
  CHECK(mentions(told({90.0f, 7.0f, 3.0f}), "on another scale?"));
  CHECK(mentions(told({230.0f, 20.0f, 5.0f}), "on another scale?"));
  CHECK(mentions(told({0.9f, 0.8f, 0.1f}), "sigmoids?"));
  CHECK(mentions(told({0.0f, 0.0f, 0.0f}), "does the classifier fill them?"));
  CHECK(mentions(told({7.5f, -3.0f, 1.0f}), "between -3 and 7.5 and sum to 5.5: logits?"));
}

TEST_CASE("misbehaviour: probabilities off by rounding are let through, by more are not") {
  const auto off = [](float by) {
    return refusal(
        [by](fl::ImageView images, fl::ScoreMatrix& scores) {
          scores.resize(images.count(), 3, 0.5f);
          for (std::int64_t i = 0; i < images.count(); ++i) scores(i, 0) = by;
        },
        fl::Scores::probabilities);
  };
  CHECK(off(5e-5f).second == "no error");
  CHECK(off(-5e-5f).second == "no error");
  CHECK(off(2e-4f).first == fl::ErrorCode::not_probabilities);
  CHECK(off(-2e-4f).first == fl::ErrorCode::not_probabilities);

  auto classifier = fl::make_classifier(
      [](fl::ImageView images, fl::ScoreMatrix& scores) { scores.resize(images.count(), 3, 0.34f); },
      {.classes = 3, .scores = fl::Scores::probabilities});
  fl::classify::Scorer lenient(classifier, shape, {0, 1}, 3, 4, 0.05);
  CHECK(lenient(images_of({{0}}), std::vector<std::int64_t>{0}).probability.front() == Approx(0.34));
}

TEST_CASE("misbehaviour: writing to the input spoils nothing") {
  const fl::ImageBatch images = images_of({{1, 0, 0}, {0, 1, 0}});
  const std::vector<float> before(images.data(), images.data() + 8);
  auto classifier = fl::make_classifier(
      [&](fl::ImageView view, fl::ScoreMatrix& scores) {
        echo(view, scores);
        CHECK(view.data() != images.data());
        std::fill_n(const_cast<float*>(view.data()), view.count() * 4, 7.0f);
      },
      {.classes = 3, .scores = fl::Scores::logits});
  fl::classify::Scorer scorer(classifier, shape, {0, 1}, 3, 1);
  const auto first = scorer(images, std::vector<std::int64_t>{0, 1});
  CHECK(first.prediction == std::vector<std::int64_t>{0, 1});
  CHECK(scorer(images, std::vector<std::int64_t>{0, 1}).prediction == first.prediction);
  CHECK(std::vector<float>(images.data(), images.data() + 8) == before);
}

TEST_CASE("misbehaviour: running out of memory halves the batch, down to one image") {
  std::vector<std::int64_t> counts;
  auto classifier = fl::make_classifier(
      [&](fl::ImageView images, fl::ScoreMatrix& scores) {
        counts.push_back(images.count());
        if (images.count() > 2) throw std::bad_alloc();
        echo(images, scores);
      },
      {.classes = 3, .scores = fl::Scores::logits});
  fl::classify::Scorer scorer(classifier, shape, {0, 1}, 3, 8);
  const auto said = scorer(images_of({{1}, {0, 1}, {0, 0, 1}}), std::vector<std::int64_t>{0, 0, 0});
  CHECK(said.prediction == std::vector<std::int64_t>{0, 1, 2});
  CHECK(counts == std::vector<std::int64_t>{8, 4, 2, 2});
  CHECK(scorer.batch_size() == 2);
  CHECK(scorer.images() == 3);
  const auto [code, text] = refusal([](fl::ImageView, fl::ScoreMatrix&) { throw std::bad_alloc(); });
  CHECK(code == fl::ErrorCode::classifier_threw);
  CHECK(mentions(text, "out of memory"));
}

TEST_CASE("misbehaviour: a changed rounding mode stays with the classifier") {
  auto classifier = fl::make_classifier(
      [](fl::ImageView images, fl::ScoreMatrix& scores) {
        std::fesetround(FE_UPWARD);
        echo(images, scores);
      },
      {.classes = 3, .scores = fl::Scores::logits});
  fl::classify::Scorer scorer(classifier, shape, {0, 1}, 3, 4);
  (void)scorer(images_of({{0}}), std::vector<std::int64_t>{0});
  CHECK(std::fegetround() == FE_TONEAREST);
  auto throwing = fl::make_classifier([](fl::ImageView, fl::ScoreMatrix&) { std::fesetround(FE_DOWNWARD), throw 1; },
                                      {.classes = 3, .scores = fl::Scores::logits});
  fl::classify::Scorer other(throwing, shape, {0, 1}, 3, 4);
  CHECK_THROWS_AS(other(images_of({{0}}), std::vector<std::int64_t>{0}), fl::Error);
  CHECK(std::fegetround() == FE_TONEAREST);
}

TEST_CASE("misbehaviour: a classifier that is not thread-safe is called by one thread alone") {
  const auto caller = std::this_thread::get_id();
  bool same = true;
  auto classifier = fl::make_classifier(
      [&](fl::ImageView images, fl::ScoreMatrix& scores) {
        same = same && std::this_thread::get_id() == caller;
        echo(images, scores);
      },
      {.classes = 3, .scores = fl::Scores::logits});
  fl::classify::Scorer scorer(classifier, shape, {0, 1}, 3, 2);
  (void)scorer(fl::ImageBatch(20, shape), std::vector<std::int64_t>(20, 0));
  CHECK(same);
}

TEST_CASE(
    "a classifier that says it is thread-safe gets the batches of a request side by side, with the same answers and "
    "errors") {
  std::atomic<int> calls = 0, inside = 0, most = 0;
  bool broken = false;
  const auto make = [&](bool thread_safe) {
    return fl::make_classifier(
        [&](fl::ImageView images, fl::ScoreMatrix& scores) {
          ++calls;
          const int now = ++inside;
          for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {}
          std::this_thread::sleep_for(std::chrono::milliseconds(2));
          echo(images, scores);
          --inside;
          if (broken && images.image(0)[0] > 0.6f) throw std::runtime_error("only some batches");
        },
        {.classes = 3, .scores = fl::Scores::logits, .thread_safe = thread_safe});
  };
  fl::ImageBatch images(23, shape);
  for (std::int64_t i = 0; i < 23; ++i)
    for (float& pixel : images.image(i)) pixel = static_cast<float>(i) / 23.0f;
  const std::vector<std::int64_t> labels(23, 1);
  auto alone = make(false), together = make(true);
  const fl::classify::ScoredImages one = fl::classify::Scorer(alone, shape, {0, 1}, 3, 2)(images, labels);
  CHECK(most == 1);
  fl::classify::Scorer scorer(together, shape, {0, 1}, 3, 2);
  const fl::classify::ScoredImages other = scorer(images, labels);
  CHECK((most > 1 || std::thread::hardware_concurrency() < 2));
  CHECK(calls == 24);
  CHECK(scorer.batches() == 12);
  CHECK(scorer.images() == 23);
  CHECK(std::ranges::equal(one.probabilities.values(), other.probabilities.values()));
  CHECK(one.prediction == other.prediction);
  CHECK(one.log_odds == other.log_odds);
  broken = true;
  CHECK_THROWS_AS(scorer(images, labels), fl::Error);
}

TEST_CASE("a scorer refuses what cannot work before the first image") {
  struct Undeclared {
    std::int64_t num_classes() const { return 3; }
    fl::Scores score_kind() const { return fl::Scores::undeclared; }
    void score(fl::ImageView, fl::ScoreMatrix&) {}
  } undeclared;
  auto three = fl::make_classifier(echo, {.classes = 3, .scores = fl::Scores::logits});
  auto large = fl::make_classifier(echo, {.classes = 3, .scores = fl::Scores::logits, .input = {.height = 28}});
  const auto code_of = [](auto&& make) {
    try {
      make();
    } catch (const fl::Error& error) {
      return error.code();
    }
    return fl::ErrorCode::not_converged;
  };
  CHECK(code_of([&] {
          fl::classify::Scorer scorer(undeclared, shape, {0, 1}, 3, 4);
        }) == fl::ErrorCode::scores_undeclared);
  CHECK(code_of([&] {
          fl::classify::Scorer scorer(three, shape, {0, 1}, 4, 4);
        }) == fl::ErrorCode::incompatible_models);
  CHECK(code_of([&] {
          fl::classify::Scorer scorer(large, shape, {0, 1}, 3, 4);
        }) == fl::ErrorCode::incompatible_models);
  CHECK(code_of([&] { fl::classify::Scorer scorer(three, shape, {0, 1}, 3, 0); }) == fl::ErrorCode::invalid_argument);
  fl::classify::Scorer scorer(three, shape, {0, 1}, 2, 4);  // may know more classes than there are labels
  CHECK(code_of([&] { (void)scorer(images_of({{0}}), std::vector<std::int64_t>{2}); }) ==
        fl::ErrorCode::label_out_of_range);
  CHECK(code_of([&] { (void)scorer(images_of({{0}}), std::vector<std::int64_t>{-1}); }) ==
        fl::ErrorCode::label_out_of_range);
  CHECK(code_of([&] {
          (void)scorer(images_of({{0}}), std::vector<std::int64_t>{0, 1});
        }) == fl::ErrorCode::shape_mismatch);
  CHECK(code_of([&] {
          (void)scorer(fl::ImageBatch(1, {1, 3, 3}), std::vector<std::int64_t>{0});
        }) == fl::ErrorCode::shape_mismatch);
}

TEST_CASE("an unconditional generator has the one label 0") {
  auto classifier = fl::make_classifier(echo, {.classes = 3, .scores = fl::Scores::logits});
  fl::classify::Scorer scorer(classifier, shape, {0, 1}, 0, 4);
  CHECK(scorer(images_of({{0, 1}}), std::vector<std::int64_t>{0}).prediction.front() == 1);
}

TEST_CASE("gradients come back in the generator's pixels") {
  const auto score = [](fl::ImageView images, fl::ScoreMatrix& scores) {
    scores.resize(images.count(), 2);
    for (std::int64_t i = 0; i < images.count(); ++i) {
      scores(i, 0) = images.image(i)[0];
      scores(i, 1) = 1.0f - images.image(i)[0];
    }
  };
  const auto slope = [](fl::ImageView images, std::span<const std::int64_t> labels, fl::ImageBatch& gradient) {
    for (std::int64_t i = 0; i < images.count(); ++i)
      gradient.image(i)[0] = labels[static_cast<std::size_t>(i)] == 0 ? 1.0f : -1.0f;
  };
  auto classifier = fl::make_classifier(
      score, slope, {.classes = 2, .scores = fl::Scores::probabilities, .input = {.height = 2, .width = 2}});
  static_assert(fl::DifferentiableClassifier<decltype(classifier)>);
  fl::classify::Scorer scorer(classifier, {1, 4, 4}, {-1, 1}, 2, 4);
  const fl::ImageBatch gradient =
      scorer.probability_gradient(fl::ImageBatch(2, {1, 4, 4}), std::vector<std::int64_t>{0, 1});
  CHECK(gradient.view()(0, 0, 1, 1) == 0.5f);
  CHECK(gradient.view()(1, 0, 1, 1) == -0.5f);
  CHECK(gradient.view()(0, 0, 0, 0) == 0.0f);

  auto broken = fl::make_classifier(
      score, [](fl::ImageView, std::span<const std::int64_t>, fl::ImageBatch& g) { g.image(0)[0] = std::nanf(""); },
      {.classes = 2, .scores = fl::Scores::probabilities});
  fl::classify::Scorer refuses(broken, shape, {0, 1}, 2, 4);
  CHECK_THROWS_AS(refuses.probability_gradient(fl::ImageBatch(1, shape), std::vector<std::int64_t>{0}), fl::Error);
  auto resizing = fl::make_classifier(
      score, [](fl::ImageView, std::span<const std::int64_t>, fl::ImageBatch& g) { g = fl::ImageBatch(); },
      {.classes = 2, .scores = fl::Scores::probabilities});
  fl::classify::Scorer also(resizing, shape, {0, 1}, 2, 4);
  CHECK_THROWS_AS(also.probability_gradient(fl::ImageBatch(1, shape), std::vector<std::int64_t>{0}), fl::Error);
}

TEST_CASE("a classifier of forgotten type scores the same") {
  auto own = fl::make_classifier(echo, {.classes = 3, .scores = fl::Scores::logits, .name = "echo"});
  fl::AnyClassifier any(own);
  CHECK(any.name() == "echo");
  fl::classify::Scorer direct(own, shape, {0, 1}, 3, 4);
  fl::classify::Scorer erased(any, shape, {0, 1}, 3, 4);
  const auto images = images_of({{0.1f, 0.9f, 0.3f}, {0.2f}});
  const std::vector<std::int64_t> labels{0, 1};
  CHECK(direct(images, labels).probability == erased(images, labels).probability);
}

namespace {

/// Scores images where they are; misbehaves on demand.
struct ResidentEcho {
  using residence = fl::DeviceResident;
  std::vector<std::int64_t> calls = {};
  std::int64_t memory = 1000;
  float spoiled = 0.0f;
  std::int64_t missing_rows = 0;
  [[nodiscard]] std::int64_t num_classes() const { return 3; }
  [[nodiscard]] fl::Scores score_kind() const { return fl::Scores::logits; }
  void score(fl::ImageView images, fl::ScoreMatrix& scores) { echo(images, scores); }
  void score_resident(const fl::ImageBatch& raw, const fl::ValueRange& range, std::int64_t batch_size,
                      fl::ScoreMatrix& scores) {
    calls.push_back(batch_size);
    if (batch_size > memory) throw std::bad_alloc();
    echo(fl::to_unit_range(raw, range), scores);
    scores(0, 0) += spoiled;
    if (missing_rows > 0) scores.resize(scores.rows() - missing_rows, 3);
  }
};

}  // namespace

TEST_CASE("images that stay where they are get the answers of those on the host, and the same checks") {
  const fl::ImageBatch images =
      images_of({{0.1f, 0.9f, 0.2f}, {0.8f, 0.1f, 0.3f}, {0.2f, 0.3f, 0.4f}, {0.5f, 0.5f, 0.1f}, {0.9f, 0.2f, 0.0f}});
  const std::vector<std::int64_t> labels{1, 1, 2, 0, 0};
  ResidentEcho mine;
  fl::classify::Scorer scorer(mine, shape, {0, 1}, 3, 4);
  const fl::classify::ScoredImages there = scorer.resident(images, labels), here = scorer(images, labels);
  CHECK(there.prediction == here.prediction);
  CHECK(there.probability == here.probability);
  CHECK(there.log_odds == here.log_odds);
  CHECK(mine.calls == std::vector<std::int64_t>{4});
  CHECK(scorer.images() == 10);
  CHECK(scorer.batches() == 4);

  mine.memory = 1;
  CHECK(scorer.resident(images, labels).prediction == here.prediction);
  CHECK(scorer.batch_size() == 1);
  mine.memory = 0;
  const auto code = [&] {
    try {
      (void)scorer.resident(images, labels);
    } catch (const fl::Error& error) {
      return error.code();
    }
    return fl::ErrorCode{0};
  };
  CHECK(code() == fl::ErrorCode::classifier_threw);
  mine.memory = 1000;
  mine.spoiled = std::numeric_limits<float>::quiet_NaN();
  CHECK(code() == fl::ErrorCode::non_finite_scores);
  mine.spoiled = 0.0f;
  mine.missing_rows = 1;
  CHECK(code() == fl::ErrorCode::wrong_score_shape);
}
