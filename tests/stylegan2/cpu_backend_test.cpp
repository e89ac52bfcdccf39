// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// CpuBackend against the float64 reference, with every set of kernels this processor runs.

#include <faultline/concepts/style_generator.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/kernels/cpu_kernels.hpp>
#include <faultline/stylegan2/cpu_backend.hpp>

#include <support/catch2.hpp>

#include "support.hpp"

#include <limits>
#include <thread>
#include <utility>
#include <vector>

using namespace stylegan2_tests;
namespace kernels = fl::kernels;
using fl::CpuBackend;
using fl::CpuOptions;

namespace {

/// Widths that fill no vector, one and a tile and a half, several blocks of input channels, three colours, a clamp that
/// bites, and one that bites on both sides of a leaky activation.
std::vector<sg::GeneratorConfig> configs() {
  sg::GeneratorConfig narrow = small_config(), wide = small_config(), coloured = small_config(), tiny = small_config(),
                      tight = small_config();
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
  tight.img_resolution = 16;
  tight.img_channels = 2;
  tight.conv_clamp = 0.25;
  return {narrow, wide, coloured, tiny, tight};
}

/// Root mean square of the difference over that of `exact` about its mean.
double relative_error(const fl::ImageBatch& exact, const fl::ImageBatch& other) {
  const auto a = values_of(exact), b = values_of(other);
  double mean = 0.0, error = 0.0, spread = 0.0;
  for (const float value : a) mean += static_cast<double>(value) / static_cast<double>(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto x = static_cast<double>(a[i]);
    error += (x - static_cast<double>(b[i])) * (x - static_cast<double>(b[i]));
    spread += (x - mean) * (x - mean);
  }
  return std::sqrt(error / spread);
}

fl::ImageBatch part_of(const fl::ImageBatch& images, std::int64_t first, std::int64_t count) {
  fl::ImageBatch part(count, images.shape());
  std::copy_n(images.image(first).data(), count * images.shape().elements(), part.data());
  return part;
}

fl::ImageBatch normal_images(const sg::GeneratorConfig& config, std::int64_t count, std::int64_t index) {
  fl::ImageBatch images(count, {config.img_channels, config.img_resolution, config.img_resolution});
  const Rows values = normals(count, images.shape().elements(), index);
  std::copy_n(values.data(), values.size(), images.data());
  return images;
}

/// Styles whose passes keep away from every place where the gradient jumps, by more than float32 rounds: there another
/// order of summation may fall on the other side, and is no less right.
Rows smooth_styles(const sg::GeneratorModel& model, std::int64_t count, const sg::NoiseImages& noise) {
  Rows s(count, sg::style_layout(model.config).dimension());
  for (std::int64_t i = 0, index = 1000; i < count; ++index) {
    const Rows candidate = styles_of_latents(model, 1, index);
    if (reference_pass(model, doubles(candidate.row_span(0)), noise, i).kink < 5e-6) continue;
    std::copy_n(candidate.data(), candidate.size(), s.row_span(i++).data());
  }
  return s;
}

}  // namespace

TEST_CASE("every kernel set makes the images of the float64 reference, with all kinds of noise") {
  for (const auto& config : configs()) {
    const sg::GeneratorModel model = model_of(config);
    const Rows s = styles_of_latents(model, 5, 1);
    const sg::NoiseImages none, constant = constant_noise(model), own = noise_of_samples(config, 5);
    for (const sg::NoiseImages* noise : {&none, &constant, &own}) {
      const ref::Array exact = reference_images(model, s, *noise);
      const double scale = std::max(1.0, largest(exact));
      for (const kernels::Kernels* set : kernels::runnable_kernels())
        for (const bool winograd : {false, true}) {
          CAPTURE(set->name, winograd, config.img_resolution, config.channel_max, noise->data.size(), scale);
          const CpuBackend backend(model, {.winograd = winograd}, *set);
          CHECK(worst(backend.synthesis(s, *noise), exact) < 1e-5 * scale);
          CHECK(backend.path() == std::string("CPU, ") + set->name + ", float32");
          CHECK(backend.warnings().empty());
        }
    }
  }
}

TEST_CASE("w and styles of every kernel set are those of the float64 reference") {
  for (auto config : configs()) {
    config.mapping_layers = 3;
    const sg::GeneratorModel model = model_of(config);
    const Rows z = normals(70, 6, 2), layered = normals(4, config.num_ws() * 5, 4);
    const std::vector<std::int64_t> labels = labels_of(config, 70);
    const ref::Array exact_w = reference_mapping(model, z, labels), exact_layered = reference_styles(model, layered);
    for (const kernels::Kernels* set : kernels::runnable_kernels()) {
      CAPTURE(set->name, config.img_resolution);
      const CpuBackend backend(model, {}, *set);
      const Rows w = backend.mapping(z, labels), s = backend.styles(w);
      CHECK(worst(w, exact_w) < 1e-5);
      CHECK(worst(s, reference_styles(model, w)) < 1e-5);
      CHECK(worst(backend.styles(layered), exact_layered) < 1e-5);
      Rows repeated(70, config.num_ws() * 5);
      for (std::int64_t slot = 0; slot < config.num_ws(); ++slot) repeated.middleCols(slot * 5, 5) = w;
      CHECK(same(backend.styles(repeated), s));
    }
  }
}

