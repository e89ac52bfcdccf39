// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Distances to failure against worlds where every one of them is known: medians, flags, centres, the paper's search,
// and what it all costs.

#include <analysis/findings_world.hpp>

#include <support/catch2.hpp>

#include <faultline/analysis/describe/carriers.hpp>
#include <faultline/analysis/distance/detail/image_distance.hpp>
#include <faultline/analysis/distance/threshold.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace fl = faultline;
namespace world = findings_world;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Certain of its answer up to x0 = 1.5, wrong from x0 = 2.
world::World slope() {
  return {[](std::span<const double> x, std::int64_t) {
    return world::Answers{world::logistic(4.0 * (1.5 - x[0])), x[0] > 2.0};
  }};
}

/// Coordinate j of the start latents the search is documented to use: the first 64 held-out ones that do not fail.
std::vector<double> start_coordinates(const world::Setup& setup, std::int64_t j,
                                      std::optional<std::int64_t> label = std::nullopt) {
  std::vector<double> values;
  for (std::int64_t i = 0; static_cast<std::int64_t>(values.size()) < setup.options.threshold_latents; ++i) {
    const fl::Population one = setup.problem.sample(fl::core::start_first + i, 1);
    if (one.failed[0] == 0 && (!label || one.label[0] == *label))
      values.push_back(world::coordinates(one.index[0])[static_cast<std::size_t>(j)]);
  }
  return values;
}

std::vector<double> distances_to(const std::vector<double>& starts, double level) {
  std::vector<double> distances;
  for (const double start : starts)
    if (start < level) distances.push_back(level - start);
  return distances;
}

fl::Finding measured(const world::Setup& setup, fl::Finding finding, bool with_carrier = false) {
  if (with_carrier) fl::analysis::attach_carriers(setup.context(), finding);
  fl::analysis::measure_thresholds(setup.context(), std::span<fl::Finding>(&finding, 1));
  return finding;
}

}  // namespace

TEST_CASE("a crossing search closes its bracket with no more values than bisection") {
  const std::vector<std::pair<std::string, std::function<double(double)>>> curves = {
      {"line", [](double t) { return 1.0 - t; }},
      {"steep", [](double t) { return std::tanh(40.0 * (0.3217 - t)); }},
      {"flat", [](double t) { return std::pow(1.2 - t, 3.0); }},
      {"late", [](double t) { return 1.2499 - t; }},
      {"early", [](double t) { return 0.0001 - t; }},
      {"step", [](double t) { return t < 0.777 ? 1.0 : -1.0; }},
      {"lopsided", [](double t) { return t < 0.4 ? 20.0 : -1e-9; }},
      {"touching", [](double t) { return std::max(0.0, 0.6 - t); }},
  };
  for (const auto& [name, curve] : curves) {
    INFO(name);
    fl::analysis::CrossingSearch search(0.0, curve(0.0), 1.25, curve(1.25), 0.01);
    int asked = 0;
    while (!search.done()) {
      const double t = search.ask();
      REQUIRE(t > search.near_end());
      REQUIRE(t < search.far_end());
      search.tell(t, curve(t));
      ++asked;
    }
    CHECK(asked <= 7);
    CHECK(search.far_end() - search.near_end() <= 0.01);
    CHECK(curve(search.near_end()) > 0.0);
    CHECK(curve(search.far_end()) <= 0.0);
  }
  fl::analysis::CrossingSearch search(0.0, 1.0, 1.25, -1.0, 0.01);
  search.tell(2.0, 1.0);  // from another bracket
  search.tell(1.0, -1.0);
  search.tell(0.995, 1.0);
  CHECK(search.done());
  CHECK(search.near_end() == 0.995);
  CHECK(search.far_end() == 1.0);
  CHECK(fl::analysis::CrossingSearch().done());
  CHECK_FALSE(fl::analysis::CrossingSearch().crossed());
}

