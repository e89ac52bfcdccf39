// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a Problem and a ComparisonProblem need of their generator, whoever classifies its images: making and counting
// them, properties, outcomes, the judge.

#include <faultline/analysis/problem/options.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/classify/any_classifier.hpp>
#include <faultline/classify/score_request.hpp>
#include <faultline/classify/scoring.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/generator_cost.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/sampling/preflight.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// A batch of images where the generator left it; on the host once somebody asks.
template <StyleGenerator G>
class GeneratedImages {
 public:
  using image_type = typename G::image_type;
  GeneratedImages(const G& generator, const image_type& images)
      : generator_(std::addressof(generator)), images_(std::addressof(images)) {}

  /// Whether the images are still where the generator left them; one taken out of its batch is on the host alone.
  [[nodiscard]] bool has_resident() const noexcept { return images_ != nullptr; }
  [[nodiscard]] const image_type& resident() const noexcept { return *images_; }
  /// Image i by itself.
  [[nodiscard]] GeneratedImages alone(std::int64_t i) const {
    const auto image = host().image(i);
    ImageBatch one(1, host().shape());
    std::copy(image.begin(), image.end(), one.image(0).begin());
    return on_host(*generator_, std::move(one));
  }
  /// Images that are on the host already.
  [[nodiscard]] static GeneratedImages on_host(const G& generator, ImageBatch host) {
    GeneratedImages images(generator);
    images.host_.emplace(std::move(host));
    return images;
  }
  [[nodiscard]] const ImageBatch& host() const {
    if (!host_) host_.emplace(generator_->image_to_host(*images_));
    return *host_;
  }

 private:
  explicit GeneratedImages(const G& generator) : generator_(std::addressof(generator)) {}

  const G* generator_;
  const image_type* images_ = nullptr;
  mutable std::optional<ImageBatch> host_;
};

/// Scores images without moving them where the classifier says that it can.
template <StyleGenerator G, Classifier C>
[[nodiscard]] classify::ScoredImages score_generated(classify::Scorer<C>& scorer, const GeneratedImages<G>& images,
                                                     std::span<const std::int64_t> labels,
                                                     const classify::SampleOrigin& origin) {
  if constexpr (ResidentClassifier<C, typename G::image_type>) {
    if (images.has_resident()) return scorer.resident(images.resident(), labels, origin);
  }
  return scorer(images.host(), labels, origin);
}

/// Collects the images of several batches, so that a classifier that allows it scores them side by side.
class ImageChunk {
 public:
  ImageChunk(std::int64_t capacity, const ImageShape& shape) : images_(capacity, shape) {}
  [[nodiscard]] bool empty() const noexcept { return labels_.empty(); }
  void clear() noexcept {
    labels_.clear();
    index_.clear();
  }
  /// Whether a batch of `count` more images has no room.
  [[nodiscard]] bool full(std::int64_t count) const noexcept {
    return static_cast<std::int64_t>(labels_.size()) + count > images_.count();
  }
  void add(ImageView images, std::span<const std::int64_t> labels, std::span<const std::int64_t> index) {
    std::copy_n(images.data(), images.count() * images.shape().elements(),
                images_.image(static_cast<std::int64_t>(labels_.size())).data());
    labels_.insert(labels_.end(), labels.begin(), labels.end());
    index_.insert(index_.end(), index.begin(), index.end());
  }
  /// What was added: images, labels and sample indices. The chunk is empty after it.
  [[nodiscard]] std::tuple<ImageBatch, std::vector<std::int64_t>, std::vector<std::int64_t>> take() {
    ImageBatch images(static_cast<std::int64_t>(labels_.size()), images_.shape());
    std::copy_n(images_.data(), images.count() * images.shape().elements(), images.data());
    return {std::move(images), std::exchange(labels_, {}), std::exchange(index_, {})};
  }

 private:
  ImageBatch images_;
  std::vector<std::int64_t> labels_;
  std::vector<std::int64_t> index_;
};

/// Base of the sources. The generator is borrowed; everything else is owned. `who` names the caller in errors.
template <StyleGenerator G, FailureCriterion F>
class ImageSource {
 public:
  ImageSource(const ImageSource&) = delete;
  ImageSource& operator=(const ImageSource&) = delete;

