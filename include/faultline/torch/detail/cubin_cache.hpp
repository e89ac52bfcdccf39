// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Compiled kernels on disk. An entry is whole or not there, says itself what it must hash to, and is made again when it
// does not.

#include <faultline/core/atomic_file.hpp>
#include <faultline/core/sha256.hpp>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {
namespace detail {

/// $FAULTLINE_CACHE_DIR/kernels, else $XDG_CACHE_HOME/faultline/kernels, else ~/.cache/faultline/kernels; empty when
/// none of them is set.
inline std::filesystem::path default_kernel_cache() {
  const auto set = [](const char* name) -> std::string_view {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view{} : std::string_view(value);
  };
  if (const auto folder = set("FAULTLINE_CACHE_DIR"); !folder.empty()) return std::filesystem::path(folder) / "kernels";
  if (const auto folder = set("XDG_CACHE_HOME"); !folder.empty())
    return std::filesystem::path(folder) / "faultline" / "kernels";
  if (const auto folder = set("HOME"); !folder.empty())
    return std::filesystem::path(folder) / ".cache" / "faultline" / "kernels";
  return {};
}

/// Entries by the text that decides their contents (source, options, versions). A folder that cannot be used makes a
/// cache that holds nothing.
class CubinCache {
 public:
  /// An empty folder: no cache.
  explicit CubinCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] static std::string key(std::string_view contents) { return sha256_hex(contents); }
  [[nodiscard]] std::filesystem::path path(const std::string& key) const { return folder_ / (key + ".cubin"); }

  /// The stored kernels, or nothing: absent, unreadable, cut off, or other bytes than were written.
  [[nodiscard]] std::optional<std::vector<char>> find(const std::string& key) const {
    if (folder_.empty()) return std::nullopt;
    try {
      const std::vector<std::byte> file = core::read_file(path(key), limit);
      const std::span<const std::byte> bytes(file);
      if (bytes.size() <= header_size) return std::nullopt;
      const auto body = bytes.subspan(header_size);
      const std::string header = header_of(body);
      if (std::string_view(reinterpret_cast<const char*>(bytes.data()), header_size) != header) return std::nullopt;
      const char* first = reinterpret_cast<const char*>(body.data());
      return std::vector<char>(first, first + body.size());
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  /// Keeps kernels; says whether that worked.
  bool store(const std::string& key, std::span<const char> cubin) const {
    if (folder_.empty()) return false;
    std::error_code problem;
    std::filesystem::create_directories(folder_, problem);
    try {
      core::AtomicFile file(path(key));
      file.write(std::as_bytes(std::span<const char>(header_of(std::as_bytes(cubin)))));
      file.write(std::as_bytes(cubin));
      file.commit();
      return true;
    } catch (const Error&) {
      return false;
    }
  }

 private:
  static constexpr std::string_view magic = "faultline.cubin/1\n";
  static constexpr std::size_t header_size = magic.size() + 65;  // the digest and a line end
  static constexpr std::int64_t limit = std::int64_t{64} << 20;

  [[nodiscard]] static std::string header_of(std::span<const std::byte> body) {
    return std::string(magic) + sha256_hex(body) + "\n";
  }

  std::filesystem::path folder_;
};

}  // namespace detail
}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
