// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Test cases that need data which may be absent: tagged [.data], each with a CTest entry of its own
// (tests/CMakeLists.txt), so that ending the program skips this case and no other.

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

/// Exit code that CTest lists as "skipped".
inline constexpr int skipped = 77;

/// Ends the program as skipped, for the stated reason. Catch2 2 knows no skipping, so both versions are left in this
/// way.
[[noreturn]] inline void skip_program(const std::string& reason) {
  std::cout << "skipped: " << reason << std::endl;
  std::_Exit(skipped);
}

/// `path`, or the program ends as skipped when there is nothing there.
inline std::filesystem::path present_or_skip(const std::filesystem::path& path, const std::string& remedy) {
  if (!std::filesystem::exists(path)) skip_program("there is no " + path.string() + "; " + remedy);
  return path;
}
