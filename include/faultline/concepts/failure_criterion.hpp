// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The FailureCriterion concept and the shipped criteria: when does an answer count as a failure?

#include <faultline/config.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <span>

namespace faultline {
inline namespace v1 {

/// `criterion(probabilities, label)` is true when the answer is a failure. `probabilities` are the K class probabilities of one image (softmax of
/// declared logits, or the declared probabilities), so that a criterion means the same for both kinds of score.
/// *Law*: a pure function of its arguments.
template <class F>
concept FailureCriterion = requires(const F& f, std::span<const float> probabilities, std::int64_t label) {
  { f(probabilities, label) } -> std::convertible_to<bool>;
};

/// The paper's criterion: the class with the highest probability (the first among equals) is not the label.
struct Misclassified {
  [[nodiscard]] bool operator()(std::span<const float> probabilities, std::int64_t label) const noexcept {
    return std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin() != label;
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

}  // namespace v1
}  // namespace faultline
