// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Screen, scan and the successive elimination of channels, on a generator whose causes are planted and on simulated
// effects.

#include <faultline/analysis/scan/scan.hpp>
#include <faultline/sampling/analytic_generator.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <vector>

namespace fl = faultline;
using fl::ErrorCode;

namespace {

constexpr std::int64_t factors = 24, channels = 512, classes = 4;

const fl::AnalyticGenerator& known() {
  static const fl::AnalyticGenerator generator(
      {.factors = factors, .channels = channels, .classes = classes, .seed = 3});
  return generator;
}

double logistic(double x) { return 1.0 / (1.0 + std::exp(-x)); }

/// p(y) = σ(bias + Σ w_j f_j − jump [f_0 > 1]); the jump has no gradient.
struct FactorClassifier {
  std::vector<double> weight;
  double bias = 1.5;
  double jump = 0.0;

  std::int64_t num_classes() const { return classes; }
  fl::Scores score_kind() const { return fl::Scores::logits; }
  double margin(const fl::AnalyticReading& reading) const {
    double sum = bias - (reading.factors[0] > 1.0f ? jump : 0.0);
    for (std::size_t j = 0; j < weight.size(); ++j) sum += weight[j] * static_cast<double>(reading.factors[j]);
    return sum;
  }
  void score(fl::ImageView images, fl::ScoreMatrix& scores) const {
    scores.resize(images.count(), classes, -30.0f);
    for (std::int64_t i = 0; i < images.count(); ++i) {
      const auto reading = known().read(images, i);
      scores(i, reading.label) = static_cast<float>(margin(reading));
      scores(i, (reading.label + 1) % classes) = 0.0f;
    }
  }
  void probability_gradient(fl::ImageView images, std::span<const std::int64_t>, fl::ImageBatch& gradient) const {
    gradient = fl::ImageBatch(images.count(), images.shape());
    for (std::int64_t i = 0; i < images.count(); ++i) {
      const double m = margin(known().read(images, i));
      const auto width = static_cast<std::size_t>(images.width());
      for (std::size_t j = 0; j < weight.size(); ++j) {  // factor = 32 (last - first pixel of its bar)
        const float slope = static_cast<float>(32.0 * weight[j] * logistic(m) * logistic(-m));
        gradient.image(i)[(2 + 2 * j) * width + width - 1] = slope;
        gradient.image(i)[(2 + 2 * j) * width] = -slope;
      }
    }
  }
};
static_assert(fl::DifferentiableClassifier<FactorClassifier>);

/// Weights of which any two differ by a tenth or more, of both signs.
FactorClassifier planted() {
  FactorClassifier classifier;
  for (std::int64_t j = 0; j < factors; ++j)
    classifier.weight.push_back((j % 2 == 0 ? 1.0 : -1.0) * std::pow(1.18, -static_cast<double>(j)));
  return classifier;
}

fl::analysis::ScanStart start(std::int64_t latents = 64) {
  const fl::StyleSpaceSampler sampler(known(), {.seed = 5});
  return fl::analysis::scan_start(sampler, latents);
}

std::vector<std::int64_t> every_channel() {
  std::vector<std::int64_t> all(channels);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

ErrorCode code_of(const auto& function) {
  try {
    function();
  } catch (const fl::Error& error) {
    return error.code();
  }
  return ErrorCode{0};
}

}  // namespace

TEST_CASE("start latents are fresh samples and shifts are within-class standard deviations") {
  const fl::analysis::ScanStart latents = start();
  const fl::StyleSpaceSampler sampler(known(), {.seed = 5});
  CHECK(latents.label == sampler.labels(fl::core::intervention_first, 64));
  CHECK(latents.s.values()[7] == sampler.sample(fl::core::intervention_first, 64).s.values()[7]);
  // A factor channel is standard normal within classes after its scale: moving it by one shift moves the factor by two.
  fl::Matrix<float> moved = latents.s;
  for (std::int64_t i = 0; i < moved.rows(); ++i)
    moved(i, known().factor_channel(4)) +=
        static_cast<float>(latents.shift[static_cast<std::size_t>(known().factor_channel(4))]);
  const auto before = known().factors(latents.s), after = known().factors(moved);
  CHECK(static_cast<double>(after(3, 4) - before(3, 4)) == Approx(2.0).epsilon(0.05));
}

TEST_CASE("a scan gives the effect of an intervention on every latent") {
  FactorClassifier classifier = planted();
  const fl::analysis::ScanStart latents = start(70);  // more than a batch
  const auto all = every_channel();
  fl::analysis::ScanCost cost;
  const auto effects = fl::scan(known(), classifier, latents, all, 64, &cost);
  std::map<std::int64_t, std::int64_t> factor_of;
  for (std::int64_t j = 0; j < factors; ++j) factor_of[known().factor_channel(j)] = j;
  const auto values = known().factors(latents.s);
  for (std::int64_t k = 0; k < channels; ++k) {
    const auto& found = effects[static_cast<std::size_t>(k)];
    CHECK(found.channel.flat == k);
    CHECK(found.latents == 70);
    if (!factor_of.count(k)) {
      CHECK(found.effect == 0.0);
      CHECK(found.standard_error == 0.0);
      continue;
    }
    const std::int64_t j = factor_of[k];
    std::vector<double> truth;
    fl::Matrix<float> up = latents.s;
    for (std::int64_t i = 0; i < 70; ++i) up(i, k) += static_cast<float>(latents.shift[static_cast<std::size_t>(k)]);
    const auto raised = known().factors(up);
    for (std::int64_t i = 0; i < 70; ++i) {
      double m = classifier.bias;
      for (std::int64_t f = 0; f < factors; ++f)
        m += classifier.weight[static_cast<std::size_t>(f)] * static_cast<double>(values(i, f));
      const double step =
          classifier.weight[static_cast<std::size_t>(j)] * static_cast<double>(raised(i, j) - values(i, j));
      truth.push_back(logistic(m - step) - logistic(m + step));
    }
    const double mean = std::accumulate(truth.begin(), truth.end(), 0.0) / 70.0;
    double squares = 0.0;
    for (const double e : truth) squares += (e - mean) * (e - mean);
    CHECK(found.effect == Approx(mean).margin(1e-5));
    CHECK(found.standard_error == Approx(std::sqrt(squares / 69.0 / 70.0)).margin(1e-5));
    CHECK((found.effect < 0.0) == (classifier.weight[static_cast<std::size_t>(j)] > 0.0));  // moving up helps
  }
  CHECK(cost.generator_images == 70 + 2 * 70 * channels);
  CHECK(cost.generator_passes == 2.0 * 70 * channels);
  CHECK(cost.classifier_images == 2 * 70 * channels);
  CHECK(cost.gradient_images == 0);
}

TEST_CASE("a screen predicts all effects from one gradient per latent") {
  FactorClassifier classifier = planted();
  const fl::analysis::ScanStart latents = start();
  const fl::analysis::Screening screening = fl::screen(known(), classifier, latents);
  const auto exact = fl::scan(known(), classifier, latents, every_channel());
  for (std::int64_t k = 0; k < channels; ++k)  // log odds are linear in a factor here, so first order is exact
    CHECK(screening.effect[static_cast<std::size_t>(k)] ==
          Approx(exact[static_cast<std::size_t>(k)].effect).margin(2e-4));
  CHECK(screening.predicted.rows() == 64);
  CHECK(screening.cost.gradient_images == 64);
  CHECK(screening.cost.generator_passes == 64.0 + 128.0);  // images and gradients
  CHECK(screening.cost.classifier_images == 64);
  // Where p is so close to 0 or 1 that its slope says nothing, the prediction stays within the range of an effect.
  CHECK(fl::analysis::extrapolated_effect(15.0, 1e-3, 1e6) == -1.0);
  CHECK(fl::analysis::extrapolated_effect(0.0, 0.25, 1.0) == Approx(logistic(-1.0) - logistic(1.0)));
}

TEST_CASE("the strongest channels are found with few images") {
  FactorClassifier classifier = planted();
  const fl::analysis::ScanStart latents = start();
  const auto exact = fl::scan(known(), classifier, latents, every_channel());
  std::vector<std::int64_t> truth = every_channel();
  std::stable_sort(truth.begin(), truth.end(), [&](auto a, auto b) {
    return std::abs(exact[static_cast<std::size_t>(a)].effect) > std::abs(exact[static_cast<std::size_t>(b)].effect);
  });
  const fl::analysis::StrongestChannels ranking = fl::strongest_channels(known(), classifier, latents, {.keep = 8});
  REQUIRE(ranking.channels.size() == 8);
  CHECK(ranking.dropped.size() == 8 + 12);
  std::set<std::int64_t> found;
  for (const auto& one : ranking.channels) found.insert(one.channel.flat);
  CHECK(found == std::set<std::int64_t>(truth.begin(), truth.begin() + 8));
  for (const auto* list : {&ranking.channels, &ranking.dropped})
    for (const auto& one : *list) {
      const double value = exact[static_cast<std::size_t>(one.channel.flat)].effect;
      CHECK(one.interval.lower <= value + 1e-6);
      CHECK(value - 1e-6 <= one.interval.upper);
      CHECK(one.latents <= 64);
    }
  CHECK(std::is_sorted(ranking.channels.begin(), ranking.channels.end(),
                       [](const auto& a, const auto& b) { return std::abs(a.effect) > std::abs(b.effect); }));
  CHECK(ranking.control_kept == 0);
  CHECK(ranking.missed == 0.0);
  CHECK(ranking.missed_upper > 0.0);
  CHECK(ranking.unexamined == channels - 16 - 12);
  // 64 latents, both ways, every channel would be 65 536 images; the counters are exact, so a regression shows.
  CHECK(ranking.cost.generator_passes < 192.0 + 28.0 * 64.0);
  CHECK(ranking.cost.gradient_images == 64);
}

TEST_CASE("the control sample notices what gradients do not show") {
  FactorClassifier classifier = planted();
  classifier.weight[0] = 0.0;
  classifier.jump = 6.0;
  const fl::analysis::ScanStart latents = start();
  // Everything that the screen leaves
  const fl::analysis::StrongestChannels found =
      fl::strongest_channels(known(), classifier, latents, {.keep = 8, .control = channels - 16});
  CHECK(found.control_kept == 1);
  CHECK(found.unexamined == 0);
  CHECK(found.channels.front().channel.flat == known().factor_channel(0));
  CHECK(found.channels.front().predicted == 0.0);
  CHECK(found.largest_control == Approx(std::abs(found.channels.front().effect)));
  const fl::analysis::StrongestChannels sampled =
      fl::strongest_channels(known(), classifier, latents, {.keep = 8, .control = 100, .seed = 0});
  CHECK(sampled.missed ==
        Approx(static_cast<double>(sampled.control_kept) * static_cast<double>(sampled.unexamined) / 100.0));
  CHECK(sampled.missed_upper > sampled.missed);
}

TEST_CASE("results do not depend on the batch size and are repeated by the seed") {
  FactorClassifier classifier = planted();
  const fl::analysis::ScanStart latents = start();
  const auto one = fl::strongest_channels(known(), classifier, latents, {.keep = 6, .batch_size = 64, .seed = 2});
  const auto two = fl::strongest_channels(known(), classifier, latents, {.keep = 6, .batch_size = 10, .seed = 2});
  REQUIRE(one.channels.size() == two.channels.size());
  for (std::size_t k = 0; k < one.channels.size(); ++k) {
    CHECK(one.channels[k].channel == two.channels[k].channel);
    CHECK(one.channels[k].effect == two.channels[k].effect);
    CHECK(one.channels[k].latents == two.channels[k].latents);
  }
}

TEST_CASE("scans refuse what they cannot do") {
  FactorClassifier classifier = planted();
  fl::analysis::ScanStart latents = start(8);
  const std::vector<std::int64_t> outside = {channels};
  CHECK(code_of([&] { (void)fl::scan(known(), classifier, latents, outside); }) == ErrorCode::invalid_argument);
  CHECK(code_of([&] { (void)fl::scan(known(), classifier, latents, outside, 1); }) == ErrorCode::invalid_argument);
  for (const fl::analysis::ScanOptions& bad :
       {fl::analysis::ScanOptions{.keep = 0}, fl::analysis::ScanOptions{.keep = 5, .candidates = 4},
        fl::analysis::ScanOptions{.control = -1}, fl::analysis::ScanOptions{.alpha = 1.0},
        fl::analysis::ScanOptions{.batch_size = 1}})
    CHECK(code_of([&] { (void)fl::strongest_channels(known(), classifier, latents, bad); }) ==
          ErrorCode::invalid_argument);
  latents.shift[3] = -1.0;
  CHECK(code_of([&] { (void)fl::screen(known(), classifier, latents); }) == ErrorCode::invalid_argument);
  latents.shift.pop_back();
  CHECK(code_of([&] { (void)fl::screen(known(), classifier, latents); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] {
          (void)fl::screen(
              known(), classifier,
              fl::analysis::ScanStart{fl::Matrix<float>(0, channels), {}, std::vector<double>(channels, 1.0)});
        }) == ErrorCode::empty_input);
  const fl::StyleSpaceSampler sampler(known(), {.seed = 5});
  CHECK(code_of([&] { (void)fl::analysis::scan_start(sampler, 8, -1.0); }) == ErrorCode::invalid_argument);
  CHECK(code_of([&] { (void)fl::analysis::scan_start(sampler, 0); }) == ErrorCode::empty_input);
}

TEST_CASE("quantiles of Student's t are those of the tables") {
  CHECK(fl::analysis::detail::student_quantile(0.025, 7.0) == Approx(2.364624252).epsilon(1e-8));
  CHECK(fl::analysis::detail::student_quantile(0.05, 11.0) == Approx(1.795884819).epsilon(1e-8));
  CHECK(fl::analysis::detail::student_quantile(0.0001, 3.0) == Approx(22.20374).epsilon(1e-5));
}

namespace {

enum class Residuals { normal, heavy, rare };

/// Effects of 30 channels on 64 latents that differ in how easily they move, with predictions of unequal worth; how
/// often is a channel kept or dropped wrongly, and how much is measured?
struct Simulated {
  std::int64_t wrong = 0;
  double measured = 0.0;  ///< share of all effects
};

Simulated simulate(Residuals kind, double alpha, std::int64_t replicates) {
  constexpr std::int64_t latents = 64, entrants = 30, keep = 8;
  Simulated result;
  std::vector<std::int64_t> flat(entrants);
  std::iota(flat.begin(), flat.end(), 100);
  for (std::int64_t r = 0; r < replicates; ++r) {
    fl::core::CounterRandom random(17, fl::core::Stream::permutations, r);
    fl::Matrix<double> predicted(latents, entrants), effect(latents, entrants);
    std::vector<double> ease(latents), mean(entrants, 0.0);
    for (double& value : ease) value = std::exp(1.5 * random.normal());
    for (std::int64_t k = 0; k < entrants; ++k) {
      const double size = 0.02 * std::exp(0.8 * random.normal()), noise = 0.3 + 0.7 * random.uniform();
      for (std::int64_t i = 0; i < latents; ++i) {
        const double scale = size * ease[static_cast<std::size_t>(i)];
        predicted(i, k) = scale * (1.0 + 0.5 * random.normal());
        double residual = random.normal();
        if (kind == Residuals::heavy) {  // Student's t with three degrees of freedom
          double squares = 0.0;
          for (int j = 0; j < 3; ++j) squares += std::pow(random.normal(), 2.0);
          residual /= std::sqrt(squares / 3.0);
        }
        if (kind == Residuals::rare) residual = random.uniform() < 0.15 ? 2.0 * residual : 0.0;
        effect(i, k) = predicted(i, k) + noise * scale * residual;
        mean[static_cast<std::size_t>(k)] += effect(i, k) / latents;
      }
    }
    std::vector<std::size_t> order(entrants);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return std::abs(mean[a]) > std::abs(mean[b]); });
    std::int64_t asked = 0;
    const auto results = fl::analysis::detail::eliminate(
        predicted, flat, {keep, alpha, r}, [&](std::span<const fl::analysis::detail::LatentChannel> pairs) {
          std::vector<double> values;
          for (const auto& pair : pairs) values.push_back(effect(pair.latent, pair.channel - 100));
          asked += static_cast<std::int64_t>(pairs.size());
          return values;
        });
    bool wrong = false;
    for (std::size_t k = 0; k < entrants; ++k) wrong = wrong || results[order[k]].kept != (k < keep);
    result.wrong += wrong ? 1 : 0;
    result.measured += static_cast<double>(asked) / static_cast<double>(latents * entrants * replicates);
  }
  return result;
}

}  // namespace

