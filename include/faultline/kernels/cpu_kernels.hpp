// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The inner loops of CpuBackend for every instruction set it knows, chosen at run time: a row of convolution outputs,
// the vertical half of the resampling filter, everything between two convolutions in one pass, and the transforms of
// Winograd's convolution.

#include <faultline/error.hpp>
#include <faultline/kernels/cpu_rows.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace faultline {
inline namespace v1 {
namespace kernels {

#define FAULTLINE_DETAIL_INLINE __attribute__((always_inline)) inline

template <int Lanes>
struct VectorOf;
template <>
struct VectorOf<16> {
  using type __attribute__((vector_size(64))) = float;
};
template <>
struct VectorOf<8> {
  using type __attribute__((vector_size(32))) = float;
};
template <>
struct VectorOf<4> {
  using type __attribute__((vector_size(16))) = float;
};

/// `Pixels` outputs by `Vectors` registers, held in registers over all taps and channels.
template <int Lanes, int Vectors, int Pixels>
FAULTLINE_DETAIL_INLINE void convolve_block(const ConvolutionRow& row, std::ptrdiff_t first) {
  using Vector = typename VectorOf<Lanes>::type;
  float* const out = row.out + first * row.out_step;
  Vector sum[Pixels][Vectors];
#pragma GCC unroll 16
  for (int p = 0; p < Pixels; ++p)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) {
      if (row.add) std::memcpy(&sum[p][v], out + p * row.out_step + v * Lanes, sizeof(Vector));
      else sum[p][v] = Vector{};
    }
  const float* weight = static_cast<const float*>(row.weight);
  const std::ptrdiff_t step = row.x_step, channels = row.channels;
  for (std::ptrdiff_t t = 0; t < row.tap_count; ++t) {
    const float* const x = static_cast<const float*>(row.x) + row.taps[t] + first * step;
    for (std::ptrdiff_t c = 0; c < channels; ++c) {
      Vector w[Vectors];
#pragma GCC unroll 8
      for (int v = 0; v < Vectors; ++v) std::memcpy(&w[v], weight + v * Lanes, sizeof(Vector));
#pragma GCC unroll 16
      for (int p = 0; p < Pixels; ++p)
#pragma GCC unroll 8
        for (int v = 0; v < Vectors; ++v) sum[p][v] += w[v] * x[p * step + c];
      weight += Vectors * Lanes;
    }
  }
#pragma GCC unroll 16
  for (int p = 0; p < Pixels; ++p)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) std::memcpy(out + p * row.out_step + v * Lanes, &sum[p][v], sizeof(Vector));
}

/// A row in blocks of `Pixels` outputs, and of fewer where it ends: sums wait for themselves in a block that is too
/// small, so that 9 becomes 5 and 4, not 8 and 1.
template <int Lanes, int Vectors, int Pixels>
FAULTLINE_DETAIL_INLINE void convolve_row(const ConvolutionRow& row) {
  std::ptrdiff_t p = 0;
  if constexpr (Pixels == 8) {
    for (; p + 8 <= row.pixels && row.pixels - p != 9; p += 8) convolve_block<Lanes, Vectors, 8>(row, p);
    if (row.pixels - p == 9) return convolve_block<Lanes, Vectors, 9>(row, p);
    if (row.pixels - p == 5) return convolve_block<Lanes, Vectors, 5>(row, p);
  } else if constexpr (Pixels == 6) {
    for (; row.pixels - p >= 10 || row.pixels - p == 6; p += 6) convolve_block<Lanes, Vectors, 6>(row, p);
    if (row.pixels - p == 5 || row.pixels - p == 9) {
      convolve_block<Lanes, Vectors, 5>(row, p);
      p += 5;
    }
  }
  for (; p + 4 <= row.pixels; p += 4) convolve_block<Lanes, Vectors, 4>(row, p);
  if (row.pixels - p == 3) return convolve_block<Lanes, Vectors, 3>(row, p);
  for (; p < row.pixels; ++p) convolve_block<Lanes, Vectors, 1>(row, p);
}

