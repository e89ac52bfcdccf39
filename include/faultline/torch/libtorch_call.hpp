// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Entry into LibTorch: every public call that runs it passes here, so that what the caller's process and thread have
// set does not change results, and what LibTorch throws leaves as an error of ours.

#include <faultline/core/parallel_for.hpp>
#include <faultline/error.hpp>
#include <faultline/torch/threads.hpp>
#include <faultline/torch/libtorch.hpp>

#include <faultline/torch/libtorch_begin.hpp>

#include <c10/core/InferenceMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <c10/util/Exception.h>

#include <faultline/torch/libtorch_end.hpp>

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <optional>
#include <string>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {
namespace detail {

/// Throws forked_process in a process whose parent had called LibTorch through this library before it forked: the
/// threads that LibTorch's parallel loops wait for were not copied.
inline void require_own_process(const std::string& where) {
  static std::atomic<pid_t> owner{0};
  pid_t first = 0;
  const pid_t own = ::getpid();
  if (owner.compare_exchange_strong(first, own) || first == own) return;
  throw Error(
      ErrorCode::forked_process, where,
      "LibTorch ran in process " + std::to_string(first) +
          " before that forked this one, and its threads do not survive a fork; fork before the first call, or exec");
}

/// The state of the calling thread in which our own networks run: outside inference mode (its tensors cannot be
/// differentiated later), without autocast, gradient mode as it is, and with no more LibTorch threads than
/// `available_threads()`. Back at the end as it was.
class LibTorchScope {
 public:
  /// Throws forked_process.
  explicit LibTorchScope(const std::string& where)
      : gradients_((require_own_process(where), c10::GradMode::is_enabled())), threads_(available_threads()) {
    if (c10::InferenceMode::is_enabled()) left_.emplace(false);
    c10::GradMode::set_enabled(gradients_);  // leaving inference mode has switched it on; `left_` puts all of it back
  }
  LibTorchScope(const LibTorchScope&) = delete;
  LibTorchScope& operator=(const LibTorchScope&) = delete;

 private:
  bool gradients_;
  TorchThreads threads_;
  std::optional<c10::InferenceMode> left_;
  c10::impl::ExcludeDispatchKeyGuard no_autocast_{c10::autocast_dispatch_keyset};
};

/// What LibTorch says, without the stack it appends, in one line.
inline std::string libtorch_text(const c10::Error& error) {
  std::string text = error.what_without_backtrace();
  text.erase(std::min(text.find("\nException raised from"), text.size()));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  for (char& letter : text)
    if (letter == '\n') letter = ' ';
  return text;
}

/// Rethrows the exception in flight: out of memory as std::bad_alloc, what else LibTorch threw as `code`, anything else
/// as it is.
[[noreturn]] inline void rethrow_libtorch(const std::string& where, ErrorCode code) {
  try {
    throw;
  } catch (const c10::OutOfMemoryError&) {
    throw std::bad_alloc();
  } catch (const c10::Error& error) {
    const std::string text = libtorch_text(error);
    if (text.find("DefaultCPUAllocator") != std::string::npos) throw std::bad_alloc();
    throw Error(code, where, "LibTorch refused: " + text);
  }
}

/// Runs `call` within a LibTorchScope, with no more threads than LibTorch has. Throws forked_process, libtorch_failed,
/// std::bad_alloc, and what `call` throws of its own.
template <class Call>
decltype(auto) libtorch_call(const std::string& where, Call&& call) {
  const LibTorchScope scope(where);
  try {
    return within_threads(loop_threads(), call);
  } catch (const c10::Error&) {
    rethrow_libtorch(where, ErrorCode::libtorch_failed);
  }
}

}  // namespace detail
}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
