// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A generator behind AnyGenerator answers as it does by itself: samples, edits, reports and errors, bit for bit.

#include <faultline/analysis/characterize.hpp>
#include <faultline/classify/any_classifier.hpp>
#include <faultline/classify/make_classifier.hpp>
#include <faultline/render/json_report.hpp>
#include <faultline/sampling/analytic_generator.hpp>
#include <faultline/sampling/any_generator.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <concepts/archetypes.hpp>
#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace fl = faultline;

namespace {

const fl::AnalyticGenerator known({.factors = 3, .channels = 64, .classes = 4, .seed = 2});

/// The same without gradients.
struct Flat : fl::AnalyticGenerator {
  using fl::AnalyticGenerator::AnalyticGenerator;
  fl::Matrix<float> pullback(const fl::Matrix<float>&, const fl::ImageBatch&) const = delete;
};
static_assert(!fl::DifferentiableGenerator<Flat> && fl::AffineStyles<Flat>);

/// The same, whose rows do not depend on the batch.
struct Apart : fl::AnalyticGenerator {
  using fl::AnalyticGenerator::AnalyticGenerator;
  static constexpr bool batch_invariant = true;
};
static_assert(fl::BatchInvariantGenerator<Apart>);

/// The same, which states what it costs and is, and counts its own edits.
struct Talkative : fl::AnalyticGenerator {
  using fl::AnalyticGenerator::AnalyticGenerator;
  struct Session : fl::WholeEdits<fl::AnalyticGenerator> {
    using fl::WholeEdits<fl::AnalyticGenerator>::WholeEdits;
    double passes_of(std::int64_t) const { return 0.25; }
  };
  fl::GeneratorCost cost() const { return {.mapping_macs = 3, .styles_macs = 5, .synthesis_macs = 7}; }
  std::vector<std::string> class_names() const { return {"a", "b", "c", "d"}; }
  std::string torch_version() const { return "1.2.3"; }
  std::string backend_description() const { return "by hand"; }
  std::vector<std::string> backend_warnings() const { return {"slow"}; }
  Session begin_edits(const fl::Matrix<float>& s) const { return Session(*this, s); }
};

/// The same, which fails in its own way or in ours.
struct Throwing : fl::AnalyticGenerator {
  using fl::AnalyticGenerator::AnalyticGenerator;
  fl::ImageBatch synthesize(const fl::Matrix<float>&, const fl::SynthesisOptions& = {}) const {
    throw std::runtime_error("no paint");
  }
  fl::Matrix<float> styles(const fl::Matrix<float>& w) const {
    if (w(0, 0) == 100.0f) throw fl::Error(fl::ErrorCode::label_out_of_range, "Throwing", "ours");
    return fl::AnalyticGenerator::styles(w);
  }
};

/// Arrays of four types of its own, which are neither copied nor cut, as little as the generator itself.
struct Far : archetype::Generator {
  Far() : archetype::Generator(0) {}
  fl::Matrix<float> style_matrix() const { return archetype::Generator::known.style_matrix(); }
  fl::Matrix<float> style_bias() const { return archetype::Generator::known.style_bias(); }
};
static_assert(fl::AffineStyles<Far> && !std::move_constructible<Far>);

static_assert(fl::AffineStyles<fl::AnyGenerator>);
static_assert(fl::DifferentiableGenerator<fl::AnyGenerator>);
static_assert(fl::EditsStyles<fl::AnyGenerator>);
static_assert(fl::StatesCost<fl::AnyGenerator>);
static_assert(std::copyable<fl::AnyGenerator>);

/// Answers wrongly where factor 0 is high; probabilities have a gradient.
auto classifier() {
  return fl::make_classifier(
      [](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 4);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto reading = known.read(images, i);
          const float excess = reading.factors[0] - 1.0f;
          const std::int64_t said = excess > 0.0f ? (reading.label + 1) % 4 : reading.label;
          for (std::int64_t k = 0; k < 4; ++k) scores(i, k) = k == said ? 3.0f * std::abs(excess) : 0.0f;
        }
      },
      [](fl::ImageView images, std::span<const std::int64_t>, fl::ImageBatch& gradient) {
        for (std::int64_t i = 0; i < images.count(); ++i)
          for (std::size_t p = 0; p < gradient.image(i).size(); ++p)
            gradient.image(i)[p] = images.image(i)[p] * static_cast<float>(p % 7);
      },
      {.classes = 4, .scores = fl::Scores::logits, .name = "rule"});
}

