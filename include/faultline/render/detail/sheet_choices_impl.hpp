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
  const auto key = [&](const analysis::ExampleLatent& example) {
    return example.flip && std::isfinite(*example.flip) ? std::abs(*example.flip - median) : 1e9;
  };
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const analysis::ExampleLatent& a, const analysis::ExampleLatent& b) { return key(a) < key(b); });
  std::vector<analysis::ExampleLatent> chosen;
  while (!sorted.empty() && static_cast<std::int64_t>(chosen.size()) < count) {
    std::set<std::int64_t> seen;
    std::vector<analysis::ExampleLatent> left;
    for (const analysis::ExampleLatent& example : sorted) {
      if (static_cast<std::int64_t>(chosen.size()) < count && seen.insert(example.label).second)
        chosen.push_back(example);
      else left.push_back(example);
    }
    sorted = std::move(left);
  }
  return chosen;
}

FAULTLINE_INLINE std::vector<double> sheet_shifts(const Finding& finding) {
  const auto reach = [](const std::optional<Crossing>& flip, double without) {
    return flip && std::isfinite(flip->sigmas) ? std::clamp(1.5 * flip->sigmas, 2.0, 12.0) : without;
  };
  const double right = reach(finding.threshold.flip, 6.0);
  const double left = finding.other_end ? reach(finding.other_end->flip, right) : 2.0;
  const auto below = [&](double step) {
    return finding.other_end ? std::ceil(left / step - 1e-9) : std::round(2.0 / step);
  };
  const auto above = [&](double step) { return std::ceil(right / step - 1e-9); };
  double step = 3.0;  // the finest of which nine are enough
  for (const double finer : {2.0, 1.5, 1.0, 0.5})
    if (below(finer) + above(finer) + 1 <= 9) step = finer;
  std::vector<double> shifts;
  for (double i = -below(step); i <= above(step); ++i) shifts.push_back(i * step);
  return shifts;
}

FAULTLINE_INLINE std::vector<analysis::ExampleLatent> class_examples(const Finding& finding) {
  std::vector<analysis::ExampleLatent> chosen;
  std::set<std::int64_t> seen;
  for (const analysis::ExampleLatent& example :
       typical_examples(finding, static_cast<std::int64_t>(finding.examples.size())))
    if (seen.insert(example.label).second) chosen.push_back(example);
  std::sort(chosen.begin(), chosen.end(),
            [](const analysis::ExampleLatent& a, const analysis::ExampleLatent& b) { return a.label < b.label; });
  return chosen;
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
