// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The premises of a verdict: each one broken on purpose, and what must not be taken for broken.

#include <faultline/classify/any_classifier.hpp>
#include <faultline/classify/make_classifier.hpp>
#include <faultline/sampling/analytic_generator.hpp>
#include <faultline/sampling/class_notes.hpp>
#include <faultline/sampling/preflight.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace fl = faultline;

namespace {

using Fill = std::function<void(const fl::AnalyticReading&, std::span<float> row)>;

auto read_images(const fl::AnalyticGenerator& known, fl::Scores kind, Fill fill, std::int64_t classes = 4) {
  return fl::make_classifier(
      [&known, fill, classes](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), classes);
        for (std::int64_t i = 0; i < images.count(); ++i) fill(known.read(images, i), scores.row_span(i));
      },
      {.classes = classes, .scores = kind});
}

struct Complaint {
  int code = 0;
  std::string text;
};

template <class G, class C, class F = fl::Misclassified>
Complaint complaint_of(const G& known, C& classifier, fl::SamplerOptions options = {.seed = 1}, F criterion = {}) {
  try {
    const fl::StyleSpaceSampler<G> sampler(known, options);
    fl::classify::Scorer<C> scorer(classifier, known.image_shape(), known.value_range(), sampler.classes(),
                                   options.batch_size);
    fl::sampling::preflight("here", sampler, classifier, scorer, criterion);
  } catch (const fl::Error& error) {
    return {static_cast<int>(error.code()), error.what()};
  }
  return {};
}

fl::AnalyticGenerator preflight_world(std::int64_t classes = 4) {
  return fl::AnalyticGenerator({.factors = 3, .channels = 32, .classes = classes, .seed = 1});
}

}  // namespace

TEST_CASE("a sound classifier passes the preflight, saturated and hard answers included") {
  const auto known = preflight_world();
  auto soft = read_images(known, fl::Scores::logits, [](const auto& r, auto row) {
    row[static_cast<std::size_t>(r.label)] = 3.0f + r.factors[0];
  });
  // One and zeros: nobody's softmax
  auto hard = read_images(known, fl::Scores::logits,
                          [](const auto& r, auto row) { row[static_cast<std::size_t>(r.label)] = 1.0f; });
  auto certain = read_images(known, fl::Scores::probabilities,
                             [](const auto& r, auto row) { row[static_cast<std::size_t>(r.label)] = 1.0f; });
  CHECK(complaint_of(known, soft).text.empty());
  CHECK(complaint_of(known, hard).text.empty());
  CHECK(complaint_of(known, certain).text.empty());
  // The same answer for one class is no fault
  CHECK(complaint_of(known, certain, {.seed = 1, .labels = fl::LabelPolicy::fixed(2), .batch_size = 1}).text.empty());
  CHECK(complaint_of(known, certain, {.seed = 1, .labels = fl::LabelPolicy::given({2, 2}), .batch_size = 3})
            .text.empty());
}

TEST_CASE("dropout is found even where the probabilities hide it") {
  const auto known = preflight_world();
  std::uint64_t calls = 0;
  auto dropout = read_images(known, fl::Scores::logits, [&calls](const auto& r, auto row) {
    calls = calls * 6364136223846793005ull + 1442695040888963407ull;
    // Far beyond what softmax can tell apart
    row[static_cast<std::size_t>(r.label)] = 200.0f + 10.0f * static_cast<float>(calls >> 62);
  });
  const Complaint complaint = complaint_of(known, dropout);
  CHECK(complaint.code == 206);
  CHECK(complaint.text.find("is dropout on") != std::string::npos);
}

TEST_CASE("scores that never vary are refused, whatever class they name") {
  const auto known = preflight_world();
  auto equal = read_images(known, fl::Scores::logits, [](const auto&, auto) {});
  auto always_three = read_images(known, fl::Scores::probabilities, [](const auto&, auto row) { row[3] = 1.0f; });
  for (auto* classifier : {&equal, &always_three}) {
    const Complaint complaint = complaint_of(known, *classifier);
    CHECK(complaint.code == 206);
    CHECK(complaint.text.find("gives exactly the same scores for all 16 images") != std::string::npos);
  }
}

TEST_CASE("an answer that ties at the top is a failure for every class alike") {
  const fl::Misclassified failed;
  CHECK(failed(std::vector<float>{0.25f, 0.25f, 0.25f, 0.25f}, 0));
  CHECK(failed(std::vector<float>{0.5f, 0.5f, 0.0f}, 0));
  CHECK(failed(std::vector<float>{0.5f, 0.5f, 0.0f}, 1));
  CHECK_FALSE(failed(std::vector<float>{0.25f, 0.5f, 0.25f}, 1));
  CHECK(failed(std::vector<float>{0.5f, std::nanf("")}, 0));
}

