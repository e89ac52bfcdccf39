// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gates on samples that are moved along a property: distance to failure, and failure rates on the way.

#include <faultline/testing.hpp>
#include <faultline/testing/catch2.hpp>
#include <faultline/testing/moved_gates.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace fl = faultline;
using fl::testing::DistanceAtLeast;
using fl::testing::EditUnit;
using fl::testing::FailureRateAlongBelow;
using fl::testing::gate;
using fl::testing::GateMode;
using fl::testing::GateVerdict;
using fl::testing::Towards;

namespace {

fl::AnalyticGenerator moved_world() {
  return fl::AnalyticGenerator({.factors = 2, .channels = 32, .classes = 4, .seed = 1});
}

/// Wrong where factor 0, which is normal with deviation 1 in every class, exceeds the limit.
auto limited(const fl::AnalyticGenerator& known, float limit) {
  return fl::make_classifier(
      [&known, limit](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 4);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto [label, factors] = known.read(images, i);
          scores(i, factors[0] > limit ? (label + 1) % 4 : label) = 5.0f;
        }
      },
      {.classes = 4, .scores = fl::Scores::logits});
}

fl::Property factor(const fl::AnalyticGenerator& known, std::size_t which, const std::string& name, double most = 1e9) {
  return {name,
          [&known, which, most](std::span<const float> image, const fl::ImageShape& shape) {
            return std::min(most,
                            static_cast<double>(known.read(fl::ImageView(image.data(), 1, shape), 0).factors[which]));
          },
          true, true, "units"};
}

DistanceAtLeast distance_policy(const fl::AnalyticGenerator& known) {
  DistanceAtLeast policy;
  policy.property = "size";
  policy.properties = {factor(known, 0, "size"), factor(known, 1, "other")};
  policy.seed = 7;
  policy.direction_samples = 1'000;
  return policy;
}

template <class Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const fl::Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("the share of samples that withstand an edit is that of the normal distribution") {
  const auto known = moved_world();
  auto mine = limited(known, 1.5f);
  // Moved by half a deviation, those above 1 fail: 15.9 %.
  DistanceAtLeast policy = distance_policy(known);
  policy.distance = 0.5;
  policy.share = 0.78;
  const auto most = gate(known, mine, policy);
  INFO(most);
  CHECK(most.passed());
  CHECK(most.statements().front().estimate == Approx(0.159).margin(0.04));
  CHECK(most.interval().lower < 0.159);
  CHECK(most.interval().upper > 0.159);
  CHECK(most.explain().find("PASS: at least 78 % of the samples withstand more size by 0.5 standard deviations.") == 0);
  policy.share = 0.9;
  const auto few = gate(known, mine, policy);
  INFO(few);
  CHECK(few.failed());
  CHECK(few.statements().front().evidence_against > 2.0);
  CHECK(few.explain().find("FAIL: fewer than 90 % of the samples withstand more size by 0.5 standard deviations.") ==
        0);
  // In the property's own unit, which is the same here
  policy.unit = EditUnit::property;
  const auto own = gate(known, mine, policy);
  INFO(own);
  CHECK(own.failed());
  CHECK(own.explain().find("withstand more size by 0.5 units.") != std::string::npos);
  CHECK(own.statements().front().estimate == Approx(few.statements().front().estimate).margin(0.02));
  // The other way only those fail that fail as they are: 6.7 %.
  policy.towards = Towards::less;
  policy.distance = 3.0;
  policy.share = 0.88;
  policy.unit = EditUnit::standard_deviations;
  const auto less = gate(known, mine, policy);
  INFO(less);
  CHECK(less.passed());
  CHECK(less.explain().find("less size by 3 standard deviations") != std::string::npos);
}

TEST_CASE("samples that cannot be moved so far decide nothing") {
  const auto known = moved_world();
  auto never = limited(known, 1e9f);
  DistanceAtLeast policy = distance_policy(known);
  policy.properties = {factor(known, 0, "size", 2.0), factor(known, 1, "other")};  // 2 is as much as there is
  policy.unit = EditUnit::property;
  policy.distance = 4.0;
  policy.max_samples = 256;
  const auto beyond = gate(known, never, policy);
  INFO(beyond);
  CHECK(beyond.undecided());
  CHECK(beyond.failures() == 0);
  CHECK(beyond.explain().find("could not be moved so far and did not fail") != std::string::npos);
  CHECK(beyond.explain().find("Ask for a smaller distance") != std::string::npos);
  // Enough that fail nearer fail it all the same
  auto soon = limited(known, 0.0f);
  CHECK(gate(known, soon, policy).failed());
}

TEST_CASE("a property that the generator cannot move leaves the gate undecided and says why") {
  const auto known = moved_world();
  auto mine = limited(known, 1.5f);
  DistanceAtLeast policy = distance_policy(known);
  // A hash of the image, which no linear rule of w predicts
  policy.properties.push_back({"hash", [](std::span<const float> image, const fl::ImageShape&) {
                                 double sum = 0.0;
                                 for (const float v : image) sum += 1e4 * static_cast<double>(v);
                                 return sum - std::floor(sum);
                               }});
  policy.property = "hash";
  const auto verdict = gate(known, mine, policy);
  INFO(verdict);
  CHECK(verdict.undecided());
  CHECK_FALSE(verdict.holds());
  CHECK(verdict.explain().find("UNDECIDED: this generator cannot move hash by itself. Of 1000 samples, the latents") ==
        0);
  CHECK(verdict.samples() == 0);
}

