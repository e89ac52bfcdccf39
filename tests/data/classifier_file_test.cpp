// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Classifier files: what is written is what is read, wrong ones are refused by name, and the shipped ones answer what
// was recorded.

#include <support/catch2.hpp>

#include <classify/network_reference.hpp>
#include <core/temporary_directory.hpp>

#include <faultline/data/classifier_file.hpp>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace fl = faultline;
using namespace faultline_tests;
using fl::ErrorCode;

namespace {

const std::filesystem::path assets = FAULTLINE_TEST_ASSETS_DIR;

/// The pictures of tests/fixtures/make_classifier_logits.py.
fl::ImageBatch drawn_images() {
  fl::ImageBatch images(3, {1, 28, 28});
  for (int i = 0; i < 3; ++i)
    for (int y = 0; y < 28; ++y)
      for (int x = 0; x < 28; ++x) {
        const int distance = (x - 13) * (x - 13) + (y - 14) * (y - 14);
        const bool inside = i == 0   ? distance >= 30 && distance < 70
                            : i == 1 ? x >= 12 && x < 15 && y > 4 && y < 24
                                     : y >= 5 && y < 8 && x > 5 && x < 22;
        images.image(i)[static_cast<std::size_t>(y * 28 + x)] =
            (inside ? 0.75f : 0.0f) + static_cast<float>((5 * x + 3 * y + 7 * i) % 16) / 64.0f;
      }
  return images;
}

}  // namespace

TEST_CASE("the shipped classifiers answer what was recorded", "[data][classifier_file]") {
  std::ifstream file(std::filesystem::path(FAULTLINE_SOURCE_DIR) / "tests" / "fixtures" / "classifier_logits.csv");
  const fl::ImageBatch images = drawn_images();
  std::set<std::string> names;
  int rows = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.front() == '#') continue;
    std::istringstream row(line);
    std::string name, digest, index, logit;
    std::getline(row, name, ',');
    std::getline(row, digest, ',');
    std::getline(row, index, ',');
    CAPTURE(name, index);
    const auto classifier = fl::load_classifier(assets / (name + ".safetensors"));
    CHECK(classifier.name() == name);
    CHECK(classifier.digest() == digest);
    fl::ScoreMatrix scores;
    classifier.score(images.view().slice(std::stoi(index), 1), scores);
    REQUIRE(scores.cols() == 10);
    for (std::int64_t k = 0; k < 10; ++k) {
      REQUIRE(std::getline(row, logit, ','));
      CHECK(static_cast<double>(scores(0, k)) == Approx(std::stod(logit)).margin(1e-4));
    }
    names.insert(name);
    ++rows;
  }
  CHECK(rows == 9);
  CHECK(names == std::set<std::string>{"clean", "judge", "robust"});
}

TEST_CASE("a shipped classifier that is read and written again is the same file", "[data][classifier_file]") {
  const TemporaryDirectory directory;
  for (const std::string name : {"clean.safetensors", "judge.safetensors", "robust.safetensors"}) {
    const fc::ClassifierModel model = fc::load_classifier_model(assets / name);
    CHECK_FALSE(model.provenance.empty());
    CHECK(fc::save_classifier(directory / name, model) == model.digest);
    CHECK(text_of(directory / name) == text_of(assets / name));
  }
}

TEST_CASE("a classifier file comes back the same", "[data][classifier_file]") {
  const TemporaryDirectory directory;
  const auto path = directory / "mine.safetensors";
  fc::ClassifierModel model = random_classifier(
      {.architecture = "judge-cnn",
       .classes = 4,
       .input = {
           .channels = 2, .height = 9, .width = 8, .range = {-1.0, 1.0}, .mean = {0.5, 0.25}, .std = {0.125, 2.0}}});
  for (const std::string provenance : {"", R"({"seed":3})"}) {
    model.provenance = provenance;
    model.digest = fc::save_classifier(path, model);
    const auto again = fl::load_classifier(path);
    CHECK(again.name() == "mine");
    CHECK(again.score_kind() == fl::Scores::logits);
    CHECK(again.digest() == model.digest);
    const fc::ClassifierModel& read = again.model();
    CHECK(read.weights == model.weights);
    CHECK(read.provenance == provenance);
    CHECK(read.config.architecture == "judge-cnn");
    CHECK(read.config.classes == 4);
    CHECK((read.config.input.channels == 2 && read.config.input.height == 9 && read.config.input.width == 8));
    CHECK(read.config.input.range == fl::ValueRange{-1.0, 1.0});
    CHECK(read.config.input.mean == std::vector<double>{0.5, 0.25});
    CHECK(read.config.input.std == std::vector<double>{0.125, 2.0});
  }
  fl::ScoreMatrix a, b;
  const fl::ImageBatch images = random_images(2, model.config.input);
  fc::NetworkClassifier(model).score(images, a);
  fl::load_classifier(path).score(images, b);
  CHECK(a == b);
}

