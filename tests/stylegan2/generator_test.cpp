// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Generator<CpuBackend> as users see it: concepts, options, files, recorded images, errors.

#include <faultline/concepts/generator_cost.hpp>
#include <faultline/concepts/style_edits.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/data/safetensors.hpp>
#include <faultline/stylegan2/model_file.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include "support.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace stylegan2_tests;
using fl::ErrorCode;

static_assert(fl::StyleGenerator<Fast> && fl::AffineStyles<Fast> && fl::DifferentiableGenerator<Fast> &&
              fl::ShiftsStyles<Fast> && fl::EditsStyles<Fast> && fl::BatchInvariantGenerator<Fast> &&
              fl::StatesCost<Fast>);
static_assert(std::is_same_v<Fast::latent_type, Rows> && std::is_same_v<Fast::style_type, Rows> &&
              std::is_same_v<Fast::image_type, fl::ImageBatch> &&
              std::is_same_v<Fast::label_type, std::vector<std::int64_t>>);

namespace {

Fast small_generator() { return Fast(model_of(small_config())); }

std::vector<std::int64_t> small_labels(std::int64_t count) { return labels_of(small_config(), count); }

}  // namespace

TEST_CASE("a generator says what its config says") {
  sg::GeneratorConfig config = small_config();
  config.img_channels = 3;
  config.class_names = {"a", "b", "c"};
  config.value_range = {0.0, 2.0};
  const Fast generator(model_of(config));
  CHECK(generator.latent_dim() == 6);
  CHECK(generator.w_dim() == 5);
  CHECK(generator.num_classes() == 3);
  CHECK(generator.num_ws() == 4);
  CHECK(generator.image_shape() == fl::ImageShape{3, 8, 8});
  CHECK(generator.value_range() == fl::ValueRange{0.0, 2.0});
  CHECK(generator.class_names() == config.class_names);
  CHECK(generator.layout() == sg::style_layout(config));
  CHECK(generator.cost() == generator.backend().cost());
  CHECK(generator.cost().synthesis_macs == sg::synthesis_macs(config));
  CHECK(generator.backend_description().rfind("CPU, ", 0) == 0);
  CHECK(generator.backend_warnings().empty());
  CHECK(generator.digest().size() == 64);
  CHECK(generator.digest() == sg::generator_digest(generator.model()));
  CHECK(generator.digest() != small_generator().digest());
  const Rows w = normals(2, 5, 1);
  CHECK(generator.latent_to_host(generator.latent_from_host(w)) == w);
  CHECK(generator.label_from_host(std::array<std::int64_t, 2>{2, 1}) == std::vector<std::int64_t>{2, 1});
}

TEST_CASE("from latents to images a generator is the float64 reference") {
  for (const std::int64_t classes : {3, 0}) {
    sg::GeneratorConfig config = small_config();
    config.c_dim = classes;
    const Fast generator(model_of(config));
    const sg::GeneratorModel& model = generator.model();
    const Rows z = normals(5, 6, 1);
    const std::vector<std::int64_t> labels = labels_of(config, 5);
    for (const double psi : {1.0, 0.6, -0.5}) {
      CAPTURE(psi, classes);
      const Rows w = generator.map(z, labels, {.truncation = psi}), s = generator.styles(w);
      const fl::ImageBatch constant = generator.synthesize(s), none = generator.synthesize(s, {fl::Noise::none});
      for (std::int64_t i = 0; i < 5; ++i) {
        const std::int64_t label = labels.empty() ? 0 : labels[static_cast<std::size_t>(i)];
        const ref::Array exact =
            ref::truncated(model.weights, ref::mapping(config, model.weights, doubles(z.row_span(i)), label), psi);
        CHECK(worst(w.row_span(i), exact) < 1e-5);
        const ref::Array styles = ref::styles(config, model.weights, exact);
        CHECK(worst(s.row_span(i), styles) < 1e-5);
        CHECK(worst(constant.image(i), reference_pass(model, styles, constant_noise(model), 0).image) < 1e-4);
        CHECK(worst(none.image(i), reference_pass(model, styles, {}, 0).image) < 1e-4);
      }
    }
  }
}