TEST_CASE("failure rates along an edit are those of the normal distribution, and the first that is too high fails") {
  const auto known = moved_world();
  auto mine = limited(known, 2.5f);  // unmoved .6 %, at 1 deviation 6.7 %, at 2 deviations 31 %
  FailureRateAlongBelow policy;
  policy.property = "size";
  policy.properties = {factor(known, 0, "size"), factor(known, 1, "other")};
  policy.seed = 7;
  policy.direction_samples = 1'000;
  policy.steps = 2;
  policy.bound = 0.12;
  policy.shift = 1.0;
  const auto one = gate(known, mine, policy);
  INFO(one);
  CHECK(one.passed());
  REQUIRE(one.statements().size() == 3);
  CHECK(one.statements()[2].estimate == Approx(0.067).margin(0.04));
  CHECK(one.statements()[0].name == "unmoved");
  CHECK(one.statements()[1].name == "more size by 0.5 standard deviations");
  policy.shift = 2.0;
  const auto two = gate(known, mine, policy);
  INFO(two);
  CHECK(two.failed());
  CHECK(two.statements()[2].verdict == GateVerdict::fail);
  CHECK(two.statements()[0].verdict != GateVerdict::fail);
  CHECK(two.explain().find(
            "FAIL: with more size by up to 2 standard deviations the failure rate does not stay below 0.12.") == 0);
  CHECK(two.replay().find("fl::testing::FailureRateAlongBelow{.property = \"size\"") != std::string::npos);
  CHECK(two.replay().find(".properties = properties") != std::string::npos);
  CHECK(two.replay().find("properties, \"size\" of your own") != std::string::npos);
}

TEST_CASE("failures on images that the judge cannot read do not count against a distance") {
  const auto known = moved_world();
  auto mine = limited(known, 1.5f);
  DistanceAtLeast policy = distance_policy(known);
  policy.distance = 2.0;
  policy.share = 0.5;
  CHECK(gate(known, mine, policy).failed());               // 69 % fail on the way
  policy.judge = fl::AnyClassifier(limited(known, 1.5f));  // and reads none of these images
  const auto judged = gate(known, mine, policy);
  INFO(judged);
  CHECK(judged.passed());
  CHECK(judged.statements().front().failures == 0);
}

TEST_CASE("a smoke run of a moved gate is the beginning of the full one, and suites take it") {
  const auto known = moved_world();
  auto mine = limited(known, 1.5f);
  DistanceAtLeast policy = distance_policy(known);
  policy.distance = 0.5;
  policy.share = 0.83;  // .841 do: not decided soon
  policy.mode = GateMode::smoke;
  const auto smoke = gate(known, mine, policy);
  CHECK(smoke.undecided());
  CHECK(smoke.holds());
  CHECK(smoke.statements().front().samples == 256);
  CHECK(smoke.replay().find(".mode = fl::testing::GateMode::smoke") != std::string::npos);
  policy.mode = GateMode::full;
  policy.max_samples = 256;
  const auto full = gate(known, mine, policy);
  CHECK(full.statements().front().failures == smoke.statements().front().failures);
  CHECK_FALSE(full.holds());

  policy.share = 0.75;
  policy.max_samples = 2'000;
  const auto suite = fl::testing::GateSuite(0.95)
                         .add("withstands size", known, mine, policy)
                         .add("rate", known, mine, fl::testing::FailureRateBelow{.bound = 0.1, .seed = 7})
                         .run();
  INFO(suite.explain());
  CHECK(suite.passed());
}

TEST_CASE("edits that cannot be are refused in one sentence") {
  const auto known = moved_world();
  auto mine = limited(known, 1.5f);
  const auto refused = [&](const auto& change) {
    DistanceAtLeast policy = distance_policy(known);
    change(policy);
    return message_of([&] { (void)gate(known, mine, policy); });
  };
  CHECK(refused([](DistanceAtLeast& p) {
          p.property = "colour";
        }).find("property \"colour\" is not measured; there are size, other") != std::string::npos);
  CHECK(refused([](DistanceAtLeast& p) { p.distance = 0.0; }).find("distance must be finite and above 0, got 0") !=
        std::string::npos);
  CHECK(refused([](DistanceAtLeast& p) { p.distance = 11.0; }).find("at most 10 standard deviations") !=
        std::string::npos);
  CHECK(refused([](DistanceAtLeast& p) { p.share = 1.0; }).find("share") != std::string::npos);
  CHECK(refused([](DistanceAtLeast& p) { p.max_samples = 64; }).find("max_samples must be at least") !=
        std::string::npos);
  CHECK(refused([](DistanceAtLeast& p) { p.direction_samples = 3; }).find("direction_samples") != std::string::npos);
  FailureRateAlongBelow along;
  along.property = "size";
  along.properties = distance_policy(known).properties;
  along.steps = 0;
  CHECK(message_of([&] { (void)gate(known, mine, along); }).find("steps") != std::string::npos);
}
