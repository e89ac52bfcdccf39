// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the programs that train classifiers share: digits of the right size, progress, accuracy on a corrupted test set.

#include "program.hpp"

#include <faultline/classify/prepare_images.hpp>
#include <faultline/data/corrupted_images.hpp>
#include <faultline/data/mnist.hpp>
#include <faultline/training/classifier_trainer.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <malloc.h>

namespace program {

/// Keeps large blocks of memory between the steps of a training run.
inline void keep_memory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 2147483647);
}

/// Progress of a training run on stderr, every five seconds.
inline std::function<void(std::int64_t done, std::int64_t total, double loss)> training_progress() {
  using Clock = std::chrono::steady_clock;
  return [start = Clock::now(), last = Clock::now()](std::int64_t done, std::int64_t total, double loss) mutable {
    if (std::chrono::duration<double>(Clock::now() - last).count() < 5.0 && done < total) return;
    last = Clock::now();
    const double rate = static_cast<double>(done) / std::chrono::duration<double>(last - start).count();
    std::fprintf(stderr, "%lld/%lld images  %.0f images/s  ETA %.0f s  loss %.4f\n", static_cast<long long>(done),
                 static_cast<long long>(total), rate, static_cast<double>(total - done) / rate, loss);
  };
}

/// One part of MNIST or a relative, of the size that the classifiers of these programs take.
inline fl::LabelledImages load_digits(const char* name, const std::filesystem::path& directory, fl::MnistPart part,
                                      const fl::InputSpec& input) {
  fl::LabelledImages images = fl::load_mnist(directory, part);
  if (images.height != input.height || images.width != input.width)
    throw fl::Error(fl::ErrorCode::inconsistent_files, name,
                    "expected IDX images of " + std::to_string(input.height) + "x" + std::to_string(input.width) +
                        " pixels in '" + directory.string() + "', got " + std::to_string(images.height) + "x" +
                        std::to_string(images.width) + "; give them as PNG pictures with labels.csv");
  return images;
}

/// A classifier's answers to a test set, corrupted as told by `mix` with a seed of its own.
inline fl::training::ClassAccuracy test_accuracy(const fl::training::NetworkClassifier& classifier,
                                                 const fl::LabelledImages& test, fl::CorruptionMix mix,
                                                 std::int64_t padding) {
  const fl::CorruptionOptions corruption{.mix = mix, .seed = 1'000'003, .padding = padding};
  const fl::ImagePreparation prepare(fl::data::canvas_shape(test, corruption), {0.0, 1.0}, classifier.input_spec());
  fl::training::ClassAccuracy accuracy;
  for (std::int64_t first = 0; first < test.count; first += 1000) {
    const std::int64_t count = std::min<std::int64_t>(1000, test.count - first);
    const std::vector<std::int64_t> labels(test.labels.begin() + first, test.labels.begin() + first + count);
    fl::training::count_correct(classifier, prepare(fl::corrupted_images(test, first, count, corruption)), labels,
                                accuracy);
  }
  return accuracy;
}

}  // namespace program
