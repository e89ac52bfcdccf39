// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "synthetic_problem.hpp"

#include <support/catch2.hpp>

#include <faultline/analysis/analyze.hpp>
#include <faultline/analysis/confirm/detectable.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace fl = faultline;

namespace {

/// Fewer permutations and latents than by default, for speed; p-values then have a floor of 1/1000.
fl::MethodOptions quick() {
  fl::MethodOptions options;
  options.permutations = 999;
  options.half_samples = 4;
  options.fraction_latents = 512;
  options.placebo_directions = 8;
  options.properties.clear();
  options.property_distances = false;
  return options;
}

/// Every list of a report.
std::vector<const std::vector<fl::Finding>*> lists_of(const fl::FailureReport& report) {
  return {&report.findings, &report.associated, &report.undecided, &report.not_movable, &report.generators};
}

}  // namespace

TEST_CASE("a cause that no property measures is found as a direction, with its channel, sign, fraction and distance",
          "[analysis][analyze]") {
  synthetic::World world;
  world.probability = [](const std::vector<double>& u, std::int64_t, std::int64_t) {
    return synthetic::fails_above(u[1] - 1.2);
  };
  const auto setup = synthetic::make(world, 3000);
  const auto report = fl::analysis::analyze(setup.problem, quick());

  CHECK(report.verdict == fl::Verdict::systematic_causes);
  CHECK(report.failure_rate.n == 6000);
  CHECK(report.failure_rate.estimate == Approx(0.115).margin(0.015));
  CHECK_FALSE(report.validity_checked);
  CHECK_FALSE(report.blame);
  REQUIRE(report.findings.size() == 1);
  const fl::Finding& first = report.findings.front();
  CHECK(first.condition.kind == fl::ConditionKind::direction);
  CHECK(first.condition.movability == fl::analysis::Movability::movable);
  CHECK(first.condition.deviance_share.estimate > 0.8);
  CHECK(first.condition.stability == 1.0);
  CHECK(first.title == "unnamed direction 1");
  CHECK(first.channel.flat == 1);
  CHECK(first.sign == 1);
  CHECK(setup.along(first.direction.w, 1) == Approx(1.0).margin(0.06));
  CHECK(first.confirmation.p <= first.confirmation.p_adjusted);
  CHECK(first.confirmation.p_adjusted <= 0.05);
  CHECK(first.intervention.decision == fl::Decision::changes);
  CHECK(first.intervention.latents >= 128);
  CHECK(first.intervention.effect > 0.5);
  CHECK(first.intervention.lower > first.intervention.min_effect);
  REQUIRE(first.intervention.placebo);
  CHECK(*first.intervention.placebo < 0.1);  // random directions off it do nothing but by chance
  CHECK(first.attributable.fraction > 0.95);
  CHECK(first.attributable.latents == 512);
  CHECK(report.attributable_together.fraction == first.attributable.fraction);
  REQUIRE(first.threshold.flip);
  CHECK(first.threshold.flip->sigmas > 0.8);
  CHECK(first.threshold.flip->sigmas < 2.0);
  REQUIRE(report.explained);
  REQUIRE(report.ceiling);
  CHECK(report.explained->estimate > 0.8);
  CHECK(report.ceiling->estimate > 0.6);
  CHECK(report.ceiling->estimate < 1.0);
  CHECK(report.paper_top.size() == 10);
  CHECK(first.headline.find("would not occur") != std::string::npos);
  CHECK(report.reason.find("1 cause was found") == 0);
  CHECK(report.confusion.rows() == 3);
  // wrong answers are the next class
  REQUIRE(first.answers.size() == 3);
  std::int64_t counted = 0;
  for (std::size_t b = 0; b < first.histogram.failed.size(); ++b)
    counted += first.histogram.failed[b] + first.histogram.passed[b];
  CHECK(counted == 3000);
}

