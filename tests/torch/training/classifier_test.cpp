// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The built-in classifiers: sizes, files, scores and gradients, and that training learns.

#include <support/catch2.hpp>

#include <stylegan2/support.hpp>

#include <faultline/torch/training/classifier_trainer.hpp>

using namespace test;
namespace ft = faultline::training;
using fl::ErrorCode;

static_assert(fl::Classifier<ft::NetworkClassifier> && fl::DifferentiableClassifier<ft::NetworkClassifier> &&
              fl::HasInputSpec<ft::NetworkClassifier>);

namespace {

std::int64_t parameters(const ft::ClassifierConfig& config) {
  std::int64_t total = 0;
  for (const auto& spec : ft::weight_specs(config)) {
    std::int64_t elements = ft::is_running_statistic(spec.name) ? 0 : 1;
    for (const std::int64_t extent : spec.shape) elements *= extent;
    total += elements;
  }
  return total;
}

fl::ImageBatch random_images(std::int64_t count) {
  fl::ImageBatch images(count, {1, 28, 28});
  for (std::int64_t i = 0; i < count; ++i) {
    fl::core::CounterRandom random(1, fl::core::Stream::latents, i);
    for (float& value : images.image(i)) value = static_cast<float>(random.uniform());
  }
  return images;
}

ft::ClassifierModel random_model(const std::string& architecture) {
  ft::ClassifierModel model = ft::initial_classifier({.architecture = architecture}, 3);
  for (const auto& [name, tensor] : model.weights.all())  // running statistics that are not the identity
    if (ft::is_running_statistic(name)) tensor.detach().add_(normals(tensor.sizes().vec(), 1).abs(), 0.3);
  return model;
}

}  // namespace

TEST_CASE("the paper's network has the paper's number of parameters") {
  CHECK(parameters({.architecture = "paper-cnn"}) == 1'200'074);
  CHECK(code_of([] { (void)ft::weight_specs({.architecture = "other"}); }) == ErrorCode::foreign_format);
}

TEST_CASE("scores depend on their own image alone, bit for bit, whatever the batch") {
  for (const std::string architecture : {"paper-cnn", "judge-cnn"}) {
    const ft::NetworkClassifier classifier(random_model(architecture));
    const fl::ImageBatch images = random_images(70);
    fl::ScoreMatrix all, one;
    classifier.score(images, all);
    REQUIRE(all.rows() == 70);
    for (const std::int64_t i : {std::int64_t{0}, std::int64_t{69}}) {
      classifier.score(images.view().slice(i, 1), one);
      CHECK(std::equal(one.row_span(0).begin(), one.row_span(0).end(), all.row_span(i).begin()));
    }
    CHECK(code_of([&] { classifier.score(fl::ImageBatch(1, {1, 32, 32}), one); }) == ErrorCode::shape_mismatch);
  }
}

TEST_CASE("the probability gradient agrees with central differences") {
  const ft::NetworkClassifier classifier(random_model("judge-cnn"));
  fl::ImageBatch images = random_images(2), gradient;
  const std::vector<std::int64_t> labels = {4, 7};
  classifier.probability_gradient(images, labels, gradient);
  const auto probability = [&](std::int64_t i) {
    fl::ScoreMatrix scores;
    classifier.score(images, scores);
    double sum = 0.0;
    for (const float s : scores.row_span(i)) sum += std::exp(static_cast<double>(s));
    return std::exp(static_cast<double>(scores(i, labels[static_cast<std::size_t>(i)]))) / sum;
  };
  double largest = 0.0;
  for (const float g : gradient.image(1)) largest = std::max(largest, std::abs(static_cast<double>(g)));
  for (const std::size_t pixel : {std::size_t{100}, std::size_t{400}, std::size_t{410}}) {
    float& value = images.image(1)[pixel];
    const float kept = value;
    value = kept + 0.02f;
    const double up = probability(1);
    value = kept - 0.02f;
    const double down = probability(1);
    value = kept;
    CHECK(static_cast<double>(gradient.image(1)[pixel]) == Approx((up - down) / 0.04).margin(0.05 * largest));
  }
  CHECK(code_of([&] { classifier.probability_gradient(images, std::vector<std::int64_t>{1}, gradient); }) ==
        ErrorCode::shape_mismatch);
  CHECK(code_of([&] {
          classifier.probability_gradient(images, std::vector<std::int64_t>{1, 10}, gradient);
        }) == ErrorCode::label_out_of_range);
}