TEST_CASE("both crossings of a known slope are found to the tolerance") {
  const world::Setup setup = world::build(slope());
  const fl::Finding finding = measured(setup, setup.along(0), true);
  const auto starts = start_coordinates(setup, 0);
  REQUIRE(finding.threshold.even_odds);
  REQUIRE(finding.threshold.flip);
  const fl::Crossing& even_odds = *finding.threshold.even_odds;
  const fl::Crossing& flip = *finding.threshold.flip;

  const auto to_even_odds = distances_to(starts, 1.5), to_flip = distances_to(starts, 2.0);
  CHECK(even_odds.latents == static_cast<std::int64_t>(to_even_odds.size()));
  CHECK(even_odds.left_out == 64 - even_odds.latents);
  CHECK(even_odds.left_out > 0);
  CHECK(flip.latents == 64);
  CHECK(flip.left_out == 0);
  CHECK(even_odds.crossed_share == 1.0);
  CHECK(flip.crossed_share == 1.0);
  // The failing end lies beyond the crossing by at most the tolerance, so every order statistic does.
  const auto beyond = [](double reported, double truth) {
    return reported >= truth - 1e-4 && reported <= truth + 0.01;
  };
  CHECK(beyond(even_odds.sigmas, fl::statistics::median(to_even_odds)));
  CHECK(beyond(flip.sigmas, fl::statistics::median(to_flip)));
  CHECK(beyond(flip.lower, fl::statistics::median_interval(to_flip).lower));
  CHECK(beyond(flip.upper, fl::statistics::median_interval(to_flip).upper));
  CHECK(beyond(flip.quartile_low, fl::statistics::quantile(to_flip, 0.25)));
  CHECK(beyond(flip.quartile_high, fl::statistics::quantile(to_flip, 0.75)));
  // Phi(1.5) and Phi(2); the population of 1500 has a standard error of .7 points, the fitted direction adds as much.
  CHECK(even_odds.percentile == Approx(93.3).margin(3.0));
  CHECK(flip.percentile == Approx(97.7).margin(2.0));
  CHECK(even_odds.monotone);
  CHECK(flip.monotone_share == 1.0);
  CHECK_FALSE(flip.off_manifold);
  CHECK(flip.off_manifold_share == 0.0);
  // One of sixteen pixels moves by 1/20 per standard deviation.
  CHECK(flip.image_rms == Approx(flip.sigmas / 20.0 / 4.0).epsilon(0.02));
  CHECK(flip.image_ssim < 1.0);
  CHECK(flip.image_ssim > 0.0);

  REQUIRE(finding.carriers.front().channel.flat == 0);
  REQUIRE(finding.carriers.front().threshold);
  // The only channel the image shows, so the distances agree up to the sample's deviation
  const fl::analysis::Threshold& alone = *finding.carriers.front().threshold;
  REQUIRE(alone.flip);
  CHECK(alone.flip->sigmas == Approx(flip.sigmas).epsilon(0.06));
  CHECK(alone.flip->percentile == Approx(97.7).margin(2.0));
  REQUIRE(alone.even_odds);
  CHECK(alone.even_odds->latents == even_odds.latents);
  CHECK_FALSE(finding.validity.agreement);
  CHECK_FALSE(finding.validity.decision);
}

TEST_CASE("a negative channel is moved against its sign") {
  const world::Setup setup = world::build({[](std::span<const double> x, std::int64_t) {
    return world::Answers{world::logistic(4.0 * (1.0 - x[1])), x[1] > 1.0};
  }});
  const fl::Finding finding = measured(setup, setup.along(1), true);
  REQUIRE(finding.carriers.front().channel.flat == 1);
  CHECK(finding.carriers.front().sign == -1);
  REQUIRE(finding.threshold.flip);
  REQUIRE(finding.carriers.front().threshold->flip);
  CHECK(finding.carriers.front().threshold->flip->sigmas == Approx(finding.threshold.flip->sigmas).epsilon(0.06));
}

TEST_CASE("a direction that changes nothing has no crossing") {
  const world::Setup setup = world::build(slope());
  const fl::Finding finding = measured(setup, setup.along(3), true);
  CHECK_FALSE(finding.threshold.even_odds);
  CHECK_FALSE(finding.threshold.flip);
  REQUIRE(finding.carriers.front().threshold);
  CHECK_FALSE(finding.carriers.front().threshold->flip);
  REQUIRE(finding.threshold.centres.size() == 3);
  for (const fl::analysis::CentreDistance& centre : finding.threshold.centres) {
    CHECK(centre.probability > 0.99);
    CHECK_FALSE(centre.even_odds);
    CHECK_FALSE(centre.flip);
    CHECK_FALSE(centre.paper);
  }
  CHECK(finding.examples.size() == fl::analysis::examples_per_finding);
  for (const fl::analysis::ExampleLatent& example : finding.examples) CHECK_FALSE(example.flip);
}

