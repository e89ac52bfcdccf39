// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Failing samples made small: from an image that is answered rightly, the fewest style channels and the smallest shifts
// that make the answer wrong (delta debugging: Zeller and Hildebrandt 2002, in batches).

#include <faultline/analysis/problem/build_problem.hpp>
#include <faultline/analysis/problem/describe_run.hpp>
#include <faultline/classify/any_classifier.hpp>
#include <faultline/classify/any_criterion.hpp>
#include <faultline/classify/validate_scores.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/within_memory.hpp>
#include <faultline/sampling/sampler_options.hpp>
#include <faultline/sampling/style_space_sampler.hpp>
#include <faultline/testing/corpus_entry.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {

/// Which sample is made small, and how.
struct ShrinkOptions {
  std::int64_t seed = 0;                  ///< of the sampler
  std::int64_t index = core::gate_first;  ///< of a failing sample
  LabelPolicy labels = LabelPolicy::uniform();
  double truncation = 1.0;
  std::optional<std::int64_t> cutoff = std::nullopt;
  Noise noise = Noise::constant;  ///< or none
  /// A second, stronger classifier: every image on the way has to have its label by it
  std::optional<AnyClassifier> judge = std::nullopt;
  std::int64_t batch_size = 64;
  std::int64_t class_samples = 64;  ///< of the same class, whose successes say where the edit starts; at least 2
  std::int64_t max_images = 2'000;  ///< after which nothing more is left out; one round more at most
  double probability_tolerance = classify::default_probability_tolerance;
  std::string name = {};  ///< of the entry; empty: made of label, answer and what is edited, "3_as_8_1f3a9c20"
  std::string note = {};  ///< of the entry
};

/// Which samples are drawn, and how those that fail are made small.
struct CollectOptions {
  std::int64_t count = 8;            ///< failures wanted
  std::int64_t max_samples = 4'000;  ///< among which they are looked for
  std::int64_t seed = 0;
  LabelPolicy labels = LabelPolicy::uniform();
  double truncation = 1.0;
  std::optional<std::int64_t> cutoff = std::nullopt;
  Noise noise = Noise::constant;
  std::optional<AnyClassifier> judge = std::nullopt;
  std::int64_t batch_size = 64;
  std::int64_t class_samples = 64;
  std::int64_t max_images = 2'000;  ///< for each failure
  double probability_tolerance = classify::default_probability_tolerance;
  std::string note = {};
};

/// A failure made small.
struct ShrunkFailure {
  CorpusEntry entry;
  /// `[3, C, H, W]` in [0, 1]: where the edit starts, what fails, and the sample that it was made from
  ImageBatch images;
  std::int64_t images_made = 0;  ///< by the generator
  /// No channel can be left out without the answer becoming right (or the judge disagreeing): false where `max_images`
  /// ended the search
  bool minimal = false;
};

namespace detail {

/// What shrinking needs of generator, classifier and criterion, without their types.
struct ShrinkSource {
  analysis::AnySource any;
  CorpusEntry common;  ///< what all entries share
  /// w and label of a sample, `[1, w_dim]`
  std::function<std::pair<Matrix<float>, std::int64_t>(std::int64_t index)> latent;
  /// w of held-out samples of a class
  std::function<Matrix<float>(std::int64_t label, std::int64_t count)> class_latents;
};

/// Options that both entrances share, checked. **Throws** invalid_argument.
void check_shrinking(const std::string& who, Noise noise, std::int64_t class_samples, std::int64_t max_images);

[[nodiscard]] std::vector<ShrunkFailure> shrink_failures(const std::string& who, const ShrinkSource& source,
                                                         const ShrinkOptions& options,
                                                         const std::vector<std::int64_t>& samples);

/// Samples that fail and are valid, the first `count` of them.
[[nodiscard]] std::vector<std::int64_t> failing_samples(const ShrinkSource& source, std::int64_t count,
                                                        std::int64_t max_samples, std::int64_t batch_size);

template <StyleGenerator G, Classifier C>
[[nodiscard]] ShrinkSource make_shrink_source(const std::string& who, const G& generator, std::shared_ptr<C> classifier,
                                              const classify::AnyCriterion& criterion, const ShrinkOptions& options) {
  check_shrinking(who, options.noise, options.class_samples, options.max_images);
  const SamplerOptions sampling{.seed = options.seed,
                                .labels = options.labels,
                                .truncation = options.truncation,
                                .cutoff = options.cutoff,
                                .noise = options.noise,
                                .batch_size = options.batch_size};
  const auto sampler = std::make_shared<const StyleSpaceSampler<G>>(generator, sampling);
  ShrinkSource source;
  source.any = analysis::make_source(*sampler, classifier, criterion,
                                     {.properties = {},
                                      .judge = options.judge,
                                      .batch_size = options.batch_size,
                                      .probability_tolerance = options.probability_tolerance},
                                     who);
  const Provenance run = [&] {
    Provenance about = analysis::describe_sampling(*sampler, criterion, 1);
    analysis::describe_classifier(about, *classifier);
    return about;
  }();
  source.common.generator_digest = run.generator_digest;
  source.common.criterion = run.criterion;
  source.common.criterion_expression = run.criterion_expression;
  source.common.classifier_name = run.classifier_name;
  source.common.classifier_digest = run.classifier_digest;
  source.common.seed = options.seed;
  source.common.truncation = options.truncation;
  source.common.cutoff = options.cutoff;
  source.common.noise = options.noise;
  source.common.note = options.note;
  source.latent = [sampler](std::int64_t index) {
    return std::pair(sampler->latents_w(index, 1), sampler->labels(index, 1).front());
  };
  source.class_latents = [sampler](std::int64_t label, std::int64_t count) {
    SamplerOptions own = sampler->options();
    own.labels = LabelPolicy::fixed(label);
    return StyleSpaceSampler<G>(sampler->generator(), own).latents_w(core::shrinking_first, count);
  };
  source.any.preflight();
  return source;
}

}  // namespace detail

