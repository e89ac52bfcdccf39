// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/error.hpp>
#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/distributions.hpp>
#include <faultline/statistics/logistic_regression.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace fl = faultline;
namespace st = faultline::statistics;
using namespace faultline_test;

namespace {

/// The same model by another route: class dummies among the columns, Newton's method on the whole gradient and Hessian,
/// written out.
std::vector<double> dense_fit(const fl::Matrix<double>& x, const std::vector<std::int64_t>& labels,
                              const std::vector<std::uint8_t>& failed, std::int64_t classes, double ridge,
                              double pseudo) {
  const std::int64_t p = classes + x.cols();
  double rate = 0.5;
  for (const std::uint8_t f : failed) rate += f;
  rate /= static_cast<double>(failed.size()) + 1.0;
  Eigen::VectorXd beta = Eigen::VectorXd::Zero(p);
  beta.head(classes).setConstant(std::log(rate / (1.0 - rate)));
  for (int step = 0; step < 200; ++step) {
    Eigen::VectorXd gradient = Eigen::VectorXd::Zero(p);
    Eigen::MatrixXd hessian = Eigen::MatrixXd::Zero(p, p);
    for (std::int64_t i = 0; i < x.rows(); ++i) {
      Eigen::VectorXd row = Eigen::VectorXd::Zero(p);
      row[labels[static_cast<std::size_t>(i)]] = 1.0;
      row.tail(x.cols()) = x.row(i).transpose();
      const double q = 1.0 / (1.0 + std::exp(-row.dot(beta)));
      gradient += row * (static_cast<double>(failed[static_cast<std::size_t>(i)]) - q);
      hessian += q * (1.0 - q) * row * row.transpose();
    }
    for (std::int64_t c = 0; c < classes; ++c) {
      const double q = 1.0 / (1.0 + std::exp(-beta[c]));
      gradient[c] += pseudo * (rate - q);
      hessian(c, c) += pseudo * q * (1.0 - q);
    }
    for (std::int64_t j = classes; j < p; ++j) {
      gradient[j] -= ridge * beta[j];
      hessian(j, j) += ridge;
    }
    const Eigen::VectorXd change = hessian.ldlt().solve(gradient);
    beta += change;
    if (change.norm() < 1e-13) break;
  }
  return fl::core::to_list(beta);
}

/// Failures that follow the first column.
Sample logistic_sample(std::int64_t trial, std::int64_t n, std::int64_t dimension, std::int64_t classes) {
  Sample sample = make_sample(trial, n, dimension, classes, 0.2);
  for (std::int64_t i = 0; i < n; ++i) {
    fl::core::CounterRandom random(12, fl::core::Stream::subsets, i);
    const auto c = static_cast<double>(sample.labels[static_cast<std::size_t>(i)]);
    const double q = 1.0 / (1.0 + std::exp(2.0 - 0.3 * c - 1.2 * sample.x(i, 0)));
    sample.failed[static_cast<std::size_t>(i)] = random.uniform() < q ? 1 : 0;
  }
  return sample;
}

/// Sorted by class, as the score tests want it.
Sample sorted(const Sample& sample) {
  std::vector<std::size_t> order(sample.labels.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return sample.labels[a] < sample.labels[b]; });
  Sample result{{}, {}, fl::Matrix<double>(sample.x.rows(), sample.x.cols())};
  for (std::size_t i = 0; i < order.size(); ++i) {
    result.labels.push_back(sample.labels[order[i]]);
    result.failed.push_back(sample.failed[order[i]]);
    result.x.row(static_cast<std::int64_t>(i)) = sample.x.row(static_cast<std::int64_t>(order[i]));
  }
  return result;
}

}  // namespace

