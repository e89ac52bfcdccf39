// expect: faultline::make_classifier: the gradient must take (faultline::ImageView, std::span<const std::int64_t>, faultline::ImageBatch&)
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/classify/make_classifier.hpp>

#ifdef FAULTLINE_CONTROL
using Labels = std::span<const std::int64_t>;
#else
using Labels = const float*;
#endif

auto classifier = faultline::make_classifier([](faultline::ImageView, faultline::ScoreMatrix&) {},
                                             [](faultline::ImageView, Labels, faultline::ImageBatch&) {},
                                             {.classes = 3, .scores = faultline::Scores::logits});
