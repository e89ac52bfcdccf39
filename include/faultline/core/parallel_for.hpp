// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Every parallel loop of the library, on oneTBB: small pieces handed out as threads come free, in the caller's arena.

#include <faultline/config.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace faultline {
inline namespace v1 {

namespace detail {

/// A borrowed call of one argument list, so that the loop itself is compiled once and TBB's headers stay behind it.
template <class... Arguments>
struct BorrowedCall {
  const void* self;
  void (*call)(const void*, Arguments...);
  void operator()(Arguments... arguments) const { call(self, arguments...); }
};

void run_pieces(std::int64_t count, std::int64_t threads, BorrowedCall<std::int64_t, std::int64_t> piece);
void run_within(std::int64_t threads, BorrowedCall<> call);

}  // namespace detail

/// Threads that a `parallel_for` called here may use, the calling one among them: as many as the caller's TBB arena
/// has, at most what a `tbb::global_control` allows, else as many as cores.
///
/// 1 in a process that was forked after the first parallel loop of this library: its threads were not copied.
[[nodiscard]] std::int64_t available_threads();

/// Returns call(), in which no parallel loop uses more than `threads` threads, this one among them; 0: as many as
/// there are. More than `available_threads()` cannot be had.
///
/// Loops of the library, its LibTorch calls and the caller's own TBB loops inside `call` keep to it. `call` runs in the
/// calling thread, and what it throws passes.
/// Example: `auto report = within_threads(2, [&] { return characterize(generator, classifier); });`
template <class Call>
std::invoke_result_t<const Call&> within_threads(std::int64_t threads, const Call& call) {
  using Result = std::invoke_result_t<const Call&>;
  if constexpr (std::is_void_v<Result>) {
    const auto run = [](const void* self) { (*static_cast<const Call*>(self))(); };
    detail::run_within(threads, {std::addressof(call), run});
  } else {
    std::optional<Result> result;
    const auto store = [&] { result.emplace(call()); };
    const auto run = [](const void* self) { (*static_cast<const decltype(store)*>(self))(); };
    detail::run_within(threads, {std::addressof(store), run});
    return std::move(*result);
  }
}

/// Calls body(i) for i = 0 .. count - 1, each once, in any order and on up to `threads` threads; 0: as many as there
/// are, see `available_threads()`.
///
/// A body of two arguments gets (i, slot): no two calls at the same time have the same slot, which is below `threads`
/// where that is given and below `available_threads()` otherwise. It is for scratch space. What is computed must not
/// depend on slots: who does which piece is decided by the machine. Pieces are handed out one at a time, so that a
/// thread that was held up keeps nobody waiting for more than its own piece; a piece should be some ten microseconds of
/// work, see `parallel_for_blocks`.
/// Loops may be nested. A thread that waits does work of its own loop only, so nothing that a body calls, TBB loops of
/// the caller's included, is entered a second time below itself. With one thread, and in a process that was forked
/// after the first parallel loop, the calling thread does everything. So it does where the system refuses threads.
/// **Throws** what bodies throw, of several exceptions that of the lowest i, as a loop would.
/// **Cost**: some microseconds per call beside the bodies.
/// Example: `parallel_for(rows, 0, [&](std::int64_t i) { norms[i] = x.row(i).norm(); });`
template <class Body>
void parallel_for(std::int64_t count, std::int64_t threads, const Body& body) {
  const auto run = [](const void* self, std::int64_t i, std::int64_t slot) {
    const Body& own = *static_cast<const Body*>(self);
    if constexpr (std::is_invocable_v<const Body&, std::int64_t, std::int64_t>) own(i, slot);
    else own(i), static_cast<void>(slot);
  };
  detail::run_pieces(count, threads, {std::addressof(body), run});
}

/// Calls body(first, last) for consecutive blocks of `block` indices of 0 .. count - 1, the last one shorter: a
/// `parallel_for` over blocks, for work that is too small by itself. A body of three arguments gets the slot as well.
///
/// What is computed may depend on `block`, which is why the caller chooses it.
/// Example: `parallel_for_blocks(count, 64, 0, [&](std::int64_t first, std::int64_t last) { fill(first, last); });`
template <class Body>
void parallel_for_blocks(std::int64_t count, std::int64_t block, std::int64_t threads, const Body& body) {
  parallel_for((count + block - 1) / block, threads, [&](std::int64_t piece, std::int64_t slot) {
    const std::int64_t first = piece * block, last = std::min(count, first + block);
    if constexpr (std::is_invocable_v<const Body&, std::int64_t, std::int64_t, std::int64_t>) body(first, last, slot);
    else body(first, last), static_cast<void>(slot);
  });
}

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/core/detail/parallel_for_impl.hpp>
#endif
