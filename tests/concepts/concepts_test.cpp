// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Archetypes satisfy the concepts; a type that lacks one requirement does not. Most of this file is checked by
// compiling it.

#include <faultline/classify/any_classifier.hpp>
#include <faultline/classify/check_classifier.hpp>
#include <faultline/concepts/explain.hpp>
#include <faultline/classify/make_classifier.hpp>
#include <faultline/classify/scoring.hpp>
#include <faultline/sampling/analytic_generator.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <concepts/archetypes.hpp>
#include <support/catch2.hpp>

#include <string>
#include <vector>

namespace fl = faultline;

static_assert(fl::explain_classifier<archetype::Classifier>());
static_assert(fl::explain_style_generator<archetype::Generator>());
static_assert(fl::explain_failure_criterion<archetype::Criterion>());
static_assert(fl::explain_classifier<fl::AnyClassifier>());
static_assert(fl::explain_style_generator<const fl::AnalyticGenerator&>());
static_assert(!fl::HasInputSpec<archetype::Classifier> && !fl::HasName<archetype::Classifier> &&
              !fl::StatesThreadSafety<archetype::Classifier>);
static_assert(!fl::AffineStyles<archetype::Generator> && !fl::DifferentiableGenerator<archetype::Generator> &&
              !fl::DifferentiableClassifier<archetype::Classifier>);
static_assert(fl::AffineStyles<fl::AnalyticGenerator> && fl::DifferentiableGenerator<fl::AnalyticGenerator>);
static_assert(fl::FailureCriterion<fl::Misclassified> && fl::FailureCriterion<fl::TrueClassBelow> &&
              fl::FailureCriterion<fl::MarginBelow>);

// Near misses: one requirement removed or bent at a time.
namespace near_miss {
struct NoClassCount : archetype::Classifier {
  void num_classes() const;
};
struct NoScoreKind : archetype::Classifier {
  void score_kind() const;
};
struct MutableClassCount : archetype::Classifier {
  std::int64_t num_classes();
};
struct IntegerScoreKind : archetype::Classifier {
  int score_kind() const;
};
struct NoScore : archetype::Classifier {
  void score(fl::ImageView);
};
struct ScoresByValue : archetype::Classifier {
  fl::ScoreMatrix score(fl::ImageView) const;
};
static_assert(!fl::HasClassCount<NoClassCount> && !fl::Classifier<NoClassCount>);
static_assert(!fl::HasClassCount<MutableClassCount> && !fl::Classifier<MutableClassCount>);
static_assert(!fl::DeclaresScores<NoScoreKind> && !fl::Classifier<NoScoreKind>);
static_assert(!fl::DeclaresScores<IntegerScoreKind> && !fl::Classifier<IntegerScoreKind>);
static_assert(!fl::ScoresImages<NoScore> && !fl::Classifier<NoScore>);
static_assert(!fl::ScoresImages<ScoresByValue> && !fl::Classifier<ScoresByValue>);

struct NoLatentDim : archetype::Generator {
  void latent_dim() const;
};
struct NoWDim : archetype::Generator {
  void w_dim() const;
};
struct NoNumClasses : archetype::Generator {
  void num_classes() const;
};
struct NoImageShape : archetype::Generator {
  void image_shape() const;
};
struct NoValueRange : archetype::Generator {
  void value_range() const;
};
struct NoLayout : archetype::Generator {
  void layout() const;
};
struct NoDigest : archetype::Generator {
  void digest() const;
};
struct NoLatentType : archetype::Generator {
 private:
  using latent_type = int;
};
struct NoLabelType : archetype::Generator {
 private:
  using label_type = int;
};
struct NoLatentToHost : archetype::Generator {
  void latent_to_host() const;
};
struct NoStyleFromHost : archetype::Generator {
  void style_from_host() const;
};
struct NoImageToHost : archetype::Generator {
  void image_to_host() const;
};
struct NoMap : archetype::Generator {
  void map() const;
};
struct MapWithoutOptions : archetype::Generator {
  latent_type map(const latent_type&, const label_type&) const;
};
struct MapToStyles : archetype::Generator {
  style_type map(const latent_type&, const label_type&, const fl::MapOptions&) const;
};
struct MutableMap : archetype::Generator {
  latent_type map(const latent_type&, const label_type&, const fl::MapOptions&);
};
struct NoStyles : archetype::Generator {
  void styles() const;
};
struct NoSynthesize : archetype::Generator {
  void synthesize() const;
};
static_assert(!fl::HasGeneratorSizes<NoLatentDim> && !fl::StyleGenerator<NoLatentDim>);
static_assert(!fl::HasGeneratorSizes<NoWDim> && !fl::StyleGenerator<NoWDim>);
static_assert(!fl::HasGeneratorSizes<NoNumClasses> && !fl::StyleGenerator<NoNumClasses>);
static_assert(!fl::DescribesImages<NoImageShape> && !fl::StyleGenerator<NoImageShape>);
static_assert(!fl::DescribesImages<NoValueRange> && !fl::StyleGenerator<NoValueRange>);
static_assert(!fl::HasStyleLayout<NoLayout> && !fl::StyleGenerator<NoLayout>);
static_assert(!fl::HasDigest<NoDigest> && !fl::StyleGenerator<NoDigest>);
static_assert(!fl::MovesToHost<NoLatentType> && !fl::StyleGenerator<NoLatentType>);
static_assert(!fl::MovesToHost<NoLabelType> && !fl::StyleGenerator<NoLabelType>);
static_assert(!fl::MovesToHost<NoLatentToHost> && !fl::StyleGenerator<NoLatentToHost>);
static_assert(!fl::MovesToHost<NoStyleFromHost> && !fl::StyleGenerator<NoStyleFromHost>);
static_assert(!fl::MovesToHost<NoImageToHost> && !fl::StyleGenerator<NoImageToHost>);
static_assert(!fl::MapsLatents<NoMap> && !fl::StyleGenerator<NoMap>);
static_assert(!fl::MapsLatents<MapWithoutOptions> && !fl::StyleGenerator<MapWithoutOptions>);
static_assert(!fl::MapsLatents<MapToStyles> && !fl::StyleGenerator<MapToStyles>);
static_assert(!fl::MapsLatents<MutableMap> && !fl::StyleGenerator<MutableMap>);
static_assert(!fl::ComputesStyles<NoStyles> && !fl::StyleGenerator<NoStyles>);
static_assert(!fl::SynthesizesImages<NoSynthesize> && !fl::StyleGenerator<NoSynthesize>);

struct MutableCriterion {
  bool operator()(std::span<const float>, std::int64_t);
};
struct SilentCriterion {
  void operator()(std::span<const float>, std::int64_t) const;
};
struct WritingCriterion {
  bool operator()(std::span<float>, std::int64_t) const;
};
static_assert(!fl::FailureCriterion<MutableCriterion> && !fl::FailureCriterion<SilentCriterion> &&
              !fl::FailureCriterion<WritingCriterion>);
}  // namespace near_miss

