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

#include "options.hpp"

#include <faultline/core/parallel_for.hpp>
#include <faultline/data/image_folder.hpp>
#include <faultline/data/mnist.hpp>
#include <faultline/training/classifier_trainer.hpp>
#include <faultline/version.hpp>

#include <CLI/CLI.hpp>

#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
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

fl::CorruptionMix mix_by_name(const std::string& name) {
  if (name == "none") return fl::CorruptionMix::none;
  if (name == "independent") return fl::CorruptionMix::independent;
  return fl::CorruptionMix::paper;
}

ft::ClassAccuracy test_accuracy(const ft::NetworkClassifier& classifier, const fl::LabelledImages& test,
                                fl::CorruptionMix mix, std::int64_t padding) {
  const fl::InputSpec input = classifier.input_spec();
  ft::TrainingImages data(test, {.mix = mix, .seed = 1'000'003, .padding = padding});
  ft::ClassAccuracy accuracy;
  for (std::int64_t first = 0; first < test.count; first += 1000) {
    const ft::RealBatch batch = data.batch(first, std::min<std::int64_t>(1000, test.count - first), {0.0, 1.0});
    const at::Tensor images = ft::centre_crop(batch.images, input.height, input.width).contiguous();
    ft::count_correct(classifier,
                      {images.data_ptr<float>(), images.size(0), {input.channels, input.height, input.width}},
                      {batch.labels.data_ptr<std::int64_t>(), static_cast<std::size_t>(images.size(0))}, accuracy);
  }
  return accuracy;
}

std::string data_name(const std::string& folder, bool pictures) {
  if (folder.empty()) return "MNIST";
  const auto path = std::filesystem::weakly_canonical(folder);
  return (pictures ? "pictures in " : "IDX files in ") + path.filename().string();
}

int train(Arguments arguments) {
  using Clock = std::chrono::steady_clock;
  fl::LabelledImages images, test;
  ft::ClassifierConfig config{.architecture = arguments.architecture};
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
    images = fl::load_mnist(directory, fl::MnistPart::train);
    test = fl::load_mnist(directory, fl::MnistPart::test);
    for (const fl::LabelledImages& part : {std::cref(images), std::cref(test)}) {
      if (part.height != config.input.height || part.width != config.input.width)
        throw fl::Error(fl::ErrorCode::inconsistent_files, "train_classifier",
                        "expected IDX images of 28x28 pixels in '" + directory.string() + "', got " +
                            std::to_string(part.height) + "x" + std::to_string(part.width) +
                            "; give them as PNG pictures with labels.csv");
    }
  }
  arguments.options.mix = mix_by_name(arguments.mix);
  const auto start = Clock::now();
  auto last = start;
  arguments.options.progress = [&](std::int64_t done, std::int64_t total, double loss) {
    if (std::chrono::duration<double>(Clock::now() - last).count() < 5.0 && done < total) return;
    last = Clock::now();
    const double rate = static_cast<double>(done) / std::chrono::duration<double>(last - start).count();
    std::fprintf(stderr, "%lld/%lld images  %.0f images/s  ETA %.0f s  loss %.4f\n", static_cast<long long>(done),
                 static_cast<long long>(total), rate, static_cast<double>(total - done) / rate, loss);
  };
  ft::ClassifierModel model = ft::train_classifier(config, images, arguments.options);
  model.provenance = nlohmann::json{{"data", data_name(arguments.data, pictures) + ", mix " + arguments.mix},
                                    {"epochs", arguments.options.epochs},
                                    {"seed", arguments.options.seed},
                                    {"library", std::string("faultline ") + fl::version_string}}
                         .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const std::string digest = ft::save_classifier(arguments.out, model);
  const ft::NetworkClassifier classifier(model);
  const double clean = test_accuracy(classifier, test, fl::CorruptionMix::none, arguments.options.padding).overall();
  const double mixed =
      test_accuracy(classifier, test, fl::CorruptionMix::independent, arguments.options.padding).overall();
  std::printf("{\"classifier\": \"%s\", \"clean_accuracy\": %.4f, \"mixed_accuracy\": %.4f, \"sha256\": \"%s\"}\n",
              arguments.out.c_str(), clean, mixed, digest.c_str());
  return 0;
}

int answer(int argc, char** argv) {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);  // keep large blocks between steps
  mallopt(M_TRIM_THRESHOLD, 2147483647);
  Arguments arguments;
  CLI::App app("Trains a built-in classifier on MNIST or on a folder of PNG pictures.");
  app.add_option("--architecture", arguments.architecture, "paper-cnn or judge-cnn")
      ->check(CLI::IsMember({"paper-cnn", "judge-cnn"}));
  app.add_option("--mix", arguments.mix, "none, independent or paper")
      ->check(CLI::IsMember({"none", "independent", "paper"}));
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
