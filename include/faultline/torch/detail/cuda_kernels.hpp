// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The kernels on one device: compiled at run time or taken from the cache, loaded, launched.

#include <faultline/torch/detail/cubin_cache.hpp>
#include <faultline/torch/detail/cuda_functions.hpp>
#include <faultline/version.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {
namespace detail {

#define FAULTLINE_CUDA_TEXT(...) __VA_ARGS__
#include <faultline/torch/detail/cuda_kernel_arguments.hpp>
#undef FAULTLINE_CUDA_TEXT

/// What the kernels' text says in a chip's own words where it has them.
inline constexpr const char* cuda_words_text = R"(
#define FAULTLINE_UNROLL _Pragma("unroll")

// Two numbers rounded to bfloat16, the first in the low half.
__device__ inline unsigned int bf16_pair(float low, float high) {
#if __CUDA_ARCH__ >= 800
  unsigned int pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
#else
  unsigned int half[2] = {__float_as_uint(low), __float_as_uint(high)};
  for (int i = 0; i < 2; ++i) half[i] = (half[i] & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : (half[i] + 0x7fffu + ((half[i] >> 16) & 1u)) >> 16;
  return half[0] | half[1] << 16;
#endif
}

// x between -limit and limit; NaN stays NaN. A network without limits does not ask.
__device__ inline float clamped(float x, float limit) {
#if !FAULTLINE_LIMITS
  return x;
#elif __CUDA_ARCH__ >= 800
  asm("min.NaN.f32 %0, %1, %2;" : "=f"(x) : "f"(x), "f"(limit));
  asm("max.NaN.f32 %0, %1, %2;" : "=f"(x) : "f"(x), "f"(-limit));
  return x;
#else
  return x > limit ? limit : (x < -limit ? -limit : x);
#endif
}
)";

#define FAULTLINE_CUDA_TEXT(...) #__VA_ARGS__
inline constexpr const char* cuda_kernel_text =
#include <faultline/torch/detail/cuda_kernel_arguments.hpp>
    "\n"
#include <faultline/torch/detail/cuda_kernel_source.hpp>
    "\n"
#include <faultline/torch/detail/cuda_norm_source.hpp>
    "\n";
#undef FAULTLINE_CUDA_TEXT

/// All that is compiled. Without `limits` the arguments' clamps count for nothing.
inline std::string cuda_source(bool limits) {
  return "#define FAULTLINE_LIMITS " + std::to_string(limits ? 1 : 0) + "\n" + cuda_words_text + cuda_kernel_text;
}

/// Of each kind, by type, then by how many channels move as one word, then (points) by how many channels an image may
/// have.
inline constexpr std::array<const char*, 14> cuda_kernel_names = {
    "faultline_fir_f32_v1",       "faultline_fir_f32_v4",       "faultline_fir_bf16_v1",
    "faultline_fir_bf16_v4",      "faultline_point_f32_v1_o1",  "faultline_point_f32_v1_o3",
    "faultline_point_f32_v4_o1",  "faultline_point_f32_v4_o3",  "faultline_point_bf16_v1_o1",
    "faultline_point_bf16_v1_o3", "faultline_point_bf16_v8_o1", "faultline_point_bf16_v8_o3",
    "faultline_norms_v1",         "faultline_norms_v4"};

/// The kernels for one architecture (90 for sm_90) as a cubin. Throws PieceMissing with the compiler's words.
inline std::vector<char> compile_kernels(const CudaCompiler& compiler, const std::string& source,
                                         const std::vector<std::string>& options) {
  if (!compiler.missing.empty()) throw PieceMissing{compiler.missing};
  CudaCompiler::Program program = nullptr;
  if (const int result = compiler.create(&program, source.c_str(), "faultline_kernels.cu", 0, nullptr, nullptr);
      result != 0)
    throw PieceMissing{"NVRTC could not begin (result " + std::to_string(result) + ")"};
  struct Destroyer {
    const CudaCompiler& compiler;
    CudaCompiler::Program& program;
    ~Destroyer() { compiler.destroy(&program); }
  } destroyer{compiler, program};
  std::vector<const char*> texts;
  for (const std::string& option : options) texts.push_back(option.c_str());
  if (const int result = compiler.compile(program, static_cast<int>(texts.size()), texts.data()); result != 0) {
    std::size_t size = 0;
    std::string log;
    if (compiler.log_size(program, &size) == 0 && size > 1) {
      log.resize(size);
      if (compiler.log(program, log.data()) != 0) log.clear();
      while (!log.empty() && (log.back() == '\0' || log.back() == '\n')) log.pop_back();
    }
    throw PieceMissing{"the kernels did not compile (result " + std::to_string(result) +
                       (log.empty() ? ")" : "): " + log.substr(0, 500))};
  }
  std::size_t size = 0;
  if (compiler.cubin_size(program, &size) != 0 || size == 0)
    throw PieceMissing{"NVRTC made no code for this architecture"};
  std::vector<char> cubin(size);
  if (compiler.cubin(program, cubin.data()) != 0) throw PieceMissing{"NVRTC did not hand out its code"};
  return cubin;
}

/// `architecture` is 90 for compute capability 9.0.
inline std::vector<std::string> kernel_options(int architecture) {
  return {"--gpu-architecture=sm_" + std::to_string(architecture), "--std=c++17"};
}

/// Where and how large a kernel runs.
struct LaunchShape {
  std::array<unsigned, 3> grid = {1, 1, 1};
  unsigned block = 256;
};

/// The loaded kernels of one device. Functions of the table throw nothing here: every failure becomes PieceMissing.
///
/// A cached cubin that the driver refuses is compiled again, once. What was loaded stays until the last copy dies.
class CudaKernels {
 public:
  /// `device` is the ordinal, `architecture` its compute capability (90 for 9.0). A thread without a context gets the
  /// device's primary one.
  CudaKernels(const CudaDriver& driver, const CudaCompiler& compiler, const CubinCache& cache, int device,
              int architecture, const std::string& source = cuda_source(true))
      : driver_(&driver), device_(device) {
    if (!driver.missing.empty()) throw PieceMissing{driver.missing};
    ensure_context();
    // Without a compiler a cache cannot be asked either: its version is part of the key.
    if (!compiler.missing.empty()) throw PieceMissing{compiler.missing};
    int major = 0, minor = 0;
    if (compiler.version(&major, &minor) != 0) throw PieceMissing{"NVRTC does not tell its version"};
    const std::vector<std::string> options = kernel_options(architecture);
    std::string decides =
        std::string(version_string) + "\nNVRTC " + std::to_string(major) + "." + std::to_string(minor) + "\n";
    for (const std::string& option : options) decides += option + "\n";
    const std::string key = CubinCache::key(decides + source);

    if (const auto stored = cache.find(key)) {
      if (driver.module_load_data(&module_, stored->data()) == CUDA_SUCCESS) from_cache_ = true;
      else module_ = nullptr;
    }
    if (module_ == nullptr) {
      const std::vector<char> cubin = compile_kernels(compiler, source, options);
      check(driver.module_load_data(&module_, cubin.data()), "the kernels could not be loaded");
      cache.store(key, cubin);
    }
    try {
      for (std::size_t i = 0; i < functions_.size(); ++i)
        check(driver.module_get_function(&functions_[i], module_, cuda_kernel_names[i]), cuda_kernel_names[i]);
    } catch (...) {
      driver.module_unload(module_);
      throw;
    }
  }
  ~CudaKernels() { driver_->module_unload(module_); }
  CudaKernels(const CudaKernels&) = delete;
  CudaKernels& operator=(const CudaKernels&) = delete;

