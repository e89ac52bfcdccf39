// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The judge's part: agreement at the flip, the bar below which a finding is the generator's, and what leaks between
// classes unmoved.

#include <analysis/findings_world.hpp>

#include <support/catch2.hpp>

#include <faultline/analysis/distance/threshold.hpp>
#include <faultline/analysis/distance/validity.hpp>

#include <cstdint>
#include <vector>

namespace {

namespace fl = faultline;
namespace world = findings_world;

/// Fails beyond x0 = 1.5; the judge gives up beyond `lost` or where x1 exceeds `odd`.
world::World judged(double lost, double odd) {
  world::World w{[=](std::span<const double> x, std::int64_t) {
    return world::Answers{world::logistic(4.0 * (1.5 - x[0])), x[0] > 1.5, x[0] < lost && x[1] < odd};
  }};
  w.has_judge = true;
  return w;
}

fl::Finding measured(const world::Setup& setup, std::int64_t coordinate) {
  fl::Finding finding = setup.along(coordinate);
  fl::analysis::measure_thresholds(setup.context(), std::span<fl::Finding>(&finding, 1));
  return finding;
}

}  // namespace

TEST_CASE("agreement is a share with a bar at nine tenths") {
  const std::vector<std::uint8_t> nine = {1, 1, 1, 1, 0, 1, 1, 1, 1, 1};
  CHECK(fl::analysis::validity_of(nine).judge_agreement == Approx(0.9));
  CHECK_FALSE(fl::analysis::validity_of(nine).generator_suspect);
  const std::vector<std::uint8_t> eight = {1, 1, 1, 1, 0, 1, 0, 1, 1, 1};
  CHECK(fl::analysis::validity_of(eight).generator_suspect);
  CHECK_FALSE(fl::analysis::validity_of({}).judge_agreement);
  CHECK_FALSE(fl::analysis::validity_of({}).generator_suspect);
}

TEST_CASE("a judge that still sees the label at the flip clears the finding") {
  const world::Setup setup = world::build(judged(3.0, 100.0));
  const fl::Finding finding = measured(setup, 0);
  REQUIRE(finding.validity.judge_agreement);
  CHECK(*finding.validity.judge_agreement == 1.0);
  CHECK_FALSE(finding.validity.generator_suspect);
}

TEST_CASE("a judge that gives up before the flip makes the generator suspect") {
  const world::Setup setup = world::build(judged(1.0, 100.0));
  const fl::Finding finding = measured(setup, 0);
  REQUIRE(finding.validity.judge_agreement);
  CHECK(*finding.validity.judge_agreement == 0.0);
  CHECK(finding.validity.generator_suspect);
}

TEST_CASE("agreement counts flipped images only") {
  const world::Setup setup = world::build(judged(3.0, 1.0));  // P(x1 > 1) = .159
  const fl::Finding finding = measured(setup, 0);
  std::int64_t agrees = 0, codes = 0;
  for (std::int64_t i = 0; codes < 64; ++i) {
    const fl::Population one = setup.problem.sample(fl::analysis::start_latents_first + i, 1);
    if (one.failed[0] != 0) continue;
    ++codes;
    agrees += world::coordinates(one.index[0])[1] < 1.0 ? 1 : 0;
  }
  REQUIRE(finding.validity.judge_agreement);
  CHECK(*finding.validity.judge_agreement == Approx(static_cast<double>(agrees) / 64.0));
  CHECK_FALSE(measured(setup, 3).validity.judge_agreement);  // nothing flips, nothing to judge
}

TEST_CASE("class leak is what the judge denies of unmoved images") {
  const world::Setup setup = world::build(judged(100.0, 1.0));
  double denied = 0.0;
  for (const std::int64_t index : setup.codes.index) denied += world::coordinates(index)[1] < 1.0 ? 0.0 : 1.0;
  REQUIRE(fl::analysis::measure_class_leak(setup.context()));
  CHECK(*fl::analysis::measure_class_leak(setup.context()) == Approx(denied / static_cast<double>(setup.codes.size())));
  world::World without = judged(1.0, 1.0);
  without.has_judge = false;
  CHECK_FALSE(fl::analysis::measure_class_leak(world::build(without).context()));
}
