// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// LibTorch models of every kind as classifiers; their gradients; what they must leave alone.

#include <faultline/classify/check_classifier.hpp>
#include <faultline/classify/scoring.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/torch/torch_module.hpp>
#include <faultline/torch/torch_resident.hpp>
#include <faultline/sampling/detail/first_rows.hpp>

#include <support/catch2.hpp>

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fl = faultline;

namespace {

const fl::ImageShape shape{1, 2, 3};
const fl::ClassifierOptions options{.classes = 4, .scores = fl::Scores::logits, .name = "linear"};

at::Tensor weight() { return at::arange(24, at::kFloat).view({6, 4}).sub(11).div(10).square().sub(0.3); }

at::Tensor linear(const at::Tensor& images) { return images.flatten(1).matmul(weight()); }

fl::ImageBatch different_images(std::int64_t count) {
  fl::ImageBatch images(count, shape);
  for (std::int64_t p = 0; p < count * 6; ++p) images.data()[p] = static_cast<float>((p * 29) % 41) / 41.0f;
  return images;
}

struct OwnModule : torch::nn::Module {
  OwnModule()
      : layer(register_module("layer", torch::nn::Linear(6, 4))),
        dropout(register_module("dropout", torch::nn::Dropout(0.5))) {}
  at::Tensor forward(const at::Tensor& images) { return dropout(layer(images.flatten(1))); }
  torch::nn::Linear layer;
  torch::nn::Dropout dropout;
};

}  // namespace

TEST_CASE("a function of tensors is a classifier with gradients") {
  auto classifier = fl::make_torch_classifier(linear, options);
  static_assert(fl::DifferentiableClassifier<decltype(classifier)>);
  CHECK(classifier.name() == "linear");
  fl::classify::Scorer scorer(classifier, shape, {0, 1}, 4, 4);
  const fl::ImageBatch images = different_images(7);
  const std::vector<std::int64_t> labels{0, 1, 2, 3, 0, 1, 2};
  const fl::classify::ScoredImages said = scorer(images, labels);
  const at::Tensor p = linear(fl::as_tensor(images)).softmax(1);
  for (std::int64_t i = 0; i < 7; ++i)
    for (std::int64_t k = 0; k < 4; ++k) CHECK(said.probabilities(i, k) == Approx(p[i][k].item<float>()).margin(1e-6));

  const fl::ImageBatch gradient = scorer.probability_gradient(images, labels);
  for (std::int64_t i = 0; i < 7; ++i) {
    for (std::size_t q = 0; q < 6; ++q) {
      const float step = 1.0f / 64;
      fl::ImageBatch up = images;
      fl::ImageBatch down = images;
      up.image(i)[q] += step;
      down.image(i)[q] -= step;
      if (down.image(i)[q] < 0.0f || up.image(i)[q] > 1.0f) continue;  // the clamp's kink
      const auto at = static_cast<std::size_t>(i);
      CHECK(gradient.image(i)[q] ==
            Approx((scorer(up, labels).probability[at] - scorer(down, labels).probability[at]) / (2 * step))
                .epsilon(2e-3)
                .margin(2e-4));
    }
  }
}

TEST_CASE("gradients of declared probabilities are those of the probabilities themselves") {
  fl::ClassifierOptions probabilities = options;
  probabilities.scores = fl::Scores::probabilities;
  auto direct = fl::make_torch_classifier([](const at::Tensor& x) { return linear(x).softmax(1); }, probabilities);
  auto logits = fl::make_torch_classifier(linear, options);
  fl::classify::Scorer a(direct, shape, {0, 1}, 4, 4);
  fl::classify::Scorer b(logits, shape, {0, 1}, 4, 4);
  const std::vector<std::int64_t> labels{3, 2};
  const fl::ImageBatch ga = a.probability_gradient(different_images(2), labels);
  const fl::ImageBatch gb = b.probability_gradient(different_images(2), labels);
  for (std::int64_t p = 0; p < 12; ++p) CHECK(ga.data()[p] == Approx(gb.data()[p]).margin(1e-6));
}

TEST_CASE("module holders and pointers to modules are put into evaluation mode") {
  auto own = std::make_shared<OwnModule>();
  CHECK(own->is_training());
  auto pointer = fl::make_torch_classifier(own, options);
  CHECK(!own->is_training());
  CHECK(fl::check_classifier(pointer, different_images(5)).lawful());  // dropout is off

  torch::nn::Sequential sequential(torch::nn::Linear(3, 5), torch::nn::BatchNorm2d(torch::nn::BatchNormOptions(1)));
  auto with_flatten = fl::make_torch_classifier(
      [sequential](const at::Tensor& x) mutable { return sequential->forward(x).flatten(1).slice(1, 0, 4); }, options);
  // a module inside a lambda is the user's: batch norm still trains
  CHECK(!fl::check_classifier(with_flatten, different_images(5)).lawful());
  sequential->eval();
  CHECK(fl::check_classifier(with_flatten, different_images(5)).lawful());

  torch::nn::Linear holder(3, 4);
  auto held = fl::make_torch_classifier(holder, options);
  fl::ScoreMatrix scores;
  CHECK_THROWS_AS(held.score(different_images(2), scores), fl::Error);  // four axes: refused, not flattened
}

