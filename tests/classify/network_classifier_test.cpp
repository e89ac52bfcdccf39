// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The built-in classifiers: sizes, scores, features and gradients.

#include <support/catch2.hpp>

#include <classify/network_reference.hpp>
#include <core/temporary_directory.hpp>

#include <faultline/classify/detail/folded_gradient.hpp>
#include <faultline/classify/detail/folded_network.hpp>
#include <faultline/classify/network_classifier.hpp>
#include <faultline/core/parallel_for.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fl = faultline;
using namespace faultline_tests;
using fl::ErrorCode;

static_assert(fl::Classifier<fc::NetworkClassifier> && fl::DifferentiableClassifier<fc::NetworkClassifier> &&
              fl::HasInputSpec<fc::NetworkClassifier> && fl::StatesDigest<fc::NetworkClassifier> &&
              fl::HasName<fc::NetworkClassifier>);

namespace {

std::int64_t parameters(const fc::ClassifierConfig& config) {
  std::int64_t total = 0;
  for (const auto& spec : fc::weight_specs(config))
    if (!fc::is_running_statistic(spec.name)) total += fl::kernels::element_count(spec.shape);
  return total;
}

/// Both networks at their usual size, with several channels and odd sizes, and with what is left of the smallest
/// input.
const std::vector<fc::ClassifierConfig> configs = {
    {.architecture = "paper-cnn", .classes = 10, .input = {.channels = 1, .height = 28, .width = 28}},
    {.architecture = "paper-cnn", .classes = 7, .input = {.channels = 3, .height = 13, .width = 18}},
    {.architecture = "paper-cnn", .classes = 2, .input = {.channels = 1, .height = 6, .width = 7}},
    {.architecture = "judge-cnn", .classes = 10, .input = {.channels = 1, .height = 28, .width = 28}},
    {.architecture = "judge-cnn", .classes = 33, .input = {.channels = 2, .height = 21, .width = 31}},
    {.architecture = "judge-cnn", .classes = 3, .input = {.channels = 17, .height = 8, .width = 9}}};

std::vector<std::int64_t> some_labels(std::int64_t count, std::int64_t classes) {
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < count; ++i) labels.push_back((2 * i + 1) % classes);
  return labels;
}

/// Largest difference, as a share of the largest value.
double difference(std::span<const float> values, const std::vector<double>& expected) {
  REQUIRE(values.size() == expected.size());
  double largest = 0.0, worst = 0.0;
  for (std::size_t k = 0; k < values.size(); ++k) {
    largest = std::max(largest, std::abs(expected[k]));
    worst = std::max(worst, std::abs(static_cast<double>(values[k]) - expected[k]));
  }
  return worst == 0.0 ? 0.0 : worst / largest;
}

bool same(std::span<const float> a, std::span<const float> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

ErrorCode code_of_model(const fc::ClassifierModel& model) {
  return error_code([&] { fc::NetworkClassifier classifier(model); }).value_or(ErrorCode{0});
}

// Each value is a sum of at most some thousand rounded products, through four layers at most: errors of 2^-24 that
// partly cancel make a few 1e-7 of the largest value.
constexpr double tolerance = 1e-5;

}  // namespace

TEST_CASE("the paper's network has the paper's number of parameters", "[classify][network]") {
  CHECK(parameters({.architecture = "paper-cnn"}) == 1'200'074);
  CHECK(error_code([] { (void)fc::weight_specs({.architecture = "other"}); }) == ErrorCode::foreign_format);
}

