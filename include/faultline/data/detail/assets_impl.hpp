// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of data/assets.hpp.

#include <faultline/data/assets.hpp>

#include <faultline/error.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace faultline {
inline namespace v1 {
namespace data {

FAULTLINE_INLINE std::filesystem::path find_asset(const std::string& name) {
  const char* const directory = std::getenv("FAULTLINE_ASSETS_DIR");
  const bool named = directory != nullptr && *directory != '\0';
  std::filesystem::path path = std::filesystem::path(named ? directory : "assets") / name;
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    throw Error(ErrorCode::data_unavailable, "find_asset",
                "there is no file '" + path.string() + "'; " +
                    (named ? "FAULTLINE_ASSETS_DIR names that directory"
                           : "start in the project's root, or set FAULTLINE_ASSETS_DIR to its assets directory"));
  return path;
}

}  // namespace data

}  // namespace v1
}  // namespace faultline
