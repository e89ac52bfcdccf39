// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Claim: conditions among 100 classes and 30 properties on 10 000 samples a split (selection, tests on fresh samples,
// 20 half-samples) take at most 20 s on two cores. Usage: conditions_speed [--quick]. Prints one JSON object; --quick
// takes 2 000 samples, for which there is no bar. Three causes are planted: one property, a pair, one in one class.

#include <program.hpp>
#include <support/figures.hpp>
#include <worlds.hpp>

#include <faultline/analysis/confirm/condition_chain.hpp>
#include <faultline/core/parallel_for.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace fl = faultline;
namespace an = faultline::analysis;

static int benchmark(int argc, char** argv) {
  const bool quick = bench::quick(argc, argv);
  const worlds::World world{.name = "many",
                            .factors = 32,
                            .classes = 100,
                            .samples = quick ? 2'000 : 10'000,
                            .measures = worlds::factor_measures(30),
                            .risk = [](worlds::Factors u, std::int64_t c) {
                              if (c == 7 && u[4] > 0.3) return 0.9;
                              return u[0] > 1.6 || u[1] * u[2] < -1.6 ? 0.8 : 0.04;
                            }};
  worlds::Setup setup = worlds::make(world, 1);
  worlds::draw(setup);
  const an::ConditionGround ground = an::prepare_ground(setup.problem);
  return fl::within_threads(2, [&] {
    const auto seconds_of = [](const auto& work) {
      const auto start = std::chrono::steady_clock::now();
      work();
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    an::TestedConditions found;
    const double all = seconds_of([&] {
      found =
          an::find_conditions(ground.discovery, ground.confirmation, ground.reading_vectors, {}, setup.problem.seed);
    });
    const double selection =
        seconds_of([&] { (void)an::select_terms(ground.discovery, ground.reading_vectors, {}, {.seed = 1}); });
    std::int64_t confirmed = 0;
    for (const an::TestedCondition& condition : found.conditions) confirmed += condition.confirmed ? 1 : 0;
    char details[256];
    std::snprintf(details, sizeof details,
                  "\"classes\": 100, \"properties\": 30, \"samples\": %lld, \"candidates\": %lld, \"conditions\": %zu, "
                  "\"confirmed\": %lld, \"selection_alone\": %s",
                  static_cast<long long>(world.samples), static_cast<long long>(found.candidates),
                  found.conditions.size(), static_cast<long long>(confirmed), bench::number(selection).c_str());
    bench::print("conditions_speed",
                 {{"conditions.many_classes", all, quick ? std::nan("") : 20.0, true, "s", "two threads"}}, details);
    return 0;
  });
}

int main(int argc, char** argv) {
  return program::run("conditions_speed", [&] { return benchmark(argc, argv); });
}
