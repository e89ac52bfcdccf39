// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which of these classifiers fails more often, and on what is one right and the other wrong? Shows the same generated
// images to all of them and writes a comparison.
//
//   compare --generator digits.safetensors --classifier clean.safetensors --classifier robust.safetensors --out
//   comparison
//
// test: --help
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors
// test(3): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --classifier @source@/LICENSE --out @out@/refused
// test: --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --classifier @assets@/robust.safetensors --judge @assets@/judge.safetensors --samples 400 --seed 7 --json --out @out@/comparison
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --classifier @assets@/robust.safetensors --seed 1e2
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --classifier @assets@/robust.safetensors --input 28x28 --out @out@/refused
// test(3): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --classifier scores:@out@/scores.csv --input "28x28 grey" --samples 60 --out @out@/comparison
// full: --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --classifier @assets@/robust.safetensors --samples 60 --json --out @out@/comparison

#include "classifier_choice.hpp"
#include "options.hpp"
#include "summary.hpp"

#include <faultline/core/parallel_for.hpp>
#include <faultline/faultline.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <malloc.h>
#include <unistd.h>

namespace fl = faultline;

namespace {

struct Arguments {
  std::string generator, judge, out = "faultline-comparison";
  std::vector<std::string> classifiers;
  program::ClassifierChoice choice;
  std::int64_t samples = 10'000, seed = 0, threads = 0;
  std::optional<std::int64_t> label;
  double truncation = 1.0;
  bool json = false;
  std::string command;
};

std::string text(const char* format, auto... values) {
  char buffer[256];
  std::snprintf(buffer, sizeof buffer, format, values...);
  return buffer;
}

std::string distance(const fl::analysis::ComparedDistance& d) {
  return std::isfinite(d.sigmas) ? text("%.2f (%.2f-%.2f)", d.sigmas, d.lower, d.upper)
                                 : text("beyond, %.0f %% flip", 100 * d.crossed_share);
}

/// "at 3.4 px": what was moved, on the images that flip.
std::string flips_at(const fl::analysis::ComparedDistance& d) {
  if (d.at_flip.empty()) return "";
  return text("at %.3g", d.at_flip.front().median) +
         (d.at_flip.front().unit.empty() ? "" : " " + d.at_flip.front().unit);
}

std::string ratio(const fl::analysis::DistanceRatio& r) {
  if (r.ratio) return text("%.2f (%.2f-%.2f)", *r.ratio, r.lower, r.upper);
  if (r.lower > 0.0) return text("at least %.2f", r.lower);
  return std::isfinite(r.upper) ? text("at most %.2f", r.upper) : "-";
}

std::string p_value(double p) { return p < 1e-300 ? "below 1e-300" : text("%.2g", p); }

/// "61 (55 to 66)", in hundredths.
std::string hundredths(const std::optional<fl::analysis::Share>& share) {
  return share ? text("%+.1f (%+.1f to %+.1f)", 100 * share->estimate, 100 * share->lower, 100 * share->upper) : "-";
}

void print_summary(const fl::ComparisonReport& report) {
  const auto name = [&](std::int64_t position) {
    return report.classifiers[static_cast<std::size_t>(position)].name.c_str();
  };
  for (const fl::ComparedClassifier& c : report.classifiers) {
    std::printf("%s fails on %.2f %% (%.2f to %.2f)", c.name.c_str(), 100 * c.failure_rate.estimate,
                100 * c.failure_rate.lower, 100 * c.failure_rate.upper);
    if (c.blame) std::printf("; %.0f %% of these failures are its own", 100 * c.blame->classifier.estimate);
    std::printf(".\n");
    for (const fl::analysis::ComparedFinding& finding : c.findings)
      std::printf("  %-28s without it, less: %s\n", finding.title.c_str(),
                  program::share_of(finding.attributable).c_str());
    if (c.findings.empty()) std::printf("  %s\n", c.reason.c_str());
  }
  for (const fl::analysis::PairComparison& pair : report.pairs) {
    const fl::statistics::PairedTest& t = pair.test;
    std::printf("\n%s and %s: both right %lld, only %s fails %lld, only %s fails %lld, both fail %lld\n",
                name(pair.first), name(pair.second), static_cast<long long>(t.counts.both_right), name(pair.first),
                static_cast<long long>(t.counts.only_first_fails), name(pair.second),
                static_cast<long long>(t.counts.only_second_fails), static_cast<long long>(t.counts.both_fail));
    std::printf("  difference %+.2f percentage points (%+.2f to %+.2f), exact p %s (adjusted %s)\n", 100 * t.difference,
                100 * t.lower, 100 * t.upper, p_value(t.p).c_str(), p_value(pair.p_adjusted).c_str());
    for (const fl::analysis::OrderedComparison& order : pair.orders) {
      if (order.conditions.empty())
        std::printf("  %s right, %s wrong: %s\n", name(order.right), name(order.wrong), order.reason.c_str());
      for (const auto* list : {&order.conditions, &order.others})
        for (const fl::analysis::SeparatingCondition& condition : *list)
          std::printf("  %s\n", condition.finding.headline.c_str());
    }
  }
  if (!report.fractions.empty()) std::printf("\nfailures that would not occur with a cause at its usual level\n");
  for (const fl::analysis::PairedFraction& f : report.fractions) {
    std::printf("%-30s %-16s", f.title.c_str(), f.source.c_str());
    for (const fl::analysis::Attributable& own : f.fractions) std::printf(" %-20s", program::share_of(own).c_str());
    for (const fl::analysis::FractionDifference& d : f.differences)
      std::printf("  %s - %s %s", name(d.first), name(d.second), hundredths(d.difference).c_str());
    std::printf("\n");
  }
  if (!report.distances.empty()) {
    std::printf("\n%-30s %-16s", "distance to the flip, sd", "from");
    for (const fl::ComparedClassifier& c : report.classifiers) std::printf(" %-32s", c.name.c_str());
    for (const fl::analysis::PairComparison& pair : report.pairs)
      std::printf(" %-20s", (std::string(name(pair.second)) + " / " + name(pair.first)).c_str());
    std::printf("\n");
  }
  for (const fl::analysis::PairedDistance& d : report.distances) {
    std::printf("%-30s %-16s", d.title.c_str(), d.source.c_str());
    for (const fl::analysis::ComparedDistance& c : d.distances)
      std::printf(" %-20s %-11s", distance(c).c_str(), flips_at(c).c_str());
    for (const fl::analysis::DistanceRatio& r : d.ratios) std::printf(" %-20s", ratio(r).c_str());
    std::printf("\n");
  }
  std::printf("\n%lld images made for the samples, which all classifiers share; %lld in all\n",
              static_cast<long long>(report.population_cost.generator_images),
              static_cast<long long>(report.cost.generator_images));
  for (const std::string& warning : report.warnings) std::printf("warning: %s\n", warning.c_str());
}

int compare(const Arguments& arguments) {
  program::Progress progress;
  const auto generator = fl::Generator<fl::CpuBackend>::load(arguments.generator);
  const std::vector<fl::AnyClassifier> classifiers =
      program::open_classifiers(arguments.classifiers, arguments.choice, generator.num_classes());
  std::error_code failed;
  std::filesystem::create_directories(arguments.out, failed);  // before the work, not after it
  if (failed || ::access(arguments.out.c_str(), W_OK) != 0)
    throw fl::Error(fl::ErrorCode::cannot_write, "compare",
                    "cannot write into '" + arguments.out + "'; choose another --out");

  fl::ComparisonOptions options{
      .samples = arguments.samples, .seed = arguments.seed, .truncation = arguments.truncation};
  if (arguments.label) options.labels = fl::LabelPolicy::fixed(*arguments.label);
  options.method.command = arguments.command;
  options.method.progress = [&progress](const fl::Progress& p) { progress(p); };
  if (!arguments.judge.empty()) options.method.judge = fl::AnyClassifier(fl::load_classifier(arguments.judge));
  const fl::ComparisonReport report = fl::compare(generator, classifiers, options);
  fl::write_comparison(report, arguments.out);
  progress.finish();
  if (arguments.json) std::fputs(fl::to_json(report).c_str(), stdout);
  else print_summary(report);
  std::fprintf(stderr, "comparison in %s after %.0f s\n",
               (std::filesystem::path(arguments.out) / "comparison.html").c_str(), progress.seconds());
  return 0;
}

int answer(int argc, char** argv) {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);  // keep large blocks between batches
  mallopt(M_TRIM_THRESHOLD, 2147483647);
  Arguments arguments;
  CLI::App app(
      "Compares classifiers on the same generated images: which fails more often, on what one is right and the other "
      "wrong, and how far each withstands. "
      "Writes comparison.html.\n"
      "Exit codes: 0 done (whatever was found), 2 usage, 3 bad input, 5 internal error.");
  app.add_option("--generator", arguments.generator, "generator file (faultline.stylegan2/1)")->required();
  app.add_option("--classifier", arguments.classifiers,
                 std::string(program::classifier_help) + "; once for each classifier, at least two")
      ->required()
      ->allow_extra_args(false);
  program::add_classifier_options(app, arguments.choice);
  app.add_option("--judge", arguments.judge, "a stronger classifier that says whether images still show their class");
  program::option(app, "--samples", arguments.samples, 1, fl::limits::samples, "samples per split");
  program::option(app, "--seed", arguments.seed, program::least, program::most, "decides every draw");
  program::option(app, "--label", arguments.label, 0, fl::limits::latents, "one class only");
  program::option(app, "--truncation", arguments.truncation, -2.0, 2.0, "psi of the generator");
  app.add_option("--out", arguments.out, "folder of the comparison")->capture_default_str();
  app.add_flag("--json", arguments.json, "print the whole comparison as JSON instead of the summary");
  program::option(app, "--threads", arguments.threads, 0, fl::limits::threads,
                  "threads, no more than cores; 0: as many");
  if (const auto code = program::parse(app, argc, argv)) return *code;
  arguments.command = program::quoted(argc, argv);
  return fl::within_threads(arguments.threads, [&] { return compare(arguments); });
}

}  // namespace

int main(int argc, char** argv) {
  return program::run("compare", [&] { return answer(argc, argv); });
}
