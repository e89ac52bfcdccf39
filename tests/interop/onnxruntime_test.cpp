// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ONNX files as classifiers through ONNX Runtime: known scores, every batch, several threads, and what is refused. What
// the file and the options say together is tested with OpenCV, in opencv_dnn_test.cpp.

#include <faultline/classify/any_classifier.hpp>
#include <faultline/classify/check_classifier.hpp>
#include <faultline/classify/scoring.hpp>
#include <faultline/core/atomic_file.hpp>
#include <faultline/core/sha256.hpp>
#include <faultline/interop/onnxruntime.hpp>

#include <support/catch2.hpp>
#include <support/onnx_models.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace fl = faultline;
using Catch::Matchers::StartsWith;
using onnx_models::different_images;
using onnx_models::expected;
using onnx_models::logits;
using onnx_models::model;

static_assert(fl::Classifier<fl::OnnxRuntimeClassifier>);
static_assert(!std::is_copy_constructible_v<fl::OnnxRuntimeClassifier>);

namespace {

std::string refusal(const std::string& name, const fl::OnnxOptions& options = logits) {
  return onnx_models::refusal(fl::load_onnxruntime_classifier, model(name), options);
}

void check_quadrants(const fl::OnnxRuntimeClassifier& classifier, const fl::ImageBatch& images, double lower = 0.0,
                     double upper = 1.0) {
  fl::ScoreMatrix scores;
  classifier.score(images, scores);
  REQUIRE((scores.rows() == images.count() && scores.cols() == 10));
  for (std::int64_t i = 0; i < images.count(); ++i)
    for (std::int64_t k = 0; k < 10; ++k)
      CHECK(static_cast<double>(scores(i, k)) == Approx(expected(images.image(i), k, lower, upper)).margin(1e-5));
}

}  // namespace

TEST_CASE("ONNX Runtime gives the scores that are known") {
  fl::OnnxRuntimeClassifier classifier = fl::load_onnxruntime_classifier(model("quadrants"), logits);
  CHECK(classifier.num_classes() == 10);
  CHECK(classifier.name() == "quadrants");
  CHECK(classifier.thread_safe());
  CHECK(classifier.batch_size() == 64);
  const auto bytes = fl::core::read_file(model("quadrants"));
  CHECK(classifier.digest() == fl::sha256_hex(std::span<const std::byte>(bytes)));
  for (const std::int64_t count : {0, 1, 63, 64, 65, 130}) check_quadrants(classifier, different_images(count));
  const fl::OnnxRuntimeClassifier moved = std::move(classifier);
  check_quadrants(moved, different_images(3));
}

TEST_CASE("scores equal those of ONNX Runtime called directly") {
  const fl::OnnxRuntimeClassifier classifier = fl::load_onnxruntime_classifier(model("network"), logits);
  fl::ImageBatch images = different_images(64);
  fl::ScoreMatrix scores;
  classifier.score(images, scores);
  Ort::Env env(ORT_LOGGING_LEVEL_FATAL);
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(1);
  Ort::Session session(env, model("network").c_str(), options);
  const std::vector<std::int64_t> axes = {64, 1, 28, 28};
  const Ort::Value pixels = Ort::Value::CreateTensor<float>(
      Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault), images.data(), 64 * 784, axes.data(), 4);
  const char* const input = "image";
  const char* const output = "scores";
  const auto said = session.Run(Ort::RunOptions{nullptr}, &input, &pixels, 1, &output, 1);
  CHECK(std::equal(scores.data(), scores.data() + 640, said.front().GetTensorData<float>()));
}

TEST_CASE("several batches of a request are scored at once, with the same scores") {
  fl::AnyClassifier any(fl::load_onnxruntime_classifier(model("network"), logits));
  const fl::LawReport laws = fl::check_classifier(any, different_images(16));
  INFO(laws.explanation);
  CHECK(laws.lawful());
  CHECK(laws.row_difference == 0.0);
  fl::classify::Scorer scorer(any, {1, 28, 28}, {0, 1}, 10, 16);
  const fl::ImageBatch images = different_images(400);
  const fl::classify::ScoredImages said = scorer(images, std::vector<std::int64_t>(400, 3));
  fl::ScoreMatrix scores;
  any.score(images, scores);
  for (std::int64_t i = 0; i < 400; ++i) {
    const auto row = scores.row_span(i);
    CHECK(said.prediction[static_cast<std::size_t>(i)] == std::max_element(row.begin(), row.end()) - row.begin());
  }
}

TEST_CASE("batches, layouts and open axes are as with OpenCV") {
  check_quadrants(fl::load_onnxruntime_classifier(model("one_image"), logits), different_images(5));
  check_quadrants(fl::load_onnxruntime_classifier(model("quadrants"),
                                                  {.scores = fl::Scores::logits, .batch_size = 7, .threads = 2}),
                  different_images(20));
  const fl::InputSpec last{.layout = fl::PixelLayout::channels_last};
  check_quadrants(
      fl::load_onnxruntime_classifier(model("channels_last"), {.scores = fl::Scores::logits, .input = last}),
      different_images(3));
  const fl::InputSpec size{.height = 28, .width = 28};
  check_quadrants(fl::load_onnxruntime_classifier(model("open_size"), {.scores = fl::Scores::logits, .input = size}),
                  different_images(3));
  check_quadrants(fl::load_onnxruntime_classifier(model("clipped"), {.scores = fl::Scores::logits, .input = size}),
                  different_images(3), 0.25, 0.5);
  check_quadrants(
      fl::load_onnxruntime_classifier(model("two_outputs"), {.scores = fl::Scores::logits, .output = "scores"}),
      different_images(3));
}

TEST_CASE("what ONNX Runtime or the library cannot use is refused in one sentence") {
  const std::string engine = "ONNX Runtime " + Ort::GetVersionString();
  CHECK_THAT(refusal("absent"), StartsWith("[F401]"));
  CHECK(refusal("unknown_operator") ==
        "[F310] load_onnxruntime_classifier: " + engine +
            " does not have the operator Divination of 'unknown_operator.onnx'; export it with other operators");
  CHECK(refusal("maps") ==
        "[F203] load_onnxruntime_classifier: output 'pooled' of 'maps.onnx' is [64, 1, 2, 2], expected float32 [64, "
        "K]: one row per image, one score per class");
  CHECK_THAT(refusal("open_size", {.scores = fl::Scores::logits, .input = {.height = 45, .width = 45}}),
             StartsWith("[F103] load_onnxruntime_classifier: " + engine +
                        " cannot run 'open_size.onnx' on images [64, 1, 45, 45] ("));
  CHECK_THAT(refusal("one_image", {.scores = fl::Scores::logits, .batch_size = 2}), StartsWith("[F103]"));
  CHECK_THAT(refusal("two_outputs"), StartsWith("[F101]"));
  CHECK_THAT(refusal("two_inputs"), StartsWith("[F310]"));
  CHECK_THAT(refusal("short_weights"), StartsWith("[F304]"));
  CHECK_THAT(refusal("quadrants", {}), StartsWith("[F201]"));
  CHECK_THAT(refusal("quadrants", {.classes = 9, .scores = fl::Scores::logits}), StartsWith("[F203]"));
  CHECK_THAT(refusal("quadrants", {.scores = fl::Scores::logits, .input = {.height = 32}}), StartsWith("[F103]"));
}
