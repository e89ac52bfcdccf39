// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// CpuBackend against the plain networks, with every set of kernels this processor runs.

#include <faultline/concepts/style_generator.hpp>
#include <faultline/stylegan2/cpu_backend.hpp>

#include <support/catch2.hpp>

#include "support.hpp"

using namespace test;
namespace cpu = fl::stylegan2::detail::cpu;
namespace kernels = fl::kernels;
using fl::CpuBackend;
using fl::CpuOptions;
using Fast = fl::Generator<CpuBackend>;

static_assert(fl::StyleGenerator<Fast> && fl::AffineStyles<Fast> && fl::DifferentiableGenerator<Fast>);
static_assert(sg::ResumesSynthesis<CpuBackend>);
static_assert(fl::BatchInvariantGenerator<Fast> && !fl::BatchInvariantGenerator<fl::Generator<fl::ReferenceBackend>>);

namespace {

/// Widths that fill no vector, one and a tile and a half, several blocks of input channels, three colours, a clamp that
/// bites.
std::vector<sg::GeneratorConfig> configs() {
  sg::GeneratorConfig narrow = small_config(), wide = small_config(), coloured = small_config(), tiny = small_config();
  narrow.img_resolution = 16;
  wide.img_resolution = 32;
  wide.channel_base = 32 * 24;
  wide.channel_max = 136;
  coloured.img_resolution = 16;
  coloured.channel_base = 16 * 48;
  coloured.channel_max = 48;
  coloured.img_channels = 3;
  coloured.conv_clamp = 1.5;
  tiny.img_resolution = 4;
  tiny.c_dim = 0;
  return {narrow, wide, coloured, tiny};
}

sg::GeneratorModel model_of(const sg::GeneratorConfig& config) {
  return {config, perturbed_weights(config, 5), "", ""};
}

at::Tensor classes(const sg::GeneratorConfig& config, std::int64_t count) {
  if (config.c_dim == 0) return {};
  at::Tensor labels = at::empty({count}, at::kLong);
  for (std::int64_t i = 0; i < count; ++i) labels.data_ptr<std::int64_t>()[i] = i % config.c_dim;
  return sg::one_hot(labels, config.c_dim);
}

/// The reference in float64, the yardstick for both of its float32 forms.
at::Tensor exact_synthesis(const sg::GeneratorModel& model, const at::Tensor& s, const std::vector<at::Tensor>& noise) {
  const sg::Weights weights = model.weights.clone(at::kDouble);
  std::vector<at::Tensor> styles, precise;
  std::int64_t offset = 0;
  for (const auto& layer : sg::synthesis_layers(model.config)) {
    styles.push_back(s.narrow(1, offset, layer.in).to(at::kDouble));
    offset += layer.in;
  }
  for (const at::Tensor& image : noise) precise.push_back(image.to(at::kDouble));
  return sg::synthesis(model.config, weights, styles, precise);
}

}  // namespace

TEST_CASE("every kernel set makes the images of the reference, with all kinds of noise") {
  for (const auto& config : configs()) {
    const auto model = model_of(config);
    const fl::ReferenceBackend reference(model);
    const at::Tensor s = reference.styles(reference.mapping(normals({5, 6}, 1), classes(config, 5)));
    for (const auto& noise :
         {std::vector<at::Tensor>{}, sg::constant_noise(config, model.weights), random_noise(config, 5, at::kFloat)}) {
      const at::Tensor exact = exact_synthesis(model, s, noise), plain = reference.synthesis(s, noise);
      const double scale = std::max(1.0, exact.abs().max().item<double>());
      for (const kernels::Kernels* kernels : kernels::runnable_kernels())
        for (const bool winograd : {false, true}) {
          CAPTURE(kernels->name, winograd, config.img_resolution, config.channel_max);
          const at::Tensor images = CpuBackend(model, {.winograd = winograd}, *kernels).synthesis(s, noise);
          CHECK(worst(images, exact) < 1e-5 * scale);
          CHECK(worst(images, plain) < 1e-4);
        }
    }
  }
}

