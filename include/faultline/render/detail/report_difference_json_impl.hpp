// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/report_difference_json.hpp.

#include <faultline/render/report_difference_json.hpp>

#include <faultline/render/detail/described_json.hpp>

namespace faultline {
inline namespace v1 {
namespace render {

FAULTLINE_INLINE std::string to_json(const ReportDifference& difference) { return described_text(difference); }

}  // namespace render
}  // namespace v1
}  // namespace faultline
