// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A picture that a page holds.

#include <faultline/config.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

/// A PNG picture for the page. The names that the page looks for: "degradation", "finding-1", "finding-1-classes",
/// "finding-2", ..., "paper-top", "failures".
struct ReportPicture {
  std::string name;
  std::string alt;  ///< what it shows, in words
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::vector<std::byte> png;
  std::string link = {};  ///< where it lies beside the page, which then has a link instead of the picture
};

}  // namespace render
}  // namespace v1
}  // namespace faultline
