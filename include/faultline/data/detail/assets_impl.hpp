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
  namespace fs = std::filesystem;
  std::error_code ignored;
  const auto is_there = [&](const fs::path& path) { return fs::is_regular_file(path, ignored); };
  const char* const directory = std::getenv("FAULTLINE_ASSETS_DIR");
  if (directory != nullptr && *directory != '\0') {
    if (const fs::path named = fs::path(directory) / name; is_there(named)) return named;
    throw Error(
        ErrorCode::data_unavailable, "find_asset",
        "there is no file '" + (fs::path(directory) / name).string() + "'; FAULTLINE_ASSETS_DIR names that directory");
  }
  const fs::path here = fs::path("assets") / name;
  if (is_there(here)) return here;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);  // empty where there is no /proc
  const fs::path installed =
      program.empty() ? fs::path() : (program.parent_path() / "../share/faultline/assets" / name).lexically_normal();
  if (is_there(installed)) return installed;
  throw Error(ErrorCode::data_unavailable, "find_asset",
              "there is no file '" + here.string() + "'" +
                  (installed.empty() ? std::string() : " and no '" + installed.string() + "'") +
                  "; start in the project's root, or set FAULTLINE_ASSETS_DIR to its assets directory");
}

}  // namespace data

}  // namespace v1
}  // namespace faultline
