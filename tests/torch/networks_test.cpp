// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The networks against hand-computed vectors, recorded reference outputs, and the definitions they are shortcuts of.

#include <faultline/stylegan2/cpu_backend.hpp>

#include <support/catch2.hpp>

#include <support/skip.hpp>

#include "support.hpp"

#include <cmath>

using namespace test;

namespace {

/// Modulated convolution by its definition: one kernel per sample, formed and applied one by one.
at::Tensor per_sample_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& style,
                                  bool upsample) {
  std::vector<at::Tensor> rows;
  for (std::int64_t n = 0; n < style.size(0); ++n) {
    const at::Tensor modulated = weight * style[n].view({1, -1, 1, 1});
    const at::Tensor kernel = modulated * (modulated.square().sum({1, 2, 3}, true) + 1e-8).rsqrt();
    const at::Tensor input = x[n].unsqueeze(0);
    rows.push_back(upsample ? sg::upsampling_conv(input, kernel) : at::conv2d(input, kernel, {}, 1, 1));
  }
  return at::cat(rows);
}

}  // namespace

TEST_CASE("primitive operations give the hand-computed vectors") {
  CHECK(worst(sg::normalize_second_moment(numbers({1, 2, 3, 4}, {1, 4})),
              numbers({.3651484, .7302967, 1.0954451, 1.4605935}, {1, 4})) < 1e-6);
  CHECK(worst(sg::scaled_leaky_relu(sg::fully_connected(numbers({1, 2}, {1, 2}), numbers({100, -100, 50, 150}, {2, 2}),
                                                        numbers({10, -20}, {2}), .01)),
              numbers({-.1717157, 3.2171573}, {1, 2})) < 1e-6);
  CHECK(worst(sg::demodulation(numbers({2, 3}, {1, 2, 1, 1}), numbers({.5, -1}, {1, 2})),
              numbers({.316227766}, {1, 1})) < 1e-8);
  CHECK(worst(sg::modulated_conv(at::ones({1, 2, 1, 1}, at::kDouble), numbers({2, 3}, {1, 2, 1, 1}),
                                 numbers({.5, -1}, {1, 2}), false, true),
              numbers({-.632455532}, {1, 1, 1, 1})) < 1e-8);
  CHECK(worst(sg::upsample2d(counting({1, 1, 2, 2})), numbers({.5625, .9375, 1.3125, 1.125, 1.125, 1.75, 2.25, 1.875,
                                                               1.875, 2.75, 3.25, 2.625, 1.6875, 2.4375, 2.8125, 2.25},
                                                              {1, 1, 4, 4})) < 1e-12);
  CHECK(worst(sg::fir(counting({1, 1, 4, 4}), 1, 2), numbers({3.5, 4.703125, 8.3125, 9.515625}, {1, 1, 2, 2})) < 1e-12);
  CHECK(worst(sg::upsampling_conv(counting({1, 1, 2, 2}), counting({1, 1, 3, 3})),
              numbers({17.0625, 29.6875, 37.25, 33.9375, 36, 60.625, 73.4375, 64.6875, 56.25, 90.625, 105.3125, 89.4375,
                       63.9375, 99.4375, 111.875, 92.0625},
                      {1, 1, 4, 4})) < 1e-12);
  CHECK(worst(sg::downsampling_conv(counting({1, 1, 4, 4}), counting({1, 1, 3, 3})),
              numbers({216.875, 237.046875, 290.1875, 291.984375}, {1, 1, 2, 2})) < 1e-12);
}

TEST_CASE("minibatch standard deviation groups samples by stride") {
  const at::Tensor out = sg::minibatch_std(numbers({1, 10, 2, 20, 4, 40, 8, 80}, {4, 2, 1, 1}), 2, 1);
  CHECK(worst(out.select(1, 2).flatten(), numbers({8.25, 16.5, 8.25, 16.5}, {4})) < 1e-7);
  CHECK(sg::minibatch_std(at::ones({3, 4, 2, 2}), 0, 2).size(1) == 6);  // group 0: the whole batch
}

TEST_CASE("clamp bounds scale with the residual gain") {
  const at::Tensor big = numbers({1000, -1000}, {1, 2, 1, 1});
  CHECK(worst(sg::bias_activation(big, {}, true, 256.0), numbers({256, -256}, {1, 2, 1, 1})) < 1e-9);
  CHECK(worst(sg::bias_activation(big, {}, true, 256.0, std::sqrt(0.5)),
              numbers({181.01933598, -181.01933598}, {1, 2, 1, 1})) < 1e-6);
}

