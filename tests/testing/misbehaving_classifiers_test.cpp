// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Classifiers that misbehave, in front of a gate: the table of docs/how-to/classifier.md, row by row. Each is an error
// of its code that says what happened, or does no harm; none is ever a failure that was counted.

#include <faultline/interop/child_process.hpp>
#include <faultline/testing.hpp>

#include <support/catch2.hpp>

#include <cfenv>
#include <chrono>
#include <clocale>
#include <cmath>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fl = faultline;
using fl::testing::FailureRateBelow;
using fl::testing::gate;

namespace {

using Scoring = std::function<void(fl::ImageView, fl::ScoreMatrix&)>;

const fl::AnalyticGenerator& known() {
  static const fl::AnalyticGenerator generator({.factors = 1, .channels = 32, .classes = 2, .seed = 1});
  return generator;
}

/// Right on every image.
void right(fl::ImageView images, fl::ScoreMatrix& scores, float logit = 5.0f) {
  scores.resize(images.count(), 2, 0.0f);
  for (std::int64_t i = 0; i < images.count(); ++i) scores(i, known().read(images, i).label) = logit;
}

/// Right until so many calls were made, which lie behind the preflight; then this.
Scoring later(Scoring what, int calls = 12) {
  return [what = std::move(what), calls, made = 0](fl::ImageView images, fl::ScoreMatrix& scores) mutable {
    if (++made > calls) what(images, scores);
    else right(images, scores);
  };
}

/// Code and text of what a gate says: 0 and its explanation when it comes to a result.
std::pair<int, std::string> said(const Scoring& scoring,
                                 fl::ClassifierOptions info = {.classes = 2, .scores = fl::Scores::logits}) {
  auto mine = fl::make_classifier(scoring, std::move(info));
  try {
    const auto result = gate(known(), mine, FailureRateBelow{.bound = 0.02, .seed = 7});
    CHECK(result.failures() == 0);
    return {0, result.explain()};
  } catch (const fl::Error& error) {
    return {static_cast<int>(error.code()), error.what()};
  }
}

bool mentions(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

}  // namespace

TEST_CASE("a classifier that throws: an exception, and something that is none") {
  const auto [code, text] =
      said(later([](fl::ImageView, fl::ScoreMatrix&) { throw std::runtime_error("no more licences"); }));
  CHECK(code == 202);
  CHECK(mentions(text, "no more licences"));
  CHECK(mentions(text, "sample"));
  CHECK(said(later([](fl::ImageView, fl::ScoreMatrix&) { throw 42; })).first == 202);
}

TEST_CASE("a classifier that returns NaN, infinity, another shape or nothing") {
  for (const float broken : {std::nanf(""), std::numeric_limits<float>::infinity()})
    CHECK(said(later([broken](fl::ImageView images, fl::ScoreMatrix& scores) {
            right(images, scores);
            scores(0, 1) = broken;
          })).first == 204);
  const auto [code, text] =
      said(later([](fl::ImageView images, fl::ScoreMatrix& scores) { scores.resize(images.count(), 3, 0.0f); }));
  CHECK(code == 203);
  CHECK(mentions(text, "3"));
  CHECK(said(later([](fl::ImageView, fl::ScoreMatrix& scores) { scores.resize(0, 0); })).first == 203);
  CHECK(said(later([](fl::ImageView images, fl::ScoreMatrix& scores) {
          scores.resize(images.count() - 1, 2, 0.0f);
        })).first == 203);
}

TEST_CASE("a classifier whose scores are not what it declared") {
  const fl::ClassifierOptions probabilities{.classes = 2, .scores = fl::Scores::probabilities};
  const auto [code, text] =
      said([](fl::ImageView images, fl::ScoreMatrix& scores) { right(images, scores); }, probabilities);
  CHECK(code == 205);
  CHECK(mentions(text, "logits"));
  CHECK(said([](fl::ImageView images, fl::ScoreMatrix& scores) { right(images, scores, 1.00005f); }, probabilities)
            .first == 0);  // rounding
  CHECK(said([](fl::ImageView images, fl::ScoreMatrix& scores) { right(images, scores, 1.1f); }, probabilities).first ==
        205);
  const auto declared = said([](fl::ImageView images, fl::ScoreMatrix& scores) {
    scores.resize(images.count(), 2, 0.1f);
    for (std::int64_t i = 0; i < images.count(); ++i) scores(i, known().read(images, i).label) = 0.9f;
  });
  CHECK(declared.first == 208);  // probabilities that were declared as logits
}

TEST_CASE("a classifier that wants other images than it gets says the same to all, and is refused") {
  const auto [code, text] = said([](fl::ImageView images, fl::ScoreMatrix& scores) {
    scores.resize(images.count(), 2, 0.0f);  // saturated: trained on 0 to 255, asked about 0 to 1
    for (std::int64_t i = 0; i < images.count(); ++i) scores(i, 0) = 7.0f;
  });
  CHECK(code == 206);
  CHECK(mentions(text, "same"));
}

TEST_CASE("a classifier that is not deterministic, or whose rows depend on each other, is refused") {
  CHECK(said([n = 0](fl::ImageView images, fl::ScoreMatrix& scores) mutable {  // dropout left on
          right(images, scores, 5.0f + 0.01f * static_cast<float>(++n));
        })
            .first == 206);
  CHECK(said([](fl::ImageView images, fl::ScoreMatrix& scores) {  // batch norm in training mode
          right(images, scores);
          double mean = 0.0;
          for (std::int64_t i = 0; i < images.count(); ++i) mean += static_cast<double>(images.image(i)[0]);
          for (std::int64_t i = 0; i < images.count(); ++i)
            scores(i, 0) += static_cast<float>(mean / static_cast<double>(images.count()));
        })
            .first == 206);
  CHECK(said([](fl::ImageView images, fl::ScoreMatrix& scores) {  // the place in the batch
          right(images, scores);
          for (std::int64_t i = 0; i < images.count(); ++i) scores(i, 0) += 0.1f * static_cast<float>(i % 2);
        })
            .first == 206);
}

TEST_CASE("a classifier that writes to its input is refused") {
  CHECK(said([](fl::ImageView images, fl::ScoreMatrix& scores) {
          right(images, scores);
          for (std::int64_t i = 0; i < images.count(); ++i) const_cast<float&>(images.image(i)[0]) = -1.0f;
        }).first == 206);
}

TEST_CASE("a classifier that does not say it is thread-safe is called from one thread") {
  const auto caller = std::this_thread::get_id();
  bool same = true;
  CHECK(said([&](fl::ImageView images, fl::ScoreMatrix& scores) {
          same = same && std::this_thread::get_id() == caller;
          right(images, scores);
        }).first == 0);
  CHECK(same);
}

TEST_CASE("a classifier that runs out of memory is asked for less, and named where one image is too much") {
  CHECK(said([](fl::ImageView images, fl::ScoreMatrix& scores) {
          if (images.count() > 8) throw std::bad_alloc();
          right(images, scores);
        }).first == 0);
  const auto [code, text] = said(later([](fl::ImageView, fl::ScoreMatrix&) { throw std::bad_alloc(); }));
  CHECK(code == 202);
  CHECK(mentions(text, "out of memory"));
}

TEST_CASE("a classifier that changes the process: rounding mode and locale") {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  const auto [code, text] = said([](fl::ImageView images, fl::ScoreMatrix& scores) {
    std::fesetround(FE_UPWARD);
    for (const char* name : {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8"})
      if (std::setlocale(LC_ALL, name) != nullptr) break;  // where numbers have commas, if it is installed
    right(images, scores);
  });
  CHECK(code == 0);
  CHECK(std::fegetround() == FE_TONEAREST);
  CHECK(mentions(text, ".bound = 0.02"));
  std::setlocale(LC_ALL, before.c_str());
}

TEST_CASE("a classifier that is always right, and one that is always wrong") {
  CHECK(said([](fl::ImageView images, fl::ScoreMatrix& scores) { right(images, scores); }).second.find("PASS: ") == 0);
  auto wrong = fl::make_classifier(
      [](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 2, 0.0f);
        for (std::int64_t i = 0; i < images.count(); ++i) scores(i, 1 - known().read(images, i).label) = 5.0f;
      },
      {.classes = 2, .scores = fl::Scores::logits});
  const auto verdict = gate(known(), wrong, FailureRateBelow{.bound = 0.02, .seed = 7});
  CHECK(verdict.failed());
  INFO(verdict.explain());
  CHECK(mentions(verdict.explain(), "two labels are swapped"));
}

TEST_CASE("a classifier that hangs, crashes or ends the process is the child's fault, with the sample named") {
  const auto child_says = [](const std::string& command) -> std::pair<int, std::string> {
    try {
      fl::ChildProcessClassifier child(command, {.classes = 2, .scores = fl::Scores::logits, .start_seconds = 0.3});
      (void)gate(known(), child, FailureRateBelow{.bound = 0.02, .seed = 7});
    } catch (const fl::Error& error) {
      return {static_cast<int>(error.code()), error.what()};
    }
    return {0, ""};
  };
  CHECK(child_says("sleep 60").first == 202);
  const auto aborted = child_says("kill -ABRT $$");
  CHECK(aborted.first == 202);
  CHECK(mentions(aborted.second, "signal"));
  CHECK(child_says("exit 3").first == 202);
}

TEST_CASE("what was counted before a classifier broke is kept, and decides nothing") {
  auto mine = fl::make_classifier(later([](fl::ImageView, fl::ScoreMatrix&) { throw std::runtime_error("gone"); }, 20),
                                  {.classes = 2, .scores = fl::Scores::logits});
  try {
    (void)gate(known(), mine, FailureRateBelow{.bound = 0.0005, .seed = 7, .max_samples = 20'000});
    FAIL("the classifier is gone");
  } catch (const fl::Interrupted<fl::testing::GateResult>& met) {
    CHECK(met.code() == fl::ErrorCode::classifier_threw);
    CHECK(mentions(met.what(), "gone"));
    CHECK_THROWS(std::rethrow_if_nested(met));
    const fl::testing::GateResult& found = met.found();
    CHECK(found.undecided());
    CHECK(found.interrupted());
    CHECK_FALSE(found.holds());
    CHECK(found.samples() > 0);
    CHECK(found.samples() < 20 * 64);
    CHECK(found.failures() == 0);
    CHECK(mentions(found.explain(), "ERROR: an error ended this gate before it was decided"));
    CHECK(mentions(found.explain(), "gone"));
    CHECK(mentions(found.replay(), "FailureRateBelow{.bound = "));
  }
}

TEST_CASE("a suite runs the gates that a broken classifier has nothing to do with, and keeps what was decided") {
  auto broken =
      fl::make_classifier(later([](fl::ImageView, fl::ScoreMatrix&) { throw std::runtime_error("gone"); }, 20),
                          {.classes = 2, .scores = fl::Scores::logits});
  auto sound = fl::make_classifier([](fl::ImageView images, fl::ScoreMatrix& scores) { right(images, scores); },
                                   {.classes = 2, .scores = fl::Scores::logits});
  fl::testing::GateSuite suite;
  suite.add("coarse", known(), broken, {.bound = 0.2, .seed = 7})
      .add("fine", known(), broken, {.bound = 0.0005, .seed = 7, .max_samples = 20'000})
      .add("sound", known(), sound, {.bound = 0.2, .seed = 7});
  try {
    (void)suite.run();
    FAIL("one classifier is gone");
  } catch (const fl::Interrupted<fl::testing::SuiteResult>& met) {
    CHECK(met.code() == fl::ErrorCode::classifier_threw);
    CHECK_THROWS(std::rethrow_if_nested(met));
    const fl::testing::SuiteResult& found = met.found();
    CHECK_FALSE(found.holds());
    CHECK_FALSE(found.failed());
    REQUIRE(found.gates().size() == 3);
    CHECK(found.gates()[0].result.passed());  // decided on the same samples before
    CHECK(found.gates()[1].result.interrupted());
    CHECK(found.gates()[1].result.samples() > found.gates()[0].result.samples());
    CHECK(found.gates()[2].result.passed());
    const std::string junit = fl::testing::junit_xml(found);
    CHECK(mentions(junit, "failures=\"0\" errors=\"1\" skipped=\"0\""));
    CHECK(mentions(junit, "<error message=\"[F202]"));
    CHECK(mentions(fl::testing::markdown_summary(found), "| fine | **error** |"));
    CHECK(mentions(fl::testing::to_json(found), "\"error\": \"[F202]"));
  }
}
