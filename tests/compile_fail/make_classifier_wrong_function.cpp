// expect: the function must take (faultline::ImageView, faultline::ScoreMatrix&) and fill the scores
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The mistake: a function of one pixel pointer is no score function.
#include <faultline/classify/make_classifier.hpp>

int main() {
#ifdef FAULTLINE_CONTROL
  auto function = [](faultline::ImageView images, faultline::ScoreMatrix& scores) { scores.resize(images.count(), 2); };
#else
  auto function = [](const float* pixels) { return pixels[0]; };
#endif
  auto classifier = faultline::make_classifier(function, {.classes = 2, .scores = faultline::Scores::logits});
  return static_cast<int>(classifier.num_classes()) - 2;
}
