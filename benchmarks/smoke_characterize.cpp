// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Claim: a characterisation for a unit test (1 000 samples of the shipped generator, the three strongest directions, no
// pictures) is done 2 s after its process started. The program starts itself seven times and takes the median of the
// wall times, loading the models included. Usage: smoke_characterize [--quick | --once]. Prints one JSON
// object; with --once it is the one run.

#include <program.hpp>
#include <support/figures.hpp>
#include <support/measured_backends.hpp>
#include <support/rounds.hpp>

#include <faultline/analysis/characterize.hpp>
#include <faultline/data/assets.hpp>
#include <faultline/data/classifier_file.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace fl = faultline;

namespace {

/// 500 samples per split; few latents and permutations; distances of the causes alone.
fl::CharacterizeOptions smoke() {
  fl::CharacterizeOptions options{.samples = 500, .seed = 7};
  fl::MethodOptions& method = options.method;
  method.permutations = 999;
  method.half_samples = 0;
  method.intervention_images = 500;
  method.fraction_latents = 128;
  method.placebo_directions = 8;
  method.threshold_latents = 6;
  method.least_effective_failures = 10.0;
  method.property_distances = false;
  method.centre_distances = false;
  method.gradient_samples = 0;
  return options;
}

int once() {
  const auto generator = bench::FastGenerator::load(fl::find_asset("digits.safetensors"));
  auto classifier = fl::load_classifier(fl::find_asset("clean.safetensors"));
  const fl::FailureReport report = fl::characterize(generator, classifier, smoke());
  std::fprintf(stderr, "%s; %lld images\n", report.reason.c_str(),
               static_cast<long long>(report.cost.generator_images));
  return report.cost.generator_images >= 1'000 ? 0 : 1;
}

}  // namespace

static int benchmark(int argc, char** argv) try {
  if (argc > 1 && std::string_view(argv[1]) == "--once") return once();
  const std::string command = "'" + std::filesystem::read_symlink("/proc/self/exe").string() + "' --once";
  bool worked = true;
  const bench::Rounds rounds =
      bench::take_turns({[&] { return bench::seconds([&] { worked = worked && std::system(command.c_str()) == 0; }); }},
                        bench::quick(argc, argv) ? 3 : 7);
  bench::print("smoke_characterize", {{"smoke", worked ? rounds.middle(0) : std::nan(""), 2.0, true, "s"}});
  return worked ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}

int main(int argc, char** argv) {
  return program::run("smoke_characterize", [&] { return benchmark(argc, argv); });
}
