// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/directions_csv.hpp.

#include <faultline/render/directions_csv.hpp>

#include <faultline/core/atomic_file.hpp>
#include <faultline/render/detail/text.hpp>
#include <faultline/render/report_labels.hpp>

#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

FAULTLINE_INLINE std::string directions_csv(const FailureReport& report) {
  std::string out =
      "list,rank,title,kind,properties,shape,class,sign,movability,moves_along,deviance_share,deviance_share_lower,"
      "deviance_share_upper,stability,p,"
      "p_adjusted,decision,effect,effect_lower,effect_upper,min_effect,placebo,latents,fraction,fraction_lower,"
      "fraction_upper,flip_sigmas,flip_lower,flip_upper,flip_share,even_odds_sigmas,even_odds_lower,even_odds_upper,"
      "even_odds_share,"
      "off_manifold,monotone,property_at_flip,judge_agreement,layer,channel,flat,channel_sign\r\n";
  const auto crossing = [](const std::optional<Crossing>& c) {
    return c ? exact(c->sigmas) + "," + exact(c->lower) + "," + exact(c->upper) + "," + exact(c->crossed_share)
             : std::string(",,,");
  };
  const auto listed = [](const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : " | ") + name;
    return text;
  };
  const auto flag = [](bool known, bool value) { return std::string(!known ? "" : value ? "true" : "false"); };
  const auto rows = [&](const char* list, const std::vector<Finding>& findings) {
    std::int64_t rank = 0;
    for (const Finding& f : findings) {
      const analysis::ConditionSummary& c = f.condition;
      const analysis::Intervention& e = f.intervention;
      std::string row = std::string(list) + "," + std::to_string(++rank) + "," + csv_cell(valid_utf8(f.title)) + "," +
                        std::string(core::enumerator_of(c.kind)) + "," + csv_cell(valid_utf8(listed(c.properties))) +
                        "," + (c.shape ? std::string(core::enumerator_of(*c.shape)) : std::string()) + ",";
      if (c.class_label) row += csv_cell(valid_utf8(class_name(report, *c.class_label)));
      row += "," + std::to_string(c.sign) + "," +
             (c.movability ? std::string(core::enumerator_of(*c.movability)) : std::string()) + "," +
             csv_cell(valid_utf8(c.moves_along.value_or("")));
      const auto numbers = [&row](std::initializer_list<std::optional<double>> values) {
        for (const std::optional<double>& value : values) row += "," + exact(value);
      };
      numbers({c.deviance_share.estimate, c.deviance_share.lower, c.deviance_share.upper, c.stability, f.confirmation.p,
               f.confirmation.p_adjusted});
      row += "," + (e.decision ? std::string(core::enumerator_of(*e.decision)) : std::string());
      numbers({e.effect, e.lower, e.upper, e.min_effect, e.placebo});
      row += "," + std::to_string(e.latents);
      numbers({f.attributable.fraction, f.attributable.lower, f.attributable.upper});
      const std::optional<Crossing>& flip = f.threshold.flip;
      row += "," + crossing(flip) + "," + crossing(f.threshold.even_odds) + "," +
             flag(flip.has_value(), flip && flip->off_manifold) + "," + flag(flip.has_value(), flip && flip->monotone);
      row += "," + (f.threshold.at_flip.empty() ? std::string() : exact(f.threshold.at_flip.front().median)) + "," +
             (f.validity.agreement ? exact(f.validity.agreement->estimate) : std::string());
      const bool carried = !f.carriers.empty();
      const bool located =
          carried && f.channel.layer >= 0 && f.channel.layer < static_cast<std::int64_t>(report.layers.size());
      row += "," + (located   ? csv_cell(valid_utf8(report.layers[static_cast<std::size_t>(f.channel.layer)].name))
                    : carried ? std::to_string(f.channel.layer)
                              : std::string());
      row += carried ? "," + std::to_string(f.channel.channel) + "," + std::to_string(f.channel.flat) + "," +
                           std::to_string(f.sign)
                     : std::string(",,,");
      out += row + "\r\n";
    }
  };
  rows("findings", report.findings);
  rows("associated", report.associated);
  rows("undecided", report.undecided);
  rows("not_movable", report.not_movable);
  rows("generators", report.generators);
  return out;
}

FAULTLINE_INLINE void write_directions_csv(const FailureReport& report, const std::filesystem::path& path) {
  core::write_file_atomically(path, directions_csv(report));
}

}  // namespace render

}  // namespace v1
}  // namespace faultline
