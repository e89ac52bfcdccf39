// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A report with every field filled, about AnalyticGenerator and a rule, for the tests of rendering. Its start latents
// and flips are real, the statistics made up.

#include <faultline/classify/make_classifier.hpp>
#include <faultline/core/random.hpp>
#include <faultline/render/direction_renderer.hpp>
#include <faultline/sampling/analytic_generator.hpp>

#include <render/example_finding.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace render_test {

/// Right except where factor 0 exceeds 1.5.
inline auto example_classifier(const fl::AnalyticGenerator& known) {
  return fl::make_classifier(
      [&known](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 4);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto reading = known.read(images, i);
          const float excess = reading.factors[0] - 1.5f;
          for (std::int64_t k = 0; k < 4; ++k)
            scores(i, k) = k == reading.label ? -2 * excess : k == (reading.label + 1) % 4 ? 2 * excess : -60.0f;
        }
      },
      {.classes = 4, .scores = fl::Scores::logits, .name = "rule <0> & \"friends\""});
}

/// Start latents 2^41 ... that pass, with their distance to factor 0 = 1.5.
inline std::vector<fl::analysis::ExampleLatent> example_latents(const fl::AnalyticGenerator& known, std::int64_t seed,
                                                                std::int64_t count) {
  const fl::StyleSpaceSampler sampler(known, {.seed = seed});
  std::vector<fl::analysis::ExampleLatent> latents;
  for (std::int64_t i = 0; static_cast<std::int64_t>(latents.size()) < count; ++i) {
    const auto sample = sampler.sample(fl::core::intervention_first + i, 1);
    const double factor = static_cast<double>(known.factors(sample.s)(0, 0));
    if (factor < 1.2)
      latents.push_back(
          {fl::core::intervention_first + i, sample.label[0], 1 / (1 + std::exp(4 * (factor - 1.5))), 1.5 - factor});
  }
  return latents;
}

/// Two properties together, with a map of three by four cells of which one is too empty to judge.
inline fl::analysis::InteractionFinding example_interaction() {
  fl::analysis::InteractionFinding both;
  both.first = "noise level";
  both.second = "slant";
  both.properties = {"noise level", "slant"};
  both.deviance_share = fl::analysis::Share{0.021, 0.012, 0.031};
  both.p_adjusted = 0.0021;
  both.overlap = fl::analysis::Share{0.14, 0.09, 0.2};
  both.beyond_additive = fl::analysis::Share{0.05, 0.01, 0.09};
  both.joint = fl::analysis::JointShift{64, 61, 48, 0.9, 1.3};
  both.first_edges = {0.02, 0.05, 0.08, 0.15};
  both.second_edges = {-0.4, -0.1, 0.0, 0.1, 0.5};
  both.failures.counts = {{2, 1, 1, 3}, {9, 12, 11, 20}, {70, 60, 8, 110}};
  both.samples.counts = {{200, 210, 190, 205}, {195, 200, 202, 199}, {205, 190, 19, 201}};
  both.headline =
      "noise level and slant: 14 % (9 to 20) of the failures need both, and either at its usual level takes "
      "them away.";
  return both;
}

