// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Files that are either the old one or the new one, whatever happens in between: a crash, a full disk, power loss. Also
// reading a whole file.

#include <faultline/error.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace core {

/// Writes a file so that its name never shows anything but complete contents.
///
/// The bytes go to a temporary file in the same directory; `commit` flushes it to the disk, renames it over `path` and
/// flushes the directory. Destroyed without a commit, the temporary is removed and `path` is untouched. A temporary
/// left by a process that was killed is removed by the next writer of the same `path`; one that another process is
/// still writing is recognised by its lock and left alone. Of two writers of one path the later commit wins. A symbolic
/// link is replaced, not followed.
/// **Throws** `cannot_write` (disk full, permissions, no such directory): `path` is as it was, no temporary stays;
/// `not_durable`: `path` has the new contents, but a power loss may bring the old ones back. Names the path and the
/// system's reason.
/// **Cost**: one pass, unbuffered: write large pieces.
/// Example: `AtomicFile file("state.bin"); file.write(header); file.write(body); file.commit();`
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Appends bytes to the temporary file.
  void write(std::span<const std::byte> bytes);

  /// Makes everything written the contents of `path`. Call it once, last.
  void commit();

 private:
  [[noreturn]] void fail(ErrorCode code, const char* step, int reason);
  void discard() noexcept;

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

/// Replaces the contents of `path` by `bytes`, all or nothing. **Throws** and behaves as `AtomicFile`.
///
/// Example: `write_file_atomically("report.json", text);`
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// The same for a text.
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

/// All bytes of a file.
///
/// **Throws** `cannot_open` when it is absent, unreadable or a directory; `oversized` when it has more than
/// `max_bytes`, before memory is taken for them.
/// **Cost**: the file's size in memory.
[[nodiscard]] std::vector<std::byte> read_file(const std::filesystem::path& path,
                                               std::int64_t max_bytes = std::int64_t{1} << 32);

}  // namespace core
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/core/detail/atomic_file_impl.hpp>
#endif
