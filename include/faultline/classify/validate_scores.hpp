// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What must be true of scores before anybody takes an argmax of them, and the step from scores to probabilities.

#include <faultline/concepts/classifier.hpp>
#include <faultline/core/matrix.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace faultline {
inline namespace v1 {
namespace classify {

/// Names row i of a batch in an error message, for example "sample 1041 (label 3, seed 7)".
using RowName = std::function<std::string(std::int64_t row)>;

/// Probabilities may miss a sum of 1 (and the range [0, 1]) by so much before they are refused.
inline constexpr double default_probability_tolerance = 1e-4;

/// Refuses scores that are not `[images, classes]`, not finite, or declared to be probabilities and are none.
///
/// Only the first `rows` rows are judged by value (the others are padding); `where` and `name` word the message.
/// **Throws** wrong_score_shape, non_finite_scores, not_probabilities, scores_undeclared.
void validate_scores(const ScoreMatrix& scores, std::int64_t images, std::int64_t classes, Scores kind,
                     std::int64_t rows, const std::string& where, const RowName& name,
                     double tolerance = default_probability_tolerance);

/// Class probabilities of one row of valid scores: softmax of logits (in double), or the declared probabilities with
/// rounding below 0 and above 1 cut off.
void to_probabilities(std::span<const float> scores, Scores kind, std::span<float> probabilities);

/// log p(label) / (1 - p(label)) of one row of valid scores, clipped to [-20, 20].
///
/// **Formula**: for logits score_label - log sum of exp of the others, which keeps its precision where p rounds to 0 or
/// 1.
[[nodiscard]] double log_odds(std::span<const float> scores, Scores kind, std::int64_t label);

}  // namespace classify
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/classify/detail/validate_scores_impl.hpp>
#endif
