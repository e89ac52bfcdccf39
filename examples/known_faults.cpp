// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Is the answer right where the fault is known? Classifiers that are wrong on purpose, on the images of a generator and
// on real ones (conditions.md, levels 1, 2, 4 and 5):
//
//   1  a good classifier, wrapped so that it fails where a measured property exceeds a level: does the property come
//      first, and do images flip at the level?
//   2  faults that `train_faults` trained in: is each named among the first three?
//   4  real images at known severities of blur and noise: do they fail as the generated ones predict?
//   5  the same run with other seeds: the same causes, and numbers within each other's intervals?
//
//   train_faults --out faults
//   known_faults --generator digits.safetensors --judge judge.safetensors --good robust.safetensors
//                --classifier clean.safetensors --faults faults --json faults.json --picture severities
//
// Exits 1 when a row is short.
//
// test: --help
// test(2): --level 3 --generator a --judge b
// test(2): --generator @assets@/digits.safetensors --judge @assets@/judge.safetensors --level 1
// test(3): --generator @assets@/digits.safetensors --judge @assets@/judge.safetensors --level 2 --faults @out@ --mnist @source@/tests/fixtures/segments
// test(1): --generator @assets@/digits.safetensors --judge @assets@/judge.safetensors --classifier @assets@/clean.safetensors --level 4 --samples 1000 --mnist @source@/tests/fixtures/segments --picture @out@/severities --json @out@/faults.json

#include "classifier_training.hpp"
#include "fault_table.hpp"
#include "options.hpp"
#include "planted_faults.hpp"

#include <faultline/analysis/characterize.hpp>
#include <faultline/analysis/confirm/condition_chain.hpp>
#include <faultline/analysis/describe/outcome_model.hpp>
#include <faultline/analysis/labelled_conditions.hpp>
#include <faultline/analysis/properties/measure_labelled_images.hpp>
#include <faultline/core/atomic_file.hpp>
#include <faultline/data/mnist.hpp>
#include <faultline/faultline.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fl = faultline;

namespace {

using Json = nlohmann::ordered_json;
using Generator = fl::Generator<fl::CpuBackend>;

struct Arguments {
  std::string generator, judge, good, classifier, faults, mnist, json, picture;
  std::optional<std::int64_t> level;
  std::int64_t samples = 10'000, seed = 1, seeds = 5;
};

/// A classifier that gives another answer where a property of the image exceeds a level.
class FailsAbove {
 public:
  FailsAbove(fl::classify::NetworkClassifier& good, const fl::Property& property, double level)
      : good_(good), property_(property), level_(level) {}

  void operator()(fl::ImageView images, fl::ScoreMatrix& scores) {
    const fl::ImagePreparation prepare(images.shape(), {0.0, 1.0}, good_.input_spec());
    fl::ImageBatch whole(images.count(), images.shape());
    std::copy_n(images.data(), images.count() * images.shape().elements(), whole.data());
    good_.score(prepare(whole), scores);
    for (std::int64_t i = 0; i < images.count(); ++i) {
      if (!(property_.measure(images.image(i), images.shape()) > level_)) continue;
      const auto row = scores.row_span(i);
      const auto best = std::max_element(row.begin(), row.end());
      const auto next = best + 1 == row.end() ? row.begin() : best + 1;
      std::iter_swap(best, next);
    }
  }

 private:
  fl::classify::NetworkClassifier& good_;
  const fl::Property& property_;
  double level_;
};

class Runs {
 public:
  explicit Runs(const Arguments& arguments)
      : arguments_(arguments),
        generator_(Generator::load(arguments.generator)),
        judge_(fl::AnyClassifier(fl::load_classifier(arguments.judge))) {}

  /// What a run with the defaults says of a classifier.
  template <class C>
  [[nodiscard]] fl::FailureReport report(C& classifier, std::int64_t seed, bool whole = false) {
    fl::FailureAnalyzer analyzer(sampler(seed), classifier, fl::Misclassified{}, options(whole));
    return analyzer.run();
  }

