// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Claims: a child process costs at most 1 ms for each batch of 64 images of 28x28 beside the model's own work; and a
// program has its first sample of the shipped generator at most 60 ms after it was started. The child, and the program
// that is started, are this one. Medians over rounds. Usage: child_process [--quick]. Prints one JSON object.

#include <program.hpp>
#include <support/figures.hpp>
#include <support/rounds.hpp>

#include <faultline/classify/make_classifier.hpp>
#include <faultline/data/assets.hpp>
#include <faultline/interop/child_process.hpp>
#include <faultline/interop/serve_classifier.hpp>
#include <faultline/sampling/style_space_sampler.hpp>
#include <faultline/stylegan2/cpu_backend.hpp>
#include <faultline/stylegan2/generator.hpp>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace fl = faultline;

namespace {

/// Answers what the last image of the batch ends with: no work of its own.
int serve() {
  auto classifier = fl::make_classifier(
      [](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 10, images.image(images.count() - 1).back());
      },
      {.classes = 10, .scores = fl::Scores::logits});
  fl::serve_classifier(classifier);
  return 0;
}

int first_sample() {
  const auto generator = fl::Generator<fl::CpuBackend>::load(fl::find_asset("digits.safetensors"));
  const fl::StyleSpaceSampler sampler(generator, {.seed = 7});
  const auto sample = sampler.sample(0, 1);
  std::printf("%g\n", static_cast<double>(sample.images.image(0)[0]));
  return 0;
}

std::string self() { return "/proc/" + std::to_string(getpid()) + "/exe"; }

double start_up() {
  return bench::seconds([] {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen((self() + " --first-sample").c_str(), "r"),
                                                               pclose);
    double pixel = 0.0;
    if (!pipe || std::fscanf(pipe.get(), "%lf", &pixel) != 1) throw std::runtime_error("no first sample came");
  });
}

}  // namespace

static int benchmark(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--serve") return serve();
  if (argc == 2 && std::string_view(argv[1]) == "--first-sample") return first_sample();
  const bool quick = bench::quick(argc, argv);
  fl::ChildProcessClassifier child("exec " + self() + " --serve", {.input = {.height = 28, .width = 28}});
  fl::ImageBatch images(64, {1, 28, 28});
  fl::ScoreMatrix scores;
  float last = 0.0f;
  const auto batch = [&] {
    images.image(63).back() = ++last;
    child.score(images, scores);
    if (scores(63, 9) != last) throw std::runtime_error("the child answered something else");
  };
  const std::size_t times = bench::repetitions(batch, quick ? 0.02 : 0.2);
  const bench::Rounds rounds = bench::take_turns({[&] {
                                                    return 1e3 / static_cast<double>(times) * bench::seconds([&] {
                                                             for (std::size_t t = 0; t < times; ++t) batch();
                                                           });
                                                  },
                                                  [&] { return 1e3 * start_up(); }},
                                                 quick ? 3 : 11);
  bench::print("child_process", {{"child.batch", rounds.middle(0), 1.0, true, "ms"},
                                 {"first.sample", rounds.middle(1), 60.0, true, "ms"}});
  return 0;
}

int main(int argc, char** argv) {
  return program::run("child_process", [&] { return benchmark(argc, argv); });
}
