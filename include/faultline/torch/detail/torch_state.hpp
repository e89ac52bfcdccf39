// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a user's LibTorch model may change about the process, and must not.

#include <faultline/core/parallel_for.hpp>
#include <faultline/torch/libtorch_call.hpp>
#include <faultline/torch/libtorch.hpp>

#include <faultline/torch/libtorch_begin.hpp>

#include <ATen/Context.h>
#include <c10/core/DefaultDtype.h>
#include <c10/util/Exception.h>
#include <faultline/torch/libtorch_end.hpp>

#include <cstdint>
#include <mutex>
#include <optional>

namespace faultline {
inline namespace v1 {
namespace detail {

/// Switches autograd on or off for a scope, and at its end puts back grad mode, number of threads, default type and the
/// CPU generator's state. LibTorch gets no more threads than `available_threads()`. Gradients leave inference mode,
/// where there are none; autocast and inference mode of a user's model are otherwise the user's. Throws forked_process.
class TorchState {
 public:
  TorchState(const char* where, bool gradients)
      : grad_((stylegan2::detail::require_own_process(where), c10::GradMode::is_enabled())),
        threads_(at::get_num_threads()),
        type_(c10::get_default_dtype()) {
    at::Generator generator = at::globalContext().defaultGenerator(at::Device(at::kCPU));
    const std::lock_guard<std::mutex> lock(generator.mutex());
    random_ = generator.get_state();
    if (gradients && c10::InferenceMode::is_enabled()) left_.emplace(false);
    c10::GradMode::set_enabled(gradients);
    if (const std::int64_t most = available_threads(); most < threads_) at::set_num_threads(static_cast<int>(most));
  }
  ~TorchState() {
    left_.reset();
    c10::GradMode::set_enabled(grad_);
    if (at::get_num_threads() != threads_) at::set_num_threads(threads_);
    c10::set_default_dtype(type_);
    at::Generator generator = at::globalContext().defaultGenerator(at::Device(at::kCPU));
    const std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_state(random_);
  }
  TorchState(const TorchState&) = delete;
  TorchState& operator=(const TorchState&) = delete;

 private:
  bool grad_;
  int threads_;
  caffe2::TypeMeta type_;
  at::Tensor random_;
  std::optional<c10::InferenceMode> left_;
};

}  // namespace detail
}  // namespace v1
}  // namespace faultline
