// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a release of the team's classifier must keep: bounds on its failures, not worse than the release before, and no
// failure that is known. One test body for every build (FAULTLINE_MODE=smoke, seconds) and for the night.
//
//   release_tests             the release tests
//   release_tests [renew]     writes baseline.json anew, with this release as the measure, and the known failures
#include <faultline/testing.hpp>
#include <faultline/testing/baseline.hpp>
#include <faultline/testing/catch2.hpp>
#include <faultline/testing/failure_corpus.hpp>
#include <faultline/testing/failure_pictures.hpp>
#include <faultline/testing/gate_report.hpp>
#include <faultline/testing/shrink_failure.hpp>

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include "digits.hpp"
#include "model.hpp"

#include <filesystem>
#include <memory>

namespace fl = faultline;
using namespace fl::testing;
using team::digits;

namespace {

const std::filesystem::path here = TEAM_SOURCE;

// The team's model behind the function it has anyway: pixels in, scores out.
auto release() {
  return fl::make_classifier(
      [model = std::make_shared<team::Model>()](fl::ImageView images, fl::ScoreMatrix& scores) {
        model->classify(images.data(), images.count(), scores);
      },
      {.classes = 10,
       .scores = fl::Scores::logits,
       .input = {.height = 28, .width = 28},
       .name = "team " + team::version});
}

}  // namespace

TEST_CASE("failures are rare, in every class, and where images are noisy") {
  auto mine = release();
  const auto result = GateSuite(0.95)
                          .add("all", digits(), mine, {.bound = 0.15, .seed = 1})
                          .add("every class", digits(), mine, FailureRateBelowPerClass{.bound = 0.3, .seed = 1})
                          .add("not worse than the release before", digits(), mine,
                               NotWorseThanBaseline{.baseline = read_baseline(here / "baseline.json"), .margin = 0.02})
                          .run();
  fl::core::write_file_atomically("gates.xml", junit_xml(result, "team"));
  fl::core::write_file_atomically("gates.md", markdown_summary(result, "Release " + team::version));
  for (const NamedGate& gate : result.gates())
    if (!gate.result.holds()) WARN(with_pictures(gate.result, digits(), mine, "failures", gate.name));
  REQUIRE_THAT(result, Holds());
}

TEST_CASE("no known failure returns") {
  auto mine = release();
  REQUIRE_THAT(gate(digits(), mine, NoKnownFailureReturns{.folder = here / "corpus"}), Holds());
}

TEST_CASE("on purpose: this release becomes the measure", "[.renew]") {
  auto mine = release();
  write_baseline(here / "baseline.json", make_baseline(digits(), mine, {.samples = 6'000, .seed = 1}));
  // What release 0.9 failed on and this one gets right must stay mended.
  auto before = fl::load_classifier(fl::find_asset("clean.safetensors"));
  const fl::AnyClassifier judge(fl::load_classifier(fl::find_asset("judge.safetensors")));
  for (const auto& shrunk : collect_failures(digits(), before, {.count = 6, .seed = 1, .judge = judge}))
    write_corpus_entry(here / "corpus", shrunk.entry, shrunk.images);
}
