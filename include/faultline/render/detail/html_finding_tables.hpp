// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The tables of one cause: its channels, its classes, where the paper starts.

#include <faultline/render/detail/html_numbers.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

inline std::string carriers_table(const FailureReport& report, const Finding& finding) {
  if (finding.carriers.empty()) return {};
  HtmlTable table(
      {{"Style channel"},
       {"Sign", true},
       {"Correlation", true},
       {"d, within classes", true},
       {"d, the paper's", true},
       {"Alone: distance to failure"}},
      "The single channels of the generator that go along with this direction most; d is how far failures and "
      "passes differ in it, in standard deviations. Moved alone they usually do far less: one channel is not "
      "the cause.");
  for (const analysis::Carrier& carrier : finding.carriers)
    table.row({html((carrier.layer_name.empty() ? channel_name(report, carrier.channel)
                                                : carrier.layer_name + ":" + std::to_string(carrier.channel.channel)) +
                    "  (" + std::to_string(carrier.channel.flat) + ")"),
               carrier.sign < 0 ? "−" : "+", signed_shown(carrier.correlation, 2), signed_shown(carrier.effect, 2),
               signed_shown(carrier.paper_effect, 2),
               carrier.threshold ? html(interval_text(carrier.threshold->flip))
                                 : "<span class=\"quiet\">not measured</span>"});
  return "<h4>Carriers in StyleSpace</h4>\n" + std::move(table).finish();
}

inline std::string centres_table(const FailureReport& report, const Finding& finding) {
  if (finding.threshold.centres.empty()) return {};
  HtmlTable table({{"Class"},
                   {"p(y) at the centre", true},
                   {"to p(y) = .5", true},
                   {"to the flip", true},
                   {"the paper's search", true}},
                  "Distances in standard deviations, starting from the centre of the well-classified samples of each "
                  "class (the paper's start latent); — where it is not reached.");
  const auto cell = [](const std::optional<double>& value) { return value ? shown(*value, 2) : std::string("—"); };
  const std::vector<std::int64_t> classes = shown_classes(report);
  for (const analysis::CentreDistance& centre : finding.threshold.centres)
    if (std::binary_search(classes.begin(), classes.end(), centre.class_label) || report.class_rates.empty())
      table.row({html(class_name(report, centre.class_label)), fixed(centre.probability, 2), cell(centre.even_odds),
                 cell(centre.flip), cell(centre.paper)});
  return "<h4>From the centre of each class</h4>\n" + std::move(table).finish();
}

/// One row per class: how its failures differ along the direction, and what moving does to it.
inline std::string class_split_table(const FailureReport& report, const Finding& finding) {
  const analysis::ClassSplit& split = finding.class_split;
  if (split.classes.size() < 2) return {};
  HtmlTable table(
      {{"Class"},
       {"Failures", true},
       {"Difference failures − passes, sd", true},
       {"Moved by ±2 sd: change of its failure rate, points", true},
       {"Latents moved", true}},
      "Failures and differences (with standard errors): samples that had no part in choosing the condition; "
      "— where a class has fewer than two failures or passes. The change, in percentage points, is that of "
      "few latents.");
  for (const std::int64_t label : shown_classes(report)) {
    const auto effect = std::find_if(split.classes.begin(), split.classes.end(),
                                     [&](const analysis::ClassEffect& e) { return e.class_label == label; });
    const auto& moved = finding.intervention.classes;
    const auto of_edit = std::find_if(
        moved.begin(), moved.end(), [&](const analysis::ClassInterventionEffect& c) { return c.class_label == label; });
    if (effect == split.classes.end() && of_edit == moved.end()) continue;
    table.row({html(class_name(report, label)), effect == split.classes.end() ? "—" : count(effect->failures),
               effect == split.classes.end() ? "—"
                                             : signed_shown(effect->effect, 2) + " <span class=\"quiet\">(" +
                                                   shown(effect->standard_error, 2) + ")</span>",
               of_edit == moved.end() ? "—" : signed_shown(100 * of_edit->effect, 0),
               of_edit == moved.end() ? "—" : count(of_edit->latents)});
  }
  const std::string share = split.common_share ? "All classes share " + share_text(split) +
                                                     " of the difference; the rest belongs to some of them. "
                                               : "";
  return "<h4>In each class</h4>\n<p>" +
         html(share + "Mean " + signed_shown(split.common, 2) + " sd, spread between classes " +
              shown(split.specific, 2) + " sd; equal differences in all classes: p " + p_value(split.p) + ".") +
         "</p>\n" + std::move(table).finish();
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
