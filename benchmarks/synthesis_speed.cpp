// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Claim: the whole synthesis of a batch of 32 images of 32x32 runs near the processor's peak, and several times faster
// than the usual implementation with grouped convolutions. Per width, peak loops, the usual implementation and ours
// take turns for seven rounds; every figure is the median over rounds of a ratio within one round. A round has a
// process of its own: whether an allocator hands out memory that was in use before or asks the kernel for new pages is
// settled once per process, and changes the usual implementation's speed by half. Usage: synthesis_speed [--quick].
// Prints one JSON object.

#include <program.hpp>
#include <support/computed_macs.hpp>
#include <support/figures.hpp>
#include <support/measured_backends.hpp>
#include <support/peaks.hpp>
#include <support/plain_synthesis.hpp>
#include <support/rounds.hpp>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace fl = faultline;

namespace {

constexpr std::int64_t batch = 32;

struct Bars {
  std::int64_t width;
  double share32, share16, ratio32, ratio16;
};

/// Largest difference relative to the largest value.
double relative_error(const fl::ImageBatch& a, const at::Tensor& b) {
  return ((fl::stylegan2::to_tensor(a) - b).abs().max() / b.abs().max()).item<double>();
}

/// What takes turns.
enum Candidate : std::size_t {
  float32_peak,
  bfloat16_peak,
  avx2_peak,
  plain_network,
  ours_float32,
  ours_bfloat16,
  ours_direct,
  ours_avx2,
  candidates
};

/// One round at one width: multiply-accumulates per second of every candidate, NaN where there is none.
std::vector<double> one_round(std::int64_t width, bool backwards, double target) {
  const at::NoGradGuard no_gradients;
  const int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const bench::Peak peak32 = bench::float32_peak(), peak16 = bench::bfloat16_peak(), peak2 = bench::avx2_peak();
  const auto model = bench::random_model(width);
  const fl::Matrix<float> s = bench::random_styles(model, batch);
  const at::Tensor as_tensor = fl::stylegan2::to_tensor(s);
  const fl::stylegan2::TensorWeights weights = fl::stylegan2::to_tensors(model.weights);
  const bench::Synthesis direct32 = bench::float32_synthesis(model, false),
                         ours32 = bench::float32_synthesis(model, true), ours16 = bench::bfloat16_synthesis(model),
                         ours2 = bench::avx2_synthesis(model);
  const auto plain = [&] { return bench::plain_synthesis(model.config, weights, as_tensor); };
  if (const double error = relative_error(ours32(s), plain()); !(error < 1e-4))
    throw std::runtime_error("the implementations disagree by " + std::to_string(error));

  const double macs = static_cast<double>(batch * bench::computed_macs(model.config));
  const auto speed_of = [&](const auto& pass) {
    const auto times = [&](std::size_t n) {
      return bench::seconds([&] {
        for (std::size_t t = 0; t < n; ++t) (void)pass();
      });
    };
    (void)times(1);
    const double once = times(1);
    if (once >= target) return macs / once;
    const auto n = static_cast<std::size_t>(std::ceil(target / once));
    return macs * static_cast<double>(n) / times(n);
  };
  const auto speed = [&](const bench::Synthesis& synthesis) {
    return synthesis ? speed_of([&] { return synthesis(s); }) : std::nan("");
  };
  (void)bench::macs_per_second(peak32, threads);  // starts the threads
  std::vector<double> result(candidates);
  for (std::size_t i = 0; i < candidates; ++i) {
    const std::size_t k = backwards ? candidates - 1 - i : i;
    result[k] = k == float32_peak    ? bench::macs_per_second(peak32, threads)
                : k == bfloat16_peak ? bench::macs_per_second(peak16, threads)
                : k == avx2_peak     ? bench::macs_per_second(peak2, threads)
                : k == plain_network ? speed_of(plain)
                : k == ours_float32  ? speed(ours32)
                : k == ours_bfloat16 ? speed(ours16)
                : k == ours_avx2     ? speed(ours2)
                                     : speed(direct32);
  }
  return result;
}

/// The same in a process of its own.
std::vector<double> separate_round(std::int64_t width, bool backwards, double target) {
  const std::string command = "/proc/" + std::to_string(getpid()) + "/exe --round " + std::to_string(width) +
                              (backwards ? " 1 " : " 0 ") + std::to_string(target);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::vector<double> result(candidates);
  for (double& value : result)
    if (!pipe || std::fscanf(pipe.get(), "%lf", &value) != 1)
      throw std::runtime_error("a round at width " + std::to_string(width) + " failed");
  return result;
}

}  // namespace

