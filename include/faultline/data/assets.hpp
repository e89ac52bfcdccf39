// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Where the shipped models lie.

#include <faultline/error.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace faultline {
inline namespace v1 {
namespace data {

/// The file of a shipped model: `digits`, `clean`, `robust` or `judge`, with `.safetensors`.
///
/// Looks into the directory that the environment variable `FAULTLINE_ASSETS_DIR` names; when that is not set (or
/// empty), into `assets/` from the working directory.
/// **Throws** `data_unavailable`, which says where it looked.
/// Example: `auto classifier = load_classifier(find_asset("clean.safetensors"));`
[[nodiscard]] inline std::filesystem::path find_asset(const std::string& name) {
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

using data::find_asset;

}  // namespace v1
}  // namespace faultline
