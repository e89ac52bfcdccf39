// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Projector: generated images are recovered, gradients are right, results repeat, and what cannot be projected is
// refused.

#include <support/catch2.hpp>

#include "support.hpp"

#include <faultline/torch/projector.hpp>

#include <algorithm>
#include <cmath>

using namespace test;
using fl::ErrorCode;
using Reference = fl::Generator<fl::ReferenceBackend>;

namespace {

const Reference& digits() {
  static const Reference generator =
      Reference::load(std::filesystem::path(FAULTLINE_SOURCE_DIR) / "assets" / "digits.safetensors");
  return generator;
}

/// Generated images in [0, 1], clamped, of other latents than a projector samples.
fl::ImageBatch generated(const Reference& generator, std::int64_t index, const std::vector<std::int64_t>& labels) {
  const c10::AutoGradMode off(false);
  const at::Tensor w = generator.map(normals({static_cast<std::int64_t>(labels.size()), generator.latent_dim()}, index),
                                     generator.label_from_host(labels));
  const fl::ValueRange range = generator.value_range();
  return generator.image_to_host(
      at::clamp((generator.synthesize(generator.styles(w)) - range.lower) / (range.upper - range.lower), 0.0, 1.0));
}

fl::ImageBatch centre(const fl::ImageBatch& image, std::int64_t size) {
  const std::int64_t own = image.shape().height, margin = (own - size) / 2;
  fl::ImageBatch result(1, {1, size, size});
  for (std::int64_t y = 0; y < size; ++y)
    for (std::int64_t x = 0; x < size; ++x)
      result.image(0)[static_cast<std::size_t>(y * size + x)] =
          image.image(0)[static_cast<std::size_t>((y + margin) * own + x + margin)];
  return result;
}

fl::ImageBatch one(const fl::ImageBatch& images, std::int64_t i) {
  fl::ImageBatch result(1, images.shape());
  std::copy(images.image(i).begin(), images.image(i).end(), result.image(0).begin());
  return result;
}

double rms(const fl::ImageBatch& a, const fl::ImageBatch& b) {
  double sum = 0.0;
  for (std::size_t p = 0; p < a.image(0).size(); ++p)
    sum += std::pow(static_cast<double>(a.image(0)[p]) - static_cast<double>(b.image(0)[p]), 2);
  return std::sqrt(sum / static_cast<double>(a.image(0).size()));
}

}  // namespace

TEST_CASE("a generated image is met far better than by any sampled latent, and its latent is an ordinary one") {
  const std::vector<std::int64_t> labels = {3, 8};
  const fl::ImageBatch images = generated(digits(), 40, labels);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    fl::Projector projector(digits(), {.references = 0});
    const fl::ImageBatch image = one(images, static_cast<std::int64_t>(i));
    const fl::Projection found = projector.project(image, labels[i]);
    // The nearest of 300 random latents of the class.
    const fl::ImageBatch others =
        generated(digits(), 50 + static_cast<std::int64_t>(i), std::vector<std::int64_t>(300, labels[i]));
    double nearest = 1.0;
    for (std::int64_t k = 0; k < others.count(); ++k) nearest = std::min(nearest, rms(image, one(others, k)));
    CHECK(found.label == labels[i]);
    CHECK(found.rms < 0.03);
    CHECK(nearest > 2.0 * found.rms);
    CHECK(found.rms == Approx(rms(image, found.reconstruction)).margin(1e-5));
    // Raw pixels beyond the range count where the image is not at its end
    CHECK(found.loss.pixel > 0.999 * found.rms * found.rms);
    CHECK(found.loss.pixel < 1.5 * found.rms * found.rms);
    CHECK(found.percentile < 99.5);
    CHECK(found.mahalanobis > 0.0);
    CHECK_FALSE(found.good);
    // w, s and reconstruction belong together.
    fl::Matrix<float> w(1, digits().w_dim());
    std::copy(found.w.begin(), found.w.end(), w.data());
    const at::Tensor s = digits().styles(digits().latent_from_host(w));
    const fl::Matrix<float> rows = digits().style_to_host(s);
    for (std::size_t k = 0; k < found.s.size(); ++k)
      REQUIRE(found.s[k] == Approx(rows(0, static_cast<std::int64_t>(k))).margin(1e-5));
  }
}

TEST_CASE("an unknown label is found, the same call gives the same bits, and styles can be refined") {
  // Smaller than the generator's: its margin is not compared
  const fl::ImageBatch image = centre(generated(digits(), 41, {7}), 28);
  fl::ProjectionOptions options{.steps = 45, .candidates = 60, .starts = 2, .style_steps = 0, .references = 0};
  const fl::Projection found = fl::Projector(digits(), options).project(image);
  const fl::Projection again = fl::Projector(digits(), options).project(image);
  CHECK(found.label == 7);
  CHECK(found.rms < 0.08);
  CHECK(found.w == again.w);
  CHECK(found.s == again.s);
  CHECK(found.loss.likeness == again.loss.likeness);
  options.style_steps = 20;
  const fl::Projection refined = fl::Projector(digits(), options).project(image);
  CHECK(refined.w == found.w);
  CHECK(refined.s != found.s);
  CHECK(refined.loss.likeness < found.loss.likeness);
}

