// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Generator<ReferenceBackend> as users see it: concepts, options, files, errors.

#include <faultline/concepts/style_edits.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/stylegan2/cpu_backend.hpp>

#include <support/catch2.hpp>

#include "support.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <vector>

using namespace test;
using fl::ErrorCode;
using Reference = fl::Generator<fl::ReferenceBackend>;

static_assert(fl::StyleGenerator<Reference> && fl::AffineStyles<Reference> && fl::DifferentiableGenerator<Reference> &&
              fl::ShiftsStyles<Reference>);

namespace {

Reference small_generator() { return Reference({small_config(), perturbed_arrays(small_config(), 5), "", ""}); }

at::Tensor labels(std::int64_t count) {
  at::Tensor values = at::empty({count}, at::kLong);
  for (std::int64_t i = 0; i < count; ++i) values.data_ptr<std::int64_t>()[i] = i % 3;
  return values;
}

std::filesystem::path scratch(const std::string& name) {
  return std::filesystem::temp_directory_path() / ("faultline-generator-test-" + name);
}

}  // namespace

TEST_CASE("styles are affine in w and truncation with a cutoff touches the first slots only") {
  const auto generator = small_generator();
  const at::Tensor z = normals({4, 6}, 1);
  const at::Tensor w = generator.map(z, labels(4));
  const fl::Matrix<float> a = generator.style_matrix(), b = generator.style_bias(), rows = generator.latent_to_host(w),
                          s = generator.style_to_host(generator.styles(w));
  for (std::int64_t n = 0; n < 4; ++n)
    for (std::int64_t k = 0; k < s.cols(); ++k) {
      double sum = b(k, 0);
      for (std::int64_t j = 0; j < rows.cols(); ++j)
        sum += static_cast<double>(a(k, j)) * static_cast<double>(rows(n, j));
      REQUIRE(s(n, k) == Approx(sum).margin(1e-5));
    }
  const at::Tensor layered = generator.map(z, labels(4), {.truncation = 0.5, .cutoff = 2});
  CHECK(layered.sizes() == at::IntArrayRef({4, 4, 5}));
  CHECK(worst(layered.select(1, 1), generator.map(z, labels(4), {.truncation = 0.5})) < 1e-7);
  CHECK(worst(layered.select(1, 2), w) < 1e-7);
  CHECK(worst(generator.styles(w.unsqueeze(1).expand({4, 4, 5}).contiguous()), generator.styles(w)) < 1e-7);
  CHECK(worst(generator.map(z, labels(4), {.truncation = 0.0}), generator.w_average().unsqueeze(0).expand({4, 5})) <
        1e-7);
}

TEST_CASE("a generator names the LibTorch it was compiled with, for reports") {
  CHECK(at::show_config().find("TORCH_VERSION=" + small_generator().torch_version()) != std::string::npos);
}

TEST_CASE("random noise depends on seed and sample index and on nothing else") {
  const auto generator = small_generator();
  const at::Tensor s = generator.styles(generator.map(normals({6, 6}, 2), labels(6)));
  const auto random = [&](const at::Tensor& rows, std::int64_t seed, std::int64_t first) {
    return generator.synthesize(rows, {.noise = fl::Noise::random, .seed = seed, .first = first});
  };
  const at::Tensor all = random(s, 9, 100);
  CHECK(worst(all.narrow(0, 4, 2), random(s.narrow(0, 4, 2), 9, 104)) < 1e-5);
  CHECK(worst(all, random(s, 10, 100)) > 1e-3);
  CHECK(worst(all, generator.synthesize(s, {.noise = fl::Noise::none})) > 1e-3);
  CHECK(worst(generator.synthesize(s), generator.synthesize(s, {.noise = fl::Noise::none})) > 1e-3);
  CHECK(random(s, 9, 100).equal(all));
}