TEST_CASE("scores, features and gradients are those of the network in double precision", "[classify][network]") {
  for (const fc::ClassifierConfig& config : configs) {
    CAPTURE(config.architecture, config.input.channels, config.input.height, config.input.width);
    constexpr std::int64_t count = 5;
    const fc::ClassifierModel model = random_classifier(config);
    const fc::NetworkClassifier classifier(model);
    fl::ImageBatch images = random_images(count, config.input), gradient;
    // one without contrast: all values of most windows are the largest, and the first of them gets the gradient
    std::fill(images.image(4).begin(), images.image(4).end(), 0.5f);
    const std::vector<std::int64_t> labels = some_labels(count, config.classes);
    fl::ScoreMatrix scores;
    fl::Matrix<float> features;
    classifier.score(images, scores);
    classifier.features(images, features);
    classifier.probability_gradient(images, labels, gradient);
    REQUIRE((scores.rows() == count && scores.cols() == config.classes));
    REQUIRE((features.rows() == count && features.cols() == 128));
    REQUIRE((gradient.count() == count && gradient.shape() == images.shape()));
    int smooth = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      CAPTURE(i);
      const std::vector<double> image(images.image(i).begin(), images.image(i).end());
      const ReferenceAnswer expected = reference(model, image, labels[static_cast<std::size_t>(i)]);
      CHECK(difference(features.row_span(i), expected.features) < tolerance);
      CHECK(difference(scores.row_span(i), expected.logits) < tolerance);
      if (expected.closest_kink < 2e-6) continue;  // rounding may choose the other side, whose gradient is another
      ++smooth;
      CHECK(difference(gradient.image(i), expected.gradient) < tolerance);
    }
    CHECK(smooth >= 1);
  }
}

TEST_CASE("every instruction set gives the same answers to rounding", "[classify][network]") {
  const fc::ClassifierConfig& config = configs[4];
  const fc::ClassifierModel model = random_classifier(config);
  const fl::ImageBatch images = random_images(2, config.input);
  const std::vector<std::int64_t> labels = some_labels(2, config.classes);
  for (const fl::kernels::Kernels* const table : fl::kernels::runnable_kernels()) {
    CAPTURE(table->name);
    const fc::detail::FoldedNetwork network(model, *table);
    fl::ScoreMatrix scores(2, config.classes);
    fl::ImageBatch gradient(2, images.shape());
    network.logits(images, scores.data());
    fc::detail::FoldedGradient(network, model)(images, labels, gradient.data());
    for (std::int64_t i = 0; i < 2; ++i) {
      const std::vector<double> image(images.image(i).begin(), images.image(i).end());
      const ReferenceAnswer expected = reference(model, image, labels[static_cast<std::size_t>(i)]);
      REQUIRE(expected.closest_kink > 2e-6);
      CHECK(difference(scores.row_span(i), expected.logits) < tolerance);
      CHECK(difference(gradient.image(i), expected.gradient) < tolerance);
    }
  }
}

TEST_CASE("the gradient in double precision is the limit of differences", "[classify][network]") {
  for (const std::size_t c : {std::size_t{1}, std::size_t{5}}) {
    const fc::ClassifierModel model = random_classifier(configs[c]);
    const fl::ImageBatch images = random_images(1, configs[c].input);
    std::vector<double> image(images.image(0).begin(), images.image(0).end());
    const ReferenceAnswer expected = reference(model, image, 1);
    double largest = 0.0;
    for (const double g : expected.gradient) largest = std::max(largest, std::abs(g));
    REQUIRE(largest > 0.0);
    for (const std::size_t pixel : {image.size() / 7, image.size() / 2, image.size() - 30}) {
      constexpr double step = 1e-8;  // the error of p, 1e-16, becomes 1e-8, and kinks are further away
      const double kept = image[pixel];
      image[pixel] = kept + step;
      const double up = reference(model, image, 1).probability(1);
      image[pixel] = kept - step;
      const double down = reference(model, image, 1).probability(1);
      image[pixel] = kept;
      CHECK((up - down) / (2.0 * step) == Approx(expected.gradient[pixel]).margin(1e-4 * largest + 1e-7));
    }
  }
}

