// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The paper's method on a world with closed forms: distances of class centres, corner cases, effects, and all that
// may be missing.

#include <analysis/findings_world.hpp>

#include <support/catch2.hpp>

#include <faultline/analysis/paper/paper_method.hpp>
#include <faultline/analysis/paper/property_spread.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace fl = faultline;
namespace world = findings_world;

namespace {

/// Right while x0 + x1 / 2 stays below 1.5; class 2 never fails.
world::World slope() {
  return {[](std::span<const double> x, std::int64_t label) {
    const double p = label == 2 ? 0.99 : world::logistic(4.0 * (1.5 - x[0] - 0.5 * x[1]));
    return world::Answers{p, p < 0.5};
  }};
}

/// x of the centre of the successes of a class on the discovery split.
std::vector<double> centre(const fl::Problem& problem, std::int64_t label) {
  std::vector<double> sum(world::w_dim, 0.0);
  double n = 0.0;
  for (std::int64_t i = 0; i < problem.discovery.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (problem.discovery.label[at] != label || problem.discovery.failed[at] != 0) continue;
    const auto x = world::coordinates(i);
    for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += x[j];
    n += 1.0;
  }
  for (double& value : sum) value /= n;
  return sum;
}

/// Total unbiased standard deviation of a style channel, sample by sample.
double sigma_total(const fl::Problem& problem, std::int64_t channel) {
  std::vector<double> s;
  for (std::int64_t i = 0; i < problem.discovery.size(); ++i) {
    double sum = 0.0;
    for (std::int64_t j = 0; j < world::w_dim; ++j)
      sum += problem.style_matrix(channel, j) * static_cast<double>(problem.discovery.w(i, j));
    s.push_back(sum);
  }
  const double mean = std::accumulate(s.begin(), s.end(), 0.0) / static_cast<double>(s.size());
  double squares = 0.0;
  for (const double value : s) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(s.size() - 1));
}

/// Everything but the shown channels is left out of the pool by an all but useless world: with 40 channels the pool
/// holds all of them.
fl::PaperOptions quick() {
  fl::PaperOptions options;
  options.attfind = {.images = 8, .ranked_channels = 6, .spread_channels = 4};
  options.random_channels = 8;
  return options;
}

}  // namespace

TEST_CASE("class centres are shifted to p = .5 in units of the total standard deviation", "[analysis][paper]") {
  const world::Setup setup = world::build(slope());
  fl::PaperOptions options = quick();
  options.top = 40;  // so that channels 0 and 1 are among them
  const auto report = fl::paper::paper_method(setup.problem, options);
  CHECK(report.schema == "faultline.paper/1");
  CHECK(report.note.empty());
  CHECK(report.failure_rate.failures == setup.problem.discovery.failures());
  REQUIRE(report.top.size() == 39);  // the constant channel is nowhere to go
  REQUIRE(report.classes.size() == 3);
  int checked = 0;
  for (std::size_t k = 0; k < report.top.size(); ++k) {
    const auto& row = report.top[k];
    const auto flat = row.ranked.channel.flat;
    CHECK((row.ranked.sign > 0) == (row.ranked.normalized_difference > 0));
    if (k > 0)
      CHECK(std::abs(row.ranked.normalized_difference) <= std::abs(report.top[k - 1].ranked.normalized_difference));
    for (const std::int64_t label : {0, 1}) {
      const auto x = centre(setup.problem, label);
      const auto& distance = report.classes[static_cast<std::size_t>(label)].distances[k];
      const double weight = flat == 0 ? 1.0 : flat == 1 ? 0.5 : 0.0;
      const double slope =
          flat < world::w_dim ? weight * row.ranked.sign * row.ranked.sigma_total / world::scale(flat) : 0.0;
      if (slope <= 0.0) {  // shows nothing in the image, or points away
        CHECK(distance.status == fl::paper::PaperCrossing::never_crosses);
        CHECK_FALSE(distance.sigmas);
        continue;
      }
      ++checked;
      CHECK(row.ranked.sigma_total == Approx(sigma_total(setup.problem, flat)).epsilon(1e-6));
      REQUIRE(distance.sigmas);
      // The search walks back in steps of .01 to p >= .495: log odds of -.02, so x0 + x1/2 = 1.505.
      const double exact = (1.505 - x[0] - 0.5 * x[1]) / slope;
      CHECK(*distance.sigmas <= exact + 1e-4);
      CHECK(*distance.sigmas > exact - 0.0101);
      CHECK(distance.probability >= 0.495 - 1e-4);
      CHECK(distance.probability < 0.53);
    }
  }
  CHECK(checked >= 2);
  CHECK(report.classes[0].status == fl::paper::PaperClassStatus::complete);
  CHECK(report.classes[0].note.find("never bring p(y) to .5") != std::string::npos);
  CHECK(report.classes[2].status == fl::paper::PaperClassStatus::no_failures);
  CHECK(report.classes[2].note.find("No sample of this class fails") == 0);
  CHECK(report.classes[2].note.find("Not even all of them together do.") != std::string::npos);
  CHECK(report.classes[2].distances.size() == report.top.size());
  REQUIRE(report.classes[2].together);
  CHECK(report.classes[2].together->status == fl::paper::PaperCrossing::never_crosses);
}