template <int Lanes>
FAULTLINE_DETAIL_INLINE void filter_rows(const FilterRows& rows) {
  using Vector = typename VectorOf<Lanes>::type;
  for (std::ptrdiff_t i = 0; i < rows.count; i += Lanes) {
    Vector a, b, c, d;
    std::memcpy(&a, rows.a + i, sizeof a);
    std::memcpy(&b, rows.b + i, sizeof b);
    std::memcpy(&c, rows.c + i, sizeof c);
    std::memcpy(&d, rows.d + i, sizeof d);
    const Vector sum = (a + d) + (b + c) * 3.0f;
    std::memcpy(rows.out + i, &sum, sizeof sum);
  }
}

/// The nearest Bfloat16 of each value, ties to even.
template <int Lanes>
FAULTLINE_DETAIL_INLINE void store_narrow(Bfloat16* out, const float* values) {
  std::uint32_t bits[Lanes];
  std::memcpy(bits, values, sizeof bits);
  for (int i = 0; i < Lanes; ++i) out[i] = static_cast<Bfloat16>((bits[i] + 0x7fffu + ((bits[i] >> 16) & 1u)) >> 16);
}

template <int Lanes, bool Filter, bool Narrow>
FAULTLINE_DETAIL_INLINE void finish_pixels(const EpilogueRow& row) {
  using Vector = typename VectorOf<Lanes>::type;
  const Vector zero = {};
  const Vector high = zero + row.clamp, low = zero - row.clamp;
  const std::ptrdiff_t width = row.width;
  for (std::ptrdiff_t p = 0; p < row.pixels; ++p) {
    const float noise = row.noise ? row.noise[p] * row.noise_gain : 0.0f;
    for (std::ptrdiff_t c = 0; c < width; c += Lanes) {
      const float* const u = row.u + p * width + c;
      Vector value, d, bias;
      std::memcpy(&value, u, sizeof value);
      if constexpr (Filter) {
        Vector second, third, fourth;
        std::memcpy(&second, u + width, sizeof second);
        std::memcpy(&third, u + 2 * width, sizeof third);
        std::memcpy(&fourth, u + 3 * width, sizeof fourth);
        value = (value + fourth) + (second + third) * 3.0f;
      }
      if (row.raw) std::memcpy(row.raw + p * row.out_step + c, &value, sizeof value);
      std::memcpy(&d, row.demodulation + c, sizeof d);
      std::memcpy(&bias, row.bias + c, sizeof bias);
      value = value * d + (bias + noise);
      const Vector leaked = value * 0.2f;
      value = value > leaked ? value : leaked;
      value = value > high ? high : value;
      value = value < low ? low : value;
      for (std::ptrdiff_t k = 0; k < row.colours; ++k) {
        Vector weight;
        std::memcpy(&weight, row.rgb_weight + k * row.rgb_step + c, sizeof weight);
        weight *= value;
        float sum = 0.0f;
        if constexpr (Lanes == 16) {
          using Half = typename VectorOf<8>::type;
          Half halves[2];
          std::memcpy(halves, &weight, sizeof weight);
          const Half half = halves[0] + halves[1];
          using Quarter = typename VectorOf<4>::type;
          Quarter quarters[2];
          std::memcpy(quarters, &half, sizeof half);
          const Quarter quarter = quarters[0] + quarters[1];
          sum = (quarter[0] + quarter[2]) + (quarter[1] + quarter[3]);
        } else {
          for (int i = 0; i < Lanes; ++i) sum += weight[i];
        }
        row.rgb[k * row.rgb_plane + p] += sum;
      }
      if (row.kept) std::memcpy(row.kept + p * row.out_step + c, &value, sizeof value);
      if (row.style) {
        Vector style;
        std::memcpy(&style, row.style + c, sizeof style);
        value *= style;
        if constexpr (Narrow) {
          float plain[Lanes];
          std::memcpy(plain, &value, sizeof value);
          store_narrow<Lanes>(static_cast<Bfloat16*>(row.out) + p * row.out_step + c, plain);
        } else {
          std::memcpy(static_cast<float*>(row.out) + p * row.out_step + c, &value, sizeof value);
        }
      }
    }
  }
}