// What make_classifier accepts.
struct Fills {
  void operator()(fl::ImageView, fl::ScoreMatrix&);
};
struct ReturnsText {
  std::string operator()(fl::ImageView);
};
struct TakesNothing {
  std::vector<float> operator()();
};
static_assert(fl::ScoreFunction<Fills> && fl::FillsScores<Fills> && !fl::ReturnsScores<Fills>);
static_assert(fl::ScoreFunction<std::vector<float> (*)(fl::ImageView)>);
static_assert(fl::ScoreFunction<std::vector<std::vector<double>> (*)(fl::ImageView)>);
static_assert(!fl::ScoreFunction<TakesNothing> && !fl::ScoreFunction<int>);
static_assert(!fl::ScoreFunction<std::vector<std::string> (*)(fl::ImageView)> &&
              !fl::ScoreFunction<void (*)(fl::ImageView)> && !fl::ScoreFunction<float (*)(fl::ImageView)>);

// Borrowed arguments must outlive the borrower.
static_assert(!std::is_constructible_v<fl::StyleSpaceSampler<fl::AnalyticGenerator>, fl::AnalyticGenerator>);
static_assert(std::is_constructible_v<fl::StyleSpaceSampler<fl::AnalyticGenerator>, const fl::AnalyticGenerator&>);
static_assert(!std::is_constructible_v<fl::classify::Scorer<fl::AnyClassifier>, fl::AnyClassifier, fl::ImageShape,
                                       fl::ValueRange, std::int64_t>);

TEST_CASE("archetypes pass through sampling, scoring and the law check") {
  const archetype::Generator generator(1);
  archetype::Classifier classifier(1);
  const fl::StyleSpaceSampler<archetype::Generator> sampler(generator, {.seed = 3, .batch_size = 8});
  fl::classify::Scorer<archetype::Classifier> scorer(classifier, generator.image_shape(), generator.value_range(),
                                                     generator.num_classes(), 8);
  std::int64_t seen = 0;
  for (const auto& batch : sampler.batches(0, 20)) {
    const fl::ImageBatch images = generator.image_to_host(batch.images);
    CHECK(scorer(images, batch.label).prediction.size() == batch.index.size());
    seen += batch.size();
  }
  CHECK(seen == 20);
  CHECK(scorer.batches() == 3);
  CHECK(fl::check_classifier(classifier, sampler.synthesize_edited(sampler.latents_w(0, 4))).lawful());
}

TEST_CASE("a generator without affine styles is truncated through its own map") {
  const archetype::Generator generator(1);
  const fl::StyleSpaceSampler<archetype::Generator> sampler(generator, {.seed = 3, .truncation = 0.5, .batch_size = 4});
  const auto batch = sampler.sample(0, 4);
  const auto truncated =
      generator.known.styles(generator.known.map(sampler.latents_z(0, 4), batch.label, {.truncation = 0.5}));
  for (std::int64_t k = 0; k < truncated.cols(); ++k)
    CHECK(generator.style_to_host(batch.s)(2, k) == Approx(truncated(2, k)).margin(1e-5));
}
