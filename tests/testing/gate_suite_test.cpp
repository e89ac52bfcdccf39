// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Suites of gates: one error rate for all of them, which ones fail, and lines that repeat them.

#include <faultline/statistics/confidence_sequence.hpp>
#include <faultline/statistics/e_values.hpp>
#include <faultline/statistics/rate_monitor.hpp>
#include <faultline/testing.hpp>
#include <faultline/testing/catch2.hpp>

#include <statistics/support.hpp>
#include <support/catch2.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fl = faultline;
using faultline_test::fewest_events;
using faultline_test::most_events;
using fl::testing::FailureRateBelow;
using fl::testing::gate;
using fl::testing::GateResult;
using fl::testing::GateSuite;
using fl::testing::GateVerdict;
using fl::testing::NamedGate;
using fl::testing::SuiteResult;

namespace {

fl::AnalyticGenerator suite_world() {
  return fl::AnalyticGenerator({.factors = 3, .channels = 32, .classes = 4, .seed = 1});
}

// Wrong where factor 0 exceeds 1.5 (6.68 %), in class 3 where it exceeds 0 (half).
auto worse_in_class_three(const fl::AnalyticGenerator& known) {
  return fl::make_classifier(
      [&known](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 4);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto [label, factors] = known.read(images, i);
          scores(i, factors[0] > (label == 3 ? 0.0f : 1.5f) ? (label + 1) % 4 : label) = 5.0f;
        }
      },
      {.classes = 4, .scores = fl::Scores::logits});
}

/// A gate's result from its counts.
GateResult counted(GateVerdict verdict, double bound, std::int64_t samples, std::int64_t failures,
                   double confidence = 0.95, std::int64_t gates = 1) {
  fl::Provenance run;
  run.criterion_expression = "fl::Misclassified{}";
  return fl::testing::detail::rate_result(verdict, {.bound = bound, .confidence = confidence, .gates = gates}, samples,
                                          failures, {}, run);
}

}  // namespace

TEST_CASE("a suite passes if all of its gates do, and names the one that fails") {
  const auto known = suite_world();
  auto mine = worse_in_class_three(known);
  GateSuite suite(0.95);
  for (const std::int64_t label : {0, 1, 2})
    suite.add("class " + std::to_string(label), known, mine,
              {.bound = 0.15, .seed = 7, .labels = fl::LabelPolicy::fixed(label)});
  const SuiteResult good = suite.run();
  CHECK_THAT(good, fl::testing::Passes());
  CHECK(good.failing().empty());
  CHECK(good.confidence() == 0.95);
  CHECK(good.explain().find("PASS: all of 3 gates pass; at 95 % confidence for all of them together.") == 0);
  CHECK(good.explain().find("\nclass 1: PASS: ") != std::string::npos);
  // To pass takes no more than by itself.
  const auto alone = gate(known, mine, FailureRateBelow{.bound = 0.15, .seed = 7, .labels = fl::LabelPolicy::fixed(1)});
  CHECK(good.gates()[1].result.samples() == alone.samples());
  CHECK(good.gates()[1].result.failures() == alone.failures());

  suite.add("class 3", known, mine, {.bound = 0.4, .seed = 7, .labels = fl::LabelPolicy::fixed(3)});
  const SuiteResult bad = suite.run();
  CHECK_THAT(bad, fl::testing::Fails());
  CHECK_THAT(bad, !fl::testing::DoesNotFail());
  CHECK(bad.failing() == std::vector<std::string>{"class 3"});
  CHECK(bad.explain().find("FAIL: 1 of 4 gates fail; at 95 % confidence for all of them together. Failing: class 3.") ==
        0);
  // To fail takes more: an e-value of 40 for each of the four.
  const auto& three = bad.gates()[3].result;
  CHECK(three.failed());
  CHECK(three.evidence_against() >= 160.0);
  CHECK(three.interval().lower > 0.4);
  const auto single = gate(known, mine, FailureRateBelow{.bound = 0.4, .seed = 7, .labels = fl::LabelPolicy::fixed(3)});
  CHECK(single.failed());
  CHECK(single.samples() < three.samples());

  // Where the budget ends in between, one gate of four is undecided and says why.
  const auto close = gate(
      known, mine,
      FailureRateBelow{
          .bound = 0.4, .seed = 7, .max_samples = single.samples(), .labels = fl::LabelPolicy::fixed(3), .gates = 4});
  CHECK(close.undecided());
  CHECK(close.explain().find("By itself this gate would have failed; one of 4 needs more evidence") !=
        std::string::npos);
}

