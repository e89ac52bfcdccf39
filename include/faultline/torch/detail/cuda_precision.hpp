// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How LibTorch rounds float32 convolutions and products on a CUDA device while our work is queued, and as it was before
// afterwards.

#include <faultline/torch/libtorch.hpp>

#include <faultline/torch/libtorch_begin.hpp>

#include <ATen/Context.h>
#include <faultline/torch/libtorch_end.hpp>

#include <string>
#include <type_traits>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {
namespace detail {

/// The precision of cuDNN's float32 convolutions, through whichever of the three interfaces LibTorch has had:
/// enumerations, texts (2.9), a flag (before).
template <class Context>
class ConvolutionPrecision {
 public:
  explicit ConvolutionPrecision(Context& context) : context_(context), before_(get()) {}

  void set(bool tf32) {
    if constexpr (has_policies) write(tf32 ? tf32_policy() : ieee_policy());
    else context_.setAllowTF32CuDNN(tf32);
  }

  /// Inherits again where that gives what was there before, so that a later change of the general setting still
  /// arrives.
  void restore() {
    if constexpr (has_policies) {
      write(inherited_policy());
      if (!(get() == before_)) write(before_);
    } else {
      context_.setAllowTF32CuDNN(before_);
    }
  }

 private:
  static constexpr bool has_policies = requires { &Context::setFloat32Precision; };

  template <class B, class O, class P>
  struct Signature {
    using Backend = std::remove_cvref_t<B>;
    using Operation = std::remove_cvref_t<O>;
    using Policy = std::remove_cvref_t<P>;
  };
  template <class B, class O, class P>
  static Signature<B, O, P> signature(void (Context::*)(B, O, P));
  template <class C>
  static auto signature_of() {
    if constexpr (requires { &C::setFloat32Precision; }) return decltype(signature(&C::setFloat32Precision)){};
    else return Signature<bool, bool, bool>{};
  }
  using Types = decltype(signature_of<Context>());
  using Policy = typename Types::Policy;

  static auto backend() {
    if constexpr (std::is_enum_v<typename Types::Backend>) return Types::Backend::CUDA;
    else return std::string("cuda");
  }
  static auto operation() {
    if constexpr (std::is_enum_v<typename Types::Operation>) return Types::Operation::CONV;
    else return std::string("conv");
  }
  static auto tf32_policy() {
    if constexpr (std::is_enum_v<Policy>) return Policy::TF32;
    else return std::string("tf32");
  }
  static auto ieee_policy() {
    if constexpr (std::is_enum_v<Policy>) return Policy::IEEE;
    else return std::string("ieee");
  }
  static auto inherited_policy() {
    if constexpr (std::is_enum_v<Policy>) return Policy::NONE;
    else return std::string("none");
  }

  [[nodiscard]] Policy get() const {
    if constexpr (has_policies) return context_.float32Precision(backend(), operation());
    else return context_.allowTF32CuDNN();
  }
  void write(const Policy& policy) { context_.setFloat32Precision(backend(), operation(), policy); }

  Context& context_;
  Policy before_;
};

/// For a scope: convolutions in IEEE float32 or TF32, products always in IEEE, cuDNN picks its fastest algorithm for
/// our fixed shapes.
///
/// Settings of LibTorch for the whole process, but for the products': two threads that want different modes at once
/// must not.
class PrecisionScope {
 public:
  explicit PrecisionScope(bool tf32)
      : convolutions_(at::globalContext()), benchmark_(at::globalContext().benchmarkCuDNN()) {
    convolutions_.set(tf32);
    at::globalContext().setBenchmarkCuDNN(true);
  }
  ~PrecisionScope() {
    at::globalContext().setBenchmarkCuDNN(benchmark_);
    convolutions_.restore();
  }
  PrecisionScope(const PrecisionScope&) = delete;
  PrecisionScope& operator=(const PrecisionScope&) = delete;

 private:
  at::NoTF32Guard products_;
  ConvolutionPrecision<at::Context> convolutions_;
  bool benchmark_;
};

}  // namespace detail
}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
