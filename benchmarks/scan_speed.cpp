// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Claim: the twenty style channels with the largest causal effect on 64 start latents, by screen and successive
// elimination instead of the naive scan (every channel, every latent, both ways, whole syntheses), take at most 1/100
// of the generator passes and 1/50 of the time, at recall of the true twenty of at least 0.95. Usage: scan_speed
// [generator] [classifier]
// [--latents N] [--quick]. Prints one JSON object; --quick scans every 16th channel the naive way, takes the rest to
// cost as much, and measures no recall. Times are of the wall clock, medians of 7; the processor's are printed beside
// them, for machines that others use too.

#include <program.hpp>
#include <support/figures.hpp>

#include <faultline/analysis/scan/scan.hpp>
#include <faultline/data/assets.hpp>
#include <faultline/stylegan2/cpu_backend.hpp>
#include <faultline/stylegan2/generator.hpp>
#include <faultline/data/classifier_file.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace fl = faultline;

namespace {

using Clock = std::chrono::steady_clock;
using Model = fl::Generator<fl::CpuBackend>;

/// Seconds of the wall clock and of the processor.
struct Stopwatch {
  Clock::time_point start = Clock::now();
  std::clock_t cpu_start = std::clock();
  double wall() const { return std::chrono::duration<double>(Clock::now() - start).count(); }
  double cpu() const { return static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC; }
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// The classifier with a stopwatch of the processor's time.
struct TimedClassifier {
  fl::classify::NetworkClassifier classifier;
  double seconds = 0.0;

  std::int64_t num_classes() const { return classifier.num_classes(); }
  fl::Scores score_kind() const { return classifier.score_kind(); }
  fl::InputSpec input_spec() const { return classifier.input_spec(); }
  void score(fl::ImageView images, fl::ScoreMatrix& scores) {
    const Stopwatch watch;
    classifier.score(images, scores);
    seconds += watch.cpu();
  }
  void probability_gradient(fl::ImageView images, std::span<const std::int64_t> labels, fl::ImageBatch& gradient) {
    const Stopwatch watch;
    classifier.probability_gradient(images, labels, gradient);
    seconds += watch.cpu();
  }
};

/// Mean over the latents of p(y) after the shift down less p(y) after the shift up, by whole syntheses.
double naive_effect(const Model& generator, fl::classify::Scorer<TimedClassifier>& scorer,
                    const fl::analysis::ScanStart& start, std::int64_t channel) {
  double sum = 0.0;
  for (const double sign : {-1.0, 1.0}) {
    fl::Matrix<float> edited = start.s;
    for (std::int64_t i = 0; i < edited.rows(); ++i)
      edited(i, channel) += static_cast<float>(sign * start.shift[static_cast<std::size_t>(channel)]);
    const fl::classify::ScoredImages scored =
        scorer(generator.image_to_host(generator.synthesize(generator.style_from_host(edited))), start.label);
    for (const float p : scored.probability) sum -= sign * static_cast<double>(p) / static_cast<double>(edited.rows());
  }
  return sum;
}

std::vector<std::int64_t> strongest(const std::vector<double>& effects, std::int64_t count) {
  std::vector<std::int64_t> order(effects.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return std::abs(effects[static_cast<std::size_t>(a)]) > std::abs(effects[static_cast<std::size_t>(b)]);
  });
  order.resize(static_cast<std::size_t>(count));
  return order;
}

double recall(const std::vector<std::int64_t>& truth, const std::vector<std::int64_t>& found) {
  const auto hits = std::count_if(truth.begin(), truth.end(), [&](std::int64_t channel) {
    return std::find(found.begin(), found.end(), channel) != found.end();
  });
  return static_cast<double>(hits) / static_cast<double>(truth.size());
}

}  // namespace