TEST_CASE("channels shifted together add up, and so do their effects on held-out latents", "[analysis][paper]") {
  const world::Setup setup = world::build(slope());
  const auto report = fl::paper::paper_method(setup.problem, quick());
  double slope = 0.0;
  for (const auto& row : report.top) {
    const auto flat = row.ranked.channel.flat;
    if (flat < 2) slope += (flat == 0 ? 1.0 : 0.5) * row.ranked.sign * row.ranked.sigma_total / world::scale(flat);
  }
  const auto x = centre(setup.problem, 0);
  REQUIRE(report.classes[0].together);
  if (slope > 0.02) {
    REQUIRE(report.classes[0].together->sigmas);
    CHECK(*report.classes[0].together->sigmas == Approx((1.505 - x[0] - 0.5 * x[1]) / slope).margin(0.0102));
  }
  // Effects of the first latents, from the rule itself.
  CHECK(report.effect_latents == 128);
  CHECK(report.random_channel_effects.size() == 8);
  REQUIRE(report.together);
  const auto effect = [&](double sigmas) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < 128; ++i) {
      const auto y = world::coordinates(fl::core::intervention_first + i);
      const bool immune = world::label_of(fl::core::intervention_first + i) == 2;
      const auto fails = [&](double by) { return !immune && y[0] + 0.5 * y[1] + by > 1.5 ? 1.0 : 0.0; };
      sum += fails(2.0 * sigmas) - fails(-2.0 * sigmas);
    }
    return sum / 128.0;
  };
  CHECK(report.together->effect == Approx(effect(slope)).margin(1.01 / 128));  // a latent may sit on the edge
  for (const auto& row : report.top) {
    const auto flat = row.ranked.channel.flat;
    const double own =
        flat < 2 ? (flat == 0 ? 1.0 : 0.5) * row.ranked.sign * row.ranked.sigma_total / world::scale(flat) : 0.0;
    CHECK(row.effect.effect == Approx(effect(own)).margin(1.01 / 128));
    CHECK(row.effect.lower <= row.effect.effect);
  }
  // Every ranking against every other; the gradient is not there.
  CHECK(report.top_by_gradient.empty());
  CHECK(report.agreement.size() == 10);
  for (const auto& row : report.agreement) CHECK(row.channels == (row.second == "AttFind" ? 10 : 40));
  CHECK(fl::paper::paper_method(setup.problem, quick()).classes[1].corner_cases[0].sigmas ==
        report.classes[1].corner_cases[0].sigmas);
}

