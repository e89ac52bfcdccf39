// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The calls to write, fsync, rename and close that the library makes are routed through this file, which records their
// order and lets any of them fail.
#include <faultline/core/atomic_file.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <thread>

#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fl = faultline;
using faultline_tests::error_code;
using faultline_tests::error_text;
using faultline_tests::TemporaryDirectory;
using faultline_tests::text_of;
using fl::ErrorCode;

namespace {

struct Interception {
  bool active = false;
  std::vector<std::string> calls;
  int fail_at = -1;             ///< number of the call that fails, -1 for none
  int reason = EIO;             ///< errno of that failure
  int interrupted = 0;          ///< so many calls are interrupted by a signal first
  std::size_t short_write = 0;  ///< write at most so many bytes at once, 0 for no limit
} interception;

/// Records a call; true when it has to fail with errno set.
bool intercept(const std::string& name) {
  if (!interception.active) return false;
  if (interception.interrupted > 0) {
    --interception.interrupted;
    errno = EINTR;
    return true;
  }
  interception.calls.push_back(name);
  if (static_cast<int>(interception.calls.size()) - 1 != interception.fail_at) return false;
  errno = interception.reason;
  return true;
}

bool is_directory(int descriptor) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode);
}

struct Intercepted {
  Intercepted() {
    interception = {};
    interception.active = true;
  }
  ~Intercepted() { interception = {}; }
};

}  // namespace

extern "C" {
ssize_t write(int descriptor, const void* data, size_t count) {
  if (intercept("write")) return -1;
  if (interception.active && interception.short_write > 0) count = std::min(count, interception.short_write);
  return syscall(SYS_write, descriptor, data, count);
}
int fsync(int descriptor) {
  if (intercept(is_directory(descriptor) ? "fsync directory" : "fsync file")) return -1;
  return static_cast<int>(syscall(SYS_fsync, descriptor));
}
int rename(const char* from, const char* to) noexcept {
  if (intercept("rename")) return -1;
  return static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}
}

TEST_CASE("A written file has exactly the bytes and nothing stays beside it", "[atomic_file]") {
  const TemporaryDirectory directory;
  fl::core::write_file_atomically(directory / "a.bin", "first");
  CHECK(text_of(directory / "a.bin") == "first");
  fl::core::write_file_atomically(directory / "a.bin", "");
  CHECK(text_of(directory / "a.bin").empty());
  {
    fl::core::AtomicFile file(directory / "a.bin");
    file.write(std::as_bytes(std::span("one ", 4)));
    file.write(std::as_bytes(std::span("two", 3)));
    CHECK(text_of(directory / "a.bin").empty());
    file.commit();
    CHECK(text_of(directory / "a.bin") == "one two");
    CHECK(error_code([&] { file.commit(); }) == ErrorCode::invalid_argument);
    CHECK(error_code([&] { file.write({}); }) == ErrorCode::invalid_argument);
  }
  CHECK(directory.names() == std::vector<std::string>{"a.bin"});
}

TEST_CASE("Without a commit the old file stays and the temporary goes", "[atomic_file]") {
  const TemporaryDirectory directory;
  fl::core::write_file_atomically(directory / "a.bin", "old");
  {
    fl::core::AtomicFile file(directory / "a.bin");
    file.write(std::as_bytes(std::span("new", 3)));
    CHECK(directory.names().size() == 2);
  }
  CHECK(text_of(directory / "a.bin") == "old");
  CHECK(directory.names() == std::vector<std::string>{"a.bin"});
}

TEST_CASE("A file name without a directory is written into the working directory", "[atomic_file]") {
  const TemporaryDirectory directory;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(directory.path());
  fl::core::write_file_atomically("plain.txt", "x");
  std::filesystem::current_path(before);
  CHECK(text_of(directory / "plain.txt") == "x");
}

TEST_CASE("The order is write, flush, rename, flush the directory", "[atomic_file]") {
  const TemporaryDirectory directory;
  std::vector<std::string> calls;
  {
    const Intercepted on;
    fl::core::write_file_atomically(directory / "a.bin", "x");
    calls = interception.calls;
  }
  CHECK(calls == std::vector<std::string>{"write", "fsync file", "rename", "fsync directory"});
}

