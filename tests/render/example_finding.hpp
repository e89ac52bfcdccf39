// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Conditions with every field filled, for the report of example_report.hpp.

#include <faultline/analysis/report.hpp>
#include <faultline/sampling/analytic_generator.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace render_test {

namespace fl = faultline;

inline fl::AnalyticGenerator example_generator() {
  return fl::AnalyticGenerator({.factors = 6, .channels = 128, .classes = 4, .seed = 1});
}

/// One standard deviation of a factor in w.
inline std::vector<double> factor_step(const fl::AnalyticGenerator& known, std::int64_t factor) {
  const auto row = known.style_matrix().row_span(known.factor_channel(factor));
  double norm = 0;
  for (const float a : row) norm += static_cast<double>(a) * static_cast<double>(a);
  std::vector<double> step;
  for (const float a : row) step.push_back(static_cast<double>(a) / std::sqrt(norm));
  return step;
}

/// Distances whose median is `median`, of 64 latents.
inline fl::Crossing example_crossing(double median) {
  fl::Crossing flip;
  flip.sigmas = median, flip.lower = median - 0.2, flip.upper = median + 0.25, flip.quartile_low = median - 0.7,
  flip.quartile_high = median + 0.9;
  flip.crossed_share = 0.97, flip.latents = 64, flip.percentile = 96.2, flip.image_rms = 0.121, flip.image_ssim = 0.83;
  return flip;
}

