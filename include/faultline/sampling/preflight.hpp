// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The preflight: what must hold before any verdict about a classifier, checked once for gate, characterize and compare.

#include <faultline/concepts/check_classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/scoring.hpp>
#include <faultline/core/random.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

/// Images that a preflight looks at: of all classes in turn, with indices from 2^42 on, so that no verdict uses them.
struct PilotSample {
  std::vector<std::int64_t> index;
  std::vector<std::int64_t> label;
  ImageBatch images;  ///< [N, C, H, W], raw
  std::int64_t seed = 0;
};

/// Number of images in a pilot sample, and of batches that they are drawn in.
inline constexpr std::int64_t pilot_images = 16;

namespace detail {

/// Whether the criterion's answer changes with the label for any of the probabilities: certain ones of each class, equal
/// ones, and graded ones.
template <FailureCriterion F>
[[nodiscard]] bool reads_label(const std::string& where, const F& criterion, std::int64_t classes) {
  const auto k = static_cast<std::size_t>(std::max<std::int64_t>(classes, 2));
  std::vector<std::vector<float>> rows(1, std::vector<float>(k, 1.0f / static_cast<float>(k)));
  std::vector<float> graded(k);
  for (std::size_t c = 0; c < k; ++c) graded[c] = static_cast<float>(2.0 * static_cast<double>(c + 1) / static_cast<double>(k * (k + 1)));
  rows.push_back(graded);
  for (std::size_t c = 0; c < std::min<std::size_t>(k, 64); ++c) {
    rows.emplace_back(k, 0.0f);
    rows.back()[c] = 1.0f;
  }
  for (const std::vector<float>& row : rows) {
    const bool first = judge_outcome(where, criterion, row, 0);
    for (std::size_t label = 1; label < std::min<std::size_t>(k, 64); ++label)
      if (judge_outcome(where, criterion, row, static_cast<std::int64_t>(label)) != first) return true;
  }
  return false;
}

}  // namespace detail

/// The premises that need no image: labels are drawn rather than walked, and exist where the criterion reads them.
///
/// **Throws** invalid_argument for `LabelPolicy::in_order`; incompatible_models for an unconditional generator with a
/// criterion whose answer depends on the label; property_threw when the criterion throws.
template <StyleGenerator G, Classifier C, FailureCriterion F>
void check_premises(const std::string& where, const StyleSpaceSampler<G>& sampler, const C& classifier, const F& criterion) {
  if (sampler.options().labels.kind == LabelPolicy::Kind::in_order)
    throw Error(ErrorCode::invalid_argument, where,
                "LabelPolicy::in_order walks through its list, so that a run which stops early would judge the beginning of "
                "the list instead of the whole; use LabelPolicy::given(list), which draws from it");
  if (sampler.generator().num_classes() > 0) return;
  if (detail::reads_label(where, criterion, classifier.num_classes()))
    throw Error(ErrorCode::incompatible_models, where,
                "the generator is unconditional, so its images have no label, but the criterion (" + criterion_name(criterion) +
                    ") compares the answer with one; use a generator with classes, or a criterion that reads the probabilities alone");
}

/// Draws the pilot sample.
///
/// **Throws** incompatible_models when the generator does not give the same images twice. **Cost**: 2 · 16 images.
template <StyleGenerator G>
[[nodiscard]] PilotSample draw_pilot(const std::string& where, const StyleSpaceSampler<G>& sampler) {
  SamplerOptions options = sampler.options();
  std::vector<std::int64_t> all(static_cast<std::size_t>(sampler.classes()));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  options.labels = LabelPolicy::in_order(std::move(all));
  const StyleSpaceSampler<G> in_turn(sampler.generator(), options);
  PilotSample pilot;
  pilot.seed = options.seed;
  pilot.images = ImageBatch(pilot_images, sampler.generator().image_shape());
  for (int round = 0; round < 2; ++round) {
    std::int64_t done = 0;
    for (const auto& batch : in_turn.batches(pilot_first, pilot_images)) {
      const ImageBatch images = sampler.generator().image_to_host(batch.images);
      const auto size = static_cast<std::size_t>(batch.size() * images.shape().elements());
      if (round == 0) {
        pilot.index.insert(pilot.index.end(), batch.index.begin(), batch.index.end());
        pilot.label.insert(pilot.label.end(), batch.label.begin(), batch.label.end());
        std::copy_n(images.data(), size, pilot.images.image(done).data());
      } else if (std::memcmp(images.data(), pilot.images.image(done).data(), size * sizeof(float)) != 0) {
        throw Error(ErrorCode::incompatible_models, where,
                    "the generator made different images of the same latents, so that no run could be repeated; is there "
                    "dropout or unseeded noise in it?");
      }
      done += batch.size();
    }
  }
  return pilot;
}

