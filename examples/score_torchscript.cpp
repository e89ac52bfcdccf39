// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A TorchScript file as a classifier for programs that know nothing of LibTorch: reads batches of images on standard
// input and writes scores on standard output (docs/how-to/child_process.md). The other programs start it by themselves
// for `--classifier model.pt`; it lies beside them.
//
//   score_torchscript model.pt --height 28 --width 28 --score-kind logits
//
// A TorchScript file is trusted code: whoever wrote it decides what runs.
//
// test: --help
// test: --write-example @out@/brightness.pt
// test(2): model.pt --height 28 --width 28
// test(3): @out@/nowhere.pt --height 28 --width 28 --score-kind logits
// full: --help

#include "options.hpp"

#include <faultline/core/sha256.hpp>
#include <faultline/interop/serve_classifier.hpp>
#include <faultline/torch/torch_module.hpp>

#include <torch/script.h>

#include <CLI/CLI.hpp>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

namespace fl = faultline;

namespace {

struct Arguments {
  std::string file, score_kind, example;
  std::int64_t height = 0, width = 0, channels = 1, threads = 0;
  bool channels_last = false;
};

/// The bytes of the file, whose digest tells models apart.
std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw fl::Error(fl::ErrorCode::cannot_open, "score_torchscript", "cannot open '" + path + "'");
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Ten logits that tell how bright an image is: something to try the way with.
int write_example(const std::string& path) {
  torch::jit::Module module("brightness");
  module.define(
      "def forward(self, x):\n"
      "    mean = x.flatten(1).mean(1, keepdim=True) * 10.0\n"
      "    return -(mean - torch.arange(10)) ** 2\n");
  module.save(path);
  return 0;
}

int serve(const Arguments& arguments) {
  const std::string digest = fl::sha256_hex(contents(arguments.file));
  torch::jit::Module module;
  try {
    module = torch::jit::load(arguments.file);
  } catch (const c10::Error& error) {
    throw fl::Error(fl::ErrorCode::foreign_format, "score_torchscript",
                    "'" + arguments.file + "' is no TorchScript file: " + fl::stylegan2::detail::libtorch_text(error));
  }
  module.eval();
  const auto forward = [&module](const at::Tensor& images) { return module.forward({images}).toTensor(); };
  fl::ClassifierOptions options{
      .classes = 1,
      .scores = arguments.score_kind == "logits" ? fl::Scores::logits : fl::Scores::probabilities,
      .input = {.channels = arguments.channels, .height = arguments.height, .width = arguments.width},
      .digest = digest};
  if (arguments.channels_last) options.input.layout = fl::PixelLayout::channels_last;
  // A black image says how many classes there are.
  const fl::ImageBatch black(1, {arguments.channels, arguments.height, arguments.width});
  fl::ScoreMatrix scores;
  fl::make_torch_classifier(forward, options).score(black, scores);
  options.classes = scores.cols();
  auto classifier = fl::make_torch_classifier(forward, options);
  fl::serve_classifier(classifier);
  return 0;
}

int answer(int argc, char** argv) {
  Arguments arguments;
  CLI::App app(
      "Scores images with a TorchScript file: batches on standard input, scores on standard output.\n"
      "Exit codes: 0 the input has ended, 2 usage, 3 bad input, 5 internal error.");
  app.add_option("file", arguments.file,
                 "TorchScript file; its forward takes float32 images and returns scores [N, K]");
  program::option(app, "--height", arguments.height, 0, 65'536, "of the images");
  program::option(app, "--width", arguments.width, 0, 65'536, "of the images");
  program::option(app, "--channels", arguments.channels, 1, 1'024, "of the images");
  app.add_flag("--channels-last", arguments.channels_last, "images are [N, H, W, C]");
  app.add_option("--score-kind", arguments.score_kind, "what the scores are")
      ->check(CLI::IsMember({"logits", "probabilities"}));
  program::option(app, "--threads", arguments.threads, 0, fl::limits::threads, "threads; 0: as many as cores");
  app.add_option("--write-example", arguments.example, "write a small TorchScript file to try it with, and end");
  if (const auto code = program::parse(app, argc, argv)) return *code;
  if (!arguments.example.empty()) return write_example(arguments.example);
  if (arguments.file.empty() || arguments.height < 1 || arguments.width < 1 || arguments.score_kind.empty()) {
    std::fputs("score_torchscript: expected a file, --height, --width and --score-kind; see --help\n", stderr);
    return 2;
  }
  if (arguments.threads > 0) at::set_num_threads(static_cast<int>(arguments.threads));
  return serve(arguments);
}

}  // namespace

int main(int argc, char** argv) {
  return program::run("score_torchscript", [&] { return answer(argc, argv); });
}
