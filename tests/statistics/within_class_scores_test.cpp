// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/error.hpp>
#include <faultline/statistics/distributions.hpp>
#include <faultline/statistics/within_class_scores.hpp>

#include <support/catch2.hpp>

#include <limits>
#include <vector>

namespace st = faultline::statistics;

TEST_CASE("normal scores are those of the ranks within each class, ties share their mean rank") {
  const std::vector<double> values{10.0, 30.0, 20.0, 5.0, 5.0, 7.0};
  const std::vector<std::int64_t> labels{0, 0, 0, 1, 1, 1};
  const auto scores = st::within_class_scores(values, labels, 2);
  CHECK(scores[0] == Approx(st::normal_quantile(0.5 / 3.0)));
  CHECK(scores[2] == Approx(0.0).margin(1e-12));
  CHECK(scores[1] == Approx(st::normal_quantile(2.5 / 3.0)));
  CHECK(scores[3] == scores[4]);
  CHECK(scores[3] == Approx(st::normal_quantile(1.0 / 3.0)));
  CHECK(scores[5] == Approx(st::normal_quantile(2.5 / 3.0)));
}

TEST_CASE("normal scores do not see units, outliers or differences between classes") {
  std::vector<double> values, other;
  std::vector<std::int64_t> labels;
  for (int i = 0; i < 40; ++i) {
    values.push_back((i * 17) % 40);
    labels.push_back(i % 3);
    other.push_back(std::exp(values.back()) + 1e6 * static_cast<double>(i % 3));
  }
  CHECK(st::within_class_scores(values, labels, 3) == st::within_class_scores(other, labels, 3));
}

TEST_CASE("a class of equal values has scores of zero, and an empty class is no error") {
  const std::vector<double> values{4.0, 4.0, 4.0};
  const std::vector<std::int64_t> labels{1, 1, 1};
  for (const double score : st::within_class_scores(values, labels, 3)) CHECK(score == Approx(0.0).margin(1e-12));
}

TEST_CASE("normal scores refuse what has no rank") {
  const std::vector<double> values{1.0, std::numeric_limits<double>::quiet_NaN()};
  const std::vector<std::int64_t> labels{0, 0}, short_labels{0}, foreign{0, 2};
  CHECK_THROWS_AS(st::within_class_scores(values, labels, 1), faultline::Error);
  CHECK_THROWS_AS(st::within_class_scores(std::vector{1.0, 2.0}, short_labels, 1), faultline::Error);
  CHECK_THROWS_AS(st::within_class_scores(std::vector{1.0, 2.0}, foreign, 2), faultline::Error);
}
