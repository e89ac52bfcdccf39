// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The options of a run's method as its description keeps them.

#include <faultline/analysis/problem/options.hpp>
#include <faultline/analysis/provenance.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

[[nodiscard]] std::string option_text(double value);
[[nodiscard]] std::string option_text(std::int64_t value);
[[nodiscard]] std::string option_text(bool value);

/// The numbers of options, as a description keeps them.
template <class Options>
[[nodiscard]] std::vector<OptionValue> option_values(const Options& options) {
  std::vector<OptionValue> values;
  for_each_number(options, [&](const char* name, auto value) { values.push_back({name, option_text(value)}); });
  return values;
}

/// Adds the method to a description.
void describe_method(Provenance& run, const MethodOptions& method);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/problem/detail/describe_method_impl.hpp>
#endif