TEST_CASE("styles are shifted where they lie, as the host would shift them") {
  const auto generator = small_generator();
  const at::Tensor s = generator.styles(generator.map(normals({3, 6}, 1), labels(3)));
  const fl::Matrix<float> before = generator.style_to_host(s);
  const std::vector<std::int64_t> channels = {4, 1};
  fl::Matrix<float> shifts(2, 2);  // of the first two rows
  shifts(0, 0) = 0.3f, shifts(0, 1) = -1.7f, shifts(1, 1) = 0.1f;
  const fl::Matrix<float> after = generator.style_to_host(generator.shift_styles(s, channels, shifts));
  fl::Matrix<float> expected = before;
  for (std::int64_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 2; ++j) expected(i, channels[j]) += shifts(i, static_cast<std::int64_t>(j));
  const auto same = [](const fl::Matrix<float>& a, const fl::Matrix<float>& b) {
    return std::equal(a.values().begin(), a.values().end(), b.values().begin(), b.values().end());
  };
  CHECK(same(after, expected));
  CHECK(same(generator.style_to_host(s), before));
  const std::int64_t dimension = generator.layout().dimension();
  CHECK(code_of([&] {
          (void)generator.shift_styles(s, std::vector{dimension, std::int64_t{0}}, shifts);
        }) == ErrorCode::invalid_argument);
  CHECK(code_of([&] { (void)generator.shift_styles(s, std::vector{std::int64_t{0}}, shifts); }) ==
        ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.shift_styles(s, channels, fl::Matrix<float>(4, 2)); }) ==
        ErrorCode::shape_mismatch);
}

TEST_CASE("pullback is the gradient of the images with respect to the styles") {
  const auto generator = small_generator();
  const at::Tensor s = generator.styles(generator.map(normals({2, 6}, 3), labels(2)));
  fl::ImageBatch direction(2, generator.image_shape());
  fl::core::fill_normals(1, fl::core::Stream::latents, 0, {direction.data(), static_cast<std::size_t>(2 * 64)});
  const fl::Matrix<float> gradient = generator.pullback(s, direction);
  const at::Tensor weights = at::from_blob(direction.data(), {2, 1, 8, 8}).to(at::kDouble);
  // Central differences in float64 through the network functions, every coordinate of the first row.
  const sg::TensorWeights precise = sg::to_tensors(generator.model().weights).clone(at::kDouble);
  const auto value = [&](const at::Tensor& flat) {
    std::vector<at::Tensor> styles;
    for (const auto& layer : generator.layout().layers()) styles.push_back(flat.narrow(1, layer.offset, layer.width));
    return (sg::synthesis(generator.model().config, precise, styles,
                          sg::constant_noise(generator.model().config, precise)) *
            weights)
        .sum()
        .item<double>();
  };
  const at::Tensor base = s.to(at::kDouble);
  for (std::int64_t k = 0; k < base.size(1); ++k) {
    at::Tensor up = base.clone(), down = base.clone();
    up[0][k] += 1e-6;
    down[0][k] -= 1e-6;
    REQUIRE(gradient(0, k) == Approx((value(up) - value(down)) / 2e-6).epsilon(1e-3).margin(1e-4));
  }
}

TEST_CASE("a stored generator comes back the same, with its digest, and gradients reach a caller who asks") {
  const auto generator = small_generator();
  const auto path = scratch("round-trip.safetensors");
  generator.save(path);
  const auto again = Reference::load(path);
  CHECK(again.digest() == generator.digest());
  CHECK(again.model().config == generator.model().config);
  const at::Tensor w = generator.map(normals({2, 6}, 4), labels(2)).requires_grad_(true);
  CHECK(again.synthesize(again.styles(w)).requires_grad());
  CHECK(again.synthesize(again.styles(w.detach())).equal(generator.synthesize(generator.styles(w.detach()))));
  std::filesystem::remove(path);
}

TEST_CASE("arguments of the wrong shape or range are refused before LibTorch sees them") {
  const auto generator = small_generator();
  const at::Tensor z = normals({2, 6}, 1), w = generator.map(z, labels(2)), s = generator.styles(w);
  CHECK(code_of([&] { (void)generator.map(normals({2, 7}, 1), labels(2)); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.map(z.to(at::kDouble), labels(2)); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.map(at::Tensor(), labels(2)); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.map(z, labels(3)); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.map(z, at::Tensor()); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.map(z, labels(2) + 2); }) == ErrorCode::label_out_of_range);
  CHECK(code_of([&] { (void)generator.map(z.narrow(0, 0, 0), labels(0)); }) == ErrorCode::empty_input);
  CHECK(code_of([&] { (void)generator.map(z, labels(2), {.truncation = 2.5}); }) == ErrorCode::invalid_argument);
  CHECK(code_of([&] { (void)generator.map(z, labels(2), {.truncation = std::nan("")}); }) ==
        ErrorCode::invalid_argument);
  CHECK(code_of([&] { (void)generator.map(z, labels(2), {.cutoff = 5}); }) == ErrorCode::invalid_argument);
  CHECK(code_of([&] { (void)generator.styles(s); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.synthesize(w); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.synthesize(s.narrow(0, 0, 0)); }) == ErrorCode::empty_input);
  CHECK(code_of([&] { (void)generator.pullback(s, fl::ImageBatch(1, generator.image_shape())); }) ==
        ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.image_to_host(s); }) == ErrorCode::shape_mismatch);

  auto unconditional = small_config();
  unconditional.c_dim = 0;
  const Reference plain({unconditional, perturbed_arrays(unconditional, 5), "", ""});
  CHECK(plain.map(z, at::Tensor()).size(0) == 2);
  CHECK(plain.map(z, plain.label_from_host({})).size(0) == 2);
  CHECK(code_of([&] { (void)plain.map(z, labels(2)); }) == ErrorCode::shape_mismatch);
}

