// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/statistics/discriminant.hpp>
#include <faultline/statistics/distributions.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <cmath>
#include <limits>
#include <numbers>

namespace fl = faultline;
using namespace faultline_test;

TEST_CASE("the discriminant finds the direction of failure and its AUC on fresh samples") {
  // Shift .3 in each of 8 coordinates: d = .849, AUC = Phi(d / sqrt 2) = .726.
  const Sample fit = make_sample(80, 4000, 8, 3, 0.2, 0.3);
  const Sample fresh = make_sample(81, 4000, 8, 3, 0.2, 0.3);
  const auto strata = fl::statistics::count_outcomes(fit.labels, fit.failed, 3);
  const auto fresh_strata = fl::statistics::count_outcomes(fresh.labels, fresh.failed, 3);
  const auto rule = fl::statistics::fit_discriminant(fit.x, fit.labels, fit.failed, strata);
  double cosine = 0.0;
  for (const double value : rule.direction) cosine += value / std::sqrt(8.0);
  CHECK(cosine > 0.97);
  const fl::statistics::RankTest test =
      fl::statistics::test_discriminant(rule, fresh.x, fresh.labels, fresh.failed, fresh_strata);
  CHECK(std::abs(test.auc - fl::statistics::normal_cdf(0.3 * std::sqrt(8.0) / std::numbers::sqrt2)) <
        5.0 * test.standard_error);
  CHECK(test.p < 1e-10);
}

TEST_CASE("with unequal variances the discriminant is the inverse covariance times the difference") {
  Sample sample = make_sample(82, 20000, 2, 1, 0.3);
  for (std::int64_t i = 0; i < 20000; ++i) {
    sample.x(i, 0) = 3.0 * sample.x(i, 0) + (sample.failed[static_cast<std::size_t>(i)] != 0 ? 1.0 : 0.0);
    sample.x(i, 1) = sample.x(i, 1) + (sample.failed[static_cast<std::size_t>(i)] != 0 ? 1.0 : 0.0);
  }
  const auto rule = fl::statistics::fit_discriminant(sample.x, sample.labels, sample.failed,
                                                     fl::statistics::count_outcomes(sample.labels, sample.failed, 1));
  CHECK(rule.direction[0] / rule.direction[1] == Approx(1.0 / 9.0).margin(0.02));
}

