// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ONNX files as classifiers through OpenCV: known scores, every batch, what the file and the options say together, and
// what is refused. The models are those of tests/fixtures/make_onnx.py.

#include <faultline/classify/any_classifier.hpp>
#include <faultline/classify/check_classifier.hpp>
#include <faultline/classify/scoring.hpp>
#include <faultline/core/atomic_file.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/core/sha256.hpp>
#include <faultline/interop/opencv_dnn.hpp>

#include <support/catch2.hpp>
#include <support/onnx_models.hpp>

#include <opencv2/core/utils/logger.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace fl = faultline;
namespace logging = cv::utils::logging;
using Catch::Matchers::StartsWith;
using onnx_models::different_images;
using onnx_models::expected;
using onnx_models::logits;
using onnx_models::model;

static_assert(fl::Classifier<fl::OpenCvClassifier>);
static_assert(!fl::DifferentiableClassifier<fl::OpenCvClassifier>);
static_assert(!std::is_copy_constructible_v<fl::OpenCvClassifier>);
static_assert(std::is_nothrow_move_constructible_v<fl::OnnxOptions>);

namespace {

void check_quadrants(fl::OpenCvClassifier& classifier, const fl::ImageBatch& images) {
  fl::ScoreMatrix scores;
  classifier.score(images, scores);
  REQUIRE((scores.rows() == images.count() && scores.cols() == 10));
  for (std::int64_t i = 0; i < images.count(); ++i)
    for (std::int64_t k = 0; k < 10; ++k)
      CHECK(static_cast<double>(scores(i, k)) == Approx(expected(images.image(i), k)).margin(1e-5));
}

std::string refusal(const std::filesystem::path& path, const fl::OnnxOptions& options = logits) {
  return onnx_models::refusal(fl::load_opencv_classifier, path, options);
}

/// What stands on stderr, OpenCV's streams and C's, until it is asked for.
class CapturedErrors {
 public:
  CapturedErrors() : file_(std::tmpfile()), before_(::dup(2)) { ::dup2(::fileno(file_), 2); }
  ~CapturedErrors() {
    restore();
    std::fclose(file_);
  }
  CapturedErrors(const CapturedErrors&) = delete;
  CapturedErrors& operator=(const CapturedErrors&) = delete;
  [[nodiscard]] long size() {
    restore();
    std::fseek(file_, 0, SEEK_END);
    return std::ftell(file_);
  }

 private:
  void restore() {
    if (before_ < 0) return;
    std::fflush(nullptr);
    ::dup2(before_, 2);
    ::close(before_);
    before_ = -1;
  }
  std::FILE* file_;
  int before_;
};

}  // namespace

TEST_CASE("an ONNX file is a classifier whose scores are known") {
  fl::OpenCvClassifier classifier = fl::load_opencv_classifier(model("quadrants"), logits);
  CHECK(classifier.num_classes() == 10);
  CHECK(classifier.score_kind() == fl::Scores::logits);
  CHECK(classifier.name() == "quadrants");
  CHECK_FALSE(classifier.thread_safe());
  CHECK(classifier.batch_size() == 64);
  const fl::InputSpec& spec = classifier.input_spec();
  CHECK((spec.channels == 1 && spec.height == 28 && spec.width == 28));
  const auto bytes = fl::core::read_file(model("quadrants"));
  CHECK(classifier.digest() == fl::sha256_hex(std::span<const std::byte>(bytes)));
  for (const std::int64_t count : {1, 63, 64, 65, 130}) check_quadrants(classifier, different_images(count));
  fl::ScoreMatrix none;
  classifier.score(fl::ImageBatch(0, {1, 28, 28}), none);
  CHECK((none.rows() == 0 && none.cols() == 10));

  fl::OpenCvClassifier moved = std::move(classifier);
  check_quadrants(moved, different_images(3));
}

