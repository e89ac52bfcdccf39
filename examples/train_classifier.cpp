// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Trains one of the built-in classifiers on MNIST or on folders of PNG pictures, clean or with blur and noise, and
// prints its accuracy on both test sets.
//
//   train_classifier --mix none        --out clean.safetensors
//   train_classifier --mix independent --out robust.safetensors
//   train_classifier --mix independent --architecture judge-cnn --epochs 15 --cosine --out judge.safetensors
//   train_classifier --data pets/train --test-data pets/test --out pets.safetensors
//
// test: --help
// test(2): --architecture unknown
// test(3): --data @out@
// test(2): --epochs 0
// test(2): --learning-rate inf
// test(2): --batch 4294967360

#include "classifier_training.hpp"
#include "options.hpp"

#include <faultline/core/enum_text.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/data/image_folder.hpp>
#include <faultline/data/mnist.hpp>
#include <faultline/data/classifier_file.hpp>
#include <faultline/torch/training/classifier_trainer.hpp>
#include <faultline/version.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>
#include <string>

namespace fl = faultline;
namespace ft = faultline::training;

namespace {

struct Arguments {
  std::string architecture = "paper-cnn";
  std::string mix = "none";
  std::string out = "classifier.safetensors";
  std::string data;
  std::string test_data;
  std::int64_t resolution = 0;
  std::int64_t threads = 0;
  ft::ClassifierOptions options;
};

fl::CorruptionMix mix_by_name(const std::string& name) { return *fl::core::enumerator_from<fl::CorruptionMix>(name); }

std::string data_name(const std::string& folder, bool pictures) {
  if (folder.empty()) return "MNIST";
  const auto path = std::filesystem::weakly_canonical(folder);
  return (pictures ? "pictures in " : "IDX files in ") + path.filename().string();
}

int train(Arguments arguments) {
  fl::LabelledImages images, test;
  fl::classify::ClassifierConfig config{.architecture = arguments.architecture};
  const bool pictures = !arguments.data.empty() && fl::image_set_kind(arguments.data) == fl::ImageSetKind::png_pictures;
  if (pictures) {
    if (arguments.test_data.empty())
      throw fl::Error(fl::ErrorCode::invalid_argument, "train_classifier",
                      "a folder of pictures needs --test-data, another one to measure accuracy on");
    images = fl::load_image_folder(arguments.data, {.resolution = arguments.resolution});
    test = fl::load_image_folder(arguments.test_data, {.resolution = arguments.resolution, .classes = images.classes});
    if (test.classes != images.classes || test.shape() != images.shape())
      throw fl::Error(fl::ErrorCode::inconsistent_files, "train_classifier",
                      "the pictures in '" + arguments.test_data +
                          "' have another size or other channels than those in '" + arguments.data +
                          "', or only one of the folders has labels; --resolution makes their sizes one");
    if (images.classes == 0)
      throw fl::Error(fl::ErrorCode::inconsistent_files, "train_classifier",
                      "the pictures in '" + arguments.data +
                          "' have no labels; write them to 'labels.csv' or 'dataset.json' in that folder");
    config.classes = images.classes;
    config.input = {.channels = images.channels, .height = images.height, .width = images.width};
    arguments.options.padding = 0;
  } else {
    if (!arguments.test_data.empty() || arguments.resolution != 0)
      throw fl::Error(
          fl::ErrorCode::invalid_argument, "train_classifier",
          "--test-data and --resolution are for PNG pictures; IDX files bring their own test part and size");
    const auto directory = arguments.data.empty() ? fl::find_mnist() : std::filesystem::path(arguments.data);
    images = program::load_digits("train_classifier", directory, fl::MnistPart::train, config.input);
    test = program::load_digits("train_classifier", directory, fl::MnistPart::test, config.input);
  }
  arguments.options.mix = mix_by_name(arguments.mix);
  arguments.options.progress = program::training_progress();
  fl::classify::ClassifierModel model = ft::train_classifier(config, images, arguments.options);
  model.provenance = nlohmann::json{{"data", data_name(arguments.data, pictures) + ", mix " + arguments.mix},
                                    {"epochs", arguments.options.epochs},
                                    {"seed", arguments.options.seed},
                                    {"library", std::string("faultline ") + fl::version_string}}
                         .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const std::string digest = fl::classify::save_classifier(arguments.out, model);
  const fl::classify::NetworkClassifier classifier(model);
  const auto accuracy = [&](fl::CorruptionMix mix) {
    return program::accuracy(program::right_answers(classifier, test, mix, arguments.options.padding));
  };
  const double clean = accuracy(fl::CorruptionMix::none), mixed = accuracy(fl::CorruptionMix::independent);
  std::printf("{\"classifier\": \"%s\", \"clean_accuracy\": %.4f, \"mixed_accuracy\": %.4f, \"sha256\": \"%s\"}\n",
              arguments.out.c_str(), clean, mixed, digest.c_str());
  return 0;
}

int answer(int argc, char** argv) {
  program::keep_memory();
  Arguments arguments;
  CLI::App app("Trains a built-in classifier on MNIST or on a folder of PNG pictures.");
  app.add_option("--architecture", arguments.architecture, "paper-cnn or judge-cnn")
      ->check(CLI::IsMember({"paper-cnn", "judge-cnn"}));
  app.add_option("--mix", arguments.mix, "none, independent, paper, blur or noise")
      ->check(CLI::IsMember({"none", "independent", "paper", "blur", "noise"}));
  app.add_option("--out", arguments.out, "the classifier file");
  app.add_option("--data", arguments.data,
                 "directory of the four MNIST files, or of PNG pictures with dataset.json or labels.csv");
  app.add_option("--test-data", arguments.test_data, "directory of the PNG pictures to measure accuracy on");
  program::option(app, "--resolution", arguments.resolution, 0, 8'192,
                  "pad or crop PNG pictures to this size; 0: they have the right one");
  program::option(app, "--epochs", arguments.options.epochs, 1, 1'000'000, "passes over the training images");
  program::option(app, "--batch", arguments.options.batch, 2, fl::limits::batch, "images per step");
  program::option(app, "--learning-rate", arguments.options.learning_rate, 1e-9, 1e3, "of Adam");
  app.add_flag("--cosine", arguments.options.cosine_schedule, "lower the rate to zero along half a cosine");
  program::option(app, "--seed", arguments.options.seed, program::least, program::most, "seed");
  program::option(app, "--threads", arguments.threads, 0, fl::limits::threads,
                  "threads, no more than cores; 0: as many");
  if (const auto code = program::parse(app, argc, argv)) return *code;
  if (arguments.threads > 0) at::set_num_threads(static_cast<int>(arguments.threads));
  return fl::within_threads(arguments.threads, [&] { return train(arguments); });
}

}  // namespace

int main(int argc, char** argv) {
  return program::run("train_classifier", [&] { return answer(argc, argv); });
}