TEST_CASE("two causes are named, told apart and sorted by what would not occur without them", "[analysis][analyze]") {
  synthetic::World world;
  world.properties = 6;
  world.probability = [](const std::vector<double>& u, std::int64_t, std::int64_t) {
    return synthetic::fails_above(std::max(u[0] - 1.2, -u[3] - 1.8));
  };
  const auto setup = synthetic::make(world, 4000);
  auto options = quick();
  options.property_distances = true;
  const auto report = fl::analysis::analyze(setup.problem, options);
  REQUIRE(report.findings.size() == 2);
  for (int f = 0; f < 2; ++f) {
    const auto& finding = report.findings[static_cast<std::size_t>(f)];
    const std::int64_t own = f == 0 ? 0 : 3;
    const std::string name = "property " + std::to_string(own);
    CHECK(finding.condition.kind == fl::ConditionKind::property);
    CHECK(finding.condition.properties == std::vector<std::string>{name});
    CHECK(finding.title == name);
    CHECK(finding.condition.shape == fl::analysis::ConditionShape::one_sided);
    CHECK(finding.condition.sign == (f == 0 ? 1 : -1));
    CHECK(setup.along(finding.direction.w, own) * (f == 0 ? 1.0 : -1.0) > 0.9);
    REQUIRE(!finding.side_effects.empty());
    CHECK(finding.side_effects.front().name == name);
    CHECK((finding.side_effects.front().strength > 0) == (f == 0));
    // the property at the flip is the level of the rule
    REQUIRE(finding.threshold.at_flip.size() == 1);
    CHECK(finding.threshold.at_flip[0].median == Approx(f == 0 ? 1.2 : -1.8).margin(0.15));
    // failures rise along the property
    REQUIRE(finding.response.size() == 1);
    const auto& bins = finding.response[0].bins;
    REQUIRE(bins.size() > 3);
    const auto &low = bins.front().rate, &high = bins.back().rate;
    CHECK((f == 0 ? high.lower > low.upper : low.lower > high.upper));
  }
  // Φ(−1.2) = .115 and Φ(−1.8) = .036: without the first .115 (1 − .036) of .147 would not occur
  CHECK(report.findings[0].attributable.fraction.value_or(0) == Approx(0.755).margin(0.1));
  CHECK(report.findings[1].attributable.fraction.value_or(0) == Approx(0.215).margin(0.1));
  CHECK(report.attributable_together.fraction > 0.95);
  CHECK(report.findings[0].attributable.lower > report.findings[1].attributable.lower);
  REQUIRE(report.interactions.size() == 1);
  CHECK(report.interactions[0].properties.size() == 2);
  CHECK(report.interactions[0].samples.rows() == 6);
  REQUIRE(report.interactions[0].overlap);
  CHECK(report.interactions[0].overlap->lower < 0.05);  // either fails by itself: nothing needs both
  REQUIRE(report.property_r2.size() == 6);
  for (const double r2 : report.property_r2) CHECK(r2 == Approx(1.0 / 1.09).margin(0.03));
  REQUIRE(report.property_distances.size() == 12);
  CHECK(report.property_distances[0].name == "property 0");
  REQUIRE(report.property_distances[0].flip);
  REQUIRE(report.property_distances[0].at_flip);
  CHECK(report.property_distances[0].at_flip->median == Approx(1.2).margin(0.15));
  CHECK(report.property_distances[2].sign == 1);
  CHECK_FALSE((report.property_distances[2].flip && report.property_distances[2].flip->sigmas < 5.0));
}

TEST_CASE("a fault of one class is that class's, and heads no other", "[analysis][analyze]") {
  synthetic::World world;
  world.properties = 4;
  world.classes = 6;
  world.probability = [](const std::vector<double>& u, std::int64_t label, std::int64_t) {
    return label == 4 ? synthetic::fails_above(u[2] - 0.7) : 0.9;
  };
  const auto report = fl::analysis::analyze(synthetic::make(world, 5000).problem, quick());
  REQUIRE(report.findings.size() == 1);
  const fl::Finding& own = report.findings.front();
  CHECK(own.condition.class_label == std::optional<std::int64_t>(4));
  CHECK(own.title == "property 2 in class 4");
  CHECK(own.direction.class_label == std::optional<std::int64_t>(4));
  for (const auto& effect : own.intervention.classes) CHECK(effect.class_label == 4);
  CHECK(own.attributable.fraction > 0.9);
  REQUIRE(!own.answers.empty());
  CHECK(own.answers.front().answer == 5);
}