/// The lists of conditions: causes one-sided and two-sided (the latter of one class), a pair, and one of each of the
/// others.
inline void fill_lists(fl::FailureReport& r, const fl::AnalyticGenerator& known) {
  using namespace fl::analysis;
  r.findings = {example_finding(known, 0, "noise level", 1.6), example_finding(known, 1, "slant in class 2", 2.9),
                example_finding(known, 4, "noise level with slant", 5.5)};
  r.findings[0].examples = example_latents(known, 7, 12);
  r.findings[1].examples = r.findings[2].examples = example_latents(known, 7, 5);
  for (std::size_t k : {1, 2})
    for (auto& latent : r.findings[k].examples) latent.flip.reset();
  make_two_sided(r.findings[1], 2);
  make_pair(r.findings[2], known);

  r.associated = {example_finding(known, 2, "mean intensity", 9.4)};
  r.undecided = {example_finding(known, 5, "slant + blur", 2.0)};
  r.not_movable = {example_finding(known, 3, "stroke <i>width</i> & \"ink\"", 2.0),
                   example_finding(known, 3, "blur, \"odd\"", 2.0)};
  r.generators = {example_finding(known, 3, "blur", 2.0)};
  for (auto* list : {&r.associated, &r.undecided, &r.not_movable, &r.generators})
    for (fl::Finding& finding : *list) only_confirmed(finding);
  r.associated[0].intervention = {fl::Decision::does_not, 0.004, -0.008, 0.011, 0.033, 2048, std::nullopt, 0.01};
  r.associated[0].headline =
      "Failures go with more mean intensity, but moving it by itself does not change the failure rate: by at most 1 "
      "percentage point, where 3 percentage points would count.";
  r.undecided[0].condition = {ConditionKind::direction, {},  std::nullopt, ConditionShape::subspace, 1,
                              {0.03, 0.02, 0.04},       0.4, {},           Movability::movable,      std::nullopt};
  r.undecided[0].response.clear();
  r.undecided[0].direction.parts = {r.undecided[0].direction.w, r.undecided[0].direction.w};
  r.undecided[0].intervention = {fl::Decision::undecided, 0.03, -0.01, 0.07, 0.033, 4096, 9200, std::nullopt};
  r.undecided[0].headline = "Failures go with the ends of slant + blur; after 4096 latents it is undecided.";
  r.not_movable[0].condition.movability = Movability::not_movable;
  r.not_movable[0].direction = {r.not_movable[0].title, {}, {}, std::nullopt, {}};
  r.not_movable[0].headline = "Failures go with less stroke width, but this generator does not move it.";
  r.not_movable[1].condition.movability = Movability::not_separable;
  r.not_movable[1].condition.moves_along = "noise level";
  r.not_movable[1].condition.shape = ConditionShape::band;
  r.not_movable[1].headline = "Failures go with values of blur in between, but not without noise level.";
  r.generators[0].direction = {"blur", {}, {}, std::nullopt, {}};
  r.generators[0].headline = "Images that the judge cannot read either come with more blur.";
}

