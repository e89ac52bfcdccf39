// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Single-channel edits with a shared prefix against whole syntheses of edited styles: in float64, and as users see
// them.

#include <faultline/concepts/style_edits.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/kernels/cpu_kernels.hpp>

#include <support/catch2.hpp>

#include "support.hpp"

#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace stylegan2_tests;
using fl::CpuBackend;
using fl::CpuOptions;
using fl::ErrorCode;
using fl::StyleEdit;

static_assert(fl::EditsStyles<Fast> && fl::EditSession<sg::SynthesisEdits, Fast> &&
              fl::EditSession<fl::WholeEdits<Fast>, Fast>);

namespace {

/// Every channel of every start latent, moved a little, through zero and far.
std::vector<StyleEdit> all_edits(std::int64_t rows, std::int64_t dimension) {
  std::vector<StyleEdit> edits;
  for (std::int64_t k = 0; k < dimension; ++k)
    for (std::int64_t n = 0; n < rows; ++n)
      for (const float shift : {-3.0f, 0.5f, 10.0f}) edits.push_back({n, k, shift});
  return edits;
}

/// Whole syntheses of the edited styles, in float64.
ref::Array whole_images(const sg::GeneratorModel& model, const Rows& s, const std::vector<StyleEdit>& edits) {
  ref::Array all;
  for (const StyleEdit& edit : edits) {
    ref::Array row = doubles(s.row_span(edit.row));
    row[static_cast<std::size_t>(edit.channel)] += static_cast<double>(edit.shift);
    const ref::Array image = reference_pass(model, row, constant_noise(model), 0).image;
    all.insert(all.end(), image.begin(), image.end());
  }
  return all;
}

/// The largest difference of any image, over the largest value of that image, at least 1.
double worst_of_images(const fl::ImageBatch& images, const ref::Array& expected) {
  const auto size = static_cast<std::ptrdiff_t>(images.shape().elements());
  if (static_cast<std::ptrdiff_t>(expected.size()) != images.count() * size)
    return std::numeric_limits<double>::infinity();
  double most = 0.0;
  for (std::int64_t i = 0; i < images.count(); ++i) {
    const ref::Array one(expected.begin() + i * size, expected.begin() + (i + 1) * size);
    most = std::max(most, worst(doubles(images.image(i)), one) / std::max(1.0, largest(one)));
  }
  return most;
}

/// Styles around 1, as affine biases make them.
Rows start_latents(const sg::GeneratorModel& model, std::int64_t rows, std::int64_t index) {
  Rows s = normals(rows, sg::style_layout(model.config).dimension(), index);
  s.array() += 1.0f;
  return s;
}

std::filesystem::path shipped() { return std::filesystem::path(FAULTLINE_TEST_ASSETS_DIR) / "digits.safetensors"; }

}  // namespace

