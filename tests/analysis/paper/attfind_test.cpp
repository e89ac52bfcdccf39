// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// AttFind and the agreement of rankings, on a generator whose planted channel is known and against brute force.

#include <analysis/findings_world.hpp>

#include <support/catch2.hpp>

#include <faultline/analysis/rank/agreement.hpp>
#include <faultline/analysis/paper/attfind.hpp>
#include <faultline/analysis/failure_analyzer.hpp>
#include <faultline/classify/make_classifier.hpp>
#include <faultline/sampling/analytic_generator.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace fl = faultline;
namespace world = findings_world;

namespace {

/// Fails where factor 2 lies below -1.2, and is less sure of itself the nearer it gets.
auto planted(const fl::AnalyticGenerator& known) {
  return fl::make_classifier(
      [&known](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 4);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto reading = known.read(images, i);
          const float room = reading.factors[2] + 1.2f;
          for (std::int64_t k = 0; k < 4; ++k)
            scores(i, k) = k == reading.label ? 2.0f * room : k == (reading.label + 1) % 4 ? -2.0f * room : -8.0f;
        }
      },
      {.classes = 4, .scores = fl::Scores::logits});
}

}  // namespace

TEST_CASE("AttFind and the screen agree on the planted channel and its sign", "[analysis][attfind]") {
  const fl::AnalyticGenerator known({.factors = 5, .channels = 200, .classes = 4, .seed = 2});
  const auto truth = known.factor_channel(2);
  auto mine = planted(known);
  const fl::StyleSpaceSampler sampler(known, {.seed = 3});
  fl::AnalyzerOptions options{.samples = 2000};
  fl::FailureAnalyzer analyzer(sampler, mine, fl::Misclassified{}, options);
  const fl::Problem& problem = analyzer.problem();

  const fl::paper::AttFindOptions wanted{.images = 24, .ranked_channels = 40, .spread_channels = 20};
  const auto channels = fl::paper::attfind_channels(problem, wanted);
  std::vector<fl::Progress> told;
  const auto found =
      fl::paper::attfind(problem, channels, wanted, 64, [&](const fl::Progress& p) { told.push_back(p); });
  CHECK(found.images == 24);
  CHECK(found.cost == fl::paper::attfind_images(24, 60));
  CHECK(found.cost == 24 * (1 + 2 * 60));
  REQUIRE(!told.empty());
  CHECK((told.front().done == 0 && told.front().total == found.cost));
  CHECK((told.back().done == found.cost && told.back().total == found.cost));

  const auto scores = fl::paper::attfind_scores(found);
  const auto strongest = static_cast<std::size_t>(
      std::max_element(scores.begin(), scores.end(), [](double a, double b) { return std::abs(a) < std::abs(b); }) -
      scores.begin());
  CHECK(found.channels[strongest] == truth);
  CHECK(scores[strongest] < 0.0);
  REQUIRE(!found.cover.empty());
  CHECK(found.cover[0].channel.flat == truth);
  CHECK(found.cover[0].sign == -1);
  CHECK(found.cover[0].explained == 24);  // the smallest observed value lies far below the level
  CHECK(found.cover.size() == 1);
  CHECK(found.unexplained == 0);
  for (std::size_t k = 0; k < scores.size(); ++k)  // no other channel shows in the image
    if (found.channels[k] != truth) CHECK(std::abs(scores[k]) < 1e-4);

  const auto screen =
      fl::analysis::channel_scores(problem, problem.discovery, fl::analysis::ChannelScore::NormalizedDifference);
  CHECK(fl::analysis::top_channels(screen, fl::analysis::ChannelScore::NormalizedDifference, 1).front() == truth);
  CHECK(screen[static_cast<std::size_t>(truth)] < 0.0);
}

TEST_CASE("AttFind's effects are those of setting a channel to the ends of its range", "[analysis][attfind]") {
  // Channels 0 and 1 are x0 and -2 x1; the log odds are 3 - x0 - x1 / 2.
  const world::Setup setup = world::build({[](std::span<const double> x, std::int64_t) {
    const double p = world::logistic(3.0 - x[0] - 0.5 * x[1]);
    return world::Answers{p, p < 0.5};
  }});
  const auto found = fl::paper::attfind(setup.problem, {0, 1, 7}, {.images = 20}, 100);
  REQUIRE(found.images == 20);
  // Ends are those of all classes, whose means lie apart: style 0 holds x0 and what the class adds.
  const auto added = [](std::int64_t label) {
    std::vector<double> mean(world::w_dim);
    for (std::int64_t i = 0; i < world::w_dim; ++i) mean[static_cast<std::size_t>(i)] = world::class_mean(label, i);
    return world::unmix(mean);
  };
  double low = 1e9, high = -1e9, low1 = 1e9, high1 = -1e9;
  for (std::int64_t i = 0; i < setup.problem.discovery.size(); ++i) {
    const auto x = world::coordinates(i), more = added(world::label_of(i));
    low = std::min(low, x[0] + more[0]), high = std::max(high, x[0] + more[0]);
    low1 = std::min(low1, x[1] + more[1]), high1 = std::max(high1, x[1] + more[1]);
  }
  double mean0 = 0.0, mean1 = 0.0, flips = 0.0, latents = 0.0;
  for (std::int64_t i = 0; latents < 20; ++i) {
    const auto x = world::coordinates(fl::core::intervention_first + i),
               more = added(world::label_of(fl::core::intervention_first + i));
    if (x[0] + 0.5 * x[1] > 3.0) continue;
    mean0 += (x[0] + more[0]) / 20.0, mean1 += (x[1] + more[1]) / 20.0, latents += 1.0;
    flips += high - more[0] + 0.5 * x[1] > 3.0 ? 1.0 : 0.0;
  }
  CHECK(found.effect_largest[0] == Approx(high - mean0).margin(1e-3));
  CHECK(found.effect_smallest[0] == Approx(low - mean0).margin(1e-3));
  CHECK(found.effect_smallest[1] == Approx(0.5 * (high1 - mean1)).margin(1e-3));  // channel 1 is turned round
  CHECK(found.effect_largest[1] == Approx(0.5 * (low1 - mean1)).margin(1e-3));
  CHECK(found.flipped_largest[0] == Approx(flips / 20.0));
  CHECK(found.effect_largest[2] == Approx(0.0).margin(1e-9));
  const auto scores = fl::paper::attfind_scores(found);
  CHECK((scores[0] > 0.0 && scores[1] < 0.0 && scores[2] == 0.0));
  // Once the strongest channel has explained what it flips, only those that flip one of the rest follow.
  std::int64_t explained = 0;
  for (const auto& pick : found.cover) explained += pick.explained;
  CHECK(explained + found.unexplained == 20);
  for (const auto& pick : found.cover) CHECK(pick.explained > 0);
}

