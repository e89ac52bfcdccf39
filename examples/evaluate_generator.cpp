// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Measures a generator: does an independent judge read the label that was asked for, how far are the images from real
// ones, and do the two cover each other?
//
//   evaluate_generator --generator digits.safetensors --judge judge.safetensors
//   evaluate_generator --generator pets.safetensors --judge pets-judge.safetensors --data pets --resolution 64
//
// test: --help
// test: --generator @assets@/digits.safetensors --judge @assets@/judge.safetensors --data @source@/tests/fixtures/segments --samples 60
// test(2): --generator @assets@/digits.safetensors --judge @assets@/judge.safetensors --data @source@/tests/fixtures/segments --samples 81 --mix none
// test(2): --generator @assets@/digits.safetensors --judge @assets@/judge.safetensors --data @source@/tests/fixtures/segments --labels x.csv
// test(3): --generator @assets@/digits.safetensors --judge @assets@/judge.safetensors --data @out@
// test(2): --mix other
// test(2): --samples many
// test(2): --samples 1
// test(2): --samples 1099511627776

#include "options.hpp"

#include <faultline/core/enum_text.hpp>
#include <faultline/core/random.hpp>
#include <faultline/data/labelled_images.hpp>
#include <faultline/data/mnist.hpp>
#include <faultline/data/classifier_file.hpp>
#include <faultline/sampling/generator_quality.hpp>
#include <faultline/stylegan2/cpu_backend.hpp>
#include <faultline/stylegan2/generator.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fl = faultline;

