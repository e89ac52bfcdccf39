// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the processor can do at this moment, measured in this process: multiply-accumulates per second in float32 and in
// bfloat16, and bytes copied per second. The loops keep their numbers in registers; the best instructions that the
// processor has are chosen at run time.

#include <support/rounds.hpp>

#include <immintrin.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace bench {

/// A register loop: returns the multiply-accumulates that one call does.
using PeakLoop = double (*)(std::int64_t repetitions, float* sink);

struct Peak {
  PeakLoop loop = nullptr;  ///< none where the processor lacks the instructions
  std::string instructions = "none";
};

namespace detail {

// Twelve independent accumulators: enough to hide the latency of four cycles on two ports.
__attribute__((target("avx2,fma"))) inline double fma_avx2(std::int64_t repetitions, float* sink) {
  __m256 sum[12];
  for (int k = 0; k < 12; ++k) sum[k] = _mm256_set1_ps(static_cast<float>(k));
  __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(1e-3f);
  for (std::int64_t r = 0; r < repetitions; ++r) {
    asm volatile("" : "+x"(a), "+x"(b));  // or the compiler would work the loop out
#pragma GCC unroll 12
    for (int k = 0; k < 12; ++k) sum[k] = _mm256_fmadd_ps(sum[k], a, b);
  }
  for (int k = 1; k < 12; ++k) sum[0] = _mm256_add_ps(sum[0], sum[k]);
  *sink = _mm256_cvtss_f32(sum[0]);
  return static_cast<double>(repetitions) * 12 * 8;
}

__attribute__((target("avx512f"))) inline double fma_avx512(std::int64_t repetitions, float* sink) {
  __m512 sum[12];
  for (int k = 0; k < 12; ++k) sum[k] = _mm512_set1_ps(static_cast<float>(k));
  __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(1e-3f);
  for (std::int64_t r = 0; r < repetitions; ++r) {
    asm volatile("" : "+v"(a), "+v"(b));
#pragma GCC unroll 12
    for (int k = 0; k < 12; ++k) sum[k] = _mm512_fmadd_ps(sum[k], a, b);
  }
  for (int k = 1; k < 12; ++k) sum[0] = _mm512_add_ps(sum[0], sum[k]);
  *sink = _mm512_cvtss_f32(sum[0]);
  return static_cast<double>(repetitions) * 12 * 16;
}

__attribute__((target("avx512f,avx512bf16"))) inline double dot_avx512(std::int64_t repetitions, float* sink) {
  __m512 sum[12];
  for (int k = 0; k < 12; ++k) sum[k] = _mm512_set1_ps(static_cast<float>(k));
  __m512i a = _mm512_set1_epi32(0x3a803a80), b = _mm512_set1_epi32(0x3a803a80);  // pairs of 0.000976
  for (std::int64_t r = 0; r < repetitions; ++r) {
    asm volatile("" : "+v"(a), "+v"(b));
#pragma GCC unroll 12
    for (int k = 0; k < 12; ++k) {
      __m512bh x, y;
      std::memcpy(&x, &a, sizeof x);
      std::memcpy(&y, &b, sizeof y);
      sum[k] = _mm512_dpbf16_ps(sum[k], x, y);
    }
  }
  for (int k = 1; k < 12; ++k) sum[0] = _mm512_add_ps(sum[0], sum[k]);
  *sink = _mm512_cvtss_f32(sum[0]);
  return static_cast<double>(repetitions) * 12 * 32;
}

}  // namespace detail

inline Peak float32_peak() {
  if (__builtin_cpu_supports("avx512f")) return {detail::fma_avx512, "AVX-512 FMA"};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {detail::fma_avx2, "AVX2 FMA"};
  return {};
}

/// The peak of AVX2 alone, also where the processor has more.
inline Peak avx2_peak() {
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {detail::fma_avx2, "AVX2 FMA"};
  return {};
}

/// Processors without bfloat16 instructions have no such peak.
inline Peak bfloat16_peak() {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bf16"))
    return {detail::dot_avx512, "AVX-512 dot product of bfloat16 pairs"};
  return {};
}

/// Runs `work(thread)` on `threads` threads and returns the seconds until the last is done.
inline double on_threads(int threads, const std::function<void(int)>& work) {
  return seconds([&] {
    std::vector<std::thread> others;
    for (int t = 1; t < threads; ++t) others.emplace_back(work, t);
    work(0);
    for (auto& thread : others) thread.join();
  });
}

/// Multiply-accumulates per second of all threads together, over about `target` seconds.
inline double macs_per_second(const Peak& peak, int threads, double target = 0.1) {
  if (!peak.loop) return std::nan("");
  float sink = 0.0f;
  std::int64_t loops = 1 << 16;
  double last = 0.0;
  while ((last = seconds([&] { (void)peak.loop(loops, &sink); })) < 0.2 * target) loops *= 2;
  loops = static_cast<std::int64_t>(static_cast<double>(loops) * target / last) + 1;
  std::vector<double> macs(static_cast<std::size_t>(threads)), sinks(static_cast<std::size_t>(threads));
  const double taken = on_threads(threads, [&](int t) {
    float own = 0.0f;
    macs[static_cast<std::size_t>(t)] = peak.loop(loops, &own);
    sinks[static_cast<std::size_t>(t)] = static_cast<double>(own);
  });
  double sum = 0.0;
  for (const double m : macs) sum += m;
  return sum / taken;
}

/// Bytes copied per second (each counted once read, once written) by all threads together, in blocks far larger than
/// the caches.
inline double copy_bytes_per_second(int threads) {
  constexpr std::size_t block = std::size_t{128} << 20;
  std::vector<std::vector<char>> from(static_cast<std::size_t>(threads)), to(static_cast<std::size_t>(threads));
  for (auto* side : {&from, &to})
    for (auto& memory : *side) memory.assign(block, 1);
  const double taken = on_threads(threads, [&](int t) {
    std::memcpy(to[static_cast<std::size_t>(t)].data(), from[static_cast<std::size_t>(t)].data(), block);
  });
  return 2.0 * static_cast<double>(block) * threads / taken;
}

}  // namespace bench