TEST_CASE("latents that never cross count as infinitely far") {
  const world::Setup setup = world::build({[](std::span<const double> x, std::int64_t label) {
    const double level = label == 0 ? 1.0 : 40.0;
    return world::Answers{world::logistic(4.0 * (level - x[0])), x[0] > level};
  }});
  const fl::Finding finding = measured(setup, setup.along(0));
  REQUIRE(finding.threshold.flip);
  const fl::Crossing& flip = *finding.threshold.flip;
  CHECK(flip.crossed_share > 0.1);
  CHECK(flip.crossed_share < 0.5);
  CHECK(flip.sigmas == infinity);
  CHECK(flip.upper == infinity);
  CHECK(flip.quartile_high == infinity);
  CHECK(std::isfinite(flip.percentile));
  CHECK(std::isfinite(flip.image_rms));
  CHECK(flip.off_manifold);               // the median crossing is nowhere
  CHECK(flip.off_manifold_share == 0.0);  // but those that exist are within the population
  CHECK(flip.monotone);

  fl::Finding one_class = setup.along(0);
  one_class.direction.class_label = 0;
  one_class = measured(setup, one_class);
  REQUIRE(one_class.threshold.flip);
  CHECK(one_class.threshold.flip->latents == 64);
  CHECK(one_class.threshold.flip->crossed_share == 1.0);
  const double truth = fl::statistics::median(distances_to(start_coordinates(setup, 0, 0), 1.0));
  CHECK(one_class.threshold.flip->sigmas >= truth - 1e-4);
  CHECK(one_class.threshold.flip->sigmas <= truth + 0.01);
  REQUIRE(one_class.threshold.centres.size() == 1);
  CHECK(one_class.threshold.centres[0].class_label == 0);
  for (const fl::analysis::ExampleLatent& example : one_class.examples) CHECK(example.label == 0);
}

TEST_CASE("crossings outside the population are flagged") {
  const world::Setup setup = world::build({[](std::span<const double> x, std::int64_t) {
    return world::Answers{world::logistic(4.0 * (6.0 - x[0])), x[0] > 6.0};
  }});
  const fl::Finding finding = measured(setup, setup.along(0));
  REQUIRE(finding.threshold.flip);
  CHECK(finding.threshold.flip->off_manifold);
  CHECK(finding.threshold.flip->off_manifold_share == 1.0);
  CHECK(finding.threshold.flip->percentile == 100.0);
}

TEST_CASE("a profile that comes back is not monotone") {
  const world::Setup setup = world::build({[](std::span<const double> x, std::int64_t) {
    const bool inside = x[0] > 2.0 && x[0] < 5.0;
    return world::Answers{inside ? 0.1 : 0.9, inside};
  }});
  const fl::Finding finding = measured(setup, setup.along(0));
  REQUIRE(finding.threshold.flip);
  CHECK_FALSE(finding.threshold.flip->monotone);
  CHECK(finding.threshold.flip->monotone_share == 0.0);
  CHECK_FALSE(finding.threshold.even_odds->monotone);
  // The first crossing, not a later one
  CHECK(finding.threshold.flip->sigmas ==
        Approx(2.0 - fl::statistics::median(start_coordinates(setup, 0))).margin(0.3));
}

TEST_CASE("distances without centres are the same from the start latents and cost less") {
  world::Setup setup = world::build(slope());
  const fl::Finding with = measured(setup, setup.along(0));
  setup.options.centre_distances = false;
  const fl::Finding without = measured(setup, setup.along(0));
  CHECK_FALSE(with.threshold.centres.empty());
  CHECK(without.threshold.centres.empty());
  CHECK(without.threshold.flip->sigmas == with.threshold.flip->sigmas);
  CHECK(without.threshold.even_odds->sigmas == with.threshold.even_odds->sigmas);
}

