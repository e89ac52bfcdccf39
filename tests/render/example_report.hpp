// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A report with every field filled, about AnalyticGenerator and a rule, for the tests of rendering. Its start codes and
// flips are real, the statistics made up.

#include <faultline/classify/make_classifier.hpp>
#include <faultline/core/random.hpp>
#include <faultline/render/direction_renderer.hpp>
#include <faultline/sampling/analytic_generator.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace render_test {

namespace fl = faultline;

inline fl::AnalyticGenerator example_generator() {
  return fl::AnalyticGenerator({.factors = 6, .channels = 128, .classes = 4, .seed = 1});
}

/// Right except where factor 0 exceeds 1.5.
inline auto example_classifier(const fl::AnalyticGenerator& known) {
  return fl::make_classifier(
      [&known](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 4);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto reading = known.read(images, i);
          const float excess = reading.factors[0] - 1.5f;
          for (std::int64_t k = 0; k < 4; ++k)
            scores(i, k) = k == reading.label ? -2 * excess : k == (reading.label + 1) % 4 ? 2 * excess : -6.0f;
        }
      },
      {.classes = 4, .scores = fl::Scores::logits, .name = "rule <0> & \"friends\""});
}

inline fl::Finding example_finding(const fl::AnalyticGenerator& known, std::int64_t factor, std::string name,
                                   double median) {
  fl::Finding f;
  const std::int64_t flat = known.factor_channel(factor);
  double norm = 0;
  for (const float a : known.style_matrix().row_span(flat)) norm += static_cast<double>(a) * static_cast<double>(a);
  for (const float a : known.style_matrix().row_span(flat))
    f.direction.w.push_back(static_cast<double>(a) / std::sqrt(norm));
  f.direction.whitened = f.direction.w;
  f.direction.name = std::move(name);
  f.direction.family = factor == 0 ? fl::DirectionFamily::property : fl::DirectionFamily::component;
  f.direction.explained = factor == 0 ? 0.61 : 0.27;
  f.channel = known.layout().locate(flat);
  f.discovery = {1.31, 0.842};
  f.confirmation = {1.22, 0.823, 31.5, 0.0001, 0.0012, 0.0004};
  f.intervention = {128,  0.46, 0.39, 0.05, 0.51,
                    0.34, 0.06, 0.28, 412,  {{0, 30, 0.5}, {1, 33, 0.42}, {2, 31, 0.55}, {3, 34, 0.38}}};
  f.class_split = {factor == 0 ? 0.94 : 0.31,
                   factor == 0 ? 0.88 : 0.12,
                   factor == 0 ? 0.99 : 0.55,
                   1.22,
                   0.31,
                   9.4,
                   0.021,
                   {{0, 60, 900, 1.31, 0.13}, {1, 71, 880, 1.02, 0.12}, {3, 90, 850, 1.4, 0.11}}};
  fl::Crossing flip;
  flip.sigmas = median, flip.lower = median - 0.2, flip.upper = median + 0.25, flip.quartile_low = median - 0.7,
  flip.quartile_high = median + 0.9;
  flip.crossed_share = 0.97, flip.codes = 64, flip.percentile = 96.2, flip.image_rms = 0.121, flip.image_ssim = 0.83;
  f.threshold.flip = flip;
  flip.sigmas -= 0.1, flip.lower -= 0.1, flip.upper -= 0.1, flip.left_out = 2;
  f.threshold.half = flip;
  for (std::int64_t k = 0; k < 4; ++k)
    f.threshold.centres.push_back({k, 0.97, 1.4 + 0.1 * static_cast<double>(k), std::nullopt, 1.5});
  for (int i = -3; i <= 8; ++i) {
    const double x = i, p = 1 / (1 + std::exp(3 * (x - median)));
    f.profile.sigmas.push_back(x);
    f.profile.probability.push_back(0.96 * p);
    f.profile.failure_share.push_back(1 - p);
    f.profile.judge_agreement.push_back(0.99 - 0.004 * (x + 3));
  }
  for (int p = 0; p < 3; ++p) {
    std::vector<double> values;
    for (const double x : f.profile.sigmas) values.push_back(0.02 + (p == 0 ? 0.013 : 0.001) * (x + 3));
    f.profile.properties.push_back(values);
  }
  f.property = {"noise level", 2.81};
  f.side_effects = {{"noise level", 2.81}, {"blur", -0.34}, {"stroke thickness of the letter at half height", 0.12}};
  for (int i = 0; i < 10; ++i) {
    const fl::StyleChannel channel = known.layout().locate((flat + i) % known.layout().dimension());
    fl::analysis::Carrier carrier{channel,
                                  known.layout().layers()[static_cast<std::size_t>(channel.layer)].name,
                                  i % 3 == 0 ? 1 : -1,
                                  0.97 - 0.05 * i,
                                  0.9 - 0.06 * i,
                                  0.8 - 0.05 * i,
                                  0.4,
                                  std::nullopt};
    if (i == 0) {
      carrier.threshold.emplace();
      carrier.threshold->flip = f.threshold.flip;
      carrier.threshold->flip->sigmas = std::numeric_limits<double>::infinity();
      carrier.threshold->flip->upper = carrier.threshold->flip->quartile_high = std::numeric_limits<double>::infinity();
      carrier.threshold->flip->crossed_share = 0.22;
    }
    f.carriers.push_back(carrier);
  }
  f.validity = {0.97, false};
  f.histogram = {-6, 6, {}, {}};
  for (int i = 0; i < 96; ++i) {
    const double x = -6 + (i + 0.5) / 8;
    f.histogram.passed.push_back(std::llround(900 * std::exp(-0.5 * (x + 0.3) * (x + 0.3))));
    f.histogram.failed.push_back(std::llround(350 * std::exp(-0.5 * (x - 1.1) * (x - 1.1) / 0.8)));
  }
  f.headline = "Repairing \"" + f.direction.name + "\" removes 34 % of the failures; a random direction 6 %.";
  return f;
}

