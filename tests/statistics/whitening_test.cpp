// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/statistics/whitening.hpp>

#include <support/catch2.hpp>

#include <cmath>

namespace fl = faultline;
using namespace faultline_test;

namespace {

/// Correlated w with class means far apart; the last coordinate is a copy of the first, so one eigenvalue is zero.
struct Latents {
  fl::Matrix<float> w;
  std::vector<std::int64_t> labels;
};

Latents make_latents(std::int64_t trial, std::int64_t n) {
  const Sample sample = make_sample(trial, n, 4, 3, 0.3);
  Latents latents{fl::Matrix<float>(n, 5), sample.labels};
  for (std::int64_t i = 0; i < n; ++i) {
    const double c = static_cast<double>(sample.labels[static_cast<std::size_t>(i)]);
    const auto x = sample.x.row_span(i);
    const double w[5] = {2.0 * x[0] + 9.0 * c, x[0] + 0.5 * x[1], 0.3 * x[2] - 4.0 * c, x[3] - x[1],
                         2.0 * x[0] + 9.0 * c};
    for (std::int64_t j = 0; j < 5; ++j) latents.w(i, j) = static_cast<float>(w[j]);
  }
  return latents;
}

}  // namespace

TEST_CASE("whitened coordinates have class means zero and unit within-class covariance") {
  const Latents latents = make_latents(40, 5000);
  const fl::statistics::Whitening white = fl::statistics::fit_whitening(latents.w, latents.labels, 3);
  CHECK(white.dimension() == 5);
  CHECK(white.rank() == 4);  // the copied coordinate adds nothing
  CHECK(white.classes() == 3);
  CHECK(white.dropped_share < 1e-6);
  const auto x = fl::statistics::whiten(white, latents.w, latents.labels);
  for (std::int64_t a = 0; a < 4; ++a) {
    for (std::int64_t c = 0; c < 3; ++c) {
      double mean = 0.0;
      for (std::int64_t i = 0; i < x.rows(); ++i)
        mean += latents.labels[static_cast<std::size_t>(i)] == c ? x(i, a) : 0.0;
      CHECK(std::abs(mean / 5000.0) < 1e-9);
    }
    for (std::int64_t b = 0; b <= a; ++b) {
      double product = 0.0;
      for (std::int64_t i = 0; i < x.rows(); ++i) product += x(i, a) * x(i, b) / (5000.0 - 3.0);
      CHECK(std::abs(product - (a == b ? 1.0 : 0.0)) < 1e-9);
    }
  }
}

TEST_CASE("a unit direction moves its own coordinate by one and nothing orthogonal to it") {
  const Latents latents = make_latents(41, 3000);
  const fl::statistics::Whitening white = fl::statistics::fit_whitening(latents.w, latents.labels, 3);
  fl::Matrix<double> directions(2, 4);
  const double unit[2][4] = {{0.5, -0.5, 0.5, 0.5}, {0.5, 0.5, -0.5, 0.5}};
  for (std::int64_t k = 0; k < 2; ++k) {
    for (std::int64_t j = 0; j < 4; ++j) directions(k, j) = unit[k][j];
  }
  const auto steps = fl::statistics::unwhiten_directions(white, directions);
  const auto back = fl::statistics::whiten_steps(white, steps);
  for (std::int64_t k = 0; k < 2; ++k) {
    for (std::int64_t j = 0; j < 4; ++j) CHECK(back(k, j) == Approx(directions(k, j)).epsilon(1e-9));
  }
  // The step is in distribution: its w-covariance outer product stays below the covariance, i.e. it is a regression of
  // w on v.w~.
  const auto x = fl::statistics::whiten(white, latents.w, latents.labels);
  for (std::int64_t j = 0; j < 5; ++j) {
    double slope = 0.0;
    for (std::int64_t i = 0; i < x.rows(); ++i) {
      double projected = 0.0;
      for (std::int64_t a = 0; a < 4; ++a) projected += x(i, a) * directions(0, a);
      slope += projected * static_cast<double>(latents.w(i, j)) / (3000.0 - 3.0);
    }
    CHECK(slope == Approx(steps(0, j)).epsilon(1e-6).margin(1e-9));
  }
}

