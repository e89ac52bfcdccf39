// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Claim: the whole synthesis of a batch of 32 images of 32x32 runs near the processor's peak, and several times faster than the usual implementation with grouped convolutions.
// Per width, peak loops, the usual implementation and ours take turns for seven rounds or more; every figure is the median over rounds of a ratio within one round.
// Usage: synthesis_speed [--quick]. Prints one JSON object.

#include <support/figures.hpp>
#include <support/measured_backends.hpp>
#include <support/peaks.hpp>
#include <support/plain_synthesis.hpp>
#include <support/rounds.hpp>

#include <faultline/stylegan2/cost.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Bars {
  std::int64_t width;
  double share32, share16, ratio32, ratio16;
};

/// Largest difference relative to the largest value.
double relative_error(const at::Tensor& a, const at::Tensor& b) { return ((a - b).abs().max() / b.abs().max()).item<double>(); }

}  // namespace

int main(int argc, char** argv) try {
  const bool quick = bench::quick(argc, argv);
  const at::NoGradGuard no_gradients;
  constexpr std::int64_t batch = 32;
  const int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const bench::Peak peak32 = bench::float32_peak(), peak16 = bench::bfloat16_peak();
  const double target = quick ? 0.1 : 0.5;  // seconds per candidate and round

  std::vector<bench::Figure> figures;
  std::string details = "\"batch\": 32, \"threads\": " + std::to_string(threads) + ", \"float32_peak\": \"" + peak32.instructions + "\", \"bfloat16_peak\": \"" + peak16.instructions +
                        "\", \"copy_gb_per_second\": " + bench::number(1e-9 * bench::copy_bytes_per_second(threads)) + ", \"widths\": {";
  for (const Bars& bars : {Bars{64, 0.70, 0.50, 2.0, 3.0}, Bars{128, 0.80, 0.60, 4.0, 6.0}, Bars{512, 0.85, 0.65, 3.0, 5.0}}) {
    const auto model = bench::random_model(bars.width);
    const at::Tensor s = bench::random_styles(model, batch);
    // b4.conv1 is one product here, a ninth of its definition: what is held against the peak is what is computed.
    const std::int64_t first = bars.width * bars.width * 16 * 8;
    const double macs = static_cast<double>(batch * (faultline::stylegan2::synthesis_macs(model.config) - first));
    const bench::Synthesis direct32 = bench::float32_synthesis(model, false), ours32 = bench::float32_synthesis(model, true), ours16 = bench::bfloat16_synthesis(model);
    const bench::Synthesis plain = [&](const at::Tensor& styles) { return bench::plain_synthesis(model.config, model.weights, styles); };
    if (const double error = relative_error(ours32(s), plain(s)); !(error < 1e-4)) throw std::runtime_error("the implementations disagree by " + std::to_string(error));

    const auto speed = [&](const bench::Synthesis& synthesis) -> std::function<double()> {  // multiply-accumulates per second
      if (!synthesis) return [] { return std::nan(""); };
      const std::size_t times = bench::repetitions([&] { (void)synthesis(s); }, target);
      return [&synthesis, &s, macs, times] {
        return macs * static_cast<double>(times) / bench::seconds([&] {
          for (std::size_t t = 0; t < times; ++t) (void)synthesis(s);
        });
      };
    };
    const bench::Rounds rounds = bench::take_turns({[&] { return bench::macs_per_second(peak32, threads); }, [&] { return bench::macs_per_second(peak16, threads); }, speed(plain), speed(ours32), speed(ours16), speed(direct32)}, 7);

    const std::string width = std::to_string(bars.width);
    const std::string missing = ours16 ? (peak16.loop ? "" : "this processor has no bfloat16 instructions") : "this processor has no bfloat16 instructions";
    figures.push_back({"synthesis.fp32.share." + width, rounds.ratio(5, 0), bars.share32, false, "of the float32 peak"});
    figures.push_back({"synthesis.bf16.share." + width, rounds.ratio(4, 1), bars.share16, false, "of the bfloat16 peak", missing});
    figures.push_back({"synthesis.fp32.ratio." + width, rounds.ratio(3, 2), bars.ratio32, false, "x plain LibTorch"});
    figures.push_back({"synthesis.bf16.ratio." + width, rounds.ratio(4, 2), bars.ratio16, false, "x plain LibTorch", ours16 ? "" : missing});
    // Winograd's algorithm computes fewer products than the definition, so it may pass the peak: what it is worth, not a share.
    details += (bars.width == 64 ? "\"" : ", \"") + width + "\": {\"gmac_per_image\": " + bench::number(1e-9 * macs / batch) + ", \"float32_peak_gmac\": " + bench::number(1e-9 * rounds.middle(0)) +
               ", \"bfloat16_peak_gmac\": " + bench::number(1e-9 * rounds.middle(1)) + ", \"plain_gmac\": " + bench::number(1e-9 * rounds.middle(2)) + ", \"fp32_gmac\": " + bench::number(1e-9 * rounds.middle(3)) +
               ", \"fp32_direct_gmac\": " + bench::number(1e-9 * rounds.middle(5)) + ", \"fp32_over_peak\": " + bench::number(rounds.ratio(3, 0)) + ", \"bf16_gmac\": " + bench::number(1e-9 * rounds.middle(4)) + ", \"fp32_images_per_second\": " + bench::number(rounds.middle(3) * batch / macs) + "}";
  }
  bench::print("synthesis_speed", figures, details + "}");
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