TEST_CASE("references say which reconstruction is good") {
  const std::vector<std::int64_t> labels = {0, 1, 2, 4};
  fl::ProjectionOptions options{.steps = 40, .candidates = 40, .starts = 1, .references = 3};
  fl::Projector projector(digits(), options);
  CHECK(projector.references().size() == 3);
  CHECK(std::is_sorted(projector.references().begin(), projector.references().end()));
  projector.set_references(generated(digits(), 42, labels), labels);
  CHECK(projector.references().size() == 4);
  // Stripes are no digit.
  fl::ImageBatch stripes(1, {1, 32, 32});
  for (std::size_t p = 0; p < 1024; ++p) stripes.image(0)[p] = p % 32 % 8 < 4 ? 1.0f : 0.0f;
  const fl::Projection bad = projector.project(stripes, 5);
  REQUIRE(bad.good);
  CHECK_FALSE(*bad.good);
  CHECK(bad.likeness_percentile == 100.0);
  const fl::Projection fine = projector.project(generated(digits(), 43, {5}), 5);
  CHECK(fine.loss.likeness < 0.3 * bad.loss.likeness);
}

TEST_CASE("the gradient of the projection's loss agrees with central differences") {
  namespace sd = fl::stylegan2::detail;
  const Reference generator({small_config(), perturbed_arrays(small_config(), 5), "", ""});
  const at::Tensor w =
      generator.map(normals({2, 6}, 1), generator.label_from_host(std::vector<std::int64_t>{0, 2})).detach();
  fl::ProjectionOptions options{.pixel_weight = 1.0, .detail_weight = 2.0, .feature_weight = 0.7};
  for (const bool with_features : {false, true}) {
    // With features the target has the full size: the margin of a smaller one is taken from the reconstruction and
    // deliberately has no gradient.
    const std::int64_t size = with_features ? 8 : 6;
    const at::Tensor target = at::clamp(normals({1, small_config().img_channels, size, size}, 2) * 0.2 + 0.5, 0.0, 1.0);
    if (with_features)
      options.features = [](const at::Tensor& images) { return at::avg_pool2d(images * images, 2).flatten(1); };
    const auto loss = [&](const at::Tensor& at_w) {
      return sd::ImageLoss(sd::unit_images(generator, generator.styles(at_w)) * 0.1 + 0.5, target, options.features)
          .likeness(options);
    };
    at::Tensor gradient;
    {
      const c10::AutoGradMode on(true);
      const at::Tensor leaf = w.clone().requires_grad_(true);
      gradient = torch::autograd::grad({loss(leaf).sum()}, {leaf}).front();
    }
    const double largest = gradient.abs().max().item<double>();
    CHECK(largest > 1e-4);
    for (std::int64_t row = 0; row < 2; ++row)
      for (std::int64_t j = 0; j < 5; ++j) {
        const double h = 1e-2;
        const auto at_shift = [&](double shift) {
          at::Tensor moved = w.clone();
          moved.data_ptr<float>()[row * 5 + j] += static_cast<float>(shift);
          return loss(moved).select(0, row).item<double>();
        };
        const double slope = (at_shift(h) - at_shift(-h)) / (2.0 * h);
        CHECK(gradient.select(0, row).select(0, j).item<double>() == Approx(slope).margin(0.03 * largest));
      }
  }
}

TEST_CASE("the projector refuses what it cannot project") {
  const Reference generator({small_config(), perturbed_arrays(small_config(), 5), "", ""});
  const std::int64_t channels = generator.image_shape().channels;
  const fl::ProjectionOptions quick{.steps = 2, .candidates = 5, .starts = 1, .population = 200, .references = 0};
  const auto refused = [&](auto change) {
    fl::ProjectionOptions options = quick;
    change(options);
    return code_of([&] { fl::Projector<fl::ReferenceBackend>(generator, options); });
  };
  CHECK(refused([](fl::ProjectionOptions&) {}) == ErrorCode{0});
  CHECK(refused([](fl::ProjectionOptions& o) { o.steps = 0; }) == ErrorCode::invalid_argument);
  CHECK(refused([](fl::ProjectionOptions& o) { o.population = 10; }) == ErrorCode::invalid_argument);
  CHECK(refused([](fl::ProjectionOptions& o) { o.learning_rate = 0.0; }) == ErrorCode::invalid_argument);
  CHECK(refused([](fl::ProjectionOptions& o) { o.prior_weight = -1.0; }) == ErrorCode::invalid_argument);
  fl::Projector projector(generator, quick);
  const auto code = [&](const fl::ImageBatch& image) { return code_of([&] { (void)projector.project(image); }); };
  CHECK(code(fl::ImageBatch(1, {channels, 8, 8})) == ErrorCode{0});
  CHECK(code(fl::ImageBatch(1, {channels, 6, 6})) == ErrorCode{0});
  CHECK(code(fl::ImageBatch(1, {channels, 16, 16})) == ErrorCode::shape_mismatch);
  CHECK(code(fl::ImageBatch(1, {channels + 1, 8, 8})) == ErrorCode::shape_mismatch);
  CHECK(code(fl::ImageBatch(2, {channels, 8, 8})) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] {
          (void)projector.project(fl::ImageBatch(1, {channels, 8, 8}), 3);
        }) == ErrorCode::label_out_of_range);
  fl::ImageBatch bytes(1, {channels, 8, 8});
  bytes.image(0)[5] = 255.0f;
  CHECK(code(bytes) == ErrorCode::invalid_argument);
  const std::vector<std::int64_t> wrong{7};
  CHECK(code_of([&] {
          projector.set_references(fl::ImageBatch(1, {channels, 8, 8}), wrong);
        }) == ErrorCode::label_out_of_range);
  CHECK(code_of([&] {
          projector.set_references(fl::ImageBatch(2, {channels, 8, 8}), wrong);
        }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { projector.set_references(fl::ImageBatch(), {}); }) == ErrorCode::empty_input);
}