TEST_CASE("the examined channels are the first by difference and an even spread of the others, without colour layers",
          "[analysis][attfind]") {
  const world::Setup setup = world::build({[](std::span<const double> x, std::int64_t) {
    return world::Answers{world::logistic(4.0 * (1.0 - x[0])), x[0] > 1.0};
  }});
  const auto channels = fl::paper::attfind_channels(setup.problem, {.ranked_channels = 5, .spread_channels = 5});
  CHECK(channels.size() == 10);
  CHECK(std::is_sorted(channels.begin(), channels.end()));
  for (const auto k : channels) CHECK(k < 30);  // 30 .. 39 are b8.torgb
  const auto scores = fl::analysis::channel_scores(setup.problem, setup.problem.discovery,
                                                   fl::analysis::ChannelScore::NormalizedDifferencePooled);
  std::int64_t kept = 0;
  for (const auto k : fl::analysis::top_channels(scores, fl::analysis::ChannelScore::NormalizedDifferencePooled, 40)) {
    if (k >= 30 || kept == 5) continue;
    ++kept;
    CHECK(std::find(channels.begin(), channels.end(), k) != channels.end());
  }
  CHECK(fl::paper::attfind_channels(setup.problem, {.ranked_channels = 1000}).size() == 30);
  CHECK_THROWS_AS(fl::paper::attfind_channels(setup.problem, {.images = -1}), fl::Error);
  CHECK_THROWS_AS(fl::paper::attfind(setup.problem, {3, 3}), fl::Error);
  CHECK_THROWS_AS(fl::paper::attfind(setup.problem, {40}), fl::Error);
}

TEST_CASE("AttFind without a single latent that passes is a result", "[analysis][attfind]") {
  const world::Setup setup = world::build({[](std::span<const double>, std::int64_t) {
    return world::Answers{0.1, true};
  }});
  const auto found = fl::paper::attfind(setup.problem, {0, 1}, {.images = 4}, 8);
  CHECK(found.images == 0);
  CHECK(found.cost == 0);
  CHECK(found.cover.empty());
  CHECK(fl::paper::attfind_scores(found).empty());
}

TEST_CASE("agreement of rankings is over the channels in common", "[analysis][agreement]") {
  const fl::analysis::ChannelRanking all{"all", {0, 1, 2, 3, 4, 5}, {6.0, -5.0, 4.0, 3.0, -2.0, 0.0}};
  const fl::analysis::ChannelRanking part{"part", {5, 3, 1}, {9.0, 2.0, 1.0}};
  const fl::analysis::ChannelRanking flat{"flat", {0, 1, 2}, {1.0, -1.0, 1.0}};
  const auto table = fl::analysis::ranking_agreement(std::vector{all, part, flat}, 2);
  REQUIRE(table.size() == 3);
  CHECK(
      (table[0].first == "all" && table[0].second == "part" && table[2].first == "part" && table[2].second == "flat"));
  CHECK(table[0].channels == 3);  // 1, 3, 5: strengths 5, 3, 0 and 1, 2, 9
  CHECK(table[0].tau.value() == Approx(-1.0));
  CHECK(table[0].jaccard == Approx(1.0 / 3.0));      // {1, 3} and {5, 3}
  CHECK(table[0].same_sign.value() == Approx(0.5));  // 3 yes, 1 no, 5 gives none
  CHECK(table[1].tau == std::nullopt);               // all strengths equal
  CHECK(table[1].same_sign == 1.0);
  CHECK(table[1].jaccard == 1.0);
  CHECK(table[2].channels == 1);
  CHECK(table[2].tau == std::nullopt);
  CHECK_THROWS_AS(fl::analysis::ranking_agreement(std::vector{fl::analysis::ChannelRanking{"odd", {1, 2}, {1.0}}}),
                  fl::Error);
  CHECK_THROWS_AS(
      fl::analysis::ranking_agreement(std::vector{fl::analysis::ChannelRanking{"twice", {1, 1}, {1.0, 2.0}}, all}),
      fl::Error);
}