template <int Lanes>
FAULTLINE_DETAIL_INLINE void finish_row(const EpilogueRow& row) {
  if (row.filter) {
    if (row.narrow) finish_pixels<Lanes, true, true>(row);
    else finish_pixels<Lanes, true, false>(row);
  } else {
    if (row.narrow) finish_pixels<Lanes, false, true>(row);
    else finish_pixels<Lanes, false, false>(row);
  }
}

template <int Lanes>
FAULTLINE_DETAIL_INLINE void rectify_row(const RectifyRow& row) {
  using Vector = typename VectorOf<Lanes>::type;
  const Vector zero = {};
  for (std::ptrdiff_t p = 0; p < row.pixels; ++p)
    for (std::ptrdiff_t c = 0; c < row.width; c += Lanes) {
      Vector value, bias;
      std::memcpy(&bias, row.bias + c, sizeof bias);
      if (row.lower) {
        Vector other[3];
        const std::ptrdiff_t at = 2 * p * row.width + c;
        std::memcpy(&value, row.upper + at, sizeof value);
        std::memcpy(&other[0], row.upper + at + row.width, sizeof value);
        std::memcpy(&other[1], row.lower + at, sizeof value);
        std::memcpy(&other[2], row.lower + at + row.width, sizeof value);
#pragma GCC unroll 3
        for (int k = 0; k < 3; ++k) value = value > other[k] ? value : other[k];
      } else {
        std::memcpy(&value, row.upper + p * row.width + c, sizeof value);
      }
      value += bias;
      value = value > zero ? value : zero;
      std::memcpy(row.out + p * row.out_step + c, &value, sizeof value);
    }
}

template <int Lanes>
FAULTLINE_DETAIL_INLINE void finish_gradient(const EpilogueGradientRow& row) {
  using Vector = typename VectorOf<Lanes>::type;
  const Vector zero = {}, high = zero + row.clamp, low = zero - row.clamp;
  for (std::ptrdiff_t p = 0; p < row.pixels; ++p) {
    const float noise = row.noise ? row.noise[p] * row.noise_gain : 0.0f;
    for (std::ptrdiff_t c = 0; c < row.width; c += Lanes) {
      Vector y, d, bias, sum, gradient = zero;
      std::memcpy(&y, row.y + p * row.width + c, sizeof y);
      std::memcpy(&d, row.demodulation + c, sizeof d);
      std::memcpy(&bias, row.bias + c, sizeof bias);
      if (row.out) {
        Vector style;
        std::memcpy(&gradient, row.out + p * row.width + c, sizeof gradient);
        std::memcpy(&style, row.style + c, sizeof style);
        std::memcpy(&sum, row.style_sums + c, sizeof sum);
        sum += gradient * y;
        std::memcpy(row.style_sums + c, &sum, sizeof sum);
        gradient *= style;
      }
      for (std::ptrdiff_t k = 0; k < row.colours; ++k) {
        const float incoming = row.rgb[k * row.rgb_plane + p];
        Vector weight;
        std::memcpy(&weight, row.rgb_weight + k * row.width + c, sizeof weight);
        gradient += weight * incoming;
        std::memcpy(&sum, row.rgb_sums + k * row.width + c, sizeof sum);
        sum += y * incoming;
        std::memcpy(row.rgb_sums + k * row.width + c, &sum, sizeof sum);
      }
      gradient = y > zero ? gradient : gradient * 0.2f;
      gradient = y < high ? gradient : zero;
      gradient = y > low ? gradient : zero;
      const Vector before = (y > zero ? y : y * 5.0f) - (bias + noise);
      std::memcpy(&sum, row.demodulation_sums + c, sizeof sum);
      sum += gradient * before;
      std::memcpy(row.demodulation_sums + c, &sum, sizeof sum);
      gradient *= d;
      std::memcpy(row.u + p * row.width + c, &gradient, sizeof gradient);
    }
  }
}