TEST_CASE("what belongs to an image depends on it alone, bit for bit, whatever the batch and the threads",
          "[classify][network]") {
  for (const std::size_t c : {std::size_t{0}, std::size_t{4}}) {
    constexpr std::int64_t count = 41;
    const fc::ClassifierConfig& config = configs[c];
    const fc::NetworkClassifier classifier(random_classifier(config));
    const fl::ImageBatch images = random_images(count, config.input);
    const std::vector<std::int64_t> labels = some_labels(count, config.classes);
    struct Answers {
      fl::ScoreMatrix scores;
      fl::Matrix<float> features;
      fl::ImageBatch gradient;
    };
    const auto ask = [&](std::int64_t first, std::int64_t rows) {
      Answers answers;
      const fl::ImageView some = images.view().slice(first, rows);
      classifier.score(some, answers.scores);
      classifier.features(some, answers.features);
      classifier.probability_gradient(
          some, std::span(labels).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(rows)),
          answers.gradient);
      return answers;
    };
    const Answers all = ask(0, count);
    const auto check = [&](const Answers& some, std::int64_t first, std::int64_t rows) {
      for (std::int64_t i = 0; i < rows; ++i) {
        CHECK(same(some.scores.row_span(i), all.scores.row_span(first + i)));
        CHECK(same(some.features.row_span(i), all.features.row_span(first + i)));
        CHECK(same(some.gradient.view().image(i), all.gradient.view().image(first + i)));
      }
    };
    check(ask(0, 1), 0, 1);
    check(ask(40, 1), 40, 1);
    check(ask(3, 20), 3, 20);
    check(fl::within_threads(1, [&] { return ask(0, count); }), 0, count);
    check(fl::within_threads(2, [&] { return ask(0, count); }), 0, count);
  }
}

TEST_CASE("gradients of probabilities close to 0 and 1 keep their digits", "[classify][network]") {
  const fc::ClassifierConfig& config = configs[2];
  fc::ClassifierModel model = random_classifier(config);
  fl::kernels::WeightArray bias = model.weights["fc2.bias"];
  bias.values[0] += 60.0f;
  model.weights.set("fc2.bias", bias);
  const fc::NetworkClassifier classifier(model);
  const fl::ImageBatch images = random_images(1, config.input);
  fl::ImageBatch gradient;
  const std::vector<double> image(images.image(0).begin(), images.image(0).end());
  for (const std::int64_t label : {std::int64_t{0}, std::int64_t{1}}) {
    const ReferenceAnswer expected = reference(model, image, label);
    REQUIRE(expected.closest_kink > 1e-6);
    classifier.probability_gradient(images, std::vector<std::int64_t>{label}, gradient);
    // the error of a logit of 60, 4e-6, is one of the probability
    CHECK(difference(gradient.image(0), expected.gradient) < 2e-5);
    CHECK(std::any_of(gradient.image(0).begin(), gradient.image(0).end(), [](float g) { return g != 0.0f; }));
  }
  bias.values[0] = 2e6f;  // no double holds the probability of the others
  model.weights.set("fc2.bias", bias);
  fc::NetworkClassifier(model).probability_gradient(images, std::vector<std::int64_t>{1}, gradient);
  CHECK(std::all_of(gradient.image(0).begin(), gradient.image(0).end(), [](float g) { return g == 0.0f; }));
}

TEST_CASE("a classifier of one class has no gradient", "[classify][network]") {
  const fc::ClassifierConfig config{.architecture = "judge-cnn", .classes = 1, .input = configs[5].input};
  const fl::ImageBatch images = random_images(2, config.input);
  fl::ImageBatch gradient;
  fc::NetworkClassifier(random_classifier(config))
      .probability_gradient(images, std::vector<std::int64_t>{0, 0}, gradient);
  for (std::int64_t i = 0; i < 2; ++i)
    CHECK(std::all_of(gradient.image(i).begin(), gradient.image(i).end(), [](float g) { return g == 0.0f; }));
}

TEST_CASE("a classifier says what it is, and copies of it answer the same", "[classify][network]") {
  fc::ClassifierModel model = random_classifier(configs[1]);
  model.digest = "d1";
  const fc::NetworkClassifier classifier(model, "mine");
  CHECK(classifier.name() == "mine");
  CHECK(classifier.digest() == "d1");
  CHECK(classifier.num_classes() == 7);
  CHECK(classifier.score_kind() == fl::Scores::logits);
  CHECK(classifier.input_spec().width == 18);
  CHECK(classifier.model().weights == model.weights);
  fl::ScoreMatrix a, b;
  const fl::ImageBatch images = random_images(3, configs[1].input);
  classifier.score(images, a);
  const auto copy = std::make_unique<fc::NetworkClassifier>(classifier);
  copy->score(images, b);
  CHECK(a == b);
}

