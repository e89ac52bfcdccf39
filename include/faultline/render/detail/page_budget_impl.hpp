// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/detail/page_budget.hpp.

#include <faultline/render/detail/page_budget.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// Characters of base64.
[[nodiscard]] inline std::size_t base64_bytes(std::size_t bytes) noexcept { return (bytes + 2) / 3 * 4; }

[[nodiscard]] inline std::size_t embedded_bytes(const Sweep& sweep) noexcept {
  constexpr std::size_t markup_of_image = 500, markup_of_frame = 700;
  std::size_t total = 0;
  for (const std::vector<SweepImage>& frame : sweep.frames) {
    total += markup_of_frame + sweep.property.size() + sweep.unit.size();
    for (const SweepImage& image : frame) total += base64_bytes(image.png.size()) + markup_of_image;
  }
  return total;
}

FAULTLINE_INLINE std::size_t embedded_bytes(const std::vector<ReportPicture>& pictures,
                                            const std::vector<Sweep>& sweeps) {
  constexpr std::size_t markup_of_picture = 400;
  std::size_t total = 0;
  for (const ReportPicture& picture : pictures)
    total += (picture.link.empty() ? base64_bytes(picture.png.size()) : 0) + markup_of_picture + picture.alt.size();
  for (const Sweep& sweep : sweeps) total += embedded_bytes(sweep);
  return total;
}

/// Every second frame, counted from the start, and the two ends.
[[nodiscard]] inline Sweep thinned(const Sweep& sweep) {
  const auto start = static_cast<std::size_t>(
      std::find_if(sweep.shifts.begin(), sweep.shifts.end(), [](double shift) { return shift >= 0.0; }) -
      sweep.shifts.begin());
  Sweep out = sweep;
  out.shifts.clear();
  out.frames.clear();
  for (std::size_t k = 0; k < std::min(sweep.shifts.size(), sweep.frames.size()); ++k)
    if (k == 0 || k + 1 == sweep.shifts.size() || (k % 2) == (start % 2)) {
      out.shifts.push_back(sweep.shifts[k]);
      out.frames.push_back(sweep.frames[k]);
    }
  return out;
}

FAULTLINE_INLINE void fit_page(std::vector<ReportPicture>& pictures, std::vector<Sweep>& sweeps, std::size_t budget) {
  const auto fits = [&] { return embedded_bytes(pictures, sweeps) <= budget; };
  const auto link = [&](const std::string& name) {
    for (ReportPicture& picture : pictures)
      if (picture.name == name) picture.link = "sheets/" + name + ".png";
  };
  const auto numbered = [](const std::string& name) {
    return name.rfind("finding-", 0) == 0 && name.find('-', 8) == std::string::npos;
  };
  std::vector<std::string> causes;  // the last one first
  for (const ReportPicture& picture : pictures)
    if (numbered(picture.name)) causes.insert(causes.begin(), picture.name);

  for (const std::string& cause : causes)
    if (!fits()) link(cause + "-classes");
  for (auto sweep = sweeps.rbegin(); sweep != sweeps.rend() && !fits(); ++sweep) *sweep = thinned(*sweep);
  if (!fits()) link("paper-top");
  for (const std::string& cause : causes)
    if (!fits()) link(cause);
  for (const char* name : {"degradation", "failures"})
    if (!fits()) link(name);
  while (!fits() && !sweeps.empty()) sweeps.pop_back();
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
