// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <analysis/synthetic_problem.hpp>

#include <support/catch2.hpp>

#include <faultline/analysis/confirm/intervention.hpp>
#include <faultline/analysis/confirm/intervention_directions.hpp>

#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

namespace fl = faultline;

namespace {

/// A candidate along factor j, as if discovery had chosen it.
fl::analysis::FrozenCandidate candidate_along(const synthetic::Setup& setup, const fl::statistics::Whitening& whitening,
                                              std::int64_t j, std::optional<std::int64_t> label = std::nullopt) {
  fl::Matrix<double> reading(1, whitening.dimension());
  for (std::int64_t k = 0; k < whitening.dimension(); ++k) reading(0, k) = setup.model->unmix(j, k);
  const auto directions = fl::statistics::projection_directions(whitening, reading).directions;
  fl::analysis::FrozenCandidate candidate;
  candidate.v.assign(directions.row_span(0).begin(), directions.row_span(0).end());
  candidate.direction.whitened = candidate.v;
  const auto move = fl::statistics::unwhiten_directions(whitening, directions);
  candidate.direction.w.assign(move.values().begin(), move.values().end());
  candidate.class_label = candidate.direction.class_label = label;
  return candidate;
}

struct Prepared {
  synthetic::Setup setup;
  fl::statistics::Whitening whitening;
  fl::Matrix<double> whitened;
  fl::statistics::Strata strata;

  explicit Prepared(const synthetic::World& world) : setup(synthetic::make(world, 2000)) {
    const auto& half = setup.problem.discovery;
    whitening = fl::statistics::fit_whitening(half.w, half.label, setup.problem.classes);
    whitened = fl::statistics::whiten(whitening, half.w, half.label);
    strata = fl::statistics::count_outcomes(half.label, half.failed, setup.problem.classes);
  }
  std::vector<fl::analysis::InterventionEffect> intervene(const std::vector<fl::analysis::FrozenCandidate>& candidates,
                                                          const fl::MethodOptions& options = {}) const {
    std::vector<std::size_t> all;
    for (std::size_t k = 0; k < candidates.size(); ++k) all.push_back(k);
    fl::analysis::HeldOutLatents fresh(setup.problem, 64);
    return fl::analysis::intervene(setup.problem, whitening, whitened, strata, candidates, all, fresh, options);
  }
};

}  // namespace

TEST_CASE("moving a cause changes the failure rate by what the rule says", "[analysis][intervene]") {
  synthetic::World world;
  world.probability = [](const std::vector<double>& u, std::int64_t, std::int64_t) {
    return synthetic::fails_above(u[2] - 1.0);
  };
  const Prepared prepared(world);
  const auto effects = prepared.intervene(
      {candidate_along(prepared.setup, prepared.whitening, 2), candidate_along(prepared.setup, prepared.whitening, 5)});
  // P(u + 2 > 1) - P(u - 2 > 1) = .8413 - .0013; 128 codes have a standard error of .033.
  CHECK(effects[0].contrast == Approx(0.84).margin(0.12));
  CHECK(effects[0].lower < effects[0].contrast);
  CHECK(effects[0].lower > 0.7);
  CHECK(effects[0].placebo < 0.05);  // random directions orthogonal to the factor do not move it
  CHECK(effects[0].repaired_share == Approx(1.0));
  CHECK(effects[0].repaired_placebo < 0.05);
  CHECK(effects[0].repaired_failures == 128);
  CHECK(fl::analysis::is_cause(effects[0], 0.02));
  CHECK(effects[1].contrast == Approx(0.0).margin(0.05));
  CHECK_FALSE(fl::analysis::is_cause(effects[1], 0.02));
}

TEST_CASE("what any large move does cancels", "[analysis][intervene]") {
  // Failure far from the class mean in any direction: moving either way hurts alike.
  synthetic::World world;
  world.probability = [](const std::vector<double>& u, std::int64_t, std::int64_t) {
    double square = 0.0;
    for (const double value : u) square += value * value;
    return synthetic::fails_above(std::sqrt(square) - 3.0);
  };
  const Prepared prepared(world);
  const auto effects = prepared.intervene({candidate_along(prepared.setup, prepared.whitening, 0)});
  CHECK(std::abs(effects[0].contrast) < 0.25);
  CHECK_FALSE(fl::analysis::is_cause(effects[0], 0.02));
}