TEST_CASE("scores equal those of OpenCV called directly") {
  for (const char* name : {"quadrants", "network"}) {
    INFO(name);
    const std::string path = model(name).string();
    fl::OpenCvClassifier classifier = fl::load_opencv_classifier(path, logits);
    fl::ImageBatch images = different_images(64);
    fl::ScoreMatrix scores;
    classifier.score(images, scores);
    cv::dnn::Net net = cv::dnn::readNetFromONNX(path);
    const std::vector<int> axes = {64, 1, 28, 28};
    net.setInput(cv::Mat(4, axes.data(), CV_32F, images.data()));
    const cv::Mat directly = net.forward();
    REQUIRE(directly.total() == 640);
    CHECK(std::equal(scores.data(), scores.data() + 640, directly.ptr<float>()));
  }
}

TEST_CASE("an ONNX classifier keeps the laws, alone and in any company") {
  fl::OpenCvClassifier classifier = fl::load_opencv_classifier(model("network"), logits);
  const fl::LawReport laws = fl::check_classifier(classifier, different_images(16));
  INFO(laws.explanation);
  CHECK(laws.lawful());
  CHECK(laws.row_difference == 0.0);  // every pass has 64 images
  fl::ScoreMatrix together, alone;
  const fl::ImageBatch images = different_images(70);
  classifier.score(images, together);
  for (const std::int64_t i : {0, 63, 64, 69}) {
    classifier.score(images.view().slice(i, 1), alone);
    CHECK(std::equal(alone.data(), alone.data() + 10, together.row_span(i).begin()));
  }
}

TEST_CASE("a scorer and a type-erased classifier take it") {
  fl::AnyClassifier any(fl::load_opencv_classifier(
      model("quadrants"),
      {.classes = 10, .scores = fl::Scores::logits, .input = {.mean = {0.5}, .std = {0.25}}, .name = "release 4"}));
  CHECK(any.name() == "release 4");
  CHECK(any.digest().has_value());
  fl::classify::Scorer scorer(any, {1, 32, 32}, {-1, 1}, 10);
  const fl::ImageBatch raw = different_images(5, {1, 32, 32});
  const fl::classify::ScoredImages said = scorer(raw, std::vector<std::int64_t>{0, 1, 2, 3, 4});
  const fl::ImageBatch prepared = fl::prepare_images(raw, {-1, 1}, any.input_spec());
  for (std::int64_t i = 0; i < 5; ++i) {
    std::vector<double> wanted;
    for (std::int64_t k = 0; k < 10; ++k) wanted.push_back(expected(prepared.image(i), k));
    CHECK(said.prediction[static_cast<std::size_t>(i)] ==
          std::max_element(wanted.begin(), wanted.end()) - wanted.begin());
  }
}

TEST_CASE("batches are the file's, or the options'") {
  fl::OpenCvClassifier one = fl::load_opencv_classifier(model("one_image"), logits);
  CHECK(one.batch_size() == 1);
  check_quadrants(one, different_images(5));
  fl::OpenCvClassifier seven =
      fl::load_opencv_classifier(model("quadrants"), {.scores = fl::Scores::logits, .batch_size = 7});
  CHECK(seven.batch_size() == 7);
  check_quadrants(seven, different_images(20));
}

TEST_CASE("channels last, flat and open inputs have the sizes of the options") {
  const fl::InputSpec last{.layout = fl::PixelLayout::channels_last};
  fl::OpenCvClassifier channels_last =
      fl::load_opencv_classifier(model("channels_last"), {.scores = fl::Scores::logits, .input = last});
  CHECK((channels_last.input_spec().channels == 1 && channels_last.input_spec().height == 28));
  check_quadrants(channels_last, different_images(3));

  fl::OpenCvClassifier open = fl::load_opencv_classifier(
      model("open_size"), {.scores = fl::Scores::logits, .input = {.height = 28, .width = 28}});
  check_quadrants(open, different_images(3));

  fl::OpenCvClassifier flat =
      fl::load_opencv_classifier(model("pixels"), {.scores = fl::Scores::logits, .input = {.height = 4, .width = 4}});
  CHECK((flat.num_classes() == 2 && flat.input_spec().channels == 1));
  const fl::ImageBatch images = different_images(2, {1, 4, 4});
  fl::ScoreMatrix scores;
  flat.score(images, scores);
  for (std::int64_t i = 0; i < 2; ++i) {
    double mean = 0.0;
    for (const float x : images.image(i)) mean += static_cast<double>(x) / 16.0;
    CHECK(static_cast<double>(scores(i, 0)) == Approx(mean));
    CHECK(static_cast<double>(scores(i, 1)) == Approx(1.0 - mean));
  }
}

