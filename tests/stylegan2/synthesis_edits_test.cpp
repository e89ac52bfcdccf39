// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Single-channel edits with a shared prefix against whole syntheses of edited styles, in float64 and as users see them.

#include <faultline/concepts/style_edits.hpp>

#include <support/catch2.hpp>

#include "support.hpp"

#include <memory>
#include <vector>

using namespace test;
using fl::ErrorCode;
using fl::StyleEdit;
using Reference = fl::Generator<fl::ReferenceBackend>;

static_assert(fl::EditsStyles<Reference> && fl::EditSession<sg::SynthesisEdits, Reference> &&
              fl::EditSession<fl::WholeEdits<Reference>, Reference>);

namespace {

/// Every channel of every start code, moved a little, through zero and far.
std::vector<StyleEdit> all_edits(std::int64_t rows, std::int64_t dimension) {
  std::vector<StyleEdit> edits;
  for (std::int64_t k = 0; k < dimension; ++k)
    for (std::int64_t n = 0; n < rows; ++n)
      for (const float shift : {-3.0f, 0.5f, 10.0f}) edits.push_back({n, k, shift});
  return edits;
}

at::Tensor whole_images(const sg::GeneratorConfig& config, const sg::Weights& weights, const at::Tensor& s,
                        const std::vector<at::Tensor>& noise, const std::vector<StyleEdit>& edits) {
  std::vector<at::Tensor> rows, own_noise;
  for (const StyleEdit& edit : edits) {
    at::Tensor row = s[edit.row].clone();
    row[edit.channel] += edit.shift;
    rows.push_back(row);
  }
  for (const at::Tensor& one : noise) {
    std::vector<at::Tensor> picked;
    for (const StyleEdit& edit : edits) picked.push_back(one.dim() == 4 ? one[edit.row] : one.unsqueeze(0));
    own_noise.push_back(at::stack(picked));
  }
  const at::Tensor flat = at::stack(rows);
  std::vector<at::Tensor> styles;
  const fl::StyleLayout layout = sg::style_layout(config);
  for (const auto& layer : layout.layers()) styles.push_back(flat.narrow(1, layer.offset, layer.width));
  return sg::synthesis(config, weights, styles, own_noise);
}

/// The plain backend with a `synthesis_from` of its own that counts its rows.
struct CountingBackend : fl::ReferenceBackend {
  using fl::ReferenceBackend::ReferenceBackend;
  std::shared_ptr<std::int64_t> rows = std::make_shared<std::int64_t>(0);
  at::Tensor synthesis_from(const sg::SynthesisState& state, const at::Tensor& s,
                            const std::vector<at::Tensor>& noise) const {
    *rows += s.size(0);
    last_rows = *rows;
    std::vector<at::Tensor> styles;
    const fl::StyleLayout layout = sg::style_layout(model().config);
    for (const auto& layer : layout.layers()) styles.push_back(s.narrow(1, layer.offset, layer.width));
    return sg::synthesis_from(model().config, model().weights, state, styles, noise);
  }
  static inline std::int64_t last_rows = 0;
};
static_assert(sg::ResumesSynthesis<CountingBackend> && !sg::ResumesSynthesis<fl::ReferenceBackend>);

}  // namespace

