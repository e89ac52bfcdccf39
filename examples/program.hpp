// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the programs share: progress on stderr, exit codes, and the command line as text.

#include <faultline/core/progress.hpp>
#include <faultline/error.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>

#include <unistd.h>

namespace program {

namespace fl = faultline;

/// Progress on stderr: one line that is redrawn on a terminal, otherwise a line per stage and every ten seconds.
class Progress {
 public:
  void operator()(const fl::Progress& progress) {
    const auto now = Clock::now();
    const bool new_stage = progress.stage != stage_, finished = progress.total > 0 && progress.done >= progress.total;
    if (!new_stage && !finished && now - last_ < (terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10'000))) return;
    if (!terminal_ && !new_stage && finished) return;
    if (new_stage) finish();
    stage_ = progress.stage;
    last_ = now;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    if (!terminal_) {
      std::fprintf(stderr, "%6.0f s  %s", seconds, stage_.c_str());
      if (!new_stage) std::fprintf(stderr, "  %lld of %lld", static_cast<long long>(progress.done), static_cast<long long>(progress.total));
      std::fputc('\n', stderr);
      return;
    }
    const int width = 24, filled = progress.total > 0 ? static_cast<int>(width * progress.done / progress.total) : 0;
    std::fprintf(stderr, "\r\033[K[%s%s] %s  %lld/%lld  %.0f s", std::string(static_cast<std::size_t>(filled), '#').c_str(), std::string(static_cast<std::size_t>(width - filled), '.').c_str(), stage_.c_str(),
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

/// The command line as a shell would take it again.
inline std::string quoted(int argc, char** argv) {
  std::string line;
  for (int i = 0; i < argc; ++i) {
    std::string word = i == 0 ? std::filesystem::path(argv[0]).filename().string() : argv[i];
    if (word.empty() || word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=,:+") != std::string::npos) {
      for (std::size_t at = word.find('\''); at != std::string::npos; at = word.find('\'', at + 4)) word.replace(at, 1, "'\\''");
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

}  // namespace program
