// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/paper_json.hpp.

#include <faultline/render/paper_json.hpp>

#include <faultline/core/atomic_file.hpp>
#include <faultline/data/npy.hpp>
#include <faultline/render/detail/described_json.hpp>
#include <faultline/render/detail/described_reader.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
FAULTLINE_INLINE std::string to_json(const PaperReport& report) { return described_text(report); }

FAULTLINE_INLINE void write_json(const PaperReport& report, const std::filesystem::path& path) {
  core::write_file_atomically(path, to_json(report));
}

FAULTLINE_INLINE PaperReport parse_paper_report(std::string_view text, std::string_view name) {
  const std::string where = "read_paper_report(" + std::string(name) + ")";
  auto report = detail::read_described<PaperReport>(text, where, "paper.json of a run of the paper's method");
  detail::ReportChecks{where}.run(report.provenance);
  return report;
}

FAULTLINE_INLINE PaperReport read_paper_report(const std::filesystem::path& path) {
  return parse_paper_report(detail::report_text(path), path.string());
}

FAULTLINE_INLINE void write_corner_cases(const PaperReport& report, const std::filesystem::path& path) {
  std::vector<float> values;
  ImageShape shape;
  std::int64_t cases = 0;
  for (const paper::PaperClass& one : report.classes) {
    for (const paper::CornerCase& found : one.corner_cases) {
      shape = found.images.shape();
      values.insert(values.end(), found.images.data(), found.images.data() + found.images.count() * shape.elements());
      ++cases;
    }
  }
  if (cases > 0)
    data::write_npy(path, {cases, 2, shape.channels, shape.height, shape.width}, std::span<const float>(values));
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