TEST_CASE("Whichever step fails, the file is the old one or the new one and the code says which", "[atomic_file]") {
  for (const int reason : {EIO, ENOSPC, EDQUOT, EROFS}) {
    for (int step = 0; step < 4; ++step) {
      const TemporaryDirectory directory;
      fl::core::write_file_atomically(directory / "a.bin", "old");
      std::optional<ErrorCode> code;
      std::string failed;
      {
        const Intercepted on;
        interception.fail_at = step;
        interception.reason = reason;
        code = error_code([&] { fl::core::write_file_atomically(directory / "a.bin", "new"); });
        failed = interception.calls.back();
      }
      INFO(failed << " fails with " << reason);
      const bool replaced = failed == "fsync directory";
      CHECK(code == (replaced ? ErrorCode::not_durable : ErrorCode::cannot_write));
      CHECK(text_of(directory / "a.bin") == (replaced ? "new" : "old"));
      CHECK(directory.names() == std::vector<std::string>{"a.bin"});
    }
  }
}

TEST_CASE("Interrupted calls and short writes are continued", "[atomic_file]") {
  const TemporaryDirectory directory;
  const std::string text(1000, 'q');
  {
    const Intercepted on;
    interception.interrupted = 3;
    interception.short_write = 7;
    fl::core::write_file_atomically(directory / "a.bin", text);
  }
  CHECK(text_of(directory / "a.bin") == text);
}

TEST_CASE("Errors of writing name the path and the reason", "[atomic_file]") {
  const TemporaryDirectory directory;
  fl::core::write_file_atomically(directory / "file", "x");
  std::filesystem::create_directory(directory / "folder");
  for (const auto& path :
       {directory / "absent" / "a.bin", directory / "file" / "a.bin", directory / "folder", directory.path() / ""}) {
    INFO(path.string());
    CHECK(error_code([&] { fl::core::write_file_atomically(path, "x"); }) == ErrorCode::cannot_write);
    CHECK(error_text([&] { fl::core::write_file_atomically(path, "x"); }).find(path.string()) != std::string::npos);
  }
  CHECK(error_text([&] {
          fl::core::write_file_atomically(directory / "absent" / "a.bin", "x");
        }).find("No such file or directory") != std::string::npos);
  CHECK(directory.names() == std::vector<std::string>{"file", "folder"});
}

