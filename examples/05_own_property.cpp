// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Directions are named by image properties, and the set is open: any measure of one image can join it, and then causes
// are found and named in your words.
#include "program.hpp"

#include <faultline/analysis/characterize.hpp>
#include <faultline/classify/make_classifier.hpp>
#include <faultline/sampling/analytic_generator.hpp>

#include <cmath>
#include <cstdio>

namespace fl = faultline;

static int show() {
  const fl::AnalyticGenerator generator({.factors = 6, .channels = 512, .classes = 4, .seed = 1});

  // Images of this generator are bar charts; row 6 holds the bar of factor 2, which grows to the right or to the left
  // of the middle.
  const fl::Property balance{"balance of the third bar", [](std::span<const float> image, const fl::ImageShape& shape) {
                               double sum = 0.0;
                               for (std::int64_t x = 0; x < shape.width; ++x)
                                 sum += (2 * x < shape.width ? -1.0 : 1.0) *
                                        static_cast<double>(image[static_cast<std::size_t>(6 * shape.width + x)]);
                               return sum;
                             }};

  auto mine = fl::make_classifier(
      [&](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 4);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto [label, factors] = generator.read(images, i);
          scores(i, factors[2] < -1.2f ? (label + 1) % 4 : label) = 3.0f * std::abs(factors[2] + 1.2f);
        }
      },
      {.classes = 4, .scores = fl::Scores::logits});

  fl::CharacterizeOptions options{.samples = 4'000, .seed = 7};
  options.method.properties.push_back(balance);  // beside the default ones
  const fl::FailureReport report = fl::characterize(generator, mine, options);

  for (const fl::Finding& finding : report.findings) {
    std::printf("%s\n", finding.headline.c_str());
    if (finding.side_effects.empty()) continue;
    const fl::analysis::PropertyEffect& most = finding.side_effects.front();
    std::printf("  moving it changes \"%s\" by %+.1f standard deviations\n", most.name.c_str(), most.strength);
  }
  return !report.findings.empty() && report.findings.front().title == balance.name &&
                 report.findings.front().condition.sign < 0
             ? 0
             : 1;
}

int main() { return program::run("own_property", show); }
