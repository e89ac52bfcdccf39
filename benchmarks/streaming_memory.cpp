// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Claim: sampling with streaming statistics over 1 000 000 samples of AnalyticGenerator stays under 600 MiB. Usage:
// streaming_memory [--quick]. Prints one JSON object.

#include <program.hpp>
#include <support/figures.hpp>

#include <faultline/sampling/analytic_generator.hpp>
#include <faultline/sampling/streaming_moments.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>

namespace fl = faultline;

static double peak_mebibytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kibibytes = 0.0;
    if (word == "VmHWM:" && status >> kibibytes) return kibibytes / 1024.0;
  }
  return -1.0;
}

static int benchmark(int argc, char** argv) {
  const std::int64_t samples = bench::quick(argc, argv) ? 100'000 : 1'000'000;
  const auto start = std::chrono::steady_clock::now();
  const fl::AnalyticGenerator known;
  const fl::StyleSpaceSampler sampler(known, {.seed = 1});
  fl::StreamingMoments moments(known.w_dim(), known.num_classes());
  for (const auto& batch : sampler.batches(0, samples))
    for (std::int64_t i = 0; i < batch.size(); ++i)
      moments.add(batch.index[static_cast<std::size_t>(i)], batch.w.row_span(i),
                  batch.label[static_cast<std::size_t>(i)]);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double peak = peak_mebibytes();
  bench::print(
      "streaming_memory",
      {{"memory", peak > 0.0 ? peak : std::nan(""), 600.0, true, "MiB", samples == 1'000'000 ? "" : "over 100 000"}},
      "\"samples\": " + std::to_string(moments.count()) +
          ", \"microseconds_per_sample\": " + bench::number(1e6 * seconds / static_cast<double>(samples)));
  return moments.count() == samples ? 0 : 1;
}

int main(int argc, char** argv) {
  return program::run("streaming_memory", [&] { return benchmark(argc, argv); });
}
