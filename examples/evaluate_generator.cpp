// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Measures a generator: does an independent judge read the label that was asked for, how far are the images from real
// ones, and do the two cover each other?
//
//   evaluate_generator --generator digits.safetensors --judge judge.safetensors
//
// test: --help
// test(2): --samples many
// test(2): --samples 1
// test(2): --samples 1099511627776

#include "options.hpp"

#include <faultline/data/mnist.hpp>
#include <faultline/stylegan2/cpu_backend.hpp>
#include <faultline/training/generator_quality.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>

namespace fl = faultline;
namespace ft = faultline::training;

namespace {

nlohmann::json as_json(const fl::statistics::ManifoldQuality& cover) {
  return {{"precision", cover.precision},
          {"recall", cover.recall},
          {"density", cover.density},
          {"coverage", cover.coverage}};
}

int answer(int argc, char** argv) {
  std::string generator_path = "digits.safetensors", judge_path = "judge.safetensors", data;
  ft::QualityOptions options;
  CLI::App app("Measures a generator against the real test images with an independent judge; JSON on stdout.");
  app.add_option("--generator", generator_path, "generator file");
  app.add_option("--judge", judge_path, "classifier file of the judge");
  app.add_option("--data", data, "directory of the four MNIST files");
  program::option(app, "--samples", options.samples, 2, 1'000'000, "generated images, and real ones of either set");
  program::option(app, "--seed", options.seed, program::least, program::most, "seed");
  bool random_noise = false;
  app.add_flag("--random-noise", random_noise, "fresh noise inputs for every image instead of the stored ones");
  if (const auto code = program::parse(app, argc, argv)) return *code;
  const c10::AutoGradMode off(false);
  if (random_noise) options.noise = fl::Noise::random;
  const auto generator = fl::Generator<fl::CpuBackend>::load(generator_path);
  const auto judge = fl::load_classifier(judge_path);
  const auto directory = data.empty() ? fl::find_mnist() : std::filesystem::path(data);
  const fl::LabelledImages train = fl::load_mnist(directory, fl::MnistPart::train),
                           test = fl::load_mnist(directory, fl::MnistPart::test);
  options.progress = [](const fl::Progress& progress) {
    if (progress.done % 2500 == 0 || progress.done == progress.total)
      std::fprintf(stderr, "%lld/%lld\n", static_cast<long long>(progress.done),
                   static_cast<long long>(progress.total));
  };
  const ft::GeneratorQuality quality = ft::evaluate_generator(generator, judge, train, test, options);
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