TEST_CASE("A file-size limit, like a full disk, leaves the old file and no temporary", "[atomic_file]") {
  const TemporaryDirectory directory;
  const auto path = directory / "a.bin";
  fl::core::write_file_atomically(path, "old");
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
    const auto code = error_code([&] { fl::core::write_file_atomically(path, std::string(100'000, 'n')); });
    _exit(code == ErrorCode::cannot_write ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  CHECK(text_of(path) == "old");
  CHECK(directory.names() == std::vector<std::string>{"a.bin"});
}

namespace {

/// Kills a process that rewrites one file without pause, `kills` times; returns how often the file was neither an old
/// nor a new one afterwards.
int lost_after_kills(int kills) {
  const TemporaryDirectory directory;
  const auto path = directory / "state.bin";
  const std::size_t size = 200'000;
  fl::core::write_file_atomically(path, std::string(size, 'A'));
  int lost = 0;
  for (int run = 0; run < kills; ++run) {
    const pid_t child = fork();
    if (child == 0) {
      for (char letter = 'A';; letter = letter == 'Z' ? 'A' : static_cast<char>(letter + 1)) {
        try {
          fl::core::AtomicFile file(path);
          const std::string piece(size / 10, letter);
          for (int i = 0; i < 10; ++i) file.write(std::as_bytes(std::span(piece)));
          file.commit();
        } catch (...) {
          _exit(1);
        }
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(500 + 137 * (run % 40)));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFSIGNALED(status)) ++lost;  // it failed by itself
    const std::string text = text_of(path);
    lost += text.size() != size || text.find_first_not_of(text[0]) != std::string::npos ? 1 : 0;
  }
  fl::core::write_file_atomically(path, "end");
  // Leftovers of the killed are gone
  return directory.names() == std::vector<std::string>{"state.bin"} ? lost : lost + 1;
}

}  // namespace

TEST_CASE("Killing a writer at any moment loses nothing and the next writer tidies up", "[atomic_file]") {
  CHECK(lost_after_kills(40) == 0);
}

TEST_CASE("A thousand kills lose nothing", "[.slow]") { CHECK(lost_after_kills(1000) == 0); }

TEST_CASE("A temporary without a living writer is removed, others are left alone", "[atomic_file]") {
  const TemporaryDirectory directory;
  std::ofstream(directory / ".a.bin.1-2-3.partial") << "left by a killed process";
  std::ofstream(directory / ".b.bin.1-2-3.partial") << "of another file";
  std::ofstream(directory / ".a.bin.notes") << "of somebody else";
  std::filesystem::create_directory(directory / ".a.bin.9.partial");
  {
    fl::core::AtomicFile slow(directory / "a.bin");
    slow.write(std::as_bytes(std::span("slow", 4)));
    fl::core::write_file_atomically(directory / "a.bin",
                                    "quick");  // must not take the slow writer's file for a leftover
    CHECK(text_of(directory / "a.bin") == "quick");
    slow.commit();
  }
  CHECK(text_of(directory / "a.bin") == "slow");
  CHECK(directory.names() ==
        std::vector<std::string>{".a.bin.9.partial", ".a.bin.notes", ".b.bin.1-2-3.partial", "a.bin"});
}

TEST_CASE("Many threads that write one path leave one complete file", "[atomic_file]") {
  const TemporaryDirectory directory;
  std::vector<std::thread> threads;
  for (char letter = 'a'; letter < 'e'; ++letter) {
    threads.emplace_back([&, letter] {
      for (int i = 0; i < 10; ++i) fl::core::write_file_atomically(directory / "a.bin", std::string(50'000, letter));
    });
  }
  for (auto& thread : threads) thread.join();
  const std::string text = text_of(directory / "a.bin");
  CHECK(text.size() == 50'000);
  CHECK(text.find_first_not_of(text[0]) == std::string::npos);
  CHECK(directory.names() == std::vector<std::string>{"a.bin"});
}

TEST_CASE("Reading takes whole files, within the limit", "[atomic_file]") {
  const TemporaryDirectory directory;
  const std::string text(10'000, 'r');
  fl::core::write_file_atomically(directory / "a.bin", text);
  CHECK(text_of(directory / "a.bin") == text);
  CHECK(fl::core::read_file(directory / "a.bin", 10'000).size() == 10'000);
  CHECK(error_code([&] { (void)fl::core::read_file(directory / "a.bin", 9'999); }) == ErrorCode::oversized);
  CHECK(error_code([&] { (void)fl::core::read_file(directory / "b.bin"); }) == ErrorCode::cannot_open);
  CHECK(error_code([&] { (void)fl::core::read_file(directory.path()); }) == ErrorCode::cannot_open);
  CHECK(error_text([&] { (void)fl::core::read_file(directory / "b.bin"); }).find("b.bin") != std::string::npos);
  fl::core::write_file_atomically(directory / "empty", "");
  CHECK(fl::core::read_file(directory / "empty", 0).empty());
}

TEST_CASE("Reading follows what arrives where the size is not known beforehand", "[atomic_file]") {
  const TemporaryDirectory directory;
  REQUIRE(mkfifo((directory / "pipe").c_str(), 0600) == 0);
  const std::string text(20'000, 'p');
  const auto through_pipe = [&](std::int64_t limit) {
    std::thread writer([&] {
      std::signal(SIGPIPE, SIG_IGN);
      std::ofstream(directory / "pipe") << text;
    });
    std::size_t size = 0;
    const auto code = error_code([&] { size = fl::core::read_file(directory / "pipe", limit).size(); });
    writer.join();
    return std::pair(code, size);
  };
  CHECK(through_pipe(1 << 20) == std::pair(std::optional<ErrorCode>{}, text.size()));
  CHECK(through_pipe(5'000).first == ErrorCode::oversized);
  CHECK(fl::core::read_file("/proc/self/status", 1 << 20).size() > 100);  // states a size of 0
}
