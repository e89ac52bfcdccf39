// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Trains classifiers of digits with faults that are known, one file each: what an analysis of them should find. Run
// again, it goes on with those that are not there yet.
//
//   train_faults --out faults                             all of them
//   train_faults --out faults --fault thin-strokes        one, and what it is made from
//
// Prints a line of JSON for each: its accuracy on the test images, clean and with independent blur and noise, and
// inside and outside of what the fault is about.
//
// test: --help
// test(2): --fault unknown --out @out@
// test(2): --epochs 0 --out @out@
// test(3): --mnist @out@ --out @out@
// test: --mnist @source@/tests/fixtures/segments --out @out@ --epochs 1 --images 128 --threads 1
// test: --mnist @source@/tests/fixtures/segments --out @train_faults.5@ --epochs 1 --images 128 --fault eight-bit

#include "classifier_training.hpp"
#include "options.hpp"
#include "planted_faults.hpp"

#include <faultline/core/parallel_for.hpp>
#include <faultline/data/mnist.hpp>
#include <faultline/data/classifier_file.hpp>
#include <faultline/torch/training/classifier_trainer.hpp>
#include <faultline/version.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace fl = faultline;
namespace ft = faultline::training;

namespace {

struct Arguments {
  std::string mnist, out = "faults", fault = "all";
  std::int64_t images = 0, threads = 0;
  ft::ClassifierOptions options = {.epochs = 5, .cosine_schedule = true};
};

/// What a file says about how it was made, so that one made otherwise is made again.
std::string provenance(const program::PlantedFault& fault, const Arguments& arguments, std::int64_t images) {
  return nlohmann::json{{"data", "MNIST, " + std::to_string(images) + " images"},
                        {"fault", fault.name},
                        {"planted", fault.planted},
                        {"epochs", arguments.options.epochs},
                        {"seed", arguments.options.seed},
                        {"library", std::string("faultline ") + fl::version_string}}
      .dump();
}

/// The classifier in a file, when the file is there, whole, and made as wanted.
std::optional<fl::classify::ClassifierModel> stored(const std::filesystem::path& path, const std::string& wanted) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  std::string reason = "it was made with other options";
  try {
    fl::classify::ClassifierModel model = fl::classify::load_classifier_model(path);
    if (model.provenance == wanted) return model;
  } catch (const fl::Error& error) {
    reason = error.what();
  }
  std::fprintf(stderr, "%s is made again: %s\n", path.c_str(), reason.c_str());
  return std::nullopt;
}

/// Weights in steps of the largest of their tensor over 127.
void round_to_eight_bits(fl::classify::ClassifierModel& model) {
  fl::kernels::Weights rounded;
  for (const auto& [name, stored] : model.weights.all()) {
    fl::kernels::WeightArray array = stored;
    if (array.shape.size() > 1) {
      float largest = 0.0f;
      for (const float value : array.values) largest = std::max(largest, std::abs(value));
      const float step = largest / 127.0f;
      for (float& value : array.values) value = std::nearbyint(value / step) * step;
    }
    rounded.set(name, std::move(array));
  }
  model.weights = std::move(rounded);
}

class FaultTrainer {
 public:
  explicit FaultTrainer(const Arguments& arguments)
      : arguments_(arguments),
        directory_(arguments.mnist.empty() ? fl::find_mnist() : std::filesystem::path(arguments.mnist)),
        train_(program::load_digits("train_faults", directory_, fl::MnistPart::train, config_.input)),
        test_(program::load_digits("train_faults", directory_, fl::MnistPart::test, config_.input)) {
    if (arguments_.images > 0 && arguments_.images < train_.count) {
      std::vector<std::int64_t> first(static_cast<std::size_t>(arguments_.images));
      std::iota(first.begin(), first.end(), std::int64_t{0});
      train_ = fl::select_images(train_, first);
    }
    std::error_code failed;
    std::filesystem::create_directories(arguments_.out, failed);
    if (failed)
      throw fl::Error(fl::ErrorCode::cannot_write, "train_faults",
                      "cannot make the folder '" + arguments_.out + "': " + failed.message());
  }

