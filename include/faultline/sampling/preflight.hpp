// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The preflight: what must hold before any verdict about a classifier, checked once for gate, characterize and compare.

#include <faultline/classify/check_classifier.hpp>
#include <faultline/classify/scoring.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/resident_classifier.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace sampling {

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

/// Whether the criterion's answer changes with the label for any of the probabilities tried: equal ones, graded ones,
/// and each of a few classes at the top, from barely to certainly.
template <FailureCriterion F>
[[nodiscard]] bool reads_label(const std::string& where, const F& criterion, std::int64_t classes) {
  const auto k = static_cast<std::size_t>(std::max<std::int64_t>(classes, 2));
  const std::size_t few = std::min<std::size_t>(k, 64);
  std::vector<float> row(k, 1.0f / static_cast<float>(k));
  const auto differs = [&] {
    const bool first = judge_outcome(where, criterion, row, 0);
    for (std::size_t label = 1; label < few; ++label)
      if (judge_outcome(where, criterion, row, static_cast<std::int64_t>(label)) != first) return true;
    return false;
  };
  if (differs()) return true;
  for (std::size_t c = 0; c < k; ++c)
    row[c] = static_cast<float>(2.0 * static_cast<double>(c + 1) / static_cast<double>(k * (k + 1)));
  if (differs()) return true;
  for (const double peak : {0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0}) {
    for (std::size_t c = 0; c < few; ++c) {
      std::fill(row.begin(), row.end(), static_cast<float>((1.0 - peak) / static_cast<double>(k - 1)));
      row[c] = static_cast<float>(peak);
      if (differs()) return true;
    }
  }
  return false;
}

/// The sampler of the pilot sample: all classes in turn.
template <StyleGenerator G>
[[nodiscard]] StyleSpaceSampler<G> pilot_sampler(const StyleSpaceSampler<G>& sampler) {
  SamplerOptions options = sampler.options();
  std::vector<std::int64_t> all(static_cast<std::size_t>(sampler.classes()));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  options.labels = LabelPolicy::in_order(std::move(all));
  return StyleSpaceSampler<G>(sampler.generator(), options);
}

}  // namespace detail

/// The premises that need no image: labels are drawn rather than walked, and exist where the criterion reads them.
///
/// **Throws** invalid_argument for `LabelPolicy::in_order`; incompatible_models for an unconditional generator with a
/// criterion whose answer depends on the label; property_threw when the criterion throws.
template <StyleGenerator G, Classifier C, FailureCriterion F>
void check_premises(const std::string& where, const StyleSpaceSampler<G>& sampler, const C& classifier,
                    const F& criterion) {
  if (sampler.options().labels.kind == LabelPolicy::Kind::in_order)
    throw Error(
        ErrorCode::invalid_argument, where,
        "LabelPolicy::in_order walks through its list, so that a run which stops early would judge the beginning of "
        "the list instead of the whole; use LabelPolicy::given(list), which draws from it");
  if (sampler.generator().num_classes() > 0) return;
  if (detail::reads_label(where, criterion, classifier.num_classes()))
    throw Error(ErrorCode::incompatible_models, where,
                "the generator is unconditional, so its images have no label, but the criterion (" +
                    criterion_name(criterion) +
                    ") compares the answer with one; use a generator with classes, or a criterion that reads the "
                    "probabilities alone");
}

/// Draws the pilot sample.
///
/// **Throws** incompatible_models when the generator does not give the same images twice (to 1e-4 of its value range).
/// **Cost**: 2 · 16 images.
template <StyleGenerator G>
[[nodiscard]] PilotSample draw_pilot(const std::string& where, const StyleSpaceSampler<G>& sampler) {
  const StyleSpaceSampler<G> in_turn = detail::pilot_sampler(sampler);
  const G& generator = sampler.generator();
  const ValueRange range = generator.value_range();
  PilotSample pilot;
  pilot.seed = sampler.options().seed;
  pilot.images = ImageBatch(pilot_images, generator.image_shape());
  for (int round = 0; round < 2; ++round) {
    std::int64_t done = 0;
    for (const auto& batch : in_turn.batches(core::pilot_first, pilot_images)) {
      const ImageBatch images = generator.image_to_host(batch.images);
      const std::span<const float> made(images.data(),
                                        static_cast<std::size_t>(batch.size() * images.shape().elements()));
      const std::span<float> kept(pilot.images.image(done).data(), made.size());
      if (round == 0) {
        pilot.index.insert(pilot.index.end(), batch.index.begin(), batch.index.end());
        pilot.label.insert(pilot.label.end(), batch.label.begin(), batch.label.end());
        std::ranges::copy(made, kept.begin());
      } else if (!std::ranges::equal(made, kept, [&](float a, float b) {
                   return std::abs(static_cast<double>(a) - static_cast<double>(b)) <=
                          1e-4 * (range.upper - range.lower);
                 })) {
        throw Error(
            ErrorCode::incompatible_models, where,
            "the generator made different images of the same latents, so that no run could be repeated; is there "
            "dropout or unseeded noise in it?");
      }
      done += batch.size();
    }
  }
  return pilot;
}

