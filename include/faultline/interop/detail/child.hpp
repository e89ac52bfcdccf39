// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A child process, spoken to with deadlines and ended together with its process group. It knows nothing of frames.

#include <faultline/interop/detail/spawn.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace faultline {
inline namespace v1 {
namespace detail {

/// A child process. Throws std::system_error when it cannot be started.
class Child {
 public:
  using Clock = std::chrono::steady_clock;

  /// What became of an exchange.
  enum class Outcome {
    complete,  ///< everything was sent, and so many bytes came as were needed
    surplus,   ///< more came
    early,     ///< so many came before everything was sent
    refused,   ///< what came cannot be the beginning of what is needed
    stalled,   ///< the deadline has passed
    ended,     ///< the child has closed its standard output
  };

  Child(const std::string& command, double grace_seconds) : owner_(::getpid()), grace_(grace_seconds) {
    messages_.reserve(2 * kept_messages);  // so that ending it needs no memory
    Pipe in, out, err;
    SpawnSetup setup;
    setup.connect(in.read, STDIN_FILENO);
    setup.connect(out.write, STDOUT_FILENO);
    setup.connect(err.write, STDERR_FILENO);
    pid_ = setup.run(command);
    input_ = std::move(in.write);
    output_ = std::move(out.read);
    errors_ = std::move(err.read);
    for (const Descriptor* each : {&input_, &output_, &errors_})  // of this side alone: the child's ends still wait
      ::fcntl(each->get(), F_SETFL, ::fcntl(each->get(), F_GETFL) | O_NONBLOCK);
#ifdef F_SETPIPE_SZ
    ::fcntl(input_.get(), F_SETPIPE_SZ, 1 << 20);  // a batch in one piece; where that is not allowed, in several
#endif
  }
  /// Gives it the grace, where it was not ended before.
  ~Child() {
    if (pid_ > 0) end(grace_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Sends head and body, and reads into `reply` until `needed` bytes have come, at most `reply.size()`. `refuses` is
  /// shown everything that has come, after each piece. A child may begin its reply before it has read everything.
  [[nodiscard]] Outcome exchange(std::span<const std::byte> head, std::span<const std::byte> body,
                                 std::span<std::byte> reply, std::size_t needed, Clock::time_point deadline,
                                 const std::function<bool(std::span<const std::byte>)>& refuses) {
    sent_ = received_ = 0;
    const std::size_t whole = head.size() + body.size();
    bool deaf = !input_.open();
    while (received_ < needed) {
      if (sent_ < whole && !deaf) deaf = !send(head, body);
      std::array<pollfd, 3> all{pollfd{output_.get(), POLLIN, 0}, pollfd{errors_.get(), POLLIN, 0},
                                pollfd{sent_ < whole && !deaf ? input_.get() : -1, POLLOUT, 0}};
      if (!wait(all, deadline)) return Outcome::stalled;
      if (all[1].revents != 0) read_messages();
      if (all[0].revents == 0) continue;
      const ssize_t got = ::read(output_.get(), reply.data() + received_, reply.size() - received_);
      if (got == 0) return Outcome::ended;
      if (got < 0) continue;
      received_ += static_cast<std::size_t>(got);
      if (refuses(reply.first(received_))) return Outcome::refused;
    }
    if (received_ > needed) return Outcome::surplus;
    return sent_ < whole ? Outcome::early : Outcome::complete;
  }

  /// Between two exchanges: `complete` when nothing has come, else what has come in `scratch`.
  [[nodiscard]] Outcome look(std::span<std::byte> scratch) {
    sent_ = received_ = 0;
    const ssize_t got = ::read(output_.get(), scratch.data(), scratch.size());
    if (got == 0) return Outcome::ended;
    if (got < 0) return Outcome::complete;
    received_ = static_cast<std::size_t>(got);
    return Outcome::surplus;
  }

  /// Bytes of the last exchange.
  [[nodiscard]] std::size_t sent() const noexcept { return sent_; }
  [[nodiscard]] std::size_t received() const noexcept { return received_; }
  /// The last of what the child wrote on its standard error.
  [[nodiscard]] const std::string& messages() const noexcept { return messages_; }
  /// Whether this process is the one that started it.
  [[nodiscard]] bool own() const noexcept { return ::getpid() == owner_; }

  /// Whether the child has ended; waits for it up to so many seconds.
  bool ended(double seconds) {
    for (const Clock::time_point deadline = after(seconds); running(); pause())
      if (Clock::now() >= deadline) return false;
    return true;
  }

  /// How it ended: "ended with exit code 3", "was ended by signal 11 (SIGSEGV)"; empty while it runs.
  [[nodiscard]] std::string end_text() const {
    if (code_ == CLD_EXITED) {
      std::string text = "ended with exit code " + std::to_string(status_);
      if (status_ == 126) text += " (the shell could not run it)";
      else if (status_ == 127) text += " (the shell did not find it)";
      else if (status_ > 128 && status_ <= 128 + 64)
        text += " (the shell's word for " + signal_text(status_ - 128) + ")";
      return text;
    }
    if (code_ == CLD_KILLED || code_ == CLD_DUMPED) return "was ended by " + signal_text(status_);
    return gone_ ? "ended" : "";
  }

  /// Ends the child's input, gives it so many seconds to end by itself, and kills what is left of its process group. In
  /// a process forked from the one that started it, only this side of the pipes is closed.
  void end(double seconds) noexcept {
    input_.close();
    if (own()) {
      for (const Clock::time_point deadline = after(seconds); running() && Clock::now() < deadline; pause()) {
        drain(output_, [](std::string_view) {});
        read_messages();
      }
      if (pid_ > 0 && !gone_) {
        // The leader is not waited for before: as long as it is not, nobody else gets its number.
        ::kill(-pid_, SIGKILL);
        siginfo_t status{};
        while (::waitid(P_PID, static_cast<id_t>(pid_), &status, WEXITED) == -1 && errno == EINTR) {}
      }
      read_messages();
    }
    pid_ = -1;
    output_.close();
    errors_.close();
  }

  /// So many seconds from now.
  [[nodiscard]] static Clock::time_point after(double seconds) {
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }

 private:
  static constexpr std::size_t kept_messages = 4096;

  /// Writes as much as the pipe takes; false when nobody reads it any more.
  bool send(std::span<const std::byte> head, std::span<const std::byte> body) {
    BrokenPipeScope scope;
    while (sent_ < head.size() + body.size()) {
      const auto rest = [&](std::span<const std::byte> part, std::size_t before) {
        const std::span<const std::byte> left = part.subspan(std::min(part.size(), sent_ - std::min(sent_, before)));
        return iovec{const_cast<std::byte*>(left.data()), left.size()};
      };
      const std::array<iovec, 2> parts{rest(head, 0), rest(body, head.size())};
      const ssize_t written = ::writev(input_.get(), parts.data(), 2);
      if (written >= 0) {
        sent_ += static_cast<std::size_t>(written);
      } else if (errno == EPIPE) {
        scope.broken();
        return false;
      } else if (errno != EINTR) {
        return errno == EAGAIN;
      }
    }
    return true;
  }

  /// Waits for one of them; false when the deadline has passed.
  static bool wait(std::span<pollfd> all, Clock::time_point deadline) {
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
      if (left <= 0) return false;
      const int ready = ::poll(all.data(), all.size(), static_cast<int>(std::min<decltype(left)>(left, 3'600'000)));
      if (ready > 0) return true;
    }
  }

  /// Shows `take` what is there, at most 64 kB: a child that never stops must not keep its reader from the deadline.
  template <class Take>
  static void drain(Descriptor& from, Take take) noexcept {
    std::array<char, kept_messages> piece;
    for (int i = 0; i < 16 && from.open(); ++i) {
      const ssize_t got = ::read(from.get(), piece.data(), piece.size());
      if (got == 0) from.close();
      if (got <= 0) return;
      take(std::string_view(piece.data(), static_cast<std::size_t>(got)));
    }
  }

  void read_messages() noexcept {
    drain(errors_, [&](std::string_view piece) {
      messages_ += piece;
      if (messages_.size() > kept_messages) messages_.erase(0, messages_.size() - kept_messages);
    });
  }

  /// Whether it runs; keeps how it ended. A child that somebody else has waited for, or that the system waits for where
  /// SIGCHLD is ignored, is gone.
  bool running() noexcept {
    if (pid_ <= 0 || gone_ || code_ != 0) return false;
    siginfo_t status{};
    if (::waitid(P_PID, static_cast<id_t>(pid_), &status, WEXITED | WNOHANG | WNOWAIT) != 0) {
      gone_ = errno == ECHILD;
      return !gone_;
    }
    if (status.si_pid == 0) return true;
    code_ = status.si_code;
    status_ = status.si_status;
    return false;
  }

  static void pause() noexcept {
    const timespec millisecond{0, 1'000'000};
    ::nanosleep(&millisecond, nullptr);
  }

  static std::string signal_text(int signal) {
    constexpr std::array<std::pair<int, std::string_view>, 10> names{{{SIGHUP, "SIGHUP"},
                                                                      {SIGINT, "SIGINT"},
                                                                      {SIGILL, "SIGILL"},
                                                                      {SIGABRT, "SIGABRT"},
                                                                      {SIGBUS, "SIGBUS"},
                                                                      {SIGFPE, "SIGFPE"},
                                                                      {SIGKILL, "SIGKILL"},
                                                                      {SIGSEGV, "SIGSEGV"},
                                                                      {SIGPIPE, "SIGPIPE"},
                                                                      {SIGTERM, "SIGTERM"}}};
    std::string text = "signal " + std::to_string(signal);
    for (const auto& [number, name] : names)
      if (number == signal) text += " (" + std::string(name) + ")";
    return text;
  }

  pid_t owner_;
  double grace_;
  pid_t pid_ = -1;
  Descriptor input_, output_, errors_;
  std::size_t sent_ = 0, received_ = 0;
  std::string messages_;
  int code_ = 0, status_ = 0;  ///< of siginfo_t, once it has ended
  bool gone_ = false;          ///< it has ended, and nobody can say how
};

}  // namespace detail
}  // namespace v1
}  // namespace faultline
