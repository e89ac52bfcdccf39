// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Profiles and names of directions against worlds whose properties are written down.

#include <analysis/findings_world.hpp>

#include <support/catch2.hpp>

#include <faultline/analysis/describe/property_profiles.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace {

namespace fl = faultline;
namespace world = findings_world;

std::string name_of(std::vector<fl::analysis::PropertyEffect> effects) {
  return fl::analysis::name_direction(effects).name;
}

/// x0 decides; "size" is x0 in other units, "tilt" mixes x0 and x1, "lean" is x1 with a class offset, "rest" never
/// changes.
world::World described() {
  world::World w{[](std::span<const double> x, std::int64_t label) {
    return world::Answers{world::logistic(2.0 * (1.0 - x[0])), x[0] > 1.2, x[0] < (label == 2 ? 1.0 : 3.0)};
  }};
  w.properties = [](std::span<const double> x, std::int64_t label) {
    return std::vector<double>{100.0 + 7.0 * x[0], x[0] + x[1], x[1] + 30.0 * static_cast<double>(label), 0.1};
  };
  w.property_names = {"size", "tilt", "lean", "rest"};
  return w;
}

fl::Finding measured(const world::Setup& setup, fl::Finding finding) {
  fl::analysis::measure_profiles(setup.context(), std::span<fl::Finding>(&finding, 1));
  return finding;
}

double strength(const fl::Finding& finding, const std::string& name) {
  for (const fl::analysis::PropertyEffect& effect : finding.side_effects)
    if (effect.name == name) return effect.strength;
  return std::nan("");
}

}  // namespace

TEST_CASE("the naming rule") {
  CHECK(name_of({{"blur", 2.0}, {"noise level", -0.4}}) == "blur");
  CHECK(name_of({{"blur", -2.0}, {"noise level", 1.6}}) == "blur");
  CHECK(name_of({{"blur", -2.0}, {"noise level", 1.7}}) == "mixed: blur + noise level");
  CHECK(name_of({{"blur", 0.5}, {"noise level", 0.4}}) == "blur");
  CHECK(name_of({{"blur", 0.49}, {"noise level", 0.1}}).empty());
  CHECK(name_of({{"blur", 0.6}, {"noise level", 0.49}}) == "mixed: blur + noise level");
  CHECK(name_of({{"blur", 0.6}}) == "blur");
  CHECK(name_of({}).empty());
  CHECK(fl::analysis::name_direction(std::vector<fl::analysis::PropertyEffect>{{"blur", -2.0}, {"contrast", 1.9}})
            .strength == -2.0);
}

TEST_CASE("a profile is the mean over fresh codes whatever their outcome") {
  world::World w = described();
  w.has_judge = true;
  const world::Setup setup = world::build(w);
  const fl::Finding finding = measured(setup, setup.along(0));
  const fl::analysis::Profile& profile = finding.profile;
  REQUIRE(profile.sigmas.size() == 9);
  REQUIRE(profile.properties.size() == 4);
  for (std::size_t g = 0; g < 9; ++g) {
    const double t = profile.sigmas[g];
    double probability = 0.0, failed = 0.0, agreed = 0.0, size = 0.0;
    for (std::int64_t i = 0; i < 64; ++i) {
      std::vector<double> x = world::coordinates(setup.codes.index[static_cast<std::size_t>(i)]);
      x[0] += t;
      const auto answers = w.answer(x, setup.codes.label[static_cast<std::size_t>(i)]);
      probability += answers.probability / 64;
      failed += answers.failed ? 1.0 / 64 : 0.0;
      agreed += answers.judge_agrees ? 1.0 / 64 : 0.0;
      size += (100.0 + 7.0 * x[0]) / 64;
    }
    CHECK(profile.probability[g] == Approx(probability).epsilon(1e-5));
    CHECK(profile.failure_share[g] == Approx(failed));
    CHECK(profile.judge_agreement[g] == Approx(agreed));
    CHECK(profile.properties[0][g] == Approx(size).epsilon(1e-5));
    CHECK(profile.properties[3][g] == Approx(0.1).epsilon(1e-5));
  }
  CHECK(profile.sigmas.front() == -4.0);
  CHECK(profile.sigmas.back() == 4.0);
  CHECK(profile.failure_share[4] > 0.0);  // codes that fail unmoved are among them
}