/// The premises about one classifier: its answers have the declared form, it keeps the laws of its concept, and what it
/// says depends on the image. Bad answers name the sample.
///
/// **Throws** F2xx: what scoring throws; classifier_unlawful for a broken law, and for scores that are the same for images
/// of several classes; not_logits for logits that are probabilities; incompatible_models for a classifier of one class.
/// **Cost**: 16 images in one request, and what `check_classifier` needs for them.
template <Classifier C>
void check_answers(const std::string& where, C& classifier, Scorer<C>& scorer, const PilotSample& pilot) {
  const std::string name = "classifier \"" + name_of(classifier) + "\"";
  if (classifier.num_classes() < 2)
    throw Error(ErrorCode::incompatible_models, where,
                name + " knows a single class, so its answer can never be wrong; from one logit x per image return {0, x} and "
                       "declare Scores::logits, from one probability p return {1 - p, p}, with .classes = 2");
  const ScoredImages said = scorer(pilot.images, pilot.label, {pilot.index, pilot.seed});
  const ImageBatch prepared = scorer.preparation()(pilot.images);
  require_lawful(classifier, prepared, {.probability_tolerance = scorer.probability_tolerance()});

  if (classifier.score_kind() == Scores::logits) {
    ScoreMatrix scores;
    detail::call_user(where, [&] { classifier.score(prepared, scores); }, [] { return std::string("the pilot sample"); });
    bool probabilities = true, certain = true;
    for (std::int64_t i = 0; i < scores.rows(); ++i) {
      double sum = 0.0;
      for (std::int64_t k = 0; k < scores.cols(); ++k) {
        const auto value = static_cast<double>(scores(i, k));
        sum += value;
        probabilities = probabilities && value >= 0.0 && value <= 1.0;
        certain = certain && (value == 0.0 || value == 1.0);
      }
      probabilities = probabilities && std::abs(sum - 1.0) <= 1e-2;
    }
    if (probabilities && !certain)
      throw Error(ErrorCode::not_logits, where,
                  name + " declares logits, but the scores of all " + std::to_string(scores.rows()) +
                      " images of the pilot sample lie in [0, 1] and sum to 1: they are probabilities already, and a second softmax "
                      "would flatten them; declare Scores::probabilities");
  }

  const bool several = std::any_of(pilot.label.begin(), pilot.label.end(), [&](std::int64_t label) { return label != pilot.label.front(); });
  bool constant = several;
  for (std::int64_t i = 1; i < pilot.images.count() && constant; ++i)
    constant = std::ranges::equal(said.probabilities.row(i), said.probabilities.row(0));
  if (constant)
    throw Error(ErrorCode::classifier_unlawful, where,
                name + " gives the same scores for all " + std::to_string(pilot.images.count()) +
                    " images of the pilot sample, of different classes: it does not look at them; are its weights loaded, and are the "
                    "images in the range that its input needs?");
}

/// All of it for one classifier.
///
/// **Throws** what the three parts throw. **Cost**: 2 · 16 images and about 20 classifier calls.
/// Example: `preflight("my gate", sampler, classifier, scorer, Misclassified{});`
template <StyleGenerator G, Classifier C, FailureCriterion F>
void preflight(const std::string& where, const StyleSpaceSampler<G>& sampler, C& classifier, Scorer<C>& scorer, const F& criterion) {
  check_premises(where, sampler, classifier, criterion);
  check_answers(where, classifier, scorer, draw_pilot(where, sampler));
}

}  // namespace v1
}  // namespace faultline
