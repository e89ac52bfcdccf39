// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/detail/report_files.hpp.

#include <faultline/render/detail/report_files.hpp>
#include <faultline/core/atomic_file.hpp>
#include <faultline/data/png.hpp>
#include <faultline/render/charts.hpp>
#include <faultline/render/detail/page_budget.hpp>
#include <faultline/render/directions_csv.hpp>
#include <faultline/render/html_report.hpp>
#include <faultline/render/json_report.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

FAULTLINE_INLINE std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  return {bytes.begin(), bytes.end()};
}

FAULTLINE_INLINE std::vector<ReportFile> report_files(const FailureReport& report,
                                                      const std::vector<NamedSheet>& sheets,
                                                      const RenderOptions& options, const std::vector<Sweep>& sweeps) {
  std::vector<ReportFile> files = {{"report.json", bytes_of(to_json(report))},
                                   {"directions.csv", bytes_of(directions_csv(report))}};
  std::vector<ReportPicture> pictures;
  for (const NamedSheet& sheet : sheets) {
    pictures.push_back(
        {sheet.name, sheet.alt, sheet.picture.width, sheet.picture.height, data::encode_png(sheet.picture)});
    files.push_back({std::filesystem::path("sheets") / (sheet.name + ".png"), pictures.back().png});
  }
  const auto chart = [&](const std::string& name, const std::optional<Drawing>& drawing) {
    if (!drawing) return;
    files.push_back({std::filesystem::path("charts") / (name + ".svg"), bytes_of(drawing->svg())});
    files.push_back({std::filesystem::path("charts") / (name + ".png"), data::encode_png(drawing->raster())});
  };
  const auto all = [&](const std::string& key, const std::vector<Finding>& findings) {
    for (std::size_t i = 0; i < findings.size(); ++i) {
      const std::string prefix = key + "-" + std::to_string(i + 1) + "-";
      chart(prefix + "confidence", confidence_chart(report, findings[i]));
      chart(prefix + "histogram", histogram_chart(report, findings[i]));
      chart(prefix + "properties", side_effect_chart(report, findings[i]));
      chart(prefix + "property", property_chart(report, findings[i]));
      for (std::size_t k = 0; k < findings[i].response.size(); ++k)
        chart(prefix + "response" + (k == 0 ? std::string() : "-" + std::to_string(k + 1)),
              response_chart(report, findings[i], findings[i].response[k], "failure rate"));
    }
  };
  all("finding", report.findings);
  for (std::size_t i = 0; i < report.interactions.size(); ++i)
    chart("map-" + std::to_string(i + 1), property_map_chart(report.interactions[i]));
  chart("attributable", attributable_chart(report));
  chart("distances", distance_chart(report));
  chart("interventions", intervention_chart(report));
  chart("classes", class_chart(report));
  const std::size_t text = html_report(report, {}, options).size();
  std::vector<Sweep> shown = sweeps;
  fit_page(pictures, shown, page_bytes - std::min(text, page_bytes));
  files.push_back({"report.html", bytes_of(html_report(report, pictures, options, shown))});
  return files;
}

/// Names that only an earlier report of this library can have left: "finding-3.png", "suspect-1-histogram.svg",
/// "degradation.png", ...
inline bool is_report_picture(const std::string& name, std::string_view extension) {
  if (name.size() <= extension.size() || std::string_view(name).substr(name.size() - extension.size()) != extension)
    return false;
  const std::string stem = name.substr(0, name.size() - extension.size());
  for (const char* known :
       {"degradation", "paper-top", "failures", "distances", "interventions", "classes", "attributable"})
    if (stem == known) return true;
  for (const std::string prefix : {"finding-", "map-", "suspect-"})
    if (stem.rfind(prefix, 0) == 0) {
      const std::size_t end = stem.find_first_not_of("0123456789", prefix.size());
      const std::string rest = end == std::string::npos ? "" : stem.substr(end);
      return end != prefix.size() &&
             (rest.empty() || rest.rfind("-response-", 0) == 0 || rest == "-confidence" || rest == "-histogram" ||
              rest == "-properties" || rest == "-property" || rest == "-response" || rest == "-classes");
    }
  return false;
}

FAULTLINE_INLINE void write_report_files(const std::vector<ReportFile>& files, const std::filesystem::path& directory) {
  namespace fs = std::filesystem;
  std::vector<fs::path> added;  // in the order they came into being
  try {
    std::set<fs::path> wanted;
    const auto make_folder = [&](const fs::path& folder) {
      std::vector<fs::path> missing;
      for (fs::path at = folder; !at.empty() && !fs::exists(at); at = at.parent_path()) missing.push_back(at);
      for (; !missing.empty(); missing.pop_back())
        if (fs::create_directory(missing.back())) added.push_back(missing.back());
    };
    for (const ReportFile& file : files) {
      const fs::path path = directory / file.name;
      make_folder(path.parent_path());
      const bool is_new = !fs::exists(path);
      core::write_file_atomically(path, file.bytes);
      if (is_new) added.push_back(path);
      wanted.insert(path);
    }
    for (const auto& [folder, extension] :
         {std::pair{"sheets", ".png"}, std::pair{"charts", ".svg"}, {"charts", ".png"}}) {
      if (!fs::is_directory(directory / folder)) continue;
      std::vector<fs::path> stale;
      for (const fs::directory_entry& entry : fs::directory_iterator(directory / folder))
        if (is_report_picture(entry.path().filename().string(), extension) && wanted.find(entry.path()) == wanted.end())
          stale.push_back(entry.path());
      for (const fs::path& path : stale) fs::remove(path);
    }
  } catch (...) {
    std::error_code ignored;
    for (auto at = added.rbegin(); at != added.rend(); ++at) fs::remove(*at, ignored);
    try {
      throw;
    } catch (const fs::filesystem_error& error) {
      throw Error(ErrorCode::cannot_write, "DirectionRenderer::write_report",
                  "could not write the report below '" + directory.string() + "': " + error.code().message() + " ('" +
                      error.path1().string() + "'); choose a folder that can be written to");
    }
  }
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