TEST_CASE("no image is a request like any other, and a gradient may replace its images", "[classify][network]") {
  const fc::NetworkClassifier classifier(random_classifier(configs[2]));
  fl::ImageBatch images = random_images(2, configs[2].input), gradient, none(0, images.shape());
  fl::ScoreMatrix scores;
  classifier.score(none, scores);
  CHECK((scores.rows() == 0 && scores.cols() == 2));
  classifier.probability_gradient(none, {}, gradient);
  CHECK((gradient.count() == 0 && gradient.shape() == images.shape()));
  const std::vector<std::int64_t> labels = {0, 1};
  classifier.probability_gradient(images, labels, gradient);
  classifier.probability_gradient(images, labels, images);
  CHECK(same(images.view().image(1), gradient.view().image(1)));
}

TEST_CASE("images of another size and labels that are none are refused", "[classify][network]") {
  const fc::NetworkClassifier classifier(random_classifier(configs[0]));
  const fl::ImageBatch images = random_images(2, configs[0].input), other(2, {1, 32, 32});
  fl::ImageBatch gradient;
  fl::ScoreMatrix scores;
  using Labels = std::vector<std::int64_t>;
  CHECK(error_code([&] { classifier.score(other, scores); }) == ErrorCode::shape_mismatch);
  CHECK(error_code([&] { classifier.features(other, scores); }) == ErrorCode::shape_mismatch);
  CHECK(error_code([&] {
          classifier.probability_gradient(other, Labels{1, 1}, gradient);
        }) == ErrorCode::shape_mismatch);
  CHECK(error_code([&] { classifier.probability_gradient(images, Labels{1}, gradient); }) == ErrorCode::shape_mismatch);
  CHECK(error_code([&] {
          classifier.probability_gradient(images, Labels{1, 10}, gradient);
        }) == ErrorCode::label_out_of_range);
  CHECK(error_code([&] {
          classifier.probability_gradient(images, Labels{-1, 1}, gradient);
        }) == ErrorCode::label_out_of_range);
}

TEST_CASE("a model that is not whole is refused", "[classify][network]") {
  const fc::ClassifierModel model = random_classifier(configs[0]);
  CHECK(code_of_model(model) == ErrorCode{0});
  fc::ClassifierModel other = model;
  other.config.architecture = "paper-rnn";
  CHECK(code_of_model(other) == ErrorCode::foreign_format);
  other.config = {.classes = 10, .input = {.channels = 1, .height = 5, .width = 28}};
  CHECK(code_of_model(other) == ErrorCode::malformed_header);
  for (const std::int64_t size : {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::max()}) {
    for (std::int64_t fc::ClassifierConfig::*member : {&fc::ClassifierConfig::classes}) {
      other.config = model.config;
      other.config.*member = size;
      CHECK(code_of_model(other) == ErrorCode::invalid_argument);
    }
    for (std::int64_t fl::InputSpec::*member :
         {&fl::InputSpec::channels, &fl::InputSpec::height, &fl::InputSpec::width}) {
      other.config = model.config;
      other.config.input.*member = size;
      CHECK(code_of_model(other) == ErrorCode::invalid_argument);
    }
  }
  other = model;
  other.config.classes = 9;
  CHECK(code_of_model(other) == ErrorCode::wrong_tensor_shape);
  other.weights = {};
  CHECK(code_of_model(other) == ErrorCode::missing_tensor);
  other = model;
  fl::kernels::WeightArray array = model.weights["bn2.bias"];
  array.values[5] = std::numeric_limits<float>::quiet_NaN();
  other.weights.set("bn2.bias", array);
  CHECK(code_of_model(other) == ErrorCode::non_finite_weight);
}