TEST_CASE("styles are affine in w and truncation with a cutoff touches the first slots only") {
  const Fast generator = small_generator();
  const Rows z = normals(4, 6, 1);
  const Rows w = generator.map(z, small_labels(4)), s = generator.styles(w);
  const Rows a = generator.style_matrix(), b = generator.style_bias();
  REQUIRE(a.rows() == s.cols());
  REQUIRE(a.cols() == 5);
  REQUIRE(b.rows() == s.cols());
  for (std::int64_t n = 0; n < 4; ++n)
    for (std::int64_t k = 0; k < s.cols(); ++k) {
      auto sum = static_cast<double>(b(k, 0));
      for (std::int64_t j = 0; j < w.cols(); ++j) sum += static_cast<double>(a(k, j)) * static_cast<double>(w(n, j));
      REQUIRE(s(n, k) == Approx(sum).margin(1e-5));
    }
  const Rows half = generator.map(z, small_labels(4), {.truncation = 0.5});
  CHECK(worst(half, w) > 1e-2);
  for (const std::int64_t cutoff : {0, 2, 4}) {
    const Rows layered = generator.map(z, small_labels(4), {.truncation = 0.5, .cutoff = cutoff});
    REQUIRE(layered.rows() == 4);
    REQUIRE(layered.cols() == 4 * 5);
    for (std::int64_t slot = 0; slot < 4; ++slot)
      CHECK(Rows(layered.middleCols(slot * 5, 5)) == (slot < cutoff ? half : w));
    CHECK(worst(generator.styles(layered), reference_styles(generator.model(), layered)) < 1e-5);
  }
  const Rows whole = generator.map(z, small_labels(4), {.truncation = 1.0, .cutoff = 3});
  CHECK(generator.styles(whole) == s);
  const Rows centre = generator.map(z, small_labels(4), {.truncation = 0.0}), average = generator.w_average();
  REQUIRE(average.rows() == 1);
  for (std::int64_t n = 0; n < 4; ++n) CHECK(worst(rows_of(centre, n, 1), average) < 1e-7);
  CHECK(same(average.values(), generator.model().weights["mapping.w_avg"].values));
}

TEST_CASE("random noise depends on seed and sample index and on nothing else") {
  const Fast generator = small_generator();
  const Rows s = generator.styles(generator.map(normals(6, 6, 2), small_labels(6)));
  const auto random = [&](const Rows& rows, std::int64_t seed, std::int64_t first) {
    return generator.synthesize(rows, {.noise = fl::Noise::random, .seed = seed, .first = first});
  };
  const fl::ImageBatch all = random(s, 9, 100), later = random(rows_of(s, 4, 2), 9, 104);
  CHECK(same(values_of(all).last(2 * 64), later));
  CHECK(worst(all, random(s, 10, 100)) > 1e-3);
  CHECK(worst(all, random(s, 9, 101)) > 1e-3);
  CHECK(worst(all, generator.synthesize(s, {.noise = fl::Noise::none})) > 1e-3);
  CHECK(worst(generator.synthesize(s), generator.synthesize(s, {.noise = fl::Noise::none})) > 1e-3);
  CHECK(same(random(s, 9, 100), all));
  CHECK(same(generator.synthesize(s, {.seed = 5, .first = 7}), generator.synthesize(s)));  // constant noise has no seed
  // The normals of (seed, stream 2, index), one block after the other through the layers.
  std::vector<float> drawn(16 + 64 + 64);
  fl::core::fill_normals(9, fl::core::Stream::noise, 103, drawn);
  const auto block = [&](std::ptrdiff_t first, std::ptrdiff_t count) {
    return ref::Array(drawn.begin() + first, drawn.begin() + first + count);
  };
  const ref::Pass pass = ref::synthesis(small_config(), generator.model().weights, doubles(s.row_span(3)),
                                        {block(0, 16), block(16, 64), block(80, 64)});
  CHECK(worst(all.image(3), pass.image) < 1e-4);
}

