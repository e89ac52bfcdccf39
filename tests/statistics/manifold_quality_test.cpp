// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/error.hpp>
#include <faultline/statistics/manifold_quality.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace fl = faultline;
using namespace faultline_test;

namespace {

fl::Matrix<double> cloud(std::int64_t trial, std::int64_t n, std::int64_t features, double shift = 0.0) {
  fl::Matrix<double> points = make_sample(trial, n, features, 1, 0.0).x;
  for (double& value : points.values()) value += shift;
  return points;
}

/// Rows first .. first + count - 1.
fl::Matrix<double> part(const fl::Matrix<double>& points, std::int64_t first, std::int64_t count) {
  fl::Matrix<double> rows(count, points.cols());
  std::copy_n(points.data() + first * points.cols(), count * points.cols(), rows.data());
  return rows;
}

double squared(const fl::Matrix<double>& a, std::int64_t i, const fl::Matrix<double>& b, std::int64_t j) {
  double sum = 0.0;
  for (std::int64_t f = 0; f < a.cols(); ++f) sum += (a(i, f) - b(j, f)) * (a(i, f) - b(j, f));
  return sum;
}

std::vector<double> radii(const fl::Matrix<double>& points, std::int64_t k) {
  std::vector<double> result;
  for (std::int64_t i = 0; i < points.rows(); ++i) {
    std::vector<double> all;
    for (std::int64_t j = 0; j < points.rows(); ++j)
      if (i != j) all.push_back(squared(points, i, points, j));
    std::sort(all.begin(), all.end());
    result.push_back(all[static_cast<std::size_t>(k - 1)]);
  }
  return result;
}

/// The definitions, one sentence each.
fl::statistics::ManifoldQuality by_definition(const fl::Matrix<double>& real, const fl::Matrix<double>& generated,
                                              std::int64_t k, std::int64_t coverage_k) {
  const auto real_k = radii(real, k), real_c = radii(real, coverage_k), generated_k = radii(generated, k);
  fl::statistics::ManifoldQuality quality;
  const auto n = static_cast<double>(real.rows()), m = static_cast<double>(generated.rows());
  for (std::int64_t j = 0; j < generated.rows(); ++j) {
    bool inside = false;
    for (std::int64_t i = 0; i < real.rows(); ++i) {
      const double d = squared(real, i, generated, j);
      inside = inside || d <= real_k[static_cast<std::size_t>(i)];
      if (d <= real_c[static_cast<std::size_t>(i)]) quality.density += 1.0 / (static_cast<double>(coverage_k) * m);
    }
    if (inside) quality.precision += 1.0 / m;
  }
  for (std::int64_t i = 0; i < real.rows(); ++i) {
    bool reached = false, covered = false;
    for (std::int64_t j = 0; j < generated.rows(); ++j) {
      const double d = squared(real, i, generated, j);
      reached = reached || d <= generated_k[static_cast<std::size_t>(j)];
      covered = covered || d <= real_c[static_cast<std::size_t>(i)];
    }
    if (reached) quality.recall += 1.0 / n;
    if (covered) quality.coverage += 1.0 / n;
  }
  return quality;
}

void check_equal(const fl::statistics::ManifoldQuality& a, const fl::statistics::ManifoldQuality& b) {
  CHECK(a.precision == Approx(b.precision).margin(1e-12));
  CHECK(a.recall == Approx(b.recall).margin(1e-12));
  CHECK(a.density == Approx(b.density).margin(1e-12));
  CHECK(a.coverage == Approx(b.coverage).margin(1e-12));
}

fl::ErrorCode code_of(const auto& function) {
  try {
    function();
  } catch (const fl::Error& error) {
    return error.code();
  }
  return fl::ErrorCode{0};
}

}  // namespace

TEST_CASE("manifold quality equals its definition, whatever the blocks and threads") {
  // 300 and 2100 vectors: more than one block of rows and of columns; shifted and stretched so that no number is 0 or
  // 1.
  const fl::Matrix<double> real = cloud(60, 300, 5), generated = cloud(61, 2100, 5, 1.0), small = cloud(62, 40, 5, 0.7);
  const fl::statistics::ManifoldQuality expected = by_definition(real, generated, 3, 5);
  for (const double value : {expected.precision, expected.recall, expected.coverage}) {
    CHECK(value > 0.05);
    CHECK(value < 0.95);
  }
  check_equal(fl::statistics::manifold_quality(real, generated), expected);
  check_equal(fl::statistics::manifold_quality(real, generated, {.threads = 1}), expected);
  check_equal(fl::statistics::manifold_quality(real, generated, {.threads = 7}), expected);
  check_equal(fl::statistics::manifold_quality(generated, real, {.neighbours = 1, .coverage_neighbours = 9}),
              by_definition(generated, real, 1, 9));
  check_equal(fl::statistics::manifold_quality(real, small, {.neighbours = 8, .coverage_neighbours = 2}),
              by_definition(real, small, 8, 2));
}

TEST_CASE("near neighbours are exact where the scalar products have no digits left") {
  // Points 1e-4 apart, a million away from the origin: |a|² - 2 ab + |b|² is off by 1e-3, the squared distances are
  // 1e-8.
  fl::Matrix<double> points = cloud(63, 200, 4);
  for (double& value : points.values()) value = 1e6 + 1e-4 * value;
  const auto expected = radii(points, 5);
  const fl::Matrix<double> found = fl::statistics::neighbour_distances(points, {5});
  for (std::int64_t i = 0; i < points.rows(); ++i) REQUIRE(found(i, 0) == expected[static_cast<std::size_t>(i)]);
  check_equal(fl::statistics::manifold_quality(part(points, 0, 100), part(points, 100, 100)),
              by_definition(part(points, 0, 100), part(points, 100, 100), 3, 5));
}