TEST_CASE("the direction solves the ridge equations, whatever their number") {
  for (const std::int64_t r : {1, 2, 63, 65, 150}) {
    const Sample sample = make_sample(90 + r, 3 * r + 40, r, 2, 0.3, 0.2);
    const auto strata = fl::statistics::count_outcomes(sample.labels, sample.failed, 2);
    const auto rule = fl::statistics::fit_discriminant(sample.x, sample.labels, sample.failed, strata);
    Eigen::MatrixXd means = Eigen::MatrixXd::Zero(4, r);
    for (std::int64_t i = 0; i < sample.x.rows(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const bool failed = sample.failed[at] != 0;
      const std::int64_t count =
          (failed ? strata.failures : strata.successes)[static_cast<std::size_t>(sample.labels[at])];
      means.row(fl::statistics::outcome_group(sample.labels[at], failed)) +=
          sample.x.row(i) / static_cast<double>(count);
    }
    Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(r, r);
    for (std::int64_t i = 0; i < sample.x.rows(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const Eigen::RowVectorXd away =
          sample.x.row(i) - means.row(fl::statistics::outcome_group(sample.labels[at], sample.failed[at] != 0));
      covariance += away.transpose() * away / static_cast<double>(sample.x.rows() - 4);
    }
    covariance += rule.ridge * Eigen::MatrixXd::Identity(r, r);
    const auto difference = fl::statistics::stratified_difference(sample.x, sample.labels, sample.failed, strata);
    const Eigen::VectorXd solved = covariance * fl::core::as_vector(rule.direction);  // a multiple of the difference
    const auto wanted = fl::core::as_vector(difference);
    CHECK(rule.ridge == Approx(static_cast<double>(r) / strata.effective_failures));
    CHECK(fl::core::as_vector(rule.direction).norm() == Approx(1.0));
    CHECK(solved.dot(wanted) > 0.0);
    CHECK((solved / solved.norm() - wanted / wanted.norm()).norm() < 1e-9);
  }
}

TEST_CASE("coordinates that are not finite have no discriminant") {
  Sample sample = make_sample(83, 100, 3, 1, 0.3);
  sample.x(7, 1) = std::numeric_limits<double>::quiet_NaN();
  const auto strata = fl::statistics::count_outcomes(sample.labels, sample.failed, 1);
  CHECK(faultline_tests::error_code([&] {
          (void)fl::statistics::fit_discriminant(sample.x, sample.labels, sample.failed, strata);
        }) == fl::ErrorCode::degenerate_statistics);
}

TEST_CASE("the omnibus test holds its level: nothing fitted on one split shows on the other") {
  std::int64_t rejected = 0;
  for (std::int64_t trial = 0; trial < 1000; ++trial) {
    const Sample fit = make_sample(20000 + 2 * trial, 300, 10, 2, 0.2);
    const Sample fresh = make_sample(20001 + 2 * trial, 300, 10, 2, 0.2);
    const auto rule = fl::statistics::fit_discriminant(fit.x, fit.labels, fit.failed,
                                                       fl::statistics::count_outcomes(fit.labels, fit.failed, 2));
    if (fl::statistics::test_discriminant(rule, fresh.x, fresh.labels, fresh.failed,
                                          fl::statistics::count_outcomes(fresh.labels, fresh.failed, 2))
            .p <= 0.05)
      ++rejected;
  }
  CHECK(rejected <= most_events(1000, 0.055));  // .005 for the normal approximation; false-fail rate 1e-6
  CHECK(rejected >= fewest_events(1000, 0.045));
}

TEST_CASE("the omnibus test does not see failures on both sides of the middle") {
  // A fifth of the samples fail, and |x0| > 1.28 tells all of them, but no line does: the AUC along x0, the worst one,
  // has a standard deviation of 1 / sqrt(4 * 800) = .018 and along others one of .011. False-fail rate below 1e-6.
  const auto two_sided = [](std::int64_t trial) {
    Sample sample = make_sample(trial, 4000, 8, 2, 0.0);
    for (std::int64_t i = 0; i < 4000; ++i)
      sample.failed[static_cast<std::size_t>(i)] = std::abs(sample.x(i, 0)) > 1.2816 ? 1 : 0;
    return sample;
  };
  const Sample fit = two_sided(84), fresh = two_sided(85);
  const auto rule = fl::statistics::fit_discriminant(fit.x, fit.labels, fit.failed,
                                                     fl::statistics::count_outcomes(fit.labels, fit.failed, 2));
  const fl::statistics::RankTest test = fl::statistics::test_discriminant(
      rule, fresh.x, fresh.labels, fresh.failed, fl::statistics::count_outcomes(fresh.labels, fresh.failed, 2));
  CHECK(std::abs(test.auc - 0.5) < 0.09);
}

TEST_CASE("the Mahalanobis distance has no bias") {
  double null = 0.0;
  double raw = 0.0;
  for (std::int64_t trial = 0; trial < 300; ++trial) {
    const Sample sample = make_sample(30000 + trial, 400, 20, 2, 0.2, 0.2);
    const auto strata = fl::statistics::count_outcomes(sample.labels, sample.failed, 2);
    const auto difference = fl::statistics::stratified_difference(sample.x, sample.labels, sample.failed, strata);
    null += fl::statistics::mahalanobis_squared(difference, strata.effective_failures) / 300.0;
    for (const double value : difference) raw += value * value / 300.0;
  }
  // Truth 20 * .04 = .8; the mean of 300 has a standard deviation of about .03.
  CHECK(std::abs(null - 0.8) < 0.15);
  CHECK(raw > 1.0);
  CHECK(fl::statistics::mahalanobis_squared(std::vector<double>{0.1, 0.1}, 10.0) == 0.0);
  CHECK(fl::statistics::mahalanobis_squared(std::vector<double>{0.1}, 0.0) == 0.0);
}

TEST_CASE("a discriminant without usable classes is zero and tests as nothing") {
  const Sample sample = make_sample(83, 40, 3, 2, 0.0);
  const auto strata = fl::statistics::count_outcomes(sample.labels, sample.failed, 2);
  const auto rule = fl::statistics::fit_discriminant(sample.x, sample.labels, sample.failed, strata);
  CHECK(rule.direction == std::vector<double>(3, 0.0));
  CHECK(fl::statistics::test_discriminant(rule, sample.x, sample.labels, sample.failed, strata).p == 1.0);
  CHECK_THROWS_AS(
      fl::statistics::test_discriminant(rule, fl::Matrix<double>(40, 2), sample.labels, sample.failed, strata),
      fl::Error);
  CHECK_THROWS_AS(fl::statistics::fit_discriminant(fl::Matrix<double>(39, 2), sample.labels, sample.failed, strata),
                  fl::Error);
}
