// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The slider of a cause: radio buttons in a row, of which the checked one shows its frame. That is keyboard and screen
// reader as the browser has them, and needs no script.

#include <faultline/render/detail/html_parts.hpp>
#include <faultline/render/sweep.hpp>
#include <faultline/render/report_labels.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// Positions that a slider has at most.
inline constexpr std::size_t most_frames = 25;

inline constexpr std::string_view sweep_style = R"css(
.sweep{margin:16px 0 8px;padding:14px 16px 10px;border:1px solid #dee2e6;border-radius:8px;background:#fbfcfd}
.sweep>input{appearance:none;-webkit-appearance:none;width:calc(100%/var(--n));height:30px;margin:0;padding:0;border:0;vertical-align:top;cursor:pointer;background:linear-gradient(#adb5bd,#adb5bd) center/100% 4px no-repeat}
.sweep>input.zero{background:linear-gradient(#495057,#495057) center/2px 16px no-repeat,linear-gradient(#adb5bd,#adb5bd) center/100% 4px no-repeat}
.sweep>input:checked{background:radial-gradient(circle closest-side,#0072b2 0 10px,transparent 11px) center/100% 100% no-repeat,linear-gradient(#adb5bd,#adb5bd) center/100% 4px no-repeat}
.sweep>input:hover:not(:checked){background:radial-gradient(circle closest-side,#99c7e0 0 8px,transparent 9px) center/100% 100% no-repeat,linear-gradient(#adb5bd,#adb5bd) center/100% 4px no-repeat}
.sweep>input:focus-visible{outline:2px solid #0072b2;outline-offset:-1px;border-radius:6px}
.sweep .ends{display:flex;justify-content:space-between;font-size:13px;color:#56606a}
.sweep .frame{display:none}
.sweep .now{margin:8px 0 6px;max-width:none;font-variant-numeric:tabular-nums}
.sweep ul{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:10px}
.sweep li{width:116px;border:3px solid #ced4da;border-radius:6px;padding:5px;background:#fff;font-size:13px;line-height:1.35;font-variant-numeric:tabular-nums}
.sweep li.fails{border-color:#d55e00}
.sweep li img{width:100%;height:auto;display:block;image-rendering:pixelated}
.sweep li .bar{display:block;height:6px;padding:0;margin:5px 0 3px;background:#e9ecef;border-radius:3px;overflow:hidden}
.sweep li .bar i{display:block;height:100%;background:#0072b2}
.sweep li.fails .bar i{background:#d55e00}
@media print{.sweep{display:none}}
)css";

/// Rules that show the frame of the checked position.
inline std::string sweep_rules(std::size_t frames) {
  std::string rules;
  for (std::size_t k = 1; k <= frames; ++k)
    rules += std::string(k == 1 ? "" : ",") + ".sweep>input:nth-of-type(" + std::to_string(k) +
             "):checked~.frames>.frame:nth-child(" + std::to_string(k) + ")";
  return frames == 0 ? rules : rules + "{display:block}\n";
}

/// Positions of the longest slider.
inline std::size_t most_positions(const std::vector<Sweep>& sweeps) {
  std::size_t most = 0;
  for (const Sweep& sweep : sweeps) most = std::max(most, std::min(sweep.frames.size(), most_frames));
  return most;
}

/// "+1.5 sd", "the start".
inline std::string shift_words(double shift) {
  return shift == 0.0 ? "the start"
                      : signed_shown(shift, shift == std::round(shift)                             ? 0
                                            : std::abs(10 * shift - std::round(10 * shift)) < 1e-6 ? 1
                                                                                                   : 2) +
                            "\u00A0sd";
}

/// What a frame shows, in one line.
inline std::string frame_words(const Sweep& sweep, std::size_t frame) {
  const std::vector<SweepImage>& images = sweep.frames[frame];
  std::size_t failed = 0, measured_ones = 0;
  double probability = 0.0, property = 0.0;
  for (const SweepImage& image : images) {
    failed += image.failed ? 1 : 0;
    probability += image.probability / static_cast<double>(images.size());
    if (image.property) property += *image.property, ++measured_ones;
  }
  std::string text = "At " + shift_words(sweep.shifts[frame]) + ": ";
  if (measured_ones > 0)
    text +=
        sweep.property + " " + with_unit(measured(property / static_cast<double>(measured_ones)), sweep.unit) + ", ";
  return text + "probability of the right class " + shown(probability, 2) + " (means of these images); " +
         std::to_string(failed) + " of " + std::to_string(images.size()) + (failed == 1 ? " fails" : " fail");
}

inline std::string sweep_image(const FailureReport& report, const Sweep& sweep, std::int64_t label,
                               const SweepImage& image) {
  const std::string said = class_name(report, image.prediction), own = class_name(report, label);
  const double share = std::isfinite(image.probability) ? std::min(std::max(image.probability, 0.0), 1.0) : 0.0;
  std::string out = std::string("<li") + (image.failed ? " class=\"fails\"" : "") +
                    "><img src=\"data:image/png;base64," + base64(image.png) + "\" width=\"" +
                    std::to_string(sweep.width) + "\" height=\"" + std::to_string(sweep.height) + "\" alt=\"image of " +
                    html(own) +
                    "\"><span class=\"bar\" aria-hidden=\"true\"><i style=\"width:" + fixed(100.0 * share, 0) +
                    "%\"></i></span>label " + html(own) + ", p " + html(shown(image.probability, 2)) + "<br>" +
                    (image.failed ? "<b>reads " + html(said) + "</b>" : "reads " + html(said));
  if (image.property)
    out += "<br><span class=\"quiet\">" + html(sweep.property + " " + measured(*image.property)) + "</span>";
  return out + "</li>";
}

/// The slider; empty without frames.
inline std::string sweep_figure(const FailureReport& report, const std::vector<Sweep>& sweeps,
                                const std::string& name) {
  for (const Sweep& sweep : sweeps) {
    if (sweep.name != name || sweep.frames.empty() || sweep.frames.size() != sweep.shifts.size()) continue;
    const std::size_t count = std::min(sweep.frames.size(), most_frames);
    std::size_t start = 0;
    for (std::size_t k = 0; k < count; ++k)
      if (std::abs(sweep.shifts[k]) < std::abs(sweep.shifts[start])) start = k;
    std::string out =
        "<div class=\"sweep\" role=\"group\" aria-label=\"Move these images along the cause\" style=\"--n:" +
        std::to_string(count) + "\">\n";
    for (std::size_t k = 0; k < count; ++k)
      out += "<input type=\"radio\" name=\"sweep-" + name + "\" title=\"" + html(shift_words(sweep.shifts[k])) +
             "\" aria-label=\"" + html(frame_words(sweep, k)) + "\"" +
             (sweep.shifts[k] == 0.0 ? " class=\"zero\"" : "") + (k == start ? " checked=\"\"" : "") + ">";
    out += "\n<div class=\"ends\"><span>" + html(shift_words(sweep.shifts.front())) + "</span><span>" +
           "move: click, or the arrow keys</span><span>" + html(shift_words(sweep.shifts[count - 1])) +
           "</span></div>\n<div class=\"frames\">\n";
    for (std::size_t k = 0; k < count; ++k) {
      out += "<div class=\"frame\"><p class=\"now\">" + html(frame_words(sweep, k)) + "</p><ul>";
      for (std::size_t i = 0; i < std::min(sweep.frames[k].size(), sweep.labels.size()); ++i)
        out += sweep_image(report, sweep, sweep.labels[i], sweep.frames[k][i]);
      out += "</ul></div>\n";
    }
    return out + "</div></div>\n";
  }
  return {};
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
