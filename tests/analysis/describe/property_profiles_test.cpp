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

TEST_CASE("a profile is the mean over held-out latents whatever their outcome") {
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
    for (std::int64_t i = 0; i < 128; ++i) {
      std::vector<double> x = world::coordinates(setup.latents.index[static_cast<std::size_t>(i)]);
      x[0] += t;
      const auto answers = w.answer(x, setup.latents.label[static_cast<std::size_t>(i)]);
      probability += answers.probability / 128;
      failed += answers.failed ? 1.0 / 128 : 0.0;
      agreed += answers.judge_agrees ? 1.0 / 128 : 0.0;
      size += (100.0 + 7.0 * x[0]) / 128;
    }
    CHECK(profile.probability[g] == Approx(probability).epsilon(1e-5));
    CHECK(profile.failure_share[g] == Approx(failed));
    CHECK(profile.judge_agreement[g] == Approx(agreed));
    CHECK(profile.properties[0][g] == Approx(size).epsilon(1e-5));
    CHECK(profile.properties[3][g] == Approx(0.1).epsilon(1e-5));
  }
  CHECK(profile.sigmas.front() == -4.0);
  CHECK(profile.sigmas.back() == 4.0);
  CHECK(profile.failure_share[4] > 0.0);  // latents that fail unmoved are among them
}

TEST_CASE("strengths are changes in within-class standard deviations") {
  const world::Setup setup = world::build(described());
  const fl::Finding along0 = measured(setup, setup.along(0));
  // An edit of 4 standard deviations in all; the sample's deviations differ from the truth by some percent.
  CHECK(strength(along0, "size") == Approx(4.0).epsilon(0.08));
  CHECK(strength(along0, "tilt") == Approx(4.0 / std::sqrt(2.0)).epsilon(0.08));
  CHECK(strength(along0, "lean") == Approx(0.0).margin(1e-3));
  CHECK(strength(along0, "rest") == 0.0);
  CHECK(along0.side_effects[0].name == "size");
  for (std::size_t i = 1; i < along0.side_effects.size(); ++i)
    CHECK(std::abs(along0.side_effects[i].strength) <= std::abs(along0.side_effects[i - 1].strength));

  const fl::Finding against1 = measured(setup, setup.along(1, -1.0));
  CHECK(strength(against1, "lean") == Approx(-4.0).epsilon(0.08));  // the classes' offsets of 30 do not count
  CHECK(against1.side_effects[0].name == "lean");

  fl::Finding both = setup.along(0);  // x0 and x1 at once: size and lean equally, tilt most
  const fl::Finding other = setup.along(1);
  for (std::size_t j = 0; j < both.direction.w.size(); ++j)
    both.direction.w[j] = (both.direction.w[j] + other.direction.w[j]) / std::sqrt(2.0);
  both = measured(setup, both);
  CHECK(both.side_effects[0].name == "tilt");
  CHECK(std::abs(measured(setup, setup.along(4)).side_effects[0].strength) < 0.01);
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
  for (const std::int64_t label : setup.latents.label) of_class += label == 1 ? 1 : 0;
  CHECK(setup.counts->rows == 128 + 3 * 8 * 128 + 9 * of_class);
  for (const fl::Finding& finding : findings) {
    const fl::Finding alone = measured(setup, finding);
    CHECK(alone.profile.probability == finding.profile.probability);
    CHECK(alone.side_effects == finding.side_effects);
  }
  CHECK(findings[3].profile.probability != findings[0].profile.probability);
  CHECK(findings[0].profile.judge_agreement.empty());
}

TEST_CASE("without properties or latents of the class there are no side effects") {
  world::World bare = described();
  bare.properties = [](std::span<const double>, std::int64_t) { return std::vector<double>{}; };
  bare.property_names = {};
  const world::Setup setup = world::build(bare);
  const fl::Finding finding = measured(setup, setup.along(0));
  CHECK(finding.profile.probability.size() == 9);
  CHECK(finding.profile.properties.empty());
  CHECK(finding.side_effects.empty());

  world::Setup lacking = world::build(described());
  for (std::int64_t& label : lacking.latents.label) label = label == 2 ? 0 : label;
  fl::Finding specific = lacking.along(0);
  specific.direction.class_label = 2;
  specific = measured(lacking, specific);
  CHECK(specific.profile.sigmas.empty());
  CHECK(specific.side_effects.empty());
}

TEST_CASE("the answers that gain and the classes that are hurt are those of the ends") {
  // fails beyond x0 = 1.2; the wrong answer is the next class
  const world::Setup setup = world::build(described());
  fl::Finding finding = setup.along(0);
  finding.condition.shape = fl::analysis::ConditionShape::one_sided;
  finding = measured(setup, finding);
  double gained[3] = {0.0, 0.0, 0.0}, hurt[3] = {0.0, 0.0, 0.0}, latents[3] = {0.0, 0.0, 0.0};
  for (std::size_t i = 0; i < 128; ++i) {
    const double x = world::coordinates(setup.latents.index[i])[0];
    const auto label = static_cast<std::size_t>(setup.latents.label[i]);
    const double change = (x + 2.0 > 1.2 ? 1.0 : 0.0) - (x - 2.0 > 1.2 ? 1.0 : 0.0);
    gained[(label + 1) % 3] += change / 128.0;
    hurt[label] += change;
    latents[label] += 1.0;
  }
  REQUIRE(finding.answers.size() == 3);
  for (const auto& answer : finding.answers)
    CHECK(answer.gain == Approx(gained[static_cast<std::size_t>(answer.answer)]));
  CHECK(finding.answers[0].gain >= finding.answers[1].gain);
  REQUIRE(finding.intervention.classes.size() == 3);
  for (std::size_t c = 0; c < 3; ++c) {
    CHECK(finding.intervention.classes[c].latents == static_cast<std::int64_t>(latents[c]));
    CHECK(finding.intervention.classes[c].effect == Approx(hurt[c] / latents[c]));
  }
  fl::Finding still;  // no direction: nothing to measure
  still = measured(setup, still);
  CHECK(still.profile.sigmas.empty());
}