template <int Lanes>
FAULTLINE_DETAIL_INLINE void transform_inputs(const TileInputs& row) {
  using Vector = typename VectorOf<Lanes>::type;
  for (std::ptrdiff_t t = 0; t < row.tiles; ++t)
    for (std::ptrdiff_t c = 0; c < row.channels; c += Lanes) {
      const float* const x = row.x + 2 * t * row.channels + c;
      float* const out = row.out + t * row.channels + c;
      Vector half[4][4];
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        Vector d[4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) std::memcpy(&d[i], x + i * row.line + j * row.channels, sizeof(Vector));
        half[0][j] = d[0] - d[2];
        half[1][j] = d[1] + d[2];
        half[2][j] = d[2] - d[1];
        half[3][j] = d[1] - d[3];
      }
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        const Vector v[4] = {half[i][0] - half[i][2], half[i][1] + half[i][2], half[i][2] - half[i][1],
                             half[i][1] - half[i][3]};
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j) std::memcpy(out + (4 * i + j) * row.position, &v[j], sizeof(Vector));
      }
    }
}

template <int Lanes>
FAULTLINE_DETAIL_INLINE void transform_outputs(const TileOutputs& row) {
  using Vector = typename VectorOf<Lanes>::type;
  for (std::ptrdiff_t t = 0; t < row.tiles; ++t)
    for (std::ptrdiff_t c = 0; c < row.width; c += Lanes) {
      const float* const m = row.m + t * row.width + c;
      Vector half[2][4];
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        Vector d[4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) std::memcpy(&d[i], m + (4 * i + j) * row.position, sizeof(Vector));
        half[0][j] = d[0] + (d[1] + d[2]);
        half[1][j] = (d[1] - d[2]) - d[3];
      }
#pragma GCC unroll 2
      for (int i = 0; i < 2; ++i) {
        float* const out = row.out + (i * 2 * row.tiles + 2 * t) * row.width + c;
        const Vector even = half[i][0] + (half[i][1] + half[i][2]), odd = (half[i][1] - half[i][2]) - half[i][3];
        std::memcpy(out, &even, sizeof even);
        std::memcpy(out + row.width, &odd, sizeof odd);
      }
    }
}

inline void convolve_portable(const ConvolutionRow& row) { convolve_row<4, 4, 2>(row); }
inline void filter_portable(const FilterRows& rows) { filter_rows<4>(rows); }
inline void finish_portable(const EpilogueRow& row) { finish_row<4>(row); }
inline void tile_inputs_portable(const TileInputs& row) { transform_inputs<4>(row); }
inline void tile_outputs_portable(const TileOutputs& row) { transform_outputs<4>(row); }
inline void finish_gradient_portable(const EpilogueGradientRow& row) { finish_gradient<4>(row); }
inline void rectify_portable(const RectifyRow& row) { rectify_row<4>(row); }

inline constexpr Kernels portable_kernels = {"portable",
                                             16,
                                             convolve_portable,
                                             nullptr,
                                             filter_portable,
                                             finish_portable,
                                             tile_inputs_portable,
                                             tile_outputs_portable,
                                             finish_gradient_portable,
                                             rectify_portable};

#if defined(__x86_64__)
#define FAULTLINE_DETAIL_AVX2 __attribute__((target("avx2,fma")))
#define FAULTLINE_DETAIL_AVX512 __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,fma")))
#define FAULTLINE_DETAIL_BF16 __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx512bf16,fma")))

