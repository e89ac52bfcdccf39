// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is a failure? Misclassified by default; here: wrong and sure of it. Also the analyzer by itself, on samples of
// one class.
#include "program.hpp"

#include <faultline/analysis/failure_analyzer.hpp>
#include <faultline/classify/make_classifier.hpp>
#include <faultline/render/json_report.hpp>
#include <faultline/sampling/analytic_generator.hpp>

#include <algorithm>
#include <cstdio>

namespace fl = faultline;

static int show() {
  const fl::AnalyticGenerator generator({.factors = 6, .channels = 512, .classes = 4, .seed = 1});

  // Wrong beyond 1 standard deviation of factor 1; how sure it is depends on factor 4.
  auto mine = fl::make_classifier(
      [&](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 4);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto [label, factors] = generator.read(images, i);
          scores(i, factors[1] > 1.0f ? (label + 1) % 4 : label) = 4.0f + 2.0f * factors[4];
        }
      },
      {.classes = 4, .scores = fl::Scores::logits});

  // Any pure function of the class probabilities and the label.
  const auto confidently_wrong = [](std::span<const float> probabilities, std::int64_t label) {
    const auto top = std::max_element(probabilities.begin(), probabilities.end());
    return top - probabilities.begin() != label && *top > 0.95f;
  };

  const fl::StyleSpaceSampler sampler(generator, {.seed = 7, .labels = fl::LabelPolicy::fixed(2)});
  fl::FailureAnalyzer analyzer(sampler, mine, confidently_wrong, {.samples = 4'000, .method = {.properties = {}}});
  const fl::FailureReport report = analyzer.run();

  const fl::Rate& rate = report.failure_rate;
  std::printf("%lld of %lld samples of class 2 fail: %.1f %%, between %.1f %% and %.1f %% at %.0f %% confidence\n",
              static_cast<long long>(rate.failures), static_cast<long long>(rate.n), 100 * rate.estimate,
              100 * rate.lower, 100 * rate.upper, 100 * rate.confidence);
  bool both[2] = {false, false};
  for (const fl::Finding& finding : report.findings) {
    std::printf("%s\n", finding.headline.c_str());
    for (const fl::analysis::Carrier& carrier : finding.carriers)
      for (const int cause : {0, 1})
        both[cause] = both[cause] || carrier.channel.flat == generator.factor_channel(cause == 0 ? 1 : 4);
  }
  fl::write_json(report, "report.json");  // for other programs; docs/reference/report.schema.json describes it
  return both[0] && both[1] ? 0 : 1;
}

int main() { return program::run("own_criterion", show); }
