// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of core/parallel_for.hpp: the one place that knows oneTBB.

#include <faultline/core/parallel_for.hpp>

#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>

namespace faultline {
inline namespace v1 {
namespace detail {

/// Whether TBB may be used: not in a process whose parent had used it through this library before it forked, because
/// TBB would wait for threads that were not copied.
inline bool has_own_threads() {
  static std::atomic<pid_t> owner{0};
  pid_t first = 0;
  const pid_t own = ::getpid();
  return owner.compare_exchange_strong(first, own) || first == own;
}

/// The pieces of one loop. Each thread takes the next one that nobody has begun.
class PieceQueue {
 public:
  PieceQueue(std::int64_t count, BorrowedCall<std::int64_t, std::int64_t> piece)
      : count_(count), failed_(count), piece_(piece) {}

  void work(std::int64_t slot) {
    for (std::int64_t i = next_++; i < count_; i = next_++) {
      try {
        piece_(i, slot);
      } catch (...) {  // everything below i has been begun, so the lowest is known once all have ended
        const std::lock_guard lock(guard_);
        if (i < failed_) failed_ = i, failure_ = std::current_exception();
        next_ = count_;
      }
    }
  }
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::atomic<std::int64_t> next_{0};
  std::int64_t count_;
  std::int64_t failed_;
  BorrowedCall<std::int64_t, std::int64_t> piece_;
  std::exception_ptr failure_;
  std::mutex guard_;
};

FAULTLINE_INLINE void run_within(std::int64_t threads, BorrowedCall<> call) {
  if (threads <= 0 || threads >= available_threads()) return call();
  tbb::task_arena(static_cast<int>(threads)).execute([&] { call(); });
}

FAULTLINE_INLINE void run_pieces(std::int64_t count, std::int64_t threads,
                                 BorrowedCall<std::int64_t, std::int64_t> piece) {
  if (count <= 0) return;
  const std::int64_t available = available_threads(),
                     width = std::min(threads > 0 ? std::min(threads, available) : available, count);
  const auto loop = [&] {
    if (width == 1) {
      for (std::int64_t i = 0; i < count; ++i) piece(i, 0);
      return;
    }
    PieceQueue queue(count, piece);
    // Isolated twice: who waits for the loop does nothing but pieces of it, and who waits inside a piece none of them.
    const auto work = [&](std::int64_t slot) { tbb::this_task_arena::isolate([&] { queue.work(slot); }); };
    tbb::this_task_arena::isolate([&] {
      tbb::task_group others;
      try {
        for (std::int64_t slot = 1; slot < width; ++slot) others.run([&work, slot] { work(slot); });
      } catch (...) {}  // no memory, or no thread: those that there are do the work
      work(0);
      others.wait();
    });
    queue.rethrow();
  };
  // A limit below what there is holds for loops inside the pieces too.
  if (threads > 0 && threads < available) tbb::task_arena(static_cast<int>(threads)).execute(loop);
  else loop();
}

}  // namespace detail

FAULTLINE_INLINE std::int64_t available_threads() {
  if (!detail::has_own_threads()) return 1;
  const auto allowed = tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism);
  return std::max(
      1, std::min(tbb::this_task_arena::max_concurrency(), static_cast<int>(std::min<std::size_t>(allowed, 1 << 20))));
}

}  // namespace v1
}  // namespace faultline