/// Makes one failing sample small.
///
/// The edit starts at the mean w of the successes among held-out samples of the class, or, where that is answered
/// wrongly, at the success next to the failing sample in w. Shifting every style channel to the failing sample's styles
/// fails by construction. Then channels are left out: first all but those that are shifted by the most standard
/// deviations, then one by one (in groups that get smaller, where there are more than 256 of them), always those first
/// without which the failure is clearest. Last, the shifts are made smaller together, to 1/64 beyond the amount where
/// the failure begins, so that rounding does not decide what a later build says. Whatever is left out, the image still
/// fails, and still has its label by the judge when there is one; without a judge it may lose it.
/// **Throws** invalid_argument for options out of range, random noise, and a sample that does not fail (or that the
/// judge gives another label); degenerate_statistics for a class of which no sample is answered rightly; not_converged
/// for a failure that comes and goes with the other images of its batch; what a preflight and the classifier throw.
/// **Randomness**: none but that of the samples: the same call gives the same entry. **Cost**: `class_samples` images
/// and, for a thousand style channels, usually 200 to 1 000 more; the preflight.
/// Example: `auto shrunk = shrink_failure(generator, mine, {.seed = 7, .index = fl::core::gate_first + 41});
/// write_corpus_entry("corpus", shrunk.entry, shrunk.images);`
template <StyleGenerator G, Classifier C, FailureCriterion F = Misclassified>
  requires AffineStyles<G>
[[nodiscard]] ShrunkFailure shrink_failure(const G& generator, C& classifier, const ShrinkOptions& options,
                                           const F& criterion = {}) {
  return faultline::core::within_memory("shrink_failure", [&] {
    const detail::ShrinkSource source =
        detail::make_shrink_source("shrink_failure", generator, classify::hold<typename G::image_type>(classifier),
                                   classify::AnyCriterion::borrow(criterion), options);
    return detail::shrink_failures("shrink_failure", source, options, {options.index}).front();
  });
}
template <StyleGenerator G, Classifier C, FailureCriterion F = Misclassified>
ShrunkFailure shrink_failure(const G&& generator, C& classifier, const ShrinkOptions& options,
                             const F& criterion = {}) = delete;

/// Draws the samples of a gate (indices from 2^43), takes the first that fail on valid images, and makes each small;
/// fewer than `count` where `max_samples` do not hold that many, and none where none fails.
///
/// **Throws** and works as `shrink_failure`. **Cost**: the samples until enough have failed, then that of
/// `shrink_failure` for each, where the samples of a class are judged once.
/// Example: `for (const auto& shrunk : collect_failures(generator, mine, {.count = 8, .seed = 7}))
/// write_corpus_entry("corpus", shrunk.entry, shrunk.images);`
template <StyleGenerator G, Classifier C, FailureCriterion F = Misclassified>
  requires AffineStyles<G>
[[nodiscard]] std::vector<ShrunkFailure> collect_failures(const G& generator, C& classifier,
                                                          const CollectOptions& options, const F& criterion = {}) {
  faultline::core::require_in("collect_failures", "count", options.count, 1, limits::latents);
  faultline::core::require_in("collect_failures", "max_samples", options.max_samples, 1, limits::samples);
  const ShrinkOptions each{.seed = options.seed,
                           .labels = options.labels,
                           .truncation = options.truncation,
                           .cutoff = options.cutoff,
                           .noise = options.noise,
                           .judge = options.judge,
                           .batch_size = options.batch_size,
                           .class_samples = options.class_samples,
                           .max_images = options.max_images,
                           .probability_tolerance = options.probability_tolerance,
                           .note = options.note};
  return faultline::core::within_memory("collect_failures", [&] {
    const detail::ShrinkSource source =
        detail::make_shrink_source("collect_failures", generator, classify::hold<typename G::image_type>(classifier),
                                   classify::AnyCriterion::borrow(criterion), each);
    return detail::shrink_failures(
        "collect_failures", source, each,
        detail::failing_samples(source, options.count, options.max_samples, options.batch_size));
  });
}
template <StyleGenerator G, Classifier C, FailureCriterion F = Misclassified>
std::vector<ShrunkFailure> collect_failures(const G&& generator, C& classifier, const CollectOptions& options,
                                            const F& criterion = {}) = delete;

}  // namespace testing
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/testing/detail/shrink_failure_impl.hpp>
#endif