TEST_CASE("what fails on images that nobody can read is the generator's", "[analysis][analyze]") {
  synthetic::World world;
  world.properties = 4;
  // the judge and the classifier give up together beyond u1 = 1.3; the classifier alone beyond u0 = 1
  world.judge = [](const std::vector<double>& u) { return u[1] < 1.3; };
  world.probability = [](const std::vector<double>& u, std::int64_t, std::int64_t) {
    return synthetic::fails_above(std::max(u[0] - 1.0, u[1] - 1.3));
  };
  const auto report = fl::analysis::analyze(synthetic::make(world, 4000).problem, quick());
  CHECK(report.validity_checked);
  REQUIRE(report.blame);
  CHECK(report.blame->classifier.failures + report.blame->generator.failures == report.failure_rate.failures);
  // P(u0 > 1, u1 < 1.3) = .143 of .240
  CHECK(report.blame->classifier.estimate == Approx(0.597).margin(0.04));
  CHECK(report.blame->classifier.lower < 0.597);
  REQUIRE(report.class_leak);
  CHECK(report.class_leak->estimate == Approx(0.0968).margin(0.015));
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].title == "property 0");
  REQUIRE(report.generators.size() == 1);
  CHECK(report.generators[0].title == "property 1");
  REQUIRE(!report.generators[0].response.empty());
  CHECK(report.generators[0].response[0].bins.back().rate.estimate > 0.5);
  CHECK(report.associated.empty());
  CHECK(report.undecided.empty());
}

TEST_CASE("classes that fail as classes are findings, whatever else can be said", "[analysis][analyze]") {
  synthetic::World world;
  world.properties = 2;
  SECTION("one class always fails") {
    world.probability = [](const auto&, std::int64_t label, std::int64_t) { return label == 0 ? 0.1 : 0.9; };
    const auto report = fl::analysis::analyze(synthetic::make(world, 1000).problem, quick());
    CHECK(report.verdict == fl::Verdict::systematic_without_cause);
    CHECK(report.samples_needed == 0);
    REQUIRE(report.class_findings.size() == 1);
    CHECK(report.class_findings[0].fault == fl::analysis::ClassFault::answered_as);
    CHECK(report.class_findings[0].class_label == 0);
    CHECK(report.class_findings[0].answer == std::optional<std::int64_t>(1));
    CHECK(report.class_rates[0].estimate == 1.0);
    CHECK(report.reason.find("Class 0 is always answered 1") != std::string::npos);
    CHECK(report.confusion(0, 1) == report.class_rates[0].n);
  }
  SECTION("and another has a cause of its own") {
    world.probability = [](const std::vector<double>& u, std::int64_t label, std::int64_t) {
      return label == 0 ? 0.1 : synthetic::fails_above(u[1] - 1.0);
    };
    const auto report = fl::analysis::analyze(synthetic::make(world, 2000).problem, quick());
    CHECK(report.class_findings.size() == 1);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].condition.properties == std::vector<std::string>{"property 1"});
  }
}