TEST_CASE("the shared-kernel modulated convolution equals one kernel per sample") {
  const at::Tensor x = normals({3, 5, 6, 6}, 1, at::kDouble), weight = normals({4, 5, 3, 3}, 2, at::kDouble),
                   style = normals({3, 5}, 3, at::kDouble);
  for (const bool upsample : {false, true})
    CHECK(worst(sg::modulated_conv(x, weight, style, upsample, true),
                per_sample_convolution(x, weight, style, upsample)) < 1e-12);
}

TEST_CASE("layers, slots and offsets follow the StyleSpace order") {
  sg::GeneratorConfig config;  // 32x32, 512 channels everywhere
  CHECK(config.num_ws() == 8);
  const fl::StyleLayout layout = sg::style_layout(config);
  CHECK(layout.dimension() == 5632);
  REQUIRE(layout.layers().size() == 11);
  CHECK(layout.layers()[2].name == "b8.conv0");
  CHECK(layout.layers()[9].offset == 4608);
  const std::vector<std::int64_t> slots = {0, 1, 1, 2, 3, 3, 4, 5, 5, 6, 7};
  const auto layers = sg::synthesis_layers(config);
  for (std::size_t i = 0; i < slots.size(); ++i) CHECK(layers[i].slot == slots[i]);
  config.img_resolution = 1024;
  config.channel_base = 32768;
  CHECK(sg::style_layout(config).dimension() == 9088);
  CHECK(config.num_ws() == 18);
}

TEST_CASE("parameter counts are those of the published networks") {
  const auto count = [](const auto& specs) {
    std::int64_t total = 0;
    for (const auto& spec : specs) {
      std::int64_t elements = spec.role == fl::kernels::WeightSpec::Role::buffer ? 0 : 1;
      for (const std::int64_t extent : spec.shape) elements *= extent;
      total += elements;
    }
    return total;
  };
  sg::GeneratorConfig generator;
  generator.img_channels = 3;
  sg::DiscriminatorConfig discriminator;
  discriminator.img_channels = 3;
  CHECK(count(sg::weight_specs(generator)) == 19'947'539);
  CHECK(count(sg::weight_specs(discriminator)) == 21'507'073);
  generator.c_dim = discriminator.c_dim = 10;
  CHECK(count(sg::weight_specs(generator)) == 20'215'315);
  CHECK(count(sg::weight_specs(discriminator)) == 23'876'096);
}

namespace {

/// Holds the networks of `<stem>.generator` and `<stem>.discriminator` against `<stem>.expected`; `exact` is the
/// tolerance in float64.
void check_parity(const std::filesystem::path& folder, const std::string& stem, double exact) {
  const auto generator = sg::load_generator_model(folder / (stem + ".generator.safetensors"));
  const auto discriminator = sg::load_discriminator(folder / (stem + ".discriminator.safetensors"));
  const fl::data::TensorFile expected = fl::data::read_safetensors(folder / (stem + ".expected.safetensors"));
  const auto samples = static_cast<std::int64_t>(expected.at("labels").integers.size());
  REQUIRE(samples >= 4);
  for (const auto type : {at::kFloat, at::kDouble}) {
    const double tolerance = type == at::kFloat ? 1e-4 : exact;
    const sg::TensorWeights g = sg::to_tensors(generator.weights).clone(type),
                            d = sg::to_tensors(discriminator.weights).clone(type);
    const auto recorded = [&](const std::string& name) { return sg::to_tensor(expected.at(name)).to(type); };
    at::Tensor labels = at::empty({samples}, at::kLong);
    std::copy_n(expected.at("labels").integers.begin(), samples, labels.data_ptr<std::int64_t>());
    const at::Tensor classes = sg::one_hot(labels, generator.config.c_dim, type);
    for (const auto& [prefix, psi] : {std::pair{std::string("psi1."), 1.0}, std::pair{std::string("psi07."), 0.7}}) {
      const at::Tensor average = g["mapping.w_avg"];
      const at::Tensor w = average + (sg::mapping(generator.config, g, recorded("z"), classes) - average) * psi;
      CHECK(worst(w, recorded(prefix + "w")) < tolerance);
      const auto styles = sg::layer_styles(generator.config, g, w);
      const auto layers = sg::synthesis_layers(generator.config);
      for (std::size_t i = 0; i < layers.size(); ++i)
        CHECK(worst(styles[i], recorded(prefix + "style.synthesis." + layers[i].name)) < tolerance);
      CHECK(worst(sg::synthesis(generator.config, g, styles, {}), recorded(prefix + "image.noise_none")) < tolerance);
      CHECK(worst(sg::synthesis(generator.config, g, styles, sg::constant_noise(generator.config, g)),
                  recorded(prefix + "image.noise_const")) < tolerance);
    }
    CHECK(worst(sg::discriminator(discriminator.config, d, recorded("psi1.image.noise_const"), classes),
                recorded("D.logits")) < tolerance);
  }

  // What users call: both backends, from latents and labels to images.
  const at::Tensor z = sg::to_tensor(expected.at("z"));
  const auto check = [&](const auto& whole) {
    const auto s = whole.styles(whole.map(whole.latent_from_host(sg::to_matrix(z)),
                                          whole.label_from_host(expected.at("labels").integers), {.truncation = 0.7}));
    const auto images = [&](fl::Noise noise) {
      return sg::to_tensor(whole.image_to_host(whole.synthesize(s, {.noise = noise})));
    };
    CHECK(worst(images(fl::Noise::constant), sg::to_tensor(expected.at("psi07.image.noise_const"))) < 1e-4);
    CHECK(worst(images(fl::Noise::none), sg::to_tensor(expected.at("psi07.image.noise_none"))) < 1e-4);
  };
  check(fl::Generator<fl::ReferenceBackend>(generator));
  check(fl::Generator<fl::CpuBackend>(generator));
}

}  // namespace

