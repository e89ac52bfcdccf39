// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How often are gates wrong? Runs every policy where neither verdict would be right, at its bound, on outcomes that are
// drawn, and compares the wrong verdicts with the stated rate.
//
//   gate_errors                  10 000 runs of each row
//   gate_errors --runs 400
//
// A row is short when so many wrong verdicts are seen that a gate with the stated rate would show them with a
// probability below 1e-6. Where the exact distribution is known (one rate) it is shown beside. `NoCauseAbove` judges
// the report of `characterize`, whose rates `known_truth` shows. Exit codes: 0 all rows as stated, 1 a row is short.
//
// test: --runs 12
// test(2): --runs 0
// full: --help

#include "options.hpp"

#include <faultline/analysis/problem/problem.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/core/random.hpp>
#include <faultline/statistics/binomial.hpp>
#include <faultline/statistics/distributions.hpp>
#include <faultline/statistics/rate_plan.hpp>
#include <faultline/testing.hpp>
#include <faultline/testing/baseline.hpp>
#include <faultline/testing/moved_gates.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fl = faultline;
using namespace fl::testing;

namespace {

constexpr double alpha = 0.05;  // of every gate here: confidence .95

fl::core::CounterRandom random_of(std::int64_t run) { return {31, fl::core::Stream::subsets, run}; }

/// Hands drawn outcomes to a gate until it knows: `next(random, number)` says class, third of the one property, and
/// whether the sample failed.
struct Outcome {
  std::int64_t label = 0;
  float property = 0.0f;
  bool failed = false;
};
template <class Policy, class Next>
GateResult watched(const Policy& policy, std::int64_t classes, std::int64_t run, const Next& next) {
  const auto watcher = watch(policy, fl::classify::AnyCriterion(fl::Misclassified{}));
  watcher->begin({.classes = classes, .generator_digest = "drawn"});
  watcher->bind(std::vector<std::string>{"property"});
  fl::core::CounterRandom random = random_of(run);
  std::vector<float> probabilities(static_cast<std::size_t>(classes) + 1);
  for (std::int64_t n = 0; n < watcher->budget() && !watcher->known(); ++n) {
    const Outcome outcome = next(random, n);
    std::ranges::fill(probabilities, 0.0f);
    const std::int64_t answer = outcome.failed ? classes : outcome.label;
    probabilities[static_cast<std::size_t>(answer)] = 1.0f;
    watcher->add({.number = n,
                  .label = outcome.label,
                  .prediction = answer,
                  .probabilities = probabilities,
                  .properties = {&outcome.property, 1}});
  }
  return watcher->conclude({});
}

fl::Property property() {
  return {"property", [](std::span<const float>, const fl::ImageShape&) { return 0.0; }};
}

/// A baseline that failed where `failed` says.
Baseline baseline_of(std::int64_t samples, const std::function<bool(std::int64_t)>& failed) {
  Baseline baseline;
  baseline.run.generator_digest = "drawn";
  baseline.run.criterion = fl::criterion_name(fl::Misclassified{});
  baseline.properties = {{"property", 0.5, 1.5}};
  baseline.samples = samples;
  for (std::int64_t i = 0; i < samples; i += 4) {
    unsigned digit = 0;
    for (std::int64_t k = i; k < i + 4; ++k) digit = 2 * digit + (k < samples && failed(k) ? 1U : 0U);
    baseline.outcomes += "0123456789abcdef"[digit];
  }
  return baseline;
}

/// A comparison whose pairs are drawn beforehand; the third of the property goes round.
template <class Policy>
GateResult compared(Policy policy, std::int64_t samples, std::int64_t run, double only_new, double only_old) {
  fl::core::CounterRandom random = random_of(run);
  std::vector<std::uint8_t> now, then;
  for (std::int64_t i = 0; i < samples; ++i) {
    const double u = random.uniform();
    now.push_back(u < only_new ? 1 : 0);
    then.push_back(u >= only_new && u < only_new + only_old ? 1 : 0);
  }
  policy.baseline = baseline_of(samples, [&](std::int64_t i) { return then[static_cast<std::size_t>(i)] != 0; });
  policy.properties = {property()};
  return watched(policy, 2, run, [&](auto&, std::int64_t n) {
    return Outcome{0, static_cast<float>(n % 3), now[static_cast<std::size_t>(n)] != 0};
  });
}

/// A world of one normal number that fails where number + edit exceeds a limit; its property is the number.
fl::Problem moved_world(std::int64_t run, double limit) {
  fl::Problem problem;
  problem.layout = fl::StyleLayout({{"layer", 1}});
  problem.classes = 1;
  problem.property_names = {"property"};
  problem.sample = [run, limit](std::int64_t first, std::int64_t count) {
    fl::Population population;
    population.w.resize(count, 1);
    population.properties.resize(count, 1);
    for (std::int64_t i = 0; i < count; ++i) {
      fl::core::CounterRandom random(run, fl::core::Stream::latents, first + i);
      const auto number = static_cast<float>(random.normal());
      population.w(i, 0) = population.properties(i, 0) = number;
      population.index.push_back(first + i);
      population.label.push_back(0);
      population.failed.push_back(static_cast<double>(number) > limit ? 1 : 0);
    }
    return population;
  };
  problem.answer_edits = [limit](std::span<const fl::analysis::EditedLatent> edits,
                                 const fl::analysis::WantedAnswers&) {
    fl::analysis::EditAnswers answers;
    auto& own = answers.classifiers.emplace_back();
    // by the amount, in deviations, and not by the fitted step: so that the bound is met exactly
    for (const auto& edited : edits)
      own.failed.push_back(static_cast<double>(edited.start.w[0]) + edited.edit.amount() > limit ? 1 : 0);
    return answers;
  };
  return problem;
}

struct Counts {
  std::int64_t passed = 0, failed = 0;
  std::vector<std::int64_t> samples = {};
};

/// Verdicts of many runs.
Counts verdicts(std::int64_t runs, const std::function<GateResult(std::int64_t)>& one) {
  std::vector<GateVerdict> results(static_cast<std::size_t>(runs));
  Counts counts;
  counts.samples.resize(results.size());
  fl::parallel_for_blocks(runs, 1, 0, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t run = first; run < last; ++run) {
      const GateResult result = one(run);
      results[static_cast<std::size_t>(run)] = result.verdict();
      counts.samples[static_cast<std::size_t>(run)] = result.statements().front().samples;
    }
  });
  counts.passed = std::ranges::count(results, GateVerdict::pass);
  counts.failed = std::ranges::count(results, GateVerdict::fail);
  return counts;
}

