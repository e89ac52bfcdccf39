// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The processor's name: kernels differ between processors, so bit equality is promised on one type only and the report
// says which.

#include <faultline/config.hpp>

#include <fstream>
#include <string>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// The model name the Linux kernel states, or "unknown".
[[nodiscard]] inline std::string cpu_name() {
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