TEST_CASE("a suite's gates repeat by their lines") {
  const auto known = suite_world();
  auto mine = worse_in_class_three(known);
  const SuiteResult suite =
      GateSuite(0.9)
          .add("all", known, mine, {.bound = 0.1, .seed = 3}, fl::TrueClassBelow{0.5})
          .add("list", known, mine, {.bound = 0.2, .seed = 3, .labels = fl::LabelPolicy::given({3, 3, 0})})
          .run();
  CHECK(suite.gates()[0].result.replay().find(".gates = 2}, fl::TrueClassBelow{.p = 0.5})") != std::string::npos);
  CHECK(suite.gates()[1].result.replay().find(".labels = fl::LabelPolicy::given({3, 3, 0})") != std::string::npos);
  for (const NamedGate& one : suite.gates()) CHECK(one.result.confidence() == 0.9);
  const auto same = [](const GateResult& alone, const GateResult& among) {
    CHECK(alone.samples() == among.samples());
    CHECK(alone.failures() == among.failures());
    CHECK(alone.verdict() == among.verdict());
    CHECK(alone.replay() == among.replay());
  };
  same(gate(known, mine, FailureRateBelow{.bound = 0.1, .confidence = 0.9, .seed = 3, .gates = 2},
            fl::TrueClassBelow{0.5}),
       suite.gates()[0].result);
  same(gate(known, mine,
            FailureRateBelow{
                .bound = 0.2, .confidence = 0.9, .seed = 3, .labels = fl::LabelPolicy::given({3, 3, 0}), .gates = 2}),
       suite.gates()[1].result);
}

