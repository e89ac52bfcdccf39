// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the programs share: a main that answers for its exit code and its output, exact numbers from the command line,
// progress on stderr, and the command line as text.

#include <faultline/core/progress.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

#include <fcntl.h>
#include <unistd.h>

namespace program {

namespace fl = faultline;

/// Progress on stderr: one line that is redrawn on a terminal, otherwise a line per stage and every ten seconds.
class Progress {
 public:
  void operator()(const fl::Progress& progress) {
    const auto now = Clock::now();
    const bool new_stage = progress.stage != stage_, finished = progress.total > 0 && progress.done >= progress.total;
    if (!new_stage && !finished &&
        now - last_ < (terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10'000)))
      return;
    if (!terminal_ && !new_stage && finished) return;
    if (new_stage) finish();
    stage_ = progress.stage;
    last_ = now;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    if (!terminal_) {
      std::fprintf(stderr, "%6.0f s  %s", seconds, stage_.c_str());
      if (!new_stage)
        std::fprintf(stderr, "  %lld of %lld", static_cast<long long>(progress.done),
                     static_cast<long long>(progress.total));
      std::fputc('\n', stderr);
      return;
    }
    const int width = 24, filled = progress.total > 0 ? static_cast<int>(width * progress.done / progress.total) : 0;
    std::fprintf(stderr, "\r\033[K[%s%s] %s  %lld/%lld  %.0f s",
                 std::string(static_cast<std::size_t>(filled), '#').c_str(),
                 std::string(static_cast<std::size_t>(width - filled), '.').c_str(), stage_.c_str(),
                 static_cast<long long>(progress.done), static_cast<long long>(progress.total), seconds);
    open_ = true;
  }
  void finish() {
    if (open_) std::fputs("\r\033[K", stderr);
    open_ = false;
  }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now(), last_ = start_;
  bool terminal_ = ::isatty(STDERR_FILENO) != 0, open_ = false;
  std::string stage_;
};

/// The command line as a shell would take it again. As a command of `faultline` a program's own name is two words.
inline std::string quoted(int argc, char** argv) {
  std::string line;
  for (int i = 0; i < argc; ++i) {
    std::string word = i == 0 ? std::filesystem::path(argv[0]).filename().string() : argv[i];
    const bool command = i == 0 && word.compare(0, 10, "faultline ") == 0;
    if (word.empty() ||
        (!command && word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=,:+") !=
                         std::string::npos)) {
      for (std::size_t at = word.find('\''); at != std::string::npos; at = word.find('\'', at + 4))
        word.replace(at, 1, "'\\''");
      word = "'" + word + "'";
    }
    line += (i > 0 ? " " : "") + word;
  }
  return line;
}

/// 2 for what the user asked, 3 for what the files hold, 5 for what should not happen.
inline int exit_code(const fl::Error& error) {
  if (error.family() == 6) return 5;
  return error.family() == 1 && error.code() != fl::ErrorCode::incompatible_models ? 2 : 3;
}

/// A descriptor that was closed would be given to the next file that is opened, and what is printed would land in that
/// file. Writing to this one fails instead.
inline void open_standard_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(descriptor, F_GETFD) == -1 && errno == EBADF)
      (void)::open("/dev/null", descriptor == STDERR_FILENO ? O_WRONLY : O_RDONLY);
}

/// `code`, or 3 where that is 0 and standard output has not taken everything: a full disk, a reader that has gone, a
/// closed descriptor.
inline int finish(const char* name, int code) {
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  const int reason = flushed ? 0 : errno;
  std::cout.flush();
  if (flushed && std::ferror(stdout) == 0 && std::cout.good()) return code;
  std::fprintf(stderr,
               "[F%d] %s: standard output did not take the whole answer%s%s; send it to where there is room and "
               "somebody reads\n",
               static_cast<int>(fl::ErrorCode::cannot_write), name, reason != 0 ? ": " : "",
               reason != 0 ? std::strerror(reason) : "");
  return code == 0 ? 3 : code;
}

/// What `main` of every program is: runs `answer`, which prints and returns an exit code, says what went wrong in one
/// sentence, and sees that what was printed has arrived.
template <class Answer>
int run(const char* name, Answer answer) {
  open_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away is an output that fails, not the end of the work
  const char* clean = ::isatty(STDERR_FILENO) != 0 ? "\r\033[K" : "";  // of a line of progress
  int code = 5;
  try {
    code = answer();
  } catch (const fl::Error& error) {
    std::fprintf(stderr, "%s%s\n", clean, error.what());
    code = exit_code(error);
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "%s[F%d] %s: this machine has not enough memory for it; ask for fewer samples\n", clean,
                 static_cast<int>(fl::ErrorCode::out_of_resources), name);
    code = 3;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%sunexpected: %s\n", clean, error.what());
  }
  return finish(name, code);
}

/// The number that `text` is, all of it, in [lower, upper]. Throws invalid_argument otherwise: nothing wraps, and
/// nothing is read in part.
template <class Number>
Number number(std::string_view name, std::string_view text, Number lower, Number upper) {
  Number value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem == std::errc() && end == text.data() + text.size() && value >= lower && value <= upper) return value;
  const bool whole = std::is_integral_v<Number>;
  throw fl::Error(fl::ErrorCode::invalid_argument, name,
                  std::string("expected a ") + (whole ? "whole number" : "number") + " in [" +
                      fl::core::range_text(lower) + ", " + fl::core::range_text(upper) + "], got \"" +
                      std::string(text) + "\"");
}

}  // namespace program
