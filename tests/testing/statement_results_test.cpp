// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One result for each class or each known failure: what the gate found, divided, with nothing added and nothing lost.

#include <faultline/testing.hpp>
#include <faultline/testing/catch2.hpp>
#include <faultline/testing/corpus_entry.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cstdint>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace fl = faultline;
using fl::testing::class_result;
using fl::testing::FailureRateBelowPerClass;
using fl::testing::gate;
using fl::testing::GateFindings;
using fl::testing::GateMode;
using fl::testing::GateResult;
using fl::testing::GateStatement;
using fl::testing::GateVerdict;
using fl::testing::NamedGate;
using fl::testing::results_by_statement;
using fl::testing::statement_result;

namespace {

const fl::AnalyticGenerator& twelve_classes() {
  static const fl::AnalyticGenerator generator({.factors = 3, .channels = 32, .classes = 12, .seed = 1});
  return generator;
}

// Class 1 fails half of the time, class 10 at 1.5 standard deviations (6.68 %), all others never.
auto failing_in_two() {
  return fl::make_classifier(
      [](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 12);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto reading = twelve_classes().read(images, i);
          const float limit = reading.label == 1 ? 0.0f : reading.label == 10 ? 1.5f : 9.0f;
          scores(i, reading.factors[0] > limit ? (reading.label + 1) % 12 : reading.label) = 5.0f;
        }
      },
      {.classes = 12, .scores = fl::Scores::logits});
}

// A result with three statements: one fails, one is open, one holds.
GateFindings three_statements(const std::vector<std::string>& names, GateVerdict verdict) {
  GateFindings found;
  found.verdict = verdict;
  found.policy = "NoKnownFailureReturns";
  found.advice = "Look at the pictures.";
  found.replay = "fl::testing::gate(...)";
  const std::vector<GateVerdict> verdicts{GateVerdict::fail, GateVerdict::undecided, GateVerdict::pass};
  for (std::size_t i = 0; i < 3; ++i) {
    GateStatement statement;
    statement.name = names[i];
    statement.verdict = verdicts[i];
    statement.samples = static_cast<std::int64_t>(i) + 1;
    statement.text = "text " + std::to_string(i) + ".";
    found.statements.push_back(statement);
  }
  return found;
}

}  // namespace