  /// Whether no compiler ran.
  [[nodiscard]] bool from_cache() const noexcept { return from_cache_; }

  static constexpr int fir_width = 4;  ///< channels that move as one word
  static constexpr int point_width(bool bf16) { return bf16 ? 8 : 4; }

  /// FIR and epilogue; `in` is `[N, size + 1, size + 1, C]`. `wide`: the channels are a multiple of fir_width, all
  /// arrays aligned to sixteen bytes.
  void fir(bool bf16, bool wide, std::int64_t count, EpilogueArguments arguments, void* stream) const {
    const std::int64_t items = std::int64_t{arguments.size} / 2 * (arguments.channels / (wide ? fir_width : 1));
    LaunchShape shape;
    shape.block = static_cast<unsigned>(std::min<std::int64_t>(shape.block, (items + 31) / 32 * 32));
    const std::int64_t strips = (arguments.size + fir_strip - 1) / fir_strip;
    arguments.rounds = rounds(count * strips * items / 32);
    shape.grid = {blocks(items, shape.block), blocks(strips, static_cast<unsigned>(arguments.rounds)),
                  static_cast<unsigned>(count)};
    std::array<void*, 1> parameters = {&arguments};
    launch((bf16 ? 2u : 0u) + (wide ? 1u : 0u), shape, parameters.data(), stream);
  }