  /// Everything of a problem but its populations and callbacks.
  void describe(Problem& problem) const {
    problem.layout = generator().layout();
    problem.classes = sampler_.classes();
    problem.style_matrix = sampler_.style_matrix();
    problem.style_bias = sampler_.style_bias();
    for (const Property& property : properties_) {
      problem.property_names.push_back(property.name);
      problem.property_units.push_back(property.unit);
      problem.property_candidates.push_back(property.candidate ? 1 : 0);
      problem.property_specific.push_back(property.specific ? 1 : 0);
    }
    problem.has_judge = judge_.has_value();
    problem.seed = sampler_.options().seed;
  }

 protected:
  ImageSource(std::string who, const StyleSpaceSampler<G>& sampler, F criterion, const MethodOptions& method)
      : sampler_(sampler),
        progress_(method.progress),
        who_(std::move(who)),
        criterion_(std::move(criterion)),
        properties_(applicable_properties(method.properties, sampler.generator().image_shape())),
        judge_model_(method.judge),
        call_cost_(cost_of(sampler.generator())),
        unit_(shape(), range(), InputSpec{}) {
    if (judge_model_)
      judge_.emplace(*judge_model_, shape(), range(), sampler_.classes(), method.batch_size,
                     method.probability_tolerance);
  }
  ~ImageSource() = default;

  [[nodiscard]] const G& generator() const noexcept { return sampler_.generator(); }
  [[nodiscard]] ImageShape shape() const { return generator().image_shape(); }
  [[nodiscard]] ValueRange range() const { return generator().value_range(); }

  /// What a generator call is made for, which decides its work: samples start at z, edited images at w; a gradient
  /// costs a pass forward for the image, one more and one back for the pull.
  enum class Work { sample, edit, gradient };

  /// Counts one batch of `count` images; its work is that of all rows, padding too.
  void count_images(std::int64_t count, Work work) noexcept {
    const std::int64_t rows = work == Work::gradient ? count : sampler_.computed_rows(count);
    const std::int64_t passes = work == Work::gradient ? 3 : 1;
    cost_.generator_images += count;
    ++cost_.generator_batches;
    cost_.generator_macs += rows * ((work == Work::sample ? call_cost_.mapping_macs : 0) + call_cost_.styles_macs +
                                    passes * call_cost_.synthesis_macs);
    cost_.generator_bytes += rows * passes * call_cost_.synthesis_bytes;
    cost_.generator_launches += passes * call_cost_.launches;
  }

  /// Counts of the generator, the properties and the judge.
  [[nodiscard]] CostCounters shared_cost() const {
    CostCounters cost = cost_;
    if (judge_) cost.judge_images = judge_->images();
    return cost;
  }

  /// These classifiers and the judge, as far as their scores are made elsewhere.
  [[nodiscard]] std::vector<DeferredScores*> deferred_of(std::vector<DeferredScores*> classifiers) const {
    if (judge_model_) classifiers.push_back(judge_model_->deferred_scores());
    std::erase(classifiers, nullptr);
    return classifiers;
  }

  /// The preflight of the judge, and of whom `others(check)` calls check(model, scorer) on.
  template <class Others>
  void preflight_with(const Others& others) {
    others([&](auto& model, auto&) { sampling::check_premises(who_, sampler_, model, criterion_); });
    const sampling::PilotSample pilot = sampling::draw_pilot(who_, sampler_);
    count_pilot(2);
    const auto check = [&](auto& model, auto& scorer) { sampling::check_answers(who_, model, scorer, pilot); };
    others(check);
    if (judge_) check(*judge_model_, *judge_);
    others([&]<class M, class S>(M&, S& scorer) {
      if constexpr (ResidentClassifier<M, typename G::image_type>)
        sampling::check_resident_answers(who_, sampler_, scorer, pilot), count_pilot(1);
    });
  }

  /// Counts the images of pilot samples.
  void count_pilot(int samples) {
    for (int k = 0; k < samples; ++k)
      for (std::int64_t first = 0; first < sampling::pilot_images; first += sampler_.options().batch_size)
        count_images(std::min(sampler_.options().batch_size, sampling::pilot_images - first), Work::sample);
  }

  [[nodiscard]] static Matrix<float> rows_of(const Matrix<float>& matrix, std::int64_t first, std::int64_t count) {
    Matrix<float> part(count, matrix.cols());
    std::copy_n(matrix.row_span(first).data(), count * matrix.cols(), part.data());
    return part;
  }

