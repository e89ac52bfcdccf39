// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Claim: an ONNX classifier of 28x28 images through load_opencv_classifier reaches .9 of the rate of calling OpenCV's
// dnn directly on the same batches of 64. Medians over rounds of the ratio within a round; the scores must be equal.
// Usage: opencv_classifier [--quick] [model.onnx]. Prints one JSON object.

#include <program.hpp>
#include <support/figures.hpp>
#include <support/rounds.hpp>

#include <faultline/core/image.hpp>
#include <faultline/interop/opencv_dnn.hpp>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

namespace fl = faultline;

static int benchmark(int argc, char** argv) {
  const bool quick = bench::quick(argc, argv);
  std::string file = FAULTLINE_MODEL;
  for (int i = 1; i < argc; ++i)
    if (argv[i][0] != '-') file = argv[i];
  auto adapter = fl::load_opencv_classifier(file, {.scores = fl::Scores::logits});
  const fl::InputSpec& spec = adapter.input_spec();
  const std::int64_t batch = adapter.batch_size(), classes = adapter.num_classes();
  fl::ImageBatch images(batch, {spec.channels, spec.height, spec.width});
  for (std::int64_t p = 0; p < batch * images.shape().elements(); ++p)
    images.data()[p] = static_cast<float>((p * 7'919) % 1'013) / 1'013.0f;

  cv::dnn::Net net = cv::dnn::readNetFromONNX(file);
  const std::vector<int> axes = {static_cast<int>(batch), static_cast<int>(spec.channels),
                                 static_cast<int>(spec.height), static_cast<int>(spec.width)};
  const cv::Mat blob(4, axes.data(), CV_32F, images.data());
  std::vector<float> said(static_cast<std::size_t>(batch * classes));
  const auto directly = [&] {
    net.setInput(blob);
    const cv::Mat out = net.forward();
    std::copy_n(out.ptr<float>(), said.size(), said.begin());
  };
  fl::ScoreMatrix scores;
  const auto adapted = [&] { adapter.score(images, scores); };

  directly();
  adapted();
  if (!std::equal(said.begin(), said.end(), scores.data())) throw std::runtime_error("the scores differ");
  const std::size_t calls = bench::repetitions(directly, quick ? 0.02 : 0.2);
  const auto rate = [&](const auto& call) {
    return static_cast<double>(calls) * static_cast<double>(batch) / bench::seconds([&] {
             for (std::size_t i = 0; i < calls; ++i) call();
           });
  };
  const bench::Rounds rounds =
      bench::take_turns({[&] { return rate(directly); }, [&] { return rate(adapted); }}, quick ? 11 : 41);
  char details[160];
  std::snprintf(details, sizeof details, "\"batch\": %lld, \"directly\": %s, \"adapted\": %s",
                static_cast<long long>(batch), bench::number(rounds.middle(0)).c_str(),
                bench::number(rounds.middle(1)).c_str());
  bench::print("opencv_classifier",
               {{"opencv.share_of_direct", rounds.ratio(1, 0), 0.9, false, "", "images per second, same batches"}},
               details);
  return 0;
}

int main(int argc, char** argv) {
  return program::run("opencv_classifier", [&] { return benchmark(argc, argv); });
}