TEST_CASE("too few failures is a verdict with a plan", "[analysis][analyze]") {
  synthetic::World world;
  SECTION("none") {
    const auto report = fl::analysis::analyze(synthetic::make(world, 400).problem, quick());
    CHECK(report.verdict == fl::Verdict::too_few_failures);
    CHECK(report.samples_needed > 400);
    CHECK(report.paper_top.empty());
    CHECK(report.failure_rate.upper < 0.02);
  }
  SECTION("all, whatever the answer") {
    world.probability = [](const auto&, std::int64_t, std::int64_t) { return 0.1; };
    const auto report = fl::analysis::analyze(synthetic::make(world, 400).problem, quick());
    CHECK(report.verdict == fl::Verdict::systematic_without_cause);
    CHECK(report.class_findings.size() == 3);
  }
  SECTION("some") {
    world.probability = [](const auto&, std::int64_t, std::int64_t hash) { return hash % 1000 < 20 ? 0.1 : 0.9; };
    const auto report = fl::analysis::analyze(synthetic::make(world, 400).problem, quick());
    CHECK(report.verdict == fl::Verdict::too_few_failures);
    CHECK(report.samples_needed > 600);
    CHECK(report.paper_top.size() == 10);
  }
  SECTION("one class has enough") {
    world.classes = 40;
    world.properties = 1;
    world.probability = [](const std::vector<double>& u, std::int64_t label, std::int64_t) {
      return label == 7 ? synthetic::fails_above(u[0]) : 0.9;
    };
    auto options = quick();
    options.least_effective_failures = 1000.0;
    const auto report = fl::analysis::analyze(synthetic::make(world, 4000).problem, options);
    CHECK(report.verdict == fl::Verdict::systematic_causes);
  }
}

TEST_CASE("titles and headlines are unique, and one condition is on one list", "[analysis][analyze]") {
  synthetic::World world;
  world.properties = 5;
  world.probability = [](const std::vector<double>& u, std::int64_t label, std::int64_t) {
    return synthetic::fails_above(std::max({u[0] - 1.4, std::abs(u[6]) - 1.9, label == 1 ? u[2] - 1.0 : -9.0}));
  };
  const auto report = fl::analysis::analyze(synthetic::make(world, 5000).problem, quick());
  std::set<std::string> titles, headlines;
  std::size_t count = 0;
  for (const auto* list : lists_of(report))
    for (const fl::Finding& finding : *list) {
      ++count;
      CHECK_FALSE(finding.title.empty());
      titles.insert(finding.title);
      headlines.insert(finding.headline);
    }
  CHECK(count >= 3);
  CHECK(titles.size() == count);
  CHECK(headlines.size() == count);
}

TEST_CASE("the same problem gives the same report", "[analysis][analyze]") {
  synthetic::World world;
  world.properties = 2;
  world.probability = [](const std::vector<double>& u, std::int64_t, std::int64_t) {
    return synthetic::fails_above(u[1] - 1.0);
  };
  const auto a = fl::analysis::analyze(synthetic::make(world, 1500).problem, quick());
  const auto b = fl::analysis::analyze(synthetic::make(world, 1500).problem, quick());
  REQUIRE(!a.findings.empty());
  CHECK(a == b);
}

TEST_CASE("options out of range and splits that do not fit are refused", "[analysis][analyze]") {
  const auto setup = synthetic::make({}, 60);
  const auto refuses = [&](auto change) {
    fl::MethodOptions options = quick();
    change(options);
    try {
      (void)fl::analysis::analyze(setup.problem, options);
    } catch (const fl::Error& error) {
      return error.code() == fl::ErrorCode::invalid_argument;
    }
    return false;
  };
  CHECK(refuses([](auto& o) { o.alpha = 0.0; }));
  CHECK(refuses([](auto& o) { o.permutations = 3; }));
  CHECK(refuses([](auto& o) { o.half_samples = -1; }));
  CHECK(refuses([](auto& o) { o.intervention_latents = -1; }));
  CHECK(refuses([](auto& o) { o.intervention_images = -1; }));
  CHECK(refuses([](auto& o) { o.fraction_latents = -1; }));
  CHECK(refuses([](auto& o) { o.placebo_directions = -1; }));
  CHECK(refuses([](auto& o) { o.threshold_latents = 0; }));
  CHECK(refuses([](auto& o) { o.least_effective_failures = 0.0; }));
  CHECK(refuses([](auto& o) { o.batch_size = 0; }));
  fl::Problem broken = setup.problem;
  broken.confirmation.label.pop_back();
  CHECK_THROWS_AS(fl::analysis::analyze(broken, quick()), fl::Error);
  broken = setup.problem;
  broken.discovery = {};
  CHECK_THROWS_AS(fl::analysis::analyze(broken, quick()), fl::Error);
  broken = setup.problem;
  broken.discovery.valid.assign(3, 1);
  CHECK_THROWS_AS(fl::analysis::analyze(broken, quick()), fl::Error);
}