  /// Makes edited images batch by batch (one generator call at a time bounds the memory), fills what does not depend on
  /// a classifier into `answers`, and hands each batch with its labels to `score(images, labels)`.
  template <class Score>
  void make_edited(std::span<const EditedLatent> edits, const WantedAnswers& wanted, EditAnswers& answers,
                   const Score& score) {
    forget_gathered();
    const auto rows = static_cast<std::int64_t>(edits.size());
    if (wanted.properties) answers.properties.resize(rows, static_cast<std::int64_t>(properties_.size()));
    if (wanted.images) answers.images = ImageBatch(rows, shape());
    const bool judging = wanted.judge && judge_;
    const auto score_any = [&](const GeneratedImages<G>& images, std::span<const std::int64_t> labels,
                               std::span<const std::int64_t>) {
      score(images, labels);
      if (judging) ask_judge(images, labels, answers.judge_agrees);
    };
    const std::int64_t batch = sampler_.options().batch_size;
    for (std::int64_t first = 0; first < rows; first += batch) {
      const std::int64_t count = std::min(batch, rows - first);
      const EditBatch part = lay_out(edits.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
      const std::span<const std::int64_t> labels = part.label;
      const auto made = sampler_.edited_images(part.w, part.channels, part.shifts.values(), wanted.noise_first);
      const GeneratedImages<G> images(generator(), made);
      count_images(count, Work::edit);
      if (wanted.alone) {
        for (std::int64_t i = 0; i < count; ++i) score(images.alone(i), labels.subspan(static_cast<std::size_t>(i), 1));
        if (judging) ask_judge(images, labels, answers.judge_agrees);
      } else {
        gather(images, labels, {}, score_any);
      }
      if (wanted.properties) measure(images, count, answers.properties, first);
      for (std::int64_t i = 0; i < count; ++i) {
        if (wanted.images) unit_.to_unit(images.host().view().image(i), answers.images.image(first + i), i);
      }
    }
    finish(score_any);
  }

  /// What a call that threw may have left of its images.
  void forget_gathered() {
    if (chunk_) chunk_->clear();
  }

  /// From now on several batches are scored in one request, the same number on every machine: enough that nobody waits
  /// long for the slowest.
  void score_together() { chunk_.emplace(8 * sampler_.options().batch_size, shape()); }

  /// Appends what a classifier answered to a batch of edits.
  void append(ClassifierAnswers& result, const classify::ScoredImages& scored,
              std::span<const std::int64_t> labels) const {
    result.prediction.insert(result.prediction.end(), scored.prediction.begin(), scored.prediction.end());
    result.probability.insert(result.probability.end(), scored.probability.begin(), scored.probability.end());
    result.log_odds.insert(result.log_odds.end(), scored.log_odds.begin(), scored.log_odds.end());
    append_outcomes(result.failed, scored, labels);
  }

  /// Appends what a classifier answered to a batch of samples.
  void append(Population& population, const classify::ScoredImages& scored,
              std::span<const std::int64_t> labels) const {
    population.prediction.insert(population.prediction.end(), scored.prediction.begin(), scored.prediction.end());
    population.probability.insert(population.probability.end(), scored.probability.begin(), scored.probability.end());
    population.margin.insert(population.margin.end(), scored.margin.begin(), scored.margin.end());
    append_outcomes(population.failed, scored, labels);
  }

  /// Draws samples into `population` (w, index, label, properties, validity) and hands them on to `score(images,
  /// labels, index)`, batch by batch or several batches at once; `stage` names them to the progress callback, if there
  /// is one.
  template <class Score>
  void draw(std::int64_t first, std::int64_t count, const std::string& stage, Population& population,
            const Score& score) {
    forget_gathered();
    population.w.resize(count, generator().w_dim());
    population.properties.resize(count, static_cast<std::int64_t>(properties_.size()));
    const auto score_and_judge = [&](const GeneratedImages<G>& images, std::span<const std::int64_t> labels,
                                     std::span<const std::int64_t> index) {
      score(images, labels, index);
      if (judge_) ask_judge(images, labels, population.valid);
    };
    std::int64_t done = 0;
    for (const auto& batch : sampler_.batches(first, count)) {
      const Matrix<float> w = generator().latent_to_host(batch.w);
      const GeneratedImages<G> images(generator(), batch.images);
      count_images(batch.size(), Work::sample);
      std::copy_n(w.data(), batch.size() * w.cols(), population.w.row_span(done).data());
      population.index.insert(population.index.end(), batch.index.begin(), batch.index.end());
      population.label.insert(population.label.end(), batch.label.begin(), batch.label.end());
      gather(images, batch.label, batch.index, score_and_judge);
      measure(images, batch.size(), population.properties, done);
      done += batch.size();
      if (!stage.empty()) report_progress(progress_, stage, done, count);
    }
    finish(score_and_judge);
  }

  // a copy, which borrows the generator: the caller's sampler may be a temporary of characterize
  StyleSpaceSampler<G> sampler_;
  ProgressCallback progress_;
  CostCounters cost_;

 private:
  /// Hands images on to `score`, at once or with those of other batches.
  template <class Score>
  void gather(const GeneratedImages<G>& images, std::span<const std::int64_t> labels,
              std::span<const std::int64_t> index, const Score& score) {
    if (!chunk_) return score(images, labels, index);
    if (chunk_->full(static_cast<std::int64_t>(labels.size()))) finish(score);
    chunk_->add(images.host().view().slice(0, static_cast<std::int64_t>(labels.size())), labels, index);
  }
  /// Hands on what was gathered and not yet scored.
  template <class Score>
  void finish(const Score& score) {
    if (!chunk_ || chunk_->empty()) return;
    auto [images, labels, index] = chunk_->take();
    score(GeneratedImages<G>::on_host(generator(), std::move(images)), std::span<const std::int64_t>(labels),
          std::span<const std::int64_t>(index));
  }

  /// Appends whether the judge gives images their labels.
  void ask_judge(const GeneratedImages<G>& images, std::span<const std::int64_t> labels,
                 std::vector<std::uint8_t>& agrees) {
    const classify::ScoredImages judged = (*judge_)(images.host(), labels);
    for (std::size_t i = 0; i < labels.size(); ++i)
      agrees.push_back(Misclassified{}(judged.probabilities.row_span(static_cast<std::int64_t>(i)), labels[i]) ? 0 : 1);
  }

  void append_outcomes(std::vector<std::uint8_t>& failed, const classify::ScoredImages& scored,
                       std::span<const std::int64_t> labels) const {
    for (std::size_t i = 0; i < labels.size(); ++i)
      failed.push_back(
          judge_outcome(who_, criterion_, scored.probabilities.row_span(static_cast<std::int64_t>(i)), labels[i]) ? 1
                                                                                                                  : 0);
  }

  /// Properties of the first `count` images into rows first .. of `out`, in several threads when there is enough to do
  /// (properties are callable from several).
  void measure(const GeneratedImages<G>& generated, std::int64_t count, Matrix<float>& out, std::int64_t first) {
    if (properties_.empty()) return;
    const ImageBatch& images = generated.host();
    cost_.property_images += count;
    parallel_for_blocks(count, 4, 0, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> image(static_cast<std::size_t>(images.shape().elements()));
      for (std::int64_t i = begin; i < end; ++i) {
        unit_.to_unit(images.image(i), image, i);
        measure_one(image, images.shape(), out.row_span(first + i));
      }
    });
  }

  void measure_one(std::span<const float> image, const ImageShape& shape, std::span<float> out) const {
    for (std::size_t p = 0; p < properties_.size(); ++p) {
      double value = 0.0;
      try {
        value = properties_[p].measure(image, shape);
      } catch (...) {
        std::throw_with_nested(
            Error(ErrorCode::property_threw, who_, "the property \"" + properties_[p].name + "\" threw"));
      }
      out[p] = static_cast<float>(value);
      if (!std::isfinite(out[p]))
        throw Error(
            ErrorCode::property_threw, who_,
            "the property \"" + properties_[p].name + "\" is not finite for an image; return a number for every image");
    }
  }

  std::string who_;
  F criterion_;
  std::vector<Property> properties_;
  std::optional<AnyClassifier> judge_model_;
  std::optional<classify::Scorer<AnyClassifier>> judge_;
  GeneratorCost call_cost_;
  ImagePreparation unit_;
  std::optional<ImageChunk> chunk_;
};

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
