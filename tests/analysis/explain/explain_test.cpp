// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Explaining one image by known causes, in a world where every coordinate and every reason is known.

#include <analysis/findings_world.hpp>

#include <faultline/analysis/explain/explain.hpp>
#include <faultline/error.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>

namespace fl = faultline;
namespace fw = findings_world;

namespace {

/// Fails where coordinate 0 or coordinate 1 exceeds 1.5; probability and failure agree.
fw::World two_faults() {
  fw::World world;
  world.answer = [](std::span<const double> x, std::int64_t) {
    const double excess = std::max(x[0], x[1]) - 1.5;
    return fw::Answers{fw::logistic(-3.0 * excess), excess > 0.0, true};
  };
  return world;
}

std::vector<fl::analysis::KnownCause> causes(const fw::Setup& setup, std::initializer_list<std::int64_t> coordinates) {
  std::vector<fl::analysis::KnownCause> result;
  for (const std::int64_t j : coordinates)
    result.push_back({"coordinate " + std::to_string(j), setup.along(j).direction, 1.5});
  return result;
}

std::vector<float> latent(std::vector<double> x, std::int64_t label) {
  const auto w = fw::mix(x, label);
  return {w.begin(), w.end()};
}

fl::ErrorCode code_of(const auto& function) {
  try {
    function();
  } catch (const fl::Error& error) {
    return error.code();
  }
  return fl::ErrorCode{0};
}

}  // namespace

TEST_CASE("a failing image is an instance of the cause that makes it fail") {
  const auto setup = fw::build(two_faults());
  const fl::Explainer explainer(setup.problem, causes(setup, {2, 1, 0}));
  const std::vector<double> x = {3.0, 0.4, 1.2, 0.0, -0.5, 0.3};
  const fl::Explanation why = explainer(latent(x, 1), 1);
  CHECK(why.failed);
  CHECK(why.prediction == 2);
  CHECK(why.probability == Approx(fw::logistic(-4.5)).epsilon(1e-3));
  REQUIRE(why.causes.size() == 3);
  const fl::analysis::ExplainedCause& first = why.causes[0];
  CHECK(explainer.causes()[first.cause].title == "coordinate 0");
  CHECK(first.coordinate == Approx(3.0).margin(0.25));  // 1500 samples know spread and class means to a few per cent
  CHECK(first.percentile > 99.0);
  CHECK(first.failing_side);
  CHECK(first.repaired);
  CHECK(first.gain > 3.0);
  CHECK(first.random_repaired.value() < 0.1);
  REQUIRE(first.flip);
  CHECK(*first.flip == Approx(-1.5).epsilon(0.06));
  // Success has coordinate 0 below 1.5, so its median lies below that of all, 0.
  CHECK(first.success_median < 0.0);
  CHECK(first.success_median > -0.35);
  for (std::size_t k = 1; k < 3; ++k) {
    CHECK_FALSE(why.causes[k].repaired);
    CHECK_FALSE(why.causes[k].flip);
    CHECK(std::abs(why.causes[k].gain) < 0.3);
  }
  CHECK(why.together_repaired);
  // The pictures show x: the first repair moves pixel 0 to the success median and leaves the others where they were, to
  // the accuracy of the fitted directions.
  REQUIRE(why.images.count() == 5);
  CHECK(why.images.image(0)[0] == Approx(0.5 + 3.0 / 20.0).margin(1e-4));
  CHECK(why.images.image(1)[0] == Approx(0.5 + first.success_median / 20.0).margin(0.02));
  for (std::size_t j = 1; j < 6; ++j) CHECK(why.images.image(1)[j] == Approx(why.images.image(0)[j]).margin(0.02));
}

TEST_CASE("with two reasons at once no single repair is enough, both together are") {
  const auto setup = fw::build(two_faults());
  const fl::Explainer explainer(setup.problem, causes(setup, {0, 1}));
  const fl::Explanation why = explainer(latent({2.5, 2.8, 0, 0, 0, 0}, 0), 0);
  CHECK(why.failed);
  for (const auto& cause : why.causes) {
    CHECK(cause.failing_side);
    CHECK_FALSE(cause.repaired);
  }
  CHECK(why.together_repaired);
  CHECK(why.together_probability > 0.9);
}

TEST_CASE("an image that does not fail has a distance to failure along every cause") {
  const auto setup = fw::build(two_faults());
  const fl::Explainer explainer(setup.problem, causes(setup, {0, 3}));
  const fl::Explanation why = explainer(latent({0.5, -1.0, 0, 0, 0, 0}, 2), 2);
  CHECK_FALSE(why.failed);
  CHECK_FALSE(why.together_repaired);
  for (const auto& cause : why.causes) {
    CHECK_FALSE(cause.repaired);
    if (cause.cause == 0) {
      REQUIRE(cause.flip);
      CHECK(*cause.flip == Approx(1.0).epsilon(0.06));
    } else {
      CHECK_FALSE(cause.flip);
    }
  }
}