fl::CharacterizeOptions quick(std::optional<std::int64_t> cutoff = std::nullopt) {
  fl::CharacterizeOptions options{.samples = 600, .seed = 3};
  options.truncation = cutoff ? 0.8 : 1.0;
  options.cutoff = cutoff;
  options.method.permutations = 199;
  options.method.half_samples = 2;
  options.method.fraction_latents = 128;
  return options;
}

template <class G>
fl::FailureReport report_of(const G& generator, std::optional<std::int64_t> cutoff = std::nullopt) {
  auto judged = classifier();
  return fl::characterize(generator, judged, quick(cutoff));
}

std::vector<float> values(const fl::Matrix<float>& m) { return {m.values().begin(), m.values().end()}; }
std::vector<float> values(const fl::ImageBatch& b) { return {b.data(), b.data() + b.count() * b.shape().elements()}; }

/// Latents, styles and images of samples, on the host.
template <class G>
std::vector<std::vector<float>> samples_of(const G& generator, const fl::SamplerOptions& options) {
  const fl::StyleSpaceSampler<G> sampler(generator, options);
  std::vector<std::vector<float>> all;
  for (const auto& batch : sampler.batches(5, 21)) {
    all.push_back(values(generator.latent_to_host(batch.z)));
    all.push_back(values(generator.latent_to_host(batch.w)));
    all.push_back(values(generator.style_to_host(batch.s)));
    all.push_back(values(generator.image_to_host(batch.images)));
  }
  return all;
}

template <class Call>
fl::ErrorCode code_of(const Call& call) {
  try {
    call();
  } catch (const fl::Error& error) {
    return error.code();
  }
  return static_cast<fl::ErrorCode>(0);
}

}  // namespace

TEST_CASE("a characterisation through AnyGenerator gives the report of the generator itself") {
  const fl::FailureReport expected = report_of(known);
  CHECK(expected.findings.size() == 1);
  CHECK(expected.cost.gradient_images > 0);
  const fl::AnyGenerator owned(known), borrowed = fl::AnyGenerator::borrow(known);
  const std::string text = fl::to_json(expected);
  CHECK(fl::to_json(report_of(owned)) == text);
  CHECK(fl::to_json(report_of(borrowed)) == text);
  CHECK(fl::to_json(report_of(owned, 2)) == fl::to_json(report_of(known, 2)));
}

TEST_CASE("what the wrapped generator lacks is lacking in the report, and what it states is stated") {
  const Flat flat(known.options());
  const fl::AnyGenerator any(flat);
  CHECK_FALSE(any.is_differentiable());
  CHECK(fl::AnyGenerator(known).is_differentiable());
  const fl::FailureReport report = report_of(any);
  CHECK(report.cost.gradient_images == 0);
  CHECK(fl::to_json(report) == fl::to_json(report_of(flat)));
  CHECK(code_of([&] {
          (void)any.pullback(any.style_from_host(fl::Matrix<float>(1, 64)), fl::ImageBatch(1, any.image_shape()));
        }) == fl::ErrorCode::invalid_argument);

  const fl::AnyGenerator plain(known), talkative(Talkative(known.options()));
  CHECK(plain.cost() == fl::GeneratorCost{});
  CHECK(plain.class_names().empty());
  CHECK(plain.torch_version().empty());
  CHECK(plain.backend_description().empty());
  CHECK(plain.backend_warnings().empty());
  CHECK(talkative.cost() == fl::GeneratorCost{.mapping_macs = 3, .styles_macs = 5, .synthesis_macs = 7});
  const fl::FailureReport told = report_of(talkative);
  CHECK(told.class_names == std::vector<std::string>{"a", "b", "c", "d"});
  CHECK(told.provenance.torch_version == "1.2.3");
  CHECK(told.provenance.backend == "by hand");
  CHECK(std::count(told.warnings.begin(), told.warnings.end(), "slow") == 1);
  CHECK(told.cost.generator_macs > 0);
}

TEST_CASE("sizes, digest, matrix and gradients are those of the wrapped generator") {
  const fl::AnyGenerator any(known);
  CHECK(any.latent_dim() == known.latent_dim());
  CHECK(any.w_dim() == known.w_dim());
  CHECK(any.num_classes() == 4);
  CHECK(any.image_shape() == known.image_shape());
  CHECK(any.value_range().upper == known.value_range().upper);
  CHECK(any.layout().layers() == known.layout().layers());
  CHECK(any.digest() == known.digest());
  CHECK(values(any.style_matrix()) == values(known.style_matrix()));
  CHECK(values(any.style_bias()) == values(known.style_bias()));
  fl::Matrix<float> s(2, 64, 0.3f);
  fl::ImageBatch gradient(2, known.image_shape());
  std::fill_n(gradient.data(), gradient.count() * gradient.shape().elements(), 0.5f);
  CHECK(values(any.pullback(any.style_from_host(s), gradient)) == values(known.pullback(s, gradient)));
}