/// The premises about one classifier: its answers have the declared form, it keeps the laws of its concept in batches
/// of the scorer's size, and what it says depends on the image. Bad answers name the sample.
///
/// **Throws** F2xx: what scoring throws; classifier_unlawful for a broken law, and for scores that are the same for all
/// images; not_logits for logits that are probabilities; incompatible_models for a classifier of one class.
/// **Cost**: 16 images in one request, and 8 calls of the scorer's batch size, which its counters do not include.
template <Classifier C>
void check_answers(const std::string& where, C& classifier, classify::Scorer<C>& scorer, const PilotSample& pilot) {
  const std::string name = "classifier \"" + name_of(classifier) + "\"";
  if (classifier.num_classes() < 2)
    throw Error(
        ErrorCode::incompatible_models, where,
        name +
            " knows a single class, so its answer can never be wrong; from one logit x per image return {0, x} and "
            "declare Scores::logits, from one probability p return {1 - p, p}, with .classes = 2");
  (void)scorer(pilot.images, pilot.label, {pilot.index, pilot.seed});
  const ImageBatch prepared = scorer.preparation()(pilot.images);
  const std::int64_t batch = scorer.batch_size(), count = prepared.count();
  require_lawful(classifier, prepared, {.probability_tolerance = scorer.probability_tolerance(), .batch_size = batch});

  // Raw ones, in calls of the size that the classifier is used with
  Matrix<float> scores(count, classifier.num_classes());
  for (std::int64_t first = 0; first < count; first += batch) {
    ImageBatch filled(batch, prepared.shape());
    for (std::int64_t p = 0; p < batch; ++p)
      std::ranges::copy(prepared.image(std::min(first + p, count - 1)), filled.image(p).begin());
    ScoreMatrix part;
    classify::call_user(
        where, [&] { classifier.score(filled.view(), part); }, [] { return std::string("the pilot sample"); });
    for (std::int64_t i = first; i < std::min(count, first + batch); ++i)
      std::ranges::copy(part.row_span(i - first), scores.row_span(i).begin());
  }

  if (classifier.score_kind() == Scores::logits) {
    // Of a softmax in seven bits
    const double rounding = std::min(0.1, std::max(0.02, static_cast<double>(scores.cols()) / 127.0));
    bool probabilities = true, certain = true;
    for (std::int64_t i = 0; i < count; ++i) {
      double sum = 0.0;
      for (const float score : scores.row_span(i)) {
        sum += static_cast<double>(score);
        probabilities = probabilities && score >= 0.0f && score <= 1.0f;
        certain = certain && (score == 0.0f || score == 1.0f);
      }
      probabilities = probabilities && std::abs(sum - 1.0) <= rounding;
    }
    if (probabilities && !certain)
      throw Error(ErrorCode::not_logits, where,
                  name + " declares logits, but the scores of all " + std::to_string(count) +
                      " images of the pilot sample lie in [0, 1] and sum to 1: they are probabilities already, and a "
                      "second softmax "
                      "would flatten them; declare Scores::probabilities");
  }

  bool same_images = true, same_scores = true;
  for (std::int64_t i = 1; i < count; ++i) {
    same_images = same_images && std::ranges::equal(prepared.image(i), prepared.image(0));
    same_scores = same_scores && std::ranges::equal(scores.row_span(i), scores.row_span(0));
  }
  if (same_scores && !same_images)
    throw Error(ErrorCode::classifier_unlawful, where,
                name + " gives exactly the same scores for all " + std::to_string(count) +
                    " images of the pilot sample, so nobody can tell whether it looks at them; are its weights loaded, "
                    "and are the images "
                    "in the range that its input needs? Where it returns its decision alone, let it return scores");
}

/// The same for a classifier that takes images where the generator left them: what it says there, it says twice, and
/// says of the images on the host too.
///
/// **Throws** classifier_unlawful, and what scoring throws. **Cost**: 16 images more, scored twice.
template <StyleGenerator G, Classifier C>
  requires ResidentClassifier<C, typename G::image_type>
void check_resident_answers(const std::string& where, const StyleSpaceSampler<G>& sampler, classify::Scorer<C>& scorer,
                            const PilotSample& pilot) {
  const StyleSpaceSampler<G> in_turn = detail::pilot_sampler(sampler);
  const LawOptions laws;
  const classify::ScoredImages host = scorer(pilot.images, pilot.label, {pilot.index, pilot.seed});
  std::int64_t done = 0;
  for (const auto& batch : in_turn.batches(core::pilot_first, pilot_images)) {
    const classify::SampleOrigin origin{batch.index, pilot.seed};
    const classify::ScoredImages once = scorer.resident(batch.images, batch.label, origin),
                                 again = scorer.resident(batch.images, batch.label, origin);
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      const double repeat =
          classify::largest_difference(once.probabilities.row_span(i), again.probabilities.row_span(i));
      const double elsewhere =
          classify::largest_difference(once.probabilities.row_span(i), host.probabilities.row_span(done + i));
      if (repeat > laws.repeat_tolerance)
        throw Error(
            ErrorCode::classifier_unlawful, where,
            "the same images in the device's memory get different scores each time (probabilities differ by up to " +
                core::range_text(repeat) + "): is dropout on, or the model in training mode?");
      if (elsewhere > 0.05)  // half precision on the device is no fault
        throw Error(ErrorCode::classifier_unlawful, where,
                    "score_resident and score disagree about the same image (probabilities differ by " +
                        core::range_text(elsewhere) + "): both must prepare images as input_spec() says");
    }
    done += batch.size();
  }
}

/// All of it for one classifier.
///
/// **Throws** what the parts throw. **Cost**: 2 · 16 images and about 10 classifier calls.
/// Example: `preflight("my gate", sampler, classifier, scorer, Misclassified{});`
template <StyleGenerator G, Classifier C, FailureCriterion F>
void preflight(const std::string& where, const StyleSpaceSampler<G>& sampler, C& classifier,
               classify::Scorer<C>& scorer, const F& criterion) {
  check_premises(where, sampler, classifier, criterion);
  const PilotSample pilot = draw_pilot(where, sampler);
  check_answers(where, classifier, scorer, pilot);
  if constexpr (ResidentClassifier<C, typename G::image_type>) check_resident_answers(where, sampler, scorer, pilot);
}

}  // namespace sampling
}  // namespace v1
}  // namespace faultline
