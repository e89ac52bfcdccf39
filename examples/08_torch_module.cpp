// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A LibTorch model as the classifier: it takes tensors, and its gradient comes with it. The generator here needs no
// LibTorch.
#include "program.hpp"

#include <faultline/analysis/characterize.hpp>
#include <faultline/torch/torch_module.hpp>
#include <faultline/sampling/analytic_generator.hpp>

#include <cstdio>

namespace fl = faultline;

static int show() {
  const fl::AnalyticGenerator generator({.factors = 6, .channels = 128, .classes = 4, .seed = 1});

  // Any function from images [N, C, H, W] to scores [N, K]; a torch::nn::Sequential or a std::shared_ptr of your module
  // serves as well. This one reads the class from the first row of the image, and is misled by a long third bar.
  auto mine = fl::make_torch_classifier(
      [](const at::Tensor& images) {
        // The label, 0 to 3
        const at::Tensor stripe = images.select(1, 0).select(1, 0).mean(1, /*keepdim=*/true) * 5.0 - 1.0;
        const at::Tensor bar = images.select(1, 0).select(1, 6);
        const at::Tensor error = 0.4 * (bar.narrow(1, bar.size(1) / 2, bar.size(1) / 2).sum(1, /*keepdim=*/true));
        return -8.0 * (stripe + error - at::arange(4, at::kFloat)).square();
      },
      {.classes = 4, .scores = fl::Scores::logits, .name = "tensor function"});

  const fl::FailureReport report = fl::characterize(
      generator, mine,
      {.samples = 4'000, .seed = 7, .method = {.properties = {}}});  // those of digits say nothing here
  std::printf("%s\n", report.reason.c_str());
  for (const fl::Finding& finding : report.findings) std::printf("%s\n", finding.headline.c_str());
  bool gradient = false;
  for (const fl::analysis::RankedChannel& row : report.paper_top)
    if (row.channel.flat == generator.factor_channel(2)) {
      std::printf("its channel: normalised difference %+.2f, gradient %+.3f\n", row.normalized_difference,
                  row.gradient);
      gradient = row.gradient > 0.0;
    }
  return gradient && !report.findings.empty() && report.findings.front().channel.flat == generator.factor_channel(2)
             ? 0
             : 1;
}

int main() { return program::run("torch_module", show); }