TEST_CASE("limits that are inputs and shapes that are calculated are read") {
  fl::OpenCvClassifier classifier = fl::load_opencv_classifier(
      model("clipped"), {.scores = fl::Scores::logits, .input = {.height = 28, .width = 28}, .batch_size = 16});
  fl::ImageBatch images = different_images(20);
  for (std::int64_t i = 0; i < 20; ++i)
    for (float& x : images.image(i)) x *= static_cast<float>(i) / 10.0f;  // means of 0 to 1
  fl::ScoreMatrix scores;
  classifier.score(images, scores);
  for (std::int64_t i = 0; i < 20; ++i)
    for (std::int64_t k = 0; k < 10; ++k)
      CHECK(static_cast<double>(scores(i, k)) == Approx(expected(images.image(i), k, 0.25, 0.5)).margin(1e-5));
}

TEST_CASE("one of several outputs is named") {
  fl::OpenCvClassifier scores =
      fl::load_opencv_classifier(model("two_outputs"), {.scores = fl::Scores::logits, .output = "scores"});
  check_quadrants(scores, different_images(3));
  CHECK(fl::load_opencv_classifier(model("two_outputs"), {.scores = fl::Scores::logits, .output = "means"})
            .num_classes() == 4);
  CHECK(refusal(model("two_outputs")) ==
        "[F101] load_opencv_classifier: 'two_outputs.onnx' has 2 outputs (scores, means); say which one has the scores "
        "in .output");
  CHECK(refusal(model("two_outputs"), {.scores = fl::Scores::logits, .output = "pooled"}) ==
        "[F101] load_opencv_classifier: 'two_outputs.onnx' has no output 'pooled', but scores, means");
}

TEST_CASE("probabilities are declared, not guessed") {
  CHECK_THAT(refusal(model("probabilities"), {}), StartsWith("[F201] load_opencv_classifier: the kind of scores"));
  fl::OpenCvClassifier classifier =
      fl::load_opencv_classifier(model("probabilities"), {.scores = fl::Scores::probabilities});
  CHECK(fl::check_classifier(classifier, different_images(4)).lawful());
}

TEST_CASE("what is no ONNX file is refused before OpenCV reads it") {
  CHECK_THAT(refusal(model("absent")), StartsWith("[F401]"));
  CHECK_THAT(refusal(model("absent").parent_path()), StartsWith("[F401]"));
  CHECK(refusal(std::filesystem::path(FAULTLINE_SOURCE_DIR) / "README.md") ==
        "[F301] load_opencv_classifier: 'README.md' is no ONNX file");
  CHECK(refusal(model("short_weights")) ==
        "[F304] load_opencv_classifier: 'short_weights.onnx' is damaged: tensor 'weight' has 39 values, its shape says "
        "40");
  CHECK(refusal(model("external_weights")) ==
        "[F310] load_opencv_classifier: 'external_weights.onnx' keeps weights in another file (external data); export "
        "it as one file");
}

TEST_CASE("a file that is cut anywhere is refused") {
  const auto bytes = fl::core::read_file(model("quadrants"));
  const std::filesystem::path cut = "cut.onnx";
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    fl::core::write_file_atomically(cut, std::span(bytes).first(size));
    const std::string said = refusal(cut);
    INFO(size << " bytes: " << said);
    CHECK((said.rfind("[F301]", 0) == 0 || said.rfind("[F302]", 0) == 0 || said.rfind("[F304]", 0) == 0));
  }
  std::filesystem::remove(cut);
}

TEST_CASE("an operator without its input is refused") {
  auto bytes = fl::core::read_file(model("network"));
  auto at = std::find(bytes.begin(), bytes.end(), std::byte{'w'});  // of the first convolution's weights
  REQUIRE(at != bytes.end());
  *at = std::byte{'v'};
  const std::filesystem::path damaged = "damaged.onnx";
  fl::core::write_file_atomically(damaged, bytes);
  CHECK(refusal(damaged) ==
        "[F304] load_opencv_classifier: 'damaged.onnx' is damaged: an operator's input is 'v1', which nothing before "
        "it makes");
  std::filesystem::remove(damaged);
}