TEST_CASE("distances from the centres agree with a plain walk") {
  const world::Setup setup = world::build({[](std::span<const double> x, std::int64_t label) {
    const double level = label == 0 ? 1.5 : label == 1 ? 13.7 : -2.5;
    return world::Answers{world::logistic(0.8 * (level - x[0])), x[0] > level + 0.5};
  }});
  const fl::Finding finding = measured(setup, setup.along(0));
  REQUIRE(finding.threshold.centres.size() == 3);
  const auto centres = fl::analysis::success_centres(setup.problem);
  for (std::size_t c = 0; c < 3; ++c) {
    const fl::analysis::CentreDistance& centre = finding.threshold.centres[c];
    CHECK(centre.class_label == static_cast<std::int64_t>(c));
    const auto p = [&](double t) {
      const fl::analysis::EditedLatent edited{{centres[c].w, static_cast<std::int64_t>(c)},
                                              fl::Edit::in_w(finding.direction.w, t)};
      return static_cast<double>(setup.problem.answer_edits(std::span(&edited, 1), {}).first().probability[0]);
    };
    CHECK(centre.probability == Approx(p(0.0)));
    if (c == 2) {  // the few successes of this class are unsure themselves
      CHECK(centre.even_odds == 0.0);
      CHECK(centre.paper == 0.0);
      continue;
    }
    double walked = 0.0;  // the paper's search, step by step
    while (p(walked) > 0.5) walked += 5.0;
    int back = 0;
    while (p(walked - 0.01 * back) < 0.495) ++back;
    REQUIRE(centre.paper);
    CHECK(*centre.paper == Approx(walked - 0.01 * back).margin(1e-9));
    if (c == 1) {
      CHECK_FALSE(centre.even_odds);  // beyond the 10 standard deviations of the grid
      continue;
    }
    REQUIRE(centre.even_odds);
    CHECK(p(*centre.even_odds) <= 0.5);
    CHECK(p(*centre.even_odds - 0.01) > 0.5);
    REQUIRE(centre.flip);
    CHECK(*centre.flip - *centre.even_odds == Approx(0.5).margin(0.011));
  }
}

TEST_CASE("examples are reproducible latents spread over distances and classes") {
  const world::Setup setup = world::build(slope());
  const fl::Finding finding = measured(setup, setup.along(0));
  REQUIRE(finding.examples.size() == fl::analysis::examples_per_finding);
  std::set<std::int64_t> indices, labels;
  double last = 0.0;
  for (const fl::analysis::ExampleLatent& example : finding.examples) {
    indices.insert(example.index);
    labels.insert(example.label);
    CHECK(example.index >= fl::core::start_first);
    CHECK(example.label == world::label_of(example.index));
    REQUIRE(example.flip);
    CHECK(*example.flip >= last);
    last = *example.flip;
    const double x = world::coordinates(example.index)[0];
    CHECK(example.probability == Approx(world::logistic(4.0 * (1.5 - x))).epsilon(1e-5));
    CHECK(*example.flip >= 2.0 - x - 1e-4);
    CHECK(*example.flip <= 2.0 - x + 0.01);
  }
  CHECK(indices.size() == fl::analysis::examples_per_finding);
  CHECK(labels.size() == 3);
  CHECK(*finding.examples.front().flip < finding.threshold.flip->quartile_low);
  CHECK(*finding.examples.back().flip > finding.threshold.flip->quartile_high);
}

TEST_CASE("an image that does not fail again is not reported") {
  world::Setup setup = world::build(slope());
  const auto honest = setup.problem.answer_edits;
  const auto never = [](fl::analysis::EditAnswers answers) {
    for (auto& f : answers.classifiers[0].failed) f = 0;
    for (auto& p : answers.classifiers[0].probability) p = 0.9f;
    return answers;
  };
  SECTION("in a batch") {
    setup.problem.answer_edits = [&](std::span<const fl::analysis::EditedLatent> edits,
                                     const fl::analysis::WantedAnswers& wanted) {
      return wanted.images ? never(honest(edits, wanted)) : honest(edits, wanted);
    };
    const fl::Finding finding = measured(setup, setup.along(0));
    CHECK_FALSE(finding.threshold.even_odds);
    CHECK_FALSE(finding.threshold.flip);
  }
  SECTION("alone") {
    setup.problem.answer_edits = [&](std::span<const fl::analysis::EditedLatent> edits,
                                     const fl::analysis::WantedAnswers& wanted) {
      return wanted.alone ? never(honest(edits, wanted)) : honest(edits, wanted);
    };
    const fl::Finding finding = measured(setup, setup.along(0));
    REQUIRE(finding.threshold.flip);
    CHECK(finding.threshold.flip->crossed_share == Approx((64.0 - fl::analysis::examples_per_finding) / 64.0));
    for (const fl::analysis::ExampleLatent& example : finding.examples) CHECK_FALSE(example.flip);
  }
}