TEST_CASE("the penalised regression equals a dense Newton solution with class dummies to 1e-6") {
  const Sample sample = logistic_sample(1, 700, 4, 5);
  const st::LogisticFit fit = st::fit_logistic(sample.x, sample.labels, sample.failed, 5, {.tolerance = 1e-14});
  const std::vector<double> dense = dense_fit(sample.x, sample.labels, sample.failed, 5, 0.2, 0.5);
  REQUIRE(fit.converged);
  for (std::size_t c = 0; c < 5; ++c) CHECK(fit.intercepts[c] == Approx(dense[c]).margin(1e-6));
  for (std::size_t j = 0; j < 4; ++j) CHECK(fit.coefficients[j] == Approx(dense[5 + j]).margin(1e-6));
  const auto predictor = st::linear_predictor(fit, sample.x, sample.labels);
  double deviance = 0.0;
  for (const double d : st::deviances(predictor, sample.failed)) deviance += d;
  CHECK(fit.deviance == Approx(deviance));
  for (std::size_t i = 0; i < predictor.size(); ++i)
    CHECK(fit.probability[i] == Approx(1.0 / (1.0 + std::exp(-predictor[i]))));
}

TEST_CASE("the penalised regression equals scikit-learn's") {
  // LogisticRegression(C = 1 / ridge, solver = "newton-cholesky", tol = 1e-14) of scikit-learn 1.9.1 on the numbers
  // below.
  std::uint64_t state = 42;
  const auto next = [&] {
    state = (1103515245 * state + 12345) % 2147483648;
    return static_cast<double>(state) / 2147483648.0;
  };
  fl::Matrix<double> x(200, 3);
  std::vector<std::uint8_t> failed;
  for (std::int64_t i = 0; i < 200; ++i) {
    for (std::int64_t j = 0; j < 3; ++j) x(i, j) = 2.0 * next() - 1.0;
    const double q = 1.0 / (1.0 + std::exp(1.0 - 2.0 * x(i, 0) + 1.5 * x(i, 1)));
    failed.push_back(next() < q ? 1 : 0);
  }
  REQUIRE(std::count(failed.begin(), failed.end(), 1) == 58);
  const std::vector<std::int64_t> labels(200, 0);
  struct Expected {
    double ridge, intercept, coefficients[3];
  };
  for (const Expected& expected :
       {Expected{0.2, -1.3252664281191042, {2.1866334315683438, -1.2201074249271207, -0.14372223432372058}},
        Expected{5.0, -1.0926810412751917, {1.3462124971695608, -0.7488394011334862, -0.05616473838533522}}}) {
    const st::LogisticFit fit =
        st::fit_logistic(x, labels, failed, 1, {.ridge = expected.ridge, .tolerance = 1e-14, .pseudo_samples = 1e-9});
    CHECK(fit.intercepts[0] == Approx(expected.intercept).margin(1e-6));
    for (std::size_t j = 0; j < 3; ++j) CHECK(fit.coefficients[j] == Approx(expected.coefficients[j]).margin(1e-6));
  }
}

TEST_CASE("a warm start with fewer columns ends at the same fit") {
  const Sample sample = logistic_sample(2, 900, 3, 2);
  const fl::Matrix<double> first = sample.x.leftCols(1);
  const st::LogisticFit small = st::fit_logistic(first, sample.labels, sample.failed, 2);
  const st::LogisticFit cold = st::fit_logistic(sample.x, sample.labels, sample.failed, 2, {.tolerance = 1e-14});
  const st::LogisticFit warm =
      st::fit_logistic(sample.x, sample.labels, sample.failed, 2, {.tolerance = 1e-14}, &small);
  for (std::size_t j = 0; j < 3; ++j) CHECK(warm.coefficients[j] == Approx(cold.coefficients[j]).margin(1e-7));
}