namespace {

struct Arguments {
  std::string generator = "digits.safetensors", judge = "judge.safetensors", data, test_data, labels, mix;
  std::int64_t resolution = 0;
  std::optional<std::int64_t> samples;
  bool random_noise = false;
};

/// Real images of two kinds that have no image in common: those compared with, and others for a measure of what real
/// ones reach.
struct RealImages {
  fl::LabelledImages others, test;
  bool pictures = false;
};

/// Two splits of a set at random.
RealImages random_splits(const fl::LabelledImages& images, std::int64_t seed) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(images.count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  fl::core::CounterRandom random(seed, fl::core::Stream::splits, fl::core::confirmation_first);
  fl::core::shuffle(std::span<std::int64_t>(order), random);
  const std::span<const std::int64_t> all(order);
  return {fl::select_images(images, all.subspan(0, all.size() / 2)),
          fl::select_images(images, all.subspan(all.size() / 2)), true};
}

RealImages load(const Arguments& arguments, std::int64_t classes, std::int64_t seed) {
  const auto directory = arguments.data.empty() ? fl::find_mnist() : std::filesystem::path(arguments.data);
  if (fl::image_set_kind(directory) == fl::ImageSetKind::idx_files) {
    if (!arguments.test_data.empty() || !arguments.labels.empty() || arguments.resolution != 0)
      throw fl::Error(fl::ErrorCode::invalid_argument, "evaluate_generator",
                      "--test-data, --labels and --resolution are for PNG pictures; IDX files bring their own test "
                      "part, labels and size");
    return {fl::load_labelled_images(directory, {.part = fl::MnistPart::train}), fl::load_labelled_images(directory)};
  }
  const auto read = [&](const std::filesystem::path& folder, const std::string& labels) {
    return fl::load_labelled_images(folder, {.labels = labels, .resolution = arguments.resolution, .classes = classes});
  };
  if (arguments.test_data.empty()) return random_splits(read(directory, arguments.labels), seed);
  return {read(directory, arguments.labels), read(arguments.test_data, ""), true};
}

nlohmann::json as_json(const fl::statistics::ManifoldQuality& cover) {
  return {{"precision", cover.precision},
          {"recall", cover.recall},
          {"density", cover.density},
          {"coverage", cover.coverage}};
}

int answer(int argc, char** argv) {
  Arguments arguments;
  fl::QualityOptions options;
  CLI::App app("Measures a generator against real labelled images with an independent judge; JSON on stdout.");
  app.add_option("--generator", arguments.generator, "generator file");
  app.add_option("--judge", arguments.judge, "classifier file of the judge");
  app.add_option("--data", arguments.data,
                 "folder of the four MNIST files, or of PNG pictures with labels in dataset.json or labels.csv, or in "
                 "a folder for each class; pictures are halved at random unless there is --test-data");
  app.add_option("--test-data", arguments.test_data, "folder of the PNG pictures to compare with");
  app.add_option("--labels", arguments.labels, "label file of --data: CSV, JSON or IDX");
  program::option(app, "--resolution", arguments.resolution, 0, 4'096,
                  "pad or crop PNG pictures to this size; 0: they have the right one");
  app.add_option("--mix", arguments.mix,
                 "none, independent, paper, blur or noise: what is done to real images; by default independent for IDX "
                 "files and none for pictures")
      ->check(CLI::IsMember({"none", "independent", "paper", "blur", "noise"}));
  program::option(app, "--samples", arguments.samples, 2, 1'000'000,
                  "generated images, and real ones of either set; by default 10 000, or as many as there are");
  program::option(app, "--seed", options.seed, program::least, program::most, "seed");
  app.add_flag("--random-noise", arguments.random_noise,
               "fresh noise inputs for every image instead of the stored ones");
  if (const auto code = program::parse(app, argc, argv)) return *code;
  if (arguments.random_noise) options.noise = fl::Noise::random;
  const auto generator = fl::Generator<fl::CpuBackend>::load(arguments.generator);
  const auto judge = fl::load_classifier(arguments.judge);
  const RealImages real = load(arguments, generator.num_classes(), options.seed);
  options.mix = !arguments.mix.empty() ? *fl::core::enumerator_from<fl::CorruptionMix>(arguments.mix)
                : real.pictures        ? fl::CorruptionMix::none
                                       : fl::CorruptionMix::independent;
  if (arguments.samples) options.samples = *arguments.samples;
  else if (options.mix == fl::CorruptionMix::none)
    options.samples = std::min({options.samples, real.others.count, real.test.count});
  options.progress = [](const fl::Progress& progress) {
    if (progress.done % 2500 == 0 || progress.done == progress.total)
      std::fprintf(stderr, "%lld/%lld\n", static_cast<long long>(progress.done),
                   static_cast<long long>(progress.total));
  };
  const fl::GeneratorQuality quality = fl::evaluate_generator(generator, judge, real.others, real.test, options);
  nlohmann::json classes = nlohmann::json::array();
  double worst_class = 0.0;
  for (std::size_t k = 0; k < quality.generated.count.size(); ++k) {
    classes.push_back({{"class", k}, {"generated", quality.generated.of(k)}, {"real", quality.real.of(k)}});
    if (!quality.class_cover_real.empty()) {
      classes.back()["cover_generated"] = as_json(quality.class_cover_generated[k]);
      classes.back()["cover_real"] = as_json(quality.class_cover_real[k]);
    }
    worst_class = std::max(worst_class, std::abs(quality.generated.of(k) - quality.real.of(k)));
  }
  const nlohmann::json result = {{"generator", generator.digest()},
                                 {"judge", judge.digest()},
                                 {"samples", quality.samples},
                                 {"accuracy_generated", quality.generated.overall()},
                                 {"accuracy_real", quality.real.overall()},
                                 {"frechet_generated", quality.distance_generated},
                                 {"frechet_real", quality.distance_real},
                                 {"frechet_ratio", quality.distance_generated / quality.distance_real},
                                 {"largest_class_gap", worst_class},
                                 {"cover_generated", as_json(quality.cover_generated)},
                                 {"cover_real", as_json(quality.cover_real)},
                                 {"classes", classes}};
  std::printf("%s\n", result.dump(2).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return program::run("evaluate_generator", [&] { return answer(argc, argv); });
}