TEST_CASE("what lies on the successful side explains nothing, however much moving it would help") {
  // Only a window of coordinate 3 fails. Towards less of it, the image lies on the successful side, and yet setting it
  // to the median, out of the window, repairs.
  fw::World world;
  world.answer = [](std::span<const double> x, std::int64_t) {
    const double excess = 0.15 - std::abs(x[3] - 0.6);
    return fw::Answers{fw::logistic(-3.0 * excess), excess > 0.0, true};
  };
  const auto setup = fw::build(world);
  const fl::Explainer explainer(
      setup.problem, {{"against", setup.along(3, -1.0).direction}, {"indifferent", setup.along(5).direction}});
  const fl::Explanation why = explainer(latent({0, 0, 0, 0.6, 0, 1.0}, 0), 0);
  REQUIRE(why.failed);
  REQUIRE(why.causes.size() == 2);
  CHECK(why.causes[1].repaired);
  CHECK_FALSE(why.causes[1].failing_side);
  CHECK(why.causes[0].failing_side);
  CHECK(why.causes[1].gain > why.causes[0].gain);
  CHECK(explainer.causes()[why.causes[0].cause].title == "indifferent");
}

TEST_CASE("percentiles count the image's own class") {
  const auto setup = fw::build(two_faults());
  const fl::Explainer explainer(setup.problem, causes(setup, {0}));
  const double value = 0.8;
  const fl::Explanation why = explainer(latent({value, 0, 0, 0, 0, 0}, 1), 1);
  double below = 0.0, all = 0.0;
  for (std::int64_t i = 0; i < setup.problem.discovery.size(); ++i) {
    if (fw::label_of(i) != 1) continue;
    all += 1.0;
    below += fw::coordinates(i)[0] < value ? 1.0 : 0.0;
  }
  CHECK(why.causes[0].percentile == Approx(100.0 * below / all).margin(3.0));
}

TEST_CASE("random edits tell an image that fails by a hair's breadth") {
  // Failure depends on all coordinates; the known cause is one of them, and most other ways of moving as far repair as
  // well or as badly as it does.
  fw::World world;
  world.answer = [](std::span<const double> x, std::int64_t) {
    const double excess = (x[0] + x[2] + x[3] + x[4] + x[5]) / std::sqrt(5.0) - 1.5;
    return fw::Answers{fw::logistic(-3.0 * excess), excess > 0.0, true};
  };
  const auto setup = fw::build(world);
  const fl::Explainer explainer(setup.problem, causes(setup, {0}));
  const fl::Explanation near = explainer(latent({3.40, 0, 0, 0, 0, 0}, 0), 0);
  REQUIRE(near.failed);
  CHECK(near.causes[0].repaired);
  CHECK(near.causes[0].random_repaired.value() >= 0.3);
  const fl::Explanation far = explainer(latent({3.40, 0, 4, 4, 4, 4}, 0), 0);
  REQUIRE(far.failed);
  CHECK(far.causes[0].random_repaired.value() < 0.2);
}

TEST_CASE("a cause of another class is left out, and foreign causes are refused") {
  const auto setup = fw::build(two_faults());
  auto known = causes(setup, {0, 1});
  known[0].direction.class_label = 2;
  const fl::Explainer explainer(setup.problem, known);
  const auto w = latent({3, 0, 0, 0, 0, 0}, 1);
  CHECK(explainer(w, 1).causes.size() == 1);
  CHECK(explainer(w, 2).causes.size() == 2);
  const fl::Explainer nothing(setup.problem, {});
  CHECK(nothing(w, 1).causes.empty());
  CHECK(nothing(w, 1).images.count() == 2);
  using fl::ErrorCode;
  CHECK(code_of([&] { (void)explainer(w, 3); }) == ErrorCode::label_out_of_range);
  CHECK(code_of([&] { (void)explainer(std::vector<float>(4), 1); }) == ErrorCode::shape_mismatch);
  auto doubled = causes(setup, {0});
  for (double& value : doubled[0].direction.w) value *= 2.0;
  CHECK(code_of([&] { fl::Explainer(setup.problem, doubled); }) == ErrorCode::incompatible_models);
  doubled[0].direction.w.pop_back();
  CHECK(code_of([&] { fl::Explainer(setup.problem, doubled); }) == ErrorCode::shape_mismatch);
}
