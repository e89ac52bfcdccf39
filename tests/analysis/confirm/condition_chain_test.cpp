// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "../../../examples/world_list.hpp"

#include <faultline/analysis/confirm/condition_chain.hpp>

#include <support/catch2.hpp>

#include <stdexcept>
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace fl = faultline;
namespace an = faultline::analysis;

namespace {

worlds::World world_of(const std::string& name) {
  for (worlds::World& world : worlds::all())
    if (world.name == name) return std::move(world);
  throw std::runtime_error("no such world");
}

worlds::Setup drawn(worlds::World world, std::int64_t samples, std::int64_t seed = 3) {
  world.samples = samples;
  worlds::Setup setup = worlds::make(world, seed);
  worlds::draw(setup);
  return setup;
}

constexpr auto light = [](an::EffectOptions effects = {}) {
  return an::ChainOptions{.conditions = {.permutations = 999, .half_samples = 2}, .effects = effects};
};

an::ConditionChain chain_of(const std::string& name, std::int64_t samples, std::int64_t seed = 3) {
  return an::find_causes(drawn(world_of(name), samples, seed).problem, light());
}

}  // namespace

TEST_CASE("a threshold is one cause without which nothing would fail") {
  const an::ConditionChain chain = chain_of("threshold", 4000);
  REQUIRE(chain.conditions.size() == 1);
  const an::ChainedCondition& cause = chain.conditions.front();
  CHECK(cause.condition.properties == std::vector<std::int64_t>{0});
  CHECK(cause.cause);
  CHECK(cause.stability == Approx(1.0));
  CHECK(cause.edit.shape == an::ConditionShape::one_sided);
  CHECK(cause.edit.sign == 1);
  CHECK(cause.effect.decision == fl::statistics::EffectDecision::changes);
  CHECK(cause.effect.lower > cause.effect.min_effect);
  // u0 between −2 and +2 standard deviations around where it is: Φ(−1.5 + 2) − Φ(−1.5 − 2) of them fail more
  CHECK(cause.effect.effect == Approx(0.691).margin(0.15));
  REQUIRE(cause.fraction);
  CHECK(cause.fraction->value > 0.95);
  REQUIRE(chain.fractions.together);
  CHECK(chain.fractions.together->value > 0.95);
  CHECK(chain.together.share > 0.9);
}

TEST_CASE("shapes are said as they are: both ends, a band, a pair, one class") {
  const an::ConditionChain ends = chain_of("two-sided", 4000);
  REQUIRE(ends.conditions.size() == 1);
  CHECK(ends.conditions[0].edit.shape == an::ConditionShape::two_sided);
  CHECK(ends.conditions[0].cause);
  for (const char* name : {"band", "centre"}) {
    const an::ConditionChain band = chain_of(name, 6000);
    REQUIRE(band.conditions.size() == 1);
    CHECK(band.conditions[0].edit.shape == an::ConditionShape::band);
    CHECK(band.conditions[0].cause);
    REQUIRE(band.conditions[0].fraction);
    CHECK(band.conditions[0].fraction->value > 0.9);
  }
  const an::ConditionChain pair = chain_of("XOR", 4000);
  REQUIRE(pair.conditions.size() == 1);
  CHECK(pair.conditions[0].edit.shape == an::ConditionShape::pair);
  CHECK(pair.conditions[0].edit.sign == -1);
  CHECK(pair.conditions[0].cause);
  const an::ConditionChain of_class = chain_of("one class of 10", 8000);
  REQUIRE(of_class.conditions.size() >= 1);
  CHECK(of_class.conditions[0].condition.class_label == std::optional<std::int64_t>(3));
  CHECK(of_class.conditions[0].cause);
}

TEST_CASE("two causes that are needed both repair everything each") {
  const an::ConditionChain chain = chain_of("AND", 6000);
  REQUIRE(chain.conditions.size() == 2);
  for (const an::ChainedCondition& cause : chain.conditions) {
    REQUIRE(cause.fraction);
    CHECK(cause.fraction->value > 0.95);
  }
}

TEST_CASE("errors without a system have no confirmed condition") {
  const an::ConditionChain chain = chain_of("null, random errors", 4000);
  for (const an::ChainedCondition& condition : chain.conditions) CHECK_FALSE(condition.confirmed);
}

TEST_CASE("only samples that are valid take part") {
  worlds::Setup setup = drawn(worlds::all().front(), 3000, 1);
  // nothing that fails is valid: nothing is left to explain
  for (fl::Population* split : {&setup.problem.discovery, &setup.problem.confirmation})
    for (const auto failed : split->failed) split->valid.push_back(failed != 0 ? 0 : 1);
  const an::ConditionChain chain = an::find_causes(setup.problem);
  CHECK(chain.conditions.empty());
  CHECK(chain.failures[0] == 0);
  CHECK(chain.samples[0] == setup.problem.discovery.size() - setup.problem.discovery.failures());
}

TEST_CASE("what counts as an effect is half the rate of failures on valid images among all samples of both splits") {
  const worlds::Setup setup = drawn(world_of("unreadable elsewhere"), 4000);
  const fl::Problem& problem = setup.problem;
  double failures = 0.0;
  for (const fl::Population* split : {&problem.discovery, &problem.confirmation})
    for (std::size_t i = 0; i < split->failed.size(); ++i)
      failures += split->failed[i] != 0 && split->valid[i] != 0 ? 1.0 : 0.0;
  const an::ConditionChain chain = an::find_causes(problem, light());
  REQUIRE(chain.conditions.size() == 1);
  const an::ChainedCondition& cause = chain.conditions.front();
  // an eighth of the images cannot be read and fails: that is the generator's, and no condition
  CHECK(cause.condition.properties == std::vector<std::int64_t>{0});
  CHECK(cause.cause);
  CHECK(cause.effect.min_effect == Approx(std::min(0.025, 0.5 * failures / 8000.0)));
  REQUIRE(cause.fraction);
  CHECK(cause.fraction->value > 0.9);

  const an::ConditionChain of_class = chain_of("one class of 10", 8000);
  REQUIRE(!of_class.conditions.empty());
  CHECK(of_class.conditions.front().effect.min_effect == Approx(0.025));  // a fifth of class 3 fails
}

TEST_CASE("a condition near its least effect may use all images, and no more") {
  // moving u0 from −2 to +2 changes the rate by about as much as counts
  worlds::World world = world_of("threshold");
  world.risk = [](worlds::Factors u, std::int64_t) { return u[0] > 0.0 ? 0.051 : 0.029; };
  const worlds::Setup setup = drawn(world, 20'000);
  const auto effect_with = [&](std::int64_t images) {
    const an::ConditionChain chain = an::find_causes(setup.problem, light({.images = images}));
    REQUIRE(chain.conditions.size() == 1);
    return chain.conditions.front().effect;
  };
  const an::ConditionEffect few = effect_with(2'000), all = effect_with(30'000);
  CHECK(few.decision == fl::statistics::EffectDecision::undecided);
  CHECK(few.needed.value_or(0) > 1'000);
  CHECK(few.latents >= 1'000);
  CHECK(few.latents < 1'000 + 64);
  CHECK(all.decision == fl::statistics::EffectDecision::undecided);
  CHECK(all.latents > 4'096);
  CHECK(2 * all.latents < 30'000 + 128);
}