static int benchmark(int argc, char** argv) try {
  if (argc == 5 && std::string_view(argv[1]) == "--round") {
    for (const double value : one_round(std::atoll(argv[2]), argv[3][0] == '1', std::atof(argv[4])))
      std::printf("%.17g ", value);
    return 0;
  }
  const bool quick = bench::quick(argc, argv);
  const int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const bench::Peak peak32 = bench::float32_peak(), peak16 = bench::bfloat16_peak();
  const std::string missing = bench::bfloat16_synthesis(bench::random_model(64)) && peak16.loop
                                  ? ""
                                  : "this processor has no bfloat16 instructions";

  std::vector<bench::Figure> figures;
  std::string details = "\"batch\": 32, \"threads\": " + std::to_string(threads) + ", \"float32_peak\": \"" +
                        peak32.instructions + "\", \"bfloat16_peak\": \"" + peak16.instructions +
                        "\", \"copy_gb_per_second\": " + bench::number(1e-9 * bench::copy_bytes_per_second(threads)) +
                        ", \"widths\": {";
  for (const Bars& bars :
       {Bars{64, 0.70, 0.50, 2.0, 3.0}, Bars{128, 0.80, 0.60, 4.0, 6.0}, Bars{512, 0.85, 0.65, 3.0, 5.0}}) {
    bench::Rounds rounds;
    rounds.values.resize(candidates);
    for (int r = 0; r < (quick ? 3 : 7); ++r) {
      const std::vector<double> round = separate_round(bars.width, r % 2 == 1, quick ? 0.1 : 0.5);
      for (std::size_t k = 0; k < candidates; ++k) rounds.values[k].push_back(round[k]);
    }
    const std::string width = std::to_string(bars.width);
    figures.push_back({"synthesis.fp32.share." + width, rounds.ratio(ours_direct, float32_peak), bars.share32, false,
                       "of the float32 peak"});
    figures.push_back({"synthesis.avx2.share." + width, rounds.ratio(ours_avx2, avx2_peak), 0.80, false,
                       "of the AVX2 peak", bench::avx2_peak().loop ? "" : "this processor has no AVX2"});
    figures.push_back({"synthesis.bf16.share." + width, rounds.ratio(ours_bfloat16, bfloat16_peak), bars.share16, false,
                       "of the bfloat16 peak", missing});
    figures.push_back({"synthesis.fp32.ratio." + width, rounds.ratio(ours_float32, plain_network), bars.ratio32, false,
                       "x plain LibTorch"});
    figures.push_back({"synthesis.bf16.ratio." + width, rounds.ratio(ours_bfloat16, plain_network), bars.ratio16, false,
                       "x plain LibTorch", missing});
    // Winograd's algorithm computes fewer products than the definition, so it may pass the peak: what it is worth, not
    // a share.
    const double macs = static_cast<double>(batch * bench::computed_macs(bench::random_model(bars.width).config));
    const auto [slowest, fastest] =
        std::minmax_element(rounds.values[plain_network].begin(), rounds.values[plain_network].end());
    details += (bars.width == 64 ? "\"" : ", \"") + width +
               "\": {\"gmac_per_image\": " + bench::number(1e-9 * macs / batch) +
               ", \"float32_peak_gmac\": " + bench::number(1e-9 * rounds.middle(float32_peak)) +
               ", \"bfloat16_peak_gmac\": " + bench::number(1e-9 * rounds.middle(bfloat16_peak)) +
               ", \"plain_gmac\": " + bench::number(1e-9 * rounds.middle(plain_network)) +
               ", \"plain_gmac_slowest\": " + bench::number(1e-9 * *slowest) +
               ", \"plain_gmac_fastest\": " + bench::number(1e-9 * *fastest) +
               ", \"fp32_gmac\": " + bench::number(1e-9 * rounds.middle(ours_float32)) +
               ", \"fp32_direct_gmac\": " + bench::number(1e-9 * rounds.middle(ours_direct)) +
               ", \"fp32_over_peak\": " + bench::number(rounds.ratio(ours_float32, float32_peak)) +
               ", \"bf16_gmac\": " + bench::number(1e-9 * rounds.middle(ours_bfloat16)) +
               ", \"fp32_images_per_second\": " + bench::number(rounds.middle(ours_float32) * batch / macs) + "}";
  }
  bench::print("synthesis_speed", figures, details + "}");
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}

int main(int argc, char** argv) {
  return program::run("synthesis_speed", [&] { return benchmark(argc, argv); });
}
