// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/core/random.hpp>
#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/detail/tsne_steps.hpp>
#include <faultline/statistics/tsne.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <limits>
#include <stdexcept>

namespace fl = faultline;
using faultline_tests::error_code;

namespace {

/// Normal samples in `groups` groups, sample i in group i mod groups; group centres are `away` apart in every
/// coordinate pair.
fl::Matrix<float> groups_of(std::int64_t n, std::int64_t d, std::int64_t groups, double away) {
  fl::Matrix<float> x(n, d);
  for (std::int64_t i = 0; i < n; ++i) {
    fl::core::CounterRandom random(3, fl::core::Stream::subsets, i);
    for (std::int64_t k = 0; k < d; ++k) x(i, k) = static_cast<float>(random.normal() + (k == i % groups ? away : 0.0));
  }
  return x;
}

/// KL(P‖Q) by its definition, with nothing of the code under test.
double divergence(const fl::Matrix<float>& p, const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<std::size_t>(p.rows());
  const auto t = [&](std::size_t i, std::size_t j) {
    return 1.0 / (1.0 + std::pow(x[i] - x[j], 2) + std::pow(y[i] - y[j], 2));
  };
  double z = 0.0, sum = 0.0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) z += i == j ? 0.0 : t(i, j);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      const auto joint = static_cast<double>(p(static_cast<std::int64_t>(i), static_cast<std::int64_t>(j)));
      if (i != j && joint > 0.0) sum += joint * std::log(joint * z / t(i, j));
    }
  return sum;
}

}  // namespace

TEST_CASE("the gradient of a map is that of its divergence") {
  const std::int64_t n = 70;  // more than a tile, and no whole number of them
  fl::Matrix<float> p = fl::statistics::detail::tsne_similarities(groups_of(n, 5, 3, 4.0), 8.0);
  // Float similarities sum to 1 but for their rounding, and the formula of the gradient takes the sum for exactly 1
  double total = 0.0;
  for (const float value : p.values()) total += static_cast<double>(value);
  CHECK(total == Approx(1.0).epsilon(1e-5));
  fl::statistics::detail::TsnePlane plane(n), gradient(n);
  fl::core::CounterRandom random(5, fl::core::Stream::subsets, 0);
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
    plane.x[i] = 2.0 * random.normal(), plane.y[i] = 2.0 * random.normal();
  const double z = fl::statistics::detail::tsne_gradient(p, plane, 1.0, gradient);
  CHECK(fl::statistics::detail::tsne_divergence(p, plane, z) == Approx(divergence(p, plane.x, plane.y)).epsilon(1e-10));
  const double h = 1e-5;
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
    for (const auto& [coordinate, analytic] : {std::pair{&plane.x, &gradient.x}, std::pair{&plane.y, &gradient.y}}) {
      const double value = (*coordinate)[i];
      (*coordinate)[i] = value + h;
      const double above = divergence(p, plane.x, plane.y);
      (*coordinate)[i] = value - h;
      const double below = divergence(p, plane.x, plane.y);
      (*coordinate)[i] = value;
      CHECK((*analytic)[i] == Approx((above - below) / (2 * h)).margin(2e-7).epsilon(1e-5));
    }
}

TEST_CASE("every sample has the perplexity that was asked for") {
  for (const double perplexity : {2.0, 5.0, 30.0}) {
    fl::core::CounterRandom random(7, fl::core::Stream::subsets, 1);
    for (const double scale : {1e-12, 1.0, 1e12}) {
      std::vector<double> row(120);
      // Far away, all about as far: only differences tell
      for (double& value : row) value = scale * (100.0 + std::pow(random.normal(), 2));
      const std::vector<double> distances = row;
      fl::statistics::detail::tsne_neighbours(row, 17, perplexity);
      double entropy = 0.0, sum = 0.0;
      for (const double p : row) sum += p, entropy -= p > 0.0 ? p * std::log(p) : 0.0;
      CHECK(row[17] == 0.0);
      CHECK(sum == Approx(1.0));
      CHECK(std::exp(entropy) == Approx(perplexity).epsilon(1e-6));
      for (std::size_t j = 1; j < row.size(); ++j)
        if (j != 17 && j != 18 && distances[j] < distances[j - 1]) CHECK(row[j] >= row[j - 1]);
    }
  }
  std::vector<double> equal(50, 4.0);  // no width gives fewer than 49 neighbours
  fl::statistics::detail::tsne_neighbours(equal, 0, 5.0);
  CHECK(equal[0] == 0.0);
  CHECK(equal[20] == Approx(1.0 / 49));
}