TEST_CASE("corner cases stop at the first half step that fails", "[analysis][paper]") {
  const world::Setup setup = world::build(slope());
  const std::vector<fl::paper::ChannelShift> pool{{0, 0.4}, {1, -0.6}, {6, 1.0}, {7, 1.0}, {8, -1.0}, {9, 1.0}};
  const auto cases = fl::paper::corner_cases(setup.problem, pool, {.cases = 6, .pool = 5, .channels = 3});
  REQUIRE(cases.size() == 18);
  std::set<std::vector<std::int64_t>> seen;
  int crossed = 0;
  for (std::size_t c = 0; c < cases.size(); ++c) {
    const fl::paper::CornerCase& one = cases[c];
    CHECK(one.class_label == static_cast<std::int64_t>(c / 6));
    REQUIRE(one.channels.size() == 3);
    CHECK(std::set<std::int64_t>(one.channels.begin(), one.channels.end()).size() == 3);
    CHECK(std::is_sorted(one.channels.begin(), one.channels.end()));                      // as the pool is
    CHECK(std::find(one.channels.begin(), one.channels.end(), 9) == one.channels.end());  // outside the first five
    seen.insert(one.channels);
    double slope = 0.0;
    for (std::size_t k = 0; k < 3; ++k) {
      CHECK(one.signs[k] == (one.channels[k] == 1 || one.channels[k] == 8 ? -1 : 1));
      slope += one.channels[k] == 0 ? 0.4 : one.channels[k] == 1 ? 0.5 * 0.6 / 2.0 : 0.0;
    }
    REQUIRE(one.images.count() == 2);
    CHECK(one.images.shape() == fl::ImageShape{1, 4, 4});
    const auto x = centre(setup.problem, one.class_label);
    CHECK(one.images.image(0)[0] == Approx(0.5 + x[0] / 20.0).margin(1e-5));
    const double exact = (1.5 - x[0] - 0.5 * x[1]) / slope;
    if (one.class_label == 2 || slope == 0.0 || exact > 20.0) {
      CHECK_FALSE(one.failed);
      CHECK(one.sigmas == 20.0);
      CHECK(one.prediction == one.class_label);
      continue;
    }
    ++crossed;
    CHECK(one.failed);
    CHECK(one.sigmas == 0.5 * std::ceil(exact / 0.5));
    CHECK(one.probability < 0.5);
    CHECK(one.prediction != one.class_label);
    const bool has = one.channels[0] == 0;
    CHECK(one.images.image(1)[0] == Approx(0.5 + (x[0] + (has ? 0.4 * one.sigmas : 0.0)) / 20.0).margin(1e-5));
  }
  CHECK(crossed > 5);
  CHECK(seen.size() > 3);
  CHECK(fl::paper::corner_cases(setup.problem, pool, {.cases = 0}).empty());
  CHECK(fl::paper::corner_cases(setup.problem, {}).empty());
  for (const fl::paper::CornerCaseOptions& bad :
       {fl::paper::CornerCaseOptions{.cases = -1}, fl::paper::CornerCaseOptions{.pool = 0},
        fl::paper::CornerCaseOptions{.channels = 0}, fl::paper::CornerCaseOptions{.step = 0.0},
        fl::paper::CornerCaseOptions{.step = 0.5, .reach = 0.1},
        fl::paper::CornerCaseOptions{.reach = std::numeric_limits<double>::infinity()}})
    CHECK_THROWS_AS(fl::paper::corner_cases(setup.problem, pool, bad), fl::Error);
}

TEST_CASE("a corner case whose centre fails itself needs no step", "[analysis][paper]") {
  // Fails in the middle, so the mean of the successes fails
  const world::Setup setup = world::build({[](std::span<const double> x, std::int64_t) {
    return std::abs(x[0]) < 0.5 ? world::Answers{0.2, true} : world::Answers{0.9, false};
  }});
  for (const fl::paper::CornerCase& one :
       fl::paper::corner_cases(setup.problem, std::vector<fl::paper::ChannelShift>{{0, 1.0}, {1, 1.0}}, {.cases = 1})) {
    CHECK(one.failed);
    CHECK(one.sigmas == 0.0);
    CHECK(one.channels.size() == 2);
    CHECK(std::equal(one.images.image(0).begin(), one.images.image(0).end(), one.images.image(1).begin()));
  }
}