TEST_CASE("probabilities that are declared logits are refused") {
  const auto known = preflight_world();
  auto softmax = read_images(known, fl::Scores::logits, [](const auto& r, auto row) {
    for (float& p : row) p = 0.1f;
    row[static_cast<std::size_t>(r.label)] = 0.7f;
  });
  const Complaint complaint = complaint_of(known, softmax);
  CHECK(complaint.code == 208);
  CHECK(complaint.text.find("declare Scores::probabilities") != std::string::npos);
}

TEST_CASE("a single score per image is told what to return, under either number of classes") {
  const auto known = preflight_world(2);
  auto lone = read_images(
      known, fl::Scores::logits, [](const auto& r, auto row) { row[0] = r.factors[0]; }, 1);
  auto missing = fl::make_classifier(
      [](fl::ImageView images) { return std::vector<float>(static_cast<std::size_t>(images.count()), 0.3f); },
      {.classes = 2, .scores = fl::Scores::logits});
  const auto one_class = preflight_world(1);
  auto lone_too = read_images(
      one_class, fl::Scores::logits, [](const auto& r, auto row) { row[0] = r.factors[0]; }, 1);
  const Complaint few = complaint_of(one_class, lone_too), shape = complaint_of(known, missing);
  CHECK(complaint_of(known, lone).code == 105);  // fewer classes than the generator
  CHECK(few.code == 105);
  CHECK(few.text.find("from one logit x per image return {0, x}") != std::string::npos);
  CHECK(shape.code == 203);
  CHECK(shape.text.find("From a logit x return {0, x}") != std::string::npos);
}

namespace {

/// A generator that forgot to seed something.
struct Restless : fl::AnalyticGenerator {
  using fl::AnalyticGenerator::AnalyticGenerator;
  [[nodiscard]] fl::ImageBatch synthesize(const fl::Matrix<float>& s, const fl::SynthesisOptions& options) const {
    fl::ImageBatch images = fl::AnalyticGenerator::synthesize(s, options);
    images.data()[0] += 1e-2f * static_cast<float>(++calls);
    return images;
  }
  mutable int calls = 0;
};

}  // namespace

TEST_CASE("without classes a criterion that compares with the label is refused, and one that does not is welcome") {
  const auto plain = preflight_world(0);
  auto ten = read_images(
      plain, fl::Scores::logits, [](const auto& r, auto row) { row[0] = 3.0f + r.factors[0]; }, 10);
  const Complaint complaint = complaint_of(plain, ten);
  CHECK(complaint.code == 105);
  CHECK(complaint.text.find("the generator is unconditional") != std::string::npos);
  CHECK(complaint_of(plain, ten, {.seed = 1}, fl::TrueClassBelow{0.5}).code == 105);
  CHECK(complaint_of(plain, ten, {.seed = 1}, fl::MarginBelow{0.1}).code == 105);
  const auto unsure = [](std::span<const float> p, std::int64_t) {
    return *std::max_element(p.begin(), p.end()) < 0.4f;
  };
  CHECK(complaint_of(plain, ten, {.seed = 1}, unsure).text.empty());
  // Reads it after all
  const auto third = [](std::span<const float> p, std::int64_t label) { return label == 3 && p[0] > 0.5f; };
  CHECK(complaint_of(plain, ten, {.seed = 1}, third).code == 105);
  const auto band = [](std::span<const float> p, std::int64_t label) {  // reads it between .5 and .95 alone
    const float top = *std::max_element(p.begin(), p.end());
    return top > 0.5f && top < 0.95f && p[static_cast<std::size_t>(label)] < top;
  };
  CHECK(complaint_of(plain, ten, {.seed = 1}, band).code == 105);
  const auto throwing = [](std::span<const float>, std::int64_t) -> bool { throw std::runtime_error("no"); };
  CHECK(complaint_of(plain, ten, {.seed = 1}, throwing).code == 207);
}

TEST_CASE("labels that are walked in order, and a generator that cannot repeat itself, are refused") {
  const auto known = preflight_world();
  auto sound = read_images(known, fl::Scores::logits, [](const auto& r, auto row) {
    row[static_cast<std::size_t>(r.label)] = 3.0f + r.factors[0];
  });
  const Complaint walked = complaint_of(known, sound, {.seed = 1, .labels = fl::LabelPolicy::in_order({0, 1, 2})});
  CHECK(walked.code == 101);
  CHECK(walked.text.find("LabelPolicy::given(list)") != std::string::npos);
  const Restless restless({.factors = 3, .channels = 32, .classes = 4, .seed = 1});
  CHECK(complaint_of(restless, sound).code == 105);
}