TEST_CASE("edits of a generator on tensors are those of CpuBackend, as tensors") {
  const auto generator = small_generator();
  static_assert(fl::EditsStyles<Reference> && fl::EditSession<sg::TensorEdits, Reference>);
  const at::Tensor s = normals({2, generator.layout().dimension()}, 6) + 1.0;
  auto session = generator.begin_edits(s);
  std::vector<fl::StyleEdit> edits;
  for (std::int64_t k = 0; k < generator.layout().dimension(); ++k)
    edits.push_back({k % 2, k, k % 3 == 0 ? -3.0f : 2.0f});
  const at::Tensor whole = fl::WholeEdits(generator, s).images(edits);
  CHECK(worst(session.images(edits), whole) < 1e-4 * std::max(1.0, whole.abs().max().item<double>()));
  CHECK(session.cost().images == static_cast<std::int64_t>(edits.size()));
  CHECK(code_of([&] { (void)generator.begin_edits(s.narrow(1, 0, 3)); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.begin_edits(s.narrow(0, 0, 0)); }) == ErrorCode::empty_input);
}

TEST_CASE("the reference and CpuBackend make the same w, styles, images and gradients") {
  for (const std::int64_t classes : {0, 3})
    for (const std::int64_t colours : {1, 3}) {
      sg::GeneratorConfig config = small_config();
      config.c_dim = classes;
      config.img_channels = colours;
      config.img_resolution = 16;
      config.channel_base = 16 * 24;
      config.channel_max = 40;
      if (colours == 3) config.conv_clamp = 1.5;
      const sg::GeneratorModel model{config, perturbed_arrays(config, 5), "", ""};
      const Reference reference(model);
      const fl::Generator<fl::CpuBackend> fast(model);
      CHECK(fast.digest() == reference.digest());
      CHECK(fast.style_matrix() == reference.style_matrix());
      const at::Tensor z = normals({5, 6}, 1), own = classes > 0 ? labels(5) : at::Tensor();
      const std::vector<std::int64_t> host_labels =
          classes > 0 ? std::vector<std::int64_t>{0, 1, 2, 0, 1} : std::vector<std::int64_t>{};
      for (const fl::MapOptions& options : {fl::MapOptions{}, fl::MapOptions{.truncation = 0.7, .cutoff = 3}}) {
        const at::Tensor w = reference.map(z, own, options), s = reference.styles(w);
        const fl::Matrix<float> fast_w = fast.map(sg::to_matrix(z), host_labels, options);
        CHECK(worst(sg::to_tensor(fast_w), w.reshape({5, -1})) < 1e-5);
        CHECK(worst(sg::to_tensor(fast.styles(fast_w)), s) < 1e-5);
        for (const fl::Noise noise : {fl::Noise::none, fl::Noise::constant, fl::Noise::random}) {
          const fl::SynthesisOptions how{.noise = noise, .seed = 4, .first = 9};
          CHECK(worst(sg::to_tensor(fast.synthesize(sg::to_matrix(s), how)), reference.synthesize(s, how)) < 1e-4);
        }
        fl::ImageBatch incoming(5, fast.image_shape());
        fl::core::fill_normals(3, fl::core::Stream::latents, 0,
                               {incoming.data(), static_cast<std::size_t>(5 * incoming.shape().elements())});
        const at::Tensor gradient = sg::to_tensor(reference.pullback(s, incoming));
        CHECK(worst(sg::to_tensor(fast.pullback(sg::to_matrix(s), incoming)), gradient) <
              1e-4 * std::max(1.0, gradient.abs().max().item<double>()));
      }
    }
}