TEST_CASE("an edit of any channel equals the whole synthesis in float64") {
  struct Case {
    const char* what;
    std::int64_t resolution, colours, base, widest;
    std::optional<double> clamp;
  };
  for (const Case& one :
       {Case{"plain", 16, 1, 64, 6, std::nullopt}, Case{"clamp at work", 8, 3, 64, 6, 0.7},
        Case{"a single block", 4, 2, 64, 6, std::nullopt}, Case{"more than a tile of channels", 8, 1, 264, 33, 2.0}}) {
    INFO(one.what);
    sg::GeneratorConfig config = small_config();
    config.img_resolution = one.resolution;
    config.img_channels = one.colours;
    config.conv_clamp = one.clamp;
    config.channel_base = one.base;
    config.channel_max = one.widest;
    const sg::GeneratorModel model = model_of(config, 3);
    const std::int64_t dimension = sg::style_layout(config).dimension();
    const Rows s = start_latents(model, 2, 4);
    const std::vector<StyleEdit> edits = all_edits(2, dimension);
    const ref::Array expected = whole_images(model, s, edits),
                     starts = whole_images(model, s, {{0, 0, 0.0f}, {1, 0, 0.0f}});
    // What a whole synthesis is held to as well: an edit adds one response to a sum, a rounding more.
    constexpr double bound = 1e-5;
    for (const fl::kernels::Kernels* set : fl::kernels::runnable_kernels())
      for (const bool winograd : {false, true}) {
        CAPTURE(set->name, winograd);
        sg::SynthesisEdits session = CpuBackend(model, {.winograd = winograd}, *set).begin_edits(s);
        CHECK(session.layout() == sg::style_layout(config));
        const fl::ImageBatch images = session.images(edits);
        CHECK(worst_of_images(images, expected) < bound);
        CHECK(worst_of_images(session.start_images(), starts) < bound);
        CHECK(session.cost().images == static_cast<std::int64_t>(edits.size()));
        CHECK(session.cost().calls == 1);
        if (!winograd) continue;
        // One by one and in another order it is the same, bit for bit, and so it is with one thread.
        const std::vector<StyleEdit> reversed(edits.rbegin(), edits.rend());
        const fl::ImageBatch other = session.images(reversed),
                             alone = fl::within_threads(1, [&] { return session.images(edits); });
        bool equal = true;
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto a = images.image(i), b = other.image(images.count() - 1 - i), c = alone.image(i);
          equal = equal && std::equal(a.begin(), a.end(), b.begin()) && std::equal(a.begin(), a.end(), c.begin());
        }
        CHECK(equal);
        for (std::size_t i = 0; i < edits.size(); i += edits.size() / 7) {
          const auto image = images.image(static_cast<std::int64_t>(i));
          const fl::ImageBatch single = session.images({&edits[i], 1});
          CHECK(std::equal(image.begin(), image.end(), single.data()));
        }
        CHECK(same(session.images(edits), images));  // edits do not add up
      }
  }
}

TEST_CASE("edits of the shipped generator are within 1e-4 of whole syntheses and cost what they change") {
  const Fast generator = Fast::load(shipped());
  const Rows s = generator.styles(generator.map(normals(3, 64, 1), {0, 3, 6}));
  auto session = fl::begin_edits(generator, s);
  fl::WholeEdits<Fast> plain(generator, s);
  CHECK(session.cost().passes == 3.0);
  CHECK(worst(session.start_images(), generator.synthesize(s)) < 1e-4);
  double before = 1.0;
  for (const auto& layer : generator.layout().layers()) {
    INFO(layer.name);
    const bool colour = layer.name.find("torgb") != std::string::npos;
    std::vector<StyleEdit> edits;
    for (std::int64_t i = 0; i < 6; ++i)
      edits.push_back({i % 3, layer.offset + (7 * i) % layer.width, i < 3 ? 1.5f : -2.0f});
    const fl::EditCost start = session.cost();
    CHECK(worst(session.images(edits), plain.images(edits)) < 1e-4);
    const double passes = session.passes_of(layer.offset);
    CHECK(session.cost().passes - start.passes == Approx(6.0 * passes));
    CHECK(session.cost().images == start.images + 6);
    CHECK(session.cost().calls == start.calls + 1);
    if (colour) CHECK(passes < 0.01);
    else {
      CHECK(passes < before);
      before = passes;
    }
  }
  CHECK(before < 0.01);  // the last convolution leaves only its ToRGB to run
  CHECK(plain.cost().passes == Approx(6.0 * static_cast<double>(generator.layout().layers().size())));
  // Shifts of one channel of one latent share its single-channel convolution.
  const double each = session.passes_of(600), spent = session.cost().passes;
  const std::vector<StyleEdit> both = {{0, 600, 1.0f}, {0, 600, -1.0f}};
  (void)session.images(both);
  CHECK(session.cost().passes - spent < 2.0 * each);
}