TEST_CASE(
    "a batch norm in training mode is found even where the probabilities are saturated, and so is a place that "
    "counts") {
  const auto known = preflight_world();
  auto norm = fl::make_classifier(
      [&known](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 4);
        float mean = 0.0f;
        for (std::int64_t i = 0; i < images.count(); ++i)
          mean += known.read(images, i).factors[0] / static_cast<float>(images.count());
        for (std::int64_t i = 0; i < images.count(); ++i) scores(i, known.read(images, i).label) = 60.0f + 10.0f * mean;
      },
      {.classes = 4, .scores = fl::Scores::logits});
  auto half = fl::make_classifier(
      [&known](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 4);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto reading = known.read(images, i);
          scores(i, i < 32 ? reading.label : 0) = 4.0f + reading.factors[0];
        }
      },
      {.classes = 4, .scores = fl::Scores::logits});
  CHECK(complaint_of(known, norm).text.find("is a batch norm in training mode?") != std::string::npos);
  CHECK(complaint_of(known, half).text.find("or on its place there") != std::string::npos);
}

TEST_CASE("a model that was exported for one batch size passes at that size, and rounding of a device is no dropout") {
  const auto known = preflight_world();
  std::uint64_t calls = 0;
  auto fixed = fl::make_classifier(
      [&](fl::ImageView images, fl::ScoreMatrix& scores) {
        if (images.count() != 64) throw std::runtime_error("input batch dimension must be 64");
        scores.resize(images.count(), 4);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto reading = known.read(images, i);
          scores(i, reading.label) = 4.0f + reading.factors[0];
          calls = calls * 6364136223846793005ull + 1442695040888963407ull;
          scores(i, reading.label) *= 1.0f + 1e-6f * static_cast<float>(calls >> 62);
        }
      },
      {.classes = 4, .scores = fl::Scores::logits});
  CHECK(complaint_of(known, fixed).text.empty());
  CHECK(complaint_of(known, fixed, {.seed = 1, .batch_size = 32}).code == 202);
}

TEST_CASE("what varies in its scores is not said to be constant, and what does not is, without classes too") {
  const auto known = preflight_world(2);
  auto saturated = read_images(
      known, fl::Scores::logits,
      [](const auto& r, auto row) {
        row[0] = 300.0f + 20.0f * r.factors[0], row[1] = 60.0f * static_cast<float>(r.label);
      },
      2);
  CHECK(complaint_of(known, saturated).text.empty());
  const auto one = preflight_world(1), none = preflight_world(0);
  auto constant = fl::make_classifier(
      [](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 2);
        for (std::int64_t i = 0; i < images.count(); ++i) scores(i, 0) = 1.0f;
      },
      {.classes = 2, .scores = fl::Scores::probabilities});
  CHECK(complaint_of(one, constant).code == 206);
  CHECK(complaint_of(none, constant, {.seed = 1}, [](std::span<const float> p, std::int64_t) {
          return p[0] < 0.9f;
        }).code == 206);
}

TEST_CASE("a softmax in seven bits that is declared logits is noticed") {
  const auto known = preflight_world(10);
  auto rounded = read_images(
      known, fl::Scores::logits,
      [](const auto& r, auto row) {
        double sum = 0.0;
        for (std::size_t k = 0; k < row.size(); ++k)
          sum += std::exp(k == static_cast<std::size_t>(r.label) ? 2.0 + static_cast<double>(r.factors[0])
                                                                 : 0.1 * static_cast<double>(k));
        for (std::size_t k = 0; k < row.size(); ++k)
          row[k] = static_cast<float>(
              std::floor(127.0 *
                         std::exp(k == static_cast<std::size_t>(r.label) ? 2.0 + static_cast<double>(r.factors[0])
                                                                         : 0.1 * static_cast<double>(k)) /
                         sum) /
              127.0);
      },
      10);
  CHECK(complaint_of(known, rounded).code == 208);
}

TEST_CASE("classes that are answered as another are named, and what is only frequent is not") {
  const auto notes = [](std::vector<std::int64_t> labels, std::vector<std::int64_t> answers) {
    fl::sampling::ClassNotes counted;
    counted.add(labels, answers);
    return counted.sentences();
  };
  std::vector<std::int64_t> labels, swapped, shifted, sound, often;
  for (std::int64_t i = 0; i < 200; ++i) {
    const std::int64_t label = i % 5;
    labels.push_back(label);
    swapped.push_back(label == 1 ? 4 : label == 4 ? 1 : label);
    shifted.push_back(i % 50 == 7 ? label : (label + 1) % 5);
    sound.push_back(label);
    often.push_back(label == 2 && i % 4 != 0 ? 3 : label);
  }
  CHECK(notes(labels, sound).empty());
  CHECK(notes(labels, often).empty());
  const auto two = notes(labels, swapped);
  REQUIRE(two.size() == 1);
  CHECK(two[0] ==
        "Class 1 is always answered 4 (40 of 40 samples) and class 4 is always answered 1 (40 of 40 samples): two "
        "labels are swapped; does the classifier number its classes like the generator?");
  const auto all = notes(labels, shifted);
  REQUIRE(all.size() == 5);
  CHECK(all[2].find("Class 2 is nearly always answered 3 (36 of 40 samples)") == 0);
  CHECK(notes({1, 1, 1}, {2, 2, 2}).empty());  // too few to say
}