TEST_CASE("styles are shifted where they lie, as the host would shift them") {
  const Fast generator = small_generator();
  const Rows s = generator.styles(generator.map(normals(3, 6, 1), small_labels(3)));
  const Rows before = s;
  const std::vector<std::int64_t> channels = {4, 1};
  Rows shifts(2, 2);  // of the first two rows
  shifts(0, 0) = 0.3f, shifts(0, 1) = -1.7f, shifts(1, 1) = 0.1f;
  Rows expected = before;
  for (std::int64_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 2; ++j) expected(i, channels[j]) += shifts(i, static_cast<std::int64_t>(j));
  CHECK(generator.shift_styles(s, channels, shifts) == expected);
  CHECK(fl::shifted_styles(generator, s, channels, shifts) == expected);
  CHECK(s == before);
  const std::int64_t dimension = generator.layout().dimension();
  for (const std::int64_t channel : {dimension, std::int64_t{-1}})
    CHECK(code_of([&] {
            (void)generator.shift_styles(s, std::vector{channel, std::int64_t{0}}, shifts);
          }) == ErrorCode::invalid_argument);
  CHECK(code_of([&] { (void)generator.shift_styles(s, std::vector{std::int64_t{0}}, shifts); }) ==
        ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.shift_styles(s, channels, Rows(4, 2)); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.shift_styles(s.leftCols(3), channels, shifts); }) == ErrorCode::shape_mismatch);
}

TEST_CASE("pullback is the gradient of the images with respect to the styles") {
  const Fast generator = small_generator();
  const Rows s = generator.styles(generator.map(normals(2, 6, 3), small_labels(2)));
  fl::ImageBatch direction(2, generator.image_shape());
  fl::core::fill_normals(1, fl::core::Stream::latents, 0, {direction.data(), static_cast<std::size_t>(2 * 64)});
  const Rows gradient = generator.pullback(s, direction);
  REQUIRE(gradient.cols() == s.cols());
  // Central differences in float64, every coordinate of both rows, with the model's own noise.
  for (std::int64_t i = 0; i < 2; ++i) {
    const ref::Array base = doubles(s.row_span(i)), weights = doubles(direction.image(i));
    const auto value = [&](const ref::Array& styles) {
      const ref::Array image = reference_pass(generator.model(), styles, constant_noise(generator.model()), i).image;
      double sum = 0.0;
      for (std::size_t p = 0; p < image.size(); ++p) sum += image[p] * weights[p];
      return sum;
    };
    for (std::size_t k = 0; k < base.size(); ++k) {
      ref::Array up = base, down = base;
      up[k] += 1e-6;
      down[k] -= 1e-6;
      REQUIRE(gradient(i, static_cast<std::int64_t>(k)) ==
              Approx((value(up) - value(down)) / 2e-6).epsilon(1e-3).margin(1e-4));
    }
  }
}

TEST_CASE("a stored generator comes back the same, with its digest") {
  sg::GeneratorConfig clamped = small_config();
  clamped.conv_clamp = 1.25;
  clamped.class_names = {"one", "two", "three"};
  sg::GeneratorConfig unconditional = small_config();
  unconditional.c_dim = 0;
  const faultline_tests::TemporaryDirectory folder;
  for (const auto& config : {small_config(), clamped, unconditional}) {
    sg::GeneratorModel model = model_of(config);
    model.provenance = "{\"steps\": 1}";
    const Fast generator(model);
    const auto path = folder / "round-trip.safetensors";
    generator.save(path);
    const Fast again = Fast::load(path), unchecked = Fast::load(path, fl::Integrity::unchecked);
    CHECK(again.digest() == generator.digest());
    CHECK(unchecked.digest() == generator.digest());
    CHECK(again.digest() == fl::data::read_safetensors(path).metadata.at("sha256"));
    CHECK(again.model().config == generator.model().config);
    CHECK(again.model().weights == generator.model().weights);
    CHECK(again.model().provenance == model.provenance);
    const Rows w = generator.map(normals(2, 6, 4), labels_of(config, 2));
    CHECK(again.map(normals(2, 6, 4), labels_of(config, 2)) == w);
    CHECK(same(again.synthesize(again.styles(w)), generator.synthesize(generator.styles(w))));
    again.save(folder / "again.safetensors");
    CHECK(faultline_tests::text_of(folder / "again.safetensors") == faultline_tests::text_of(path));
    const Fast copy = again;
    CHECK(same(copy.synthesize(copy.styles(w)), generator.synthesize(generator.styles(w))));
    // What one option of the backend changes is not part of the digest.
    CHECK(Fast::load(path, fl::Integrity::checked, {.winograd = false}).digest() == generator.digest());
  }
}