TEST_CASE("a gate on every class is divided by class, every number in its place") {
  auto mine = failing_in_two();
  const GateResult whole =
      gate(twelve_classes(), mine,
           FailureRateBelowPerClass{.bound = 0.2, .seed = 7, .max_samples = 6'000, .stop_at_first_failure = false});
  CHECK(whole.failed());
  const std::vector<NamedGate> classes = results_by_statement(whole);
  REQUIRE(classes.size() == 12);
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const GateResult& one = classes[c].result;
    const GateStatement& statement = whole.statements()[c];
    CHECK(classes[c].name == "class " + std::to_string(c));
    CHECK(one.verdict() == (c == 1 ? GateVerdict::fail : GateVerdict::pass));
    CHECK(one.verdict() == statement.verdict);
    CHECK(one.statements().size() == 1);
    CHECK(one.samples() == statement.samples);
    CHECK(one.failures() == statement.failures);
    CHECK(one.evidence_against() == statement.evidence_against);
    CHECK(one.interval().upper == statement.interval.upper);
    CHECK(one.confidence() == whole.confidence());
    CHECK(one.replay() == whole.replay());
    CHECK(class_result(whole, static_cast<std::int64_t>(c)).explain() == one.explain());
    CHECK(one.explain().find(classes[c].name + ": it ") != std::string::npos);
    CHECK(one.explain().find(statement.text) != std::string::npos);
  }
  CHECK(classes[1].result.explain().find("FAIL: class 1: it does not hold. ") == 0);
  CHECK(classes[10].result.explain().find("PASS: class 10: it holds. ") == 0);
  CHECK(whole.replay().find(".stop_at_first_failure = false") != std::string::npos);
}

TEST_CASE("a gate that goes on after a failure decides every class, and the failing ones as before") {
  auto mine = failing_in_two();
  FailureRateBelowPerClass stops{.seed = 7, .max_samples = 6'000, .bounds = std::vector<double>(12, 0.05)};
  stops.bounds[10] = 0.3;
  FailureRateBelowPerClass goes_on = stops;
  goes_on.stop_at_first_failure = false;
  const GateResult stopped = gate(twelve_classes(), mine, stops), finished = gate(twelve_classes(), mine, goes_on);
  CHECK(stopped.samples() < finished.samples());
  CHECK(stopped.statements()[1].failures == finished.statements()[1].failures);
  const auto open = [](const GateResult& result) {
    return std::ranges::count(result.statements(), GateVerdict::undecided, &GateStatement::verdict);
  };
  CHECK(open(stopped) > 0);
  CHECK(open(finished) == 0);
  CHECK(stopped.replay().find("stop_at_first_failure") == std::string::npos);
  for (const NamedGate& one : results_by_statement(stopped)) {
    if (!one.result.undecided()) continue;
    CHECK_FALSE(one.result.holds());  // open is not passed
    CHECK(one.result.explain().find("with .stop_at_first_failure = false it goes on") != std::string::npos);
  }
}

TEST_CASE("a class that is open is let pass where the gate would be") {
  auto mine = failing_in_two();
  FailureRateBelowPerClass policy{.bound = 0.07, .seed = 7, .max_samples = 2'000, .mode = GateMode::smoke};
  policy.stop_at_first_failure = false;
  const GateResult smoke = gate(twelve_classes(), mine, policy);
  const GateResult tenth = class_result(smoke, 10);  // its rate is at the bound
  CHECK(tenth.undecided());
  CHECK_THAT(tenth, fl::testing::Holds());
  policy.mode = GateMode::full;
  CHECK_THAT(class_result(gate(twelve_classes(), mine, policy), 10), !fl::testing::Passes());
  CHECK_FALSE(class_result(gate(twelve_classes(), mine, policy), 10).holds());
}

TEST_CASE("notes and pictures go with the statement that they name") {
  GateFindings found = three_statements({"class 1", "class 2", "class 10"}, GateVerdict::fail);
  found.notes = {"Class sizes differ.", "class 10 is nearly always answered as 2.", "class 1 is odd."};
  found.pictures = {"corpus/class 1.png", "all.png"};
  const std::vector<NamedGate> parts = results_by_statement(GateResult(found));
  CHECK(parts[0].result.notes() == std::vector<std::string>{"Class sizes differ.", "class 1 is odd."});
  CHECK(parts[1].result.notes() == std::vector<std::string>{"Class sizes differ."});
  CHECK(parts[2].result.notes() ==
        std::vector<std::string>{"Class sizes differ.", "class 10 is nearly always answered as 2."});
  CHECK(parts[0].result.findings().pictures.size() == 2);
  CHECK(parts[1].result.findings().pictures == std::vector<std::string>{"all.png"});
  CHECK(parts[0].result.explain() ==
        "FAIL: class 1: it does not hold. text 0. Look at the pictures.\nClass sizes differ.\nclass 1 is odd.\n"
        "Pictures: corpus/class 1.png, all.png\nReplay: fl::testing::gate(...)");
  CHECK(parts[1].result.findings().advice == "The gate failed on another statement.");
  CHECK(parts[2].result.findings().advice.empty());
  // and what the gate itself advises where it is as undecided as the statement
  found.verdict = GateVerdict::undecided;
  CHECK(results_by_statement(GateResult(found))[1].result.findings().advice == "Look at the pictures.");
}

TEST_CASE("a statement that a gate does not make is refused in a sentence") {
  const GateResult whole(three_statements({"a", "b", "c"}, GateVerdict::fail));
  CHECK(statement_result(whole, "b").undecided());
  try {
    static_cast<void>(class_result(whole, 3));
    FAIL("class 3 is none of its statements");
  } catch (const fl::Error& error) {
    CHECK(error.code() == fl::ErrorCode::invalid_argument);
    CHECK(std::string(error.what())
              .find("(NoKnownFailureReturns) says nothing about \"class 3\"; the first of its 3 "
                    "statements is about \"a\"") != std::string::npos);
  }
}

TEST_CASE("one section for each class") {
  static std::set<std::string> seen;
  static std::int64_t runs = 0;
  static const GateResult verdict = [] {
    ++runs;
    auto mine = failing_in_two();
    return gate(twelve_classes(), mine, FailureRateBelowPerClass{.bound = 0.7, .seed = 7});
  }();
  for (const NamedGate& one : results_by_statement(verdict)) DYNAMIC_SECTION(one.name) {
      seen.insert(one.name);
      CHECK_THAT(one.result, fl::testing::Passes());
    }
  CHECK(runs == 1);
  CHECK(!seen.empty());
}

TEST_CASE("an entry of a corpus prints its name") {
  fl::testing::CorpusEntry entry;
  entry.name = "3_as_8_1f3a9c20";
  std::ostringstream text;
  text << entry;
  CHECK(text.str() == "3_as_8_1f3a9c20");
}