TEST_CASE("a synthesis is taken up at any layer") {
  for (const auto& config : configs()) {
    const auto model = model_of(config);
    const fl::ReferenceBackend reference(model);
    const at::Tensor s = reference.styles(reference.mapping(normals({5, 6}, 1), classes(config, 5)));
    const auto noise = random_noise(config, 5, at::kFloat);
    const at::Tensor expected = reference.synthesis(s, noise);
    // The states before every layer, as the plain networks pass them.
    std::vector<sg::SynthesisState> states = {{0, model.weights["synthesis.b4.const"].unsqueeze(0), {}}};
    std::size_t convolution = 0;
    std::int64_t offset = 0;
    for (const auto& layer : sg::synthesis_layers(config)) {
      sg::SynthesisState state = states.back();
      const std::string name = "synthesis." + layer.name;
      const at::Tensor style = s.narrow(1, offset, layer.in), &weight = model.weights[name + ".weight"],
                       &bias = model.weights[name + ".bias"];
      if (layer.kind == sg::SynthesisLayer::Kind::to_rgb) {
        const at::Tensor added = sg::bias_activation(
            sg::modulated_conv(state.x, weight, style / std::sqrt(static_cast<double>(layer.in)), false, false), bias,
            false, config.conv_clamp);
        state.image = state.image.defined() ? sg::upsample2d(state.image) + added : added;
      } else {
        state.x =
            sg::modulated_conv(state.x, weight, style, layer.kind == sg::SynthesisLayer::Kind::upsampling_conv, true);
        state.x = sg::bias_activation(state.x + noise[convolution++] * model.weights[name + ".noise_strength"], bias,
                                      true, config.conv_clamp);
      }
      ++state.layer;
      offset += layer.in;
      states.push_back(state);
    }
    for (const kernels::Kernels* kernels : kernels::runnable_kernels()) {
      const CpuBackend fast(model, {}, *kernels);
      for (const auto& state : states) {
        CAPTURE(kernels->name, config.img_resolution, config.channel_max, state.layer);
        CHECK(worst(fast.synthesis_from(state, s, noise), expected) < 1e-4);
      }
    }
  }
  STATIC_REQUIRE(sg::ResumesSynthesis<CpuBackend>);
}

TEST_CASE("w and styles of CpuBackend are those of the reference") {
  for (auto config : configs()) {
    config.mapping_layers = 3;
    const auto model = model_of(config);
    const fl::ReferenceBackend reference(model);
    const CpuBackend fast(model);
    const at::Tensor z = normals({70, 6}, 2), soft = config.c_dim > 0 ? normals({70, 3}, 3).abs() : at::Tensor();
    const at::Tensor w = reference.mapping(z, soft);
    CHECK(worst(fast.mapping(z, soft), w) < 1e-5);
    CHECK(worst(fast.styles(w), reference.styles(w)) < 1e-5);
    const at::Tensor layered = normals({4, config.num_ws(), 5}, 4);
    CHECK(worst(fast.styles(layered), reference.styles(layered)) < 1e-5);
    CHECK(fast.styles(w.unsqueeze(1).expand({70, config.num_ws(), 5})).equal(fast.styles(w)));
  }
}

TEST_CASE("an image does not depend on the batch or on the number of threads, bit for bit") {
  const auto config = configs()[1];
  const at::Tensor z = normals({37, 6}, 5), labels = classes(config, 37);
  const auto noise = random_noise(config, 37, at::kFloat);
  const int threads = at::get_num_threads();
  for (const bool winograd : {false, true}) {
    const CpuBackend fast(model_of(config), {.winograd = winograd});
    const auto part = [&](std::int64_t first, std::int64_t count) {
      std::vector<at::Tensor> rows;
      for (const at::Tensor& image : noise) rows.push_back(image.narrow(0, first, count));
      return fast.synthesis(fast.styles(fast.mapping(z.narrow(0, first, count), labels.narrow(0, first, count))), rows);
    };
    const at::Tensor all = part(0, 37);
    for (const int used : {1, 2, 3}) {
      at::set_num_threads(used);
      CHECK(part(0, 37).equal(all));
      CHECK(part(3, 1).equal(all.narrow(0, 3, 1)));
      CHECK(part(30, 3).equal(all.narrow(0, 30, 3)));
      CHECK(part(20, 17).equal(all.narrow(0, 20, 17)));
    }
    at::set_num_threads(threads);
  }
}

