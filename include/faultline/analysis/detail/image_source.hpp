// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a Problem and a ComparisonProblem need of their generator, whoever classifies its images: making and counting them, properties, outcomes, the judge.

#include <faultline/analysis/options.hpp>
#include <faultline/analysis/problem.hpp>
#include <faultline/concepts/any_classifier.hpp>
#include <faultline/concepts/check_classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/scoring.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

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
      problem.property_candidates.push_back(property.candidate ? 1 : 0);
    }
    problem.has_judge = judge_.has_value();
    problem.seed = sampler_.options().seed;
  }

 protected:
  ImageSource(std::string who, const StyleSpaceSampler<G>& sampler, F criterion, const MethodOptions& method)
      : sampler_(sampler), progress_(method.progress), who_(std::move(who)), criterion_(std::move(criterion)), properties_(method.properties), judge_model_(method.judge), unit_(shape(), range(), InputSpec{}) {
    if (judge_model_) judge_.emplace(*judge_model_, shape(), range(), sampler_.classes(), method.batch_size);
  }
  ~ImageSource() = default;

  [[nodiscard]] const G& generator() const noexcept { return sampler_.generator(); }
  [[nodiscard]] ImageShape shape() const { return generator().image_shape(); }
  [[nodiscard]] ValueRange range() const { return generator().value_range(); }

  void count_images(std::int64_t count) noexcept {
    cost_.generator_images += count;
    ++cost_.generator_batches;
  }

  /// Counts of the generator, the properties and the judge.
  [[nodiscard]] CostCounters shared_cost() const {
    CostCounters cost = cost_;
    if (judge_) cost.judge_images = judge_->images();
    return cost;
  }

  /// Tries the judge, and whom `others(check)` calls check(model, scorer) on, on the first samples.
  template <class Others>
  void check_laws_with(const Others& others) {
    const auto batch = sampler_.sample(discovery_first, std::min<std::int64_t>(8, sampler_.options().batch_size));
    const ImageBatch images = generator().image_to_host(batch.images);
    count_images(batch.size());
    const auto check = [&](auto& model, auto& scorer) {  // bad answers name the sample, then come the laws of the concept
      (void)scorer(images, batch.label, {batch.index, sampler_.options().seed});
      require_lawful(model, scorer.preparation()(images));
    };
    others(check);
    if (judge_) check(*judge_model_, *judge_);
  }

  [[nodiscard]] static Matrix<float> rows_of(const Matrix<float>& matrix, std::int64_t first, std::int64_t count) {
    Matrix<float> part(count, matrix.cols());
    std::copy_n(matrix.row(first).data(), count * matrix.cols(), part.data());
    return part;
  }

  /// Makes the images of a request batch by batch (one generator call at a time bounds the memory), fills what does not depend on a classifier into `front`, and hands each batch with its labels to
  /// `score(images, labels)`.
  template <class Score>
  void make_edited(const EditRequest& request, EditResult& front, const Score& score) {
    const std::int64_t rows = request.w.rows();
    if (request.channel >= 0 && !request.channels.empty()) throw Error(ErrorCode::invalid_argument, "EditRequest", "has both a channel and channels; put the channel among the channels");
    if (!request.channels.empty() && (request.shifts.rows() != rows || request.shifts.cols() != static_cast<std::int64_t>(request.channels.size())))
      throw Error(ErrorCode::shape_mismatch, "EditRequest", "shifts need a row for each latent and a column for each of the channels");
    if (request.properties) front.properties.resize(rows, static_cast<std::int64_t>(properties_.size()));
    if (request.images) front.images = ImageBatch(rows, shape());
    const std::int64_t batch = sampler_.options().batch_size;
    for (std::int64_t first = 0; first < rows; first += batch) {
      const std::int64_t count = std::min(batch, rows - first);
      const Matrix<float> w = rows_of(request.w, first, count);
      const auto labels = std::span(request.label).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
      const auto shift = request.channel < 0 ? std::span<const float>{} : std::span(request.shift).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
      const ImageBatch images = request.channels.empty() ? sampler_.synthesize_edited(w, request.channel, shift) : sampler_.synthesize_edited(w, request.channels, rows_of(request.shifts, first, count));
      count_images(count);
      if (request.alone) {
        for (std::int64_t i = 0; i < count; ++i) {
          ImageBatch one(1, images.shape());
          std::copy(images.image(i).begin(), images.image(i).end(), one.image(0).begin());
          score(one, labels.subspan(static_cast<std::size_t>(i), 1));
        }
      } else {
        score(images, labels);
      }
      for (std::int64_t i = 0; i < count; ++i) {
        if (request.properties) measure(images, i, front.properties.row(first + i));
        if (request.images) unit_.to_unit(images.view().image(i), front.images.image(first + i), i);
      }
      if (request.judge && judge_) {
        const ScoredImages judged = (*judge_)(images, labels);
        for (std::int64_t i = 0; i < count; ++i) front.judge_agrees.push_back(judged.prediction[static_cast<std::size_t>(i)] == labels[static_cast<std::size_t>(i)] ? 1 : 0);
      }
    }
  }

  /// Appends what a classifier answered to a batch of a request.
  void append(EditResult& result, const ScoredImages& scored, std::span<const std::int64_t> labels) const {
    result.prediction.insert(result.prediction.end(), scored.prediction.begin(), scored.prediction.end());
    result.probability.insert(result.probability.end(), scored.probability.begin(), scored.probability.end());
    result.log_odds.insert(result.log_odds.end(), scored.log_odds.begin(), scored.log_odds.end());
    append_outcomes(result.failed, scored, labels);
  }

  /// Appends what a classifier answered to a batch of samples.
  void append(Population& population, const ScoredImages& scored, std::span<const std::int64_t> labels) const {
    population.prediction.insert(population.prediction.end(), scored.prediction.begin(), scored.prediction.end());
    population.probability.insert(population.probability.end(), scored.probability.begin(), scored.probability.end());
    population.margin.insert(population.margin.end(), scored.margin.begin(), scored.margin.end());
    append_outcomes(population.failed, scored, labels);
  }

  /// Draws samples into `population` (w, index, label, properties) and hands each batch with its images to `score(images, batch)`; `stage` names them to the progress callback, if there is one.
  template <class Score>
  void draw(std::int64_t first, std::int64_t count, const std::string& stage, Population& population, const Score& score) {
    population.w.resize(count, generator().w_dim());
    population.properties.resize(count, static_cast<std::int64_t>(properties_.size()));
    std::int64_t done = 0;
    for (const auto& batch : sampler_.batches(first, count)) {
      const Matrix<float> w = generator().latent_to_host(batch.w);
      const ImageBatch images = generator().image_to_host(batch.images);
      count_images(batch.size());
      std::copy_n(w.data(), batch.size() * w.cols(), population.w.row(done).data());
      population.index.insert(population.index.end(), batch.index.begin(), batch.index.end());
      population.label.insert(population.label.end(), batch.label.begin(), batch.label.end());
      score(images, batch);
      for (std::int64_t i = 0; i < batch.size(); ++i) measure(images, i, population.properties.row(done + i));
      done += batch.size();
      if (!stage.empty()) report_progress(progress_, stage, done, count);
    }
  }

  StyleSpaceSampler<G> sampler_;  // a copy, which borrows the generator: the caller's sampler may be a temporary of characterize
  ProgressCallback progress_;
  CostCounters cost_;

 private:
  void append_outcomes(std::vector<std::uint8_t>& failed, const ScoredImages& scored, std::span<const std::int64_t> labels) const {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      try {
        failed.push_back(criterion_(scored.probabilities.row(static_cast<std::int64_t>(i)), labels[i]) ? 1 : 0);
      } catch (...) {
        std::throw_with_nested(Error(ErrorCode::property_threw, who_, "the failure criterion threw for label " + std::to_string(labels[i])));
      }
    }
  }

  void measure(const ImageBatch& images, std::int64_t i, std::span<float> out) {
    if (properties_.empty()) return;
    unit_image_.resize(static_cast<std::size_t>(images.shape().elements()));
    unit_.to_unit(images.image(i), unit_image_, i);
    ++cost_.property_images;
    for (std::size_t p = 0; p < properties_.size(); ++p) {
      double value = 0.0;
      try {
        value = properties_[p].measure(unit_image_, images.shape());
      } catch (...) {
        std::throw_with_nested(Error(ErrorCode::property_threw, who_, "the property \"" + properties_[p].name + "\" threw"));
      }
      out[p] = static_cast<float>(value);
      if (!std::isfinite(out[p])) throw Error(ErrorCode::property_threw, who_, "the property \"" + properties_[p].name + "\" is not finite for an image; return a number for every image");
    }
  }

  std::string who_;
  F criterion_;
  std::vector<Property> properties_;
  std::optional<AnyClassifier> judge_model_;
  std::optional<Scorer<AnyClassifier>> judge_;
  ImagePreparation unit_;
  std::vector<float> unit_image_;
};

}  // namespace detail
}  // namespace v1
}  // namespace faultline
