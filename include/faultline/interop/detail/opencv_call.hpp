// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Calls into OpenCV: what it keeps for the whole process is put back, and what it throws becomes one sentence.

#include <faultline/core/parallel_for.hpp>
#include <faultline/interop/detail/onnx_file.hpp>

#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

namespace faultline {
inline namespace v1 {
namespace detail {

/// For a scope: OpenCV's log is silent, and OpenCV has no more threads than the caller may use, nor than asked for.
/// Both belong to the process, so only one scope is open at a time.
class OpenCvState {
 public:
  explicit OpenCvState(std::int64_t threads)
      : lock_(mutex()),
        level_(cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT)),
        threads_(cv::getNumThreads()) {
    const std::int64_t most = threads > 0 ? std::min(threads, available_threads()) : available_threads();
    used_ = static_cast<int>(threads > 0 ? most : std::min<std::int64_t>(threads_, most));
    if (used_ != threads_) cv::setNumThreads(used_);
  }
  ~OpenCvState() {
    if (used_ != threads_) cv::setNumThreads(threads_);
    cv::utils::logging::setLogLevel(level_);
  }
  OpenCvState(const OpenCvState&) = delete;
  OpenCvState& operator=(const OpenCvState&) = delete;

 private:
  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }

  std::lock_guard<std::mutex> lock_;
  cv::utils::logging::LogLevel level_;
  int threads_;
  int used_ = 1;
};

/// Text between two others, from `from` on; empty when there is none.
inline std::string text_between(const std::string& text, const std::string& before, const std::string& after,
                                std::size_t from = 0) {
  const std::size_t begin = text.find(before, from);
  if (begin == std::string::npos) return "";
  const std::size_t end = text.find(after, begin + before.size());
  if (end == std::string::npos) return "";
  return text.substr(begin + before.size(), end - begin - before.size());
}

/// Whether OpenCV lacks an operator, and its name.
inline std::string operator_that_opencv_lacks(const cv::Exception& error) {
  const std::string text = error.err;
  if (text.find("Can't create layer") == std::string::npos) return "";
  return shown(text_between(text, "of type \"", "\""));
}

/// What an exception of OpenCV says, without the places in its sources and the functions that it passed: the innermost
/// reason, and the operator of the file that it is about.
inline std::string opencv_reason(const cv::Exception& error) {
  std::string text = error.err;
  std::string about;
  if (const std::string node = text_between(text, "Node [", "@"); !node.empty())
    about = "operator " + shown(node) + ": ";
  std::string reason = text;
  bool condition = error.code == cv::Error::StsAssert;
  if (const std::size_t inner = text.rfind("error: ("); inner != std::string::npos) {
    condition = text.compare(inner, 12, "error: (-215") == 0;
    const std::size_t end = text.find(") ", inner);
    reason = end == std::string::npos ? "" : text.substr(end + 2);
  }
  reason.erase(std::min(reason.find("in function '"), reason.size()));
  if (reason.find_first_not_of(" \n>") == std::string::npos || text.find("(expected: '") != std::string::npos) {
    if (const std::string expected = text_between(text, "(expected: '", "'"); !expected.empty()) {
      reason = expected;
      condition = true;
    }
  }
  std::string line;
  for (const char c : reason) {
    const char plain = static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    if (plain != ' ' || (!line.empty() && line.back() != ' ')) line += plain;
  }
  while (!line.empty() && (line.back() == ' ' || line.back() == '>' || line.back() == '.')) line.pop_back();
  constexpr std::size_t longest = 160;
  if (line.size() > longest) line = line.substr(0, longest) + " ...";
  if (line.empty()) line = "no reason given";
  return about + (condition ? "it requires " : "") + line;
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
