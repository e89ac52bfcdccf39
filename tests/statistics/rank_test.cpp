// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/statistics/rank.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace fl = faultline;
using namespace faultline_test;

namespace {

double brute_auc(const std::vector<double>& values, const std::vector<std::uint8_t>& failed) {
  double wins = 0.0;
  double pairs = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = 0; j < values.size(); ++j) {
      if (failed[i] == 0 || failed[j] != 0) continue;
      pairs += 1.0;
      wins += values[i] > values[j] ? 1.0 : values[i] == values[j] ? 0.5 : 0.0;
    }
  }
  return wins / pairs;
}

}  // namespace

TEST_CASE("AUC equals the count of pairs, ties included, and its variance the permutation variance") {
  Sample sample = make_sample(30, 90, 1, 1, 0.3, 0.5);
  for (std::int64_t i = 0; i < 90; ++i) sample.x(i, 0) = std::floor(2.0 * sample.x(i, 0));
  const auto values = column(sample.x, 0);
  CHECK(fl::statistics::rank_auc(values, sample.failed).auc == Approx(brute_auc(values, sample.failed)).epsilon(1e-14));

  // All 10 assignments of two failures among five values with a tie: mean and variance exactly.
  const std::vector<double> small{1, 2, 2, 5, 7};
  double mean = 0.0;
  double square = 0.0;
  double stated = -1.0;
  for (std::size_t a = 0; a < 5; ++a) {
    for (std::size_t b = a + 1; b < 5; ++b) {
      std::vector<std::uint8_t> failed(5, 0);
      failed[a] = failed[b] = 1;
      const fl::statistics::RankTest test = fl::statistics::rank_auc(small, failed);
      mean += test.auc / 10.0;
      square += test.auc * test.auc / 10.0;
      stated = test.standard_error;
    }
  }
  CHECK(mean == Approx(0.5).epsilon(1e-14));
  CHECK(stated * stated == Approx(square - mean * mean).epsilon(1e-12));
}

TEST_CASE("stratified AUC is the weighted mean of class AUCs") {
  const Sample sample = make_sample(31, 300, 1, 3, 0.3, 0.5);
  const auto values = column(sample.x, 0);
  const fl::statistics::Strata strata = fl::statistics::count_outcomes(sample.labels, sample.failed, 3);
  double truth = 0.0;
  for (std::int64_t c = 0; c < 3; ++c) {
    std::vector<double> mine;
    std::vector<std::uint8_t> failed;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (sample.labels[i] != c) continue;
      mine.push_back(values[i]);
      failed.push_back(sample.failed[i]);
    }
    truth += strata.weights[static_cast<std::size_t>(c)] / strata.effective_failures * brute_auc(mine, failed);
  }
  CHECK(fl::statistics::stratified_auc(values, sample.labels, sample.failed, strata).auc ==
        Approx(truth).epsilon(1e-13));
}

TEST_CASE("AUC of separated, constant and one-sided values") {
  const std::vector<std::uint8_t> failed{0, 0, 1, 1};
  CHECK(fl::statistics::rank_auc(std::vector<double>{1, 2, 3, 4}, failed).auc == 1.0);
  CHECK(fl::statistics::rank_auc(std::vector<double>{4, 3, 2, 1}, failed).auc == 0.0);
  const fl::statistics::RankTest constant = fl::statistics::rank_auc(std::vector<double>{1, 1, 1, 1}, failed);
  CHECK(constant.auc == 0.5);
  CHECK(constant.p == 1.0);
  const fl::statistics::RankTest one_sided =
      fl::statistics::rank_auc(std::vector<double>{1, 2}, std::vector<std::uint8_t>{1, 1});
  CHECK(one_sided.auc == 0.5);
  CHECK(one_sided.p == 1.0);
}

TEST_CASE("the stratified rank test holds its level under the null") {
  // 4 000 null populations of about 50 effective failures at .05, skewed values with ties; .06 is granted to the normal
  // approximation; false-fail rate 1e-6.
  std::int64_t rejected = 0;
  for (std::int64_t trial = 0; trial < 4000; ++trial) {
    Sample sample = make_sample(7000 + trial, 400, 1, 4, 0.11);
    auto values = column(sample.x, 0);
    for (double& value : values) value = std::floor(4.0 * std::exp(value));
    const fl::statistics::Strata strata = fl::statistics::count_outcomes(sample.labels, sample.failed, 4);
    if (fl::statistics::stratified_auc(values, sample.labels, sample.failed, strata).p <= 0.05) ++rejected;
  }
  CHECK(rejected <= most_events(4000, 0.06));
  CHECK(rejected >= fewest_events(4000, 0.04));
}

TEST_CASE("rank statistics refuse NaN and lists that do not fit") {
  const std::vector<std::uint8_t> failed{0, 1};
  const std::vector<std::int64_t> labels{0, 0};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(fl::statistics::rank_auc(std::vector<double>{1, nan}, failed), fl::Error);
  CHECK_THROWS_AS(fl::statistics::rank_auc(std::vector<double>{1}, failed), fl::Error);
  CHECK_THROWS_AS(fl::statistics::stratified_auc(std::vector<double>{1, nan}, labels, failed,
                                                 fl::statistics::make_strata({2}, {2})),
                  fl::Error);
  CHECK_THROWS_AS(
      fl::statistics::stratified_auc(std::vector<double>{1}, labels, failed, fl::statistics::make_strata({2}, {2})),
      fl::Error);
}
