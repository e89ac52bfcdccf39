// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of core/atomic_file.hpp on POSIX.

#include <faultline/core/atomic_file.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace faultline {
inline namespace v1 {
namespace core {
namespace detail {

/// Repeats a system call that a signal interrupted.
template <class Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

inline std::filesystem::path directory_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

/// Every temporary of `path` is called `.<name>.<something>.partial`.
inline std::string temporary_prefix(const std::filesystem::path& path) { return "." + path.filename().string() + "."; }
inline constexpr std::string_view temporary_suffix = ".partial";

/// Removes temporaries of `path` whose writer is gone. A live writer holds a lock on its file; on a file system without
/// locks nothing is removed, which is safe.
inline void remove_leftovers(const std::filesystem::path& path) noexcept {
  try {
    const std::string prefix = temporary_prefix(path);
    std::error_code ignored;
    for (std::filesystem::directory_iterator entry(directory_of(path), ignored), end; !ignored && entry != end;
         entry.increment(ignored)) {
      const std::string name = entry->path().filename().string();
      if (name.size() < prefix.size() + temporary_suffix.size() || name.rfind(prefix, 0) != 0 ||
          !std::string_view(name).ends_with(temporary_suffix))
        continue;
      const int descriptor = ::open(entry->path().c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
      if (descriptor < 0) continue;
      if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) ::unlink(entry->path().c_str());
      ::close(descriptor);
    }
  } catch (...) {  // tidying up is a courtesy and must not fail the write
  }
}

}  // namespace detail

FAULTLINE_INLINE AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  if (!path_.has_filename())
    throw Error(ErrorCode::cannot_write, "AtomicFile", "'" + path_.string() + "' names no file");
  detail::remove_leftovers(path_);
  // Distinct without any shared counter, and never used twice: who tidies may hold a file of an earlier writer that has
  // just been committed, and would take away the name of the next one.
  const auto self = std::to_string(::getpid()) + "-" + std::to_string(reinterpret_cast<std::uintptr_t>(this)) + "-" +
                    std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()) + "-";
  for (int attempt = 0; descriptor_ < 0; ++attempt) {
    temporary_ = detail::directory_of(path_) / (detail::temporary_prefix(path_) + self + std::to_string(attempt) +
                                                std::string(detail::temporary_suffix));
    descriptor_ = detail::uninterrupted(
        [&] { return ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); });
    if (descriptor_ < 0) {
      if (errno == EEXIST && attempt < 1000) continue;
      const int reason = errno;
      temporary_.clear();
      fail(ErrorCode::cannot_write, "create a temporary file beside it", reason);
    }
    // Between the creation and the lock a tidying process may have taken the file for a leftover: then it has no name
    // any more.
    struct stat status {};
    const bool refused = ::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (refused || (::fstat(descriptor_, &status) == 0 && status.st_nlink == 0)) {
      ::close(descriptor_);
      descriptor_ = -1;
    }
  }
}

FAULTLINE_INLINE AtomicFile::~AtomicFile() { discard(); }

FAULTLINE_INLINE void AtomicFile::write(std::span<const std::byte> bytes) {
  if (descriptor_ < 0)
    throw Error(ErrorCode::invalid_argument, "AtomicFile::write", "'" + path_.string() + "' is already committed");
  while (!bytes.empty()) {
    const std::size_t piece = std::min<std::size_t>(bytes.size(), std::size_t{1} << 30);
    const ssize_t written = detail::uninterrupted([&] { return ::write(descriptor_, bytes.data(), piece); });
    if (written < 0) fail(ErrorCode::cannot_write, "write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

FAULTLINE_INLINE void AtomicFile::commit() {
  if (descriptor_ < 0)
    throw Error(ErrorCode::invalid_argument, "AtomicFile::commit", "'" + path_.string() + "' is already committed");
  if (detail::uninterrupted([&] { return ::fsync(descriptor_); }) != 0) fail(ErrorCode::cannot_write, "flush", errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0)
    fail(ErrorCode::cannot_write, "rename the temporary file to it", errno);
  temporary_.clear();
  if (::close(std::exchange(descriptor_, -1)) != 0) fail(ErrorCode::not_durable, "close", errno);
  const int directory = detail::uninterrupted(
      [&] { return ::open(detail::directory_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (directory < 0) fail(ErrorCode::not_durable, "open its directory to flush it", errno);
  const int flushed = detail::uninterrupted([&] { return ::fsync(directory); });
  const int reason = errno;
  ::close(directory);
  if (flushed != 0) fail(ErrorCode::not_durable, "flush its directory", reason);
}

FAULTLINE_INLINE void AtomicFile::fail(ErrorCode code, const char* step, int reason) {
  discard();
  throw Error(
      code, "AtomicFile",
      std::string("could not ") + step + " for '" + path_.string() + "': " + std::generic_category().message(reason) +
          (code == ErrorCode::cannot_write ? "; the earlier file, if any, is unchanged"
                                           : "; the new contents are in place but may not survive a power loss"));
}

FAULTLINE_INLINE void AtomicFile::discard() noexcept {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  temporary_.clear();
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

FAULTLINE_INLINE void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

FAULTLINE_INLINE void write_file_atomically(const std::filesystem::path& path, std::string_view text) {
  write_file_atomically(path, std::as_bytes(std::span(text.data(), text.size())));
}

FAULTLINE_INLINE std::vector<std::byte> read_file(const std::filesystem::path& path, std::int64_t max_bytes) {
  const auto refuse = [&](int reason) {
    return Error(ErrorCode::cannot_open, "read_file",
                 "could not read '" + path.string() + "': " + std::generic_category().message(reason));
  };
  const auto too_large = [&] {
    return Error(ErrorCode::oversized, "read_file",
                 "'" + path.string() + "' has more than " + std::to_string(max_bytes) +
                     " bytes; raise the limit if that is intended");
  };
  const int descriptor = detail::uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  if (descriptor < 0) throw refuse(errno);
  struct Closer {
    int descriptor;
    ~Closer() { ::close(descriptor); }
  } const closer{descriptor};
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) throw refuse(errno);
  if (S_ISDIR(status.st_mode)) throw refuse(EISDIR);
  if (S_ISREG(status.st_mode) && status.st_size > max_bytes) throw too_large();

  // The size is only a hint (pipes have none, files grow): the buffer follows what really arrives.
  const auto limit = static_cast<std::size_t>(std::max<std::int64_t>(max_bytes, 0));
  std::vector<std::byte> bytes(std::min(limit, static_cast<std::size_t>(std::max<off_t>(status.st_size, 0))) + 1);
  std::size_t filled = 0;
  while (true) {
    const ssize_t got =
        detail::uninterrupted([&] { return ::read(descriptor, bytes.data() + filled, bytes.size() - filled); });
    if (got < 0) throw refuse(errno);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
    if (filled > limit) throw too_large();
    if (filled == bytes.size()) bytes.resize(std::min(2 * bytes.size() + 4096, limit + 1));
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace core
}  // namespace v1
}  // namespace faultline
