// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <support/catch2.hpp>

#include <faultline/analysis/conditions/detail/forward_selection.hpp>
#include <faultline/core/random.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

namespace fl = faultline;
using fl::DirectionFamily;

namespace {

/// A pool from rows, scaled to length 1.
fl::analysis::detail::CandidatePool pool_of(const std::vector<std::vector<double>>& rows,
                                            const std::vector<DirectionFamily>& families) {
  fl::analysis::detail::CandidatePool pool;
  pool.vectors.resize(static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(rows[0].size()));
  for (std::size_t k = 0; k < rows.size(); ++k) {
    const double norm = std::sqrt(fl::core::dot(rows[k], rows[k]));
    for (std::size_t j = 0; j < rows[k].size(); ++j)
      pool.vectors(static_cast<std::int64_t>(k), static_cast<std::int64_t>(j)) = rows[k][j] / norm;
    pool.source.push_back(static_cast<std::int64_t>(k));
  }
  pool.family = families;
  return pool;
}

/// Differences of permuted outcomes as they would be with n_eff effective failures.
fl::Matrix<double> null_of(std::int64_t rank, double n_eff, std::int64_t replicates = 199) {
  fl::Matrix<double> null(replicates, rank);
  fl::core::CounterRandom random(5, fl::core::Stream::permutations, 0);
  for (double& value : null.values()) value = random.normal() / std::sqrt(n_eff);
  return null;
}

}  // namespace

TEST_CASE("a property is preferred at .7 of the best, then a component, then a channel", "[analysis][selection]") {
  // Effects along the axes are 1, .8, .6 of 1.
  const std::vector<double> difference = {1.0, 0.8, 0.6};
  const auto null = null_of(3, 1000);
  const std::vector<std::vector<double>> axes = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  SECTION("the property reaches .7") {
    const auto pool = pool_of(axes, {DirectionFamily::channel, DirectionFamily::property, DirectionFamily::component});
    const auto chosen = fl::analysis::detail::forward_select(pool, difference, null, {}, {.limit = 1}).chosen;
    REQUIRE(chosen.size() == 1);
    CHECK(chosen[0].candidate == 1);
    CHECK(chosen[0].effect == Approx(0.8));
  }
  SECTION("the property falls short, the component reaches it") {
    const auto pool = pool_of(axes, {DirectionFamily::channel, DirectionFamily::component, DirectionFamily::property});
    CHECK(fl::analysis::detail::forward_select(pool, difference, null, {}, {.limit = 1}).chosen[0].candidate == 1);
  }
  SECTION("neither reaches it") {
    const auto pool = pool_of({{1, 0, 0}, {0, 0, 1}, {0, 0, -1}},
                              {DirectionFamily::channel, DirectionFamily::component, DirectionFamily::property});
    CHECK(fl::analysis::detail::forward_select(pool, difference, null, {}, {.limit = 1}).chosen[0].candidate == 0);
  }
}

TEST_CASE("chosen directions are orthogonal unit vectors that point towards failure", "[analysis][selection]") {
  const std::vector<double> difference = {-0.9, 0.5, 0.3, 0.0};
  const auto pool = pool_of({{1, 0.2, 0, 0}, {1, 0.3, 0, 0}, {0.3, 1, 0.1, 0}, {0, 0.2, 1, 0}, {0, 0, 0, 1}},
                            std::vector<DirectionFamily>(5, DirectionFamily::channel));
  const auto selection = fl::analysis::detail::forward_select(pool, difference, null_of(4, 2000), {}, {});
  // The first two are one direction: the other has too little norm left; the last has no effect
  REQUIRE(selection.chosen.size() == 3);
  for (std::size_t a = 0; a < 3; ++a) {
    CHECK(fl::core::dot(selection.chosen[a].v, difference) == Approx(selection.chosen[a].effect));
    CHECK(selection.chosen[a].effect > 0.0);
    for (std::size_t b = 0; b < 3; ++b)
      CHECK(fl::core::dot(selection.chosen[a].v, selection.chosen[b].v) == Approx(a == b ? 1.0 : 0.0).margin(1e-12));
  }
  double explained = 0.0;
  for (const auto& direction : selection.chosen) explained += direction.effect * direction.effect;
  CHECK(explained == Approx(0.9 * 0.9 + 0.5 * 0.5 + 0.3 * 0.3));  // the three span what the difference lies in
}

TEST_CASE("what the basis explains is not offered again", "[analysis][selection]") {
  const std::vector<double> difference = {1.0, 0.2, 0.0};
  const auto pool =
      pool_of({{1, 0, 0}, {0.98, 0.2, 0}, {0, 1, 0}}, std::vector<DirectionFamily>(3, DirectionFamily::channel));
  const std::vector<std::vector<double>> basis = {{1, 0, 0}};
  const auto chosen = fl::analysis::detail::forward_select(pool, difference, null_of(3, 5000), basis, {}).chosen;
  REQUIRE(chosen.size() == 1);
  CHECK(chosen[0].candidate == 2);
  CHECK(chosen[0].effect == Approx(0.2));
}

TEST_CASE("without an effect the permutation stop lets something through in about 5 % of runs",
          "[analysis][selection]") {
  // 400 runs: Binomial(400, .05) exceeds 38 with probability 1e-4 and falls below 6 with probability 1e-4.
  std::vector<std::vector<double>> rows;
  fl::core::CounterRandom random(9, fl::core::Stream::codes, 0);
  for (int k = 0; k < 60; ++k) {
    rows.emplace_back();
    for (int j = 0; j < 6; ++j) rows.back().push_back(random.normal());
  }
  const auto pool = pool_of(rows, std::vector<DirectionFamily>(60, DirectionFamily::channel));
  const auto null = null_of(6, 300, 999);
  int passed = 0;
  for (int run = 0; run < 400; ++run) {
    std::vector<double> difference(6);
    for (double& value : difference) value = random.normal() / std::sqrt(300.0);
    passed += fl::analysis::detail::forward_select(pool, difference, null, {}, {.limit = 1}).chosen.empty() ? 0 : 1;
  }
  CHECK(passed >= 6);
  CHECK(passed <= 38);
}

TEST_CASE("nothing to choose from is no error", "[analysis][selection]") {
  fl::analysis::detail::CandidatePool empty;
  empty.vectors.resize(0, 3);
  CHECK(
      fl::analysis::detail::forward_select(empty, std::vector<double>{1, 2, 3}, null_of(3, 10), {}, {}).chosen.empty());
  const auto zero = pool_of({{1, 0, 0}}, {DirectionFamily::channel});
  CHECK(
      fl::analysis::detail::forward_select(zero, std::vector<double>{0, 2, 3}, null_of(3, 10), {}, {}).chosen.empty());
}
