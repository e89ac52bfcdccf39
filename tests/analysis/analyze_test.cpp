// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "synthetic_problem.hpp"

#include <support/catch2.hpp>

#include <faultline/analysis/analyze.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace fl = faultline;

namespace {

/// Fewer permutations than by default, for speed; p-values then have a floor of 1/1000.
fl::MethodOptions quick() {
  fl::MethodOptions options;
  options.permutations_discovery = 199;
  options.permutations_confirmation = 999;
  options.properties.clear();
  return options;
}

}  // namespace

TEST_CASE("one cause is found, named after its channel, signed, tested, challenged and measured",
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
  REQUIRE(report.findings.size() >= 1);
  CHECK(report.findings.size() <= 2);
  const fl::Finding& first = report.findings.front();
  CHECK(first.direction.family == fl::DirectionFamily::channel);
  CHECK(first.direction.name == "b4.conv1:1");
  CHECK(first.channel.flat == 1);
  CHECK(first.sign == 1);
  CHECK(setup.along(first.direction.w, 1) == Approx(1.0).margin(0.06));
  CHECK(first.direction.explained > 0.9);
  CHECK(first.discovery.effect > 1.0);
  CHECK(first.confirmation.effect == Approx(first.discovery.effect).margin(0.25));
  CHECK(first.confirmation.p_adjusted <= 0.05);
  CHECK(first.confirmation.p <= first.confirmation.p_adjusted);
  CHECK(first.confirmation.q <= first.confirmation.p_adjusted);
  CHECK(first.intervention.codes == 128);
  CHECK(first.intervention.contrast > 0.6);
  CHECK(first.intervention.lower > first.intervention.placebo);
  CHECK(first.intervention.lower < first.intervention.contrast);
  CHECK(first.intervention.probability_contrast > 0.5);
  CHECK(first.intervention.repaired_share > 0.9);
  REQUIRE(first.intervention.placebo);
  REQUIRE(first.intervention.repaired_placebo);
  REQUIRE(first.intervention.coverage);
  CHECK(*first.intervention.repaired_placebo < 0.4);
  CHECK(*first.intervention.coverage ==
        Approx(first.intervention.repaired_share - *first.intervention.repaired_placebo));
  REQUIRE(first.threshold.flip);
  CHECK(first.threshold.flip->sigmas > 0.8);
  CHECK(first.threshold.flip->sigmas < 2.0);
  CHECK(report.omnibus.significant);
  CHECK(report.omnibus.auc > 0.9);
  CHECK(report.omnibus.lower < report.omnibus.auc);
  CHECK(report.explained_share > 0.9);
  CHECK(report.explained_share <= 1.0);
  CHECK(report.paper_top.size() == 10);
  CHECK(first.headline.find("removes") != std::string::npos);
  CHECK(report.reason.find("confirmed") != std::string::npos);
  std::int64_t counted = 0;
  for (std::size_t b = 0; b < first.histogram.failed.size(); ++b)
    counted += first.histogram.failed[b] + first.histogram.passed[b];
  CHECK(counted == 3000);
}

TEST_CASE("two causes are told apart and sorted by what moving them does", "[analysis][analyze]") {
  synthetic::World world;
  world.properties = 6;
  world.probability = [](const std::vector<double>& u, std::int64_t, std::int64_t) {
    return synthetic::fails_above(std::max(u[0] - 1.2, -u[3] - 1.8));
  };
  const auto setup = synthetic::make(world, 4000);
  const auto report = fl::analysis::analyze(setup.problem, quick());
  REQUIRE(report.findings.size() >= 2);
  for (int f = 0; f < 2; ++f) {
    const auto& finding = report.findings[static_cast<std::size_t>(f)];
    CHECK(finding.direction.family == fl::DirectionFamily::property);
    const std::int64_t own = f == 0 ? 0 : 3;
    CHECK(finding.direction.name == "property " + std::to_string(own));
    CHECK(setup.along(finding.direction.w, own) * (f == 0 ? 1.0 : -1.0) > 0.9);
    CHECK(finding.property.name == "property " + std::to_string(own));
    CHECK((finding.property.strength > 0) == (f == 0));
  }
  CHECK(report.findings[0].intervention.lower >= report.findings[1].intervention.lower);
  CHECK(report.explained_share > 0.9);
  REQUIRE(report.property_r2.size() == 6);
  for (const double r2 : report.property_r2) CHECK(r2 == Approx(1.0 / 1.09).margin(0.03));
}

TEST_CASE("independent components are found without properties", "[analysis][analyze]") {
  synthetic::World world;
  world.heavy_tails = true;
  world.channels = 10;
  world.probability = [](const std::vector<double>& u, std::int64_t, std::int64_t) {
    return synthetic::fails_above(u[2] - 0.9);
  };
  auto setup = synthetic::make(world, 4000);
  // No channel reads a factor by itself here.
  for (std::int64_t k = 0; k < 8; ++k)
    for (std::int64_t j = 0; j < 8; ++j) setup.problem.style_matrix(k, j) = j == (k + 1) % 8 || j == k ? 1.0 : 0.3;
  const auto report = fl::analysis::analyze(setup.problem, quick());
  REQUIRE(!report.findings.empty());
  CHECK(report.findings[0].direction.family == fl::DirectionFamily::component);
  CHECK(report.findings[0].direction.name.rfind("component ", 0) == 0);
  CHECK(setup.along(report.findings[0].direction.w, 2) > 0.9);
}

