// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Classes that are numbered otherwise than the generator's.

#include <support/catch2.hpp>

#include <faultline/classify/make_classifier.hpp>
#include <faultline/classify/mapped_classes.hpp>
#include <faultline/classify/scoring.hpp>
#include <faultline/error.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace fl = faultline;

namespace {

fl::ScoreMatrix row(const std::vector<float>& values) {
  fl::ScoreMatrix scores;
  scores.resize(1, static_cast<std::int64_t>(values.size()));
  for (std::size_t k = 0; k < values.size(); ++k) scores(0, static_cast<std::int64_t>(k)) = values[k];
  return scores;
}

/// A classifier that gives every image this row.
auto constant(const std::vector<float>& values, fl::Scores kind, std::int64_t claims = 0) {
  return fl::make_classifier(
      [values](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), static_cast<std::int64_t>(values.size()));
        for (std::int64_t i = 0; i < images.count(); ++i)
          for (std::size_t k = 0; k < values.size(); ++k) scores(i, static_cast<std::int64_t>(k)) = values[k];
      },
      {.classes = claims > 0 ? claims : static_cast<std::int64_t>(values.size()), .scores = kind, .name = "constant"});
}

fl::ErrorCode code_of(const std::string& text) {
  try {
    (void)fl::ClassMap::from_text(text);
  } catch (const fl::Error& error) {
    return error.code();
  }
  return static_cast<fl::ErrorCode>(0);
}

}  // namespace

TEST_CASE("a map of classes is read from a line, and written as it is read") {
  const fl::ClassMap map = fl::ClassMap::from_text(" 3,1 , 0+2");
  CHECK(map.meanings() == std::vector<std::vector<std::int64_t>>{{3}, {1}, {0, 2}});
  CHECK(map.text() == "3, 1, 0+2");
  CHECK(fl::ClassMap::from_text(map.text()).meanings() == map.meanings());
  CHECK(fl::ClassMap().is_identity());
  CHECK(fl::ClassMap().text().empty());
  for (const char* wrong : {"", "1,", "a", "1;2", "-1", "1,1", "1+1", "1,,2", "99999999999999999999"}) {
    CAPTURE(wrong);
    CHECK(code_of(wrong) == fl::ErrorCode::invalid_argument);
  }
  CHECK_THROWS_WITH(fl::ClassMap::from_text("1, x"), ContainsSubstring("from character 4 on"));
}

TEST_CASE("scores are put into the generator's classes, and what means none of them is a class of its own") {
  const fl::ScoreMatrix p = row({0.1f, 0.2f, 0.3f, 0.4f});
  const auto swapped = fl::classify::mapped_scores(p, fl::Scores::probabilities, fl::ClassMap::from_text("3,2,1,0"));
  REQUIRE(swapped.cols() == 4);
  CHECK(swapped(0, 0) == 0.4f);
  CHECK(swapped(0, 3) == 0.1f);
  const auto some = fl::classify::mapped_scores(p, fl::Scores::probabilities, fl::ClassMap::from_text("1+3, 0"));
  REQUIRE(some.cols() == 3);
  CHECK(some(0, 0) == Approx(0.6));
  CHECK(some(0, 1) == Approx(0.1));
  CHECK(some(0, 2) == Approx(0.3));

  // logits by the softmax of all of them: e^1, e^2, e^3 of their sum
  const auto logits =
      fl::classify::mapped_scores(row({1.0f, 2.0f, 3.0f}), fl::Scores::logits, fl::ClassMap::from_text("2"));
  const double sum = std::exp(1.0) + std::exp(2.0) + std::exp(3.0);
  REQUIRE(logits.cols() == 2);
  CHECK(logits(0, 0) == Approx(std::exp(3.0) / sum));
  CHECK(logits(0, 1) == Approx(1.0 - std::exp(3.0) / sum));
  CHECK(fl::classify::mapped_scores(row({800.0f, -800.0f}), fl::Scores::logits, fl::ClassMap::from_text("1,0"))(0, 1) ==
        1.0f);
}

TEST_CASE("one logit is two classes") {
  for (const float x : {-3.0f, 0.0f, 2.0f}) {
    const auto two = fl::classify::mapped_scores(row({x}), fl::Scores::logits, {});
    REQUIRE(two.cols() == 2);
    CHECK(two(0, 1) == Approx(1.0 / (1.0 + std::exp(-static_cast<double>(x)))));
    CHECK(two(0, 0) + two(0, 1) == Approx(1.0));
  }
  CHECK(fl::classify::mapped_scores(row({0.25f}), fl::Scores::probabilities, fl::ClassMap::from_text("1, 0"))(0, 0) ==
        Approx(0.25));
  CHECK(fl::classify::mapped_classes(1, {}) == 2);
}

TEST_CASE("a mapped classifier is a classifier that says what it is") {
  fl::MappedClassifier mine(constant({0.1f, 0.2f, 0.3f, 0.4f}, fl::Scores::probabilities),
                            fl::ClassMap::from_text("3, 0"));
  static_assert(fl::Classifier<decltype(mine)>);
  CHECK(mine.num_classes() == 3);
  CHECK(mine.score_kind() == fl::Scores::probabilities);
  CHECK(mine.name() == "constant");
  const fl::ImageBatch images(5, {1, 4, 4});
  fl::ScoreMatrix scores;
  mine.score(images.view(), scores);
  CHECK(scores.rows() == 5);
  CHECK(scores(4, 2) == Approx(0.5));

  fl::classify::Scorer scorer(mine, {1, 4, 4}, {0.0, 1.0}, 2);
  const std::vector<std::int64_t> labels(5, 0);
  CHECK(scorer(images.view(), labels).prediction == std::vector<std::int64_t>(5, 2));
}

TEST_CASE("what a map would hide is refused before it is mapped") {
  const fl::ImageBatch images(2, {1, 4, 4});
  fl::ScoreMatrix scores;
  const auto code = [&](auto classifier) {
    fl::MappedClassifier mine(std::move(classifier), fl::ClassMap::from_text("1, 0"));
    try {
      mine.score(images.view(), scores);
    } catch (const fl::Error& error) {
      return error.code();
    }
    return static_cast<fl::ErrorCode>(0);
  };
  CHECK(code(constant({0.5f, 0.5f}, fl::Scores::probabilities)) == static_cast<fl::ErrorCode>(0));
  CHECK(code(constant({0.5f, 0.5f}, fl::Scores::probabilities, 3)) == fl::ErrorCode::wrong_score_shape);
  CHECK(code(constant({0.5f, std::numeric_limits<float>::quiet_NaN()}, fl::Scores::logits)) ==
        fl::ErrorCode::non_finite_scores);
  CHECK_THROWS_WITH(fl::MappedClassifier(constant({0.5f, 0.5f}, fl::Scores::logits), fl::ClassMap::from_text("0, 7")),
                    ContainsSubstring("class 7 is no class of the classifier, which has 2"));
}
