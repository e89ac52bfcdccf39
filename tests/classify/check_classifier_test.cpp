// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The law check finds each broken law, and lets a lawful classifier alone.

#include <faultline/classify/check_classifier.hpp>
#include <faultline/classify/make_classifier.hpp>

#include <support/catch2.hpp>

#include <cmath>
#include <string>

namespace fl = faultline;

namespace {

const fl::ImageShape shape{1, 2, 2};
const fl::ClassifierOptions options{.classes = 3, .scores = fl::Scores::logits};

fl::ImageBatch different_images() {
  fl::ImageBatch images(6, shape);
  for (std::int64_t p = 0; p < 24; ++p) images.data()[p] = static_cast<float>((p * 7) % 24) / 8.0f;
  return images;
}

void lawful(fl::ImageView images, fl::ScoreMatrix& scores) {
  scores.resize(images.count(), 3);
  for (std::int64_t i = 0; i < images.count(); ++i)
    for (std::int64_t k = 0; k < 3; ++k) scores(i, k) = images.image(i)[static_cast<std::size_t>(k)];
}

template <class F>
fl::LawReport report_of(F&& function) {
  auto classifier = fl::make_classifier(std::forward<F>(function), options);
  return fl::check_classifier(classifier, different_images());
}

}  // namespace

TEST_CASE("a lawful classifier passes") {
  const fl::LawReport report = report_of(lawful);
  CHECK(report.lawful());
  CHECK(report.explanation.empty());
  CHECK(report.row == -1);
  CHECK(report.repeat_difference == 0.0);
  CHECK(report.row_difference == 0.0);
  auto classifier = fl::make_classifier(lawful, options);
  CHECK_NOTHROW(fl::require_lawful(classifier, different_images()));
}

TEST_CASE("misbehaviour: dropout left on") {
  const fl::LawReport report = report_of([calls = 0](fl::ImageView images, fl::ScoreMatrix& scores) mutable {
    lawful(images, scores);
    scores(images.count() - 1, static_cast<std::int64_t>(calls++ % 2)) += 0.5f;
  });
  CHECK(!report.deterministic);
  CHECK(!report.lawful());
  CHECK(report.repeat_difference > 0.05);
  CHECK(report.row == 5);
  CHECK(report.explanation.find("dropout") != std::string::npos);
}

TEST_CASE("misbehaviour: batch norm in training mode") {
  const fl::LawReport report = report_of([](fl::ImageView images, fl::ScoreMatrix& scores) {
    lawful(images, scores);
    for (std::int64_t k = 0; k < 3; ++k) {
      float mean = 0.0f;
      for (std::int64_t i = 0; i < images.count(); ++i) mean += scores(i, k) / static_cast<float>(images.count());
      for (std::int64_t i = 0; i < images.count(); ++i) scores(i, k) -= mean;
    }
  });
  CHECK(report.deterministic);
  CHECK(!report.row_independent);
  CHECK(report.row_difference > 0.01);
  CHECK(report.explanation.find("batch norm") != std::string::npos);
}

TEST_CASE("misbehaviour: scores that depend on the place in the batch") {
  const fl::LawReport report = report_of([](fl::ImageView images, fl::ScoreMatrix& scores) {
    lawful(images, scores);
    if (images.count() > 3) scores(3, 0) += 1.0f;
  });
  CHECK(report.deterministic);
  CHECK(!report.row_independent);
}

TEST_CASE("misbehaviour: writing to the input") {
  const fl::LawReport report = report_of([](fl::ImageView images, fl::ScoreMatrix& scores) {
    lawful(images, scores);
    const_cast<float*>(images.data())[3] = 0.125f;
  });
  CHECK(report.deterministic);
  CHECK(report.row_independent);
  CHECK(!report.input_untouched);
  CHECK(report.explanation.find("writes") != std::string::npos);
}

TEST_CASE("rounding between batch sizes is no broken law") {
  const fl::LawReport report = report_of([](fl::ImageView images, fl::ScoreMatrix& scores) {
    lawful(images, scores);
    if (images.count() == 1) scores(0, 0) += 1e-4f;
  });
  CHECK(report.lawful());
  CHECK(report.row_difference > 0.0);
}

TEST_CASE("require_lawful throws what was found") {
  auto classifier = fl::make_classifier(
      [calls = 0](fl::ImageView images, fl::ScoreMatrix& scores) mutable {
        scores.resize(images.count(), 3, 0.0f), scores(0, calls++ % 3) = 9.0f;
      },
      options);
  try {
    fl::require_lawful(classifier, different_images());
    CHECK(false);
  } catch (const fl::Error& error) {
    CHECK(error.code() == fl::ErrorCode::classifier_unlawful);
    CHECK(std::string(error.what()).find("image 0 of 6") != std::string::npos);
  }
  CHECK_THROWS_AS(fl::check_classifier(classifier, fl::ImageView(nullptr, 0, shape)), fl::Error);
  auto throwing = fl::make_classifier([](fl::ImageView, fl::ScoreMatrix&) { throw 1; }, options);
  CHECK_THROWS_AS(fl::check_classifier(throwing, different_images()), fl::Error);
}
