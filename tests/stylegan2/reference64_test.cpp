// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The yardstick measured itself: the float64 reference of these tests against hand-computed vectors, against answers
// that another program recorded, and its gradient against differences.

#include <faultline/data/safetensors.hpp>
#include <faultline/stylegan2/model_file.hpp>

#include <support/catch2.hpp>

#include "reference64.hpp"
#include "support.hpp"

#include <filesystem>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

using namespace stylegan2_tests;

namespace {

ref::Array counting(std::int64_t count) {
  ref::Array values = ref::zeros(count);
  std::iota(values.begin(), values.end(), 1.0);
  return values;
}

fl::kernels::WeightArray counting_kernel() {
  return {{1, 1, 3, 3}, {1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f, 7.0f, 8.0f, 9.0f}};
}

}  // namespace

TEST_CASE("operations of the float64 reference give the hand-computed vectors") {
  CHECK(worst(ref::normalized({1, 2, 3, 4}), ref::Array{.3651484, .7302967, 1.0954451, 1.4605935}) < 1e-7);
  const ref::Array dense = ref::fully_connected({1, 2}, {{2, 2}, {100.0f, -100.0f, 50.0f, 150.0f}},
                                                {{2}, {10.0f, -20.0f}}, .01);  // before √2 · lrelu
  CHECK(worst(dense, ref::Array{-.1717157 / (.2 * std::numbers::sqrt2), 3.2171573 / std::numbers::sqrt2}) < 1e-6);
  ref::Array wide = ref::zeros(16), plain = ref::zeros(9);
  ref::upsampling(1, 2, ref::onwards(counting(4), wide));
  CHECK(worst(wide, ref::Array{.5625, .9375, 1.3125, 1.125, 1.125, 1.75, 2.25, 1.875, 1.875, 2.75, 3.25, 2.625, 1.6875,
                               2.4375, 2.8125, 2.25}) < 1e-12);
  ref::convolution(counting_kernel(), 3, ref::onwards(counting(9), plain));
  CHECK(worst(plain, ref::Array{94, 154, 106, 186, 285, 186, 106, 154, 94}) < 1e-12);
  const sg::SynthesisLayer layer{sg::SynthesisLayer::Kind::upsampling_conv, "b4.conv0", 4, 0, 1, 1};
  CHECK(worst(ref::response(layer, counting_kernel(), counting(4)),
              ref::Array{17.0625, 29.6875, 37.25, 33.9375, 36, 60.625, 73.4375, 64.6875, 56.25, 90.625, 105.3125,
                         89.4375, 63.9375, 99.4375, 111.875, 92.0625}) < 1e-12);
}

TEST_CASE("the float64 reference gives the answers recorded by another program") {
  // tests/fixtures/make_small_network.py: per-sample kernels, zeros inserted, every tap added up. Answers are stored as
  // float32.
  const std::filesystem::path folder = std::filesystem::path(FAULTLINE_SOURCE_DIR) / "tests" / "fixtures";
  const sg::GeneratorModel model = sg::load_generator_model(folder / "small.generator.safetensors");
  const fl::data::TensorFile expected = fl::data::read_safetensors(folder / "small.expected.safetensors");
  const std::vector<std::int64_t>& labels = expected.at("labels").integers;
  const auto count = static_cast<std::int64_t>(labels.size());
  REQUIRE(count == 4);
  REQUIRE(model.config.conv_clamp);
  Rows z(count, model.config.z_dim);
  std::copy_n(expected.at("z").values.begin(), z.size(), z.data());
  const auto recorded = [&](const std::string& name) { return doubles(expected.at(name).values); };
  const auto rows = [&](const ref::Array& all, std::int64_t i) {
    const auto width = static_cast<std::ptrdiff_t>(all.size()) / count;
    return ref::Array(all.begin() + i * width, all.begin() + (i + 1) * width);
  };
  for (const auto& [prefix, psi] : {std::pair{std::string("psi1."), 1.0}, std::pair{std::string("psi07."), 0.7}}) {
    for (std::int64_t i = 0; i < count; ++i) {
      const ref::Array w = ref::truncated(
          model.weights,
          ref::mapping(model.config, model.weights, doubles(z.row_span(i)), labels[static_cast<std::size_t>(i)]), psi);
      CHECK(worst(w, rows(recorded(prefix + "w"), i)) < 2e-6);
      const ref::Array s = ref::styles(model.config, model.weights, w);
      const fl::StyleLayout layout = sg::style_layout(model.config);
      for (const auto& layer : layout.layers())
        CHECK(worst(ref::Array(s.begin() + layer.offset, s.begin() + layer.offset + layer.width),
                    rows(recorded(prefix + "style.synthesis." + layer.name), i)) < 2e-6);
      CHECK(worst(reference_pass(model, s, {}, i).image, rows(recorded(prefix + "image.noise_none"), i)) < 2e-6);
      CHECK(worst(reference_pass(model, s, constant_noise(model), i).image,
                  rows(recorded(prefix + "image.noise_const"), i)) < 2e-6);
    }
  }
}

TEST_CASE("the gradient of the float64 reference is the limit of its differences") {
  for (const std::optional<double> clamp : {std::optional<double>(), std::optional<double>(1.2)}) {
    sg::GeneratorConfig config = small_config();
    config.img_resolution = 16;
    config.channel_base = 64;
    config.img_channels = 2;
    config.conv_clamp = clamp;
    const sg::GeneratorModel model = model_of(config);
    const sg::NoiseImages noise = noise_of_samples(config, 1);
    const ref::Array s = doubles(styles_of_latents(model, 1, 1).row_span(0));
    const ref::Array incoming = doubles(normals(1, 2 * 16 * 16, 2).values());
    const ref::Pass pass = reference_pass(model, s, noise, 0);
    const ref::Array gradient = ref::gradient(config, model.weights, pass, incoming);
    if (clamp) CHECK(std::count(pass.steps[3].output.begin(), pass.steps[3].output.end(), *clamp) > 10);
    REQUIRE(gradient.size() == s.size());
    const double scale = largest(gradient), h = 1e-7;
    const auto loss = [&](const ref::Array& styles) {
      const ref::Array image = reference_pass(model, styles, noise, 0).image;
      return std::inner_product(image.begin(), image.end(), incoming.begin(), 0.0);
    };
    for (std::size_t k = 0; k < s.size(); ++k) {
      ref::Array up = s, down = s;
      up[k] += h;
      down[k] -= h;
      CAPTURE(k, clamp.has_value());
      CHECK(std::abs(gradient[k] - (loss(up) - loss(down)) / (2.0 * h)) < 1e-5 * scale);
    }
  }
}