TEST_CASE("gates that ask for the same samples draw them once, and see what each sees alone") {
  const auto known = suite_world();
  std::int64_t images = 0;
  auto mine = fl::make_classifier(
      [&known, &images](fl::ImageView batch, fl::ScoreMatrix& scores) {
        images += batch.count();
        scores.resize(batch.count(), 4);
        for (std::int64_t i = 0; i < batch.count(); ++i) {
          const auto [label, factors] = known.read(batch, i);
          scores(i, factors[0] > 1.5f ? (label + 1) % 4 : label) = 5.0f;
        }
      },
      {.classes = 4, .scores = fl::Scores::logits});
  std::vector<FailureRateBelow> policies;
  for (int i = 0; i < 10; ++i)
    policies.push_back({.bound = 0.08 + 0.01 * i, .confidence = 0.9, .seed = 3, .max_samples = 3'000, .gates = 10});
  std::int64_t longest = 0;
  std::vector<GateResult> alone;
  for (const FailureRateBelow& policy : policies) {
    images = 0;
    alone.push_back(gate(known, mine, policy));
    longest = std::max(longest, images);
  }
  GateSuite suite(0.9);
  for (std::size_t i = 0; i < policies.size(); ++i) suite.add(std::to_string(i), known, mine, policies[i]);
  images = 0;
  const SuiteResult together = suite.run();
  CHECK(images == longest);
  for (std::size_t i = 0; i < policies.size(); ++i) {
    CHECK(together.gates()[i].result.samples() == alone[i].samples());
    CHECK(together.gates()[i].result.explain() == alone[i].explain());
  }
  CHECK_THROWS_AS(suite.add("3", known, mine, policies[3]), fl::Error);
}

TEST_CASE("whether one fails is said before which") {
  // Four gates that failed by themselves, each with an e-value between 40 and 160 against its bound.
  std::vector<NamedGate> gates;
  for (const char* name : {"a", "b", "c", "d"}) gates.push_back({name, counted(GateVerdict::fail, 0.1, 200, 38)});
  const double one = gates[0].result.evidence_against();
  CHECK(one > 40.0);
  CHECK(one < 160.0);
  SuiteResult suite(gates);
  CHECK(suite.failed());
  CHECK(suite.failing().size() == 4);  // all subsets are at 40
  // One of them among gates without failures is not enough, two are.
  const GateResult clean = counted(GateVerdict::pass, 0.1, 200, 5);
  for (auto& each : {&gates[1], &gates[2], &gates[3]}) each->result = clean;
  CHECK(SuiteResult(gates).undecided());
  CHECK(SuiteResult(gates).explain().find("UNDECIDED: 3 of 4 gates pass, and none is known to fail") == 0);
  CHECK(SuiteResult(gates).failing().empty());
  // Evidence that is spread: nobody knows which.
  std::vector<NamedGate> spread;
  spread.push_back({"a", counted(GateVerdict::undecided, 0.1, 160, 32)});
  spread.push_back({"b", counted(GateVerdict::undecided, 0.1, 160, 32)});
  spread.push_back({"c", clean});
  const std::vector<double> e{spread[0].result.evidence_against(), spread[1].result.evidence_against(),
                              clean.evidence_against()};
  INFO("e-values " << e[0] << " " << e[1] << " " << e[2]);
  CHECK(fl::statistics::mean_e_value(e) >= 40.0);
  CHECK(fl::statistics::e_holm(e)[0] < 40.0);
  CHECK(SuiteResult(spread).failed());
  CHECK(SuiteResult(spread).failing().empty());
  CHECK(SuiteResult(spread).explain().find(
            "FAIL: of 3 gates at least one fails, though it is not known which; at 95 %") == 0);
  CHECK(SuiteResult({{"alone", clean}}).passed());
}

TEST_CASE("the family-wise error of a suite is at most its level, whichever of its rates are at their bounds") {
  // Six gates, watched as gate() does, on outcomes that all of them share: the same uniform numbers, so that they err
  // together where they can. 10 000 suites each, limits that a right implementation leaves with probability 1e-6.
  const std::vector<double> bounds{0.05, 0.1, 0.1, 0.2, 0.3, 0.5};
  const auto count = static_cast<std::int64_t>(bounds.size());
  std::vector<std::shared_ptr<const fl::statistics::RateBoundary>> boundaries;
  for (const double bound : bounds) boundaries.push_back(std::make_shared<const fl::statistics::RateBoundary>(bound));
  // All rates at their bounds: nothing may be said. One above, the others far below: the suite may fail, not pass, and
  // only that one may be named.
  for (const bool one_is_bad : {false, true}) {
    std::int64_t passed = 0, failed = 0, named = 0;
    for (std::int64_t trial = 0; trial < 10'000; ++trial) {
      std::vector<NamedGate> gates;
      for (std::size_t g = 0; g < bounds.size(); ++g) {
        const double rate = !one_is_bad ? bounds[g] : g == 3 ? 0.2 : 0.25 * bounds[g];
        fl::statistics::RateMonitor monitor(boundaries[g]);
        fl::core::CounterRandom random(35, fl::core::Stream::subsets, trial);
        const auto known = [&] {
          if (monitor.decision() != fl::statistics::RateDecision::above)
            return monitor.decision() != fl::statistics::RateDecision::undecided;
          return fl::statistics::rate_evidence(monitor.failures(), monitor.samples(), bounds[g]).against_at_most >=
                 static_cast<double>(count) / 0.025;
        };
        while (monitor.samples() < 640 && !known()) monitor.add(random.uniform() < rate);
        const GateVerdict verdict = !known()                                                    ? GateVerdict::undecided
                                    : monitor.decision() == fl::statistics::RateDecision::below ? GateVerdict::pass
                                                                                                : GateVerdict::fail;
        gates.push_back({"", counted(verdict, bounds[g], monitor.samples(), monitor.failures(), 0.95, count)});
      }
      const SuiteResult suite(gates);
      passed += suite.passed() ? 1 : 0;
      failed += suite.failed() ? 1 : 0;
      named += suite.failing().empty() ? 0 : 1;
    }
    INFO((one_is_bad ? "one rate at its bound: " : "all rates at their bounds: ")
         << passed << " passed, " << failed << " failed, " << named << " named one");
    CHECK(passed <= most_events(10'000, 0.025));
    CHECK(failed <= most_events(10'000, 0.025));
    CHECK(named <= failed);
    // Where all others pass, the suite passes as often as the one at its bound does, and not a tenth as often.
    if (one_is_bad) CHECK(passed >= fewest_events(10'000, fl::statistics::plan_rate_test(0.2, 0.2, 640).below * 0.9));
  }
}

TEST_CASE("suites refuse nothing, and gates of different confidence") {
  const auto code = [](const auto& call) {
    try {
      call();
    } catch (const fl::Error& error) {
      return error.code();
    }
    return fl::ErrorCode{};
  };
  CHECK(code([] { (void)SuiteResult({}); }) == fl::ErrorCode::empty_input);
  CHECK(code([] { (void)GateSuite().run(); }) == fl::ErrorCode::empty_input);
  CHECK(code([] {
          (void)SuiteResult(
              {{"a", counted(GateVerdict::pass, 0.1, 200, 5)}, {"b", counted(GateVerdict::pass, 0.1, 200, 5, 0.9)}});
        }) == fl::ErrorCode::invalid_argument);
  const auto known = suite_world();
  auto mine = worse_in_class_three(known);
  for (const std::int64_t gates : {0, -1, 10'001})
    CHECK(code([&] { (void)gate(known, mine, FailureRateBelow{.bound = 0.1, .gates = gates}); }) ==
          fl::ErrorCode::invalid_argument);
}
