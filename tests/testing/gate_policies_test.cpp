// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gates on a region of measured properties and on every class, smoke runs, and what holds.

#include <faultline/testing.hpp>
#include <faultline/testing/catch2.hpp>

#include <statistics/support.hpp>
#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

namespace fl = faultline;
using faultline_test::most_events;
using fl::testing::FailureRateBelow;
using fl::testing::FailureRateBelowPerClass;
using fl::testing::gate;
using fl::testing::GateMode;
using fl::testing::GateVerdict;
using fl::testing::PropertyRange;

namespace {

fl::AnalyticGenerator policy_world() {
  return fl::AnalyticGenerator({.factors = 2, .channels = 32, .classes = 4, .seed = 1});
}

// Wrong where factor 0 exceeds the limit of the class.
auto limited(const fl::AnalyticGenerator& known, std::vector<float> limits) {
  return fl::make_classifier(
      [&known, limits](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 4);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto [label, factors] = known.read(images, i);
          scores(i, factors[0] > limits[static_cast<std::size_t>(label)] ? (label + 1) % 4 : label) = 5.0f;
        }
      },
      {.classes = 4, .scores = fl::Scores::logits});
}

// The factor itself, as a property.
fl::Property factor(const fl::AnalyticGenerator& known, std::size_t which, const std::string& name) {
  return {name, [&known, which](std::span<const float> image, const fl::ImageShape& shape) {
            return static_cast<double>(known.read(fl::ImageView(image.data(), 1, shape), 0).factors[which]);
          }};
}

template <class Call>
fl::ErrorCode code_of(const Call& call) {
  try {
    call();
  } catch (const fl::Error& error) {
    return error.code();
  }
  return fl::ErrorCode{};
}

}  // namespace

