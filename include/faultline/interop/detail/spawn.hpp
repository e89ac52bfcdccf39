// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What starting a child process takes on POSIX: descriptors, pipes, signals.

#include <faultline/config.hpp>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <time.h>
#include <unistd.h>

namespace faultline {
inline namespace v1 {
namespace detail {

/// Throws std::system_error unless the code is 0.
inline void refuse_code(int code, const char* what) {
  if (code != 0) throw std::system_error(code, std::generic_category(), what);
}

/// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) noexcept : value_(value) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      close();
      value_ = std::exchange(other.value_, -1);
    }
    return *this;
  }

  [[nodiscard]] int get() const noexcept { return value_; }
  [[nodiscard]] bool open() const noexcept { return value_ >= 0; }
  void close() noexcept {
    if (value_ >= 0) ::close(std::exchange(value_, -1));
  }

 private:
  int value_ = -1;
};

/// Both ends close themselves on exec, and lie above the three that a child gets, should the host have closed its own.
struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    refuse_code(::pipe2(ends.data(), O_CLOEXEC) == 0 ? 0 : errno, "pipe2");
    read = Descriptor(ends[0]);
    write = Descriptor(ends[1]);
    for (Descriptor* each : {&read, &write}) {
      if (each->get() > STDERR_FILENO) continue;
      const int above = ::fcntl(each->get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
      refuse_code(above >= 0 ? 0 : errno, "fcntl");
      *each = Descriptor(above);
    }
  }

  Descriptor read, write;
};

/// Holds SIGPIPE back in this thread for a scope, and takes away the one that a write in it has raised, so that writing
/// to a child that is gone is an error code and does not end the host. What the process does with the signal otherwise
/// stays as it is.
class BrokenPipeScope {
 public:
  BrokenPipeScope() {
    ::sigemptyset(&signal_);
    ::sigaddset(&signal_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &signal_, &before_);
  }
  ~BrokenPipeScope() {
    if (broken_ && !was_pending_) {
      const timespec at_once{};
      while (::sigtimedwait(&signal_, nullptr, &at_once) == -1 && errno == EINTR) {}
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  BrokenPipeScope(const BrokenPipeScope&) = delete;
  BrokenPipeScope& operator=(const BrokenPipeScope&) = delete;

  /// A write has failed with EPIPE.
  void broken() noexcept { broken_ = true; }

 private:
  sigset_t signal_, before_;
  bool was_pending_ = false, broken_ = false;
};

/// What a child starts with: a process group of its own, no blocked signal, SIGPIPE as usual, these pipes.
class SpawnSetup {
 public:
  SpawnSetup() {
    refuse_code(::posix_spawn_file_actions_init(&actions_), "posix_spawn_file_actions_init");
    if (const int code = ::posix_spawnattr_init(&attributes_); code != 0) {
      ::posix_spawn_file_actions_destroy(&actions_);
      refuse_code(code, "posix_spawnattr_init");
    }
    sigset_t signals;
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    ::sigaddset(&signals, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSetup() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&actions_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  void connect(const Descriptor& end, int as) {
    refuse_code(::posix_spawn_file_actions_adddup2(&actions_, end.get(), as), "posix_spawn_file_actions_adddup2");
  }
  /// Runs `/bin/sh -c command`. (posix_spawn, because a fork would copy the page tables of a host of many gigabytes,
  /// and leave the locks of its other threads as they are.)
  [[nodiscard]] pid_t run(const std::string& command) const {
    const std::array<const char*, 4> arguments{"/bin/sh", "-c", command.c_str(), nullptr};
    pid_t pid = -1;
    refuse_code(::posix_spawn(&pid, arguments[0], &actions_, &attributes_, const_cast<char* const*>(arguments.data()),
                              ::environ),
                "posix_spawn");
    return pid;
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

}  // namespace detail
}  // namespace v1
}  // namespace faultline