TEST_CASE("perfect separation, classes without failures and constant columns have a finite fit") {
  Sample sample = make_sample(3, 400, 2, 4, 0.0);
  for (std::int64_t i = 0; i < 400; ++i) {
    const auto at = static_cast<std::size_t>(i);
    sample.failed[at] = sample.labels[at] != 3 && sample.x(i, 0) > 0.5 ? 1 : 0;  // class 3 never fails
    sample.x(i, 1) = 7.0;
  }
  const st::LogisticFit fit = st::fit_logistic(sample.x, sample.labels, sample.failed, 4);
  CHECK(fit.converged);
  for (const double value : fit.coefficients) CHECK(std::isfinite(value));
  for (const double value : fit.intercepts) CHECK(std::isfinite(value));
  CHECK(fit.coefficients[0] > 1.0);
  CHECK(fit.deviance < 120.0);
}

TEST_CASE("the regression refuses what it cannot fit") {
  const Sample sample = make_sample(4, 20, 2, 2, 0.3);
  fl::Matrix<double> broken = sample.x;
  broken(3, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(st::fit_logistic(broken, sample.labels, sample.failed, 2), fl::Error);
  CHECK_THROWS_AS(st::fit_logistic(sample.x, sample.labels, sample.failed, 1), fl::Error);
  CHECK_THROWS_AS(st::fit_logistic(sample.x, sample.labels, sample.failed, 2, {.ridge = 0.0}), fl::Error);
  CHECK_THROWS_AS(st::fit_logistic(fl::Matrix<double>(0, 2), {}, {}, 2), fl::Error);
  const std::vector<std::int64_t> unsorted{0, 1, 0};
  const std::vector<std::uint8_t> failed{0, 1, 1};
  const st::LogisticFit fit = st::fit_logistic(fl::Matrix<double>(3, 1), unsorted, failed, 2);
  CHECK_THROWS_AS(st::ScoreScreen(fit, fl::Matrix<double>(3, 1), unsorted, failed, 2), fl::Error);
}

TEST_CASE("the score test forecasts what a column gains, in all classes and in one") {
  const Sample sample = sorted(logistic_sample(5, 3000, 3, 3));
  const fl::Matrix<double> base = sample.x.middleCols(1, 1), more = sample.x.leftCols(1);
  const st::LogisticFit fit = st::fit_logistic(base, sample.labels, sample.failed, 3);
  const st::ScoreScreen screen(fit, base, sample.labels, sample.failed, 3);
  const auto sums = screen.sums(more);
  const st::ScoreTest all = screen.test(sums);
  fl::Matrix<double> both(3000, 2);
  both.leftCols(1) = base;
  both.rightCols(1) = more;
  const double gained = fit.deviance - st::fit_logistic(both, sample.labels, sample.failed, 3).deviance;
  CHECK(all.statistic == Approx(gained).epsilon(0.1));
  CHECK(all.p < 1e-20);
  // of one class alone: the same as a column that is zero elsewhere
  fl::Matrix<double> of_class = more;
  for (std::int64_t i = 0; i < 3000; ++i)
    if (sample.labels[static_cast<std::size_t>(i)] != 1) of_class(i, 0) = 0.0;
  CHECK(screen.test(sums[1]).statistic == Approx(screen.test(screen.sums(of_class)).statistic).epsilon(1e-9));
  // what the model has adds nothing
  CHECK(screen.test(screen.sums(base)).p > 0.9);
}

TEST_CASE("score tests of columns that add nothing reject as often as they say") {
  // false alarm of this test: 1e-6
  std::int64_t rejected = 0;
  constexpr std::int64_t runs = 2000;
  for (std::int64_t run = 0; run < runs; ++run) {
    Sample sample = sorted(make_sample(1000 + run, 400, 4, 3, 0.15));
    const fl::Matrix<double> base = sample.x.leftCols(1), more = sample.x.rightCols(3);
    const st::LogisticFit fit = st::fit_logistic(base, sample.labels, sample.failed, 3);
    const st::ScoreScreen screen(fit, base, sample.labels, sample.failed, 3);
    rejected += screen.test(screen.sums(more)).p <= 0.05 ? 1 : 0;
  }
  CHECK(rejected <= most_events(runs, 0.055));
  CHECK(rejected >= fewest_events(runs, 0.04));
}