static int benchmark(int argc, char** argv) {
  try {
    std::vector<std::string> files;
    std::int64_t latents = 64;
    bool quick = false;
    for (int i = 1; i < argc; ++i) {
      const std::string word = argv[i];
      if (word == "--quick") quick = true;
      else if (word == "--latents" && i + 1 < argc)
        latents = program::number<std::int64_t>("--latents", argv[++i], 1, fl::limits::latents);
      else files.push_back(word);
    }
    const auto file = [&](std::size_t i, const char* shipped) {
      return files.size() > i ? std::filesystem::path(files[i]) : fl::find_asset(shipped);
    };
    const c10::AutoGradMode off(false);
    const Model generator = Model::load(file(0, "digits.safetensors"));
    TimedClassifier classifier{fl::load_classifier(file(1, "clean.safetensors"))};
    const fl::StyleSpaceSampler sampler(generator, {.seed = 7});
    const fl::analysis::ScanStart start = fl::analysis::scan_start(sampler, latents);
    const std::int64_t channels = generator.layout().dimension();
    constexpr std::int64_t keep = 20;
    constexpr int runs = 7;

    // The naive scan in as many parts as there are runs of the other, so that both see the same machine.
    fl::classify::Scorer scorer(classifier, generator.image_shape(), generator.value_range(), generator.num_classes(),
                                64);
    const std::int64_t stride = quick ? 16 : 1, naive_channels = (channels + stride - 1) / stride;
    std::vector<double> naive(static_cast<std::size_t>(channels)), seconds, cpu_seconds, screen_cpu, classifier_cpu;
    double naive_seconds = 0.0, naive_cpu = 0.0, naive_classifier_cpu = 0.0;
    fl::analysis::StrongestChannels found;
    fl::analysis::Screening screening;
    for (int run = 0; run < runs; ++run) {
      classifier.seconds = 0.0;
      const Stopwatch slow;
      for (std::int64_t k = naive_channels * run / runs; k < naive_channels * (run + 1) / runs; ++k)
        naive[static_cast<std::size_t>(k * stride)] = naive_effect(generator, scorer, start, k * stride);
      naive_seconds += slow.wall();
      naive_cpu += slow.cpu();
      naive_classifier_cpu += classifier.seconds;
      classifier.seconds = 0.0;
      const Stopwatch fast;
      found = fl::strongest_channels(generator, classifier, start, {.keep = keep});
      seconds.push_back(fast.wall());
      cpu_seconds.push_back(fast.cpu());
      classifier_cpu.push_back(classifier.seconds);
      const Stopwatch screened;
      screening = fl::screen(generator, classifier, start);
      screen_cpu.push_back(screened.cpu());
      std::fprintf(
          stderr,
          "part %d of %d: naive %.1f s (processor %.1f) so far, screen and elimination %.2f s (processor %.2f, of "
          "which screen %.2f, classifier %.2f)\n",
          run + 1, runs, naive_seconds, naive_cpu, seconds.back(), cpu_seconds.back(), screen_cpu.back(),
          classifier_cpu.back());
    }
    const double scale = static_cast<double>(channels) / static_cast<double>(naive_channels);
    naive_seconds *= scale;
    naive_cpu *= scale;
    naive_classifier_cpu *= scale;
    const double median_seconds = median(seconds);

    const auto truth = strongest(naive, keep);
    std::vector<std::int64_t> ranked;
    std::int64_t decided = 0;
    double error = 0.0;
    for (const auto& one : found.channels) {
      ranked.push_back(one.channel.flat);
      decided += one.latents < latents ? 1 : 0;
      if (one.latents == latents)
        error = std::max(error, std::abs(one.effect - naive[static_cast<std::size_t>(one.channel.flat)]));
    }
    const double naive_passes = 2.0 * static_cast<double>(latents * channels);
    const double hit = recall(truth, ranked), passes = naive_passes / found.cost.generator_passes,
                 images = naive_passes / static_cast<double>(found.cost.generator_images),
                 time = naive_seconds / median_seconds;
    const std::string note = quick ? "every 16th channel" : "";
    std::vector<bench::Figure> figures = {{"scan.passes", passes, 100.0, false, "x", note},
                                          {"scan.time", time, 50.0, false, "x", note}};
    figures.push_back({"scan.recall", quick ? std::nan("") : hit, quick ? std::nan("") : 0.95, false, "",
                       quick ? "not measured with --quick" : ""});
    char details[1024];
    std::snprintf(
        details, sizeof details,
        "\"latents\": %lld, \"channels\": %lld, \"keep\": %lld, \"recall_of_screen_alone\": %s, \"naive_passes\": "
        "%.0f, "
        "\"passes\": %.1f, \"images_made\": %lld, \"fewer_images\": %.1f, \"classifier_images\": %lld, "
        "\"naive_seconds\": %.2f, \"seconds\": %.3f, \"less_processor_time\": %.1f, \"processor_seconds\": {\"naive\": "
        "%.2f, \"naive_classifier\": %.2f, \"all\": %.3f, \"screen\": %.3f, \"classifier\": %.3f}, "
        "\"screen_passes\": %.0f, \"ranked_on_fewer_latents\": %lld, \"largest_error_of_exact_effects\": %.1e, "
        "\"control\": %lld, \"control_kept\": %lld, \"missed_upper\": %.0f, \"largest_control\": %.4f, "
        "\"last_effect\": %.4f",
        static_cast<long long>(latents), static_cast<long long>(channels), static_cast<long long>(keep),
        bench::number(quick ? std::nan("") : recall(truth, strongest(screening.effect, keep))).c_str(), naive_passes,
        found.cost.generator_passes, static_cast<long long>(found.cost.generator_images), images,
        static_cast<long long>(found.cost.classifier_images), naive_seconds, median_seconds,
        naive_cpu / median(cpu_seconds), naive_cpu, naive_classifier_cpu, median(cpu_seconds), median(screen_cpu),
        median(classifier_cpu), screening.cost.generator_passes, static_cast<long long>(decided), quick ? 0.0 : error,
        static_cast<long long>(found.control), static_cast<long long>(found.control_kept), found.missed_upper,
        found.largest_control, std::abs(found.channels.back().effect));
    bench::print("scan_speed", figures, details);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}

int main(int argc, char** argv) {
  return program::run("scan_speed", [&] { return benchmark(argc, argv); });
}