FAULTLINE_DETAIL_AVX2 inline void convolve_avx2(const ConvolutionRow& row) { convolve_row<8, 2, 6>(row); }
FAULTLINE_DETAIL_AVX2 inline void filter_avx2(const FilterRows& rows) { filter_rows<8>(rows); }
FAULTLINE_DETAIL_AVX2 inline void finish_avx2(const EpilogueRow& row) { finish_row<8>(row); }
FAULTLINE_DETAIL_AVX2 inline void tile_inputs_avx2(const TileInputs& row) { transform_inputs<8>(row); }
FAULTLINE_DETAIL_AVX2 inline void tile_outputs_avx2(const TileOutputs& row) { transform_outputs<8>(row); }
FAULTLINE_DETAIL_AVX2 inline void finish_gradient_avx2(const EpilogueGradientRow& row) { finish_gradient<8>(row); }
FAULTLINE_DETAIL_AVX2 inline void rectify_avx2(const RectifyRow& row) { rectify_row<8>(row); }

FAULTLINE_DETAIL_AVX512 inline void convolve_avx512(const ConvolutionRow& row) {
  if (row.width == 32) convolve_row<16, 2, 8>(row);
  else convolve_row<16, 1, 8>(row);
}
FAULTLINE_DETAIL_AVX512 inline void filter_avx512(const FilterRows& rows) { filter_rows<16>(rows); }
FAULTLINE_DETAIL_AVX512 inline void finish_avx512(const EpilogueRow& row) { finish_row<16>(row); }
FAULTLINE_DETAIL_AVX512 inline void tile_inputs_avx512(const TileInputs& row) { transform_inputs<16>(row); }
FAULTLINE_DETAIL_AVX512 inline void tile_outputs_avx512(const TileOutputs& row) { transform_outputs<16>(row); }
FAULTLINE_DETAIL_AVX512 inline void finish_gradient_avx512(const EpilogueGradientRow& row) { finish_gradient<16>(row); }
FAULTLINE_DETAIL_AVX512 inline void rectify_avx512(const RectifyRow& row) { rectify_row<16>(row); }

/// As `convolve_block` with products of pairs of Bfloat16, summed in float32.
template <int Vectors, int Pixels>
FAULTLINE_DETAIL_BF16 inline void convolve_block_bf16(const ConvolutionRow& row, std::ptrdiff_t first) {
  float* const out = row.out + first * row.out_step;
  __m512 sum[Pixels][Vectors];
#pragma GCC unroll 16
  for (int p = 0; p < Pixels; ++p)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v)
      sum[p][v] = row.add ? _mm512_loadu_ps(out + p * row.out_step + v * 16) : _mm512_setzero_ps();
  const Bfloat16* weight = static_cast<const Bfloat16*>(row.weight);
  const std::ptrdiff_t step = row.x_step, channels = row.channels;
  for (std::ptrdiff_t t = 0; t < row.tap_count; ++t) {
    const Bfloat16* const x = static_cast<const Bfloat16*>(row.x) + row.taps[t] + first * step;
    for (std::ptrdiff_t c = 0; c < channels; c += 2) {
      __m512i w[Vectors];
#pragma GCC unroll 8
      for (int v = 0; v < Vectors; ++v) w[v] = _mm512_loadu_si512(weight + v * 32);
#pragma GCC unroll 16
      for (int p = 0; p < Pixels; ++p) {
        int pair;
        std::memcpy(&pair, x + p * step + c, sizeof pair);
        const __m512i both = _mm512_set1_epi32(pair);
#pragma GCC unroll 8
        for (int v = 0; v < Vectors; ++v) sum[p][v] = _mm512_dpbf16_ps(sum[p][v], (__m512bh)w[v], (__m512bh)both);
      }
      weight += Vectors * 32;
    }
  }
