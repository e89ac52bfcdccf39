// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the programs that train classifiers share: digits of the right size, progress, accuracy on a corrupted test set.

#include "program.hpp"

#include <faultline/classify/network_classifier.hpp>
#include <faultline/classify/prepare_images.hpp>
#include <faultline/data/corrupted_images.hpp>
#include <faultline/data/mnist.hpp>

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

/// Seed of the corruptions that test sets are seen through, which no training uses.
inline constexpr std::int64_t test_seed = 1'000'003;

/// For each image of a test set, corrupted as told by `mix`, whether the largest score is the label's.
inline std::vector<bool> right_answers(const fl::classify::NetworkClassifier& classifier,
                                       const fl::LabelledImages& test, fl::CorruptionMix mix, std::int64_t padding) {
  const fl::CorruptionOptions corruption{.mix = mix, .seed = test_seed, .padding = padding};
  const fl::ImagePreparation prepare(fl::data::canvas_shape(test, corruption), {0.0, 1.0}, classifier.input_spec());
  std::vector<bool> right;
  for (std::int64_t first = 0; first < test.count; first += 1000) {
    const std::int64_t count = std::min<std::int64_t>(1000, test.count - first);
    fl::ScoreMatrix scores;
    classifier.score(prepare(fl::corrupted_images(test, first, count, corruption)), scores);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto row = scores.row_span(i);
      right.push_back(std::max_element(row.begin(), row.end()) - row.begin() == test.label(first + i));
    }
  }
  return right;
}

/// The share of right answers among the images of which `wanted` says `value`; among all where it is empty.
inline double accuracy(const std::vector<bool>& right, const std::vector<bool>& wanted = {}, bool value = true) {
  double correct = 0.0, count = 0.0;
  for (std::size_t i = 0; i < right.size(); ++i) {
    if (!wanted.empty() && wanted[i] != value) continue;
    correct += right[i] ? 1.0 : 0.0;
    count += 1.0;
  }
  return count > 0.0 ? correct / count : 0.0;
}

}  // namespace program
