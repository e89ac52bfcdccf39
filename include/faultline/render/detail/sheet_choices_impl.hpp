// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/detail/sheet_choices.hpp.

#include <faultline/render/detail/sheet_choices.hpp>
#include <faultline/core/random.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

FAULTLINE_INLINE std::string latent_name(std::int64_t index) {
  if (index >= core::intervention_first && index < core::pilot_first)
    return "latent " + std::to_string(index - core::intervention_first);
  if (index >= core::start_first && index < core::intervention_first)
    return "start " + std::to_string(index - core::start_first);
  return "index " + std::to_string(index);
}

FAULTLINE_INLINE std::vector<analysis::ExampleLatent> typical_examples(const Finding& finding, std::int64_t count) {
  std::vector<analysis::ExampleLatent> sorted = finding.examples;
  const auto& flip = finding.threshold.flip;
  const double median = flip && std::isfinite(flip->sigmas) ? flip->sigmas : 0.0;
  const auto key = [&](const analysis::ExampleLatent& code) {
    return code.flip && std::isfinite(*code.flip) ? std::abs(*code.flip - median) : 1e9;
  };
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const analysis::ExampleLatent& a, const analysis::ExampleLatent& b) { return key(a) < key(b); });
  std::vector<analysis::ExampleLatent> chosen;
  while (!sorted.empty() && static_cast<std::int64_t>(chosen.size()) < count) {
    std::set<std::int64_t> seen;
    std::vector<analysis::ExampleLatent> left;
    for (const analysis::ExampleLatent& code : sorted) {
      if (static_cast<std::int64_t>(chosen.size()) < count && seen.insert(code.label).second) chosen.push_back(code);
      else left.push_back(code);
    }
    sorted = std::move(left);
  }
  return chosen;
}

FAULTLINE_INLINE std::vector<double> sheet_shifts(const Finding& finding) {
  const auto& flip = finding.threshold.flip;
  const double median = flip && std::isfinite(flip->sigmas) ? flip->sigmas : 4.0;
  const double reach = std::clamp(1.5 * median, 2.0, 12.0);
  for (const double step : {0.5, 1.0, 1.5, 2.0}) {
    const double below = std::round(2.0 / step), above = std::ceil(reach / step - 1e-9);
    if (below + above + 1 > 9) continue;
    std::vector<double> shifts;
    for (double i = -below; i <= above; ++i) shifts.push_back(i * step);
    return shifts;
  }
  return {-2, 0, 2, 4, 6, 8, 10, 12};
}

FAULTLINE_INLINE std::vector<analysis::ExampleLatent> class_examples(const Finding& finding) {
  std::vector<analysis::ExampleLatent> chosen;
  std::set<std::int64_t> seen;
  for (const analysis::ExampleLatent& code :
       typical_examples(finding, static_cast<std::int64_t>(finding.examples.size())))
    if (seen.insert(code.label).second) chosen.push_back(code);
  std::sort(chosen.begin(), chosen.end(),
            [](const analysis::ExampleLatent& a, const analysis::ExampleLatent& b) { return a.label < b.label; });
  return chosen;
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