TEST_CASE("a mapping without latents is a function of the label alone") {
  sg::GeneratorConfig config = small_config();
  config.z_dim = 0;
  const sg::GeneratorModel model = model_of(config);
  const std::vector<std::int64_t> labels = {2, 0, 2, 1};
  const Rows z(4, 0), w = CpuBackend(model).mapping(z, labels);
  CHECK(worst(w, reference_mapping(model, z, labels)) < 1e-5);
  CHECK(same(rows_of(w, 0, 1), rows_of(w, 2, 1)));
  CHECK(worst(rows_of(w, 0, 1), rows_of(w, 1, 1)) > 1e-3);
}

TEST_CASE("no result depends on the batch or on the number of threads, bit for bit") {
  for (const auto& config : {configs()[1], configs()[2]}) {
    constexpr std::int64_t count = 37;
    const Rows z = normals(count, 6, 5);
    const std::vector<std::int64_t> labels = labels_of(config, count);
    const sg::NoiseImages noise = noise_of_samples(config, count);
    const fl::ImageBatch incoming = normal_images(config, count, 6);
    for (const auto& options :
         {CpuOptions{.winograd = false}, CpuOptions{}, CpuOptions{.precision = CpuOptions::Precision::bf16}}) {
      const CpuBackend backend(model_of(config), options);
      CAPTURE(backend.path(), options.winograd, config.channel_max);
      const Rows w = backend.mapping(z, labels), s = backend.styles(w);
      const fl::ImageBatch images = backend.synthesis(s, noise);
      const Rows slopes = backend.pullback(rows_of(s, 0, 8), noise, part_of(incoming, 0, 8));
      const auto check = [&](std::int64_t first, std::int64_t rows) {
        CAPTURE(first, rows);
        const Rows own_w =
            backend.mapping(rows_of(z, first, rows), {labels.data() + first, static_cast<std::size_t>(rows)});
        CHECK(same(own_w, rows_of(w, first, rows)));
        CHECK(same(backend.styles(own_w), rows_of(s, first, rows)));
        CHECK(
            same(backend.synthesis(rows_of(s, first, rows), from_sample(noise, first)), part_of(images, first, rows)));
        if (first + rows <= 8)
          CHECK(
              same(backend.pullback(rows_of(s, first, rows), from_sample(noise, first), part_of(incoming, first, rows)),
                   rows_of(slopes, first, rows)));
      };
      for (const std::int64_t threads : {1, 2, 3})
        fl::within_threads(threads, [&] {
          check(0, count);
          check(3, 1);
          check(5, 3);
          check(30, 3);
          check(20, 17);
        });
    }
  }
}

