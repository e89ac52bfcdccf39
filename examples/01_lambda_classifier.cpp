// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The whole way with a lambda as the classifier, and a generator whose truth is known, so that the answer can be
// checked. No LibTorch.
#include "program.hpp"

#include <faultline/core.hpp>

#include <cmath>
#include <cstdio>

namespace fl = faultline;

static int show() {
  const fl::AnalyticGenerator generator({.factors = 6, .channels = 512, .classes = 4, .seed = 1});

  // Right, except where factor 0 lies more than 1.5 standard deviations above its mean; the less certain, the nearer to
  // that border.
  auto mine = fl::make_classifier(
      [&](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), generator.num_classes());
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto [label, factors] = generator.read(images, i);
          const std::int64_t answer = factors[0] > 1.5f ? (label + 1) % 4 : label;
          scores(i, answer) = 4.0f * std::abs(factors[0] - 1.5f);
        }
      },
      {.classes = 4, .scores = fl::Scores::logits, .name = "a rule"});

  const fl::FailureReport report = fl::characterize(
      generator, mine,
      {.samples = 4'000, .seed = 7, .method = {.properties = {}}});  // those of digits say nothing here
  std::printf("%s\n", report.reason.c_str());
  for (const fl::Finding& finding : report.findings) std::printf("%s\n", finding.headline.c_str());
  fl::DirectionRenderer(generator, mine).write_report(report, "report");
  std::printf("pictures and numbers: report/report.html\n");

  const bool found = report.findings.size() == 1 && report.findings.front().channel.flat == generator.factor_channel(0);
  std::printf("the planted cause is style channel %lld: %s\n", static_cast<long long>(generator.factor_channel(0)),
              found ? "found, and nothing else" : "missed");
  return found ? 0 : 1;
}

int main() { return program::run("lambda_classifier", show); }