inline fl::FailureReport example_report(const fl::AnalyticGenerator& known) {
  using namespace fl::analysis;
  fl::FailureReport r;
  r.verdict = fl::Verdict::systematic_causes;
  r.reason =
      "3 causes were found: confirmed on held-out samples, and changing the failure rate when moved with the others "
      "held.";
  r.failure_rate = {0.0668, 0.0614, 0.0725, 534, 8000, 0.95};
  r.validity_checked = true;
  r.blame = Blame{{0.93, 0.905, 0.95, 497, 534, 0.95}, {0.07, 0.05, 0.095, 37, 534, 0.95}};
  r.class_leak = fl::Rate{0.012, 0.0097, 0.0146, 96, 8000, 0.95};
  for (int k = 0; k < 4; ++k) {
    r.class_leaks.push_back({0.01 + 0.002 * k, 0.005, 0.02, 20 + 4 * k, 2000, 0.95});
    r.class_rates.push_back({0.05 + 0.02 * k, 0.04 + 0.02 * k, 0.062 + 0.02 * k, 100 + 40 * k, 2000, 0.95});
  }
  r.confusion.counts = {{1900, 70, 30, 0, 0}, {8, 1860, 132, 0, 0}, {0, 20, 1820, 160, 0}, {190, 20, 0, 1780, 10}};
  r.class_findings = {{ClassFault::answered_as,
                       3,
                       0,
                       {0.9, 0.8, 0.95, 180, 200, 0.95},
                       "Class 3 is nearly always answered 0 (180 of 200 samples)."},
                      {ClassFault::always_fails,
                       1,
                       std::nullopt,
                       {1, 0.9, 1, 30, 30, 0.95},
                       "Class 1 always fails (30 of 30 samples)."}};
  r.effective_failures_discovery = 241.4;
  r.effective_failures_confirmation = 250.9;
  fill_lists(r, known);
  r.attributable_together = {0.88, 0.83, 0.92, 4000, 262};
  r.explained = Share{0.56, 0.53, 0.59};
  r.ceiling = Share{0.71, 0.68, 0.74};
  r.real_images = {
      {"noise level", example_response("noise level"), example_response("noise level", 1), 0.94, 6, 0.034, 0.02},
      {"width", example_response("width"), example_response("width"), std::nullopt, 6, std::nullopt, std::nullopt}};
  r.interactions = {example_interaction(), {}};
  r.interactions[1].first = r.interactions[1].second = "noise level with slant";
  r.interactions[1].headline = "With noise level with slant at its usual level, 12 % of the failures would not occur.";
  r.smallest_detectable = DetectableEffect{0.17, 0.008, 0.8};
  r.property_distances = {
      {"noise level", 1, r.findings[0].threshold.flip, r.findings[0].threshold.at_flip[0], r.findings[0].validity},
      {"blur", -1, r.findings[1].threshold.flip, std::nullopt, {}},
      {"slant", 1, std::nullopt, std::nullopt, {}}};
  r.property_distances[1].flip->sigmas = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 10; ++i) {
    const fl::StyleChannel channel = known.layout().locate(i == 0 ? known.factor_channel(0) : 3 + 11 * i);
    r.paper_top.push_back({channel, known.layout().layers()[static_cast<std::size_t>(channel.layer)].name,
                           i % 2 ? -1 : 1, 1.4 - 0.1 * i, 1.2 - 0.1 * i, 0.8 - 0.02 * i, -0.012, 0.5, 0.45,
                           r.findings[0].class_split});
  }
  for (std::int64_t k = 0; k < 4; ++k) {
    r.class_rankings.push_back({k, k == 2 ? 1 : 60 + k, 900, k == 2, {}});
    for (std::int64_t i = 0; i < 10 && k != 2; ++i) {
      const fl::StyleChannel channel = known.layout().locate(i == 0 ? known.factor_channel(0) : 5 + 9 * i + k);
      r.class_rankings.back().top.push_back(
          {channel, known.layout().layers()[static_cast<std::size_t>(channel.layer)].name, i % 2 ? -1 : 1,
           (i % 2 ? -1.0 : 1.0) * (1.3 - 0.1 * static_cast<double>(i))});
    }
  }
  r.property_names = {"noise level", "blur", "stroke thickness of the letter at half height"};
  r.property_units = {"", "px", "px"};
  r.property_r2 = {0.81, 0.64, 0.07};
  r.layers = known.layout().layers();
  r.classes = 4;
  r.class_names = {"cat", "<b>dog</b>", "horse & cart", "a class with a very long name indeed"};
  r.cost = {21'000, 330, 21'000, 330, 1'000, 20'000, 640, 910'000'000, 4'700'000, 6'600};
  r.provenance.library_version = fl::version_string;
  r.provenance.generator_digest = known.digest();
  r.provenance.classifier_name = "rule <0> & \"friends\"";
  r.provenance.criterion = "misclassified";
  r.provenance.criterion_expression = "fl::Misclassified{}";
  r.provenance.classifier_digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  r.provenance.judge_name = "judge";
  r.provenance.compiler = "GCC 12.2.0";
  r.provenance.command = "characterize --samples 4000 --seed 7";
  r.provenance.method = {{"alpha", "0.05"}, {"half_samples", "20"}};
  r.provenance.properties = r.property_names;
  r.provenance.cpu = "an ordinary one";
  r.provenance.seed = 7;
  r.provenance.samples_per_split = 4'000;
  r.provenance.batch_size = 64;
  r.warnings = {"The property \"stroke thickness\" is poorly predicted by w (R² .07)."};
  return r;
}

}  // namespace render_test
