// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/problem/detail/cpu_name.hpp.

#include <faultline/analysis/problem/detail/cpu_name.hpp>
#include <fstream>
#include <string>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

FAULTLINE_INLINE std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind("model name", 0) != 0) continue;
    const auto start = line.find(": ");
    if (start != std::string::npos) return line.substr(start + 2);
  }
  return "unknown";
}

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