TEST_CASE("style channels become directions whose scalar products are within-class correlations") {
  const Latents latents = make_latents(42, 4000);
  const fl::statistics::Whitening white = fl::statistics::fit_whitening(latents.w, latents.labels, 3);
  fl::Matrix<float> a(3, 5);
  const float rows[3][5] = {{1, 0, 0.5F, 0, 0}, {0, 1, 0, -1, 0.25F}, {1, 0, 0, 0, -1}};
  for (std::int64_t k = 0; k < 3; ++k) {
    for (std::int64_t j = 0; j < 5; ++j) a(k, j) = rows[k][j];
  }
  const auto projections = fl::statistics::projection_directions(white, a);
  std::vector<std::vector<double>> s(2);
  for (std::size_t k = 0; k < 2; ++k) {
    std::vector<double> sum(3, 0.0);
    std::vector<double> count(3, 0.0);
    for (std::int64_t i = 0; i < 4000; ++i) {
      double value = 0.0;
      for (std::int64_t j = 0; j < 5; ++j)
        value += static_cast<double>(a(static_cast<std::int64_t>(k), j)) * static_cast<double>(latents.w(i, j));
      s[k].push_back(value);
      sum[static_cast<std::size_t>(latents.labels[static_cast<std::size_t>(i)])] += value;
      count[static_cast<std::size_t>(latents.labels[static_cast<std::size_t>(i)])] += 1.0;
    }
    for (std::size_t i = 0; i < 4000; ++i)
      s[k][i] -= sum[static_cast<std::size_t>(latents.labels[i])] / count[static_cast<std::size_t>(latents.labels[i])];
  }
  double square[2] = {0, 0};
  double product = 0.0;
  for (std::size_t i = 0; i < 4000; ++i) {
    square[0] += s[0][i] * s[0][i];
    square[1] += s[1][i] * s[1][i];
    product += s[0][i] * s[1][i];
  }
  double scalar = 0.0;
  for (std::int64_t j = 0; j < 4; ++j) scalar += projections.directions(0, j) * projections.directions(1, j);
  CHECK(scalar == Approx(product / std::sqrt(square[0] * square[1])).epsilon(1e-6));
  CHECK(projections.deviations[0] == Approx(std::sqrt(square[0] / 3997.0)).epsilon(1e-6));
  CHECK(projections.deviations[2] < 1e-6);  // the difference of equal coordinates does not vary
}

TEST_CASE("a class without samples has the mean of all, and the basis has reproducible signs") {
  const Latents latents = make_latents(43, 500);
  const fl::statistics::Whitening white = fl::statistics::fit_whitening(latents.w, latents.labels, 4);
  double grand = 0.0;
  for (std::int64_t i = 0; i < 500; ++i) grand += static_cast<double>(latents.w(i, 1)) / 500.0;
  CHECK(white.class_means(3, 1) == Approx(grand).epsilon(1e-9));
  for (std::int64_t i = 0; i < white.rank(); ++i) {
    double largest = 0.0;
    for (const double value : white.to_white.row_span(i))
      largest = std::abs(value) > std::abs(largest) ? value : largest;
    CHECK(largest > 0.0);
  }
}

TEST_CASE("whitening refuses what does not vary or does not fit") {
  const Latents latents = make_latents(44, 100);
  CHECK_THROWS_AS(fl::statistics::fit_whitening(fl::Matrix<float>(100, 3, 1.0F), latents.labels, 3), fl::Error);
  CHECK_THROWS_AS(fl::statistics::fit_whitening(latents.w, std::vector<std::int64_t>(99, 0), 3), fl::Error);
  CHECK_THROWS_AS(fl::statistics::fit_whitening(latents.w, latents.labels, 2), fl::Error);
  CHECK_THROWS_AS(fl::statistics::fit_whitening(latents.w, latents.labels, 0), fl::Error);
  CHECK_THROWS_AS(fl::statistics::fit_whitening(fl::Matrix<float>(0, 3), std::vector<std::int64_t>{}, 3), fl::Error);
  const fl::statistics::Whitening white = fl::statistics::fit_whitening(latents.w, latents.labels, 3);
  CHECK_THROWS_AS(fl::statistics::whiten(white, fl::Matrix<float>(100, 4), latents.labels), fl::Error);
  CHECK_THROWS_AS(fl::statistics::whiten(white, latents.w, std::vector<std::int64_t>(100, 3)), fl::Error);
  CHECK_THROWS_AS(fl::statistics::unwhiten_directions(white, fl::Matrix<double>(1, 3)), fl::Error);
  CHECK_THROWS_AS(fl::statistics::whiten_steps(white, fl::Matrix<double>(1, 3)), fl::Error);
  CHECK_THROWS_AS(fl::statistics::projection_directions(white, fl::Matrix<double>(1, 3)), fl::Error);
  CHECK_THROWS_AS(fl::statistics::make_whitening(fl::Matrix<double>(3, 2), fl::Matrix<double>(1, 3)), fl::Error);
}