TEST_CASE("equal sets cover each other, also when vectors repeat, and distant sets do not touch") {
  fl::Matrix<double> points = cloud(64, 150, 6);
  // Eight equal vectors: balls of radius zero
  for (std::int64_t i = 1; i < 8; ++i) std::copy_n(points.data(), 6, points.data() + i * 6);
  const fl::statistics::ManifoldQuality same = fl::statistics::manifold_quality(points, points);
  CHECK(same.precision == 1.0);
  CHECK(same.recall == 1.0);
  CHECK(same.coverage == 1.0);
  CHECK(same.density > 1.0);  // every ball holds its centre and its five neighbours
  const fl::statistics::ManifoldQuality apart = fl::statistics::manifold_quality(points, cloud(65, 150, 6, 100.0));
  check_equal(apart, {});
}

TEST_CASE("a generator that knows one of two equal clusters is precise and recalls half") {
  fl::Matrix<double> real(400, 3);
  const fl::Matrix<double> first = cloud(66, 200, 3), second = cloud(67, 200, 3, 50.0);
  std::copy_n(first.data(), 600, real.data());
  std::copy_n(second.data(), 600, real.data() + 600);
  const fl::statistics::ManifoldQuality half = fl::statistics::manifold_quality(real, first);
  CHECK(half.precision == 1.0);
  CHECK(half.recall == 0.5);
  CHECK(half.coverage == 0.5);
  const fl::statistics::ManifoldQuality mirrored = fl::statistics::manifold_quality(first, real);
  CHECK(mirrored.precision == 0.5);
  CHECK(mirrored.recall == 1.0);
  CHECK(mirrored.coverage == 1.0);
}

TEST_CASE("one outlier inflates recall but not coverage") {
  // Generated: a tight cluster and one vector far off, whose neighbours are all far: its ball swallows every real
  // vector.
  const fl::Matrix<double> real = cloud(68, 200, 3);
  fl::Matrix<double> generated = cloud(69, 200, 3, 30.0);
  for (std::int64_t f = 0; f < 3; ++f) generated(0, f) = -40.0;
  const fl::statistics::ManifoldQuality quality = fl::statistics::manifold_quality(real, generated);
  CHECK(quality.recall == 1.0);
  CHECK(quality.coverage == 0.0);
}

TEST_CASE("manifold quality refuses what it cannot compare") {
  const fl::Matrix<double> points = cloud(70, 20, 3);
  using fl::ErrorCode;
  CHECK(code_of([&] { (void)fl::statistics::manifold_quality(points, cloud(71, 20, 4)); }) ==
        ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)fl::statistics::manifold_quality(part(points, 0, 5), points); }) == ErrorCode::empty_input);
  CHECK(code_of([&] { (void)fl::statistics::manifold_quality(points, part(points, 0, 3)); }) == ErrorCode::empty_input);
  CHECK(code_of([&] { (void)fl::statistics::manifold_quality(points, points, {.neighbours = 0}); }) ==
        ErrorCode::invalid_argument);
  CHECK(code_of([&] { (void)fl::statistics::manifold_quality(points, points, {.threads = -1}); }) ==
        ErrorCode::invalid_argument);
  CHECK(code_of([&] { (void)fl::statistics::neighbour_distances(points, {}); }) == ErrorCode::invalid_argument);
  fl::Matrix<double> broken = points;
  broken(3, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK(code_of([&] { (void)fl::statistics::manifold_quality(broken, points); }) == ErrorCode::invalid_argument);
}

TEST_CASE("two samples of one distribution have the density and coverage that theory gives them") {
  // For n real and n generated vectors of any one continuous distribution a generated vector lies in a real ball with
  // probability k / n, so density has mean 1; a real ball is empty when the k nearest of the 2 n - 1 other vectors are
  // all real. Means over 400 pairs, bound five standard errors: fails falsely once in a million.
  constexpr std::int64_t trials = 400, n = 40, k = 5;
  double empty = 1.0;
  for (std::int64_t i = 0; i < k; ++i) empty *= static_cast<double>(n - 1 - i) / static_cast<double>(2 * n - 1 - i);
  std::vector<double> density, coverage;
  for (std::int64_t trial = 0; trial < trials; ++trial) {
    const fl::statistics::ManifoldQuality quality = fl::statistics::manifold_quality(
        cloud(1000 + 2 * trial, n, 6), cloud(1001 + 2 * trial, n, 6), {.coverage_neighbours = k, .threads = 1});
    density.push_back(quality.density);
    coverage.push_back(quality.coverage);
  }
  const auto check = [](const std::vector<double>& values, double expected) {
    double mean = 0.0, square = 0.0;
    for (const double v : values) mean += v / static_cast<double>(values.size());
    for (const double v : values) square += (v - mean) * (v - mean) / static_cast<double>(values.size() - 1);
    const double error = std::sqrt(square / static_cast<double>(values.size()));
    CHECK(error < 0.02);
    CHECK(std::abs(mean - expected) < 5.0 * error);
  };
  check(density, 1.0);
  check(coverage, 1.0 - empty);
}
