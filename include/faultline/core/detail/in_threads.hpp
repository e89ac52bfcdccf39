// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Runs parts of a piece of work side by side and hands on the first exception.

#include <faultline/config.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

/// Number of threads for `parts` parts: at most one per processor and one per part.
[[nodiscard]] inline std::int64_t threads_for(std::int64_t parts) noexcept {
  return std::clamp<std::int64_t>(parts, 1, std::max<std::int64_t>(1, static_cast<std::int64_t>(std::thread::hardware_concurrency())));
}

/// Calls work(0) .. work(parts - 1), each in a thread of its own but the first, and returns when all have ended. The
/// exception of the lowest part is thrown on. A part that gets no thread runs in the calling one.
template <class Work>
void in_threads(std::int64_t parts, const Work& work) {
  std::vector<std::exception_ptr> thrown(static_cast<std::size_t>(std::max<std::int64_t>(parts, 0)));
  const auto guarded = [&](std::int64_t part) {
    try {
      work(part);
    } catch (...) {
      thrown[static_cast<std::size_t>(part)] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;  // joined on the way out
    others.reserve(thrown.size());
    std::int64_t started = 1;
    try {
      for (; started < parts; ++started) others.emplace_back(guarded, started);
    } catch (const std::system_error&) {  // no more threads: the rest below
    }
    if (parts > 0) guarded(0);
    for (; started < parts; ++started) guarded(started);
  }
  for (const std::exception_ptr& first : thrown)
    if (first) std::rethrow_exception(first);
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