TEST_CASE("bfloat16 is near float32, and says when the processor cannot") {
  const auto config = configs()[1];
  const auto model = model_of(config);
  const CpuBackend exact(model), reduced(model, {.precision = CpuOptions::Precision::bf16});
  const at::Tensor s = exact.styles(exact.mapping(normals({16, 6}, 6), classes(config, 16)));
  const auto noise = sg::constant_noise(config, model.weights);
  const double error = cpu::relative_error(exact.synthesis(s, noise), reduced.synthesis(s, noise));
  if (kernels::runnable_kernels().front()->convolve_bf16 != nullptr) {
    CHECK(error > 1e-4);  // it did round
    CHECK(error < 0.03);
    CHECK(reduced.path().find(", bfloat16") != std::string::npos);
    CHECK(reduced.warnings().empty());
  } else {
    CHECK(error == 0.0);
  }
  const CpuBackend without(model, {.precision = CpuOptions::Precision::bf16}, kernels::portable_kernels);
  REQUIRE(without.warnings().size() == 1);
  CHECK(without.warnings()[0].find("no instructions") != std::string::npos);
  CHECK(without.path().find("float32") != std::string::npos);
  CHECK(worst(without.synthesis(s, noise), exact.synthesis(s, noise)) < 1e-4);
}

TEST_CASE("a bfloat16 product that computes something else is found out and float32 is used") {
  const auto model = model_of(configs()[1]);
  const at::Tensor s = cpu::check_styles(model);
  kernels::Kernels broken = *kernels::runnable_kernels().front();
  // The weights of another position, as in a library's wrong transposed convolution
  broken.convolve_bf16 = [](const kernels::ConvolutionRow& row) {
    for (std::ptrdiff_t p = 0; p < row.pixels; ++p)
      for (std::ptrdiff_t o = 0; o < row.width; ++o)
        row.out[p * row.out_step + o] = static_cast<float>(static_cast<const kernels::Bfloat16*>(row.x)[p]) * 1e-3f;
  };
  const CpuBackend checked(model, {.precision = CpuOptions::Precision::bf16}, broken);
  REQUIRE(checked.warnings().size() == 1);
  CHECK(checked.warnings()[0].find("differ from float32") != std::string::npos);
  CHECK(checked.synthesis(s, {}).equal(CpuBackend(model, {}, broken).synthesis(s, {})));
}

TEST_CASE("gradients pass through CpuBackend when asked for") {
  const auto model = model_of(configs()[0]);
  const Fast fast(model);
  const fl::Generator<fl::ReferenceBackend> reference(model);
  const at::Tensor w = normals({2, 5}, 7);
  const auto gradient = [&](const auto& generator) {
    const at::Tensor input = w.clone().requires_grad_(true);
    return torch::autograd::grad({generator.synthesize(generator.styles(input)).square().sum()}, {input}).front();
  };
  const at::Tensor expected = gradient(reference);
  CHECK(worst(gradient(fast), expected) < 1e-5 * expected.abs().max().item<double>());
}

TEST_CASE("pullback of CpuBackend is the gradient of the reference in float64") {
  for (const auto& config : configs()) {
    const auto model = model_of(config);
    const fl::ReferenceBackend reference(model);
    const at::Tensor s = reference.styles(reference.mapping(normals({3, 6}, 8), classes(config, 3)));
    const at::Tensor incoming = normals({3, config.img_channels, config.img_resolution, config.img_resolution}, 9);
    const auto noise = random_noise(config, 3, at::kFloat);
    const at::Tensor input = s.to(at::kDouble).requires_grad_(true);
    const at::Tensor exact =
        torch::autograd::grad({exact_synthesis(model, input, noise)}, {input}, {incoming.to(at::kDouble)}).front();
    const double scale = exact.abs().max().item<double>();
    for (const kernels::Kernels* kernels : kernels::runnable_kernels())
      for (const auto precision : {CpuOptions::Precision::fp32, CpuOptions::Precision::bf16}) {
        CAPTURE(kernels->name, config.img_resolution, config.channel_max);
        const CpuBackend fast(model, {.precision = precision}, *kernels);
        const at::Tensor gradient = fast.pullback(s, noise, incoming);
        CHECK(worst(gradient, exact) < 1e-5 * scale);
      }
  }
}