TEST_CASE("a cause in one class is found there", "[analysis][analyze]") {
  synthetic::World world;
  world.probability = [](const std::vector<double>& u, std::int64_t label, std::int64_t) {
    return std::min(synthetic::fails_above(u[0] - 1.4),
                    label == 2 ? synthetic::fails_above(std::abs(u[4] - 1.0) < 10.0 ? u[4] - 1.0 : 0.0) : 0.95);
  };
  const auto setup = synthetic::make(world, 4000);
  const auto report = fl::analysis::analyze(setup.problem, quick());
  REQUIRE(report.findings.size() >= 2);
  // Factor 4 matters in a third of the samples only, so it may come out as a common direction, or as one of class 2, or
  // both.
  bool found = false;
  for (const auto& finding : report.findings) found = found || std::abs(setup.along(finding.direction.w, 4)) > 0.85;
  CHECK(found);
  for (const auto& finding : report.findings) {
    if (!finding.direction.class_label) continue;
    CHECK(*finding.direction.class_label == 2);
    CHECK(finding.headline.find("Class 2") == 0);
  }
}

TEST_CASE("opposite causes in two classes are class-specific", "[analysis][analyze]") {
  synthetic::World world;
  world.classes = 2;
  world.probability = [](const std::vector<double>& u, std::int64_t label, std::int64_t) {
    return synthetic::fails_above((label == 0 ? u[5] : -u[5]) - 1.2);
  };
  const auto setup = synthetic::make(world, 3000);
  const auto report = fl::analysis::analyze(setup.problem, quick());
  REQUIRE(report.findings.size() >= 2);
  for (int f = 0; f < 2; ++f) {
    const auto& finding = report.findings[static_cast<std::size_t>(f)];
    REQUIRE(finding.direction.class_label);
    CHECK(setup.along(finding.direction.w, 5) * (*finding.direction.class_label == 0 ? 1.0 : -1.0) > 0.9);
    CHECK(finding.direction.explained > 0.85);
  }
}

TEST_CASE("a direction that merely goes along is associated, not a cause", "[analysis][analyze]") {
  // Failure follows factor 0 as sampled, but an edited code's outcome does not depend on it: association without
  // causation.
  synthetic::World world;
  world.probability = [](const std::vector<double>& u, std::int64_t, std::int64_t) {
    return synthetic::fails_above(u[0] - 1.2);
  };
  auto setup = synthetic::make(world, 3000);
  setup.problem.answer_edits = [](std::span<const fl::analysis::EditedLatent> edits,
                                  const fl::analysis::WantedAnswers& wanted) {
    fl::analysis::EditAnswers answers;
    fl::analysis::ClassifierAnswers& own = answers.classifiers.emplace_back();
    own.failed.assign(edits.size(), 0);
    for (const fl::analysis::EditedLatent& edited : edits) own.prediction.push_back(edited.start.label);
    own.probability.assign(edits.size(), 0.9f);
    own.log_odds.assign(edits.size(), 2.2f);
    if (wanted.properties) answers.properties.resize(static_cast<std::int64_t>(edits.size()), 0);
    return answers;
  };
  const auto report = fl::analysis::analyze(setup.problem, quick());
  CHECK(report.findings.empty());
  CHECK(report.verdict == fl::Verdict::none_found);
  REQUIRE(!report.associated.empty());
  CHECK(report.associated[0].confirmation.p_adjusted <= 0.05);
  CHECK(report.associated[0].intervention.lower <= 0.02);
  CHECK(report.associated[0].headline.find("too little to call it a cause") != std::string::npos);
  CHECK(report.reason.find(
            "but directions that go along with failures do not change the failure rate enough when they are moved") !=
        std::string::npos);
}

