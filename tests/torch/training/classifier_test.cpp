// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The built-in classifiers: sizes, files, scores and gradients, and that training learns.

#include <support/catch2.hpp>

#include <torch/support.hpp>

#include <faultline/classify/class_accuracy.hpp>
#include <faultline/classify/initial_classifier.hpp>
#include <faultline/classify/network_classifier.hpp>
#include <faultline/torch/training/classifier_trainer.hpp>

using namespace test;
namespace fc = faultline::classify;
namespace ft = faultline::training;
using fl::ErrorCode;

static_assert(fl::Classifier<fc::NetworkClassifier> && fl::DifferentiableClassifier<fc::NetworkClassifier> &&
              fl::HasInputSpec<fc::NetworkClassifier>);

namespace {

std::int64_t parameters(const fc::ClassifierConfig& config) {
  std::int64_t total = 0;
  for (const auto& spec : fc::weight_specs(config)) {
    std::int64_t elements = fc::is_running_statistic(spec.name) ? 0 : 1;
    for (const std::int64_t extent : spec.shape) elements *= extent;
    total += elements;
  }
  return total;
}

}  // namespace

TEST_CASE("the paper's network has the paper's number of parameters") {
  CHECK(parameters({.architecture = "paper-cnn"}) == 1'200'074);
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
  const fc::NetworkClassifier classifier(ft::train_classifier({.architecture = "judge-cnn"}, images, options));
  CHECK(last < 0.5 * first);
  ft::TrainingImages data(images, {.mix = fl::CorruptionMix::independent, .seed = 99});
  const ft::RealBatch batch = data.batch(0, 64, {0.0, 1.0});
  const at::Tensor input = ft::centre_crop(batch.images, 28, 28).contiguous();
  fc::ClassAccuracy accuracy;
  fc::count_correct(classifier, {input.data_ptr<float>(), 64, {1, 28, 28}}, {batch.labels.data_ptr<std::int64_t>(), 64},
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

TEST_CASE("a network classifier answers as the plain network, with its gradient, for any size of input") {
  struct Case {
    const char* architecture;
    std::int64_t channels, height, width;
  };
  for (const Case& c : {Case{"paper-cnn", 1, 28, 28}, Case{"paper-cnn", 3, 13, 18}, Case{"judge-cnn", 1, 28, 28},
                        Case{"judge-cnn", 2, 21, 31}}) {
    CAPTURE(c.architecture, c.height);
    const fc::ClassifierConfig config{.architecture = c.architecture,
                                      .classes = 7,
                                      .input = {.channels = c.channels, .height = c.height, .width = c.width}};
    fc::ClassifierModel model = fc::initial_classifier(config, 3);
    std::int64_t index = 40;
    for (const auto& spec : fc::weight_specs(config))  // running statistics and scales that are not those of the start
      if (spec.name.starts_with("bn"))
        model.weights.set(spec.name, sg::to_array(normals(spec.shape, index++).abs() + 0.2));
    const sg::TensorWeights weights = sg::to_tensors(model.weights).clone(at::kDouble);
    const at::Tensor images = normals({19, c.channels, c.height, c.width}, 90);
    const at::Tensor input = images.to(at::kDouble).requires_grad_(true);
    const at::Tensor features = ft::classifier_features(config, weights, input),
                     logits = ft::classifier_head(weights, features);
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < 19; ++i) labels.push_back(i % 7);
    const at::Tensor slope =
        torch::autograd::grad({logits.softmax(1).gather(1, sg::to_label_tensor(labels).unsqueeze(1)).sum()}, {input})
            .front();
    const fc::NetworkClassifier classifier(model);
    const fl::ImageBatch host = sg::to_images(images);
    fl::Matrix<float> own_features;
    fl::ScoreMatrix scores;
    fl::ImageBatch gradient;
    classifier.features(host, own_features);
    classifier.score(host, scores);
    classifier.probability_gradient(host, labels, gradient);
    const auto scale = [](const at::Tensor& x) { return x.abs().max().item<double>(); };
    CHECK(worst(sg::to_tensor(own_features), features) < 1e-5 * scale(features));
    CHECK(worst(sg::to_tensor(scores), logits) < 1e-5 * scale(logits));
    CHECK(worst(sg::to_tensor(gradient), slope) < 1e-4 * scale(slope));
  }
}
