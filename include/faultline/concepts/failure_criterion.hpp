// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The FailureCriterion concept and the shipped criteria: when does an answer count as a failure?

#include <faultline/config.hpp>
#include <faultline/core/number_text.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace faultline {
inline namespace v1 {

/// `criterion(probabilities, label)` is true when the answer is a failure. `probabilities` are the K class
/// probabilities of one image (softmax of declared logits, or the declared probabilities), so that a criterion means
/// the same for both kinds of score. *Law*: a pure function of its arguments. A criterion may state `name()`, which
/// reports show.
template <class F>
concept FailureCriterion = requires(const F& f, std::span<const float> probabilities, std::int64_t label) {
  { f(probabilities, label) } -> std::convertible_to<bool>;
};

/// The paper's criterion: the label is not the one class with the highest probability. An answer that ties at the top
/// (of float probabilities, which logits that differ by less than 1e-7 share) names no class, so it is a failure.
struct Misclassified {
  [[nodiscard]] bool operator()(std::span<const float> probabilities, std::int64_t label) const noexcept {
    const auto own = static_cast<std::size_t>(label);
    for (std::size_t k = 0; k < probabilities.size(); ++k)
      if (k != own && !(probabilities[k] < probabilities[own])) return true;
    return false;
  }
};

/// The label's probability is below `p`.
struct TrueClassBelow {
  double p = 0.5;
  [[nodiscard]] bool operator()(std::span<const float> probabilities, std::int64_t label) const noexcept {
    return static_cast<double>(probabilities[static_cast<std::size_t>(label)]) < p;
  }
};

/// The label's probability minus the largest other one is below `m`, in [-1, 1].
struct MarginBelow {
  double m = 0.0;
  [[nodiscard]] bool operator()(std::span<const float> probabilities, std::int64_t label) const noexcept {
    double other = 0.0;
    for (std::size_t k = 0; k < probabilities.size(); ++k)
      if (static_cast<std::int64_t>(k) != label) other = std::max(other, static_cast<double>(probabilities[k]));
    return static_cast<double>(probabilities[static_cast<std::size_t>(label)]) - other < m;
  }
};

/// What a report calls a criterion: its own `name()`, or that of a shipped one; "custom" for any other.
template <FailureCriterion F>
[[nodiscard]] std::string criterion_name(const F& criterion) {
  if constexpr (requires {
                  { criterion.name() } -> std::convertible_to<std::string>;
                })
    return criterion.name();
  else if constexpr (std::same_as<F, Misclassified>) return "misclassified";
  else if constexpr (std::same_as<F, TrueClassBelow>)
    return "probability of the true class below " + number_text(criterion.p);
  else if constexpr (std::same_as<F, MarginBelow>) return "margin below " + number_text(criterion.m);
  else return "custom";
}

/// What a criterion says of one answer; `where` names the caller in the error.
///
/// **Throws** property_threw, with the original nested, when the criterion throws.
template <FailureCriterion F>
[[nodiscard]] bool judge_outcome(const std::string& where, const F& criterion, std::span<const float> probabilities,
                                 std::int64_t label) {
  try {
    return static_cast<bool>(criterion(probabilities, label));
  } catch (...) {
    std::throw_with_nested(
        Error(ErrorCode::property_threw, where, "the failure criterion threw for label " + std::to_string(label)));
  }
}

/// The C++ expression that makes a shipped criterion again, "fl::TrueClassBelow{.p = 0.4}"; empty for any other, which
/// no text can carry.
template <FailureCriterion F>
[[nodiscard]] std::string criterion_expression(const F& criterion) {
  if constexpr (requires {
                  { criterion.replay_expression() } -> std::convertible_to<std::string>;
                })
    return criterion.replay_expression();
  else if constexpr (std::same_as<F, Misclassified>) return "fl::Misclassified{}";
  else if constexpr (std::same_as<F, TrueClassBelow>)
    return std::isfinite(criterion.p) ? "fl::TrueClassBelow{.p = " + number_text(criterion.p) + "}" : "";
  else if constexpr (std::same_as<F, MarginBelow>)
    return std::isfinite(criterion.m) ? "fl::MarginBelow{.m = " + number_text(criterion.m) + "}" : "";
  else return "";
}

/// Any criterion, as a function; also what `criterion_from` gives.
using CriterionFunction = std::function<bool(std::span<const float> probabilities, std::int64_t label)>;

/// The shipped criterion that `criterion_expression` wrote down; nothing for any other text.
[[nodiscard]] inline std::optional<CriterionFunction> criterion_from(std::string_view expression) {
  if (expression == "fl::Misclassified{}") return Misclassified{};
  const auto parameter = [&](std::string_view before) -> std::optional<double> {
    if (!expression.starts_with(before) || !expression.ends_with("}")) return std::nullopt;
    return number_from(expression.substr(before.size(), expression.size() - before.size() - 1));
  };
  if (const auto p = parameter("fl::TrueClassBelow{.p = ")) return TrueClassBelow{*p};
  if (const auto m = parameter("fl::MarginBelow{.m = ")) return MarginBelow{*m};
  return std::nullopt;
}

}  // namespace v1
}  // namespace faultline
