// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The smallest joint shift of two causes, against what arithmetic gives where the rule is known.

#include <analysis/findings_world.hpp>

#include <support/catch2.hpp>

#include <faultline/analysis/distance/joint_shift.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace {

namespace fl = faultline;
namespace world = findings_world;

template <class Rule>
world::Setup with_rule(Rule fails, bool judge_reads = true) {
  world::World w{[=](std::span<const double> x, std::int64_t) {
    const bool failed = fails(x[0], x[1]);
    return world::Answers{failed ? 0.1 : 0.9, failed, judge_reads || !failed};
  }};
  w.has_judge = true;
  return world::build(w);
}

fl::analysis::JointShift measured(const world::Setup& setup) {
  const auto joint = fl::analysis::joint_shift(setup.context(), setup.along(0), setup.along(1));
  REQUIRE(joint.has_value());
  return *joint;
}

/// Of 64 start latents, the shifts that are left where both coordinates have to exceed 1.5.
struct Expected {
  std::int64_t need_both = 0;
  std::vector<double> shifts[2];
};
Expected expected(const world::Setup& setup) {
  Expected result;
  std::int64_t latents = 0;
  for (std::int64_t i = 0; latents < 64; ++i) {
    const fl::Population one = setup.problem.sample(fl::core::start_first + i, 1);
    if (one.failed[0] != 0) continue;
    ++latents;
    const auto x = world::coordinates(one.index[0]);
    const double missing[2] = {1.5 - x[0], 1.5 - x[1]};
    if (missing[0] < 0.0 || missing[1] < 0.0) continue;
    ++result.need_both;
    const double start = std::max(missing[0], missing[1]);
    for (int k = 0; k < 2; ++k) {
      double shift = start;
      while (shift / 2.0 > missing[k]) shift /= 2.0;
      result.shifts[k].push_back(shift);
    }
  }
  for (auto& shifts : result.shifts) std::sort(shifts.begin(), shifts.end());
  return result;
}

double middle(const std::vector<double>& sorted) {
  const std::size_t n = sorted.size();
  return 0.5 * (sorted[(n - 1) / 2] + sorted[n / 2]);
}

}  // namespace

TEST_CASE("where both causes are needed, what is left of the shifts can be neither dropped nor halved") {
  const world::Setup setup = with_rule([](double a, double b) { return a > 1.5 && b > 1.5; });
  const fl::analysis::JointShift joint = measured(setup);
  const Expected right = expected(setup);
  CHECK(joint.latents == 64);
  CHECK(joint.failed == 64);
  CHECK(joint.need_both == right.need_both);
  REQUIRE(joint.first.has_value());
  CHECK(*joint.first == Approx(middle(right.shifts[0])).margin(0.02));
  CHECK(*joint.second == Approx(middle(right.shifts[1])).margin(0.02));
}

TEST_CASE("where either cause is enough, none needs both, and what is no longer valid counts for nothing") {
  const fl::analysis::JointShift either = measured(with_rule([](double a, double b) { return a > 1.5 || b > 1.5; }));
  CHECK(either.failed == 64);
  CHECK(either.need_both == 0);
  CHECK_FALSE(either.first.has_value());
  const fl::analysis::JointShift lost =
      measured(with_rule([](double a, double b) { return a > 1.5 && b > 1.5; }, false));
  CHECK(lost.latents == 64);
  CHECK(lost.failed == 0);
  const fl::analysis::JointShift never = measured(with_rule([](double, double b) { return b > 50.0; }));
  CHECK(never.failed == 0);
}

TEST_CASE("causes of different classes have no joint shift, and interactions are filled by the titles of causes") {
  const world::Setup setup = with_rule([](double a, double b) { return a > 1.5 && b > 1.5; });
  std::vector<fl::Finding> causes = {setup.along(0), setup.along(1)};
  causes[0].title = "first";
  causes[1].title = "second";
  std::vector<fl::analysis::InteractionFinding> interactions(2);
  interactions[0].first = "second";
  interactions[0].second = "first";
  interactions[1].first = "first";
  interactions[1].second = "no cause";
  fl::analysis::measure_joint_shifts(setup.context(), causes, interactions);
  REQUIRE(interactions[0].joint.has_value());
  CHECK(interactions[0].joint->failed == 64);
  CHECK_FALSE(interactions[1].joint.has_value());
  causes[0].direction.class_label = 0;
  causes[1].direction.class_label = 1;
  CHECK_FALSE(fl::analysis::joint_shift(setup.context(), causes[0], causes[1]).has_value());
}
