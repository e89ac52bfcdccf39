// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Claim: the twenty style channels with the largest causal effect on 64 start codes, by screen and race instead of the naive scan (every channel, every code, both ways, whole syntheses), take at
// most 1/100 of the generator passes and 1/50 of the time, at recall of the true twenty of at least 0.95.
// Usage: scan_speed [generator] [classifier] [--codes N] [--quick]. Prints one JSON object; --quick takes 16 codes and judges nothing. Exit code 1 when a figure is short.

#include <faultline/analysis/scan.hpp>
#include <faultline/data/assets.hpp>
#include <faultline/stylegan2/cpu_backend.hpp>
#include <faultline/stylegan2/generator.hpp>
#include <faultline/training/classifier.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace fl = faultline;

namespace {

using Clock = std::chrono::steady_clock;
using Model = fl::Generator<fl::CpuBackend>;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// The classifier with a stopwatch.
struct TimedClassifier {
  fl::training::NetworkClassifier classifier;
  double seconds = 0.0;

  std::int64_t num_classes() const { return classifier.num_classes(); }
  fl::Scores score_kind() const { return classifier.score_kind(); }
  fl::InputSpec input_spec() const { return classifier.input_spec(); }
  void score(fl::ImageView images, fl::ScoreMatrix& scores) {
    const auto start = Clock::now();
    classifier.score(images, scores);
    seconds += seconds_since(start);
  }
  void probability_gradient(fl::ImageView images, std::span<const std::int64_t> labels, fl::ImageBatch& gradient) {
    const auto start = Clock::now();
    classifier.probability_gradient(images, labels, gradient);
    seconds += seconds_since(start);
  }
};

/// Mean over the codes of p(y) after the shift down less p(y) after the shift up, by whole syntheses.
double naive_effect(const Model& generator, fl::Scorer<TimedClassifier>& scorer, const fl::ScanStart& start, std::int64_t channel) {
  double sum = 0.0;
  for (const double sign : {-1.0, 1.0}) {
    fl::Matrix<float> edited = start.s;
    for (std::int64_t i = 0; i < edited.rows(); ++i) edited(i, channel) += static_cast<float>(sign * start.shift[static_cast<std::size_t>(channel)]);
    const fl::ScoredImages scored = scorer(generator.image_to_host(generator.synthesize(generator.style_from_host(edited))), start.label);
    for (const float p : scored.probability) sum -= sign * static_cast<double>(p) / static_cast<double>(edited.rows());
  }
  return sum;
}

std::vector<std::int64_t> strongest(const std::vector<double>& effects, std::int64_t count) {
  std::vector<std::int64_t> order(effects.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return std::abs(effects[static_cast<std::size_t>(a)]) > std::abs(effects[static_cast<std::size_t>(b)]); });
  order.resize(static_cast<std::size_t>(count));
  return order;
}

