// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Conditions and causes of failure where the truth is known in closed form: how often is each planted cause found and
// named, what else is named, how far is its attributable fraction from the truth? Exits 1 when a row is short.
//
//   known_truth_conditions --seeds 20
//
// test: --seeds 1 --worlds threshold --samples 3000
// test(2): --seeds 0
// test(2): --worlds nothing

#include "options.hpp"
#include "worlds.hpp"

#include <faultline/analysis/condition_chain.hpp>
#include <faultline/core/parallel_for.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fl = faultline;
namespace an = faultline::analysis;

namespace {

/// The name of a condition as the worlds write it.
std::string named(const an::Condition& condition, const std::vector<std::string>& properties) {
  std::string text;
  const char* between = condition.kind == an::ConditionKind::pair ? " x " : " + ";
  for (const std::int64_t k : condition.properties)
    text += (text.empty() ? "" : between) + properties[static_cast<std::size_t>(k)];
  if (text.empty()) text = "direction";
  if (condition.class_label) text += " in class " + std::to_string(*condition.class_label);
  return text;
}

/// What one run reported.
struct Run {
  std::vector<std::string> causes, others;  ///< others: conditions that are confirmed and no causes
  std::optional<double> fraction;
  double share = 0.0, stability = 1.0, seconds = 0.0;
};

Run run_once(const worlds::World& world, std::int64_t seed) {
  worlds::Setup setup = worlds::make(world, seed);
  worlds::draw(setup);
  const auto start = std::chrono::steady_clock::now();
  const an::ConditionChain chain = an::find_causes(setup.problem);
  Run run;
  run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  run.share = chain.together.share;
  if (chain.fractions.together) run.fraction = chain.fractions.together->value;
  for (const an::ChainedCondition& condition : chain.conditions) {
    if (!condition.confirmed) continue;
    (condition.cause ? run.causes : run.others).push_back(named(condition.condition, setup.problem.property_names));
    run.stability = std::min(run.stability, condition.stability);
  }
  return run;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// One world's row.
struct Row {
  double heard = 1.0;        ///< share of planted causes that are causes of the report, rightly named
  double per_planted = 0.0;  ///< causes of the report per planted one
  double misnamed = 0.0;     ///< causes per run that are neither planted nor allowed
  double alarms = 0.0;       ///< share of runs of a null world with a confirmed condition
  std::optional<double> fraction;
  double share = 0.0, stability = 1.0, seconds = 0.0;
  std::map<std::string, int> names;
};

Row row_of(const worlds::World& world, const std::vector<Run>& runs) {
  Row row;
  const auto n = static_cast<double>(runs.size());
  double heard = 0.0, causes = 0.0, fraction = 0.0;
  for (const Run& run : runs) {
    for (const worlds::Planted& planted : world.planted)
      heard += std::any_of(planted.names.begin(), planted.names.end(),
                           [&](const std::string& name) { return contains(run.causes, name); })
                   ? 1.0
                   : 0.0;
    for (const std::string& cause : run.causes) {
      const bool right = contains(world.allowed, cause) ||
                         std::any_of(world.planted.begin(), world.planted.end(),
                                     [&](const worlds::Planted& planted) { return contains(planted.names, cause); });
      row.misnamed += right ? 0.0 : 1.0 / n;
      ++row.names[cause];
    }
    for (const std::string& other : run.others) ++row.names["(" + other + ")"];
    causes += static_cast<double>(run.causes.size());
    fraction += run.fraction.value_or(0.0) / n;
    row.alarms += run.causes.empty() && run.others.empty() ? 0.0 : 1.0 / n;
    row.share += run.share / n;
    row.stability = std::min(row.stability, run.stability);
    row.seconds += run.seconds / n;
  }
  const double planted = n * static_cast<double>(world.planted.size());
  if (planted > 0.0) {
    row.heard = heard / planted;
    row.per_planted = causes / planted;
    row.fraction = fraction;
  }
  return row;
}

/// Whether a row is as the method demands (section 13, levels 0 and 3), as far as so many runs can say.
bool is_good(const worlds::World& world, const Row& row, std::int64_t seeds) {
  // one run in twenty may err by bad luck: the allowance is two more than expected
  const double slack = 2.0 / static_cast<double>(seeds);
  if (world.planted.empty()) return row.alarms <= 0.05 + slack;
  return row.heard >= 0.9 && row.per_planted <= 1.1 + slack && row.misnamed <= 0.05 + slack &&
         (!world.fraction || std::abs(*row.fraction - *world.fraction) <= 0.1);
}

int answer(int argc, char** argv) {
  std::int64_t seeds = 20, first = 1, samples = 0;
  std::string only;
  CLI::App app("Conditions and causes of failure where the truth is known.");
  program::option(app, "--seeds", seeds, 1, 1000, "runs of each world");
  program::option(app, "--first-seed", first, 0, 1'000'000'000, "seed of the first run");
  program::option(app, "--samples", samples, 0, 1'000'000, "samples per split; 0: what each world needs");
  app.add_option("--worlds", only, "only worlds whose name begins like this");
  if (const auto code = program::parse(app, argc, argv)) return *code;
  std::vector<worlds::World> list;
  for (worlds::World& world : worlds::all()) {
    if (world.name.compare(0, only.size(), only) != 0) continue;
    if (samples > 0) world.samples = samples;
    list.push_back(std::move(world));
  }
  if (list.empty()) {
    std::fprintf(stderr, "no world begins with '%s'\n", only.c_str());
    return 2;
  }
  std::printf("%-36s %6s %6s %6s %6s %9s %6s %6s %6s  %s\n", "world", "heard", "per", "wrong", "alarm", "fraction",
              "truth", "D2", "s/run", "named in so many runs; (confirmed, not a cause)");
  bool good = true;
  for (const worlds::World& world : list) {
    std::vector<Run> runs(static_cast<std::size_t>(seeds));
    fl::parallel_for(seeds, 0, [&](std::int64_t k) { runs[static_cast<std::size_t>(k)] = run_once(world, first + k); });
    const Row row = row_of(world, runs);
    const bool right = is_good(world, row, seeds);
    good = good && right;
    const auto number = [](std::optional<double> value) {
      char text[16] = "-";
      if (value) std::snprintf(text, sizeof text, "%.2f", *value);
      return std::string(text);
    };
    std::printf("%-36s %6.2f %6.2f %6.2f %6.2f %9s %6s %6.2f %6.2f  %s", world.name.c_str(), row.heard, row.per_planted,
                row.misnamed, world.planted.empty() ? row.alarms : 0.0, number(row.fraction).c_str(),
                number(world.fraction).c_str(), row.share, row.seconds, right ? "" : "SHORT ");
    for (const auto& [name, count] : row.names) std::printf("%s %d; ", name.c_str(), count);
    std::printf("\n");
    std::fflush(stdout);
  }
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return program::run("known_truth_conditions", [&] { return answer(argc, argv); });
}
