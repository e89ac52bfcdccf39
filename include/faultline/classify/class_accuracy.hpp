// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How often a classifier is right, per class and in all.

#include <faultline/concepts/classifier.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace classify {

/// Correct predictions per class and in all.
struct ClassAccuracy {
  std::vector<std::int64_t> correct;
  std::vector<std::int64_t> count;
  [[nodiscard]] double of(std::size_t label) const {
    return count[label] == 0 ? 0.0 : static_cast<double>(correct[label]) / static_cast<double>(count[label]);
  }
  [[nodiscard]] double overall() const {
    std::int64_t right = 0;
    std::int64_t all = 0;
    for (std::size_t k = 0; k < count.size(); ++k) {
      right += correct[k];
      all += count[k];
    }
    return all == 0 ? 0.0 : static_cast<double>(right) / static_cast<double>(all);
  }
};

/// Counts how often the largest score is the label's. Shapes: images as the classifier wants them, one label each.
template <Classifier C>
void count_correct(C& classifier, ImageView images, std::span<const std::int64_t> labels, ClassAccuracy& accuracy) {
  ScoreMatrix scores;
  classifier.score(images, scores);
  accuracy.correct.resize(static_cast<std::size_t>(classifier.num_classes()));
  accuracy.count.resize(static_cast<std::size_t>(classifier.num_classes()));
  for (std::int64_t i = 0; i < images.count(); ++i) {
    const auto row = scores.row_span(i);
    const auto label = static_cast<std::size_t>(labels[static_cast<std::size_t>(i)]);
    ++accuracy.count[label];
    if (std::max_element(row.begin(), row.end()) - row.begin() == static_cast<std::ptrdiff_t>(label))
      ++accuracy.correct[label];
  }
}

}  // namespace classify
}  // namespace v1
}  // namespace faultline