double recall(const std::vector<std::int64_t>& truth, const std::vector<std::int64_t>& found) {
  const auto hits = std::count_if(truth.begin(), truth.end(), [&](std::int64_t channel) { return std::find(found.begin(), found.end(), channel) != found.end(); });
  return static_cast<double>(hits) / static_cast<double>(truth.size());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::vector<std::string> files;
    std::int64_t codes = 64;
    bool quick = false;
    for (int i = 1; i < argc; ++i) {
      const std::string word = argv[i];
      if (word == "--quick") quick = true, codes = 16;
      else if (word == "--codes" && i + 1 < argc) codes = std::stoll(argv[++i]);
      else files.push_back(word);
    }
    const auto file = [&](std::size_t i, const char* shipped) { return files.size() > i ? std::filesystem::path(files[i]) : fl::find_asset(shipped); };
    const c10::AutoGradMode off(false);
    const Model generator = Model::load(file(0, "digits.safetensors"));
    TimedClassifier classifier{fl::load_classifier(file(1, "clean.safetensors"))};
    const fl::StyleSpaceSampler sampler(generator, {.seed = 7});
    const fl::ScanStart start = fl::scan_start(sampler, codes);
    const std::int64_t channels = generator.layout().dimension();
    constexpr std::int64_t keep = 20;
    constexpr int runs = 7;

    // The naive scan in as many parts as there are runs of the other, so that both see the same machine.
    fl::Scorer scorer(classifier, generator.image_shape(), generator.value_range(), generator.num_classes(), 64);
    std::vector<double> naive(static_cast<std::size_t>(channels)), seconds, screen_seconds;
    double naive_seconds = 0.0, naive_classifier_seconds = 0.0, classifier_seconds = 0.0;
    fl::StrongestChannels found;
    fl::Screening screening;
    for (int run = 0; run < runs; ++run) {
      classifier.seconds = 0.0;
      const auto begin = Clock::now();
      for (std::int64_t k = channels * run / runs; k < channels * (run + 1) / runs; ++k) naive[static_cast<std::size_t>(k)] = naive_effect(generator, scorer, start, k);
      naive_seconds += seconds_since(begin);
      naive_classifier_seconds += classifier.seconds;
      classifier.seconds = 0.0;
      const auto race = Clock::now();
      found = fl::strongest_channels(generator, classifier, start, {.keep = keep});
      seconds.push_back(seconds_since(race));
      classifier_seconds += classifier.seconds / runs;
      const auto screened = Clock::now();
      screening = fl::screen(generator, classifier, start);
      screen_seconds.push_back(seconds_since(screened));
      std::fprintf(stderr, "part %d of %d: naive %.1f s so far, screen and race %.2f s\n", run + 1, runs, naive_seconds, seconds.back());
    }
    std::sort(seconds.begin(), seconds.end());
    std::sort(screen_seconds.begin(), screen_seconds.end());
    const double median_seconds = seconds[runs / 2];

    const auto truth = strongest(naive, keep);
    std::vector<std::int64_t> ranked;
    std::int64_t decided = 0;
    double error = 0.0;
    for (const auto& one : found.channels) {
      ranked.push_back(one.channel.flat);
      decided += one.codes < codes ? 1 : 0;
      if (one.codes == codes) error = std::max(error, std::abs(one.effect - naive[static_cast<std::size_t>(one.channel.flat)]));
    }
    const double naive_passes = 2.0 * static_cast<double>(codes * channels);
    const double hit = recall(truth, ranked), passes = naive_passes / found.cost.generator_passes, images = naive_passes / static_cast<double>(found.cost.generator_images), time = naive_seconds / median_seconds;
    const bool met = hit >= 0.95 && passes >= 100.0 && time >= 50.0;
    const auto verdict = [&](bool good) { return quick ? "not judged" : good ? "pass" : "short"; };
    std::printf("{\"benchmark\": \"scan_speed\", \"codes\": %lld, \"channels\": %lld, \"keep\": %lld,\n \"recall\": %.3f, \"recall_of_screen_alone\": %.3f, \"recall_verdict\": \"%s\",\n"
                " \"naive_passes\": %.0f, \"passes\": %.1f, \"fewer_passes\": %.1f, \"passes_verdict\": \"%s\",\n \"images_made\": %lld, \"fewer_images\": %.1f, \"classifier_images\": %lld,\n"
                " \"naive_seconds\": %.2f, \"seconds\": %.3f, \"less_time\": %.1f, \"time_verdict\": \"%s\",\n",
                static_cast<long long>(codes), static_cast<long long>(channels), static_cast<long long>(keep), hit, recall(truth, strongest(screening.effect, keep)), verdict(hit >= 0.95), naive_passes,
                found.cost.generator_passes, passes, verdict(passes >= 100.0), static_cast<long long>(found.cost.generator_images), images, static_cast<long long>(found.cost.classifier_images), naive_seconds,
                median_seconds, time, verdict(time >= 50.0));
    std::printf(" \"profile\": {\"screen_seconds\": %.3f, \"screen_passes\": %.0f, \"classifier_seconds\": %.3f, \"naive_classifier_seconds\": %.2f},\n"
                " \"ranked_on_fewer_codes\": %lld, \"largest_error_of_exact_effects\": %.1e, \"control\": %lld, \"control_kept\": %lld, \"missed_upper\": %.0f, \"largest_control\": %.4f, \"last_effect\": %.4f,\n"
                " \"bars\": {\"recall\": 0.95, \"fewer_passes\": 100, \"less_time\": 50}}\n",
                screen_seconds[runs / 2], screening.cost.generator_passes, classifier_seconds, naive_classifier_seconds, static_cast<long long>(decided), error, static_cast<long long>(found.control),
                static_cast<long long>(found.control_kept), found.missed_upper, found.largest_control, std::abs(found.channels.back().effect));
    return quick || met ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