TEST_CASE("similarities are symmetric and those of a brute-force computation") {
  const fl::Matrix<float> x = groups_of(80, 6, 2, 1.0);
  const fl::Matrix<float> p = fl::statistics::detail::tsne_similarities(x, 10.0);
  fl::Matrix<double> conditional(80, 80);
  for (std::int64_t i = 0; i < 80; ++i) {
    std::vector<double> row(80);
    for (std::int64_t j = 0; j < 80; ++j)
      for (std::int64_t k = 0; k < 6; ++k)
        row[static_cast<std::size_t>(j)] += std::pow(static_cast<double>(x(i, k)) - static_cast<double>(x(j, k)), 2);
    fl::statistics::detail::tsne_neighbours(row, static_cast<std::size_t>(i), 10.0);
    std::copy(row.begin(), row.end(), conditional.row_span(i).begin());
  }
  for (std::int64_t i = 0; i < 80; ++i)
    for (std::int64_t j = 0; j < 80; ++j) {
      CHECK(p(i, j) == p(j, i));
      CHECK(static_cast<double>(p(i, j)) ==
            Approx((conditional(i, j) + conditional(j, i)) / 160.0).epsilon(1e-5).margin(1e-12));
    }
  for (std::int64_t j = 80; j < p.cols(); ++j) CHECK(p(0, j) == 0.0f);
}

TEST_CASE("the start of a map is the principal components") {
  fl::Matrix<float> x(200, 30);
  for (std::int64_t i = 0; i < x.rows(); ++i) {
    fl::core::CounterRandom random(9, fl::core::Stream::subsets, i);
    for (std::int64_t k = 0; k < x.cols(); ++k)
      x(i, k) = static_cast<float>(random.normal() * std::pow(0.7, static_cast<double>(k)) + 3.0);
  }
  const fl::Matrix<double> all = x.cast<double>();
  const fl::Matrix<double> centred = all.rowwise() - all.colwise().mean();
  const auto axes = fl::statistics::detail::symmetric_eigenpairs(centred.transpose() * centred);
  const fl::Matrix<double> scores = fl::statistics::detail::principal_scores(x, 2);
  for (std::int64_t c = 0; c < 2; ++c) {
    std::vector<double> exact = fl::core::to_list(centred * axes.vectors.row(c).transpose());
    fl::statistics::detail::fix_sign(exact);
    for (std::int64_t i = 0; i < 200; ++i)
      CHECK(scores(c, i) == Approx(exact[static_cast<std::size_t>(i)]).margin(1e-6));
  }
}

TEST_CASE("groups that lie apart lie apart on the map") {
  const std::int64_t n = 240, groups = 4;
  const fl::Matrix<float> x = groups_of(n, 10, groups, 12.0);
  const fl::statistics::Embedding map = fl::statistics::embed_tsne(x, {.perplexity = 20, .iterations = 500});
  CHECK(map.divergence > 0.0);
  CHECK(map.divergence < 1.5);
  double centre_x = 0.0, centre_y = 0.0;
  for (std::int64_t i = 0; i < n; ++i) {
    centre_x += map.points(i, 0) / static_cast<double>(n);
    centre_y += map.points(i, 1) / static_cast<double>(n);
    std::vector<std::pair<double, std::int64_t>> others;
    for (std::int64_t j = 0; j < n; ++j)
      if (j != i)
        others.emplace_back(std::hypot(map.points(i, 0) - map.points(j, 0), map.points(i, 1) - map.points(j, 1)), j);
    std::sort(others.begin(), others.end());
    for (std::size_t k = 0; k < 20; ++k) CHECK(others[k].second % groups == i % groups);
  }
  CHECK(centre_x == Approx(0.0).margin(1e-9));
  CHECK(centre_y == Approx(0.0).margin(1e-9));
}

