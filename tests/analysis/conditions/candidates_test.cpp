// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which properties become candidate directions: those that may, and what else is measured does not bend them.

#include <support/catch2.hpp>

#include <analysis/synthetic_problem.hpp>
#include <faultline/analysis/analyze.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace {

namespace fl = faultline;

/// Failure where factor 0 exceeds 1; property j reads factor j.
synthetic::Setup setup_with(std::int64_t properties, std::vector<std::uint8_t> candidates) {
  synthetic::World world;
  world.properties = properties;
  world.probability = [](const std::vector<double>& u, std::int64_t, std::int64_t) {
    return synthetic::fails_above(u[0] - 1.0);
  };
  auto setup = synthetic::make(world, 2500);
  setup.problem.property_candidates = std::move(candidates);
  return setup;
}

constexpr std::int64_t permutations = 199;

}  // namespace

TEST_CASE("a property that is no candidate names and is measured, and changes no direction") {
  const fl::MethodOptions options{.permutations_discovery = permutations, .permutations_confirmation = 999};
  const fl::FailureReport two = fl::analysis::analyze(setup_with(2, {}).problem, options);
  const fl::FailureReport more = fl::analysis::analyze(setup_with(4, {1, 1, 0, 0}).problem, options);
  REQUIRE(more.property_r2.size() == 4);
  for (const double r2 : more.property_r2) CHECK(r2 > 0.8);
  REQUIRE(two.property_distances.size() == 4);
  REQUIRE(more.property_distances.size() == 4);
  REQUIRE_FALSE(two.findings.empty());
  REQUIRE(more.findings.size() == two.findings.size());
  for (std::size_t i = 0; i < two.findings.size(); ++i) {
    CHECK(more.findings[i].direction.name == two.findings[i].direction.name);
    CHECK(more.findings[i].direction.w == two.findings[i].direction.w);
    CHECK(more.findings[i].intervention.contrast == two.findings[i].intervention.contrast);
    CHECK(more.findings[i].side_effects.size() == 4);
  }
  CHECK(two.findings[0].property.name == "property 0");

  // Without the candidate that fits, the same cause is found as something else and still named by the property.
  const fl::FailureReport named = fl::analysis::analyze(setup_with(2, {0, 1}).problem, options);
  REQUIRE_FALSE(named.findings.empty());
  CHECK(named.findings[0].direction.family != fl::DirectionFamily::property);
  CHECK(named.findings[0].property.name == "property 0");
  for (const fl::analysis::PropertyDistance& distance : named.property_distances) CHECK(distance.name == "property 1");
}

TEST_CASE("no candidate at all, or a list that does not fit") {
  const fl::MethodOptions options{.permutations_discovery = permutations, .permutations_confirmation = 999};
  CHECK(fl::analysis::analyze(setup_with(2, {0, 0}).problem, options).property_distances.empty());
  try {
    (void)fl::analysis::analyze(setup_with(2, {1}).problem, options);
    FAIL("nothing was thrown");
  } catch (const fl::Error& error) {
    CHECK(error.code() == fl::ErrorCode::shape_mismatch);
  }
}
