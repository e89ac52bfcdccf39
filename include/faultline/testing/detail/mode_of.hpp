// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Whether a gate is a smoke run or a full one, and the budget that goes with it.

#include <faultline/testing/gate_result.hpp>

#include <algorithm>
#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

/// The mode of a policy, and the budget that goes with it.
template <class Policy>
[[nodiscard]] GateMode mode_of(const Policy& policy) {
  return policy.mode ? *policy.mode : gate_mode();
}
template <class Policy>
[[nodiscard]] std::int64_t budget_of(const Policy& policy) {
  return mode_of(policy) == GateMode::smoke ? std::min(policy.max_samples, policy.smoke_samples) : policy.max_samples;
}

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