TEST_CASE("the shipped generator makes the recorded images") {
  // tests/fixtures/make_digits_images.py: by the definitions of the papers, in double precision, without this library.
  const std::filesystem::path fixtures = std::filesystem::path(FAULTLINE_SOURCE_DIR) / "tests" / "fixtures";
  const fl::data::TensorFile expected = fl::data::read_safetensors(fixtures / "digits.expected.safetensors");
  for (const bool winograd : {true, false}) {
    const Fast generator = Fast::load(std::filesystem::path(FAULTLINE_TEST_ASSETS_DIR) / "digits.safetensors",
                                      fl::Integrity::checked, {.winograd = winograd});
    // Another generator needs another record.
    REQUIRE(expected.metadata.at("provenance").find(generator.digest()) != std::string::npos);
    const std::vector<std::int64_t>& labels = expected.at("labels").integers;
    Rows z(static_cast<std::int64_t>(labels.size()), generator.latent_dim());
    REQUIRE(expected.at("z").values.size() == static_cast<std::size_t>(z.size()));
    std::copy_n(expected.at("z").values.begin(), z.size(), z.data());
    const auto recorded = [&](const std::string& name) { return doubles(expected.at(name).values); };
    const Rows w = generator.map(z, labels), near = generator.map(z, labels, {.truncation = 0.7});
    CHECK(worst(w, recorded("psi1.w")) < 1e-5);
    CHECK(worst(near, recorded("psi07.w")) < 1e-5);
    const Rows s = generator.styles(near);
    CHECK(worst(generator.synthesize(generator.styles(w)), recorded("psi1.image.noise_const")) < 1e-4);
    CHECK(worst(generator.synthesize(s, {.noise = fl::Noise::none}), recorded("psi07.image.noise_none")) < 1e-4);
  }
}

TEST_CASE("a colour generator with a clamp makes the recorded images") {
  const std::filesystem::path fixtures = std::filesystem::path(FAULTLINE_SOURCE_DIR) / "tests" / "fixtures";
  const fl::data::TensorFile expected = fl::data::read_safetensors(fixtures / "small.expected.safetensors");
  const Fast generator = Fast::load(fixtures / "small.generator.safetensors");
  const std::vector<std::int64_t>& labels = expected.at("labels").integers;
  Rows z(static_cast<std::int64_t>(labels.size()), generator.latent_dim());
  std::copy_n(expected.at("z").values.begin(), z.size(), z.data());
  for (const auto& [prefix, psi] : {std::pair{std::string("psi1."), 1.0}, std::pair{std::string("psi07."), 0.7}}) {
    const auto recorded = [&, &before = prefix](const std::string& name) {
      return doubles(expected.at(before + name).values);
    };
    const Rows w = generator.map(z, labels, {.truncation = psi}), s = generator.styles(w);
    CHECK(worst(w, recorded("w")) < 1e-5);
    for (const auto& layer : generator.layout().layers())
      CHECK(worst(Rows(s.middleCols(layer.offset, layer.width)), recorded("style.synthesis." + layer.name)) < 1e-5);
    CHECK(worst(generator.synthesize(s, {.noise = fl::Noise::none}), recorded("image.noise_none")) < 1e-4);
    CHECK(worst(generator.synthesize(s), recorded("image.noise_const")) < 1e-4);
  }
}

