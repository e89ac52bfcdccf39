// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Global or class-specific: planted effects in all classes or in one are told apart, and nothing is seen where there is
// nothing.

#include <support/catch2.hpp>

#include <analysis/synthetic_problem.hpp>
#include <faultline/analysis/analyze.hpp>
#include <faultline/analysis/rank/class_split.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace {

namespace fl = faultline;

/// Failure where factor 0 exceeds 1, in all classes or in class 1 alone; the other classes fail at random, in as many
/// cases.
synthetic::World world(bool everywhere) {
  synthetic::World world;
  world.classes = 4;
  world.probability = [everywhere](const std::vector<double>& u, std::int64_t label, std::int64_t hash) {
    if (everywhere || label == 1) return synthetic::fails_above(u[0] - 1.0);
    return hash % 1000 < 159 ? 0.1 : 0.9;
  };
  return world;
}

std::vector<double> factor_values(const synthetic::Setup& setup, const fl::Population& population, std::size_t factor) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < population.size(); ++i)
    values.push_back(setup.factors(population.w.row_span(i), population.label[static_cast<std::size_t>(i)])[factor]);
  return values;
}

fl::analysis::ClassSplit split_of(const synthetic::Setup& setup, std::size_t factor, std::int64_t seed = 1) {
  const fl::Population& population = setup.problem.confirmation;
  return fl::analysis::split_by_class(
      factor_values(setup, population, factor), population.label, population.failed,
      fl::statistics::count_outcomes(population.label, population.failed, setup.problem.classes), seed);
}

}  // namespace

TEST_CASE("an effect common to all classes has a share near one") {
  const auto setup = synthetic::make(world(true), 6000);
  const fl::analysis::ClassSplit split = split_of(setup, 0);
  REQUIRE(split.common_share);
  CHECK(*split.common_share > 0.99);
  CHECK(split.lower > 0.97);
  CHECK(split.p > 0.001);
  REQUIRE(split.classes.size() == 4);
  // Failures have E(u | u > 1) = 1.525, successes −.288.
  CHECK(split.common == Approx(1.813).margin(0.05));
  for (const fl::analysis::ClassEffect& effect : split.classes)
    CHECK(std::abs(effect.effect - 1.813) < 5.0 * effect.standard_error);
  const fl::Population& population = setup.problem.confirmation;
  const auto values = factor_values(setup, population, 0);
  CHECK(split.common ==
        Approx(fl::statistics::stratified_welch(values, population.label, population.failed,
                                                fl::statistics::count_outcomes(population.label, population.failed, 4))
                   .difference));
}

TEST_CASE("an effect in one class has the share of that class's weight") {
  const auto setup = synthetic::make(world(false), 6000);
  const fl::statistics::Strata strata =
      fl::statistics::count_outcomes(setup.problem.confirmation.label, setup.problem.confirmation.failed, 4);
  const fl::analysis::ClassSplit split = split_of(setup, 0);
  REQUIRE(split.common_share);
  const double weight = strata.weights[1] / strata.effective_failures;
  CHECK(*split.common_share == Approx(weight).margin(0.05));
  CHECK(split.lower <= weight);
  CHECK(split.upper >= weight);
  CHECK(split.upper < 0.5);
  CHECK(split.p < 1e-6);
  CHECK(split.classes[1].effect == Approx(1.813).margin(0.15));
  CHECK(split.specific == Approx(1.813 * std::sqrt(weight * (1.0 - weight))).margin(0.08));
}

TEST_CASE("a coordinate that has nothing to do with failure shows no difference between classes at the stated rate") {
  // 420 null coordinates: 60 draws, 7 factors each. Expected 5 %, standard error 1.1 %; false-fail rate below 1e-4.
  int rejected = 0, runs = 0;
  for (std::int64_t seed = 1; seed <= 60; ++seed) {
    const auto setup = synthetic::make(world(true), 800, seed);
    for (std::size_t factor = 1; factor < 8; ++factor, ++runs) rejected += split_of(setup, factor).p <= 0.05 ? 1 : 0;
  }
  const double level = static_cast<double>(rejected) / runs;
  INFO(level << " of " << runs);
  CHECK(level <= 0.06 + 4.0 * std::sqrt(0.06 * 0.94 / runs));
  CHECK(level >= 0.04 - 4.0 * std::sqrt(0.04 * 0.96 / runs));
}

TEST_CASE(
    "classes without two failures and two successes are left out of a split and listed as skipped in the rankings") {
  synthetic::World one = world(true);
  one.probability = [](const std::vector<double>& u, std::int64_t label, std::int64_t) {
    return label == 0 ? 0.9 : label == 3 ? 0.1 : synthetic::fails_above(u[0] - 1.0);
  };
  const auto setup = synthetic::make(one, 1500);
  const fl::analysis::ClassSplit split = split_of(setup, 0);
  REQUIRE(split.classes.size() == 2);
  CHECK(split.classes[0].class_label == 1);
  CHECK(split.classes[1].class_label == 2);
  const auto rankings = fl::analysis::rank_per_class(setup.problem, setup.problem.discovery);
  REQUIRE(rankings.size() == 4);
  for (std::int64_t c = 0; c < 4; ++c) {
    const fl::analysis::ClassRanking& ranking = rankings[static_cast<std::size_t>(c)];
    CHECK(ranking.class_label == c);
    CHECK(ranking.skipped == (c == 0 || c == 3));
    CHECK(ranking.top.size() == (ranking.skipped ? 0 : 10));
    CHECK(ranking.failures + ranking.successes > 0);
  }
  CHECK(rankings[1].top[0].channel.flat == 0);
  CHECK(rankings[1].top[0].sign == 1);

  one.probability = [](const std::vector<double>& u, std::int64_t label, std::int64_t) {
    return label != 2 ? 0.9 : synthetic::fails_above(u[0] - 1.0);
  };
  const auto single = synthetic::make(one, 1500);
  const fl::analysis::ClassSplit alone = split_of(single, 0);
  CHECK(alone.classes.size() == 1);
  CHECK_FALSE(alone.common_share);
  CHECK(alone.p == 1.0);
}

