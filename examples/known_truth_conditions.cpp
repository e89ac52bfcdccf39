// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Conditions of failure where the truth is known: how often is each planted one found, what else is named?
#include "options.hpp"
#include "worlds.hpp"

#include <faultline/analysis/confirm/condition_effects.hpp>
#include <faultline/analysis/confirm/confirm_conditions.hpp>
#include <faultline/core/parallel_for.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <map>
#include <numeric>
#include <set>
#include <string>

namespace fl = faultline;

namespace {

/// The name of a condition as the worlds write it.
std::string described(const fl::analysis::Condition& condition, const std::vector<std::string>& names,
                      std::optional<std::int64_t> class_label) {
  std::string text;
  const char* between = condition.kind == fl::analysis::ConditionKind::pair ? " x " : " + ";
  for (const std::int64_t k : condition.properties)
    text += (text.empty() ? "" : between) + names[static_cast<std::size_t>(k)];
  if (text.empty()) text = "direction";
  if (class_label) text += " in class " + std::to_string(*class_label);
  return text;
}

/// What one run reported.
struct Run {
  std::vector<std::string> selected, confirmed, causes, other;
  double together = 0.0, fraction = 0.0, effect_seconds = 0.0, least_stability = 1.0;
  double select_seconds = 0.0, confirm_seconds = 0.0, stability_seconds = 0.0;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Run run_once(const worlds::World& world, std::int64_t seed, std::int64_t comparing, std::int64_t halves, bool verbose) {
  worlds::Setup setup = worlds::make(world, seed);
  worlds::draw(setup);
  const fl::Problem& problem = setup.problem;
  const auto& discovery = problem.discovery;
  const auto& confirmation = problem.confirmation;
  const auto whitening = fl::statistics::fit_whitening(discovery.w, discovery.label, problem.classes, 1e-12);
  const auto whitened = fl::statistics::whiten(whitening, discovery.w, discovery.label);
  const auto fresh = fl::statistics::whiten(whitening, confirmation.w, confirmation.label);
  const auto readings = fl::analysis::read_properties(whitened, discovery.properties, discovery.label, problem.classes);
  std::vector<std::int64_t> rows(discovery.label.size());
  std::iota(rows.begin(), rows.end(), 0);
  const auto sample = fl::analysis::make_condition_sample(discovery, whitened, rows, readings, problem.classes);
  const auto held = fl::analysis::make_condition_sample(confirmation, fresh, rows, readings, problem.classes);
  Run run;
  auto start = std::chrono::steady_clock::now();
  const fl::analysis::SelectionOptions options{.seed = seed,
                                               .comparing = static_cast<fl::analysis::Comparing>(comparing)};
  const auto selection = fl::analysis::select_terms(sample, readings, {}, options);
  const auto found = fl::analysis::gather_conditions(sample, readings, selection);
  run.select_seconds = seconds_since(start);
  start = std::chrono::steady_clock::now();
  const auto shapes = fl::analysis::freeze_shapes(sample, found);
  const auto tests = fl::analysis::confirm_conditions(held, found, shapes, seed);
  run.confirm_seconds = seconds_since(start);
  start = std::chrono::steady_clock::now();
  std::vector<double> stable;
  if (halves > 0) stable = fl::analysis::stability(sample, readings, {}, found, options, halves);
  run.stability_seconds = seconds_since(start);
  fl::analysis::Conditions confirmed;
  fl::analysis::FrozenShapes frozen;
  for (std::size_t k = 0; k < found.conditions.size(); ++k) {
    const auto& test = tests.conditions[k];
    auto condition = found.conditions[k];
    if (!condition.class_label) condition.class_label = test.class_label;
    const std::string name = described(condition, problem.property_names, condition.class_label);
    run.selected.push_back(name);
    if (!(test.p_adjusted <= 0.05) || test.gain.share < 0.005) continue;
    run.confirmed.push_back(name);
    confirmed.conditions.push_back(found.conditions[k]);
    frozen.coefficients.push_back(shapes.coefficients[k]);
    if (halves > 0) run.least_stability = std::min(run.least_stability, stable[k]);
  }
  start = std::chrono::steady_clock::now();
  if (!confirmed.conditions.empty()) {
    const fl::analysis::EffectOptions effect_options{};
    const auto moves = fl::analysis::plan_moves(problem, whitening, readings, sample, confirmed, frozen);
    for (std::size_t k = 0; k < moves.size(); ++k)
      if (auto& condition = confirmed.conditions[k]; !condition.class_label)
        condition.class_label = tests.conditions[k].class_label;
    fl::analysis::HeldOutLatents latents(problem, 64);
    const auto effects = fl::analysis::measure_effects(problem, whitening, latents, confirmed, moves, effect_options);
    std::vector<std::size_t> causes;
    for (std::size_t k = 0; k < moves.size(); ++k) {
      std::string& name = run.confirmed[k];
      if (moves[k].movability == fl::analysis::Movability::not_movable) run.other.push_back(name + " NOT MOVABLE");
      else if (moves[k].movability == fl::analysis::Movability::not_separable)
        run.other.push_back(name + " NOT SEPARABLE from " +
                            problem.property_names[static_cast<std::size_t>(*moves[k].held_back)]);
      else if (effects[k].decision == fl::statistics::EffectDecision::changes)
        causes.push_back(k), run.causes.push_back(name);
      else
        run.other.push_back(
            name + (effects[k].decision == fl::statistics::EffectDecision::undecided ? " UNDECIDED" : " does nothing"));
      if (verbose)
        std::printf("  %-30s effect %.3f (%.3f to %.3f, bar %.3f) after %lld; p %.2g D2 %.3f\n", name.c_str(),
                    effects[k].effect, effects[k].lower, effects[k].upper, effects[k].min_effect,
                    static_cast<long long>(effects[k].latents), tests.conditions[k].p_adjusted,
                    tests.conditions[k].gain.share);
    }
    const auto fractions =
        fl::analysis::attribute_failures(problem, whitening, sample, confirmed, moves, causes, effect_options);
    if (fractions.together) run.fraction = fractions.together->value;
    if (verbose)
      for (std::size_t k = 0; k < causes.size(); ++k)
        if (fractions.each[k])
          std::printf("  %-30s AF %.2f (%.2f to %.2f)\n", run.confirmed[causes[k]].c_str(), fractions.each[k]->value,
                      fractions.each[k]->interval.lower, fractions.each[k]->interval.upper);
  }
  run.effect_seconds = seconds_since(start);
  run.together = tests.together.share;
  return run;
}

int answer(int argc, char** argv) {
  std::int64_t seeds = 20, first = 1, halves = 0, comparing = 1;
  std::string only;
  bool verbose = false;
  CLI::App app("Conditions where the truth is known.");
  program::option(app, "--seeds", seeds, 1, 1000, "runs of each world");
  program::option(app, "--first-seed", first, 0, 1'000'000'000, "first seed");
  program::option(app, "--halves", halves, 0, 100, "half-samples for stability");
  app.add_option("--world", only, "only worlds with this in their name");
  program::option(app, "--comparing", comparing, 0, 2, "0 score tests, 1 likelihood, 2 cross-validation");
  app.add_flag("--verbose", verbose, "every condition of every run");
  if (const auto code = program::parse(app, argc, argv)) return *code;
  for (const worlds::World& world : worlds::all()) {
    if (world.name.find(only) == std::string::npos) continue;
    const auto start = std::chrono::steady_clock::now();
    std::vector<Run> runs(static_cast<std::size_t>(seeds));
    fl::parallel_for(seeds, 0, [&](std::int64_t k) {
      runs[static_cast<std::size_t>(k)] = run_once(world, first + k, comparing, halves, verbose);
    });
    std::map<std::string, int> counts, selected;
    std::map<std::string, int> causes, other;
    double conditions = 0.0, together = 0.0, fraction = 0.0, stable = 1.0, times[4] = {};
    for (const Run& run : runs) {
      for (const std::string& name : std::set<std::string>(run.confirmed.begin(), run.confirmed.end())) ++counts[name];
      for (const std::string& name : std::set<std::string>(run.selected.begin(), run.selected.end())) ++selected[name];
      for (const std::string& name : std::set<std::string>(run.causes.begin(), run.causes.end())) ++causes[name];
      for (const std::string& name : run.other) ++other[name];
      fraction += run.fraction / static_cast<double>(seeds);
      times[3] += run.effect_seconds / static_cast<double>(seeds);
      conditions += static_cast<double>(run.confirmed.size()) / static_cast<double>(seeds);
      together += run.together / static_cast<double>(seeds);
      stable = std::min(stable, run.least_stability);
      times[0] += run.select_seconds / static_cast<double>(seeds);
      times[1] += run.confirm_seconds / static_cast<double>(seeds);
      times[2] += run.stability_seconds / static_cast<double>(seeds);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::printf("%-34s %.2f s (%.2f %.2f %.2f %.2f)  n %.2f  D2 %.2f AF %.2f stable %.2f: ", world.name.c_str(),
                seconds / static_cast<double>(seeds), times[0], times[1], times[2], times[3], conditions, together,
                fraction, stable);
    for (const auto& [name, count] : causes) std::printf(" %s %d;", name.c_str(), count);
    for (const auto& [name, count] : other) std::printf(" {%s %d}", name.c_str(), count);
    std::printf(" | confirmed:");
    for (const auto& [name, count] : counts) std::printf(" %s %d;", name.c_str(), count);
    std::printf("   [selected only:");
    for (const auto& [name, count] : selected)
      if (counts[name] < count) std::printf(" %s %d;", name.c_str(), count - counts[name]);
    std::printf("]\n");
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return program::run("known_truth_conditions", [&] { return answer(argc, argv); });
}