TEST_CASE("samples are the same bits, padded where the wrapped generator's are") {
  for (const fl::SamplerOptions& options :
       {fl::SamplerOptions{.seed = 4, .batch_size = 8},
        fl::SamplerOptions{.seed = 4, .truncation = 0.5, .batch_size = 8},
        fl::SamplerOptions{.seed = 4, .truncation = 0.5, .cutoff = 2, .batch_size = 8}})
    CHECK(samples_of(fl::AnyGenerator(known), options) == samples_of(known, options));
  const fl::AnyGenerator padded(known), apart(Apart(known.options()));
  CHECK(padded.pads_batches());
  CHECK_FALSE(apart.pads_batches());
  CHECK(fl::StyleSpaceSampler<fl::AnyGenerator>(padded, {.batch_size = 8}).computed_rows(3) == 8);
  CHECK(fl::StyleSpaceSampler<fl::AnyGenerator>(apart, {.batch_size = 8}).computed_rows(3) == 3);
  CHECK(fl::AnyGenerator(apart).digest() == known.digest());  // a copy shares the generator
}

TEST_CASE("edits go through the wrapped generator's session, or one synthesis each") {
  fl::Matrix<float> s(2, 64, 0.3f);
  const std::vector<fl::StyleEdit> edits{{0, 5, 2.0f}, {1, 20, -1.0f}, {0, known.factor_channel(0), 1.5f}};
  auto expected = fl::begin_edits(known, s);
  const fl::ImageBatch images = expected.images(edits);
  {
    std::optional<fl::AnyGenerator> any(fl::AnyGenerator{known});
    fl::AnyEdits session = fl::begin_edits(*any, any->style_from_host(s));
    const auto made = any->image_to_host(session.images(edits));
    CHECK(values(made) == values(images));
    CHECK(session.cost().images == 3);
    CHECK(session.passes_of(5) == 1.0);
    any.reset();  // the session keeps what it needs
    (void)session.images(edits);
    CHECK(session.cost().calls == 2);
  }
  const fl::AnyGenerator talkative(Talkative(known.options()));
  fl::AnyEdits session = talkative.begin_edits(talkative.style_from_host(s));
  CHECK(session.passes_of(5) == 0.25);
  CHECK(values(talkative.image_to_host(session.images(edits))) == values(images));
}

TEST_CASE("what the wrapped generator throws passes") {
  const fl::AnyGenerator any(Throwing(known.options()));
  const auto w = any.latent_from_host(fl::Matrix<float>(1, any.w_dim(), 100.0f));
  CHECK(code_of([&] { (void)any.styles(w); }) == fl::ErrorCode::label_out_of_range);
  CHECK_THROWS_AS(any.synthesize(any.style_from_host(fl::Matrix<float>(1, 64))), std::runtime_error);
  CHECK(code_of([&] { (void)report_of(any); }) == fl::ErrorCode::generator_threw);
  const fl::AnyGenerator fine(known);
  CHECK(code_of([&] { (void)fine.styles(fine.latent_from_host(fl::Matrix<float>(1, 3))); }) ==
        fl::ErrorCode::shape_mismatch);
  CHECK(code_of([&] {
          (void)fine.map(fine.latent_from_host(fl::Matrix<float>(1, fine.latent_dim())),
                         fine.label_from_host(std::vector<std::int64_t>{9}));
        }) == fl::ErrorCode::label_out_of_range);
}

TEST_CASE("arrays of another kind of generator are refused, and none has to be copied or cut") {
  const Far pinned;
  const fl::AnyGenerator any = fl::AnyGenerator::borrow(pinned), other(known);
  CHECK_FALSE(any.pads_batches());
  CHECK(samples_of(any, {.seed = 4, .batch_size = 8}) == samples_of(pinned, {.seed = 4, .batch_size = 8}));
  CHECK(code_of([&] { (void)other.styles(any.latent_from_host(fl::Matrix<float>(1, any.w_dim()))); }) ==
        fl::ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)other.styles({}); }) == fl::ErrorCode::shape_mismatch);
}