TEST_CASE("a wrong classifier file is refused by name", "[data][classifier_file]") {
  const TemporaryDirectory directory;
  const auto path = directory / "right.safetensors", changed = directory / "changed.safetensors";
  fc::save_classifier(path, random_classifier({.input = {.channels = 1, .height = 8, .width = 8}}));
  const auto code_after = [&](const auto& change) {
    fl::data::TensorFile file = fl::data::read_safetensors(path);
    change(file);
    fl::data::write_safetensors(changed, file);
    return error_code([&] { (void)fl::load_classifier(changed); }).value_or(ErrorCode{0});
  };
  const auto code_of_config = [&](const std::string& from, const std::string& to) {
    return code_after([&](fl::data::TensorFile& file) {
      std::string& text = file.metadata["config"];
      REQUIRE(text.find(from) != std::string::npos);
      text.replace(text.find(from), from.size(), to);
    });
  };
  using File = fl::data::TensorFile;
  CHECK(code_after([](File&) {}) == ErrorCode{0});
  CHECK(code_after([](File& file) { file.tensors.erase("fc2.bias"); }) == ErrorCode::missing_tensor);
  CHECK(code_after([](File& file) { file.tensors["fc3.bias"] = file.at("fc2.bias"); }) == ErrorCode::unexpected_tensor);
  CHECK(code_after([](File& file) { file.tensors["bn1.bias"].shape = {1, 32}; }) == ErrorCode::wrong_tensor_shape);
  CHECK(
      code_after([](File& file) {
        file.tensors["fc2.bias"] = {
            .shape = {10}, .values = {}, .integers = std::vector<std::int64_t>(10), .type = fl::data::ElementType::i64};
      }) == ErrorCode::wrong_tensor_shape);
  CHECK(code_after([](File& file) { file.metadata["format"] = "faultline.stylegan2/1"; }) == ErrorCode::foreign_format);
  CHECK(code_after([](File& file) { file.metadata["author"] = "nobody"; }) == ErrorCode::malformed_header);
  CHECK(code_after([](File& file) { file.metadata.erase("config"); }) == ErrorCode::malformed_header);
  CHECK(code_of_config("\"classes\":10", "\"classes\":9") == ErrorCode::wrong_tensor_shape);
  CHECK(code_of_config("\"classes\":10", "\"classes\":0") == ErrorCode::malformed_header);
  CHECK(code_of_config("\"classes\":10", "\"classes\":65537") == ErrorCode::malformed_header);
  CHECK(code_of_config("\"classes\":10", "\"classes\":10.5") == ErrorCode::malformed_header);
  CHECK(code_of_config("\"channels\":1", "\"channels\":-1") == ErrorCode::malformed_header);
  CHECK(code_of_config("\"height\":8", "\"height\":3") == ErrorCode::malformed_header);
  CHECK(code_of_config("\"width\":8", "\"breadth\":8") == ErrorCode::malformed_header);
  CHECK(code_of_config("paper-cnn", "paper-rnn") == ErrorCode::foreign_format);
  CHECK(code_of_config("\"logits\"", "\"odds\"") == ErrorCode::malformed_header);
  CHECK(code_of_config("{", "{\"surprise\":1,") == ErrorCode::malformed_header);
  CHECK(code_of_config("{", "{\"extra\":{\"surprise\":1},") == ErrorCode{0});
  CHECK(code_of_config("{", "{\"classes\":10,") == ErrorCode::malformed_header);  // twice
}

TEST_CASE("a changed digest is refused unless the caller says otherwise", "[data][classifier_file]") {
  const TemporaryDirectory directory;
  const auto path = directory / "mine.safetensors";
  const std::string digest =
      fc::save_classifier(path, random_classifier({.input = {.channels = 1, .height = 6, .width = 6}}));
  std::string bytes = text_of(path);
  const std::size_t at = bytes.find(digest);
  REQUIRE(at != std::string::npos);
  bytes[at] = bytes[at] == '0' ? '1' : '0';
  fl::core::write_file_atomically(path, bytes);
  CHECK(error_code([&] { (void)fl::load_classifier(path); }) == ErrorCode::digest_mismatch);
  CHECK(fl::load_classifier(path, fl::Integrity::unchecked).num_classes() == 10);
  CHECK(error_code([&] { (void)fl::load_classifier(directory / "none.safetensors"); }) == ErrorCode::cannot_open);
}
