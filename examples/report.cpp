// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a report to work: what changed between two of them, and the failing images of a cause as labelled pictures.
//
//   report diff old/report.json new/report.json
//   report failures report/report.json --generator digits.safetensors --classifier clean.safetensors --cause blur --out
//   blur/
//
// test: --help
// test: diff --help
// test(2):
// test(2): diff @source@/README.md
// test(3): diff @source@/README.md @source@/README.md
// test: diff @characterize.5@/report/report.json @characterize.5@/report/report.json
// test: diff @characterize.5@/report/report.json @characterize.5@/report/report.json --json
// test(2): diff @characterize.5@/report/report.json @characterize.5@/report/report.json --confidence 1
// test: failures @characterize.5@/report/report.json --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --count 8 --out @out@/failures
// test(3): failures @characterize.5@/report/report.json --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --count 8 --out @source@/docs/images
// test(2): failures @characterize.5@/report/report.json --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --cause nothing --out @out@/failures
// test(3): failures @characterize.5@/report/report.json --generator @source@/README.md --classifier @assets@/clean.safetensors --out @out@/failures

#include "classifier_choice.hpp"
#include "options.hpp"

#include <faultline/analysis/compare/report_difference.hpp>
#include <faultline/analysis/describe/failing_samples.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/faultline.hpp>
#include <faultline/render/failing_images.hpp>
#include <faultline/render/report_difference_json.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace fl = faultline;

namespace {

struct Arguments {
  std::string before, after, report, generator, classifier, judge, cause, out = "faultline-failures";
  program::ClassifierChoice choice;
  double confidence = 0.95, least_score = 0.5;
  std::int64_t count = 200, threads = 0;
  bool json = false;
};

int diff(const Arguments& arguments) {
  const fl::ReportDifference difference =
      fl::difference_of(fl::read_report(arguments.before), fl::read_report(arguments.after), arguments.confidence);
  std::fputs((arguments.json ? fl::to_json(difference) : fl::difference_text(difference)).c_str(), stdout);
  return 0;
}

/// The condition of this title; the first cause where none is named.
const fl::Finding& condition_named(const fl::FailureReport& report, const std::string& title) {
  std::string known;
  for (const auto* list : {&report.findings, &report.associated, &report.undecided, &report.not_movable})
    for (const fl::Finding& finding : *list) {
      if (finding.title == title || title.empty()) return finding;
      known += (known.empty() ? "" : ", ") + finding.title;
    }
  throw fl::Error(fl::ErrorCode::invalid_argument, "report failures",
                  known.empty() ? "the report has no condition that failures go with"
                                : "expected --cause to be one of the report's (" + known + "), got '" + title + "'");
}

int failures(const Arguments& arguments) {
  const fl::FailureReport report = fl::read_report(arguments.report);
  const fl::Finding& cause = condition_named(report, arguments.cause);
  const fl::Provenance& run = report.provenance;
  const auto generator = fl::Generator<fl::CpuBackend>::load(arguments.generator);
  if (generator.digest() != run.generator_digest)
    throw fl::Error(fl::ErrorCode::inconsistent_files, "report failures",
                    "the report is of the generator " + run.generator_digest.substr(0, 12) + ", not of '" +
                        arguments.generator + "'");
  if (run.criterion_expression != "fl::Misclassified{}")
    throw fl::Error(fl::ErrorCode::inconsistent_files, "report failures",
                    "the report counts failures by '" + run.criterion +
                        "', which this program does not know; call failing_samples from C++");
  fl::AnyClassifier classifier =
      program::open_classifier(arguments.classifier, arguments.choice, generator.num_classes());
  fl::AnalyzerOptions options{.samples = run.samples_per_split};
  options.method.batch_size = run.batch_size;
  if (!arguments.judge.empty()) options.method.judge = fl::AnyClassifier(fl::load_classifier(arguments.judge));
  if (run.judge_digest && !options.method.judge)
    std::fputs("report failures: the report had a judge; without --judge failures on unreadable images are kept too\n",
               stderr);
  if (run.classifier_digest && classifier.digest() != run.classifier_digest)
    std::fputs(
        "report failures: this is not the report's classifier; these are its failures under the same condition\n",
        stderr);
  program::Progress progress;
  options.method.progress = [&progress](const fl::Progress& step) { progress(step); };
  const fl::StyleSpaceSampler sampler(generator, fl::analysis::sampler_options(run));
  fl::FailureAnalyzer analyzer(sampler, classifier, fl::Misclassified{}, options);
  const std::vector<fl::FailingSample> samples =
      fl::failing_samples(analyzer.problem(), cause, {.count = arguments.count, .least_score = arguments.least_score});
  fl::write_failing_images(generator, run, samples, cause.condition.properties, arguments.out);
  progress.finish();
  std::printf("%zu failing images with %s, the farthest first, in %s\n", samples.size(), cause.title.c_str(),
              arguments.out.c_str());
  return 0;
}

int answer(int argc, char** argv) {
  Arguments arguments;
  CLI::App app(
      "Works with reports that characterize wrote.\n"
      "Exit codes: 0 done, 2 usage, 3 bad input, 5 internal error.");
  app.require_subcommand(1);
  CLI::App* const differ = app.add_subcommand(
      "diff", "what a later report says that an earlier one did not: causes that are new, gone, stronger or weaker");
  differ->add_option("OLD", arguments.before, "report.json of the earlier run")->required();
  differ->add_option("NEW", arguments.after, "report.json of the later run")->required();
  program::option(*differ, "--confidence", arguments.confidence, 0.5, 1.0 - 1e-9, "of all intervals together");
  differ->add_flag("--json", arguments.json, "print faultline.report-difference/1 instead of sentences");
  CLI::App* const collect = app.add_subcommand(
      "failures", "the generated samples that fail under a condition, as labelled pictures with a table");
  collect->add_option("REPORT", arguments.report, "report.json")->required();
  collect->add_option("--generator", arguments.generator, "generator file of the report")->required();
  collect->add_option("--classifier", arguments.classifier, program::classifier_help)->required();
  program::add_classifier_options(*collect, arguments.choice);
  collect->add_option("--judge", arguments.judge, "the report's judge: failures on images it cannot read are left out");
  collect->add_option("--cause", arguments.cause, "title of a condition of the report; not given: its first cause");
  program::option(*collect, "--count", arguments.count, 0, fl::limits::samples, "pictures at most; 0: all");
  program::option(*collect, "--least-score", arguments.least_score, -10.0, 10.0,
                  "leave out samples that lie less far towards the failing end, in standard deviations of their class");
  collect->add_option("--out", arguments.out, "folder of the pictures")->capture_default_str();
  program::option(*collect, "--threads", arguments.threads, 0, fl::limits::threads,
                  "threads, no more than cores; 0: as many");
  if (const auto code = program::parse(app, argc, argv)) return *code;
  if (differ->parsed()) return diff(arguments);
  return fl::within_threads(arguments.threads, [&] { return failures(arguments); });
}

}  // namespace

int main(int argc, char** argv) {
  return program::run("report", [&] { return answer(argc, argv); });
}