TEST_CASE("a ranking per class is the difference of the class's means over the pooled deviation") {
  const auto setup = synthetic::make(world(false), 1200);
  const fl::Population& population = setup.problem.discovery;
  const auto rankings = fl::analysis::rank_per_class(setup.problem, population, setup.problem.style_matrix.rows());
  for (const fl::analysis::ClassRanking& ranking : rankings)
    for (const fl::analysis::ClassChannel& channel : ranking.top) {
      double within = 0.0;
      std::vector<double> sum(8, 0.0), count(8, 0.0), styles;
      for (std::int64_t i = 0; i < population.size(); ++i) {
        double s = 1.0;
        for (std::int64_t j = 0; j < population.w.cols(); ++j)
          s += setup.problem.style_matrix(channel.channel.flat, j) * static_cast<double>(population.w(i, j));
        const auto g = static_cast<std::size_t>(2 * population.label[static_cast<std::size_t>(i)] +
                                                population.failed[static_cast<std::size_t>(i)]);
        sum[g] += styles.emplace_back(s);
        count[g] += 1.0;
      }
      for (std::int64_t i = 0; i < population.size(); ++i) {
        const auto c = static_cast<std::size_t>(population.label[static_cast<std::size_t>(i)]);
        const double off =
            styles[static_cast<std::size_t>(i)] - (sum[2 * c] + sum[2 * c + 1]) / (count[2 * c] + count[2 * c + 1]);
        within += off * off / static_cast<double>(population.size() - 4);
      }
      const auto c = static_cast<std::size_t>(ranking.class_label);
      CHECK(channel.effect ==
            Approx((sum[2 * c + 1] / count[2 * c + 1] - sum[2 * c] / count[2 * c]) / std::sqrt(within)).margin(1e-9));
      CHECK(channel.sign == (channel.effect < 0.0 ? -1 : 1));
    }
  for (const fl::analysis::ClassRanking& ranking : rankings)
    for (std::size_t i = 1; i < ranking.top.size(); ++i)
      CHECK(std::abs(ranking.top[i - 1].effect) >= std::abs(ranking.top[i].effect));
}

TEST_CASE(
    "a report says of every finding and of the paper's channels how common they are, and what moving does to each "
    "class") {
  const auto common = fl::analysis::analyze(synthetic::make(world(true), 3000).problem,
                                            {.permutations = 999, .half_samples = 2, .fraction_latents = 512});
  REQUIRE_FALSE(common.findings.empty());
  const fl::Finding& finding = common.findings.front();
  REQUIRE(finding.class_split.common_share);
  CHECK(*finding.class_split.common_share > 0.95);
  CHECK(finding.class_split.common > 1.0);
  std::int64_t latents = 0;
  REQUIRE(finding.intervention.classes.size() == 4);
  for (const fl::analysis::ClassInterventionEffect& part : finding.intervention.classes) {
    latents += part.latents;
    CHECK(part.effect > 0.4);
  }
  CHECK(latents == 128);
  REQUIRE(common.class_rankings.size() == 4);
  for (const fl::analysis::RankedChannel& row : common.paper_top) CHECK(row.class_split.classes.size() == 4);
  CHECK(*common.paper_top[0].class_split.common_share > 0.9);
  CHECK(common.paper_top[0].class_split.common == Approx(common.paper_top[0].stratified).margin(0.15));

  const auto specific = fl::analysis::analyze(synthetic::make(world(false), 3000).problem,
                                              {.permutations = 999, .half_samples = 2, .fraction_latents = 512});
  REQUIRE_FALSE(specific.paper_top.empty());
  REQUIRE(specific.paper_top.front().class_split.common_share);
  CHECK(specific.paper_top.front().class_split.upper < 0.9);
  CHECK(specific.paper_top.front().class_split.p < 1e-3);
}

TEST_CASE("a split refuses labels that do not fit") {
  const std::vector<double> values = {1, 2, 3, 4};
  const std::vector<std::int64_t> labels = {0, 0, 1, 7};
  const std::vector<std::uint8_t> failed = {0, 1, 0, 1};
  const fl::statistics::Strata strata = fl::statistics::make_strata({1, 1}, {1, 1});
  try {
    (void)fl::analysis::split_by_class(values, labels, failed, strata, 0);
    FAIL("nothing was thrown");
  } catch (const fl::Error& error) {
    CHECK(error.code() == fl::ErrorCode::label_out_of_range);
  }
  CHECK_THROWS_AS(fl::analysis::split_by_class(std::span(values).first(3), labels, failed, strata, 0), fl::Error);
}
