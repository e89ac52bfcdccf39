// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each archetype has what its concept asks for and no refinement besides; everything compiles and runs with them; the
// example generator keeps the laws of a generator and knows its truth.

#include <faultline/testing/archetypes.hpp>
#include <faultline/testing/example_generator.hpp>

#include <faultline/analysis/characterize.hpp>
#include <faultline/classify/check_classifier.hpp>
#include <faultline/classify/make_classifier.hpp>
#include <faultline/concepts/deferred_scores.hpp>
#include <faultline/concepts/explain.hpp>
#include <faultline/concepts/generator_cost.hpp>
#include <faultline/concepts/resident_classifier.hpp>
#include <faultline/sampling/any_generator.hpp>
#include <faultline/sampling/style_space_sampler.hpp>
#include <faultline/testing/baseline.hpp>
#include <faultline/testing/failure_corpus.hpp>
#include <faultline/testing/gate.hpp>
#include <faultline/testing/gate_suite.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

namespace fl = faultline;
using fl::testing::AffineGeneratorArchetype;
using fl::testing::ClassifierArchetype;
using fl::testing::CriterionArchetype;
using fl::testing::DifferentiableClassifierArchetype;
using fl::testing::DifferentiableGeneratorArchetype;
using fl::testing::EditableGeneratorArchetype;
using fl::testing::EditSessionArchetype;
using fl::testing::ExampleGenerator;
using fl::testing::GeneratorArchetype;

namespace {

// Which refinements a type has.
template <class C>
constexpr std::array classifier_refinements{fl::DifferentiableClassifier<C>,
                                            fl::HasInputSpec<C>,
                                            fl::StatesThreadSafety<C>,
                                            fl::StatesDigest<C>,
                                            fl::HasName<C>,
                                            fl::DefersScores<C>,
                                            fl::SaysDeviceResident<C>};
template <class G>
constexpr std::array generator_refinements{fl::AffineStyles<G>,
                                           fl::DifferentiableGenerator<G>,
                                           fl::BatchInvariantGenerator<G>,
                                           fl::EditsStyles<G>,
                                           fl::ShiftsStyles<G>,
                                           fl::StatesCost<G>};

static_assert(fl::explain_classifier<ClassifierArchetype>() &&
              fl::explain_classifier<DifferentiableClassifierArchetype>());
static_assert(classifier_refinements<ClassifierArchetype> == std::array<bool, 7>{});
static_assert(classifier_refinements<DifferentiableClassifierArchetype> == std::array<bool, 7>{true});
static_assert(fl::explain_failure_criterion<CriterionArchetype>());
static_assert(fl::explain_style_generator<GeneratorArchetype>() &&
              fl::explain_style_generator<AffineGeneratorArchetype>() &&
              fl::explain_style_generator<DifferentiableGeneratorArchetype>() &&
              fl::explain_style_generator<EditableGeneratorArchetype>());
static_assert(generator_refinements<GeneratorArchetype> == std::array<bool, 6>{});
static_assert(generator_refinements<AffineGeneratorArchetype> == std::array<bool, 6>{true});
static_assert(generator_refinements<DifferentiableGeneratorArchetype> == std::array<bool, 6>{false, true});
static_assert(generator_refinements<EditableGeneratorArchetype> ==
              std::array<bool, 6>{false, false, false, true, true});
static_assert(fl::EditSession<EditSessionArchetype, EditableGeneratorArchetype>);

template <class T>
constexpr bool pinned = !std::default_initializable<T> && !std::move_constructible<T> && !std::is_copy_assignable_v<T>;
static_assert(pinned<ClassifierArchetype> && pinned<DifferentiableClassifierArchetype> && pinned<CriterionArchetype> &&
              pinned<GeneratorArchetype> && pinned<AffineGeneratorArchetype> &&
              pinned<DifferentiableGeneratorArchetype> && pinned<EditableGeneratorArchetype> &&
              pinned<EditSessionArchetype>);
static_assert(!std::copy_constructible<GeneratorArchetype::image_type> &&
              !std::same_as<GeneratorArchetype::latent_type, GeneratorArchetype::style_type>);

static_assert(fl::explain_style_generator<ExampleGenerator>() && fl::AffineStyles<ExampleGenerator> &&
              fl::DifferentiableGenerator<ExampleGenerator> && fl::BatchInvariantGenerator<ExampleGenerator>);

// Wrong where the square is brighter than `limit` standard deviations.
auto blinded_beyond(float limit) {
  return fl::make_classifier(
      [limit](fl::ImageView images, fl::ScoreMatrix& scores) {
        const ExampleGenerator known;
        scores.resize(images.count(), 4);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto reading = known.read(images, i);
          scores(i, reading.label) = 2.0f;
          scores(i, (reading.label + 1) % 4) = 2.0f + reading.brightness - limit;
        }
      },
      {.classes = 4, .scores = fl::Scores::logits});
}

