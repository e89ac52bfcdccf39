// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What do the failures of this classifier on my own labelled images go with? Measures the images, seeks conditions on
// one random split, tests them on the other, and writes conditions.html, conditions.json and conditions.csv.
//
//   conditions --images photos --classifier mine.safetensors
//   conditions --images photos --labels truth.csv --scores scores.csv --score-kind probabilities --out report
//   conditions --images mnist --classifier clean.safetensors --mix independent --padding 2 --generator
//   digits.safetensors
//
// test: --help
// test(2): --images @source@/tests/fixtures/segments
// test(2): --images @source@/tests/fixtures/segments --classifier @assets@/clean.safetensors --scores x.csv
// test(2): --images @source@/tests/fixtures/segments --scores x.csv
// test(2): --images @source@/tests/fixtures/segments --classifier @assets@/clean.safetensors --mix other
// test(2): --images @source@/tests/fixtures/segments --classifier @assets@/clean.safetensors --samples 99 --out @out@/refused
// test(2): --images @source@/tests/fixtures/segments --classifier @assets@/clean.safetensors --without loups --out @out@/refused
// test(2): --images @source@/tests/fixtures/segments --classifier @assets@/clean.safetensors --labels x.csv --out @out@/refused
// test(3): --images @out@ --classifier @assets@/clean.safetensors --out @out@/refused
// test(3): --images @source@/tests/fixtures/segments --classifier @assets@/clean.safetensors --out /proc/refused
// test(3): --images @source@/tests/fixtures/segments --classifier @source@/LICENSE --out @out@/refused
// test(3): --images @source@/tests/fixtures/segments --scores @out@/absent.csv --score-kind logits --out @out@/refused
// test: --images @source@/tests/fixtures/segments --classifier @assets@/clean.safetensors --samples 600 --mix independent --seed 7 --pictures --out @out@/report
// test(2): --images @source@/tests/fixtures/segments --scores x.csv --score-kind logits --generator @assets@/digits.safetensors --out @out@/refused
// test(3): --images @source@/tests/fixtures/segments --classifier @assets@/clean.safetensors --generator @assets@/digits.safetensors --out @out@/refused
// test: --images @source@/tests/fixtures/segments --classifier @assets@/clean.safetensors --samples 600 --mix independent --padding 2 --generator @assets@/digits.safetensors --generated 200 --pictures --out @out@/report
// test: --images @source@/tests/fixtures/segments --classifier @assets@/clean.safetensors --samples 3 --json --out @out@/report
// test(3): --images @source@/tests/fixtures/segments --classifier scores:@out@/scores.csv --input "28x28 grey" --out @out@/report
// full: --images @source@/tests/fixtures/segments --classifier @assets@/clean.safetensors --samples 60 --out @out@/report

#include "classifier_choice.hpp"
#include "options.hpp"

#include <faultline/analysis/describe/real_image_check.hpp>
#include <faultline/analysis/failure_analyzer.hpp>
#include <faultline/analysis/labelled_conditions.hpp>
#include <faultline/analysis/properties/measure_labelled_images.hpp>
#include <faultline/classify/score_request.hpp>
#include <faultline/core/enum_text.hpp>
#include <faultline/core/number_text.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/data/labelled_images.hpp>
#include <faultline/render/conditions_report.hpp>
#include <faultline/sampling/style_space_sampler.hpp>
#include <faultline/stylegan2/cpu_backend.hpp>
#include <faultline/stylegan2/generator.hpp>
#include <faultline/data/classifier_file.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <unistd.h>

namespace fl = faultline;