TEST_CASE("what OpenCV or the library cannot use is refused in one sentence, and nothing is printed") {
  CapturedErrors captured;
  const std::string opencv = std::string("OpenCV ") + CV_VERSION;
  CHECK(refusal(model("unknown_operator")) ==
        "[F310] load_opencv_classifier: " + opencv +
            " does not have the operator Divination of 'unknown_operator.onnx'; export it with other operators");
  CHECK(refusal(model("maps")) ==
        "[F203] load_opencv_classifier: output 'pooled' of 'maps.onnx' is [64, 1, 2, 2], expected [64, K]: one row per "
        "image, one score per class");
  CHECK(refusal(model("two_inputs")) ==
        "[F310] load_opencv_classifier: 'two_inputs.onnx' has 2 inputs (image, offset), expected one: the images");
  CHECK(refusal(model("bytes")) ==
        "[F310] load_opencv_classifier: 'bytes.onnx' takes images of another type than float32 (ONNX type 2); export "
        "it with a float input");
  CHECK_THAT(refusal(model("open_size"), {.scores = fl::Scores::logits, .input = {.height = 45, .width = 45}}),
             StartsWith("[F103] load_opencv_classifier: " + opencv +
                        " cannot run 'open_size.onnx' on images [64, 1, 45, 45] ("));
  CHECK(captured.size() == 0);
}

TEST_CASE("sizes and classes that contradict the file are refused") {
  CHECK(refusal(model("quadrants"), {.scores = fl::Scores::logits, .input = {.height = 32}}) ==
        "[F103] load_opencv_classifier: 'quadrants.onnx' takes images with height 28, .input.height says 32");
  CHECK(refusal(model("quadrants"), {.scores = fl::Scores::logits, .input = {.channels = 3}}) ==
        "[F103] load_opencv_classifier: 'quadrants.onnx' takes images with channels 1, .input.channels says 3");
  CHECK(refusal(model("open_size")) ==
        "[F101] load_opencv_classifier: 'open_size.onnx' leaves the height of its images open; say .input.height");
  CHECK(refusal(model("pixels"), {.scores = fl::Scores::logits, .input = {.height = 28, .width = 28}}) ==
        "[F103] load_opencv_classifier: 'pixels.onnx' takes images of 16 values, .input says 1 x 28 x 28");
  CHECK(refusal(model("quadrants"), {.classes = 9, .scores = fl::Scores::logits}) ==
        "[F203] load_opencv_classifier: output 'scores' of 'quadrants.onnx' has 10 scores per image, .classes says 9");
  CHECK_THAT(refusal(model("quadrants"), {.scores = fl::Scores::logits, .batch_size = -1}), StartsWith("[F101]"));
  CHECK_THAT(refusal(model("quadrants"), {.scores = fl::Scores::logits, .threads = -1}), StartsWith("[F101]"));

  fl::OpenCvClassifier classifier = fl::load_opencv_classifier(model("quadrants"), logits);
  fl::ScoreMatrix scores;
  CHECK_THROWS_AS(classifier.score(different_images(2, {1, 32, 32}), scores), fl::Error);
}

TEST_CASE("OpenCV's log and number of threads are as before") {
  const int threads = cv::getNumThreads();
  const logging::LogLevel level = logging::getLogLevel();
  logging::setLogLevel(logging::LOG_LEVEL_WARNING);
  cv::setNumThreads(2);
  fl::OpenCvClassifier classifier =
      fl::load_opencv_classifier(model("network"), {.scores = fl::Scores::logits, .threads = 1});
  CHECK_THAT(refusal(model("unknown_operator")), StartsWith("[F310]"));
  const fl::ImageBatch images = different_images(64);
  fl::ScoreMatrix scores, alone;
  classifier.score(images, scores);
  fl::within_threads(1, [&] { classifier.score(images, alone); });
  CHECK(std::equal(scores.data(), scores.data() + 640, alone.data()));
  CHECK(cv::getNumThreads() == 2);
  CHECK(logging::getLogLevel() == logging::LOG_LEVEL_WARNING);
  cv::setNumThreads(threads);
  logging::setLogLevel(level);
}
