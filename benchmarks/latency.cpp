// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Claim: one image of 32x32 at width 64 takes at most 1.2 ms from styles to pixels. The median of seven rounds, each
// the mean over about a quarter of a second. Usage: latency [--quick]. Prints one JSON object.

#include <program.hpp>
#include <support/figures.hpp>
#include <support/measured_backends.hpp>
#include <support/rounds.hpp>

static int benchmark(int argc, char** argv) {
  const auto model = bench::random_model(64);
  const bench::Synthesis synthesis = bench::float32_synthesis(model, true);
  const faultline::Matrix<float> s = bench::random_styles(model, 1);
  const std::size_t times = bench::repetitions([&] { (void)synthesis(s); }, bench::quick(argc, argv) ? 0.05 : 0.25);
  const bench::Rounds rounds = bench::take_turns({[&] {
                                                   return 1e3 / static_cast<double>(times) * bench::seconds([&] {
                                                            for (std::size_t t = 0; t < times; ++t) (void)synthesis(s);
                                                          });
                                                 }},
                                                 7);
  bench::print("latency", {{"latency.64", rounds.middle(0), 1.2, true, "ms"}});
  return 0;
}

int main(int argc, char** argv) {
  return program::run("latency", [&] { return benchmark(argc, argv); });
}