TEST_CASE("gradients leave the parameters' own gradients alone") {
  auto own = std::make_shared<OwnModule>();
  auto classifier = fl::make_torch_classifier(own, options);
  fl::classify::Scorer scorer(classifier, shape, {0, 1}, 4, 4);
  (void)scorer.probability_gradient(different_images(2), std::vector<std::int64_t>{0, 1});
  for (const at::Tensor& parameter : own->parameters()) CHECK(!parameter.grad().defined());
}

TEST_CASE("tensors are scores for make_classifier too") {
  auto classifier = fl::make_classifier(
      [](fl::ImageView images) { return linear(fl::as_tensor(images)).to(at::kDouble).t().contiguous().t(); }, options);
  fl::ScoreMatrix scores;
  const fl::ImageBatch images = different_images(3);
  classifier.score(images, scores);
  const at::Tensor truth = linear(fl::as_tensor(images));
  CHECK((scores.rows() == 3 && scores.cols() == 4));
  CHECK(scores(2, 1) == Approx(truth[2][1].item<float>()));
  CHECK(scores(1, 2) == Approx(truth[1][2].item<float>()));
}

TEST_CASE("misbehaviour: a model that changes LibTorch's global state changes it for itself alone") {
  const int threads = at::get_num_threads();
  const at::Tensor random_before = at::globalContext().defaultGenerator(at::Device(at::kCPU)).get_state().clone();
  auto classifier = fl::make_torch_classifier(
      [](const at::Tensor& x) {
        c10::GradMode::set_enabled(true);
        at::set_num_threads(1);
        c10::set_default_dtype(caffe2::TypeMeta::Make<double>());
        at::Generator generator = at::globalContext().defaultGenerator(at::Device(at::kCPU));
        generator.set_current_seed(99);
        return linear(x);
      },
      options);
  fl::ScoreMatrix scores;
  {
    const c10::AutoGradMode off(false);
    classifier.score(different_images(2), scores);
    CHECK(!c10::GradMode::is_enabled());
  }
  CHECK(at::get_num_threads() == threads);
  CHECK(c10::get_default_dtype() == caffe2::TypeMeta::Make<float>());
  CHECK(at::globalContext().defaultGenerator(at::Device(at::kCPU)).get_state().equal(random_before));
}

TEST_CASE("a limit of threads around a call is LibTorch's during the call and no longer") {
  const int threads = at::get_num_threads();
  int seen = 0;
  auto classifier = fl::make_torch_classifier(
      [&seen](const at::Tensor& x) {
        seen = at::get_num_threads();
        return linear(x);
      },
      options);
  fl::ScoreMatrix scores;
  at::set_num_threads(2);
  fl::within_threads(1, [&] { classifier.score(different_images(2), scores); });
  CHECK(seen == 1);
  CHECK(at::get_num_threads() == 2);
  classifier.score(different_images(2), scores);
  CHECK(seen == std::min<std::int64_t>(2, fl::available_threads()));
  CHECK(at::get_num_threads() == 2);
  at::set_num_threads(threads);
}

TEST_CASE("misbehaviour: LibTorch's own errors arrive as classifier errors") {
  auto wrong_size = fl::make_torch_classifier(
      [](const at::Tensor& x) {
        return x.flatten(1).matmul(at::zeros({5, 4}));
      },
      options);
  fl::classify::Scorer scorer(wrong_size, shape, {0, 1}, 4, 4);
  try {
    (void)scorer(different_images(1), std::vector<std::int64_t>{0});
    CHECK(false);
  } catch (const fl::Error& error) {
    CHECK(error.code() == fl::ErrorCode::classifier_threw);
  }
  const auto code_of = [](auto function) {
    auto classifier = fl::make_torch_classifier(function, options);
    fl::classify::Scorer each(classifier, shape, {0, 1}, 4, 4);
    try {
      (void)each(different_images(1), std::vector<std::int64_t>{0});
    } catch (const fl::Error& error) {
      return error.code();
    }
    return fl::ErrorCode::not_converged;
  };
  CHECK(code_of([](const at::Tensor&) { return at::Tensor(); }) == fl::ErrorCode::wrong_score_shape);
  CHECK(code_of([](const at::Tensor& x) { return linear(x).flatten(); }) == fl::ErrorCode::wrong_score_shape);
  CHECK(code_of([](const at::Tensor& x) { return linear(x).slice(1, 0, 3); }) == fl::ErrorCode::wrong_score_shape);
  CHECK(code_of([](const at::Tensor& x) { return linear(x).div(0); }) == fl::ErrorCode::non_finite_scores);
  // Its own copy: no harm
  CHECK(code_of([](const at::Tensor& x) { return x.fill_(2.0f), linear(x); }) == fl::ErrorCode::not_converged);

  auto detached = fl::make_torch_classifier([](const at::Tensor& x) { return linear(x.detach()); }, options);
  fl::classify::Scorer without(detached, shape, {0, 1}, 4, 4);
  CHECK_THROWS_AS(without.probability_gradient(different_images(1), std::vector<std::int64_t>{0}), fl::Error);
}