  [[nodiscard]] fl::AnalyzerOptions options(bool whole = false) {
    fl::AnalyzerOptions options{.samples = arguments_.samples};
    options.method.judge = judge_;
    options.method.progress = [this](const fl::Progress& p) { progress_(p); };
    if (!whole) {
      options.method.property_distances = options.method.centre_distances = false;
      options.method.placebo_directions = options.method.gradient_samples = 0;
    }
    return options;
  }
  [[nodiscard]] fl::StyleSpaceSampler<Generator> sampler(std::int64_t seed) const {
    return fl::StyleSpaceSampler<Generator>(generator_, {.seed = seed});
  }
  [[nodiscard]] fl::ImageShape shape() const { return generator_.image_shape(); }
  [[nodiscard]] program::Progress& progress() { return progress_; }

 private:
  const Arguments& arguments_;
  Generator generator_;
  fl::AnyClassifier judge_;
  program::Progress progress_;
};

/// Level 1: every specific property of which w predicts three tenths of the variance, at the level that one image in
/// ten exceeds.
bool known_levels(Runs& runs, const Arguments& arguments, Json& json) {
  auto good = fl::load_classifier(arguments.good);
  fl::AnalyzerOptions sampling = runs.options();
  sampling.samples = 4'000;
  fl::FailureAnalyzer plain(runs.sampler(arguments.seed), good, fl::Misclassified{}, sampling);
  const fl::Problem& problem = plain.problem();
  const fl::analysis::ConditionGround ground = fl::analysis::prepare_ground(problem);
  std::printf("level 1: fails where a property exceeds the level of one image in ten\n%-22s %6s %6s %10s %10s %8s\n",
              "property", "R2", "comes", "level", "flips at", "error");
  bool all_good = true;
  const std::vector<fl::Property> properties = fl::applicable_properties(fl::default_properties(), runs.shape());
  for (std::size_t p = 0; p < properties.size(); ++p) {
    if (!properties[p].specific || ground.reading_vectors.r_squared[p] < 0.3) continue;
    std::vector<double> values;
    for (std::int64_t i = 0; i < problem.discovery.size(); ++i)
      values.push_back(static_cast<double>(problem.discovery.properties(i, static_cast<std::int64_t>(p))));
    const double level = program::quantile(values, 0.9);
    FailsAbove wrong(good, properties[p], level);
    auto classifier = fl::make_classifier([&](fl::ImageView images, fl::ScoreMatrix& scores) { wrong(images, scores); },
                                          {.classes = good.num_classes(), .scores = fl::Scores::logits});
    const faults::Level row = faults::level_of(runs.report(classifier, arguments.seed), properties[p].name, level);
    runs.progress().finish();
    std::printf("%-22s %6.2f %6s %10.4g %10s %8s  %s\n", properties[p].name.c_str(),
                ground.reading_vectors.r_squared[p], row.place ? std::to_string(*row.place).c_str() : "-", level,
                faults::number(row.flip, "%.4g").c_str(), faults::number(row.error(), "%.3f").c_str(),
                row.is_good() ? "" : "SHORT");
    std::fflush(stdout);
    json["level 1"].push_back({{"property", properties[p].name},
                               {"place", faults::or_null(row.place)},
                               {"level", level},
                               {"flips at", faults::or_null(row.flip)},
                               {"good", row.is_good()}});
    all_good = all_good && row.is_good();
  }
  return all_good;
}

/// Level 2: what generated and real images say of classifiers with faults trained in.
bool trained_faults(Runs& runs, const Arguments& arguments, Json& json) {
  const fl::LabelledImages test = program::load_digits(
      "known_faults", arguments.mnist.empty() ? fl::find_mnist() : std::filesystem::path(arguments.mnist),
      fl::MnistPart::test, fl::classify::ClassifierConfig{}.input);
  std::printf("level 2: trained-in faults; conditions in their order, causes with the share of failures gone\n");
  bool all_good = true;
  for (const program::PlantedFault& fault : program::planted_faults) {
    auto classifier =
        fl::load_classifier(std::filesystem::path(arguments.faults) / (std::string(fault.name) + ".safetensors"));
    const std::vector<std::string> expected = faults::names_of(fault.fault);
    faults::Named generated = faults::named(runs.report(classifier, arguments.seed));
    fl::LabelledImageOptions measuring;
    measuring.corruption = {.mix = fl::CorruptionMix::independent, .seed = program::test_seed, .padding = 2};
    if (fault.fault == program::Fault::patch) measuring.properties.push_back(program::corner_brightness());
    const program::FaultTest seen = program::test_of(fault.fault, test, program::test_seed);
    const fl::LabelledTable table =
        fl::measure_labelled_images(seen.images, classifier, fl::Misclassified{}, measuring);
    faults::Named real = faults::named(fl::find_labelled_conditions(table, {.seed = arguments.seed}));
    runs.progress().finish();
    // no generated image has a patch
    const bool on_generated = fault.fault != program::Fault::patch;
    const bool good = expected.empty() || ((!on_generated || generated.hears(expected)) && real.hears(expected));
    std::printf("%s (%s)\n  generated: %4.1f %% fail; %s\n  real:      %4.1f %% fail; %s  %s\n", fault.name,
                fault.planted, 100.0 * generated.rate, generated.text.c_str(), 100.0 * real.rate, real.text.c_str(),
                expected.empty() ? "(nothing to be named)"
                : good           ? "named"
                                 : "SHORT");
    std::fflush(stdout);
    json["level 2"].push_back({{"fault", fault.name},
                               {"expected", expected},
                               {"generated", generated.names},
                               {"real", real.names},
                               {"good", good}});
    all_good = all_good && good;
  }
  return all_good;
}

/// Level 4: real images at known severities, and what the generated ones predict for them.
bool real_severities(Runs& runs, const Arguments& arguments, Json& json) {
  auto classifier = fl::load_classifier(arguments.classifier);
  fl::FailureAnalyzer analyzer(runs.sampler(arguments.seed), classifier, fl::Misclassified{}, runs.options());
  const fl::FailureReport report = analyzer.run();
  const fl::LabelledImages test = program::load_digits(
      "known_faults", arguments.mnist.empty() ? fl::find_mnist() : std::filesystem::path(arguments.mnist),
      fl::MnistPart::test, fl::classify::ClassifierConfig{}.input);
  fl::LabelledImageOptions measuring;
  measuring.corruption = {.mix = fl::CorruptionMix::independent, .seed = program::test_seed, .padding = 2};
  measuring.samples = 2 * test.count;
  measuring.progress = [&](const fl::Progress& p) { runs.progress()(p); };
  const fl::LabelledTable table = fl::measure_labelled_images(test, classifier, fl::Misclassified{}, measuring);
  const std::vector<double> predicted = fl::OutcomeModel(analyzer.problem(), {"blur", "noise level"}).predict(table);
  faults::Severities severities;
  for (std::int64_t i = 0; i < table.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    severities.add(fl::data::draw_corruption(fl::CorruptionMix::independent, program::test_seed, i),
                   table.failed[at] != 0, predicted[at]);
  }
  runs.progress().finish();
  const bool order = severities.has_order_of(report);
  const double rho = severities.correlation();
  const bool good = rho >= 0.9 && order;
  std::fputs(severities.text().c_str(), stdout);
  std::printf(
      "rank correlation of predicted and real rates %.3f; order of blur and noise level by the share of failures "
      "gone %s  %s\n",
      rho, order ? "the same" : "another", good ? "" : "SHORT");
  json["level 4"] = severities.json();
  json["level 4"]["rank correlation"] = rho;
  json["level 4"]["same order"] = order;
  if (!arguments.picture.empty()) fl::write_drawing(severities.drawing(), arguments.picture);
  return good;
}

/// Level 5: the same question with several seeds.
bool same_answer(Runs& runs, const Arguments& arguments, Json& json) {
  auto classifier = fl::load_classifier(arguments.classifier);
  std::vector<fl::FailureReport> reports;
  std::printf("level 5: the same run with %lld seeds\n", static_cast<long long>(arguments.seeds));
  for (std::int64_t k = 0; k < arguments.seeds; ++k) {
    reports.push_back(runs.report(classifier, arguments.seed + k, true));
    runs.progress().finish();
    const faults::Named named = faults::named(reports.back());
    std::printf("seed %lld: %s\n", static_cast<long long>(arguments.seed + k), named.text.c_str());
    std::fflush(stdout);
    json["level 5"]["seeds"].push_back({{"seed", arguments.seed + k}, {"said", named.text}});
  }
  const faults::Agreement agreement = faults::agreement_of(reports);
  std::printf(
      "same causes: %s; of %lld pairs of headline numbers %lld agree within the interval of their difference, and "
      "%lld lie in each other's intervals (.83 of them would, were these exact)  %s\n",
      agreement.same_causes ? "yes" : "no", static_cast<long long>(agreement.pairs),
      static_cast<long long>(agreement.agree), static_cast<long long>(agreement.inside),
      agreement.is_good() ? "" : "SHORT");
  json["level 5"]["same causes"] = agreement.same_causes;
  json["level 5"]["agree"] = agreement.agree;
  json["level 5"]["inside"] = agreement.inside;
  json["level 5"]["pairs"] = agreement.pairs;
  return agreement.is_good();
}

int answer(int argc, char** argv) {
  program::keep_memory();
  Arguments arguments;
  CLI::App app(
      "Conditions and causes of failure where the fault is known: wrapped, trained in, on real images, and with "
      "several seeds.\nExit codes: 0 all as it should be, 1 a row is short, 2 usage, 3 bad input.");
  app.add_option("--generator", arguments.generator, "generator file")->required();
  app.add_option("--judge", arguments.judge, "a second, stronger classifier")->required();
  app.add_option("--good", arguments.good, "classifier that is wrapped, level 1");
  app.add_option("--faults", arguments.faults, "folder of train_faults, level 2");
  app.add_option("--classifier", arguments.classifier, "classifier of levels 4 and 5");
  app.add_option("--mnist", arguments.mnist, "directory of the four MNIST files, levels 2 and 4");
  program::option(app, "--level", arguments.level, 1, 5, "1, 2, 4 or 5; all whose files are given without it");
  program::option(app, "--samples", arguments.samples, 1, fl::limits::samples, "samples per split");
  program::option(app, "--seed", arguments.seed, program::least, program::most, "of the first run");
  program::option(app, "--seeds", arguments.seeds, 2, 1'000, "runs of level 5");
  app.add_option("--json", arguments.json, "also write the tables to this file");
  app.add_option("--picture", arguments.picture,
                 "PICTURE.svg and PICTURE.png of level 4: real and predicted failure rates");
  if (const auto code = program::parse(app, argc, argv)) return *code;
  struct Level {
    std::int64_t number;
    const std::string* needs;
    const char* option;
    bool (*run)(Runs&, const Arguments&, Json&);
  };
  const Level levels[] = {{1, &arguments.good, "--good", known_levels},
                          {2, &arguments.faults, "--faults", trained_faults},
                          {4, &arguments.classifier, "--classifier", real_severities},
                          {5, &arguments.classifier, "--classifier", same_answer}};
  std::vector<Level> wanted;
  for (const Level& level : levels) {
    if (arguments.level && *arguments.level != level.number) continue;
    if (!level.needs->empty()) {
      wanted.push_back(level);
    } else if (arguments.level) {
      std::fprintf(stderr, "known_faults: level %lld needs %s\n", static_cast<long long>(level.number), level.option);
      return 2;
    }
  }
  if (wanted.empty()) {
    std::fputs("known_faults: give a level from 1, 2, 4 and 5, and --good, --faults or --classifier\n", stderr);
    return 2;
  }
  Runs runs(arguments);
  Json json = {{"command", program::quoted(argc, argv)}};
  bool good = true;
  for (const Level& level : wanted) good = level.run(runs, arguments, json) && good;
  json["good"] = good;
  if (!arguments.json.empty()) fl::core::write_file_atomically(arguments.json, json.dump(1) + "\n");
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return program::run("known_faults", [&] { return answer(argc, argv); });
}