TEST_CASE("the distance along every property is measured, cause or not", "[analysis][analyze]") {
  synthetic::World world;
  world.properties = 2;
  world.probability = [](const std::vector<double>& u, std::int64_t, std::int64_t) {
    return synthetic::fails_above(-u[0] - 1.2);
  };
  auto setup = synthetic::make(world, 3000);
  // From here on it takes six deviations to fail: too far for an intervention of two, near enough to be measured.
  setup.model->world.probability = [](const std::vector<double>& u, std::int64_t, std::int64_t) {
    return synthetic::fails_above(-u[0] - 6.0);
  };
  const auto report = fl::analysis::analyze(setup.problem, quick());
  CHECK(report.findings.empty());
  REQUIRE(report.property_distances.size() == 4);
  for (std::size_t k = 0; k < 4; ++k) {
    const fl::analysis::PropertyDistance& distance = report.property_distances[k];
    CHECK(distance.name == report.property_names[k / 2]);
    CHECK(distance.sign == (k % 2 == 0 ? 1 : -1));
    if (k != 1) CHECK((!distance.flip || distance.flip->sigmas > 9.0));
  }
  const fl::analysis::PropertyDistance& less = report.property_distances[1];
  REQUIRE(less.flip.has_value());
  CHECK(less.flip->sigmas > 5.0);
  CHECK(less.flip->sigmas < 7.0);
  for (const fl::Finding& other : report.associated) CHECK(other.threshold.centres.empty());
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
  SECTION("all") {
    world.probability = [](const auto&, std::int64_t, std::int64_t) { return 0.1; };
    CHECK(fl::analysis::analyze(synthetic::make(world, 400).problem, quick()).reason.find("All of 800") == 0);
  }
  SECTION("a class") {
    world.probability = [](const auto&, std::int64_t label, std::int64_t) { return label == 0 ? 0.1 : 0.9; };
    const auto report = fl::analysis::analyze(synthetic::make(world, 1000).problem, quick());
    CHECK(report.verdict == fl::Verdict::too_few_failures);
    CHECK(report.reason.find("The class alone") == 0);
    CHECK(report.class_rates[0].estimate == 1.0);
  }
  SECTION("some") {
    world.probability = [](const auto&, std::int64_t, std::int64_t hash) { return hash % 1000 < 20 ? 0.1 : 0.9; };
    const auto report = fl::analysis::analyze(synthetic::make(world, 400).problem, quick());
    CHECK(report.verdict == fl::Verdict::too_few_failures);
    CHECK(report.samples_needed > 1500);
    CHECK(report.paper_top.size() == 10);
  }
}

TEST_CASE("the same problem gives the same report", "[analysis][analyze]") {
  synthetic::World world;
  world.properties = 2;
  world.probability = [](const std::vector<double>& u, std::int64_t, std::int64_t) {
    return synthetic::fails_above(u[1] - 1.0);
  };
  const auto a = fl::analysis::analyze(synthetic::make(world, 1500).problem, quick());
  const auto b = fl::analysis::analyze(synthetic::make(world, 1500).problem, quick());
  REQUIRE(a.findings.size() == b.findings.size());
  for (std::size_t f = 0; f < a.findings.size(); ++f) {
    CHECK(a.findings[f].direction.w == b.findings[f].direction.w);
    CHECK(a.findings[f].confirmation.p == b.findings[f].confirmation.p);
    CHECK(a.findings[f].intervention.lower == b.findings[f].intervention.lower);
    CHECK(a.findings[f].headline == b.findings[f].headline);
  }
  CHECK(a.omnibus.auc == b.omnibus.auc);
}

TEST_CASE("options out of range and halves that do not fit are refused", "[analysis][analyze]") {
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
  CHECK(refuses([](auto& o) { o.min_effect = -0.1; }));
  CHECK(refuses([](auto& o) { o.permutations_discovery = 3; }));
  CHECK(refuses([](auto& o) { o.permutations_confirmation = 0; }));
  CHECK(refuses([](auto& o) { o.common_candidates = -1; }));
  CHECK(refuses([](auto& o) { o.intervention_codes = 1; }));
  CHECK(refuses([](auto& o) { o.placebo_directions = 0; }));
  CHECK(refuses([](auto& o) { o.threshold_latents = 0; }));
  CHECK(refuses([](auto& o) { o.minimum_effective_failures = 0.0; }));
  CHECK(refuses([](auto& o) { o.batch_size = 0; }));
  fl::Problem broken = setup.problem;
  broken.confirmation.label.pop_back();
  CHECK_THROWS_AS(fl::analysis::analyze(broken, quick()), fl::Error);
  broken = setup.problem;
  broken.discovery = {};
  CHECK_THROWS_AS(fl::analysis::analyze(broken, quick()), fl::Error);
}

TEST_CASE("errors that depend on nothing raise no more false alarms than stated", "[analysis][analyze][null]") {
  // 200 runs at α = .05: Binomial(200, .05) exceeds 22 with probability 3e-4. Screening makes the true rate lower
  // still.
  int alarms = 0;
  int significant = 0;
  for (std::int64_t run = 0; run < 200; ++run) {
    synthetic::World world;
    world.seed = run + 1;
    world.probability = [](const auto&, std::int64_t, std::int64_t hash) { return hash % 1000 < 200 ? 0.2 : 0.8; };
    auto options = quick();
    options.permutations_discovery = 99;
    options.permutations_confirmation = 199;
    const auto report = fl::analysis::analyze(synthetic::make(world, 500, run).problem, options);
    REQUIRE(report.verdict != fl::Verdict::too_few_failures);
    alarms += report.verdict == fl::Verdict::systematic_causes || !report.associated.empty() ? 1 : 0;
    significant += report.omnibus.significant ? 1 : 0;
  }
  CHECK(alarms <= 22);
  CHECK(significant <= 22);
  CHECK(significant >= 1);
}