TEST_CASE("a gate on a region judges the samples that lie in it") {
  const auto known = policy_world();
  auto mine = limited(known, {1.5f, 1.5f, 1.5f, 1.5f});
  const auto all = gate(known, mine, FailureRateBelow{.bound = 0.15, .seed = 7});
  CHECK(all.passed());
  const PropertyRange high{factor(known, 0, "factor"), 1.0};
  const auto there = gate(known, mine, FailureRateBelow{.bound = 0.15, .seed = 7, .where = {high}});  // .42
  CHECK(there.failed());
  CHECK(there.explain().find("FAIL: the failure rate where factor is at least 1 is not below 0.15.") == 0);
  CHECK(there.explain().find("samples lie in the region") != std::string::npos);
  CHECK(there.replay().find(".where = {{property, 1, INFINITY}}") != std::string::npos);
  CHECK(there.replay().find("property \"factor\", a function of your own") != std::string::npos);
  const auto bright = gate(
      known, mine,
      FailureRateBelow{
          .bound = 0.15, .seed = 7, .max_samples = 256, .where = {{fl::property_named("contrast"), -INFINITY, 2.0}}});
  CHECK(bright.replay().find(".where = {{fl::property_named(\"contrast\"), -INFINITY, 2}}") != std::string::npos);
  CHECK(there.statements().front().samples < there.run().samples_per_split);
  const auto below =
      gate(known, mine, FailureRateBelow{.bound = 0.05, .seed = 7, .where = {{factor(known, 0, "factor"), -9.0, 1.0}}});
  CHECK(below.passed());
  CHECK(below.failures() == 0);
  // Of two ranges both must hold.
  const auto corner =
      gate(known, mine,
           FailureRateBelow{
               .bound = 0.3, .seed = 7, .max_samples = 8'000, .where = {high, {factor(known, 1, "other"), -9.0, 0.0}}});
  CHECK(corner.failed());
  CHECK(corner.explain().find("where factor is at least 1 and other is between -9 and 0") != std::string::npos);
  // Nobody is there: nothing is known.
  const auto nobody =
      gate(known, mine,
           FailureRateBelow{.bound = 0.3, .seed = 7, .max_samples = 500, .where = {{factor(known, 0, "factor"), 9.0}}});
  CHECK(nobody.undecided());
  CHECK(nobody.samples() == 0);
}

TEST_CASE("regions that cannot be are refused") {
  const auto known = policy_world();
  auto mine = limited(known, {1.5f, 1.5f, 1.5f, 1.5f});
  CHECK(code_of([&] {
          (void)gate(known, mine, FailureRateBelow{.bound = 0.1, .where = {{factor(known, 0, "factor"), 1.0, 0.0}}});
        }) == fl::ErrorCode::invalid_argument);
  CHECK(
      code_of([&] {
        (void)gate(known, mine, FailureRateBelow{.bound = 0.1, .where = {{factor(known, 0, "factor"), std::nan("")}}});
      }) == fl::ErrorCode::invalid_argument);
  fl::Property colour{"colour", [](std::span<const float>, const fl::ImageShape&) { return 0.0; }};
  colour.channels = 3;
  CHECK(code_of([&] { (void)gate(known, mine, FailureRateBelow{.bound = 0.1, .where = {{colour}}}); }) ==
        fl::ErrorCode::invalid_argument);
  fl::Property broken{"broken", [](std::span<const float>, const fl::ImageShape&) { return std::nan(""); }};
  CHECK(code_of([&] { (void)gate(known, mine, FailureRateBelow{.bound = 0.1, .where = {{broken}}}); }) ==
        fl::ErrorCode::property_threw);
}

TEST_CASE("a gate on every class says which class fails") {
  const auto known = policy_world();
  auto mine = limited(known, {2.0f, 2.0f, 2.0f, 0.0f});  // 2.3 %, and half of class 3
  const auto verdict = gate(known, mine, FailureRateBelowPerClass{.bound = 0.1, .seed = 7});
  CHECK(verdict.failed());
  REQUIRE(verdict.statements().size() == 4);
  CHECK(verdict.statements()[3].verdict == GateVerdict::fail);
  CHECK(verdict.statements()[3].evidence_against >= 160.0);
  CHECK(verdict.explain().find("FAIL: in 1 of 4 classes the failure rate is not below its bound.") == 0);
  CHECK(verdict.explain().find("FAILS: class 3: ") != std::string::npos);
  CHECK(verdict.replay().find("fl::testing::FailureRateBelowPerClass{.bound = 0.1") != std::string::npos);
  const auto own = gate(known, mine, FailureRateBelowPerClass{.seed = 7, .bounds = {0.1, 0.1, 0.1, 0.7}});
  CHECK(own.passed());
  std::int64_t counted = 0;
  for (const auto& statement : own.statements()) {
    CHECK(statement.interval.upper < statement.bound);
    counted += statement.samples;
  }
  CHECK(counted <= own.samples());  // who has passed counts no more
  // A class that never comes up
  const auto absent =
      gate(known, mine,
           FailureRateBelowPerClass{
               .bound = 0.1, .seed = 7, .max_samples = 1'000, .labels = fl::LabelPolicy::given({0, 1, 2})});
  CHECK(absent.undecided());
  CHECK(absent.statements()[3].samples == 0);
  CHECK(code_of([&] {
          (void)gate(known, mine, FailureRateBelowPerClass{.bounds = {0.1, 0.1}});
        }) == fl::ErrorCode::shape_mismatch);
}

TEST_CASE("ten thousand gates on four classes at their bounds err as seldom as they say", "[.slow]") {
  // All four rates at the bound of .1: no verdict is right. Half of 1 - confidence each for passing and for failing.
  std::int64_t passed = 0, failed = 0;
  for (std::int64_t trial = 0; trial < 10'000; ++trial) {
    const auto watcher = fl::testing::watch(FailureRateBelowPerClass{.bound = 0.1, .max_samples = 1'200},
                                            fl::classify::AnyCriterion(fl::Misclassified{}));
    watcher->begin({.classes = 4, .image_shape = {1, 4, 4}});
    fl::core::CounterRandom random(3, fl::core::Stream::subsets, trial);
    const std::vector<float> right{1, 0, 0, 0}, wrong{0, 1, 0, 0};
    for (std::int64_t n = 0; n < watcher->budget() && !watcher->known(); ++n) {
      const bool fails = random.uniform() < 0.1;
      const std::int64_t label = n % 4;
      std::vector<float> scores(4, 0.0f);
      scores[static_cast<std::size_t>(fails ? (label + 1) % 4 : label)] = 1.0f;
      watcher->add({.number = n, .label = label, .prediction = 0, .probabilities = scores});
    }
    const auto verdict = watcher->conclude({});
    passed += verdict.passed() ? 1 : 0;
    failed += verdict.failed() ? 1 : 0;
  }
  INFO(passed << " passed, " << failed << " failed");
  CHECK(passed <= most_events(10'000, 0.025));
  CHECK(failed <= most_events(10'000, 0.025));
}

TEST_CASE("a smoke run is the beginning of the full one, and may stay undecided") {
  const auto known = policy_world();
  auto mine = limited(known, {1.5f, 1.5f, 1.5f, 1.5f});
  FailureRateBelow policy{.bound = 0.08, .seed = 7, .max_samples = 20'000, .smoke_samples = 256};
  policy.mode = GateMode::smoke;
  const auto smoke = gate(known, mine, policy);
  CHECK(smoke.undecided());
  CHECK(smoke.samples() == 256);
  CHECK(smoke.holds());
  CHECK_THAT(smoke, fl::testing::Holds());
  CHECK(smoke.replay().find(".mode = fl::testing::GateMode::smoke") != std::string::npos);
  policy.mode = GateMode::full;
  policy.max_samples = 256;
  const auto short_one = gate(known, mine, policy);
  CHECK(short_one.undecided());
  CHECK_FALSE(short_one.holds());
  CHECK(short_one.failures() == smoke.failures());
  policy.allow_undecided = true;
  CHECK(gate(known, mine, policy).holds());

  // The environment decides where the policy does not.
  policy.mode = std::nullopt;
  policy.max_samples = 1'000;
  ::setenv("FAULTLINE_MODE", "smoke", 1);
  CHECK(gate(known, mine, policy).samples() == 256);
  ::setenv("FAULTLINE_MODE", "nightly", 1);
  CHECK(code_of([&] { (void)gate(known, mine, policy); }) == fl::ErrorCode::invalid_argument);
  ::unsetenv("FAULTLINE_MODE");
  CHECK(fl::testing::gate_mode() == GateMode::full);
  policy.mode = GateMode::smoke;
  policy.smoke_samples = 100;
  CHECK(code_of([&] { (void)gate(known, mine, policy); }) == fl::ErrorCode::invalid_argument);
}