TEST_CASE("a class-specific direction is moved on codes of its class", "[analysis][intervene]") {
  synthetic::World world;
  world.probability = [](const std::vector<double>& u, std::int64_t label, std::int64_t) {
    return label == 1 ? synthetic::fails_above(u[3] - 0.8) : 0.95;
  };
  Prepared prepared(world);
  std::set<std::int64_t> labels;
  const auto answer = prepared.setup.problem.answer_edits;
  prepared.setup.problem.answer_edits = [&](std::span<const fl::analysis::EditedLatent> edits,
                                            const fl::analysis::WantedAnswers& wanted) {
    for (const fl::analysis::EditedLatent& edited : edits) labels.insert(edited.start.label);
    return answer(edits, wanted);
  };
  const auto effects = prepared.intervene({candidate_along(prepared.setup, prepared.whitening, 3, 1)});
  CHECK(labels == std::set<std::int64_t>{1});
  CHECK(effects[0].codes == 128);
  CHECK(effects[0].contrast > 0.7);
  CHECK(fl::analysis::is_cause(effects[0], 0.02));
}

TEST_CASE("placebo directions are orthogonal to the candidates, and none are made up", "[analysis][intervene]") {
  std::vector<std::vector<double>> basis = {{1, 0, 0, 0}, {0, 0.6, 0.8, 0}};
  const auto off = fl::analysis::placebo_directions(32, 4, basis, 5);
  REQUIRE(off.rows() == 32);
  for (std::int64_t j = 0; j < 32; ++j) {
    CHECK(fl::core::dot(off.row_span(j), off.row_span(j)) == Approx(1.0));
    for (const auto& v : basis) CHECK(fl::core::dot(off.row_span(j), v) == Approx(0.0).margin(1e-12));
  }
  basis.push_back({0, 0.8, -0.6, 0});
  basis.push_back({0, 0, 0, 1});
  CHECK(fl::analysis::placebo_directions(32, 4, basis, 5).rows() == 0);
}

TEST_CASE("an effect of nothing is called a cause in at most 5 % of runs", "[analysis][intervene][null]") {
  // Outcomes by a hash of the code, 20 % failures: 200 runs; Binomial(200, .05) exceeds 22 with probability 3e-4.
  int called = 0;
  for (std::int64_t run = 0; run < 200; ++run) {
    synthetic::World world;
    world.seed = run + 1;
    world.probability = [run](const auto&, std::int64_t, std::int64_t hash) {
      return (hash + 7919 * run) % 1000 < 200 ? 0.2 : 0.8;
    };
    const auto setup = synthetic::make(world, 200, run);
    const auto& half = setup.problem.discovery;
    const auto whitening = fl::statistics::fit_whitening(half.w, half.label, 3);
    const auto whitened = fl::statistics::whiten(whitening, half.w, half.label);
    const auto strata = fl::statistics::count_outcomes(half.label, half.failed, 3);
    fl::analysis::HeldOutLatents fresh(setup.problem, 64);
    const std::vector<fl::analysis::FrozenCandidate> candidates = {candidate_along(setup, whitening, run % 8)};
    const std::vector<std::size_t> confirmed = {0};
    called += fl::analysis::is_cause(fl::analysis::intervene(setup.problem, whitening, whitened, strata, candidates,
                                                             confirmed, fresh, {})[0],
                                     0.02)
                  ? 1
                  : 0;
  }
  CHECK(called <= 22);
}

TEST_CASE("fresh codes are samples from 2^41 on and do not depend on how they were asked for", "[analysis][fresh]") {
  synthetic::World world;
  world.probability = [](const std::vector<double>& u, std::int64_t, std::int64_t) {
    return synthetic::fails_above(u[0] - 0.5);
  };
  const auto setup = synthetic::make(world, 10);
  fl::analysis::HeldOutLatents at_once(setup.problem, 32);
  fl::analysis::HeldOutLatents by_parts(setup.problem, 32);
  const auto failing = at_once.failing(40, 1, 2000);
  (void)by_parts.first(3, std::nullopt, 2000);
  (void)by_parts.passing(20, 2, 2000);
  CHECK(by_parts.failing(40, 1, 2000) == failing);
  REQUIRE(failing.size() == 40);
  for (const std::int64_t i : failing) {
    CHECK(at_once.codes().index[static_cast<std::size_t>(i)] == fl::core::intervention_first + i);
    CHECK(at_once.codes().failed[static_cast<std::size_t>(i)] == 1);
    CHECK(at_once.codes().label[static_cast<std::size_t>(i)] == 1);
  }
  fl::analysis::HeldOutLatents limited(setup.problem, 32);
  CHECK(limited.first(1000, std::nullopt, 64).size() == 64);
  CHECK(limited.codes().w.rows() == 64);
}
