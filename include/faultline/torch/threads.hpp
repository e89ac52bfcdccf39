// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Threads of LibTorch's own loops and of ours beside them: the smaller of the two limits holds for both.

#include <faultline/core/parallel_for.hpp>
#include <faultline/torch/libtorch.hpp>

#include <algorithm>
#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {
namespace detail {

/// For `parallel_for` beside LibTorch: as many threads as a loop of LibTorch's would have here.
inline std::int64_t loop_threads() { return at::in_parallel_region() ? 1 : std::max(1, at::get_num_threads()); }

/// Lowers the number of LibTorch's threads in the calling thread for a scope, and puts back what was there. Nothing
/// happens where it is no higher.
class TorchThreads {
 public:
  explicit TorchThreads(std::int64_t most) : TorchThreads(most, at::get_num_threads()) {}
  /// The same, with `afterwards` to be set at the end: what a thread of a pool has by itself may be another's limit.
  TorchThreads(std::int64_t most, int afterwards) : afterwards_(afterwards) {
    if (most < at::get_num_threads()) at::set_num_threads(static_cast<int>(most));
  }
  ~TorchThreads() {
    if (at::get_num_threads() != afterwards_) at::set_num_threads(afterwards_);
  }
  TorchThreads(const TorchThreads&) = delete;
  TorchThreads& operator=(const TorchThreads&) = delete;

 private:
  int afterwards_;
};

}  // namespace detail
}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
