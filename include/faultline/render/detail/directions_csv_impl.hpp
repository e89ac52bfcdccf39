// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/directions_csv.hpp.

#include <faultline/render/directions_csv.hpp>

#include <faultline/core/atomic_file.hpp>
#include <faultline/render/detail/text.hpp>
#include <faultline/render/titles.hpp>

#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>

namespace faultline {
inline namespace v1 {
namespace render {

FAULTLINE_INLINE std::string directions_csv(const FailureReport& report) {
  std::string out =
      "status,rank,name,family,class,layer,channel,flat,sign,discovery_effect,discovery_auc,confirmation_effect,"
      "confirmation_auc,p,p_adjusted,q,contrast,contrast_lower,placebo,"
      "probability_contrast,repaired_share,repaired_placebo,coverage,explained,flip_sigmas,flip_lower,flip_upper,flip_"
      "share,half_sigmas,half_lower,half_upper,half_share,off_manifold,"
      "monotone,property,property_strength,judge_agreement\r\n";
  const auto crossing = [](const std::optional<Crossing>& c) {
    return c ? exact(c->sigmas) + "," + exact(c->lower) + "," + exact(c->upper) + "," + exact(c->crossed_share)
             : std::string(",,,0");
  };
  const auto rows = [&](const char* status, const std::vector<Finding>& findings) {
    std::int64_t rank = 0;
    for (const Finding& f : findings) {
      const analysis::InterventionEffect& e = f.intervention;
      const bool located = f.channel.layer >= 0 && f.channel.layer < static_cast<std::int64_t>(report.layers.size());
      std::string row = std::string(status) + "," + std::to_string(++rank) + "," +
                        csv_cell(valid_utf8(f.direction.name)) + "," +
                        std::string(core::enumerator_of(f.direction.family)) + ",";
      if (f.direction.class_label) row += csv_cell(valid_utf8(class_name(report, *f.direction.class_label)));
      row += "," + csv_cell(located ? valid_utf8(report.layers[static_cast<std::size_t>(f.channel.layer)].name)
                                    : std::to_string(f.channel.layer));
      row +=
          "," + std::to_string(f.channel.channel) + "," + std::to_string(f.channel.flat) + "," + std::to_string(f.sign);
      for (const std::optional<double>& value : std::initializer_list<std::optional<double>>{
               f.discovery.effect, f.discovery.auc, f.confirmation.effect, f.confirmation.auc, f.confirmation.p,
               f.confirmation.p_adjusted, f.confirmation.q, e.contrast, e.lower, e.placebo, e.probability_contrast,
               e.repaired_share, e.repaired_placebo, e.coverage, f.direction.explained})
        row += "," + exact(value);
      row += "," + crossing(f.threshold.flip) + "," + crossing(f.threshold.half) + ",";
      if (f.threshold.flip) row += f.threshold.flip->off_manifold ? "true," : "false,";
      else row += ",";
      if (f.threshold.flip) row += f.threshold.flip->monotone ? "true," : "false,";
      else row += ",";
      row += csv_cell(valid_utf8(f.property.name)) + "," + exact(f.property.strength) + "," +
             (f.validity.judge_agreement ? exact(*f.validity.judge_agreement) : std::string());
      out += row + "\r\n";
    }
  };
  rows("finding", report.findings);
  rows("generator_suspect", report.generator_suspect);
  rows("associated", report.associated);
  return out;
}

FAULTLINE_INLINE void write_directions_csv(const FailureReport& report, const std::filesystem::path& path) {
  core::write_file_atomically(path, directions_csv(report));
}

}  // namespace render

}  // namespace v1
}  // namespace faultline
