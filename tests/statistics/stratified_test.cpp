// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/statistics/stratified.hpp>

#include <support/catch2.hpp>

#include <cmath>
#include <limits>

namespace fl = faultline;
using namespace faultline_test;

namespace {

struct Group {
  double n = 0, mean = 0, variance = 0;
};

/// Mean and unbiased variance of one class and outcome, by the definition.
Group group_of(const std::vector<double>& values, const Sample& sample, std::int64_t label, bool failed) {
  Group g;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (sample.labels[i] == label && (sample.failed[i] != 0) == failed) {
      g.n += 1;
      g.mean += values[i];
    }
  }
  g.mean /= g.n;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (sample.labels[i] == label && (sample.failed[i] != 0) == failed)
      g.variance += (values[i] - g.mean) * (values[i] - g.mean) / (g.n - 1.0);
  }
  return g;
}

}  // namespace

TEST_CASE("strata count outcomes and weigh classes") {
  const std::vector<std::int64_t> labels{0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2};
  const std::vector<std::uint8_t> failed{1, 1, 0, 0, 1, 0, 0, 1, 1, 1, 0, 0};
  const fl::statistics::Strata strata = fl::statistics::count_outcomes(labels, failed, 4);
  CHECK(strata.failures == std::vector<std::int64_t>{2, 1, 3, 0});
  CHECK(strata.successes == std::vector<std::int64_t>{2, 2, 2, 0});
  CHECK(strata.weights[0] == Approx(1.0));
  CHECK(strata.weights[1] == 0.0);  // one failure: no variance can be estimated
  CHECK(strata.weights[2] == Approx(1.2));
  CHECK(strata.effective_failures == Approx(2.2));
  CHECK(strata.total_failures() == 6);
  CHECK(strata.total() == 12);
  CHECK_FALSE(strata.uses(3));
  CHECK(fl::statistics::samples_for_effective_failures(strata, 22.0) == 120);
  CHECK(fl::statistics::samples_for_effective_failures(fl::statistics::make_strata({0}, {10})) == 0);
  const fl::statistics::Strata one = fl::statistics::only_class(strata, 2);
  CHECK(one.effective_failures == Approx(1.2));
  CHECK_FALSE(one.uses(0));
}

TEST_CASE("stratified difference and Welch statistic equal their definitions") {
  const Sample sample = make_sample(1, 700, 3, 5, 0.2, 0.4);
  const fl::statistics::Strata strata = fl::statistics::count_outcomes(sample.labels, sample.failed, 5);
  const auto difference = fl::statistics::stratified_difference(sample.x, sample.labels, sample.failed, strata);
  for (std::int64_t j = 0; j < 3; ++j) {
    const auto values = column(sample.x, j);
    double numerator = 0.0;
    double variance = 0.0;
    double total = 0.0;
    for (std::int64_t c = 0; c < 5; ++c) {
      const Group mis = group_of(values, sample, c, true);
      const Group well = group_of(values, sample, c, false);
      const double weight = mis.n * well.n / (mis.n + well.n);
      numerator += weight * (mis.mean - well.mean);
      variance += weight * weight * (mis.variance / mis.n + well.variance / well.n);
      total += weight;
    }
    CHECK(difference[static_cast<std::size_t>(j)] == Approx(numerator / total).epsilon(1e-12));
    const fl::statistics::WelchStatistic welch =
        fl::statistics::stratified_welch(values, sample.labels, sample.failed, strata);
    CHECK(welch.difference == Approx(numerator / total).epsilon(1e-12));
    CHECK(welch.standard_error == Approx(std::sqrt(variance) / total).epsilon(1e-12));
    CHECK(welch.t == Approx(numerator / std::sqrt(variance)).epsilon(1e-12));
  }
}

TEST_CASE("a difference between classes alone is no effect") {
  Sample sample = make_sample(2, 4000, 1, 2, 0.05);
  for (std::int64_t i = 0; i < 4000; ++i) {
    // Class 1 lies far away and fails ten times as often: pooled, every coordinate seems to cause failure.
    if (sample.labels[static_cast<std::size_t>(i)] == 1) {
      sample.x(i, 0) += 50.0;
      sample.failed[static_cast<std::size_t>(i)] = i % 2 == 0 ? 1 : 0;
    }
  }
  const fl::statistics::Strata strata = fl::statistics::count_outcomes(sample.labels, sample.failed, 2);
  CHECK(std::abs(fl::statistics::stratified_welch(column(sample.x, 0), sample.labels, sample.failed, strata).t) < 5.0);
}

TEST_CASE("statistics without variation or without usable classes are defined") {
  const std::vector<std::int64_t> labels{0, 0, 0, 0};
  const std::vector<std::uint8_t> failed{1, 1, 0, 0};
  const fl::statistics::Strata strata = fl::statistics::count_outcomes(labels, failed, 1);
  CHECK(fl::statistics::stratified_welch(std::vector<double>{3, 3, 3, 3}, labels, failed, strata).t == 0.0);
  CHECK(fl::statistics::stratified_welch(std::vector<double>{4, 4, 3, 3}, labels, failed, strata).t ==
        std::numeric_limits<double>::infinity());
  const fl::statistics::Strata none = fl::statistics::count_outcomes(labels, std::vector<std::uint8_t>{0, 0, 0, 0}, 1);
  CHECK(none.effective_failures == 0.0);
  CHECK(fl::statistics::stratified_difference(fl::Matrix<double>(4, 2, 1.0), labels, failed, none) ==
        std::vector<double>{0.0, 0.0});
  CHECK(fl::statistics::stratified_welch(std::vector<double>{1, 2, 3, 4}, labels, failed, none).t == 0.0);
}

TEST_CASE("stratified statistics refuse lists that do not fit") {
  const std::vector<std::int64_t> labels{0, 3};
  const std::vector<std::uint8_t> failed{1, 0};
  CHECK_THROWS_AS(fl::statistics::count_outcomes(labels, failed, 3), fl::Error);
  CHECK_THROWS_AS(fl::statistics::count_outcomes(labels, std::vector<std::uint8_t>{1}, 4), fl::Error);
  CHECK_THROWS_AS(fl::statistics::count_outcomes(labels, failed, 0), fl::Error);
  CHECK_THROWS_AS(fl::statistics::make_strata({1}, {1, 2}), fl::Error);
  CHECK_THROWS_AS(fl::statistics::make_strata({-1}, {1}), fl::Error);
  const fl::statistics::Strata strata = fl::statistics::count_outcomes(labels, failed, 4);
  CHECK_THROWS_AS(fl::statistics::only_class(strata, 4), fl::Error);
  CHECK_THROWS_AS(fl::statistics::stratified_difference(fl::Matrix<double>(3, 1), labels, failed, strata), fl::Error);
  CHECK_THROWS_AS(fl::statistics::stratified_welch(std::vector<double>{1.0}, labels, failed, strata), fl::Error);
}
