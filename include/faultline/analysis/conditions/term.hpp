// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the logistic model of failures is built from: terms, each a few columns (method.md: Conditions).

#include <faultline/analysis/conditions/condition_sample.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// What a term is made of.
enum class TermKind {
  value,       ///< a measured property, by its rank: a spline
  projection,  ///< of w̃ on the reading vector of a property: a spline; it belongs to the property and repairs
               ///< measurement error
  pair,        ///< product of the scores of two properties
  direction,   ///< a direction of w̃ that no property explains: a spline
  subspace,    ///< several directions at once, found by their second moments: a spline along each
};

/// One term of the model, for all classes or for one.
struct Term {
  TermKind kind = TermKind::value;
  std::int64_t property = -1;  ///< of value, projection and pair
  std::int64_t other = -1;     ///< second property of a pair
  std::optional<std::int64_t> class_label = std::nullopt;
  Matrix<double> directions = {};  ///< `[m, r]` unit vectors of direction (m = 1) and subspace

  /// Whether two terms are the same candidate; directions are compared as they are.
  friend bool operator==(const Term&, const Term&) = default;
};

/// Columns of a term on samples: `[N, q]`; rows of other classes are zero for a term of one class.
[[nodiscard]] Matrix<double> term_columns(const Term& term, const ConditionSample& sample);

/// Columns of several terms side by side.
[[nodiscard]] Matrix<double> design(std::span<const Term> terms, const ConditionSample& sample);

/// Number of columns of a term.
[[nodiscard]] std::int64_t column_count(const Term& term) noexcept;

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/conditions/detail/term_impl.hpp>
#endif