template <class Work>
fl::ErrorCode code_of(const Work& work) {
  try {
    work();
  } catch (const fl::Error& error) {
    return error.code();
  }
  return fl::ErrorCode{0};
}

// The laws of StyleGenerator and of its refinements, on a few rows.
template <fl::StyleGenerator G>
void check_laws(const G& generator) {
  constexpr std::int64_t rows = 6;
  fl::Matrix<float> z(rows, generator.latent_dim());
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < rows; ++i) {
    fl::core::fill_normals(3, fl::core::Stream::latents, i, z.row_span(i));
    labels.push_back(i % generator.num_classes());
  }
  const auto w_of = [&](const fl::Matrix<float>& latents, const std::vector<std::int64_t>& classes) {
    return generator.map(generator.latent_from_host(latents), generator.label_from_host(classes), fl::MapOptions{});
  };
  const auto w = w_of(z, labels);
  const auto s = generator.styles(w);
  const fl::ImageBatch images = generator.image_to_host(generator.synthesize(s, fl::SynthesisOptions{}));
  const fl::Matrix<float> host_w = generator.latent_to_host(w), host_s = generator.style_to_host(s);
  REQUIRE(host_w.cols() == generator.w_dim());
  REQUIRE(host_s.cols() == generator.layout().dimension());
  REQUIRE((images.count() == rows && images.shape() == generator.image_shape()));
  for (std::int64_t i = 0; i < rows; ++i) {  // deterministic, and row by row
    fl::Matrix<float> one(1, z.cols());
    std::ranges::copy(z.row_span(i), one.row_span(0).begin());
    const auto own = generator.styles(w_of(one, {labels[static_cast<std::size_t>(i)]}));
    const fl::ImageBatch alone = generator.image_to_host(generator.synthesize(own, fl::SynthesisOptions{}));
    CHECK(std::ranges::equal(alone.image(0), images.image(i)));
    CHECK(std::ranges::equal(generator.style_to_host(own).row_span(0), host_s.row_span(i)));
    for (const float value : images.image(i))
      CHECK((static_cast<double>(value) >= generator.value_range().lower &&
             static_cast<double>(value) <= generator.value_range().upper));
  }
  if constexpr (fl::AffineStyles<G>) {
    const fl::Matrix<float> a = generator.style_matrix(), b = generator.style_bias();
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t k = 0; k < host_s.cols(); ++k) {
        float sum = b(k, 0);
        for (std::int64_t j = 0; j < host_w.cols(); ++j) sum += a(k, j) * host_w(i, j);
        CHECK(host_s(i, k) == Approx(sum).margin(1e-6));
      }
  }
  if constexpr (fl::DifferentiableGenerator<G>) {  // of the sum of all pixels, weighted by their place
    fl::ImageBatch gradient(rows, generator.image_shape());
    const auto weight = [](std::size_t p) { return static_cast<float>(p % 5) - 1.5f; };
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::size_t p = 0; p < gradient.image(i).size(); ++p) gradient.image(i)[p] = weight(p);
    const fl::Matrix<float> slopes = generator.pullback(s, gradient);
    const auto weighted = [&](const fl::Matrix<float>& styles) {
      const fl::ImageBatch drawn =
          generator.image_to_host(generator.synthesize(generator.style_from_host(styles), fl::SynthesisOptions{}));
      std::vector<double> sums(rows, 0.0);
      for (std::int64_t i = 0; i < rows; ++i)
        for (std::size_t p = 0; p < drawn.image(i).size(); ++p)
          sums[static_cast<std::size_t>(i)] += static_cast<double>(weight(p) * drawn.image(i)[p]);
      return sums;
    };
    for (std::int64_t k = 0; k < host_s.cols(); ++k) {
      fl::Matrix<float> up = host_s, down = host_s;
      for (std::int64_t i = 0; i < rows; ++i) up(i, k) += 0.125f, down(i, k) -= 0.125f;
      const auto above = weighted(up), below = weighted(down);
      for (std::size_t i = 0; i < rows; ++i)
        CHECK(static_cast<double>(slopes(static_cast<std::int64_t>(i), k)) ==
              Approx((above[i] - below[i]) / 0.25).margin(1e-4));
    }
  }
}

}  // namespace