TEST_CASE("more steps make a map that fits better") {
  const fl::Matrix<float> x = groups_of(150, 10, 3, 3.0);
  const auto after = [&](std::int64_t iterations) {
    return fl::statistics::embed_tsne(x, {.perplexity = 15, .iterations = iterations, .exaggerated_iterations = 100})
        .divergence;
  };
  CHECK(after(300) < 0.9 * after(110));
}

TEST_CASE("a map does not depend on the number of threads, and tells how far it is") {
  const fl::Matrix<float> x = groups_of(300, 20, 3, 2.0);
  std::vector<std::int64_t> seen;
  const auto make = [&](std::int64_t threads) {
    return fl::statistics::embed_tsne(
        x, {.iterations = 60, .threads = threads, .progress = [&](const fl::Progress& p) { seen.push_back(p.done); }});
  };
  const fl::statistics::Embedding one = make(1);
  CHECK(seen.size() == 61);
  CHECK(seen.front() == 0);
  CHECK(seen.back() == 60);
  for (const std::int64_t threads : {2, 3, 7, 0}) {
    const fl::statistics::Embedding more = make(threads);
    CHECK(std::equal(one.points.values().begin(), one.points.values().end(), more.points.values().begin()));
    CHECK(one.divergence == more.divergence);
  }
  CHECK_THROWS_AS(fl::statistics::embed_tsne(x, {.iterations = 60,
                                                 .progress =
                                                     [](const fl::Progress& p) {
                                                       if (p.done == 3) throw std::runtime_error("enough");
                                                     }}),
                  std::runtime_error);
}

TEST_CASE("a map refuses what it cannot map") {
  const fl::Matrix<float> x = groups_of(100, 4, 2, 1.0);
  const auto code = [](const fl::Matrix<float>& samples, const fl::statistics::TsneOptions& options) {
    return error_code([&] { (void)fl::statistics::embed_tsne(samples, options); });
  };
  const auto invalid = fl::ErrorCode::invalid_argument;
  CHECK(code(fl::Matrix<float>(5'001, 1), {}) == invalid);
  CHECK(code(groups_of(90, 4, 2, 1.0), {}) == invalid);  // 3 x 30 + 1
  CHECK_FALSE(code(groups_of(91, 4, 2, 1.0), {.iterations = 1}));
  CHECK(code(fl::Matrix<float>(), {}) == invalid);
  CHECK(code(fl::Matrix<float>(100, 0), {}) == invalid);
  for (const double perplexity :
       {1.5, -1.0, 34.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    CHECK(code(x, {.perplexity = perplexity}) == invalid);
  CHECK(code(x, {.iterations = 0}) == invalid);
  CHECK(code(x, {.early_exaggeration = 0.5}) == invalid);
  CHECK(code(x, {.exaggerated_iterations = -1}) == invalid);
  CHECK(code(x, {.learning_rate = -1.0}) == invalid);
  CHECK(code(x, {.threads = -1}) == invalid);
  CHECK(code(fl::Matrix<float>(100, 4, 2.5f), {}) == fl::ErrorCode::degenerate_statistics);
  fl::Matrix<float> broken = x;
  broken(3, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK(code(broken, {}) == invalid);
}

TEST_CASE("repeated samples do not break a map") {
  fl::Matrix<float> x = groups_of(120, 4, 2, 1.0);
  for (std::int64_t i = 1; i < 60; ++i) std::copy(x.row_span(0).begin(), x.row_span(0).end(), x.row_span(i).begin());
  const fl::statistics::Embedding map = fl::statistics::embed_tsne(x, {.perplexity = 10, .iterations = 300});
  for (const double value : map.points.values()) CHECK(std::isfinite(value));
}
