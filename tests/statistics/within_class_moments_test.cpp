// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/statistics/within_class_moments.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

namespace fl = faultline;
using namespace faultline_test;

TEST_CASE("a large sum is cut at fixed rows and added in order") {
  std::vector<std::int64_t> firsts, counts;
  const double sum = fl::statistics::fixed_sum(2 * fl::statistics::fixed_sum_rows + 5, 1.0,
                                               [&](std::int64_t first, std::int64_t count) {
                                                 firsts.push_back(first);
                                                 counts.push_back(count);
                                                 return static_cast<double>(count);
                                               });
  CHECK(sum == 2.0 * static_cast<double>(fl::statistics::fixed_sum_rows) + 6.0);
  CHECK(firsts == std::vector<std::int64_t>{0, fl::statistics::fixed_sum_rows, 2 * fl::statistics::fixed_sum_rows});
  CHECK(counts == std::vector<std::int64_t>{fl::statistics::fixed_sum_rows, fl::statistics::fixed_sum_rows, 5});
  CHECK(fl::statistics::fixed_sum(0, 3.0, [](std::int64_t, std::int64_t) { return 1.0; }) == 3.0);
}

TEST_CASE("means, squares and covariance within classes agree with plain loops") {
  const std::int64_t n = 5000, d = 5, classes = 4;
  Sample sample = make_sample(1, n, d, classes - 1, 0.3, 0.5);  // the last class has no samples
  for (std::int64_t i = 0; i < n; ++i)
    sample.x.row(i).array() += 10.0 * static_cast<double>(sample.labels[static_cast<std::size_t>(i)]);
  std::vector<std::int64_t> group = sample.labels;
  for (std::size_t i = 0; i < group.size(); i += 7) group[i] = -1;

  const fl::statistics::GroupMeans means = fl::statistics::group_means("test", sample.x, group, classes);
  const fl::Matrix<double> squares = fl::statistics::within_squares(sample.x, group, means);
  const fl::Matrix<double> covariance = fl::statistics::within_covariance(sample.x, group, means);
  std::vector<double> count(classes, 0.0);
  Eigen::MatrixXd mean = Eigen::MatrixXd::Zero(classes, d), scatter = Eigen::MatrixXd::Zero(d, d), square = mean;
  for (std::int64_t i = 0; i < n; ++i)
    if (const std::int64_t g = group[static_cast<std::size_t>(i)]; g >= 0) {
      count[static_cast<std::size_t>(g)] += 1.0;
      mean.row(g) += sample.x.row(i);
    }
  for (std::int64_t g = 0; g + 1 < classes; ++g) mean.row(g) /= count[static_cast<std::size_t>(g)];
  for (std::int64_t i = 0; i < n; ++i)
    if (const std::int64_t g = group[static_cast<std::size_t>(i)]; g >= 0) {
      const Eigen::RowVectorXd away = sample.x.row(i) - mean.row(g);
      scatter += away.transpose() * away;
      square.row(g) += away.cwiseAbs2();
    }
  CHECK(means.count == count);
  CHECK(means.count.back() == 0.0);
  CHECK(means.rows() == static_cast<double>(n - (n + 6) / 7));
  CHECK(means.freedom() == means.rows() - 3.0);
  CHECK((means.mean - mean).cwiseAbs().maxCoeff() < 1e-12);
  CHECK((squares - square).cwiseAbs().maxCoeff() < 1e-9);
  CHECK((covariance - scatter / means.freedom()).cwiseAbs().maxCoeff() < 1e-12);

  const auto deviations = fl::statistics::within_deviations(sample.x, group, means, means.freedom(), 0.0);
  for (std::int64_t j = 0; j < d; ++j)
    CHECK(deviations[static_cast<std::size_t>(j)] == Approx(std::sqrt(covariance(j, j))));

  const fl::Matrix<double> centred = fl::statistics::centred_rows(sample.x, group, means.mean, 6, 3);
  CHECK(centred.rows() == 3);
  CHECK((centred.row(0) - (sample.x.row(6) - mean.row(group[6]))).norm() < 1e-12);
  CHECK(centred.row(1).isZero(0.0));  // row 7 is left out
}

TEST_CASE("moments of floats are those of their values in double") {
  const Sample sample = make_sample(2, 300, 3, 2, 0.3);
  const fl::Matrix<float> narrow = sample.x.cast<float>();
  const fl::Matrix<double> wide = narrow.cast<double>();
  const auto of_narrow = fl::statistics::group_means("test", narrow, sample.labels, 2);
  const auto of_wide = fl::statistics::group_means("test", wide, sample.labels, 2);
  CHECK(of_narrow.mean == of_wide.mean);
  CHECK(fl::statistics::within_covariance(narrow, sample.labels, of_narrow) ==
        fl::statistics::within_covariance(wide, sample.labels, of_wide));
}

TEST_CASE("a deviation below the resolution of the values is none") {
  fl::Matrix<float> x(4, 2);
  for (std::int64_t i = 0; i < 4; ++i) {
    x(i, 0) = 1e6f + static_cast<float>(i % 2) * 0.0625f;
    x(i, 1) = static_cast<float>(i);
  }
  const std::vector<std::int64_t> labels(4, 0);
  const auto means = fl::statistics::group_means("test", x, labels, 1);
  const auto deviations = fl::statistics::within_deviations(x, labels, means, means.freedom(), 1e-7);
  CHECK(deviations[0] == 0.0);
  CHECK(deviations[1] == Approx(std::sqrt(5.0 / 3.0)));
}

TEST_CASE("labels that do not fit are refused, and no samples have zero moments") {
  const fl::Matrix<double> x(3, 2, 1.0);
  const std::vector<std::int64_t> few{0, 1}, high{0, 1, 2}, low{0, 1, -2};
  CHECK(faultline_tests::error_code([&] { (void)fl::statistics::group_means("test", x, few, 2); }) ==
        fl::ErrorCode::shape_mismatch);
  CHECK(faultline_tests::error_code([&] { (void)fl::statistics::group_means("test", x, high, 2); }) ==
        fl::ErrorCode::label_out_of_range);
  CHECK(faultline_tests::error_code([&] { (void)fl::statistics::group_means("test", x, low, 2); }) ==
        fl::ErrorCode::label_out_of_range);
  const fl::Matrix<double> none(0, 2);
  const auto means = fl::statistics::group_means("test", none, {}, 2);
  CHECK(means.mean == fl::Matrix<double>(2, 2));
  CHECK(fl::statistics::within_covariance(none, {}, means) == fl::Matrix<double>(2, 2));
  CHECK(fl::statistics::within_deviations(none, {}, means, means.freedom(), 0.0) == std::vector<double>{0.0, 0.0});
}