/// A failure rate that rises with a property, in six bins.
inline fl::analysis::ResponseCurve example_response(const std::string& property,
                                                    std::optional<std::int64_t> label = std::nullopt) {
  fl::analysis::ResponseCurve curve{property, label, {}};
  for (int i = 0; i < 6; ++i) {
    const double rate = 0.01 + 0.01 * i * i;
    curve.bins.push_back({0.01 * i,
                          0.01 * (i + 1),
                          0.01 * i + 0.005,
                          {rate, 0.5 * rate, 1.6 * rate, std::llround(1'300 * rate), 1'300, 0.95}});
  }
  return curve;
}

/// What is measured along the edit: p(y) falls at `median`, and noise level rises.
inline fl::analysis::Profile example_profile(double median) {
  fl::analysis::Profile profile;
  for (int i = -3; i <= 8; ++i) {
    const double x = i, p = 1 / (1 + std::exp(3 * (x - median)));
    profile.sigmas.push_back(x);
    profile.probability.push_back(0.96 * p);
    profile.failure_share.push_back(1 - p);
    profile.judge_agreement.push_back(0.99 - 0.004 * (x + 3));
  }
  for (int p = 0; p < 3; ++p) {
    std::vector<double> values;
    for (const double x : profile.sigmas) values.push_back(0.02 + (p == 0 ? 0.013 : 0.001) * (x + 3));
    profile.properties.push_back(values);
  }
  return profile;
}

/// Ten channels, of which the first was moved alone and hardly ever crosses.
inline std::vector<fl::analysis::Carrier> example_carriers(const fl::AnalyticGenerator& known, std::int64_t flat) {
  std::vector<fl::analysis::Carrier> carriers;
  for (int i = 0; i < 10; ++i) {
    const fl::StyleChannel channel = known.layout().locate((flat + i) % known.layout().dimension());
    carriers.push_back({channel, known.layout().layers()[static_cast<std::size_t>(channel.layer)].name,
                        i % 3 == 0 ? 1 : -1, 0.97 - 0.05 * i, 0.9 - 0.06 * i, 0.8 - 0.05 * i, 0.4, std::nullopt});
  }
  carriers[0].threshold.emplace();
  fl::Crossing& alone = carriers[0].threshold->flip.emplace(example_crossing(2.0));
  alone.sigmas = alone.upper = alone.quartile_high = std::numeric_limits<double>::infinity();
  alone.crossed_share = 0.22;
  return carriers;
}

/// A cause with everything that is measured of one: a property that fails where there is more of it.
inline fl::Finding example_finding(const fl::AnalyticGenerator& known, std::int64_t factor, std::string name,
                                   double median) {
  using namespace fl::analysis;
  fl::Finding f;
  const std::int64_t flat = known.factor_channel(factor);
  f.title = std::move(name);
  f.headline = "With " + f.title + " at its usual level, 62 % (55 to 68) of the failures would not occur.";
  f.condition = {ConditionKind::property,
                 {factor == 0 ? "noise level" : f.title},
                 std::nullopt,
                 ConditionShape::one_sided,
                 1,
                 {0.41, 0.38, 0.44},
                 0.95,
                 {{3, 0.5}, {0, 0.3}},
                 Movability::movable,
                 std::nullopt};
  f.confirmation = {0.0001, 0.0012};
  f.intervention = {fl::Decision::changes,
                    0.412,
                    0.371,
                    0.452,
                    0.033,
                    128,
                    std::nullopt,
                    0.012,
                    0.06,
                    0.01,
                    {{0, 30, 0.5}, {1, 33, 0.42}, {2, 31, 0.55}, {3, 34, 0.38}}};
  f.attributable = {0.62, 0.55, 0.68, 4000, 262};
  f.direction = {f.title, factor_step(known, factor), factor_step(known, factor), std::nullopt, {}};
  f.channel = known.layout().locate(flat);
  f.threshold.flip = example_crossing(median);
  f.threshold.even_odds = example_crossing(median - 0.1);
  f.threshold.even_odds->left_out = 2;
  for (std::int64_t k = 0; k < 4; ++k)
    f.threshold.centres.push_back({k, 0.97, 1.4 + 0.1 * static_cast<double>(k), std::nullopt, 1.5});
  f.threshold.at_flip = {{f.condition.properties[0], 62, 0.0342, 0.031, 0.0377}};
  f.profile = example_profile(median);
  f.side_effects = {{"noise level", 2.81}, {"blur", -0.34}, {"stroke thickness of the letter at half height", 0.12}};
  f.answers = {{0, 0.31}, {2, 0.055}};
  f.response = {example_response(f.condition.properties[0])};
  f.carriers = example_carriers(known, flat);
  f.validity = {Share{0.97, 0.89, 0.996}, 62, ValidityDecision::mostly_valid};
  f.histogram = {-6, 6, {}, {}};
  for (int i = 0; i < 96; ++i) {
    const double x = -6 + (i + 0.5) / 8;
    f.histogram.passed.push_back(std::llround(900 * std::exp(-0.5 * (x + 0.3) * (x + 0.3))));
    f.histogram.failed.push_back(std::llround(350 * std::exp(-0.5 * (x - 1.1) * (x - 1.1) / 0.8)));
  }
  f.class_split = {factor == 0 ? 0.94 : 0.31,
                   factor == 0 ? 0.88 : 0.12,
                   factor == 0 ? 0.99 : 0.55,
                   1.22,
                   0.31,
                   9.4,
                   0.021,
                   {{0, 60, 900, 1.31, 0.13}, {1, 71, 880, 1.02, 0.12}, {3, 90, 850, 1.4, 0.11}}};
  return f;
}

/// A cause of one class that fails at both ends, on unusual images, and comes back.
inline void make_two_sided(fl::Finding& f, std::int64_t label) {
  using namespace fl::analysis;
  f.condition.properties = {"slant"};
  f.condition.shape = ConditionShape::two_sided;
  f.condition.class_label = f.direction.class_label = label;
  f.condition.stability = 0.35;
  f.attributable = {-0.05, -0.11, -0.01, 4000, 262};
  f.intervention.effect = 0.21, f.intervention.lower = 0.12, f.intervention.upper = 0.3;
  f.threshold.flip->off_manifold = true;
  f.threshold.flip->off_manifold_share = 0.7;
  f.threshold.flip->monotone = false;
  f.threshold.flip->monotone_share = 0.8;
  f.threshold.at_flip = {{"slant", 40, 0.044, 0.04, 0.05}};
  f.other_end.emplace();
  f.other_end->flip = example_crossing(3.4);
  f.other_end->at_flip = {{"slant", 31, 0.004, 0.001, 0.007}};
  f.response = {example_response("slant", label)};
  f.validity = {Share{0.48, 0.3, 0.66}, 31, ValidityDecision::undecided};
  f.headline = "With slant in class 2 moved the failure rate changes by 21 percentage points.";
}

/// A cause of two properties, neither by itself; it cannot be said where its images flip.
inline void make_pair(fl::Finding& f, const fl::AnalyticGenerator& known) {
  using namespace fl::analysis;
  f.condition.kind = ConditionKind::pair;
  f.condition.properties = {"noise level", "slant"};
  f.condition.shape = ConditionShape::pair;
  f.condition.sign = -1;
  f.direction.parts = {factor_step(known, 0), factor_step(known, 4)};
  f.attributable = {0.12, 0.08, 0.17, 4000, 262};
  f.response = {example_response("noise level"), example_response("slant")};
  f.threshold.flip.reset();
  f.threshold.even_odds.reset();
  f.threshold.at_flip.clear();
  f.validity = {std::nullopt, 0, std::nullopt};
  f.headline = "With noise level with slant at its usual level, 12 % (8 to 17) of the failures would not occur.";
}

/// What a condition has that is no cause.
inline void only_confirmed(fl::Finding& f) {
  f.attributable = {};
  f.intervention = {};
  f.threshold = {};
  f.profile = {};
  f.answers.clear();
  f.carriers.clear();
  f.channel = {};
  f.validity = {};
}

}  // namespace render_test
