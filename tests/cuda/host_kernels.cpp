// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A CUDA device made of loops: the kernels' text with the words of CUDA defined for the host. Threads of a block that
// exchange values are fibres that take turns.

#include "host_kernels.hpp"

#include <ucontext.h>

#include <bit>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <vector>

namespace {

struct Index {
  unsigned x = 0, y = 0, z = 0;
};
Index threadIdx, blockIdx, blockDim;

/// The threads of one block; each runs until it waits for the others, then the next one runs.
class Block {
 public:
  void run(unsigned threads, const std::function<void()>& body) {
    body_ = &body;
    values_.assign(threads, 0.0f);
    fibres_.resize(threads);
    for (unsigned t = 0; t < threads; ++t) {
      Fibre& fibre = fibres_[t];
      if (!fibre.stack) fibre.stack = std::make_unique<char[]>(stack_size);
      fibre.done = false;
      getcontext(&fibre.context);
      fibre.context.uc_stack.ss_sp = fibre.stack.get();
      fibre.context.uc_stack.ss_size = stack_size;
      fibre.context.uc_link = &scheduler_;
      makecontext(&fibre.context, reinterpret_cast<void (*)()>(&Block::enter), 0);
    }
    current_block = this;
    for (bool running = true; running;) {
      running = false;
      for (unsigned t = 0; t < threads; ++t) {
        if (fibres_[t].done) continue;
        threadIdx = {t, 0, 0};
        swapcontext(&scheduler_, &fibres_[t].context);
        running = true;
      }
    }
  }

  float exchanged(float value, unsigned partner) {
    values_[threadIdx.x] = value;
    wait();
    const float result = values_[partner];
    wait();
    return result;
  }

  static inline Block* current_block = nullptr;

 private:
  struct Fibre {
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    bool done = false;
  };
  static constexpr std::size_t stack_size = 64 * 1024;

  static void enter() {
    Block& block = *current_block;
    const unsigned self = threadIdx.x;
    (*block.body_)();
    block.fibres_[self].done = true;
  }

  void wait() {
    const Index self = threadIdx;
    swapcontext(&fibres_[self.x].context, &scheduler_);
    threadIdx = self;
  }

  const std::function<void()>* body_ = nullptr;
  std::vector<Fibre> fibres_;
  std::vector<float> values_;
  ucontext_t scheduler_;
};

float __uint_as_float(unsigned int bits) { return std::bit_cast<float>(bits); }
unsigned int __float_as_uint(float value) { return std::bit_cast<unsigned int>(value); }
float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
float __shfl_xor_sync(unsigned, float value, int mask) {
  return Block::current_block->exchanged(value, threadIdx.x ^ static_cast<unsigned>(mask));
}

// (what cuda_words_text has in the chip's words)
float clamped(float x, float limit) { return x > limit ? limit : (x < -limit ? -limit : x); }
unsigned int bf16_pair(float low, float high) {
  unsigned int half[2] = {__float_as_uint(low), __float_as_uint(high)};
  for (unsigned int& bits : half)
    bits = (bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return half[0] | half[1] << 16;
}

#define __global__
#define __device__
#define __launch_bounds__(...)
#define FAULTLINE_UNROLL
#define FAULTLINE_CUDA_TEXT(...) __VA_ARGS__
#include <faultline/torch/detail/cuda_kernel_arguments.hpp>
#include <faultline/torch/detail/cuda_kernel_source.hpp>
#include <faultline/torch/detail/cuda_norm_source.hpp>

using FirKernel = void (*)(EpilogueArguments);
using PointKernel = void (*)(EpilogueArguments, ToRgbArguments);
using NormKernel = void (*)(NormArguments);
#define FAULTLINE_KERNEL(name) \
  { #name, name }
const std::map<std::string, FirKernel> fir_kernels = {
    FAULTLINE_KERNEL(faultline_fir_f32_v1), FAULTLINE_KERNEL(faultline_fir_f32_v4),
    FAULTLINE_KERNEL(faultline_fir_bf16_v1), FAULTLINE_KERNEL(faultline_fir_bf16_v4)};
const std::map<std::string, PointKernel> point_kernels = {
    FAULTLINE_KERNEL(faultline_point_f32_v1_o1),  FAULTLINE_KERNEL(faultline_point_f32_v1_o3),
    FAULTLINE_KERNEL(faultline_point_f32_v4_o1),  FAULTLINE_KERNEL(faultline_point_f32_v4_o3),
    FAULTLINE_KERNEL(faultline_point_bf16_v1_o1), FAULTLINE_KERNEL(faultline_point_bf16_v1_o3),
    FAULTLINE_KERNEL(faultline_point_bf16_v8_o1), FAULTLINE_KERNEL(faultline_point_bf16_v8_o3)};
const std::map<std::string, NormKernel> norm_kernels = {FAULTLINE_KERNEL(faultline_norms_v1),
                                                        FAULTLINE_KERNEL(faultline_norms_v4)};

}  // namespace

namespace test {

void run_on_host(const std::string& kernel, std::array<unsigned, 3> grid, unsigned block, void** parameters) {
  const auto fir = fir_kernels.find(kernel);
  const auto point = point_kernels.find(kernel);
  const auto norm = norm_kernels.find(kernel);
  std::function<void()> body;
  if (fir != fir_kernels.end()) body = [&] { fir->second(*static_cast<const EpilogueArguments*>(parameters[0])); };
  else if (norm != norm_kernels.end()) body = [&] { norm->second(*static_cast<const NormArguments*>(parameters[0])); };
  else if (point != point_kernels.end())
    body = [&] {
      point->second(*static_cast<const EpilogueArguments*>(parameters[0]),
                    *static_cast<const ToRgbArguments*>(parameters[1]));
    };
  else throw std::invalid_argument("no kernel is called " + kernel);
  blockDim = {block, 1, 1};
  Block threads;
  for (unsigned z = 0; z < grid[2]; ++z)
    for (unsigned y = 0; y < grid[1]; ++y)
      for (unsigned x = 0; x < grid[0]; ++x) {
        blockIdx = {x, y, z};
        if (fir == fir_kernels.end()) {
          threads.run(block, body);
          continue;
        }
        for (unsigned t = 0; t < block; ++t) {  // they exchange nothing
          threadIdx = {t, 0, 0};
          body();
        }
      }
}

unsigned short host_bf16(float value) {
  Bf16 result;
  narrow(value, result);
  return result.bits;
}

}  // namespace test