TEST_CASE("generator and discriminator equal the definitions of the papers, evaluated in double precision") {
  check_parity(std::filesystem::path(FAULTLINE_SOURCE_DIR) / "tests" / "fixtures", "small", 2e-6);
}

TEST_CASE("generator and discriminator reproduce the recorded reference outputs", "[.data]") {
  const auto folder = fixtures();
  present_or_skip(folder / "mnist32-cond.expected.safetensors", "set FAULTLINE_FIXTURES_DIR");
  check_parity(folder, "mnist32-cond", 2e-5);
}

TEST_CASE("any resolution, width, colour, conditioning and clamp runs in any floating type") {
  struct Case {
    std::int64_t resolution, channels, classes, base, max, layers;
    std::optional<double> clamp;
  };
  for (const Case& c : {Case{4, 1, 0, 16, 3, 1, {}}, Case{8, 3, 3, 64, 9, 3, 256.0}, Case{64, 3, 0, 256, 16, 2, {}},
                        Case{128, 2, 5, 512, 8, 2, 0.5}, Case{1024, 3, 2, 4096, 4, 2, {}}}) {
    sg::GeneratorConfig config{.z_dim = 5,
                               .w_dim = 6,
                               .c_dim = c.classes,
                               .img_resolution = c.resolution,
                               .img_channels = c.channels,
                               .channel_base = c.base,
                               .channel_max = c.max,
                               .mapping_layers = c.layers};
    config.conv_clamp = c.clamp;
    const sg::TensorWeights g = perturbed_weights(config, 3);
    // a soft label
    const at::Tensor classes = c.classes > 0 ? at::ones({2, c.classes}) / static_cast<double>(c.classes) : at::Tensor();
    const at::Tensor images =
        sg::synthesis(config, g, sg::layer_styles(config, g, sg::mapping(config, g, normals({2, 5}, 7), classes)),
                      sg::constant_noise(config, g));
    CHECK(images.sizes() == at::IntArrayRef({2, c.channels, c.resolution, c.resolution}));
    CHECK(at::isfinite(images).all().item<bool>());
    sg::DiscriminatorConfig critic{.c_dim = c.classes,
                                   .img_resolution = c.resolution,
                                   .img_channels = c.channels,
                                   .channel_base = c.base,
                                   .channel_max = c.max,
                                   .mbstd_group_size = 2,
                                   .mapping_layers = c.layers};
    critic.conv_clamp = c.clamp;
    CHECK(sg::discriminator(critic, perturbed_weights(critic, 4), images, classes).sizes() == at::IntArrayRef({2, 1}));
    if (c.resolution > 64) continue;
    const sg::TensorWeights precise = perturbed_weights(config, 3, at::kDouble);
    const at::Tensor again =
        sg::synthesis(config, precise,
                      sg::layer_styles(config, precise,
                                       sg::mapping(config, precise, normals({2, 5}, 7, at::kDouble),
                                                   c.classes > 0 ? classes.to(at::kDouble) : classes)),
                      sg::constant_noise(config, precise));
    CHECK(worst(again, images) < 1e-4);
  }
}

