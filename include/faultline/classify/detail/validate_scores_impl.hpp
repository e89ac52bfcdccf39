// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of classify/validate_scores.hpp.

#include <faultline/classify/validate_scores.hpp>

#include <faultline/core/number_text.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>

namespace faultline {
inline namespace v1 {
namespace classify {

namespace detail {

/// What a row that is declared to be probabilities, and is none, looks like; ends with what to do about it.
[[nodiscard]] inline std::string probability_hint(std::span<const float> row, double tolerance) {
  double sum = 0.0, exponentials = 0.0, lowest = HUGE_VAL, highest = -HUGE_VAL;
  for (const float score : row) {
    const auto value = static_cast<double>(score);
    sum += value;
    exponentials += std::exp(std::min(value, 1.0));
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
  }
  const auto rounded = [](double value) { return rounded_text(value, 5); };
  const std::string seen =
      "they lie between " + rounded(lowest) + " and " + rounded(highest) + " and sum to " + rounded(sum);
  const auto near = [&](double whole) { return std::abs(sum - whole) <= 0.02 * whole && lowest >= -0.02 * whole; };
  constexpr double widest = 0.1;  // what a tolerance may be
  const double miss = std::max({std::abs(sum - 1.0), -lowest, highest - 1.0});
  const double rounding = static_cast<double>(row.size()) / 127.0;  // each class off by a step of seven bits
  if (miss <= std::min(widest, std::max(0.02, rounding)))
    return seen + ": rounding, as of a softmax in half precision or int8? Allow for it with .probability_tolerance = " +
           rounded(std::min(widest, std::ceil(1000.0 * std::max(2.0 * miss, rounding)) / 1000.0)) + " (now " +
           rounded(tolerance) + ")";
  if (highest <= 1e-6 && std::abs(exponentials - 1.0) <= 0.02)
    return seen + ": logarithms of probabilities? Declare Scores::logits, whose softmax gives the probabilities back";
  if (near(100.0) || near(255.0) || near(256.0))
    return seen + ": probabilities on another scale? Divide them by their sum";
  if (lowest >= 0.0 && highest <= 1.0)
    return seen + (sum == 0.0
                       ? ": does the classifier fill them?"
                       : ": an independent probability for each class, as of sigmoids? Divide them by their sum, or "
                         "return what goes into the sigmoids and declare Scores::logits");
  return seen + ": logits? Declare Scores::logits, or apply a softmax";
}

}  // namespace detail

FAULTLINE_INLINE void validate_scores(const ScoreMatrix& scores, std::int64_t images, std::int64_t classes, Scores kind,
                                      std::int64_t rows, const std::string& where, const RowName& name,
                                      double tolerance) {
  if (kind == Scores::undeclared)
    throw Error(ErrorCode::scores_undeclared, where,
                "the kind of scores is not declared; say whether they are logits or probabilities");
  if (scores.rows() != images || scores.cols() != classes) {
    const auto shape = [](std::int64_t r, std::int64_t c) {
      return "[" + std::to_string(r) + ", " + std::to_string(c) + "]";
    };
    std::string message =
        "classifier returned " + shape(scores.rows(), scores.cols()) + " scores, expected " + shape(images, classes);
    if (scores.empty()) message += "; does it call scores.resize(images.count(), classes)?";
    else if (scores.rows() != images) message += "; does it score every image of the batch?";
    else if (scores.cols() == 1)
      message +=
          "; one score per image, as for two classes? From a logit x return {0, x} and declare Scores::logits, "
          "from a probability p return {1 - p, p}, with .classes = 2";
    else if (scores.cols() == classes + 1) message += "; has it a background class that the generator does not make?";
    else message += "; does it know all classes of the generator?";
    throw Error(ErrorCode::wrong_score_shape, where, message);
  }
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::span<const float> row = scores.row_span(i);
    double sum = 0.0;
    bool within = true;
    for (std::int64_t k = 0; k < classes; ++k) {
      const double value = static_cast<double>(row[static_cast<std::size_t>(k)]);
      if (!std::isfinite(value)) {
        throw Error(ErrorCode::non_finite_scores, where,
                    std::string("classifier returned ") + (std::isnan(value) ? "NaN" : "an infinite score") +
                        " for class " + std::to_string(k) + " of " + name(i) +
                        ", expected finite scores; look for a division by zero or an overflow in the classifier");
      }
      within = within && value >= -tolerance && value <= 1.0 + tolerance;
      sum += value;
    }
    if (kind != Scores::probabilities || (within && std::abs(sum - 1.0) <= tolerance)) continue;
    throw Error(ErrorCode::not_probabilities, where,
                "classifier declares probabilities, non-negative values that sum to 1, but the scores of " + name(i) +
                    " are none; " + detail::probability_hint(row, tolerance));
  }
}

FAULTLINE_INLINE void to_probabilities(std::span<const float> scores, Scores kind, std::span<float> probabilities) {
  if (kind == Scores::probabilities) {
    std::transform(scores.begin(), scores.end(), probabilities.begin(),
                   [](float p) { return std::clamp(p, 0.0f, 1.0f); });
    return;
  }
  const double largest = static_cast<double>(*std::max_element(scores.begin(), scores.end()));
  double sum = 0.0;
  for (const float score : scores) sum += std::exp(static_cast<double>(score) - largest);
  std::transform(scores.begin(), scores.end(), probabilities.begin(),
                 [&](float score) { return static_cast<float>(std::exp(static_cast<double>(score) - largest) / sum); });
}

FAULTLINE_INLINE double log_odds(std::span<const float> scores, Scores kind, std::int64_t label) {
  constexpr double limit = 20.0;
  const auto own = static_cast<std::size_t>(label);
  if (kind == Scores::probabilities) {
    double others = 0.0;
    for (std::size_t k = 0; k < scores.size(); ++k)
      if (k != own) others += std::max(0.0, static_cast<double>(scores[k]));
    const double p = std::max(0.0, static_cast<double>(scores[own]));
    if (p <= 0.0) return -limit;
    return others <= 0.0 ? limit : std::clamp(std::log(p / others), -limit, limit);
  }
  if (scores.size() < 2) return limit;
  double largest = -HUGE_VAL;
  for (std::size_t k = 0; k < scores.size(); ++k)
    if (k != own) largest = std::max(largest, static_cast<double>(scores[k]));
  double sum = 0.0;
  for (std::size_t k = 0; k < scores.size(); ++k)
    if (k != own) sum += std::exp(static_cast<double>(scores[k]) - largest);
  return std::clamp(static_cast<double>(scores[own]) - largest - std::log(sum), -limit, limit);
}

}  // namespace classify
}  // namespace v1
}  // namespace faultline
