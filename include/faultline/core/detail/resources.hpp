// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Memory and threads that the system refuses, as errors of the library.

#include <faultline/error.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

/// What `work` returns. Memory that cannot be had becomes out_of_resources; everything else that `work` throws passes.
template <class Work>
decltype(auto) within_memory(std::string_view where, Work&& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::out_of_resources, where,
                "this machine has not enough memory for it; ask for fewer samples or a smaller batch");
  } catch (const std::length_error&) {
    throw Error(ErrorCode::out_of_resources, where,
                "an array would be larger than any memory; ask for fewer samples or a smaller batch");
  }
}

/// Calls work(i) for 0 .. count - 1 on up to `threads` threads, the caller's among them; 0 means as many as cores. Of
/// the exceptions, that of the lowest i is thrown on, as a loop would.
///
/// What is computed must not depend on who computes it: where the system has fewer threads, those that it has do the
/// work.
template <class Work>
void share_out(std::int64_t count, std::int64_t threads, const Work& work) {
  if (threads == 0) threads = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::thread::hardware_concurrency()));
  std::atomic<std::int64_t> next{0};
  std::exception_ptr failure;
  std::int64_t failed = count;
  std::mutex guard;
  const auto run = [&] {
    for (std::int64_t i = next++; i < count; i = next++) {
      try {
        work(i);
      } catch (...) {  // everything below i has been begun, so the lowest is known once all have ended
        const std::lock_guard lock(guard);
        if (i < failed) failed = i, failure = std::current_exception();
        next = count;
      }
    }
  };
  {
    std::vector<std::jthread> others;  // joined on the way out
    try {
      for (std::int64_t t = 1; t < std::min(threads, count); ++t) others.emplace_back(run);
    } catch (const std::system_error&) {
    } catch (const std::bad_alloc&) {}
    run();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