TEST_CASE("sizes that describe no network are refused") {
  sg::GeneratorConfig config = small_config();
  sg::validate(config);
  const auto refused = [](auto changed) {
    return code_of([&] { sg::validate(changed); }) == fl::ErrorCode::invalid_argument;
  };
  auto odd = config;
  odd.img_resolution = 12;
  CHECK(refused(odd));
  auto blind = config;
  blind.z_dim = blind.c_dim = 0;
  CHECK(refused(blind));
  auto names = config;
  names.class_names = {"one"};
  CHECK(refused(names));
  sg::DiscriminatorConfig critic;
  critic.channel_max = 8;
  critic.mbstd_num_channels = 3;
  CHECK(refused(critic));
}

TEST_CASE("multiply-accumulates and activation traffic follow from the sizes") {
  // Counted by hand for two resolutions, widths 3 and 2, one class, one mapping layer: 9 per pair of channels and pixel
  // of a convolution.
  const sg::GeneratorConfig tiny{.z_dim = 5,
                                 .w_dim = 7,
                                 .c_dim = 1,
                                 .img_resolution = 8,
                                 .img_channels = 1,
                                 .channel_base = 16,
                                 .channel_max = 3,
                                 .mapping_layers = 2};
  CHECK(sg::mapping_macs(tiny) == 1 * 7 + (5 + 7) * 7 + 7 * 7);
  CHECK(sg::styles_macs(tiny) == (3 + 3 + 3 + 2 + 2) * 7);
  CHECK(sg::synthesis_macs(tiny) == 9 * 3 * 3 * 16 + 3 * 16 + 9 * 3 * 2 * 16 + 9 * 2 * 2 * 64 + 2 * 64);
  CHECK(sg::synthesis_bytes(tiny, sg::ActivationTraffic::fused, 1) ==
        (48 + 48) + 2 * 16 + (48 + 128) + (128 + 128) + 2 * 64);
  CHECK(sg::synthesis_bytes(tiny, sg::ActivationTraffic::two_pass) ==
        4 * ((48 + 3 * 48) + (48 + 3 * 16) + (48 + 3 * 128) + (128 + 3 * 128) + (128 + 3 * 64)));
  CHECK(sg::generator_cost(tiny, sg::ActivationTraffic::eager).launches == 0);

  // The usual sizes, eight mapping layers: GMAC per image with mapping and affine maps, megabytes of float32
  // activations fused, in two passes, eager.
  struct Row {
    std::int64_t resolution, base, max, channels;
    double gmac, gmac_digit, fused, two_pass, eager;
  };
  for (const Row& row :
       {Row{32, 16384, 512, 1, 4.007, 1e-3, 9.0, 22.9, 85.0}, Row{32, 16384, 256, 1, 1.004, 1e-3, 4.5, 11.5, 43.0},
        Row{32, 16384, 128, 1, 0.253, 1e-3, 2.3, 5.7, 21.0}, Row{32, 16384, 64, 1, 0.065, 1e-3, 1.1, 2.9, 10.7},
        Row{32, 2048, 512, 1, 0.211, 1e-3, 1.7, 4.1, 15.0}, Row{64, 16384, 512, 3, 7.64, 1e-2, 24.0, 59.0, 218.0},
        Row{128, 16384, 512, 3, 11.27, 1e-2, 54.0, 131.0, 484.0},
        Row{256, 16384, 512, 3, 14.90, 1e-2, 114.0, 276.0, 1018.0},
        Row{256, 32768, 512, 3, 45.13, 1e-2, 215.0, 523.0, 1937.0},
        Row{512, 32768, 512, 3, 59.67, 1e-2, 456.0, 1103.0, 4076.0},
        Row{1024, 32768, 512, 3, 74.27, 1e-2, 951.0, 2282.0, 8405.0}}) {
    CAPTURE(row.resolution, row.base, row.max);
    const sg::GeneratorConfig config{.img_resolution = row.resolution,
                                     .img_channels = row.channels,
                                     .channel_base = row.base,
                                     .channel_max = row.max,
                                     .mapping_layers = 8};
    CHECK(1e-9 * static_cast<double>(sg::mapping_macs(config) + sg::styles_macs(config) + sg::synthesis_macs(config)) ==
          Approx(row.gmac).margin(0.6 * row.gmac_digit).epsilon(0));
    const auto megabytes = [&](sg::ActivationTraffic traffic) {
      return 1e-6 * static_cast<double>(sg::synthesis_bytes(config, traffic));
    };
    CHECK(megabytes(sg::ActivationTraffic::fused) == Approx(row.fused).epsilon(0.015).margin(0.06));
    CHECK(megabytes(sg::ActivationTraffic::two_pass) == Approx(row.two_pass).epsilon(0.01).margin(0.06));
    CHECK(megabytes(sg::ActivationTraffic::eager) == Approx(row.eager).epsilon(0.01).margin(0.5));
  }
}