TEST_CASE("an edit of any channel equals the whole synthesis in float64") {
  struct Case {
    const char* what;
    std::int64_t resolution, colours;
    std::optional<double> clamp;
    bool noise_per_row;
  };
  for (const Case& one :
       {Case{"plain", 16, 1, std::nullopt, false}, Case{"clamp at work, noise per row", 8, 3, 0.7, true},
        Case{"a single block", 4, 2, std::nullopt, false}}) {
    INFO(one.what);
    sg::GeneratorConfig config = small_config();
    config.img_resolution = one.resolution;
    config.img_channels = one.colours;
    config.conv_clamp = one.clamp;
    config.channel_base = 64;
    config.channel_max = 6;
    const sg::Weights weights = perturbed_weights(config, 3, at::kDouble);
    const std::int64_t dimension = sg::style_layout(config).dimension();
    const at::Tensor s = normals({2, dimension}, 4, at::kDouble) + 1.0;
    const std::vector<at::Tensor> noise =
        one.noise_per_row ? random_noise(config, 2, at::kDouble) : sg::constant_noise(config, weights);
    const auto edits = all_edits(2, dimension);
    sg::SynthesisEdits session(config, weights, s, noise);
    const at::Tensor expected = whole_images(config, weights, s, noise, edits);
    CHECK(worst(session.images(edits), expected) < 1e-9 * expected.abs().max().item<double>());
    CHECK(worst(session.start_images(), whole_images(config, weights, s, noise, {{0, 0, 0.0f}, {1, 0, 0.0f}})) < 1e-10);
    // Layer by layer and in another order it is the same.
    const std::vector<StyleEdit> last(edits.rbegin(), edits.rbegin() + 7);
    CHECK(worst(session.images(last).flip(0), expected.narrow(0, expected.size(0) - 7, 7)) <
          1e-9 * expected.abs().max().item<double>());
  }
}

TEST_CASE("edits of the shipped generator are within 1e-4 of whole syntheses and cost what they change") {
  const auto generator = Reference::load(std::filesystem::path(FAULTLINE_TEST_ASSETS_DIR) / "digits.safetensors");
  at::Tensor labels = at::empty({3}, at::kLong);
  for (std::int64_t i = 0; i < 3; ++i) labels.data_ptr<std::int64_t>()[i] = 3 * i;
  const at::Tensor s = generator.styles(generator.map(normals({3, 64}, 1), labels));
  auto session = fl::begin_edits(generator, s);
  fl::WholeEdits<Reference> plain(generator, s);
  CHECK(session.cost().passes == 3.0);
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
  // Shifts of one channel of one code share its single-channel convolution.
  const double each = session.passes_of(600), spent = session.cost().passes;
  const std::vector<StyleEdit> both = {{0, 600, 1.0f}, {0, 600, -1.0f}};
  (void)session.images(both);
  CHECK(session.cost().passes - spent < 2.0 * each);
}

TEST_CASE("a backend that resumes syntheses is asked to") {
  const fl::Generator<CountingBackend> generator({small_config(), perturbed_weights(small_config(), 5), "", ""});
  const at::Tensor s = normals({2, generator.layout().dimension()}, 6) + 1.0;
  auto session = generator.begin_edits(s);
  // The last one is of a ToRGB
  const std::vector<StyleEdit> edits = {{0, 0, 1.0f}, {1, 1, -1.0f}, {1, generator.layout().dimension() - 1, 2.0f}};
  CountingBackend::last_rows = 0;
  const at::Tensor images = session.images(edits);
  CHECK(CountingBackend::last_rows == 2);
  CHECK(worst(images, fl::WholeEdits(generator, s).images(edits)) < 1e-4);
}

TEST_CASE("edits that cannot be are refused") {
  const Reference generator({small_config(), perturbed_weights(small_config(), 5), "", ""});
  const std::int64_t dimension = generator.layout().dimension();
  const at::Tensor s = normals({2, dimension}, 6);
  auto session = generator.begin_edits(s);
  fl::WholeEdits<Reference> plain(generator, s);
  for (const StyleEdit bad : {StyleEdit{2, 0, 1.0f}, StyleEdit{-1, 0, 1.0f}, StyleEdit{0, dimension, 1.0f},
                              StyleEdit{0, -1, 1.0f}, StyleEdit{0, 0, std::nanf("")}}) {
    const std::vector<StyleEdit> edits = {bad};
    CHECK(code_of([&] { (void)session.images(edits); }) == ErrorCode::invalid_argument);
    CHECK(code_of([&] { (void)plain.images(edits); }) == ErrorCode::invalid_argument);
  }
  CHECK(code_of([&] { (void)session.images({}); }) == ErrorCode::empty_input);
  CHECK(code_of([&] { (void)generator.begin_edits(s.narrow(1, 0, 3)); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)generator.begin_edits(s.narrow(0, 0, 0)); }) == ErrorCode::empty_input);
}