TEST_CASE("errors that depend on nothing raise no more false alarms than stated", "[analysis][analyze][null]") {
  // 200 runs at α = .05: Binomial(200, .05) exceeds 22 with probability 3e-4. Screening makes the true rate lower
  // still.
  int alarms = 0;
  for (std::int64_t run = 0; run < 200; ++run) {
    synthetic::World world;
    world.seed = run + 1;
    world.properties = 4;
    world.probability = [](const auto&, std::int64_t, std::int64_t hash) { return hash % 1000 < 200 ? 0.2 : 0.8; };
    auto options = quick();
    options.permutations = 199;
    options.half_samples = 0;
    const auto report = fl::analysis::analyze(synthetic::make(world, 500, run).problem, options);
    REQUIRE(report.verdict != fl::Verdict::too_few_failures);
    alarms += report.verdict != fl::Verdict::none_found ? 1 : 0;
    if (report.verdict == fl::Verdict::none_found) {
      REQUIRE(report.smallest_detectable);
      CHECK(report.smallest_detectable->effect > 0.02);
    }
  }
  CHECK(alarms <= 22);
}

TEST_CASE("a condition of the size that a report calls detectable is found in most runs",
          "[analysis][analyze][power]") {
  // the logit a + β z of one measured property, at the effect that the procedure states for this setting
  const auto stated = fl::analysis::smallest_detectable({2000, 2000, 0.2, 60}, {}, {});
  REQUIRE(stated);
  // β from the stated effect, by the same model: found by bisection on the simulated change between −2 and +2
  const auto effect_of = [](double beta) {
    double low = -20.0, high = 20.0, effect = 0.0;
    for (int k = 0; k < 60; ++k) {
      const double a = 0.5 * (low + high);
      double rate = 0.0, weight = 0.0;
      effect = 0.0;
      for (double z = -6.0; z <= 6.0; z += 0.02) {
        const double density = std::exp(-0.5 * z * z);
        const auto risk = [&](double at) { return 1.0 / (1.0 + std::exp(-(a + beta * at))); };
        rate += density * risk(z);
        effect += density * (risk(z + 2.0) - risk(z - 2.0));
        weight += density;
      }
      effect /= weight;
      (rate / weight < 0.2 ? low : high) = a;
    }
    return std::pair(effect, 0.5 * (low + high));
  };
  double small = 0.0, large = 5.0;
  for (int k = 0; k < 40; ++k) {
    const double beta = 0.5 * (small + large);
    (effect_of(beta).first < stated->effect ? small : large) = beta;
  }
  const double beta = large, a = effect_of(large).second;
  int found = 0;
  constexpr int runs = 40;
  for (std::int64_t run = 0; run < runs; ++run) {
    synthetic::World world;
    world.seed = run + 1;
    world.properties = 4;
    world.probability = [a, beta](const std::vector<double>& u, std::int64_t, std::int64_t hash) {
      const double risk = 1.0 / (1.0 + std::exp(-(a + beta * u[0])));
      return static_cast<double>(hash) / 1000003.0 < risk ? 0.2 : 0.8;
    };
    auto options = quick();
    options.half_samples = 0;
    const auto report = fl::analysis::analyze(synthetic::make(world, 2000, run).problem, options);
    found += std::any_of(report.findings.begin(), report.findings.end(),
                         [](const fl::Finding& f) { return f.title == "property 0"; })
                 ? 1
                 : 0;
  }
  // at a true power of .7 fewer than 20 of 40 have a probability of 4e-3; of .8 2e-5
  CAPTURE(found, stated->effect);
  CHECK(found >= 20);
}