TEST_CASE("bfloat16 is near float32, and says when the processor cannot") {
  const sg::GeneratorModel model = model_of(configs()[1]);
  const CpuBackend exact(model), reduced(model, {.precision = CpuOptions::Precision::bf16});
  const Rows s = styles_of_latents(model, 16, 6);
  const sg::NoiseImages noise = constant_noise(model);
  const double error = relative_error(exact.synthesis(s, noise), reduced.synthesis(s, noise));
  CAPTURE(error);
  if (kernels::runnable_kernels().front()->convolve_bf16 != nullptr) {
    CHECK(error > 1e-4);  // it did round
    CHECK(error < 0.03);
    CHECK(reduced.path().find(", bfloat16") != std::string::npos);
    CHECK(reduced.warnings().empty());
    CHECK(reduced.cost().synthesis_bytes == exact.cost().synthesis_bytes / 2);
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
  const sg::GeneratorModel model = model_of(configs()[1]);
  const Rows s = styles_of_latents(model, 8, 7);
  kernels::Kernels wrong = *kernels::runnable_kernels().front(), endless = wrong;
  // The weights of another position, as in a library's wrong transposed convolution
  wrong.convolve_bf16 = [](const kernels::ConvolutionRow& row) {
    for (std::ptrdiff_t p = 0; p < row.pixels; ++p)
      for (std::ptrdiff_t o = 0; o < row.width; ++o)
        row.out[p * row.out_step + o] = static_cast<float>(static_cast<const kernels::Bfloat16*>(row.x)[p]) * 1e-3f;
  };
  endless.convolve_bf16 = [](const kernels::ConvolutionRow& row) {
    for (std::ptrdiff_t p = 0; p < row.pixels; ++p)
      std::fill_n(row.out + p * row.out_step, row.width, std::numeric_limits<float>::quiet_NaN());
  };
  for (const kernels::Kernels* broken : {&wrong, &endless}) {
    const CpuBackend checked(model, {.precision = CpuOptions::Precision::bf16}, *broken);
    REQUIRE(checked.warnings().size() == 1);
    CHECK(checked.warnings()[0].find("differ from float32") != std::string::npos);
    CHECK(checked.path().find(", float32") != std::string::npos);
    CHECK(checked.cost() == CpuBackend(model).cost());
    CHECK(same(checked.synthesis(s, {}), CpuBackend(model, {}, *broken).synthesis(s, {})));
  }
}

TEST_CASE("pullback is the gradient of the float64 reference, for every kernel set and precision") {
  for (const auto& config : configs()) {
    const sg::GeneratorModel model = model_of(config);
    const sg::NoiseImages none, constant = constant_noise(model), own = noise_of_samples(config, 3);
    for (const sg::NoiseImages* noise : {&none, &constant, &own}) {
      if (config.img_resolution == 32 && noise != &own) continue;  // (the large one once)
      const Rows s = smooth_styles(model, 3, *noise);
      const fl::ImageBatch incoming = normal_images(config, 3, 9);
      ref::Array exact;
      std::ptrdiff_t above = 0, below = 0;  // activations that a clamp has cut
      for (std::int64_t i = 0; i < 3; ++i) {
        const ref::Pass pass = reference_pass(model, doubles(s.row_span(i)), *noise, i);
        const ref::Array one = ref::gradient(config, model.weights, pass, doubles(incoming.image(i)));
        exact.insert(exact.end(), one.begin(), one.end());
        if (!config.conv_clamp) continue;
        const ref::Array& activations = pass.steps[pass.steps.size() - 2].output;  // before the last ToRGB
        above += std::count(activations.begin(), activations.end(), *config.conv_clamp);
        below += std::count(activations.begin(), activations.end(), -*config.conv_clamp);
      }
      if (config.conv_clamp) CHECK(above > 100);
      if (config.conv_clamp && *config.conv_clamp < 1.0 && noise != &none) CHECK(below > 50);
      const double scale = largest(exact);
      for (const kernels::Kernels* set : kernels::runnable_kernels())
        for (const auto& options :
             {CpuOptions{}, CpuOptions{.winograd = false}, CpuOptions{.precision = CpuOptions::Precision::bf16}}) {
          const CpuBackend backend(model, options, *set);
          CAPTURE(backend.path(), options.winograd, config.img_resolution, config.channel_max, noise->data.size());
          CHECK(worst(backend.pullback(s, *noise, incoming), exact) < 1e-5 * scale);
        }
    }
  }
}

TEST_CASE("several threads call one backend and its copies at a time") {
  const sg::GeneratorConfig config = configs()[2];
  const sg::GeneratorModel model = model_of(config);
  const auto precise = CpuOptions::Precision::fp32, narrow = CpuOptions::Precision::bf16;
  for (const auto precision : {precise, narrow}) {
    const CpuBackend backend(model, {.precision = precision}), other(model, {.precision = precision});
    constexpr std::int64_t callers = 4, rows = 5;
    struct Results {
      Rows w, s, slopes;
      fl::ImageBatch images, edited;
    };
    const sg::NoiseImages noise = noise_of_samples(config, callers * rows);
    const auto all_of = [&](const CpuBackend& mine, std::int64_t caller) {
      Results results;
      const std::int64_t first = caller * rows;
      results.w = mine.mapping(normals(rows, 6, 20 + caller), labels_of(config, rows));
      results.s = mine.styles(results.w);
      results.images = mine.synthesis(results.s, from_sample(noise, first));
      results.slopes = mine.pullback(results.s, from_sample(noise, first), normal_images(config, rows, 30 + caller));
      sg::SynthesisEdits session = mine.begin_edits(results.s);
      const std::vector<fl::StyleEdit> edits = {{0, caller, 2.0f}, {1, 100 + caller, -1.0f}, {4, 150 + caller, 3.0f}};
      results.edited = session.images(edits);
      return results;
    };
    std::vector<Results> found(callers);
    std::vector<std::thread> threads;
    for (std::int64_t caller = 0; caller < callers; ++caller)
      threads.emplace_back([&, caller, copy = backend] {
        for (int round = 0; round < 3; ++round) found[static_cast<std::size_t>(caller)] = all_of(copy, caller);
      });
    for (std::thread& thread : threads) thread.join();
    for (std::int64_t caller = 0; caller < callers; ++caller) {
      const Results expected = all_of(other, caller);
      const Results& one = found[static_cast<std::size_t>(caller)];
      CAPTURE(backend.path(), caller);
      CHECK(same(one.w, expected.w));
      CHECK(same(one.s, expected.s));
      CHECK(same(one.images, expected.images));
      CHECK(same(one.slopes, expected.slopes));
      CHECK(same(one.edited, expected.edited));
    }
  }
}
