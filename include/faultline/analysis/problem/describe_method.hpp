// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The options of a run's method as its description keeps them.

#include <faultline/analysis/problem/options.hpp>
#include <faultline/analysis/provenance.hpp>
#include <faultline/core/number_text.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

[[nodiscard]] inline std::string option_text(double value) { return number_text(value); }
[[nodiscard]] inline std::string option_text(std::int64_t value) { return std::to_string(value); }
[[nodiscard]] inline std::string option_text(bool value) { return value ? "true" : "false"; }

/// The numbers of options, as a description keeps them.
template <class Options>
[[nodiscard]] std::vector<OptionValue> option_values(const Options& options) {
  std::vector<OptionValue> values;
  for_each_number(options, [&](const char* name, auto value) { values.push_back({name, option_text(value)}); });
  return values;
}

/// Adds the method to a description.
inline void describe_method(Provenance& run, const MethodOptions& method) {
  run.permutations_discovery = method.permutations_discovery;
  run.permutations_confirmation = method.permutations_confirmation;
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