TEST_CASE("successive elimination keeps its error rate") {
  // With 200 replicates at a true rate of .05 more than 26 wrong ones come with probability below 1e-5.
  for (const Residuals kind : {Residuals::normal, Residuals::heavy, Residuals::rare}) {
    INFO(static_cast<int>(kind));
    const Simulated result = simulate(kind, 0.05, 200);
    INFO(result.wrong << " wrong, share measured " << result.measured);
    CHECK(result.wrong <= 26);
    CHECK(result.measured < 0.85);  // it does stop early
    CHECK(simulate(kind, 0.999, 60).measured < result.measured);
  }
}

TEST_CASE("successive elimination is exact after its last latent and fair to bad predictions") {
  // Two channels so close that only all latents tell them apart, and predictions that are noise.
  fl::Matrix<double> predicted(40, 3), effect(40, 3);
  fl::core::CounterRandom random(3, fl::core::Stream::permutations, 0);
  double mean[3] = {};
  for (std::int64_t i = 0; i < 40; ++i)
    for (std::int64_t k = 0; k < 3; ++k) {
      predicted(i, k) = random.normal();
      effect(i, k) = 0.1 * random.normal() + (k == 2 ? -0.5 : 0.1);
      mean[k] += effect(i, k) / 40.0;
    }
  const double gap = mean[0] - mean[1];
  for (std::int64_t i = 0; i < 40; ++i) effect(i, 0) -= gap - 1e-6;  // the first one wins by a millionth
  const std::vector<std::int64_t> flat = {0, 1, 2};
  const auto results = fl::analysis::detail::eliminate(predicted, flat, {2, 0.05, 1},
                                                       [&](std::span<const fl::analysis::detail::LatentChannel> pairs) {
                                                         std::vector<double> values;
                                                         for (const auto& pair : pairs)
                                                           values.push_back(effect(pair.latent, pair.channel));
                                                         return values;
                                                       });
  CHECK(results[0].kept);
  CHECK_FALSE(results[1].kept);
  CHECK(results[2].kept);
  CHECK(results[0].latents == 40);
  CHECK(results[0].effect == Approx(mean[1] + 1e-6));
  CHECK(results[0].interval.width() == 0.0);

  // One latent, and more places than entrants: everything is measured, everything is kept.
  const auto tiny = fl::analysis::detail::eliminate(fl::Matrix<double>(1, 3), flat, {20, 0.05, 1},
                                                    [](std::span<const fl::analysis::detail::LatentChannel> pairs) {
                                                      return std::vector<double>(pairs.size(), 0.25);
                                                    });
  for (const auto& one : tiny) {
    CHECK(one.kept);
    CHECK(one.effect == 0.25);
    CHECK(one.latents == 1);
  }
}
