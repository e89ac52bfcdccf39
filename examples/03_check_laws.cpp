// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Before trusting a classifier's scores: does it keep the laws? This one normalises over the batch, as a network left
// in training mode does.
#include "program.hpp"

#include <faultline/classify/check_classifier.hpp>
#include <faultline/classify/make_classifier.hpp>
#include <faultline/classify/prepare_images.hpp>
#include <faultline/sampling/analytic_generator.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <cstdio>
#include <numeric>
#include <vector>

namespace fl = faultline;

namespace {

double brightness(std::span<const float> image) {
  return std::accumulate(image.begin(), image.end(), 0.0) / static_cast<double>(image.size());
}

fl::LawReport examine(const fl::AnalyticGenerator& generator, bool over_the_batch) {
  auto classifier = fl::make_classifier(
      [over_the_batch](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 4);
        double centre = 0.2;
        if (over_the_batch) {
          centre = 0.0;
          for (std::int64_t i = 0; i < images.count(); ++i)
            centre += brightness(images.image(i)) / static_cast<double>(images.count());
        }
        for (std::int64_t i = 0; i < images.count(); ++i)
          scores(i, 0) = static_cast<float>(20.0 * (brightness(images.image(i)) - centre));
      },
      {.classes = 4, .scores = fl::Scores::logits});
  const auto batch = fl::StyleSpaceSampler(generator, {.seed = 7}).sample(/*first*/ 0, /*count*/ 16);
  return fl::check_classifier(classifier,
                              fl::prepare_images(batch.images, generator.value_range(), classifier.input_spec()));
}

int show() {
  const fl::AnalyticGenerator generator({.factors = 6, .classes = 4});
  const fl::LawReport broken = examine(generator, true);
  const fl::LawReport kept = examine(generator, false);
  std::printf("statistics of the batch:  %s\n", broken.lawful() ? "lawful" : broken.explanation.c_str());
  std::printf("fixed statistics:         %s\n", kept.lawful() ? "lawful" : kept.explanation.c_str());
  return !broken.row_independent && kept.lawful() ? 0 : 1;
}

}  // namespace

int main() { return program::run("check_laws", show); }
