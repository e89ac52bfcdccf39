// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Trains one of the built-in classifiers on MNIST, clean or with blur and noise, and prints its accuracy on both test sets.
//
//   train_classifier --mix none        --out clean.safetensors
//   train_classifier --mix independent --out robust.safetensors
//   train_classifier --mix independent --architecture judge-cnn --epochs 15 --cosine --out judge.safetensors
//
// test: --help
// test(2): --architecture unknown

#include <faultline/data/mnist.hpp>
#include <faultline/training/classifier_trainer.hpp>
#include <faultline/version.hpp>

#include <CLI/CLI.hpp>

#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace fl = faultline;
namespace ft = faultline::training;

namespace {

struct Arguments {
  std::string architecture = "paper-cnn";
  std::string mix = "none";
  std::string out = "classifier.safetensors";
  std::string data;
  std::int64_t threads = 0;
  ft::ClassifierOptions options;
};

fl::CorruptionMix mix_by_name(const std::string& name) {
  if (name == "none") return fl::CorruptionMix::none;
  if (name == "independent") return fl::CorruptionMix::independent;
  return fl::CorruptionMix::paper;
}

ft::ClassAccuracy test_accuracy(const ft::NetworkClassifier& classifier, const fl::LabelledImages& test, fl::CorruptionMix mix) {
  ft::TrainingImages data(test, {.mix = mix, .seed = 1'000'003});
  ft::ClassAccuracy accuracy;
  for (std::int64_t first = 0; first < test.count; first += 1000) {
    const ft::RealBatch batch = data.batch(first, std::min<std::int64_t>(1000, test.count - first), {0.0, 1.0});
    const at::Tensor images = ft::centre_crop(batch.images, 28, 28).contiguous();
    ft::count_correct(classifier, {images.data_ptr<float>(), images.size(0), {1, 28, 28}}, {batch.labels.data_ptr<std::int64_t>(), static_cast<std::size_t>(images.size(0))}, accuracy);
  }
  return accuracy;
}

int train(Arguments arguments) {
  using Clock = std::chrono::steady_clock;
  const auto directory = arguments.data.empty() ? fl::find_mnist() : std::filesystem::path(arguments.data);
  const fl::LabelledImages images = fl::load_mnist(directory, fl::MnistPart::train);
  const fl::LabelledImages test = fl::load_mnist(directory, fl::MnistPart::test);
  arguments.options.mix = mix_by_name(arguments.mix);
  const auto start = Clock::now();
  auto last = start;
  arguments.options.progress = [&](std::int64_t done, std::int64_t total, double loss) {
    if (std::chrono::duration<double>(Clock::now() - last).count() < 5.0 && done < total) return;
    last = Clock::now();
    const double rate = static_cast<double>(done) / std::chrono::duration<double>(last - start).count();
    std::fprintf(stderr, "%lld/%lld images  %.0f images/s  ETA %.0f s  loss %.4f\n", static_cast<long long>(done), static_cast<long long>(total), rate, static_cast<double>(total - done) / rate, loss);
  };
  ft::ClassifierModel model = ft::train_classifier({.architecture = arguments.architecture}, images, arguments.options);
  model.provenance = nlohmann::json{{"data", "MNIST, mix " + arguments.mix},
                                    {"epochs", arguments.options.epochs},
                                    {"seed", arguments.options.seed},
                                    {"library", std::string("faultline ") + fl::version_string}}
                         .dump();
  const std::string digest = ft::save_classifier(arguments.out, model);
  const ft::NetworkClassifier classifier(model);
  const double clean = test_accuracy(classifier, test, fl::CorruptionMix::none).overall();
  const double mixed = test_accuracy(classifier, test, fl::CorruptionMix::independent).overall();
  std::printf("{\"classifier\": \"%s\", \"clean_accuracy\": %.4f, \"mixed_accuracy\": %.4f, \"sha256\": \"%s\"}\n", arguments.out.c_str(), clean, mixed, digest.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);  // keep large blocks between steps
  mallopt(M_TRIM_THRESHOLD, 2147483647);
  Arguments arguments;
  CLI::App app("Trains a built-in classifier on MNIST.");
  app.add_option("--architecture", arguments.architecture, "paper-cnn or judge-cnn")->check(CLI::IsMember({"paper-cnn", "judge-cnn"}));
  app.add_option("--mix", arguments.mix, "none, independent or paper")->check(CLI::IsMember({"none", "independent", "paper"}));
  app.add_option("--out", arguments.out, "the classifier file");
  app.add_option("--data", arguments.data, "directory of the four MNIST files");
  app.add_option("--epochs", arguments.options.epochs, "passes over the training images");
  app.add_option("--batch", arguments.options.batch, "images per step");
  app.add_option("--learning-rate", arguments.options.learning_rate, "of Adam");
  app.add_flag("--cosine", arguments.options.cosine_schedule, "lower the rate to zero along half a cosine");
  app.add_option("--seed", arguments.options.seed, "seed");
  app.add_option("--threads", arguments.threads, "threads; 0: as many as cores");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    if (arguments.threads > 0) at::set_num_threads(static_cast<int>(arguments.threads));
    return train(arguments);
  } catch (const fl::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.family() == 3 || error.family() == 4 ? 3 : 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "unexpected: %s\n", error.what());
    return 5;
  }
}
