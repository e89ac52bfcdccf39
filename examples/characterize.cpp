// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How does this classifier fail? Samples a generator, finds the conditions under which the classifier breaks, and
// writes a report.
//
//   characterize --generator digits.safetensors --classifier clean.safetensors --judge judge.safetensors --out report
//
// test: --help
// test(2): --generator @assets@/digits.safetensors
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --samples many
// test(3): --generator @source@/LICENSE --classifier @assets@/clean.safetensors --out @out@/refused
// test: --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --judge @assets@/judge.safetensors --samples 600 --seed 7 --out @out@/report
// test(3): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --real @source@/tests/fixtures/segments --samples 100 --out @out@/refused
// test: --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --samples 600 --seed 7 --real @source@/tests/fixtures/segments --real-mix independent --real-padding 2 --out @out@/report
// test: --generator @assets@/digits.safetensors --classifier @assets@/robust.safetensors --samples 200 --label 3 --truncation 0.8 --json --arrays --out @out@/report
// test: --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --budget-images 3000 --seed 7 --out @out@/report
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --budget-images 3000 --method paper
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --accuracy 0.9
// test(3): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --real @source@/tests/fixtures/segments --real-padding 2 --accuracy 0.999 --out @out@/refused
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --budget-seconds -1
// test: --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --method paper --attfind 2 --samples 300 --label 4 --out @out@/report
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --method other
// test: --generator @assets@/digits.safetensors --classifier "command:python3 @source@/examples/child_classifier.py" --input "28x28 grey" --name brightness --samples 100 --out @out@/report
// test(3): --generator @assets@/digits.safetensors --classifier "command:exit 7" --samples 100 --out @out@/refused
// test: --generator @assets@/digits.safetensors --classifier @source@/tests/fixtures/onnx/network.onnx --score-kind logits --samples 100 --out @out@/report
// test(3): --generator @assets@/digits.safetensors --classifier @source@/tests/fixtures/onnx/network.onnx --samples 100 --out @out@/refused
// test(3): --generator @assets@/digits.safetensors --classifier absent.onnx --samples 100 --out @out@/refused
// test(3): --generator @assets@/digits.safetensors --classifier scores:@out@/scores.csv --input "28x28 grey" --samples 100 --out @out@/report
// test(3): --generator @assets@/digits.safetensors --classifier scores:@characterize.21@/scores.csv --input "28x28 grey" --samples 100 --out @out@/report
// test(3): --generator @assets@/digits.safetensors --classifier scores:@source@/LICENSE --samples 100 --out @out@/refused
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --input 28x28 --out @out@/refused
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --classes 1,1 --out @out@/refused
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --name clean --out @out@/refused
// test: --generator @assets@/digits.safetensors --classifier @source@/tests/fixtures/torchscript/brightness.pt --input "28x28 grey" --score-kind logits --samples 60 --out @out@/script
// test(3): --generator @assets@/digits.safetensors --classifier @source@/tests/fixtures/torchscript/brightness.pt --out @out@/script
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --seed 18446744073709551615
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --samples 99999999999999999999
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --threads 100000
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --truncation nan
// full: --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --samples 100 --json --out @out@/report

#include "classifier_choice.hpp"
#include "options.hpp"
#include "paper_tables.hpp"
#include "summary.hpp"

#include <faultline/analysis/describe/real_image_check.hpp>
#include <faultline/analysis/properties/measure_labelled_images.hpp>
#include <faultline/classify/score_request.hpp>
#include <faultline/core/enum_text.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/data/labelled_images.hpp>
#include <faultline/faultline.hpp>
#include <faultline/render/population_arrays.hpp>
#include <faultline/statistics/binomial.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>

#include <malloc.h>
#include <unistd.h>

namespace fl = faultline;