TEST_CASE("misbehaviour: running out of device memory halves the batch") {
  auto classifier = fl::make_torch_classifier(
      [](const at::Tensor& x) {
        if (x.size(0) > 2) TORCH_CHECK_WITH(OutOfMemoryError, false, "no memory left");
        return linear(x);
      },
      options);
  fl::classify::Scorer scorer(classifier, shape, {0, 1}, 4, 8);
  CHECK(scorer(different_images(5), std::vector<std::int64_t>(5, 0)).prediction.size() == 5);
  CHECK(scorer.batch_size() == 2);
}

TEST_CASE("a torch classifier must be declared like any other") {
  CHECK_THROWS_AS(fl::make_torch_classifier(linear, {.classes = 4}), fl::Error);
  CHECK_THROWS_AS(fl::make_torch_classifier(linear, {.scores = fl::Scores::logits}), fl::Error);
}

TEST_CASE("channels-last images arrive as such") {
  fl::ClassifierOptions last = options;
  last.input = {.channels = 3, .layout = fl::PixelLayout::channels_last};
  std::vector<std::int64_t> sizes;
  auto classifier = fl::make_torch_classifier(
      [&](const at::Tensor& x) {
        sizes = x.sizes().vec();
        return at::zeros({x.size(0), 4});
      },
      last);
  fl::classify::Scorer scorer(classifier, shape, {0, 1}, 4, 2);
  (void)scorer(different_images(2), std::vector<std::int64_t>{0, 0});
  CHECK(sizes == std::vector<std::int64_t>{2, 2, 3, 3});
}

TEST_CASE("tensors can be cut, so that generators on LibTorch are sampled in full batches") {
  static_assert(fl::detail::CutsRows<at::Tensor>);
  const at::Tensor cut = fl::detail::first_rows(at::arange(12).view({4, 3}), 2);
  CHECK(cut.sizes() == at::IntArrayRef({2, 3}));
  CHECK(cut[1][2].item<std::int64_t>() == 5);
}

TEST_CASE("tensors are prepared as images on the host are, whatever the classifier asks for") {
  for (const std::int64_t channels : {1, 3}) {
    const fl::ImageShape from{channels, 6, 5};
    fl::ImageBatch images(4, from);
    // Beyond the range on both sides
    for (std::int64_t p = 0; p < 4 * from.elements(); ++p)
      images.data()[p] = static_cast<float>((p * 29) % 41) / 16.0f - 1.2f;
    const fl::ValueRange range{-1.0, 1.0};
    for (const fl::InputSpec& spec :
         {fl::InputSpec{}, fl::InputSpec{.height = 4, .width = 4},
          fl::InputSpec{.height = 9, .width = 3, .fit = fl::Fit::resize},
          fl::InputSpec{.channels = 1, .mean = {0.3}, .std = {0.5}},
          fl::InputSpec{.channels = 3,
          .order = fl::ChannelOrder::reversed,
          .range = {0.0, 255.0},
          .mean = {1.0, 2.0, 3.0},
          .std = {1.0, 2.0, 4.0}},
          fl::InputSpec{.channels = 3, .height = 4, .width = 5, .layout = fl::PixelLayout::channels_last}}) {
      const fl::ImageBatch expected = fl::prepare_images(images, range, spec);
      const at::Tensor prepared = fl::prepare_tensor(fl::as_tensor(images), range, spec);
      CHECK((prepared - fl::as_tensor(expected, spec.layout)).abs().max().item<float>() < 1e-4f);
    }
  }
}

TEST_CASE("a model on the generator's device scores tensors there, in full batches, and says when it runs out") {
  std::vector<std::int64_t> rows;
  std::int64_t memory = 1000;
  auto model = [&](const at::Tensor& images) {
    rows.push_back(images.size(0));
    if (images.size(0) > memory) throw c10::OutOfMemoryError(c10::SourceLocation{__func__, __FILE__, __LINE__}, "full");
    return linear(images);
  };
  auto mine = fl::make_resident_torch_classifier(model, options);
  static_assert(fl::ResidentClassifier<decltype(mine), at::Tensor> && fl::DifferentiableClassifier<decltype(mine)>);
  static_assert(!fl::ResidentClassifier<decltype(fl::make_torch_classifier(linear, options)), at::Tensor>);
  fl::classify::Scorer scorer(mine, shape, {0, 1}, 4, 4);
  const fl::ImageBatch images = different_images(7);
  const std::vector<std::int64_t> labels{0, 1, 2, 3, 0, 1, 2};
  const fl::classify::ScoredImages there = scorer.resident(fl::as_tensor(images), labels);
  CHECK(rows == std::vector<std::int64_t>{4, 4});
  CHECK(there.probability == scorer(images, labels).probability);
  memory = 2;
  CHECK(scorer.resident(fl::as_tensor(images), labels).prediction == there.prediction);
  CHECK(scorer.batch_size() == 2);
}