/// Start codes 2^41 ... that pass, with their distance to factor 0 = 1.5.
inline std::vector<fl::analysis::ExampleLatent> example_codes(const fl::AnalyticGenerator& known, std::int64_t seed,
                                                              std::int64_t count) {
  const fl::StyleSpaceSampler sampler(known, {.seed = seed});
  std::vector<fl::analysis::ExampleLatent> codes;
  for (std::int64_t i = 0; static_cast<std::int64_t>(codes.size()) < count; ++i) {
    const auto sample = sampler.sample(fl::core::intervention_first + i, 1);
    const double factor = static_cast<double>(known.factors(sample.s)(0, 0));
    if (factor < 1.2)
      codes.push_back(
          {fl::core::intervention_first + i, sample.label[0], 1 / (1 + std::exp(4 * (factor - 1.5))), 1.5 - factor});
  }
  return codes;
}

inline fl::FailureReport example_report(const fl::AnalyticGenerator& known) {
  fl::FailureReport r;
  r.verdict = fl::Verdict::systematic_causes;
  r.reason =
      "2 of 5 candidate directions are confirmed on fresh samples and change the failure rate when they are moved.";
  r.failure_rate = {0.0668, 0.0614, 0.0725, 534, 8000, 0.95};
  for (int k = 0; k < 4; ++k)
    r.class_rates.push_back({0.05 + 0.02 * k, 0.04 + 0.02 * k, 0.062 + 0.02 * k, 100 + 40 * k, 2000, 0.95});
  r.effective_failures_discovery = 241.4;
  r.effective_failures_confirmation = 250.9;
  r.findings = {example_finding(known, 0, "noise level", 1.6), example_finding(known, 1, "component 3", 2.9)};
  r.findings[0].examples = example_codes(known, 7, 12);
  r.findings[1].examples = example_codes(known, 7, 5);
  for (auto& code : r.findings[1].examples) code.flip.reset();
  r.findings[1].direction.class_label = 2;
  r.findings[1].threshold.flip->off_manifold = true;
  r.findings[1].threshold.flip->off_manifold_share = 0.7;
  r.findings[1].intervention = {128, 0.21, 0.14, 0.05, 0.2, 0.11, 0.04, 0.07, 412};
  r.associated = {example_finding(known, 2, "mean intensity", 9.4)};
  r.associated[0].intervention = {128, 0.03, -0.01, 0.05, 0.02, 0.05, 0.04, 0.01, 412};
  r.generator_suspect = {example_finding(known, 3, "component, 7 \"odd\"", 4.2)};
  r.generator_suspect[0].validity = {0.61, true};
  r.generator_suspect[0].examples = example_codes(known, 7, 3);
  r.property_distances = {{"noise level", 1, r.findings[0].threshold.flip, {0.97, false}},
                          {"blur", -1, r.findings[1].threshold.flip, {0.92, false}}};
  r.property_distances[1].flip->sigmas = std::numeric_limits<double>::infinity();
  r.omnibus = {0.931, 0.92, 0.94, 0.0001, true};
  r.explained_share = 0.88;
  r.smallest_detectable = {0.17, 0.548};
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
  r.property_r2 = {0.81, 0.64, 0.07};
  r.class_leak = 0.012;
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
  r.provenance.method = {{"alpha", "0.05"}, {"min_effect", "0.02"}};
  r.provenance.properties = r.property_names;
  r.provenance.cpu = "an ordinary one";
  r.provenance.seed = 7;
  r.provenance.samples_per_split = 4'000;
  r.provenance.batch_size = 64;
  r.provenance.permutations_discovery = 999;
  r.provenance.permutations_confirmation = 9'999;
  r.warnings = {
      "The property \"stroke thickness\" is poorly predicted by w (R² .07) and was not offered as a direction."};
  return r;
}

}  // namespace render_test