namespace {

struct Arguments {
  std::string images, labels, part = "test", classifier, scores, generator, mix = "none", out = "faultline-conditions";
  std::vector<std::string> without;
  std::int64_t resolution = 0, padding = 0, samples = 0, seed = 0, threads = 0, generated = 2'000;
  double alpha = 0.05;
  bool resize = false, json = false, pictures = false;
  program::ClassifierChoice choice;
  std::string command;
};

fl::LabelledImages load(const Arguments& arguments) {
  return fl::load_labelled_images(arguments.images,
                                  {.part = arguments.part == "train" ? fl::MnistPart::train : fl::MnistPart::test,
                                   .labels = arguments.labels,
                                   .resolution = arguments.resolution});
}

/// The properties that are measured: all but those that were named.
std::vector<fl::analysis::Property> properties(const Arguments& arguments) {
  std::vector<fl::analysis::Property> all = fl::analysis::default_properties();
  for (const std::string& name : arguments.without)
    if (std::erase_if(all, [&](const auto& property) { return property.name == name; }) == 0)
      throw fl::Error(fl::ErrorCode::invalid_argument, "conditions",
                      "--without: there is no property \"" + name + "\"; --help names them");
  return all;
}

void print_table(const std::vector<fl::analysis::LabelledCondition>& conditions, const char* heading) {
  if (conditions.empty()) return;
  std::size_t width = 20;
  for (const auto& own : conditions) width = std::max(width, own.name.size());
  std::printf("\n%-*s  %-26s  %-10s  %s\n", static_cast<int>(width), heading, "share of the deviance", "p, adjusted",
              "found again");
  for (const auto& own : conditions) {
    const std::string share = fl::fixed_text(100 * own.share, 1) + " % (" + fl::fixed_text(100 * own.share_lower, 1) +
                              " to " + fl::fixed_text(100 * own.share_upper, 1) + ")";
    std::printf("%-*s  %-26s  %-10s  %s %%\n", static_cast<int>(width), own.name.c_str(), share.c_str(),
                fl::rounded_text(own.p_adjusted, 2).c_str(), fl::fixed_text(100 * own.stability, 0).c_str());
  }
}

void print_summary(const fl::LabelledConditions& result) {
  const fl::Rate& rate = result.failure_rate;
  std::printf("%lld of %lld images fail: %s %% (95 %%: %s to %s)\n", static_cast<long long>(rate.failures),
              static_cast<long long>(rate.n), fl::fixed_text(100 * rate.estimate, 2).c_str(),
              fl::fixed_text(100 * rate.lower, 2).c_str(), fl::fixed_text(100 * rate.upper, 2).c_str());
  print_table(result.conditions, "goes with failures");
  print_table(result.not_confirmed, "did not hold");
  if (!result.conditions.empty()) std::puts("");
  for (const auto& own : result.conditions) std::printf("%s\n", own.sentence.c_str());
  for (const auto& own : result.interactions)
    if (own.confirmed)
      std::printf("%s and %s matter together more, or less, than one by one.\n", own.first.c_str(), own.second.c_str());
  std::printf("\n%s\n", result.reason.c_str());
  for (const std::string& note : result.notes) std::printf("note: %s\n", note.c_str());
}

using Checks = std::vector<fl::RealImageCheck>;

/// The failure rates of generated images beside those of the table, whose answers count when the request has ended.
Checks check_generated(const Arguments& arguments, fl::AnyClassifier& classifier, const fl::ImageShape& shape,
                       const fl::LabelledTable& table, const fl::LabelledImageOptions& measuring,
                       fl::classify::ScoreRequest& request) {
  const auto generator = fl::Generator<fl::CpuBackend>::load(arguments.generator);
  const fl::ImageShape own = generator.image_shape();
  if (own.channels != shape.channels || own.height != shape.height || own.width != shape.width)
    throw fl::Error(fl::ErrorCode::incompatible_models, "conditions",
                    "the generator makes images of " + std::to_string(own.height) + " x " + std::to_string(own.width) +
                        " pixels, the labelled ones have " + std::to_string(shape.height) + " x " +
                        std::to_string(shape.width) +
                        ", and properties compare at one size; use --padding or --resolution");
  fl::AnalyzerOptions options{.samples = arguments.generated};
  options.method.properties = measuring.properties;
  options.method.progress = measuring.progress;
  const fl::StyleSpaceSampler sampler(generator, {.seed = arguments.seed, .batch_size = options.method.batch_size});
  fl::FailureAnalyzer analyzer(sampler, classifier, fl::Misclassified{}, options);
  (void)analyzer.problem();
  request.end();
  const fl::Problem& problem = analyzer.problem();
  return fl::check_on_real_images(problem.property_names, problem.discovery.properties, problem.discovery.failed,
                                  problem.discovery.valid, table);
}

void print_checks(const Checks& checks, std::int64_t generated) {
  std::printf("\nbeside %lld generated images, in the lowest and the highest of common bins\n%-20s  %-17s  %-17s  %s\n",
              static_cast<long long>(generated), "", "generated fail", "real ones fail", "correlation of ranks");
  const auto ends = [](const fl::ResponseCurve& curve) {
    return fl::fixed_text(100 * curve.bins.front().rate.estimate, 1) + " % to " +
           fl::fixed_text(100 * curve.bins.back().rate.estimate, 1) + " %";
  };
  for (const fl::RealImageCheck& check : checks)
    std::printf("%-20s  %-17s  %-17s  %s over %lld bin%s\n", check.property.c_str(), ends(check.generated).c_str(),
                ends(check.real).c_str(),
                check.rank_correlation ? fl::fixed_text(*check.rank_correlation, 2).c_str() : "none",
                static_cast<long long>(check.bins), check.bins == 1 ? "" : "s");
}

int conditions(const Arguments& arguments) {
  program::Progress progress;
  const auto follow = [&progress](const fl::Progress& p) { progress(p); };
  const bool scored = !arguments.scores.empty();
  if (scored == !arguments.classifier.empty() || (scored && arguments.choice.scores.empty()))
    throw fl::Error(fl::ErrorCode::invalid_argument, "conditions",
                    "expected either --classifier, or --scores with --score-kind");
  if (scored && !arguments.generator.empty())
    throw fl::Error(fl::ErrorCode::invalid_argument, "conditions",
                    "--generator needs --classifier: written scores say nothing of other images");
  fl::LabelledImageOptions measuring;
  measuring.properties = properties(arguments);
  measuring.corruption = {.mix = *fl::core::enumerator_from<fl::CorruptionMix>(arguments.mix),
                          .seed = arguments.seed,
                          .padding = arguments.padding};
  measuring.samples = arguments.samples;
  measuring.progress = follow;
  if (arguments.resize) measuring.fit = fl::Fit::resize;

  const std::filesystem::path out = arguments.out;
  std::error_code failed;
  std::filesystem::create_directories(out, failed);  // before the work, not after it
  if (failed || ::access(out.c_str(), W_OK) != 0)
    throw fl::Error(fl::ErrorCode::cannot_write, "conditions",
                    "cannot write into '" + arguments.out + "'; choose another --out");
  const fl::LabelledImages images = load(arguments);
  fl::LabelledTable table;
  std::string digest;
  Checks checks;
  if (scored) {
    const auto kind = *fl::core::enumerator_from<fl::Scores>(arguments.choice.scores);
    table = fl::measure_labelled_images(images, fl::read_score_table(arguments.scores, {.scores = kind}),
                                        fl::Misclassified{}, measuring);
  } else {
    auto classifier = program::open_classifier(arguments.classifier, arguments.choice, images.classes);
    digest = classifier.digest().value_or("");
    const fl::ImageShape shape = fl::data::canvas_shape(images, measuring.corruption);
    fl::classify::ScoreRequest request(classifier);  // what lacks scores, real and generated, is asked for at once
    table = fl::measure_labelled_images(images, classifier, fl::Misclassified{}, measuring);
    if (arguments.generator.empty()) request.end();
    else checks = check_generated(arguments, classifier, shape, table, measuring, request);
  }
  fl::LabelledConditions result = fl::find_labelled_conditions(
      table, {.seed = arguments.seed, .conditions = {.alpha = arguments.alpha}, .progress = follow});
  result.run.images = arguments.images;
  const std::string& name = arguments.choice.name;
  result.run.answers = !name.empty() ? name : scored ? arguments.scores : arguments.classifier;
  result.run.digest = digest;
  result.run.corruption = arguments.mix;
  result.run.command = arguments.command;
  fl::write_conditions(result, out);
  if (arguments.pictures) {
    for (std::size_t i = 0; i < result.conditions.size(); ++i)
      fl::write_drawing(fl::render::response_figure(result.conditions[i].curves),
                        out / ("condition-" + std::to_string(i + 1)));
    for (std::size_t i = 0; i < checks.size(); ++i)
      fl::write_drawing(fl::render::response_figure(std::vector{checks[i].generated, checks[i].real},
                                                    std::vector<std::string>{"generated", "real"}),
                        out / ("generated-" + std::to_string(i + 1)));
  }
  progress.finish();
  if (arguments.json) std::fputs(fl::render::to_json(result).c_str(), stdout);
  else {
    print_summary(result);
    if (!checks.empty()) print_checks(checks, arguments.generated);
  }
  std::fprintf(stderr, "report in %s after %.0f s\n", (out / "conditions.html").c_str(), progress.seconds());
  return 0;
}

int answer(int argc, char** argv) {
  Arguments arguments;
  CLI::App app(
      "Finds what a classifier's failures on labelled images go with: measured properties, chosen on one random split "
      "of "
      "the images and tested on the other. No generator is needed, and nothing is said about causes.\n"
      "Example: conditions --images photos --labels truth.csv --scores scores.csv --score-kind logits --out report\n"
      "Exit codes: 0 done (whatever was found), 2 usage, 3 bad input, 5 internal error.");
  app.add_option(
         "--images", arguments.images,
         "folder of the four MNIST files, or of PNG pictures with labels in labels.csv or dataset.json, or in a "
         "folder for each class")
      ->required();
  app.add_option("--labels", arguments.labels, "label file of the pictures: CSV, JSON or IDX");
  app.add_option("--part", arguments.part, "of IDX files: test or train")
      ->check(CLI::IsMember({"test", "train"}))
      ->capture_default_str();
  program::option(app, "--resolution", arguments.resolution, 0, 4'096,
                  "pad or crop PNG pictures to this size; 0: they have one size already");
  app.add_option("--classifier", arguments.classifier, program::classifier_help);
  program::add_classifier_options(app, arguments.choice);
  app.add_option("--scores", arguments.scores, "scores that were written down elsewhere: image,label,score_0,...");
  app.add_flag("--resize", arguments.resize, "resize images to the classifier's size in place of cutting them");
  app.add_option("--mix", arguments.mix, "none, independent, paper, blur or noise: what is done to the images first")
      ->check(CLI::IsMember({"none", "independent", "paper", "blur", "noise"}))
      ->capture_default_str();
  program::option(app, "--padding", arguments.padding, 0, 4'096,
                  "black pixels added on every side: 2 makes MNIST as large as the generated digits");
  program::option(app, "--samples", arguments.samples, 0, fl::limits::samples,
                  "so many of the images at random, or with a mix also several versions of each; 0: each image once");
  std::string names;
  for (const auto& property : fl::analysis::default_properties()) names += (names.empty() ? "" : ", ") + property.name;
  app.add_option("--without", arguments.without, "leave out a property: " + names);
  program::option(app, "--alpha", arguments.alpha, 1e-6, 0.5, "family-wise error rate of conditions");
  program::option(app, "--seed", arguments.seed, program::least, program::most, "decides every draw");
  app.add_option("--generator", arguments.generator,
                 "generator file (faultline.stylegan2/1): do its images fail where the labelled ones do?");
  program::option(app, "--generated", arguments.generated, 50, fl::limits::samples, "images of the generator");
  app.add_option("--out", arguments.out, "folder of the report")->capture_default_str();
  app.add_flag("--pictures", arguments.pictures, "also write the figure of each condition as PNG and SVG");
  app.add_flag("--json", arguments.json, "print the whole result as JSON instead of the summary");
  program::option(app, "--threads", arguments.threads, 0, fl::limits::threads,
                  "threads, no more than cores; 0: as many");
  if (const auto code = program::parse(app, argc, argv)) return *code;
  arguments.command = program::quoted(argc, argv);
  return fl::within_threads(arguments.threads, [&] { return conditions(arguments); });
}

}  // namespace

int main(int argc, char** argv) {
  return program::run("conditions", [&] { return answer(argc, argv); });
}