TEST_CASE("what the paper's method cannot have is recorded and the rest survives", "[analysis][paper]") {
  // Class 0 always fails, class 1 fails as usual, class 2 starts below .5 although it is right.
  world::World odd{[](std::span<const double> x, std::int64_t label) {
    if (label == 0) return world::Answers{0.2, true};
    if (label == 2) return world::Answers{0.4, x[0] > 1.5};
    const double p = world::logistic(4.0 * (1.5 - x[0]));
    return world::Answers{p, p < 0.5};
  }};
  const world::Setup setup = world::build(odd);
  const auto report = fl::paper::paper_method(setup.problem, quick());
  const auto& classes = report.classes;
  CHECK(classes[0].status == fl::paper::PaperClassStatus::no_successes);
  CHECK(classes[0].distances.empty());
  CHECK_FALSE(classes[0].together);
  CHECK(classes[0].corner_cases.empty());
  CHECK(classes[0].note.find("no centre") != std::string::npos);
  CHECK(classes[1].status == fl::paper::PaperClassStatus::complete);
  CHECK(classes[1].distances.size() == 10);
  CHECK(classes[2].status == fl::paper::PaperClassStatus::centre_below_even_odds);
  CHECK(classes[2].note.find("beyond their target") != std::string::npos);
  for (const auto& distance : classes[2].distances)
    CHECK((distance.status == fl::paper::PaperCrossing::starts_below_even_odds && !distance.sigmas));
  CHECK(classes[2].corner_cases.size() == 3);

  for (const bool fails : {false, true}) {
    const world::Setup extreme = world::build({[fails](std::span<const double>, std::int64_t) {
      return world::Answers{fails ? 0.1 : 0.9, fails};
    }});
    const auto nothing = fl::paper::paper_method(extreme.problem, quick());
    CHECK(nothing.top.empty());
    CHECK(nothing.note.find(fails ? "Every sample fails" : "No sample fails") == 0);
    CHECK(nothing.classes.size() == 3);
    CHECK(nothing.classes[0].status ==
          (fails ? fl::paper::PaperClassStatus::no_successes : fl::paper::PaperClassStatus::no_failures));
  }
  fl::PaperOptions bad;
  bad.top = 0;
  CHECK_THROWS_AS(fl::paper::paper_method(setup.problem, bad), fl::Error);
  bad = {};
  bad.effect_latents = -1;
  CHECK_THROWS_AS(fl::paper::paper_method(setup.problem, bad), fl::Error);
}

TEST_CASE("a property that goes with failure everywhere is told from one that does so in some classes",
          "[analysis][paper]") {
  world::World mixed{[](std::span<const double> x, std::int64_t label) {
    const double p = world::logistic(4.0 * (1.6 - x[0] - static_cast<double>(label - 1) * x[1]));
    return world::Answers{p, p < 0.5};
  }};
  mixed.population = 6000;
  mixed.property_names = {"everywhere", "here and there", "nowhere", "constant"};
  mixed.properties = [](std::span<const double> x, std::int64_t label) {
    return std::vector<double>{3.0 * x[0] + static_cast<double>(label), x[1], x[2], 7.0};
  };
  const world::Setup setup = world::build(mixed);
  const auto spreads = fl::paper::property_spreads(setup.problem, setup.problem.discovery);
  REQUIRE(spreads.size() == 4);
  // By hand for one class: the difference over the pooled within-class deviation, 3 standard deviations of x0.
  double failing = 0.0, passing = 0.0, m = 0.0, n = 0.0;
  for (std::int64_t i = 0; i < setup.problem.discovery.size(); ++i) {
    if (setup.problem.discovery.label[static_cast<std::size_t>(i)] != 1) continue;
    const double x = world::coordinates(i)[0];
    if (setup.problem.discovery.failed[static_cast<std::size_t>(i)] != 0) failing += x, m += 1.0;
    else passing += x, n += 1.0;
  }
  REQUIRE(spreads[0].by_class[1]);
  CHECK(*spreads[0].by_class[1] == Approx(failing / m - passing / n).epsilon(0.04));
  CHECK(spreads[0].common > 1.0);
  CHECK(spreads[0].spread < 0.5 * spreads[0].common);
  CHECK(*spreads[1].by_class[0] < -0.5);
  CHECK(*spreads[1].by_class[2] > 0.5);
  CHECK(spreads[1].spread > 2.0 * std::abs(spreads[1].common));
  CHECK(std::abs(spreads[2].common) < 4.0 * spreads[2].error);
  CHECK(spreads[2].spread < 0.1);
  CHECK(spreads[3].common == 0.0);
  CHECK_FALSE(spreads[3].by_class[0]);
}
