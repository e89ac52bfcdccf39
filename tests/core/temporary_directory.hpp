// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A directory of its own for one test case, and the two questions tests ask about errors and files.

#include <faultline/core/atomic_file.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <stdlib.h>

namespace faultline_tests {

/// Exists from construction to destruction.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "faultline-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  /// Names of everything in it, sorted.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      all.push_back(entry.path().filename().string());
    std::sort(all.begin(), all.end());
    return all;
  }

 private:
  std::filesystem::path path_;
};

/// The code of the `faultline::Error` that `call` throws; nothing when it throws none. Other exceptions pass through
/// and fail the test.
template <class Call>
std::optional<faultline::ErrorCode> error_code(Call&& call) {
  try {
    call();
  } catch (const faultline::Error& error) {
    return error.code();
  }
  return std::nullopt;
}

/// The message of the `faultline::Error` that `call` throws, empty when it throws none.
template <class Call>
std::string error_text(Call&& call) {
  try {
    call();
  } catch (const faultline::Error& error) {
    return error.what();
  }
  return {};
}

inline std::string text_of(const std::filesystem::path& path) {
  const auto bytes = faultline::core::read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace faultline_tests