  /// Epilogue without FIR, and the image of one or three channels (`colours`). `wide`: the channels are a multiple of
  /// point_width(bf16), all arrays aligned to sixteen bytes.
  void point(bool bf16, bool wide, std::int64_t colours, std::int64_t count, EpilogueArguments arguments,
             ToRgbArguments rgb, void* stream) const {
    const int packs = arguments.channels / (wide ? point_width(bf16) : 1);
    arguments.strip = point_pixels;
    while (arguments.strip < 32 && 2 * arguments.strip <= packs) arguments.strip *= 2;
    const std::int64_t pixels = std::int64_t{arguments.size} * arguments.size,
                       of_a_warp = 32 / arguments.strip * point_pixels;
    arguments.rounds = rounds(count * pixels / of_a_warp);
    LaunchShape shape;
    shape.grid = {blocks(pixels, static_cast<unsigned>(shape.block / 32 * of_a_warp * arguments.rounds)),
                  static_cast<unsigned>(count), 1};
    std::array<void*, 2> parameters = {&arguments, &rgb};
    launch(4u + (bf16 ? 4u : 0u) + (wide ? 2u : 0u) + (colours == 3 ? 1u : 0u), shape, parameters.data(), stream);
  }

  /// Squared norms of all convolutions. `wide`: widths and places of the styles are multiples of four, aligned to
  /// sixteen bytes.
  void norms(bool wide, const NormArguments& arguments, void* stream) const {
    LaunchShape shape;
    shape.grid = {blocks(arguments.warps, shape.block / 32), blocks(arguments.samples, norm_samples), 1};
    NormArguments copy = arguments;
    std::array<void*, 1> parameters = {&copy};
    launch(wide ? 13u : 12u, shape, parameters.data(), stream);
  }

  /// Samples that one launch can take: the second and third axes of a grid end at 65 535.
  static constexpr std::int64_t most_samples = 65'535;

 private:
  /// A thread goes on with what it knows of its channels and rows where enough warps are left to fill a device.
  static int rounds(std::int64_t warps) {
    constexpr std::int64_t enough = 16'384;
    return static_cast<int>(std::clamp<std::int64_t>(warps / enough, 1, 8));
  }

  static unsigned blocks(std::int64_t items, unsigned per_block) {
    return static_cast<unsigned>((items + per_block - 1) / per_block);
  }

  void ensure_context() const {
    CUcontext context = nullptr;
    if (driver_->context_get_current(&context) == CUDA_SUCCESS && context != nullptr) return;
    check(driver_->init(0), "the driver does not start");
    CUdevice handle = 0;
    check(driver_->device_get(&handle, device_), "the device is not there");
    // LibTorch holds it too, for as long as the process lives
    check(driver_->primary_context_retain(&context, handle), "the device gives no context");
    check(driver_->context_set_current(context), "the device's context cannot be used");
  }

  void launch(std::size_t which, const LaunchShape& shape, void** parameters, void* stream) const {
    ensure_context();
    check(driver_->launch_kernel(functions_[which], shape.grid[0], shape.grid[1], shape.grid[2], shape.block, 1, 1, 0,
                                 static_cast<CUstream>(stream), parameters, nullptr),
          cuda_kernel_names[which]);
  }

  void check(CUresult result, const std::string& what) const {
    if (result == CUDA_SUCCESS) return;
    const char* name = nullptr;
    if (driver_->get_error_name(result, &name) != CUDA_SUCCESS || name == nullptr) name = "unknown error";
    throw PieceMissing{what + ": " + name};
  }

  const CudaDriver* driver_;
  int device_;
  CUmodule module_ = nullptr;
  std::array<CUfunction, cuda_kernel_names.size()> functions_ = {};
  bool from_cache_ = false;
};

}  // namespace detail
}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