namespace {

struct Arguments {
  program::ClassifierChoice choice;
  std::string generator, classifier, judge, out = "faultline-report", method = "ours", precision = "fp32";
  std::string real, real_labels, real_mix = "none";
  std::int64_t samples = 10'000, seed = 0, threads = 0, attfind = 32, real_padding = 0;
  std::optional<std::int64_t> label;
  double truncation = 1.0, accuracy = 0.0;
  bool json = false, arrays = false;
  fl::Budget budget;
  std::string command;
};

void print_summary(const fl::FailureReport& report, const Arguments& arguments) {
  const auto file_name = [](const std::string& path) { return std::filesystem::path(path).filename().string(); };
  std::fputs(program::table_of(report).c_str(), stdout);
  for (const std::string& warning : report.warnings) std::printf("warning: %s\n", warning.c_str());
  const std::string& name = arguments.choice.name;
  std::fputs(
      program::answer_of(report, file_name(arguments.generator), name.empty() ? file_name(arguments.classifier) : name,
                         std::filesystem::path(arguments.out) / "report.html")
          .c_str(),
      stdout);
}

/// Real labelled images, measured as the generated ones are and classified by the same classifier.
fl::LabelledTable measure_real(const Arguments& arguments, fl::AnyClassifier& classifier,
                               const fl::ImageShape& generated, const fl::MethodOptions& method) {
  fl::LabelledImageOptions measuring;
  measuring.properties = method.properties;
  measuring.progress = method.progress;
  measuring.corruption = {.mix = *fl::core::enumerator_from<fl::CorruptionMix>(arguments.real_mix),
                          .seed = arguments.seed,
                          .padding = arguments.real_padding};
  const fl::LabelledImages images = fl::load_labelled_images(arguments.real, {.labels = arguments.real_labels});
  const fl::ImageShape shape = fl::data::canvas_shape(images, measuring.corruption);
  if (shape.channels != generated.channels || shape.height != generated.height || shape.width != generated.width)
    throw fl::Error(fl::ErrorCode::incompatible_models, "characterize",
                    "the real images have " + std::to_string(shape.height) + " x " + std::to_string(shape.width) +
                        " pixels, the generator makes " + std::to_string(generated.height) + " x " +
                        std::to_string(generated.width) + "; use --real-padding");
  return fl::measure_labelled_images(images, classifier, fl::Misclassified{}, measuring);
}

/// Says how often the classifier is right on the real images, and refuses it where that is not what its makers
/// measured: before anything is claimed about it.
void check_accuracy(const fl::LabelledTable& real, double expected) {
  const std::int64_t right = real.size() - real.failures();
  const auto interval = fl::statistics::clopper_pearson(right, real.size(), 0.99);
  const auto percent = [](double share) { return fl::fixed_text(100.0 * share, 1); };
  const std::string seen = percent(static_cast<double>(right) / static_cast<double>(real.size())) + " % of " +
                           std::to_string(real.size()) + " real images (99 % interval " + percent(interval.lower) +
                           " to " + percent(interval.upper) + ")";
  std::fprintf(stderr, "the classifier is right on %s\n", seen.c_str());
  if (expected > 0.0 && (expected < interval.lower || expected > interval.upper))
    throw fl::Error(fl::ErrorCode::incompatible_models, "characterize",
                    "the classifier is right on " + seen + ", not on " + percent(expected) +
                        " %; are --input (size, range, mean, channel order), --classes and the labels what it was "
                        "trained with?");
}

/// What the run is going to cost, before it starts.
void print_forecast(const fl::Forecast& forecast, const fl::Budget& budget, std::int64_t samples) {
  std::fprintf(stderr, "forecast: %lld to %lld images, %.0f to %.0f s at %.0f images a second",
               static_cast<long long>(forecast.least_images), static_cast<long long>(forecast.most_images),
               forecast.least_seconds(), forecast.most_seconds(), forecast.images_per_second);
  if (forecast.samples < samples)
    std::fprintf(stderr, "; the budget holds %lld of %lld samples per split", static_cast<long long>(forecast.samples),
                 static_cast<long long>(samples));
  else if ((budget.images > 0 && budget.images < forecast.most_images) ||
           (budget.seconds > 0.0 && budget.seconds < forecast.most_seconds()))
    std::fputs("; the budget may end it before", stderr);
  std::fputs("\n", stderr);
}

int characterize(const Arguments& arguments) {
  program::Progress progress;
  const auto follow = [&progress](const fl::Progress& p) { progress(p); };
  const auto precision =
      arguments.precision == "bf16" ? fl::CpuOptions::Precision::bf16 : fl::CpuOptions::Precision::fp32;
  const auto generator =
      fl::Generator<fl::CpuBackend>::load(arguments.generator, fl::Integrity::checked, {.precision = precision});
  auto classifier = program::open_classifier(arguments.classifier, arguments.choice, generator.num_classes());
  std::error_code failed;
  std::filesystem::create_directories(arguments.out, failed);  // before the work, not after it
  if (failed || ::access(arguments.out.c_str(), W_OK) != 0)
    throw fl::Error(fl::ErrorCode::cannot_write, "characterize",
                    "cannot write into '" + arguments.out + "'; choose another --out");

  fl::AnalyzerOptions options{.samples = arguments.samples};
  options.method.progress = follow;
  options.method.command = arguments.command;
  options.method.budget = arguments.budget;
  if (!arguments.judge.empty()) options.method.judge = fl::AnyClassifier(fl::load_classifier(arguments.judge));
  const fl::LabelPolicy labels =
      arguments.label ? fl::LabelPolicy::fixed(*arguments.label) : fl::LabelPolicy::uniform();
  const fl::StyleSpaceSampler sampler(generator, {.seed = arguments.seed,
                                                  .labels = labels,
                                                  .truncation = arguments.truncation,
                                                  .batch_size = options.method.batch_size});
  fl::classify::ScoreRequest request(classifier);  // what lacks scores, real and generated, is asked for at once
  std::optional<fl::LabelledTable> real;  // before the long work, so that what is wrong with them is said at once
  if (!arguments.real.empty()) {
    real = measure_real(arguments, classifier, generator.image_shape(), options.method);
    if (request.missing() == 0) check_accuracy(*real, arguments.accuracy);
  }
  fl::FailureAnalyzer analyzer(sampler, classifier, fl::Misclassified{}, options);
  if (request.missing() > 0) (void)analyzer.problem();
  request.end();
  const std::filesystem::path out = arguments.out;
  if (arguments.method == "ours") print_forecast(analyzer.forecast(), options.method.budget, arguments.samples);
  if (arguments.arrays) fl::write_arrays(analyzer.problem(), out / "arrays");
  if (arguments.method == "paper") {
    const fl::PaperReport report = analyzer.run_paper({.attfind = {.images = arguments.attfind}});
    fl::write_json(report, out / "paper.json");
    fl::render::write_corner_cases(report, out / "corner-cases.npy");
    progress.finish();
    if (arguments.json) std::fputs(fl::to_json(report).c_str(), stdout);
    else print_paper(report);
  } else {
    fl::FailureReport report;
    try {
      report = analyzer.run();
    } catch (const fl::Interrupted<fl::FailureReport>& met) {  // without pictures, which would ask the classifier
      fl::write_json(met.found(), out / "report.json");
      progress.finish();
      std::fprintf(stderr, "what was found before the error is in %s\n", (out / "report.json").c_str());
      throw;
    }
    if (real) report.real_images = fl::check_causes(report, analyzer.problem(), *real);
    fl::DirectionRenderer(generator, classifier, {.progress = follow}).write_report(report, out);
    progress.finish();
    if (arguments.json) std::fputs(fl::to_json(report).c_str(), stdout);
    else print_summary(report, arguments);
  }
  if (arguments.json || arguments.method == "paper")  // the summary ends with it
    std::fprintf(stderr, "report in %s after %.0f s\n",
                 (out / (arguments.method == "paper" ? "paper.json" : "report.html")).c_str(), progress.seconds());
  return 0;
}

int answer(int argc, char** argv) {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);  // keep large blocks between batches
  mallopt(M_TRIM_THRESHOLD, 2147483647);
  Arguments arguments;
  CLI::App app(
      "Finds the conditions under which a classifier fails, tests them on held-out samples, measures how far they "
      "are, "
      "and writes report.html.\n"
      "Exit codes: 0 done (whatever was found), 2 usage, 3 bad input, 5 internal error.");
  app.add_option("--generator", arguments.generator, "generator file (faultline.stylegan2/1)")->required();
  app.add_option("--classifier", arguments.classifier, program::classifier_help)->required();
  program::add_classifier_options(app, arguments.choice);
  app.add_option(
      "--judge", arguments.judge,
      "a second, stronger classifier that says whether images still show their class: failures on the others are not "
      "counted as the classifier's");
  app.add_option(
         "--method", arguments.method,
         "ours, or paper: the rankings and searches of Le Coz, Herbin and Adjed (2022), as tables and paper.json")
      ->check(CLI::IsMember({"ours", "paper"}))
      ->capture_default_str();
  program::option(app, "--attfind", arguments.attfind, 0, 100'000,
                  "images that AttFind pushes channels of, with --method paper; 0 leaves it out");
  program::option(app, "--samples", arguments.samples, 1, fl::limits::samples, "samples per split");
  program::option(app, "--seed", arguments.seed, program::least, program::most, "decides every draw");
  program::option(
      app, "--budget-images", arguments.budget.images, 0, fl::limits::samples,
      "images after which the run ends early, with a whole report that says what was cut short; 0: no limit");
  program::option(app, "--budget-seconds", arguments.budget.seconds, 0.0, fl::limits::seconds,
                  "the same in seconds from the first sample on");
  program::option(app, "--label", arguments.label, 0, fl::limits::latents, "one class only");
  program::option(app, "--truncation", arguments.truncation, -2.0, 2.0, "psi of the generator");
  app.add_option("--real", arguments.real,
                 "folder of real labelled images (the four MNIST files, or PNG pictures) on which causes are checked");
  app.add_option("--real-labels", arguments.real_labels, "label file of the pictures: CSV, JSON or IDX");
  app.add_option("--real-mix", arguments.real_mix,
                 "none, independent, paper, blur or noise: what is done to the real images first")
      ->check(CLI::IsMember({"none", "independent", "paper", "blur", "noise"}))
      ->capture_default_str();
  program::option(app, "--real-padding", arguments.real_padding, 0, 4'096,
                  "black pixels added on every side: 2 makes MNIST as large as the generated digits");
  program::option(
      app, "--accuracy", arguments.accuracy, 0.0, 1.0,
      "share of the real images that the classifier is known to be right on: refused where it is not; 0: any");
  app.add_option("--precision", arguments.precision,
                 "of the generator: fp32, or bf16, which is checked against it and faster where the processor knows it")
      ->check(CLI::IsMember({"fp32", "bf16"}))
      ->capture_default_str();
  app.add_option("--out", arguments.out, "folder of the report")->capture_default_str();
  app.add_flag("--json", arguments.json, "print the whole report as JSON instead of the summary");
  app.add_flag("--arrays", arguments.arrays, "also write w, s and outcomes of all samples as NPY");
  program::option(app, "--threads", arguments.threads, 0, fl::limits::threads,
                  "threads, no more than cores; 0: as many");
  if (const auto code = program::parse(app, argc, argv)) return *code;
  if (arguments.accuracy > 0.0 && arguments.real.empty()) {
    std::fputs("characterize: --accuracy needs --real\n", stderr);
    return 2;
  }
  if (arguments.budget.is_limited() && arguments.method == "paper") {
    std::fputs("characterize: --method paper has no budget\n", stderr);
    return 2;
  }
  arguments.command = program::quoted(argc, argv);
  return fl::within_threads(arguments.threads, [&] { return characterize(arguments); });
}

}  // namespace

int main(int argc, char** argv) {
  return program::run("characterize", [&] { return answer(argc, argv); });
}