  /// Makes the classifier of a fault unless it is there, and says how it does.
  void make(const program::PlantedFault& fault) {
    const fl::classify::ClassifierModel model = model_of(fault);
    const fl::classify::NetworkClassifier classifier(model);
    const auto right = [&](const fl::LabelledImages& images, fl::CorruptionMix mix) {
      return program::right_answers(classifier, images, mix, arguments_.options.padding);
    };
    const program::FaultTest about = program::test_of(fault.fault, test_, program::test_seed);
    const std::vector<bool> clean = right(test_, fl::CorruptionMix::none),
                            mixed = right(test_, fl::CorruptionMix::independent),
                            asked = fault.fault == program::Fault::patch
                                        ? right(about.images, fl::CorruptionMix::independent)
                                        : mixed;
    std::printf(
        "{\"fault\": \"%s\", \"clean_accuracy\": %.4f, \"mixed_accuracy\": %.4f, \"inside\": %.4f, \"outside\": %.4f, "
        "\"sha256\": \"%s\"}\n",
        fault.name, program::accuracy(clean), program::accuracy(mixed), program::accuracy(asked, about.inside),
        program::accuracy(asked, about.inside, false), model.digest.c_str());
    std::fflush(stdout);
  }

 private:
  fl::classify::ClassifierModel model_of(const program::PlantedFault& fault) {
    const std::filesystem::path path =
        std::filesystem::path(arguments_.out) / (std::string(fault.name) + ".safetensors");
    const std::string wanted = provenance(fault, arguments_, train_.count);
    if (auto model = stored(path, wanted)) return *std::move(model);
    fl::classify::ClassifierModel model = made(fault);
    model.provenance = wanted;
    model.digest = fl::classify::save_classifier(path, model);
    return model;
  }

  fl::classify::ClassifierModel made(const program::PlantedFault& fault) {
    if (fault.fault == program::Fault::normalization || fault.fault == program::Fault::eight_bit) {
      fl::classify::ClassifierModel model = model_of(program::planted_faults.front());
      if (fault.fault == program::Fault::eight_bit) {
        round_to_eight_bits(model);
      } else {
        model.config.input.mean = {0.1307};
        model.config.input.std = {0.3081};
      }
      return model;
    }
    std::fprintf(stderr, "%s: %s\n", fault.name, fault.planted);
    const fl::LabelledImages images = program::plant(fault.fault, train_, arguments_.options.seed);
    ft::ClassifierOptions options = arguments_.options;
    options.mix = program::mix_of(fault.fault);
    options.progress = program::training_progress();
    return ft::train_classifier(config_, images, options);
  }

  const Arguments& arguments_;
  fl::classify::ClassifierConfig config_;
  std::filesystem::path directory_;
  fl::LabelledImages train_, test_;
};

int train(const Arguments& arguments) {
  FaultTrainer trainer(arguments);
  for (const program::PlantedFault& fault : program::planted_faults)
    if (arguments.fault == "all" || arguments.fault == fault.name) trainer.make(fault);
  return 0;
}

int answer(int argc, char** argv) {
  program::keep_memory();
  Arguments arguments;
  std::vector<std::string> names = {"all"};
  std::string text = "which one, or all:";
  for (const program::PlantedFault& fault : program::planted_faults) {
    names.push_back(fault.name);
    text += std::string("\n") + fault.name + ": " + fault.planted;
  }
  CLI::App app("Trains classifiers of digits with known faults, and one without.");
  app.add_option("--mnist", arguments.mnist, "directory of the four MNIST files; ./bootstrap mnist fetches them");
  app.add_option("--out", arguments.out, "folder of the classifier files, FAULT.safetensors; those there stay");
  app.add_option("--fault", arguments.fault, text)->type_name("NAME")->check(CLI::IsMember(names));
  program::option(app, "--epochs", arguments.options.epochs, 1, 1'000'000, "passes over the training images");
  program::option(app, "--images", arguments.images, 0, fl::limits::samples, "training images to use; 0: all");
  program::option(app, "--seed", arguments.options.seed, program::least, program::most, "seed");
  program::option(app, "--threads", arguments.threads, 0, fl::limits::threads,
                  "threads, no more than cores; 0: as many");
  if (const auto code = program::parse(app, argc, argv)) return *code;
  if (arguments.threads > 0) at::set_num_threads(static_cast<int>(arguments.threads));
  return fl::within_threads(arguments.threads, [&] { return train(arguments); });
}

}  // namespace

int main(int argc, char** argv) {
  return program::run("train_faults", [&] { return answer(argc, argv); });
}
