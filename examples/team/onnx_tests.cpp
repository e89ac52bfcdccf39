// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The release tests of a model that is an ONNX file (small.onnx), run by OpenCV: the same gates, another classifier.
#include <faultline/interop/opencv_dnn.hpp>
#include <faultline/testing.hpp>
#include <faultline/testing/catch2.hpp>

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include "digits.hpp"

#include <filesystem>

namespace fl = faultline;

namespace {

// What the file does not say: that its scores are logits. Its input it says, grey images of 28x28; the generator's are
// cut to that size, and lie in [0, 1].
fl::OpenCvClassifier small_model() {
  return fl::load_opencv_classifier(std::filesystem::path(TEAM_SOURCE) / "small.onnx", {.scores = fl::Scores::logits});
}

}  // namespace

TEST_CASE("small.onnx: failures are rare") {
  auto mine = small_model();
  REQUIRE_THAT(fl::testing::gate(team::digits(), mine, {.bound = 0.1, .seed = 1}), fl::testing::Holds());
}

TEST_CASE("small.onnx: failures are rare in every class") {
  static const auto verdict = [] {
    auto mine = small_model();
    const fl::testing::FailureRateBelowPerClass policy{.bound = 0.2, .seed = 1, .stop_at_first_failure = false};
    return fl::testing::gate(team::digits(), mine, policy);
  }();
  for (const fl::testing::NamedGate& one : fl::testing::results_by_statement(verdict)) DYNAMIC_SECTION(one.name) {
      CHECK_THAT(one.result, fl::testing::Holds());
    }
}