TEST_CASE("more edits than are held at a time come back in their order") {
  const Fast generator(model_of(small_config()));
  const Rows s = start_latents(generator.model(), 3, 6);
  auto session = generator.begin_edits(s);
  fl::WholeEdits<Fast> plain(generator, s);
  std::vector<StyleEdit> edits;  // of one layer and of all, its neighbours sometimes of the same channel
  for (std::int64_t i = 0; i < 200; ++i)
    edits.push_back(
        {i % 3, i < 150 ? 9 + i / 40 : i % generator.layout().dimension(), 0.01f * static_cast<float>(i) - 1.0f});
  const fl::ImageBatch images = session.images(edits), expected = plain.images(edits);
  CHECK(worst(images, expected) < 1e-4);
  std::int64_t told_apart = 0;
  for (std::int64_t i = 1; i < images.count(); ++i)
    told_apart += std::equal(images.image(i).begin(), images.image(i).end(), images.image(i - 1).begin()) ? 0 : 1;
  CHECK(told_apart == 199);
}

TEST_CASE("a session outlives the generator that began it") {
  auto generator = std::make_unique<Fast>(model_of(small_config()));
  const Fast same_again(model_of(small_config()));
  const std::vector<StyleEdit> edits = all_edits(2, generator->layout().dimension());
  auto s = std::make_unique<Rows>(start_latents(generator->model(), 2, 6));
  sg::SynthesisEdits session = generator->begin_edits(*s), other = same_again.begin_edits(*s);
  generator.reset();
  s.reset();
  CHECK(same(session.images(edits), other.images(edits)));
  CHECK(session.layout() == other.layout());
}

TEST_CASE("a session on a backend in bfloat16 stays near that backend's whole syntheses") {
  const Fast exact = Fast::load(shipped());
  const Fast reduced(exact.model(), {.precision = CpuOptions::Precision::bf16});
  if (reduced.backend_description().find(", bfloat16") == std::string::npos)
    CHECK(reduced.backend_warnings().size() == 1);
  const Rows s = exact.styles(exact.map(normals(3, 64, 1), {0, 3, 6}));
  auto session = reduced.begin_edits(s), precise = exact.begin_edits(s);
  fl::WholeEdits<Fast> whole(reduced, s);
  CHECK(same(session.start_images(), reduced.synthesize(s)));
  for (const auto& layer : exact.layout().layers()) {
    INFO(layer.name);
    std::vector<StyleEdit> edits;
    for (std::int64_t i = 0; i < 6; ++i)
      edits.push_back({i % 3, layer.offset + (7 * i) % layer.width, i < 3 ? 1.5f : -2.0f});
    const fl::ImageBatch images = session.images(edits);
    // Pixels lie in [-1, 1]. An edited convolution keeps more digits than a whole synthesis: no further from float32.
    CHECK(worst(images, whole.images(edits)) < 0.05);
    CHECK(worst(images, precise.images(edits)) < 0.08);
    CHECK(worst(whole.images(edits), precise.images(edits)) < 0.08);
  }
}

TEST_CASE("edits that cannot be are refused") {
  const Fast generator(model_of(small_config()));
  const std::int64_t dimension = generator.layout().dimension();
  const Rows s = normals(2, dimension, 6);
  auto session = generator.begin_edits(s);
  fl::WholeEdits<Fast> plain(generator, s);
  const float nan = std::numeric_limits<float>::quiet_NaN(), endless = std::numeric_limits<float>::infinity();
  for (const StyleEdit bad : {StyleEdit{2, 0, 1.0f}, StyleEdit{-1, 0, 1.0f}, StyleEdit{0, dimension, 1.0f},
                              StyleEdit{0, -1, 1.0f}, StyleEdit{0, 0, nan}, StyleEdit{0, 0, endless}}) {
    const std::vector<StyleEdit> edits = {{0, 0, 1.0f}, bad};
    CHECK(code_of([&] { (void)session.images(edits); }) == ErrorCode::invalid_argument);
    CHECK(code_of([&] { (void)plain.images(edits); }) == ErrorCode::invalid_argument);
  }
  CHECK(code_of([&] { (void)session.images({}); }) == ErrorCode::empty_input);
  CHECK(code_of([&] { (void)session.passes_of(dimension); }) == ErrorCode::invalid_argument);
  CHECK(session.cost().images == 0);
  CHECK(code_of([&] { (void)generator.begin_edits(s.leftCols(3)); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.begin_edits(Rows(0, dimension)); }) == ErrorCode::empty_input);
}