#pragma GCC unroll 16
  for (int p = 0; p < Pixels; ++p)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) _mm512_storeu_ps(out + p * row.out_step + v * 16, sum[p][v]);
}

template <int Vectors>
FAULTLINE_DETAIL_BF16 inline void convolve_row_bf16(const ConvolutionRow& row) {
  std::ptrdiff_t p = 0;
  for (; p + 8 <= row.pixels && row.pixels - p != 9; p += 8) convolve_block_bf16<Vectors, 8>(row, p);
  if (row.pixels - p == 9) return convolve_block_bf16<Vectors, 9>(row, p);
  if (row.pixels - p == 5) return convolve_block_bf16<Vectors, 5>(row, p);
  for (; p + 4 <= row.pixels; p += 4) convolve_block_bf16<Vectors, 4>(row, p);
  for (; p < row.pixels; ++p) convolve_block_bf16<Vectors, 1>(row, p);
}

FAULTLINE_DETAIL_BF16 inline void convolve_bf16(const ConvolutionRow& row) {
  if (row.width == 32) convolve_row_bf16<2>(row);
  else convolve_row_bf16<1>(row);
}

inline constexpr Kernels avx2_kernels = {"AVX2",
                                         16,
                                         convolve_avx2,
                                         nullptr,
                                         filter_avx2,
                                         finish_avx2,
                                         tile_inputs_avx2,
                                         tile_outputs_avx2,
                                         finish_gradient_avx2,
                                         rectify_avx2};
inline constexpr Kernels avx512_kernels = {"AVX-512",
                                           32,
                                           convolve_avx512,
                                           nullptr,
                                           filter_avx512,
                                           finish_avx512,
                                           tile_inputs_avx512,
                                           tile_outputs_avx512,
                                           finish_gradient_avx512,
                                           rectify_avx512};
inline constexpr Kernels avx512_bf16_kernels = {"AVX-512 with bfloat16", 32,
                                                convolve_avx512,         convolve_bf16,
                                                filter_avx512,           finish_avx512,
                                                tile_inputs_avx512,      tile_outputs_avx512,
                                                finish_gradient_avx512,  rectify_avx512};

#undef FAULTLINE_DETAIL_AVX2
#undef FAULTLINE_DETAIL_AVX512
#undef FAULTLINE_DETAIL_BF16
#endif

#undef FAULTLINE_DETAIL_INLINE

/// All kernels that this processor runs, the best first, from the one that the environment names on: FAULTLINE_KERNELS,
/// "AVX-512 with bfloat16", "AVX-512", "AVX2" or "portable", for results as another processor has them. Throws
/// invalid_argument for a name that is none of those that the processor runs.
inline std::span<const Kernels* const> runnable_kernels() {
#if defined(__x86_64__)
  static constexpr const Kernels* all[] = {&avx512_bf16_kernels, &avx512_kernels, &avx2_kernels, &portable_kernels};
  static const std::size_t unknown = [] {
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
    if (avx512) return __builtin_cpu_supports("avx512bf16") ? std::size_t{0} : std::size_t{1};
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? std::size_t{2} : std::size_t{3};
  }();
#else
  static constexpr const Kernels* all[] = {&portable_kernels};
  static constexpr std::size_t unknown = 0;
#endif
  static const std::size_t first = [] {
    const char* const wanted = std::getenv("FAULTLINE_KERNELS");
    if (!wanted || !*wanted) return unknown;
    std::string names;
    for (std::size_t k = unknown; k < std::size(all); ++k) {
      if (std::string_view(all[k]->name) == wanted) return k;
      names += (names.empty() ? "" : ", ") + std::string(all[k]->name);
    }
    throw Error(ErrorCode::invalid_argument, "FAULTLINE_KERNELS",
                "expected one of the kernels that this processor runs (" + names + "), got '" + wanted + "'");
  }();
  return std::span<const Kernels* const>(all).subspan(first);
}

}  // namespace kernels
}  // namespace v1
}  // namespace faultline