TEST_CASE("a classifier file comes back the same and a wrong one is refused by name") {
  const auto path = std::filesystem::temp_directory_path() / "faultline-classifier-test.safetensors";
  const ft::ClassifierModel model = random_model("paper-cnn");
  ft::save_classifier(path, model);
  const auto again = fl::load_classifier(path);
  CHECK(again.name() == "faultline-classifier-test");
  CHECK(again.score_kind() == fl::Scores::logits);
  CHECK(again.input_spec().height == 28);
  fl::ScoreMatrix a, b;
  ft::NetworkClassifier(model).score(random_images(2), a);
  again.score(random_images(2), b);
  CHECK(std::equal(a.values().begin(), a.values().end(), b.values().begin()));
  const auto code_after = [&](const auto& change) {
    fl::data::TensorFile file = fl::data::read_safetensors(path);
    change(file);
    const auto changed = path.string() + ".changed";
    fl::data::write_safetensors(changed, file);
    const ErrorCode code = code_of([&] { (void)fl::load_classifier(changed); });
    std::filesystem::remove(changed);
    return code;
  };
  const auto config = [](fl::data::TensorFile& file, const std::string& from, const std::string& to) {
    std::string& text = file.metadata["config"];
    REQUIRE(text.find(from) != std::string::npos);
    text.replace(text.find(from), from.size(), to);
  };
  CHECK(code_after([](fl::data::TensorFile&) {}) == ErrorCode{0});
  CHECK(code_after([](fl::data::TensorFile& file) { file.tensors.erase("fc2.bias"); }) == ErrorCode::missing_tensor);
  CHECK(code_after([](fl::data::TensorFile& file) { file.tensors["fc3.bias"] = file.at("fc2.bias"); }) ==
        ErrorCode::unexpected_tensor);
  CHECK(code_after([&](fl::data::TensorFile& file) { config(file, "\"classes\":10", "\"classes\":9"); }) ==
        ErrorCode::wrong_tensor_shape);
  CHECK(code_after([&](fl::data::TensorFile& file) { config(file, "\"classes\":10", "\"classes\":0"); }) ==
        ErrorCode::malformed_header);
  CHECK(code_after([&](fl::data::TensorFile& file) { config(file, "\"height\":28", "\"height\":3"); }) ==
        ErrorCode::malformed_header);
  CHECK(code_after([&](fl::data::TensorFile& file) { config(file, "paper-cnn", "paper-rnn"); }) ==
        ErrorCode::foreign_format);
  CHECK(code_after([&](fl::data::TensorFile& file) { config(file, "\"logits\"", "\"odds\""); }) ==
        ErrorCode::malformed_header);
  CHECK(code_after([&](fl::data::TensorFile& file) { config(file, "{", "{\"surprise\":1,"); }) ==
        ErrorCode::malformed_header);
  CHECK(code_after([](fl::data::TensorFile& file) { file.metadata["format"] = "faultline.stylegan2/1"; }) ==
        ErrorCode::foreign_format);
  std::filesystem::remove(path);
}

