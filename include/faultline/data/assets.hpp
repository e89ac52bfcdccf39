// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Where the shipped models lie.

#include <faultline/config.hpp>

#include <filesystem>
#include <string>

namespace faultline {
inline namespace v1 {
namespace data {

/// The file of a shipped model: `digits`, `clean`, `robust` or `judge`, with `.safetensors`.
///
/// Looks into the directory that the environment variable `FAULTLINE_ASSETS_DIR` names and nowhere else; when that is
/// not set (or empty), into `assets/` from the working directory, then into `../share/faultline/assets` from the folder
/// of the running program, which is where packages have them.
/// **Throws** `data_unavailable`, which says where it looked.
/// Example: `auto classifier = load_classifier(find_asset("clean.safetensors"));`
[[nodiscard]] std::filesystem::path find_asset(const std::string& name);

}  // namespace data

using data::find_asset;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/data/detail/assets_impl.hpp>
#endif