TEST_CASE("findings measured together share batches and get the distances they get alone") {
  const world::Setup setup = world::build({[](std::span<const double> x, std::int64_t) {
    const double worst = std::max(x[0] - 1.5, x[1] - 1.8);
    return world::Answers{world::logistic(-3.0 * worst), worst > 0.2};
  }});
  std::vector<fl::Finding> together = {setup.along(0), setup.along(1), setup.along(2), setup.along(1, -1.0)};
  fl::analysis::attach_carriers(setup.context(), together);
  *setup.counts = {};
  fl::analysis::measure_thresholds(setup.context(), together);
  const world::Counts shared = *setup.counts;
  // Every line: 8 on the grid, 7 for each crossing, 2 to check; then starts, centres with the paper's search, and the
  // examples one by one.
  const std::int64_t lines = 2 * 4 * (64 + 3);
  CHECK(shared.rows <= lines * (8 + 14 + 2) + 64 + 2 * 3 + 2 * 4 * 3 * (18 + 24) + 4 * 8);
  // Findings and carriers share every request: centres, the grid, 7 refinements, the paper's search, the checks in
  // blocks of 256 images, and the examples.
  CHECK(shared.calls <= 1 + 1 + 7 + 3 + 6 + 1 + 2 * lines / 256 + 2 + 1);
  for (const fl::Finding& one : together) {
    fl::Finding alone = one;
    alone.threshold = {};
    alone = measured(setup, alone);
    REQUIRE(alone.threshold.flip.has_value() == one.threshold.flip.has_value());
    if (!alone.threshold.flip) continue;
    CHECK(alone.threshold.flip->sigmas == one.threshold.flip->sigmas);
    CHECK(alone.threshold.flip->image_rms == one.threshold.flip->image_rms);
    CHECK(alone.threshold.even_odds->sigmas == one.threshold.even_odds->sigmas);
  }
  CHECK(together[0].threshold.flip);
  CHECK_FALSE(together[2].threshold.flip);
}

TEST_CASE("progress is reported and ends complete") {
  world::Setup setup = world::build(slope());
  std::vector<fl::Progress> seen;
  setup.options.progress = [&](const fl::Progress& progress) { seen.push_back(progress); };
  (void)measured(setup, setup.along(0));
  REQUIRE(!seen.empty());
  CHECK(seen.back().done == seen.back().total);
  for (std::size_t i = 0; i < seen.size(); ++i) CHECK(seen[i].done == static_cast<std::int64_t>(i) + 1);
}

TEST_CASE("a classifier that always fails leaves no start latents and no crossing") {
  const world::Setup setup = world::build({[](std::span<const double>, std::int64_t) {
    return world::Answers{0.1, true};
  }});
  const fl::Finding finding = measured(setup, setup.along(0));
  CHECK_FALSE(finding.threshold.even_odds);
  CHECK_FALSE(finding.threshold.flip);
  CHECK(finding.threshold.centres.empty());
  CHECK(finding.examples.empty());
}

TEST_CASE("measure_thresholds refuses a direction of another size") {
  const world::Setup setup = world::build(slope());
  fl::Finding finding = setup.along(0);
  finding.direction.w.pop_back();
  try {
    fl::analysis::measure_thresholds(setup.context(), std::span<fl::Finding>(&finding, 1));
    FAIL("nothing was thrown");
  } catch (const fl::Error& error) {
    CHECK(error.code() == fl::ErrorCode::shape_mismatch);
  }
}

TEST_CASE("image distances are those of their definitions") {
  const fl::ImageShape shape{2, 16, 12};
  std::vector<float> a(static_cast<std::size_t>(shape.elements()), 0.6f), b(a.size(), 0.4f);
  CHECK(fl::analysis::detail::image_rms(a, b) == Approx(0.2));
  CHECK(fl::analysis::detail::image_ssim(a, b, shape) ==
        Approx((2 * 0.24 + 1e-4) / (0.36 + 0.16 + 1e-4)).epsilon(1e-4));
  CHECK(fl::analysis::detail::image_ssim(a, a, shape) == Approx(1.0));
  fl::core::CounterRandom random(2, fl::core::Stream::corruptions, 0);
  for (std::size_t i = 0; i < a.size(); ++i)
    a[i] = 0.5f + 0.4f * static_cast<float>(std::sin(0.3 * static_cast<double>(i % 12)));
  double last = 1.0;
  for (const float strength : {0.02f, 0.05f, 0.1f, 0.3f}) {
    for (std::size_t i = 0; i < a.size(); ++i) b[i] = a[i] + strength * static_cast<float>(random.normal());
    const double similarity = fl::analysis::detail::image_ssim(a, b, shape);
    CHECK(similarity < last);
    CHECK(similarity == Approx(fl::analysis::detail::image_ssim(b, a, shape)));
    last = similarity;
  }
  CHECK(last < 0.6);
  CHECK(fl::analysis::detail::image_ssim({}, {}, {1, 0, 0}) == 1.0);
}