TEST_CASE("a classifier learns to tell two kinds of image apart") {
  fl::LabelledImages images{.count = 128, .height = 28, .width = 28, .classes = 10, .pixels = {}, .labels = {}};
  images.pixels.assign(128 * 784, 0);
  for (std::int64_t i = 0; i < 128; ++i) {
    images.labels.push_back(static_cast<std::uint8_t>(i % 2));
    for (std::int64_t y = 6; y < 22; ++y)  // a bar on the left or on the right, its place jittered
      for (std::int64_t x = 0; x < 4; ++x)
        images.pixels[static_cast<std::size_t>(i * 784 + y * 28 + (i % 2 == 0 ? 4 : 18) + (i / 2) % 4 + x)] = 255;
  }
  double first = 0.0, last = 0.0;
  ft::ClassifierOptions options{.mix = fl::CorruptionMix::independent, .epochs = 3, .batch = 16};
  options.progress = [&](std::int64_t done, std::int64_t, double loss) { (done == 16 ? first : last) = loss; };
  const ft::NetworkClassifier classifier(ft::train_classifier({.architecture = "judge-cnn"}, images, options));
  CHECK(last < 0.5 * first);
  ft::TrainingImages data(images, {.mix = fl::CorruptionMix::independent, .seed = 99});
  const ft::RealBatch batch = data.batch(0, 64, {0.0, 1.0});
  const at::Tensor input = ft::centre_crop(batch.images, 28, 28).contiguous();
  ft::ClassAccuracy accuracy;
  ft::count_correct(classifier, {input.data_ptr<float>(), 64, {1, 28, 28}}, {batch.labels.data_ptr<std::int64_t>(), 64},
                    accuracy);
  CHECK(accuracy.overall() > 0.9);  // guessing gives 0.5 at best
  CHECK(code_of([&] { (void)ft::train_classifier({}, images, {.epochs = 0}); }) == ErrorCode::invalid_argument);
  CHECK(code_of([&] { (void)ft::train_classifier({.classes = 9}, images, {}); }) == ErrorCode::label_out_of_range);
  CHECK(code_of([&] {
          (void)ft::train_classifier({.input = {.channels = 3, .height = 28, .width = 28}}, images, {});
        }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] {
          (void)ft::train_classifier({.input = {.channels = 1, .height = 33, .width = 28}}, images, {});
        }) == ErrorCode::shape_mismatch);
  images.classes = 0;  // without labels
  images.labels.clear();
  CHECK(code_of([&] { (void)ft::train_classifier({}, images, {}); }) == ErrorCode::label_out_of_range);
}

TEST_CASE("a set of colour images, with or without labels, gives batches of its own shape") {
  fl::LabelledImages images{
      .count = 5, .height = 4, .width = 4, .classes = 0, .pixels = {}, .labels = {}, .channels = 3};
  for (int i = 0; i < 5 * 48; ++i) images.pixels.push_back(static_cast<std::uint8_t>(i));
  ft::TrainingImages data(images, {.mix = fl::CorruptionMix::none, .padding = 0});
  const ft::RealBatch batch = data.batch(0, 5, {0.0, 255.0});
  CHECK(batch.images.sizes() == at::IntArrayRef({5, 3, 4, 4}));
  CHECK_FALSE(batch.labels.defined());
  CHECK(std::abs(batch.images.sum().item<double>() - 239.0 * 240.0 / 2.0) < 0.1);  // an epoch shows every pixel once
}

TEST_CASE("the folded network answers as the plain one, whatever the batch, for any size of input") {
  struct Case {
    const char* architecture;
    std::int64_t channels, height, width;
  };
  for (const Case& c : {Case{"paper-cnn", 1, 28, 28}, Case{"paper-cnn", 3, 13, 18}, Case{"judge-cnn", 1, 28, 28},
                        Case{"judge-cnn", 2, 21, 31}}) {
    CAPTURE(c.architecture, c.height);
    const c10::AutoGradMode off(false);
    const ft::ClassifierConfig config{.architecture = c.architecture,
                                      .classes = 7,
                                      .input = {.channels = c.channels, .height = c.height, .width = c.width}};
    ft::ClassifierModel model = ft::initial_classifier(config, 3);
    std::int64_t index = 40;
    for (const auto& spec : ft::weight_specs(config))  // running statistics and scales that are not those of the start
      if (spec.name.rfind("bn", 0) == 0) model.weights.set(spec.name, normals(spec.shape, index++).abs() + 0.2);
    const at::Tensor images = normals({19, c.channels, c.height, c.width}, 90);
    const at::Tensor features = ft::classifier_features(config, model.weights, images),
                     logits = ft::classifier_head(model.weights, features);
    const ft::detail::FoldedNetwork folded(config, model.weights);
    CHECK(worst(folded.features(images), features) < 1e-5 * features.abs().max().item<double>());
    CHECK(worst(folded.logits(images), logits) < 1e-5 * logits.abs().max().item<double>());
    CHECK(folded.logits(images.narrow(0, 17, 2)).equal(folded.logits(images).narrow(0, 17, 2)));
  }
}