TEST_CASE("a generator file that is not exactly one is refused by name") {
  const faultline_tests::TemporaryDirectory folder;
  sg::GeneratorModel model = model_of(small_config());
  model.provenance = "{\"steps\": 1}";
  const auto path = folder / "refused.safetensors";
  const auto code_after = [&](const auto& change) {
    fl::data::TensorFile file = sg::generator_file(model);
    change(file);
    fl::data::write_safetensors(path, file);
    return code_of([&] { (void)Fast::load(path); });
  };
  CHECK(code_after([](fl::data::TensorFile&) {}) == ErrorCode{0});
  CHECK(code_after([](fl::data::TensorFile& file) { file.tensors.erase("mapping.fc1.bias"); }) ==
        ErrorCode::missing_tensor);
  CHECK(code_after([](fl::data::TensorFile& file) {
          file.tensors["mapping.fc9.bias"] = file.at("mapping.fc1.bias");
        }) == ErrorCode::unexpected_tensor);
  CHECK(code_after([](fl::data::TensorFile& file) {
          file.tensors["mapping.fc1.bias"].shape = {1, 5};
        }) == ErrorCode::wrong_tensor_shape);
  CHECK(code_after([](fl::data::TensorFile& file) { file.tensors["synthesis.b8.conv0.weight"].values[3] += 0.5f; }) ==
        ErrorCode::probe_mismatch);
  const auto with_filter = [&](float corner) {
    return code_after([&](fl::data::TensorFile& file) {
      std::vector<float> filter;
      for (const float a : {1.0f, 3.0f, 3.0f, 1.0f})
        for (const float b : {1.0f, 3.0f, 3.0f, 1.0f}) filter.push_back(a * b / 64.0f);
      filter.back() = corner;
      file.tensors["synthesis.b8.resample_filter"] = {.shape = {4, 4}, .values = filter, .integers = {}};
    });
  };
  CHECK(with_filter(1.0f / 64.0f) == ErrorCode{0});
  CHECK(with_filter(1.0f / 16.0f) == ErrorCode::wrong_tensor_shape);
  CHECK(code_after([](fl::data::TensorFile& file) {
          file.tensors["synthesis.b8.resample_filter"] = {
              .shape = {4, 4}, .values = std::vector<float>(16, 1.0f / 16.0f), .integers = {}};
        }) == ErrorCode::wrong_tensor_shape);
  CHECK(code_after([](fl::data::TensorFile& file) { file.tensors["probe.labels"].integers[0] = 3; }) ==
        ErrorCode::label_out_of_range);
  CHECK(code_after([](fl::data::TensorFile& file) { file.tensors.erase("probe.z"); }) == ErrorCode::missing_tensor);
  CHECK(code_after([](fl::data::TensorFile& file) { file.tensors["probe.image"].values[77] += 1e-3f; }) ==
        ErrorCode::probe_mismatch);
  CHECK(code_after([](fl::data::TensorFile& file) {
          for (const char* name : {"probe.z", "probe.labels", "probe.image"}) file.tensors.erase(name);
        }) == ErrorCode{0});
  CHECK(code_after([](fl::data::TensorFile& file) { file.metadata["format"] = "faultline.classifier/1"; }) ==
        ErrorCode::foreign_format);
  CHECK(code_after([](fl::data::TensorFile& file) { file.metadata.erase("config"); }) == ErrorCode::malformed_header);
  const auto with_config = [&](const std::string& from, const std::string& to) {
    return code_after([&](fl::data::TensorFile& file) {
      std::string& text = file.metadata["config"];
      REQUIRE(text.find(from) != std::string::npos);
      text.replace(text.find(from), from.size(), to);
    });
  };
  CHECK(with_config("{", "{\"extra\": {\"note\": 1}, ") == ErrorCode{0});
  CHECK(with_config("{", "{\"surprise\": 1, ") == ErrorCode::malformed_header);
  CHECK(with_config("{", "{\"w_dim\": 5, ") == ErrorCode::malformed_header);
  CHECK(with_config("\"img_resolution\":8", "\"img_resolution\":9") == ErrorCode::malformed_header);
  CHECK(with_config("\"w_dim\":5", "\"w_dim\":\"5\"") == ErrorCode::malformed_header);
  CHECK(with_config("\"w_dim\":5,", "") == ErrorCode::malformed_header);
  // One flipped bit in the weights.
  fl::data::write_safetensors(path, sg::generator_file(model));
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(-9, std::ios::end);
  const char byte = static_cast<char>(file.get() ^ 4);
  file.seekp(-9, std::ios::end);
  file.put(byte);
  file.close();
  CHECK(code_of([&] { (void)Fast::load(path); }) == ErrorCode::digest_mismatch);
  CHECK(code_of([&] { (void)Fast::load(folder / "absent.safetensors"); }) == ErrorCode::cannot_open);
}

