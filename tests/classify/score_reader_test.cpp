// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The same scores through every kind of callable and every array that make_classifier reads.

#include <faultline/classify/make_classifier.hpp>

#include <Eigen/Dense>
#if __has_include(<xtensor/xtensor.hpp>)
#include <xtensor/xarray.hpp>
#include <xtensor/xtensor.hpp>
#else
#include <xtensor/containers/xarray.hpp>
#include <xtensor/containers/xtensor.hpp>
#endif

#include <support/catch2.hpp>

#include <array>
#include <functional>
#include <memory>
#include <vector>

namespace fl = faultline;

namespace {

constexpr std::int64_t classes = 3;
const fl::ClassifierOptions options{.classes = classes, .scores = fl::Scores::logits};

/// Score of class k for an image whose first pixel is x; not symmetric in anything, so that a transposed read shows.
float truth(float x, std::int64_t k) { return x * 10.0f + static_cast<float>(k * k) - 1.0f; }

fl::ImageBatch ramp(std::int64_t count) {
  fl::ImageBatch images(count, {1, 2, 2});
  for (std::int64_t i = 0; i < count; ++i) images.image(i)[0] = static_cast<float>(i) / 8.0f;
  return images;
}

template <class C>
bool reads_truth(C&& classifier, std::int64_t count = 5) {
  const fl::ImageBatch images = ramp(count);
  fl::ScoreMatrix scores;
  classifier.score(images, scores);
  bool same = scores.rows() == count && scores.cols() == classes;
  for (std::int64_t i = 0; same && i < count; ++i)
    for (std::int64_t k = 0; k < classes; ++k) same = same && scores(i, k) == truth(images.image(i)[0], k);
  return same;
}

template <class M>
M filled(fl::ImageView images, M scores) {
  using Index = std::conditional_t<fl::ReadableArray<M>, std::size_t, std::int64_t>;
  for (std::int64_t i = 0; i < images.count(); ++i)
    for (std::int64_t k = 0; k < classes; ++k)
      scores(static_cast<Index>(i), static_cast<Index>(k)) = truth(images.image(i)[0], k);
  return scores;
}

std::vector<float> free_function(fl::ImageView images) {
  std::vector<float> scores;
  for (std::int64_t i = 0; i < images.count(); ++i)
    for (std::int64_t k = 0; k < classes; ++k) scores.push_back(truth(images.image(i)[0], k));
  return scores;
}

struct OwnArray {
  std::vector<float> values;
};

}  // namespace

template <>
struct faultline::ScoreReader<OwnArray> {
  static void read(const OwnArray& result, std::int64_t images, ScoreMatrix& scores) {
    scores.resize(images, static_cast<std::int64_t>(result.values.size()) / images);
    std::copy(result.values.begin(), result.values.end(), scores.data());
  }
};

TEST_CASE("callables of every kind are classifiers") {
  CHECK(reads_truth(fl::make_classifier(
      [](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores = filled(images, fl::ScoreMatrix(images.count(), classes));
      },
      options)));
  CHECK(reads_truth(fl::make_classifier(
      [](auto images, auto& scores) { scores = filled(images, fl::ScoreMatrix(images.count(), classes)); }, options)));
  CHECK(reads_truth(
      fl::make_classifier([calls = 0](auto images) mutable { return ++calls, free_function(images); }, options)));
  CHECK(reads_truth(fl::make_classifier(free_function, options)));
  CHECK(reads_truth(fl::make_classifier(&free_function, options)));
  CHECK(reads_truth(fl::make_classifier(std::function<std::vector<float>(fl::ImageView)>(free_function), options)));
  CHECK(reads_truth(fl::make_classifier(
      [only = std::make_unique<int>(1)](fl::ImageView images) { return free_function(images); }, options)));
  const auto constant = fl::make_classifier(free_function, options);
  CHECK(reads_truth(constant));
}

