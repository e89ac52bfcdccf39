// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/json_report.hpp.

#include <faultline/render/json_report.hpp>

#include <faultline/core/atomic_file.hpp>
#include <faultline/render/detail/described_json.hpp>

namespace faultline {
inline namespace v1 {
namespace render {

FAULTLINE_INLINE std::string to_json(const FailureReport& report) { return described_text(report); }

FAULTLINE_INLINE void write_json(const FailureReport& report, const std::filesystem::path& path) {
  core::write_file_atomically(path, to_json(report));
}

}  // namespace render
}  // namespace v1
}  // namespace faultline