TEST_CASE("a model in memory that is not whole is refused by name") {
  const auto code_after = [](const auto& change) {
    sg::GeneratorModel model = model_of(small_config());
    change(model);
    return code_of([&] { (void)Fast(model); });
  };
  CHECK(code_after([](sg::GeneratorModel&) {}) == ErrorCode{0});
  CHECK(code_after([](sg::GeneratorModel& model) { model.weights = {}; }) == ErrorCode::missing_tensor);
  CHECK(code_after([](sg::GeneratorModel& model) { model.config.w_dim = 4; }) == ErrorCode::wrong_tensor_shape);
  CHECK(code_after([](sg::GeneratorModel& model) { model.config.img_resolution = 16; }) == ErrorCode::missing_tensor);
  CHECK(code_after([](sg::GeneratorModel& model) { model.config.img_resolution = 12; }) == ErrorCode::invalid_argument);
  CHECK(code_after([](sg::GeneratorModel& model) {
          fl::kernels::WeightArray bias = model.weights["mapping.fc0.bias"];
          bias.values.pop_back();  // fewer values than its shape says
          model.weights.set("mapping.fc0.bias", bias);
        }) == ErrorCode::wrong_tensor_shape);
}

TEST_CASE("arguments of the wrong shape or range are refused") {
  const Fast generator = small_generator();
  const std::vector<std::int64_t> labels = small_labels(2);
  const Rows z = normals(2, 6, 1), w = generator.map(z, labels), s = generator.styles(w);
  CHECK(code_of([&] { (void)generator.map(normals(2, 7, 1), labels); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.map(Rows(), labels); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.map(z, small_labels(3)); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.map(z, {}); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.map(z, {2, 3}); }) == ErrorCode::label_out_of_range);
  CHECK(code_of([&] { (void)generator.map(z, {-1, 0}); }) == ErrorCode::label_out_of_range);
  CHECK(code_of([&] { (void)generator.map(Rows(0, 6), {}); }) == ErrorCode::empty_input);
  for (const double psi : {2.5, -2.5, std::nan(""), std::numeric_limits<double>::infinity()})
    CHECK(code_of([&] { (void)generator.map(z, labels, {.truncation = psi}); }) == ErrorCode::invalid_argument);
  for (const std::int64_t cutoff : {-1, 5})
    CHECK(code_of([&] { (void)generator.map(z, labels, {.cutoff = cutoff}); }) == ErrorCode::invalid_argument);
  CHECK(code_of([&] { (void)generator.styles(s); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.styles(Rows(0, 5)); }) == ErrorCode::empty_input);
  CHECK(code_of([&] { (void)generator.synthesize(w); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.synthesize(Rows(0, s.cols())); }) == ErrorCode::empty_input);
  CHECK(code_of([&] { (void)generator.pullback(s, fl::ImageBatch(1, generator.image_shape())); }) ==
        ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.pullback(s, fl::ImageBatch(2, {1, 8, 4})); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.pullback(w, fl::ImageBatch(2, generator.image_shape())); }) ==
        ErrorCode::shape_mismatch);
}

TEST_CASE("an unconditional generator takes no labels") {
  sg::GeneratorConfig config = small_config();
  config.c_dim = 0;
  const Fast generator(model_of(config));
  const Rows z = normals(2, 6, 1);
  CHECK(generator.num_classes() == 0);
  CHECK(generator.map(z, {}).rows() == 2);
  CHECK(generator.map(z, generator.label_from_host({})) == generator.map(z, {}));
  CHECK(code_of([&] { (void)generator.map(z, {0, 0}); }) == ErrorCode::shape_mismatch);
}
