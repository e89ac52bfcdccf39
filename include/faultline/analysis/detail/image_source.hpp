// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a Problem and a ComparisonProblem need of their generator, whoever classifies its images: making and counting them, properties, outcomes, the judge.

#include <faultline/analysis/options.hpp>
#include <faultline/analysis/problem.hpp>
#include <faultline/concepts/any_classifier.hpp>
#include <faultline/concepts/check_classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/generator_cost.hpp>
#include <faultline/concepts/scoring.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

/// A batch of images where the generator left it; on the host once somebody asks.
template <StyleGenerator G>
class GeneratedImages {
 public:
  using image_type = typename G::image_type;
  GeneratedImages(const G& generator, const image_type& images) : generator_(&generator), images_(&images) {}

  /// Whether the images are still where the generator left them; one taken out of its batch is on the host alone.
  [[nodiscard]] bool has_resident() const noexcept { return images_ != nullptr; }
  [[nodiscard]] const image_type& resident() const noexcept { return *images_; }
  /// Image i by itself.
  [[nodiscard]] GeneratedImages alone(std::int64_t i) const {
    const auto image = host().image(i);
    GeneratedImages one(*generator_, *images_);
    one.images_ = nullptr;
    one.host_.emplace(1, host().shape());
    std::copy(image.begin(), image.end(), one.host_->image(0).begin());
    return one;
  }
  [[nodiscard]] const ImageBatch& host() const {
    if (!host_) host_.emplace(generator_->image_to_host(*images_));
    return *host_;
  }

 private:
  const G* generator_;
  const image_type* images_;
  mutable std::optional<ImageBatch> host_;
};

/// Scores images without moving them where the classifier says that it can.
template <StyleGenerator G, Classifier C>
[[nodiscard]] ScoredImages score_generated(Scorer<C>& scorer, const GeneratedImages<G>& images, std::span<const std::int64_t> labels, const SampleOrigin& origin) {
  if constexpr (ResidentClassifier<C, typename G::image_type>) {
    if (images.has_resident()) return scorer.resident(images.resident(), labels, origin);
  }
  return scorer(images.host(), labels, origin);
}

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
      : sampler_(sampler), progress_(method.progress), who_(std::move(who)), criterion_(std::move(criterion)), properties_(method.properties), judge_model_(method.judge), call_cost_(cost_of(sampler.generator())), unit_(shape(), range(), InputSpec{}) {
    if (judge_model_) judge_.emplace(*judge_model_, shape(), range(), sampler_.classes(), method.batch_size);
  }
  ~ImageSource() = default;

  [[nodiscard]] const G& generator() const noexcept { return sampler_.generator(); }
  [[nodiscard]] ImageShape shape() const { return generator().image_shape(); }
  [[nodiscard]] ValueRange range() const { return generator().value_range(); }

  /// What a generator call is made for, which decides its work: samples start at z, edited images at w; a gradient costs a pass forward for the image, one more and one back for the pull.
  enum class Work { sample, edit, gradient };

  /// Counts one batch of `count` images; its work is that of all rows, padding too.
  void count_images(std::int64_t count, Work work) noexcept {
    const std::int64_t rows = work == Work::gradient ? count : sampler_.computed_rows(count);
    const std::int64_t passes = work == Work::gradient ? 3 : 1;
    cost_.generator_images += count;
    ++cost_.generator_batches;
    cost_.generator_macs += rows * ((work == Work::sample ? call_cost_.mapping_macs : 0) + call_cost_.styles_macs + passes * call_cost_.synthesis_macs);
    cost_.generator_bytes += rows * passes * call_cost_.synthesis_bytes;
    cost_.generator_launches += passes * call_cost_.launches;
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
    count_images(batch.size(), Work::sample);
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
      const auto made = request.channels.empty() ? sampler_.edited_images(w, std::span(&request.channel, request.channel < 0 ? 0 : 1), shift)
                                                 : sampler_.edited_images(w, request.channels, rows_of(request.shifts, first, count).values());
      const GeneratedImages<G> images(generator(), made);
      count_images(count, Work::edit);
      if (request.alone) {
        for (std::int64_t i = 0; i < count; ++i) score(images.alone(i), labels.subspan(static_cast<std::size_t>(i), 1));
      } else {
        score(images, labels);
      }
      if (request.properties) measure(images, count, front.properties, first);
      for (std::int64_t i = 0; i < count; ++i) {
        if (request.images) unit_.to_unit(images.host().view().image(i), front.images.image(first + i), i);
      }
      if (request.judge && judge_) {
        const ScoredImages judged = (*judge_)(images.host(), labels);
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
      const GeneratedImages<G> images(generator(), batch.images);
      count_images(batch.size(), Work::sample);
      std::copy_n(w.data(), batch.size() * w.cols(), population.w.row(done).data());
      population.index.insert(population.index.end(), batch.index.begin(), batch.index.end());
      population.label.insert(population.label.end(), batch.label.begin(), batch.label.end());
      score(images, batch);
      measure(images, batch.size(), population.properties, done);
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

  /// Properties of the first `count` images into rows first .. of `out`, in several threads when there is enough to do (properties are callable from several).
  void measure(const GeneratedImages<G>& generated, std::int64_t count, Matrix<float>& out, std::int64_t first) {
    if (properties_.empty()) return;
    const ImageBatch& images = generated.host();
    cost_.property_images += count;
    constexpr std::int64_t enough = 16;  // images per thread: some milliseconds, against the tenth of one that a thread costs
    const std::int64_t threads = std::clamp<std::int64_t>(count / enough, 1, std::max<std::int64_t>(1, static_cast<std::int64_t>(std::thread::hardware_concurrency())));
    std::vector<std::exception_ptr> thrown(static_cast<std::size_t>(threads));
    const auto work = [&](std::int64_t t) {
      try {
        std::vector<float> image(static_cast<std::size_t>(images.shape().elements()));
        for (std::int64_t i = t * count / threads; i < (t + 1) * count / threads; ++i) {
          unit_.to_unit(images.image(i), image, i);
          measure_one(image, images.shape(), out.row(first + i));
        }
      } catch (...) {
        thrown[static_cast<std::size_t>(t)] = std::current_exception();
      }
    };
    {
      std::vector<std::jthread> others;  // joined on the way out
      for (std::int64_t t = 1; t < threads; ++t) others.emplace_back(work, t);
      work(0);
    }
    for (const std::exception_ptr& first_thrown : thrown)
      if (first_thrown) std::rethrow_exception(first_thrown);
  }

  void measure_one(std::span<const float> image, const ImageShape& shape, std::span<float> out) const {
    for (std::size_t p = 0; p < properties_.size(); ++p) {
      double value = 0.0;
      try {
        value = properties_[p].measure(image, shape);
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
  GeneratorCost call_cost_;
  ImagePreparation unit_;
};

}  // namespace detail
}  // namespace v1
}  // namespace faultline