class Table {
 public:
  explicit Table(std::int64_t runs) : runs_(runs) {
    std::printf("%-58s %-7s %8s %9s %8s\n", "policy, at its bound", "wrong", "stated", "seen", "exact");
  }
  /// One kind of wrong verdict; `exact` where its probability is known.
  void add(const std::string& row, const char* what, double stated, std::int64_t wrong,
           std::optional<double> exact = std::nullopt) {
    const bool short_of = wrong > 0 && fl::statistics::binomial_upper_tail(wrong, runs_, stated) < 1e-6;
    short_ = short_ || short_of || (exact && *exact > stated);
    std::printf("%-58s %-7s %6.2f %% %7.2f %% %8s%s\n", row.c_str(), what, 100.0 * stated,
                100.0 * static_cast<double>(wrong) / static_cast<double>(runs_),
                exact ? (fl::rounded_text(100.0 * *exact, 3) + " %").c_str() : "", short_of ? "  SHORT" : "");
    std::fflush(stdout);
  }
  [[nodiscard]] bool is_short() const { return short_; }

 private:
  std::int64_t runs_;
  bool short_ = false;
};

int answer(int argc, char** argv) {
  CLI::App app(
      "How often gates are wrong at their bounds, beside what they state.\n"
      "Exit codes: 0 all rows as stated, 1 a row is short, 2 usage.");
  std::int64_t runs = 10'000;
  program::option(app, "--runs", runs, 1, 1'000'000, "runs of each row");
  if (const auto code = program::parse(app, argc, argv)) return *code;
  const double side = alpha / 2.0;
  Table table(runs);
  for (const double bound : {0.01, 0.05, 0.2}) {
    const FailureRateBelow policy{.bound = bound, .max_samples = 4'000};
    const auto seen = verdicts(runs, [&](std::int64_t run) {
      return watched(policy, 1, run, [&](auto& random, std::int64_t) {
        return Outcome{0, 0.0f, random.uniform() < bound};
      });
    });
    const auto exact = fl::statistics::plan_rate_test(bound, bound, policy.max_samples);
    const std::string row = "FailureRateBelow, " + fl::number_text(bound);
    table.add(row, "passes", side, seen.passed, exact.below);
    table.add(row, "fails", side, seen.failed, exact.above);
  }
  {
    // Half of the samples lie outside, where everything fails
    const FailureRateBelow policy{.bound = 0.05, .max_samples = 4'000, .where = {{property(), 0.5}}};
    const auto seen = verdicts(runs, [&](std::int64_t run) {
      return watched(policy, 1, run, [](auto& random, std::int64_t n) {
        return n % 2 == 0 ? Outcome{0, 0.0f, true} : Outcome{0, 1.0f, random.uniform() < 0.05};
      });
    });
    table.add("FailureRateBelow with a region, 0.05", "passes", side, seen.passed);
    table.add("FailureRateBelow with a region, 0.05", "fails", side, seen.failed);
  }
  {
    const FailureRateBelowPerClass policy{.bound = 0.05, .max_samples = 20'000};
    const auto one_at = [&](std::int64_t at_bound) {
      return verdicts(runs, [&, at_bound](std::int64_t run) {
        return watched(policy, 10, run, [at_bound](auto& random, std::int64_t n) {
          const std::int64_t label = n % 10;
          return Outcome{label, 0.0f, random.uniform() < (label < at_bound ? 0.05 : 0.001)};
        });
      });
    };
    table.add("FailureRateBelowPerClass, one of ten classes at 0.05", "passes", side, one_at(1).passed);
    table.add("FailureRateBelowPerClass, all ten at 0.05", "fails", side, one_at(10).failed);
  }
  {
    DistanceAtLeast policy;
    policy.property = "property";
    policy.properties = {property()};
    policy.share = 0.9;
    policy.direction_samples = 64;
    const auto seen = verdicts(runs, [&](std::int64_t run) {
      return fl::testing::detail::moved_gate(moved_world(run, 1.0 + fl::statistics::normal_quantile(0.9)), policy, {});
    });
    const auto exact = fl::statistics::plan_rate_test(0.1, 0.1, policy.max_samples);
    table.add("DistanceAtLeast, share 0.9", "passes", side, seen.passed, exact.below);
    table.add("DistanceAtLeast, share 0.9", "fails", side, seen.failed, exact.above);
    FailureRateAlongBelow along;
    along.property = "property";
    along.properties = {property()};
    along.bound = 0.1;
    along.direction_samples = 64;
    const auto moved = verdicts(runs, [&](std::int64_t run) {
      return fl::testing::detail::moved_gate(moved_world(run, 1.0 + fl::statistics::normal_quantile(0.9)), along, {});
    });
    table.add("FailureRateAlongBelow, the last of four steps at 0.1", "passes", side, moved.passed);
    table.add("FailureRateAlongBelow, the last of four steps at 0.1", "fails", side, moved.failed);
  }
  for (const auto& [only_new, only_old] : {std::pair{0.02, 0.01}, {0.012, 0.002}, {0.06, 0.05}}) {
    const auto seen = verdicts(runs, [&, fresh = only_new, old = only_old](std::int64_t run) {
      return compared(NotWorseThanBaseline{.margin = 0.01}, 4'000, run, fresh, old);
    });
    const std::string row =
        "NotWorseThanBaseline, 0.01, alone " + fl::number_text(only_new) + " and " + fl::number_text(only_old);
    table.add(row, "passes", side, seen.passed);
    table.add(row, "fails", side, seen.failed);
  }
  {
    const auto seen = verdicts(runs, [](std::int64_t run) {
      return compared(NotWorseThanBaseline{.margin = 0.02, .by_property = true, .property_margin = 0.02}, 4'000, run,
                      0.03, 0.01);
    });
    table.add("NotWorseThanBaseline by property, everywhere at 0.02", "passes", side, seen.passed);
    table.add("NotWorseThanBaseline by property, everywhere at 0.02", "fails", side, seen.failed);
  }
  {
    const auto seen = verdicts(
        runs, [](std::int64_t run) { return compared(NoNewCondition{.margin = 0.9}, 3'000, run, 0.02, 0.02); });
    table.add("NoNewCondition, releases that could be swapped", "fails", alpha, seen.failed);
  }
  {
    // Ten rates of ten populations: of all at the bound none may be said to fail, with one there they may not all pass
    const auto suite = [&](std::int64_t at_bound) {
      return verdicts(runs, [at_bound](std::int64_t run) {
        const FailureRateBelow policy{.bound = 0.05, .max_samples = 4'000, .gates = 10};
        std::vector<NamedGate> gates;
        for (std::int64_t g = 0; g < 10; ++g)
          gates.push_back(
              {"gate " + std::to_string(g), watched(policy, 1, 10 * run + g, [&](auto& random, std::int64_t) {
                 return Outcome{0, 0.0f, random.uniform() < (g < at_bound ? 0.05 : 0.01)};
               })});
        const SuiteResult result(std::move(gates));
        GateFindings found = result.gates().front().result.findings();
        found.verdict = result.verdict();
        return GateResult(std::move(found));
      });
    };
    table.add("GateSuite of ten rates, one at 0.05", "passes", side, suite(1).passed);
    table.add("GateSuite of ten rates, all at 0.05", "fails", side, suite(10).failed);
  }
  {
    // No difference, failure rates of 2 % that have nothing to do with each other; a test of fixed size with power .9
    // at a margin of .005 takes (1.96 + 1.28)² .0392 / .005² samples
    const std::int64_t few = std::max<std::int64_t>(1, runs / 10);
    const auto seen = verdicts(few, [](std::int64_t run) {
      return compared(NotWorseThanBaseline{.margin = 0.005}, 60'000, run, 0.0196, 0.0196);
    });
    std::vector<std::int64_t> samples = seen.samples;
    std::ranges::nth_element(samples, samples.begin() + few / 2);
    const double fixed = std::pow(fl::statistics::normal_quantile(0.975) + fl::statistics::normal_quantile(0.9), 2) *
                         0.0392 / (0.005 * 0.005);
    std::printf(
        "\nNo difference, rates of 2 %%, margin 0.005: half of %lld comparisons decide within %lld samples, %.2f times "
        "the %.0f of a test of fixed size with power 0.9; %lld fail.\n",
        static_cast<long long>(few), static_cast<long long>(samples[static_cast<std::size_t>(few / 2)]),
        static_cast<double>(samples[static_cast<std::size_t>(few / 2)]) / fixed, fixed,
        static_cast<long long>(seen.failed));
  }
  return table.is_short() ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  return program::run("gate_errors", [&] { return answer(argc, argv); });
}