TEST_CASE("the example generator and the archetypes keep the laws of a generator") {
  check_laws(ExampleGenerator());
  check_laws(GeneratorArchetype(1));
  check_laws(AffineGeneratorArchetype(1));
  check_laws(DifferentiableGeneratorArchetype(1));
  check_laws(EditableGeneratorArchetype(1));
}

TEST_CASE("the example generator says what its images hold") {
  const ExampleGenerator known;
  const fl::StyleSpaceSampler<ExampleGenerator> sampler(known, {.seed = 3, .batch_size = 32});
  const auto batch = sampler.sample(0, 32);
  std::set<std::int64_t> labels;
  for (std::int64_t i = 0; i < 32; ++i) {
    const auto reading = known.read(batch.images, i);
    CHECK(reading.label == batch.label[static_cast<std::size_t>(i)]);
    CHECK(reading.brightness == Approx(batch.s(i, ExampleGenerator::brightness_channel)).margin(1e-4));
    CHECK(reading.background == Approx(batch.s(i, ExampleGenerator::background_channel)).margin(1e-4));
    labels.insert(reading.label);
  }
  CHECK(labels.size() == 4);
  CHECK(known.layout().locate(ExampleGenerator::background_channel).channel == 1);
  // Truncation keeps the class
  const fl::Matrix<float> z(4, 2, 1.0f);
  const auto half = known.map(z, {0, 1, 2, 3}, {.truncation = 0.5});
  for (std::int64_t i = 0; i < 4; ++i) {
    const auto reading = known.read(known.synthesize(known.styles(half)), i);
    CHECK(reading.label == i);
    CHECK(reading.brightness == Approx(0.5).margin(1e-5));
  }
}

TEST_CASE("the example generator refuses what does not fit") {
  const ExampleGenerator known;
  const fl::Matrix<float> z(2, 2), s(2, 6), wrong(2, 3);
  CHECK(code_of([&] { (void)known.map(wrong, {0, 1}); }) == fl::ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)known.map(z, {0}); }) == fl::ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)known.map(z, {0, 4}); }) == fl::ErrorCode::label_out_of_range);
  CHECK(code_of([&] { (void)known.map(z, {0, 1}, {.cutoff = 1}); }) == fl::ErrorCode::invalid_argument);
  CHECK(code_of([&] { (void)known.styles(wrong); }) == fl::ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)known.synthesize(wrong); }) == fl::ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)known.pullback(s, fl::ImageBatch(1, {1, 8, 8})); }) == fl::ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)known.read(fl::ImageBatch(1, {1, 4, 4}), 0); }) == fl::ErrorCode::shape_mismatch);
  CHECK(code_of([&] { (void)known.read(known.synthesize(s), 2); }) == fl::ErrorCode::invalid_argument);
}

TEST_CASE("classifier archetypes keep the laws, and their gradient is one") {
  const ExampleGenerator known;
  const fl::StyleSpaceSampler<ExampleGenerator> sampler(known, {.seed = 3, .batch_size = 8});
  const auto batch = sampler.sample(0, 8);
  ClassifierArchetype plain(1);
  DifferentiableClassifierArchetype smooth(1);
  CHECK(fl::check_classifier(plain, batch.images).lawful());
  CHECK(fl::check_classifier(smooth, batch.images).lawful());
  fl::ImageBatch gradient;
  smooth.probability_gradient(batch.images, batch.label, gradient);
  const auto probability = [&](const fl::ImageBatch& images, std::int64_t i) {
    fl::ScoreMatrix scores;
    smooth.score(images, scores);
    double sum = 0.0;
    const double own = static_cast<double>(scores(i, batch.label[static_cast<std::size_t>(i)]));
    for (std::int64_t k = 0; k < 4; ++k) sum += std::exp(static_cast<double>(scores(i, k)) - own);
    return 1.0 / sum;
  };
  for (const std::size_t p : {std::size_t{0}, std::size_t{7}, std::size_t{56}, std::size_t{63}, std::size_t{9}}) {
    fl::ImageBatch up = batch.images, down = batch.images;
    for (std::int64_t i = 0; i < 8; ++i) up.image(i)[p] += 1e-3f, down.image(i)[p] -= 1e-3f;
    for (std::int64_t i = 0; i < 8; ++i)
      CHECK(static_cast<double>(gradient.image(i)[p]) ==
            Approx((probability(up, i) - probability(down, i)) / 2e-3).margin(2e-3));
  }
}