TEST_CASE("strengths are changes in within-class standard deviations") {
  const world::Setup setup = world::build(described());
  const fl::Finding along0 = measured(setup, setup.along(0));
  // A move of 4 standard deviations in all; the sample's deviations differ from the truth by some percent.
  CHECK(strength(along0, "size") == Approx(4.0).epsilon(0.08));
  CHECK(strength(along0, "tilt") == Approx(4.0 / std::sqrt(2.0)).epsilon(0.08));
  CHECK(strength(along0, "lean") == Approx(0.0).margin(1e-3));
  CHECK(strength(along0, "rest") == 0.0);
  CHECK(along0.property.name == "size");
  CHECK(along0.property.strength == along0.side_effects[0].strength);
  for (std::size_t i = 1; i < along0.side_effects.size(); ++i)
    CHECK(std::abs(along0.side_effects[i].strength) <= std::abs(along0.side_effects[i - 1].strength));

  const fl::Finding against1 = measured(setup, setup.along(1, -1.0));
  CHECK(strength(against1, "lean") == Approx(-4.0).epsilon(0.08));  // the classes' offsets of 30 do not count
  CHECK(against1.property.name == "lean");
  CHECK(against1.property.strength < 0.0);

  fl::Finding both = setup.along(0);  // x0 and x1 at once: size and lean equally, tilt most
  const fl::Finding other = setup.along(1);
  for (std::size_t j = 0; j < both.direction.w.size(); ++j)
    both.direction.w[j] = (both.direction.w[j] + other.direction.w[j]) / std::sqrt(2.0);
  both = measured(setup, both);
  CHECK(both.side_effects[0].name == "tilt");
  CHECK(both.property.name == "tilt");  // 4 against 4 / sqrt(2)
  CHECK(measured(setup, setup.along(4)).property.name.empty());
}

TEST_CASE("directions measured together share the unmoved images") {
  const world::Setup setup = world::build(described());
  std::vector<fl::Finding> findings = {setup.along(0), setup.along(1), setup.along(2)};
  fl::Finding specific = setup.along(0);
  specific.direction.class_label = 1;
  findings.push_back(specific);
  *setup.counts = {};
  fl::analysis::measure_profiles(setup.context(), findings);
  std::int64_t of_class = 0;
  for (const std::int64_t label : setup.codes.label) of_class += label == 1 ? 1 : 0;
  of_class = std::min<std::int64_t>(of_class, 64);
  CHECK(setup.counts->rows == 64 + 3 * 8 * 64 + 9 * of_class);
  for (const fl::Finding& finding : findings) {
    const fl::Finding alone = measured(setup, finding);
    CHECK(alone.profile.probability == finding.profile.probability);
    CHECK(alone.property.name == finding.property.name);
  }
  CHECK(findings[3].profile.probability != findings[0].profile.probability);
  CHECK(findings[0].profile.judge_agreement.empty());
}

TEST_CASE("without properties or codes of the class there is no name") {
  world::World bare = described();
  bare.properties = [](std::span<const double>, std::int64_t) { return std::vector<double>{}; };
  bare.property_names = {};
  const world::Setup setup = world::build(bare);
  const fl::Finding finding = measured(setup, setup.along(0));
  CHECK(finding.profile.probability.size() == 9);
  CHECK(finding.profile.properties.empty());
  CHECK(finding.side_effects.empty());
  CHECK(finding.property.name.empty());

  world::Setup lacking = world::build(described());
  for (std::int64_t& label : lacking.codes.label) label = label == 2 ? 0 : label;
  fl::Finding specific = lacking.along(0);
  specific.direction.class_label = 2;
  specific = measured(lacking, specific);
  CHECK(specific.profile.sigmas.empty());
  CHECK(specific.property.name.empty());
}
