// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/problem/describe_method.hpp.

#include <faultline/analysis/problem/describe_method.hpp>

#include <faultline/core/number_text.hpp>

#include <cstdint>
#include <string>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE std::string option_text(double value) { return number_text(value); }
FAULTLINE_INLINE std::string option_text(std::int64_t value) { return std::to_string(value); }
FAULTLINE_INLINE std::string option_text(bool value) { return value ? "true" : "false"; }

FAULTLINE_INLINE void describe_method(Provenance& run, const MethodOptions& method) {
  run.alpha = method.alpha;
  run.method = option_values(method);
  run.command = method.command;
  for (const Property& property : method.properties) run.properties.push_back(property.name);
  if (!method.judge) return;
  run.judge_name = method.judge->name();
  run.judge_digest = method.judge->digest();
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