TEST_CASE("edits of an archetype are those of whole syntheses") {
  const EditableGeneratorArchetype generator(1);
  const auto s = generator.style_from_host(fl::Matrix<float>(2, 6, 0.25f));
  auto session = fl::begin_edits(generator, s);
  static_assert(std::same_as<decltype(session), EditSessionArchetype>);
  const std::vector<fl::StyleEdit> edits{{.row = 1, .channel = 2, .shift = 1.0f},
                                         {.row = 0, .channel = 4, .shift = 2.0f}};
  const fl::ImageBatch images = generator.image_to_host(session.images(edits));
  CHECK(generator.known.read(images, 0).label == 2);
  CHECK(generator.known.read(images, 1).brightness == Approx(2.25).margin(1e-4));
  CHECK(session.cost().images == 2);
  const auto shifted = fl::shifted_styles(generator, s, std::array{std::int64_t{5}}, fl::Matrix<float>(1, 1, 3.0f));
  CHECK(generator.style_to_host(shifted)(0, 5) == 3.25f);
  CHECK(generator.style_to_host(s)(0, 5) == 0.25f);
}

TEST_CASE("every sampled gate runs with archetypes alone") {
  const GeneratorArchetype generator(1);
  ClassifierArchetype classifier(1);
  const CriterionArchetype criterion(1);
  CHECK(gate(generator, classifier, fl::testing::FailureRateBelow{.bound = 0.1, .seed = 7}, criterion).passed());
  CHECK(
      gate(generator, classifier, fl::testing::FailureRateBelowPerClass{.bound = 0.1, .seed = 7}, criterion).passed());
  const auto baseline = make_baseline(generator, classifier, {.samples = 600, .seed = 7, .properties = {}}, criterion);
  CHECK(baseline.failures == 0);
  CHECK(gate(generator, classifier,
             fl::testing::NotWorseThanBaseline{.baseline = baseline, .margin = 0.1, .properties = {}}, criterion)
            .passed());
  const auto suite = fl::testing::GateSuite(0.95)
                         .add("one", generator, classifier, {.bound = 0.1, .seed = 7})
                         .add("two", generator, classifier, {.bound = 0.2, .seed = 7})
                         .run();
  CHECK(suite.passed());
}

TEST_CASE("known failures are collected and asked for with archetypes alone") {
  const faultline_tests::TemporaryDirectory folder;
  const AffineGeneratorArchetype generator(1);
  auto blinded = blinded_beyond(1.0f);
  const auto found = fl::testing::collect_failures(generator, blinded, {.count = 2, .seed = 7});
  REQUIRE(found.size() == 2);
  for (const auto& shrunk : found) {
    CHECK(shrunk.minimal);
    CHECK(shrunk.entry.channels == std::vector<std::int64_t>{ExampleGenerator::brightness_channel});
    fl::testing::write_corpus_entry(folder.path(), shrunk.entry, shrunk.images);
  }
  ClassifierArchetype classifier(1);
  const CriterionArchetype criterion(1);
  const fl::testing::NoKnownFailureReturns policy{.folder = folder.path()};
  CHECK(gate(generator, classifier, policy, criterion).passed());
  CHECK(gate(generator, blinded, policy).failed());
}

TEST_CASE("the analysis runs with archetypes alone, and finds what was planted in the example generator") {
  const AffineGeneratorArchetype generator(1);
  ClassifierArchetype classifier(1);
  CHECK(fl::characterize(generator, classifier, {.samples = 300, .seed = 7}).findings.empty());

  auto blinded = blinded_beyond(1.0f);
  fl::CharacterizeOptions options{.samples = 1'500, .seed = 7};
  options.method.properties = {};  // of the styles alone
  const auto report = fl::characterize(generator.known, blinded, options);
  CHECK(report.verdict == fl::Verdict::systematic_causes);
  REQUIRE(!report.findings.empty());
  CHECK(report.findings.front().channel.flat == ExampleGenerator::brightness_channel);
}