TEST_CASE("scores are read as row and column whatever the storage order") {
  CHECK(reads_truth(
      fl::make_classifier([](fl::ImageView x) { return filled(x, fl::Matrix<double>(x.count(), classes)); }, options)));
  CHECK(reads_truth(
      fl::make_classifier([](fl::ImageView x) { return filled(x, Eigen::MatrixXf(x.count(), classes)); }, options)));
  CHECK(reads_truth(
      fl::make_classifier([](fl::ImageView x) { return filled(x, Eigen::MatrixXd(x.count(), classes)); }, options)));
  CHECK(reads_truth(fl::make_classifier(
      [](fl::ImageView x) {
        return filled(x, Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>(x.count(), classes));
      },
      options)));
  CHECK(reads_truth(
      fl::make_classifier([](fl::ImageView x) { return filled(x, Eigen::ArrayXXf(x.count(), classes)); }, options)));
  CHECK(reads_truth(fl::make_classifier(
      [](fl::ImageView x) {
        return filled(x, xt::xtensor<float, 2>({static_cast<std::size_t>(x.count()), std::size_t{classes}}));
      },
      options)));
  CHECK(reads_truth(fl::make_classifier(
      [](fl::ImageView x) {
        return filled(x, xt::xtensor<double, 2, xt::layout_type::column_major>(
                             {static_cast<std::size_t>(x.count()), std::size_t{classes}}));
      },
      options)));
  CHECK(reads_truth(fl::make_classifier(
      [](fl::ImageView x) {
        return filled(x, xt::xarray<float>(
                             xt::xarray<float>::shape_type{static_cast<std::size_t>(x.count()), std::size_t{classes}}));
      },
      options)));
  CHECK(reads_truth(fl::make_classifier(
      [](fl::ImageView x) {
        std::vector<std::array<double, classes>> rows(static_cast<std::size_t>(x.count()));
        for (std::int64_t i = 0; i < x.count(); ++i)
          for (std::int64_t k = 0; k < classes; ++k)
            rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(k)] =
                static_cast<double>(truth(x.image(i)[0], k));
        return rows;
      },
      options)));
  CHECK(reads_truth(fl::make_classifier([](fl::ImageView x) { return OwnArray{free_function(x)}; }, options)));
}

namespace {
template <class F>
fl::ErrorCode refusal(F&& function) {
  auto classifier = fl::make_classifier(std::forward<F>(function), options);
  fl::ScoreMatrix scores;
  try {
    classifier.score(ramp(5), scores);
  } catch (const fl::Error& error) {
    return error.code();
  }
  return fl::ErrorCode::invalid_argument;
}
}  // namespace

TEST_CASE("shapes that cannot be scores are refused as they are read") {
  CHECK(refusal([](fl::ImageView) { return std::vector<float>(7); }) == fl::ErrorCode::wrong_score_shape);
  CHECK(refusal([](fl::ImageView) {
          return std::vector<std::vector<float>>{{1, 2, 3}, {1, 2}};
        }) == fl::ErrorCode::wrong_score_shape);
  CHECK(refusal([](fl::ImageView) {
          return xt::xarray<float>(xt::xarray<float>::shape_type{5, 3, 1});
        }) == fl::ErrorCode::wrong_score_shape);
}

TEST_CASE("a classifier must declare its scores and its classes") {
  CHECK_THROWS_AS(fl::make_classifier(free_function, {.classes = 3}), fl::Error);
  try {
    (void)fl::make_classifier(free_function, {.classes = 3});
  } catch (const fl::Error& error) {
    CHECK(error.code() == fl::ErrorCode::scores_undeclared);
  }
  try {
    (void)fl::make_classifier(free_function, {.scores = fl::Scores::logits});
    CHECK(false);
  } catch (const fl::Error& error) {
    CHECK(error.code() == fl::ErrorCode::invalid_argument);
  }
}

TEST_CASE("a classifier made of a function passes on what it was told") {
  const auto classifier = fl::make_classifier(free_function, {.classes = 3,
                                                              .scores = fl::Scores::probabilities,
                                                              .input = {.height = 28},
                                                              .name = "mine",
                                                              .thread_safe = true});
  CHECK(classifier.num_classes() == 3);
  CHECK(classifier.score_kind() == fl::Scores::probabilities);
  CHECK(classifier.input_spec().height == 28);
  CHECK(classifier.name() == "mine");
  CHECK(classifier.thread_safe());
}
