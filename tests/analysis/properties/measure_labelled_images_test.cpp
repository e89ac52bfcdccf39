// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Labelled images measured and classified: the same numbers as by hand, whoever scored them, and what is refused.
#include <faultline/analysis/properties/measure.hpp>
#include <faultline/analysis/properties/measure_labelled_images.hpp>
#include <faultline/classify/make_classifier.hpp>
#include <faultline/classify/prepare_images.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace fl = faultline;
using faultline_tests::error_code;
using faultline_tests::error_text;
using fl::ErrorCode;

namespace {

constexpr std::int64_t side = 8;

/// Grey images of 8x8; the label of image i is i % 3 and its brightness grows with i.
fl::LabelledImages images_of(std::int64_t count) {
  fl::LabelledImages images{.count = count, .height = side, .width = side, .classes = 3};
  for (std::int64_t i = 0; i < count; ++i) {
    images.labels.push_back(static_cast<std::uint8_t>(i % 3));
    images.names.push_back("n" + std::to_string(1'000 + i) + ".png");
    for (std::int64_t p = 0; p < side * side; ++p)
      images.pixels.push_back(static_cast<std::uint8_t>((i * 37 + p * (3 + i % 5)) % 251));
  }
  return images;
}

/// Logits that depend on single pixels: class k gets ten times pixel (k, k + 1) of a 6x6 image.
fl::ScoreMatrix logits_of(fl::ImageView images) {
  fl::ScoreMatrix scores(images.count(), 3);
  for (std::int64_t i = 0; i < images.count(); ++i)
    for (std::int64_t k = 0; k < 3; ++k) scores(i, k) = 10.0f * images(i, 0, k, k + 1);
  return scores;
}

auto classifier_of(fl::InputSpec input = {.height = 6, .width = 6}, std::int64_t classes = 3) {
  return fl::make_classifier(
      [classes](fl::ImageView images) {
        fl::ScoreMatrix scores(images.count(), classes), own = logits_of(images);
        for (std::int64_t i = 0; i < images.count(); ++i)
          for (std::int64_t k = 0; k < std::min<std::int64_t>(classes, 3); ++k) scores(i, k) = own(i, k);
        return scores;
      },
      {.classes = classes, .scores = fl::Scores::logits, .input = std::move(input), .name = "pixels"});
}

double brightness(std::span<const float> image, const fl::ImageShape&) {
  double sum = 0.0;
  for (const float value : image) sum += static_cast<double>(value);
  return sum;
}
const std::vector<fl::Property> two = {
    {"brightness", brightness},
    {"corner", [](std::span<const float> image, const fl::ImageShape&) { return static_cast<double>(image[0]); }}};

}  // namespace

TEST_CASE("A row is the image's label, answer, outcome and properties", "[labelled_images]") {
  const fl::LabelledImages images = images_of(150);
  auto classifier = classifier_of();
  std::vector<std::int64_t> done;
  fl::LabelledImageOptions options{.properties = two, .batch_size = 8};
  options.progress = [&](const fl::Progress& progress) {
    CHECK(progress.total == 150);
    done.push_back(progress.done);
  };
  const fl::LabelledTable table = fl::measure_labelled_images(images, classifier, fl::Misclassified{}, options);
  fl::analysis::check_table(table, "test");
  CHECK(done == std::vector<std::int64_t>{64, 128, 150});
  CHECK(table.classes == 3);
  CHECK(table.property_names == std::vector<std::string>{"brightness", "corner"});
  CHECK(table.image_names == images.names);
  CHECK(table.group.empty());
  std::int64_t failures = 0;
  for (std::int64_t i = 0; i < images.count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const auto pixels = images.image(i);
    double logit[3], sum = 0.0, ink = 0.0;
    for (std::int64_t k = 0; k < 3; ++k) {  // the centre 6x6 begins at (1, 1)
      logit[k] = 10.0 * pixels[static_cast<std::size_t>((k + 1) * side + k + 2)] / 255.0;
      sum += std::exp(logit[k]);
    }
    for (const std::uint8_t value : pixels) ink += value / 255.0;
    const std::int64_t best = std::max_element(logit, logit + 3) - logit, label = i % 3;
    double other = 0.0;
    for (std::int64_t k = 0; k < 3; ++k)
      if (k != label) other = std::max(other, std::exp(logit[k]) / sum);
    CHECK(table.index[at] == i);
    CHECK(table.label[at] == label);
    CHECK(table.prediction[at] == best);
    CHECK(table.failed[at] == (best != label ? 1 : 0));
    CHECK(static_cast<double>(table.probability[at]) == Approx(std::exp(logit[label]) / sum).epsilon(1e-5));
    CHECK(static_cast<double>(table.margin[at]) == Approx(std::exp(logit[label]) / sum - other).margin(1e-6));
    CHECK(static_cast<double>(table.properties(i, 0)) == Approx(ink).epsilon(1e-5));
    CHECK(static_cast<double>(table.properties(i, 1)) == Approx(pixels[0] / 255.0).margin(1e-6));
    failures += best != label ? 1 : 0;
  }
  CHECK(table.failures() == failures);
  CHECK(failures > 20);
  CHECK(failures < 130);

  const fl::LabelledTable unsure = fl::measure_labelled_images(images, classifier, fl::TrueClassBelow{0.9}, options);
  for (std::size_t i = 0; i < 150; ++i) CHECK(unsure.failed[i] == (unsure.probability[i] < 0.9f ? 1 : 0));
  const fl::LabelledTable whole = fl::measure_labelled_images(images, classifier);  // by default the library's own
  CHECK(whole.properties.cols() == 12);
  CHECK(whole.failed == table.failed);
}

TEST_CASE("Scores that were written down give the same table as the classifier", "[labelled_images]") {
  const fl::LabelledImages images = images_of(90);
  auto classifier = classifier_of();
  const fl::LabelledImageOptions options{.properties = two};
  const fl::LabelledTable asked = fl::measure_labelled_images(images, classifier, fl::Misclassified{}, options);
  const fl::ImageBatch prepared =
      fl::prepare_images(fl::corrupted_images(images, 0, images.count, {.mix = fl::CorruptionMix::none, .padding = 0}),
                         {0.0, 1.0}, classifier.input_spec());
  const fl::ScoreMatrix logits = logits_of(prepared);
  std::string text = "image,score_2,score_0,score_1\n";
  for (std::int64_t i = images.count - 1; i >= 0; --i)
    text += images.names[static_cast<std::size_t>(i)] + "," + std::to_string(logits(i, 2)) + "," +
            std::to_string(logits(i, 0)) + "," + std::to_string(logits(i, 1)) + "\n";
  const fl::ScoreTable scores = fl::parse_score_table(text, {.scores = fl::Scores::logits});
  const fl::LabelledTable read = fl::measure_labelled_images(images, scores, fl::Misclassified{}, options);
  fl::analysis::check_table(read, "test");
  CHECK(read.label == asked.label);
  CHECK(read.prediction == asked.prediction);
  CHECK(read.failed == asked.failed);
  CHECK(read.properties == asked.properties);
  CHECK(read.image_names == asked.image_names);
  for (std::size_t i = 0; i < 90; ++i)
    CHECK(static_cast<double>(read.probability[i]) == Approx(static_cast<double>(asked.probability[i])).margin(1e-5));

  fl::LabelledImages unlabelled = images;  // where the table alone has labels
  unlabelled.labels.clear();
  unlabelled.classes = 0;
  std::string with_labels = "image,label,0,1,2\n";
  for (std::int64_t i = 0; i < images.count; ++i) with_labels += std::to_string(i) + ",1,0,1,2\n";
  const fl::LabelledTable own = fl::measure_labelled_images(
      unlabelled, fl::parse_score_table(with_labels, {.scores = fl::Scores::logits}), fl::Misclassified{}, options);
  CHECK(own.label == std::vector<std::int64_t>(90, 1));
  CHECK(own.failures() == 90);

  CHECK(error_code([&] {
          (void)fl::measure_labelled_images(images, scores, fl::Misclassified{}, {.corruption = {}});
        }) == ErrorCode::invalid_argument);
  CHECK(error_code([&] { (void)fl::measure_labelled_images(images_of(91), scores, fl::Misclassified{}, options); }) ==
        ErrorCode::inconsistent_files);
}

TEST_CASE("Corrupted versions are those of their index, and those of one image a group", "[labelled_images]") {
  const fl::LabelledImages images = images_of(40);
  auto classifier = classifier_of({.height = 10, .width = 10});
  const fl::CorruptionOptions corruption{.mix = fl::CorruptionMix::independent, .seed = 5, .padding = 2};
  const fl::LabelledTable table = fl::measure_labelled_images(
      images, classifier, fl::Misclassified{}, {.properties = two, .corruption = corruption, .samples = 100});
  REQUIRE(table.size() == 100);
  const fl::ImageBatch made = fl::corrupted_images(images, 0, 100, corruption);
  CHECK(table.properties == fl::analysis::measure_properties(two, made));
  for (std::int64_t i = 0; i < 100; ++i) {
    CHECK(table.group[static_cast<std::size_t>(i)] == i % 40);
    CHECK(table.label[static_cast<std::size_t>(i)] == i % 40 % 3);
    CHECK(table.image_names[static_cast<std::size_t>(i)] == images.names[static_cast<std::size_t>(i % 40)]);
  }
  CHECK(table.properties(1, 0) != table.properties(41, 0));  // the same image, corrupted afresh

  const fl::LabelledImageOptions some{.properties = two, .corruption = corruption, .samples = 15};
  const fl::LabelledTable part = fl::measure_labelled_images(images, classifier, fl::Misclassified{}, some);
  REQUIRE(part.size() == 15);
  CHECK(part.group.empty());
  CHECK(std::is_sorted(part.index.begin(), part.index.end()));
  CHECK(std::set<std::int64_t>(part.index.begin(), part.index.end()).size() == 15);
  CHECK(part.index != std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14});
  for (std::int64_t i = 0; i < 15; ++i)
    CHECK(part.properties(i, 0) == table.properties(part.index[static_cast<std::size_t>(i)], 0));
  CHECK(error_code([&] {
          (void)fl::measure_labelled_images(images, classifier, fl::Misclassified{}, {.samples = 41});
        }) == ErrorCode::invalid_argument);
}

TEST_CASE("Images of another size than the classifier's input fit as asked, or are refused in words about images",
          "[labelled_images]") {
  const fl::LabelledImages images = images_of(20);
  const auto with = [&](fl::InputSpec input, std::optional<fl::Fit> fit = std::nullopt, std::int64_t classes = 3) {
    auto classifier = classifier_of(std::move(input), classes);
    return fl::measure_labelled_images(images, classifier, fl::Misclassified{}, {.properties = two, .fit = fit});
  };
  const auto refused = [&](fl::InputSpec input, const std::string& part, std::int64_t classes = 3) {
    CHECK(error_code([&] { (void)with(input, std::nullopt, classes); }) == ErrorCode::incompatible_models);
    const std::string message = error_text([&] { (void)with(input, std::nullopt, classes); });
    INFO(message);
    CHECK(message.find(part) != std::string::npos);
    CHECK(message.find("generator") == std::string::npos);
  };
  refused({.height = 9, .width = 8}, "takes images of 9 x 8 pixels, these have 8 x 8");
  refused({.height = 3, .width = 8}, "less than half of a side");
  refused({.channels = 2}, "takes images of 2 channels, these have 1");
  refused({.height = 6, .width = 6}, "knows 2 classes, the images have 3", 2);
  CHECK(with({.height = 4, .width = 4}).size() == 20);  // half of a side is a crop still
  CHECK(with({.height = 9, .width = 9}, fl::Fit::resize).size() == 20);
  CHECK(with({.height = 9, .width = 9, .fit = fl::Fit::resize}).size() == 20);
  CHECK(with({.channels = 3, .height = 6, .width = 6}).size() == 20);
  CHECK(with({.height = 6, .width = 6}, std::nullopt, 5).classes == 5);  // more classes than there are labels
  // Resized is not cropped
  CHECK(with({.height = 6, .width = 6}, fl::Fit::resize).probability != with({.height = 6, .width = 6}).probability);
}

TEST_CASE("What cannot be measured is refused by image", "[labelled_images]") {
  const fl::LabelledImages images = images_of(30);
  auto classifier = classifier_of();
  const auto code = [&](const fl::LabelledImages& set, const fl::LabelledImageOptions& options) {
    return error_code([&] { (void)fl::measure_labelled_images(set, classifier, fl::Misclassified{}, options); });
  };
  fl::LabelledImages unlabelled = images;
  unlabelled.labels.clear();
  unlabelled.classes = 0;
  CHECK(code(unlabelled, {}) == ErrorCode::inconsistent_files);
  CHECK(code(fl::select_images(images, {}), {}) == ErrorCode::inconsistent_files);
  CHECK(code(images, {.samples = -1}) == ErrorCode::invalid_argument);
  CHECK(code(images, {.batch_size = 0}) == ErrorCode::invalid_argument);
  CHECK(code(images, {.probability_tolerance = 0.2}) == ErrorCode::invalid_argument);
  CHECK(code(images, {.corruption = {.mix = fl::CorruptionMix::none, .padding = -1}}) == ErrorCode::invalid_argument);

  const std::vector<fl::Property> bad = {{"odd", [](std::span<const float> image, const fl::ImageShape&) -> double {
                                            if (image[0] > 0.9f) throw std::runtime_error("too bright");
                                            return 0.0;
                                          }}};
  const std::string message = error_text(
      [&] { (void)fl::measure_labelled_images(images, classifier, fl::Misclassified{}, {.properties = bad}); });
  INFO(message);
  CHECK(message.find("[F207]") != std::string::npos);
  CHECK(message.find("threw on image 13 ('n1013.png'): too bright") != std::string::npos);

  auto constant = fl::make_classifier(
      [](fl::ImageView view) { return std::vector<float>(static_cast<std::size_t>(view.count() * 3), 1.0f); },
      {.classes = 3, .scores = fl::Scores::logits});
  CHECK(error_code([&] { (void)fl::measure_labelled_images(images, constant); }) == ErrorCode::classifier_unlawful);
  auto soft = fl::make_classifier(
      [](fl::ImageView view) {
        fl::ScoreMatrix scores(view.count(), 3);
        for (std::int64_t i = 0; i < view.count(); ++i) scores(i, 0) = 1.0f - (scores(i, 1) = 0.5f * view(i, 0, 0, 0));
        return scores;
      },
      {.classes = 3, .scores = fl::Scores::logits});
  CHECK(error_code([&] { (void)fl::measure_labelled_images(images, soft); }) == ErrorCode::not_logits);
}
