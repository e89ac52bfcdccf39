// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Loops over single feature planes that do in one pass what would otherwise be five to ten: FIR, demodulation, noise,
// bias, activation, next style, ToRGB.

#include <faultline/config.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace faultline {
inline namespace v1 {
namespace training {
namespace detail {

inline constexpr float root_two = 1.41421356f;
inline constexpr float slope = 0.2f;

/// Sixteen floats, in whatever registers the function's target has. Never a parameter or result, so no calling
/// convention depends on it.
using Lanes __attribute__((vector_size(64))) = float;

/// What one plane contributes to the gradients of its scalars.
struct PlaneSums {
  float d = 0;
  float bias = 0;
  float strength = 0;
  float style = 0;
};

#define FAULTLINE_DETAIL_INLINE __attribute__((always_inline)) inline

/// [1,3,3,1] ⊗ [1,3,3,1] · scale with `pad` zeros around, every output. `row` and `zeros` hold in + 2 pad floats, `row`
/// zero outside [pad, pad + in).
FAULTLINE_DETAIL_INLINE void fir_plane_body(const float* __restrict input, std::int64_t in, std::int64_t pad,
                                            float scale, float* __restrict output, float* __restrict row,
                                            const float* zeros) {
  const std::int64_t out = in + 2 * pad - 3;
  for (std::int64_t j = 0; j < out; ++j) {
    const float* tap[4];
    for (std::int64_t k = 0; k < 4; ++k) {
      const std::int64_t y = j + k - pad;
      tap[k] = y >= 0 && y < in ? input + y * in : zeros;
    }
    const float *a = tap[0], *b = tap[1], *c = tap[2], *d = tap[3];
    float* __restrict middle = row + pad;
    for (std::int64_t x = 0; x < in; ++x) middle[x] = scale * ((a[x] + d[x]) + 3.0f * (b[x] + c[x]));
    float* __restrict line = output + j * out;
    for (std::int64_t x = 0; x < out; ++x) line[x] = (row[x] + row[x + 3]) + 3.0f * (row[x + 1] + row[x + 2]);
  }
}

/// One plane of a synthesis layer's epilogue: writes y = √2·lrelu(d·u + σ·η + b) and y·s, and adds v·y to each image
/// plane. `count` is a multiple of 16.
FAULTLINE_DETAIL_INLINE void epilogue_plane_body(const float* __restrict u, std::int64_t count, float d,
                                                 const float* __restrict noise, float strength, float bias, float style,
                                                 const float* rgb_weight, std::int64_t rgb_count,
                                                 std::int64_t rgb_stride, float* __restrict y, float* __restrict scaled,
                                                 float* __restrict rgb) {
  for (std::int64_t i = 0; i < count; i += 16) {
    Lanes value;
    std::memcpy(&value, u + i, sizeof value);
    value = value * d + bias;
    if (noise) {
      Lanes eta;
      std::memcpy(&eta, noise + i, sizeof eta);
      value += eta * strength;
    }
    value *= root_two;
    value = value > 0.0f ? value : value * slope;
    std::memcpy(y + i, &value, sizeof value);
    if (scaled) {
      const Lanes product = value * style;
      std::memcpy(scaled + i, &product, sizeof product);
    }
    for (std::int64_t k = 0; k < rgb_count; ++k) {
      Lanes sum;
      std::memcpy(&sum, rgb + k * count + i, sizeof sum);
      sum += value * rgb_weight[k * rgb_stride];
      std::memcpy(rgb + k * count + i, &sum, sizeof sum);
    }
  }
}

/// Backward of `epilogue_plane_body`: writes dL/du and sums the gradients of the plane's scalars.
FAULTLINE_DETAIL_INLINE void epilogue_plane_backward_body(const float* __restrict y, std::int64_t count, float d,
                                                          const float* __restrict noise, float strength, float bias,
                                                          float style, const float* rgb_weight, std::int64_t rgb_count,
                                                          std::int64_t rgb_stride, const float* __restrict gscaled,
                                                          const float* __restrict grgb, float* __restrict gu,
                                                          float* rgb_sums, PlaneSums& sums) {
  const Lanes zero = {};
  const Lanes ones = zero + 1.0f;
  Lanes sum_d = {}, sum_bias = {}, sum_strength = {}, sum_style = {};
  for (std::int64_t i = 0; i < count; i += 16) {
    Lanes value, g = {};
    std::memcpy(&value, y + i, sizeof value);
    if (gscaled) {
      Lanes incoming;
      std::memcpy(&incoming, gscaled + i, sizeof incoming);
      sum_style += incoming * value;
      g = incoming * style;
    }
    for (std::int64_t k = 0; k < rgb_count; ++k) {
      Lanes incoming;
      std::memcpy(&incoming, grgb + k * count + i, sizeof incoming);
      g += incoming * rgb_weight[k * rgb_stride];
    }
    g *= (value > 0.0f ? ones : zero + slope) * root_two;
    // d·u + σ·η, undone from the activation
    Lanes before = value * (value > 0.0f ? ones : zero + 1.0f / slope) * (1.0f / root_two) - bias;
    sum_bias += g;
    if (noise) {
      Lanes eta;
      std::memcpy(&eta, noise + i, sizeof eta);
      sum_strength += g * eta;
      before -= eta * strength;
    }
    sum_d += g * before;
    const Lanes result = g * d;
    std::memcpy(gu + i, &result, sizeof result);
  }
  for (std::int64_t k = 0; k < rgb_count; ++k) {
    Lanes sum = {};
    for (std::int64_t i = 0; i < count; i += 16) {
      Lanes incoming, value;
      std::memcpy(&incoming, grgb + k * count + i, sizeof incoming);
      std::memcpy(&value, y + i, sizeof value);
      sum += incoming * value;
    }
    float total = 0;
    for (int l = 0; l < 16; ++l) total += sum[l];
    rgb_sums[k * rgb_stride] = total;
  }
  for (int l = 0; l < 16; ++l) {
    sums.d += sum_d[l];
    sums.bias += sum_bias[l];
    sums.strength += sum_strength[l];
    sums.style += sum_style[l];
  }
  sums.d /= d;
}

/// gain · lrelu(x + bias) of one plane, plus `residual` where given. `count` is a multiple of 16.
FAULTLINE_DETAIL_INLINE void activation_plane_body(const float* __restrict x, std::int64_t count, float bias,
                                                   float gain, const float* __restrict residual, float* __restrict y) {
  for (std::int64_t i = 0; i < count; i += 16) {
    Lanes value;
    std::memcpy(&value, x + i, sizeof value);
    value += bias;
    value = (value > 0.0f ? value : value * slope) * gain;
    if (residual) {
      Lanes other;
      std::memcpy(&other, residual + i, sizeof other);
      value += other;
    }
    std::memcpy(y + i, &value, sizeof value);
  }
}

/// Backward of `activation_plane_body`; adds the gradient of the bias to `sum`.
FAULTLINE_DETAIL_INLINE void activation_plane_backward_body(const float* __restrict x, std::int64_t count, float bias,
                                                            float gain, const float* __restrict gy,
                                                            float* __restrict gx, float& sum) {
  Lanes total = {};
  for (std::int64_t i = 0; i < count; i += 16) {
    Lanes value, g;
    std::memcpy(&value, x + i, sizeof value);
    std::memcpy(&g, gy + i, sizeof g);
    g *= gain;
    g = value + bias > 0.0f ? g : g * slope;
    total += g;
    std::memcpy(gx + i, &g, sizeof g);
  }
  for (int l = 0; l < 16; ++l) sum += total[l];
}

/// The kernels of one instruction set. A table of plain functions: target_clones on inline functions fails to link with
/// clang.
struct FusedKernels {
  decltype(&fir_plane_body) fir_plane;
  decltype(&epilogue_plane_body) epilogue_plane;
  decltype(&epilogue_plane_backward_body) epilogue_plane_backward;
  decltype(&activation_plane_body) activation_plane;
  decltype(&activation_plane_backward_body) activation_plane_backward;
};

#define FAULTLINE_DETAIL_KERNELS(suffix, attribute)                                                                    \
  attribute inline void fir_plane_##suffix(const float* __restrict input, std::int64_t in, std::int64_t pad,           \
                                           float scale, float* __restrict output, float* __restrict row,               \
                                           const float* zeros) {                                                       \
    fir_plane_body(input, in, pad, scale, output, row, zeros);                                                         \
  }                                                                                                                    \
  attribute inline void epilogue_plane_##suffix(                                                                       \
      const float* __restrict u, std::int64_t count, float d, const float* __restrict noise, float strength,           \
      float bias, float style, const float* rgb_weight, std::int64_t rgb_count, std::int64_t rgb_stride,               \
      float* __restrict y, float* __restrict scaled, float* __restrict rgb) {                                          \
    epilogue_plane_body(u, count, d, noise, strength, bias, style, rgb_weight, rgb_count, rgb_stride, y, scaled, rgb); \
  }                                                                                                                    \
  attribute inline void epilogue_plane_backward_##suffix(                                                              \
      const float* __restrict y, std::int64_t count, float d, const float* __restrict noise, float strength,           \
      float bias, float style, const float* rgb_weight, std::int64_t rgb_count, std::int64_t rgb_stride,               \
      const float* __restrict gscaled, const float* __restrict grgb, float* __restrict gu, float* rgb_sums,            \
      PlaneSums& sums) {                                                                                               \
    epilogue_plane_backward_body(y, count, d, noise, strength, bias, style, rgb_weight, rgb_count, rgb_stride,         \
                                 gscaled, grgb, gu, rgb_sums, sums);                                                   \
  }                                                                                                                    \
  attribute inline void activation_plane_##suffix(const float* __restrict x, std::int64_t count, float bias,           \
                                                  float gain, const float* __restrict residual, float* __restrict y) { \
    activation_plane_body(x, count, bias, gain, residual, y);                                                          \
  }                                                                                                                    \
  attribute inline void activation_plane_backward_##suffix(const float* __restrict x, std::int64_t count, float bias,  \
                                                           float gain, const float* __restrict gy,                     \
                                                           float* __restrict gx, float& sum) {                         \
    activation_plane_backward_body(x, count, bias, gain, gy, gx, sum);                                                 \
  }                                                                                                                    \
  inline FusedKernels kernels_##suffix() {                                                                             \
    return {fir_plane_##suffix, epilogue_plane_##suffix, epilogue_plane_backward_##suffix, activation_plane_##suffix,  \
            activation_plane_backward_##suffix};                                                                       \
  }

FAULTLINE_DETAIL_KERNELS(baseline, )
#if defined(__x86_64__)
FAULTLINE_DETAIL_KERNELS(avx2, __attribute__((target("avx2,fma"))))
FAULTLINE_DETAIL_KERNELS(avx512, __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,fma"))))
#endif

/// The kernels for this processor, chosen once.
inline const FusedKernels& fused_kernels() {
  static const FusedKernels kernels = [] {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw"))
      return kernels_avx512();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return kernels_avx2();
#endif
    return kernels_baseline();
  }();
  return kernels;
}

#undef FAULTLINE_DETAIL_KERNELS
#undef FAULTLINE_DETAIL_INLINE

}  // namespace detail
}  // namespace training
}  // namespace v1
}  // namespace faultline
