// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/statistics/fast_ica.hpp>
#include <faultline/statistics/whitening.hpp>

#include <support/catch2.hpp>

#include <cmath>

namespace fl = faultline;
using namespace faultline_test;

namespace {

/// Independent sources: `sources` uniform or spiky ones, the others Gaussian; mixed by a random matrix, then whitened.
struct Mixture {
  fl::statistics::Whitening white;
  fl::Matrix<double> whitened;
  fl::Matrix<float> mixing;
};

Mixture make_mixture(std::int64_t n, std::int64_t dimension, std::int64_t sources) {
  Mixture m;
  m.mixing.resize(dimension, dimension);
  for (std::int64_t j = 0; j < dimension; ++j) {
    fl::core::CounterRandom random(71, fl::core::Stream::subsets, j);
    for (float& value : m.mixing.row_span(j)) value = static_cast<float>(random.normal());
  }
  fl::Matrix<float> w(n, dimension);
  for (std::int64_t i = 0; i < n; ++i) {
    fl::core::CounterRandom random(70, fl::core::Stream::subsets, i);
    std::vector<double> s;
    for (std::int64_t k = 0; k < dimension; ++k) {
      const double normal = random.normal();
      const double uniform = random.uniform();
      s.push_back(k >= sources ? normal
                  : k % 2 == 0 ? std::sqrt(12.0) * (uniform - 0.5)
                               : normal * (uniform < 0.15 ? 2.2 : 0.55));
    }
    for (std::int64_t j = 0; j < dimension; ++j) {
      double value = 0.0;
      for (std::int64_t k = 0; k < dimension; ++k)
        value += static_cast<double>(m.mixing(j, k)) * s[static_cast<std::size_t>(k)];
      w(i, j) = static_cast<float>(value);
    }
  }
  const std::vector<std::int64_t> labels(static_cast<std::size_t>(n), 0);
  m.white = fl::statistics::fit_whitening(w, labels, 1, 1e-8);
  m.whitened = fl::statistics::whiten(m.white, w, labels);
  return m;
}

/// Largest |cos| of source k's direction in whitened coordinates with any of the components that stand out.
double best_match(const Mixture& m, const fl::statistics::IndependentComponents& parts, std::int64_t source) {
  fl::Matrix<double> column(1, m.mixing.rows());
  for (std::int64_t j = 0; j < m.mixing.rows(); ++j) column(0, j) = static_cast<double>(m.mixing(j, source));
  const auto truth = fl::statistics::whiten_moves(m.white, column);
  double best = 0.0;
  for (std::int64_t k = 0; k < parts.directions.rows(); ++k) {
    if (std::abs(parts.excess_kurtosis[static_cast<std::size_t>(k)]) < 0.5) continue;
    double product = 0.0;
    double norm = 0.0;
    for (std::int64_t j = 0; j < truth.cols(); ++j) {
      product += truth(0, j) * parts.directions(k, j);
      norm += truth(0, j) * truth(0, j);
    }
    best = std::max(best, std::abs(product) / std::sqrt(norm));
  }
  return best;
}

}  // namespace

TEST_CASE("independent components recover mixed sources among Gaussian ones") {
  const Mixture m = make_mixture(8000, 12, 4);
  const auto parts = fl::statistics::fast_ica(m.whitened);
  CHECK(parts.converged);
  for (std::int64_t source = 0; source < 4; ++source) CHECK(best_match(m, parts, source) > 0.99);
  for (std::size_t k = 0; k < 12; ++k) {
    if (k > 0) CHECK(std::abs(parts.excess_kurtosis[k]) <= std::abs(parts.excess_kurtosis[k - 1]));
    CHECK((std::abs(parts.excess_kurtosis[k]) >= 0.5) == (k < 4));
    CHECK((parts.settled[k] != 0) == (k < 4));
  }
  for (std::int64_t a = 0; a < 12; ++a) {
    for (std::int64_t b = 0; b <= a; ++b) {
      double product = 0.0;
      for (std::int64_t j = 0; j < 12; ++j) product += parts.directions(a, j) * parts.directions(b, j);
      CHECK(std::abs(product - (a == b ? 1.0 : 0.0)) < 1e-9);
    }
  }
  // Same input, same components; another start, the same ones up to what the data leave open.
  CHECK(fl::statistics::fast_ica(m.whitened).directions.values()[5] == parts.directions.values()[5]);
  const auto other = fl::statistics::fast_ica(m.whitened, {.seed = 99});
  for (std::int64_t j = 0; j < 12; ++j) CHECK(std::abs(other.directions(0, j) - parts.directions(0, j)) < 0.02);
}

TEST_CASE("components are found when every source stands out, and when there is one coordinate") {
  const Mixture all = make_mixture(4000, 5, 5);
  const auto parts = fl::statistics::fast_ica(all.whitened);
  CHECK(parts.converged);
  for (std::int64_t source = 0; source < 5; ++source) CHECK(best_match(all, parts, source) > 0.98);
  const Mixture one = make_mixture(500, 1, 1);
  CHECK(fl::statistics::fast_ica(one.whitened).directions(0, 0) == Approx(1.0));
}

TEST_CASE("Gaussian coordinates have no components, and that is no error") {
  const Mixture m = make_mixture(5000, 6, 0);
  const auto parts = fl::statistics::fast_ica(m.whitened);
  CHECK(parts.converged);
  for (const double excess : parts.excess_kurtosis) CHECK(std::abs(excess) < 0.4);
}

TEST_CASE("independent components refuse too few samples") {
  CHECK_THROWS_AS(fl::statistics::fast_ica(fl::Matrix<double>(5, 5)), fl::Error);
  CHECK_THROWS_AS(fl::statistics::fast_ica(fl::Matrix<double>(5, 0)), fl::Error);
  CHECK_THROWS_AS(fl::statistics::fast_ica(fl::Matrix<double>(50, 5, 1.0), {.max_iterations = 0}), fl::Error);
}
