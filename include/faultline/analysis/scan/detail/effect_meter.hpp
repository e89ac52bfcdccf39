// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a scan asks of generator and classifier: slopes at the start latents, and effects of channels on latents, in
// full batches and with shared prefixes.

#include <faultline/analysis/scan/detail/successive_elimination.hpp>
#include <faultline/analysis/scan/scan_start.hpp>
#include <faultline/classify/scoring.hpp>
#include <faultline/concepts/style_edits.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// Holds the start latents in sessions of up to a batch. Generator, classifier and latents are borrowed.
template <StyleGenerator G, Classifier C>
class EffectMeter {
 public:
  EffectMeter(const char* where, const G& generator, C& classifier, const ScanStart& start, std::int64_t batch_size)
      : generator_(std::addressof(generator)),
        start_(std::addressof(start)),
        batch_size_(batch_size),
        scorer_(classifier, generator.image_shape(), generator.value_range(),
                std::max<std::int64_t>(1, generator.num_classes()), batch_size) {
    const std::int64_t dimension = generator.layout().dimension();
    if (start.s.cols() != dimension || static_cast<std::int64_t>(start.label.size()) != start.s.rows() ||
        static_cast<std::int64_t>(start.shift.size()) != dimension)
      throw Error(ErrorCode::shape_mismatch, where,
                  "expected start latents [N, " + std::to_string(dimension) + "] with N labels and " +
                      std::to_string(dimension) + " shifts, got [" + std::to_string(start.s.rows()) + ", " +
                      std::to_string(start.s.cols()) + "], " + std::to_string(start.label.size()) + " and " +
                      std::to_string(start.shift.size()));
    if (start.s.rows() == 0) throw Error(ErrorCode::empty_input, where, "expected at least one start latent, got none");
    if (!std::all_of(start.shift.begin(), start.shift.end(),
                     [](double shift) { return std::isfinite(shift) && shift >= 0.0; }))
      throw Error(ErrorCode::invalid_argument, where, "shifts must be finite and not negative");
    for (std::int64_t first = 0; first < start.s.rows(); first += batch_size_) {
      const std::int64_t count = std::min(batch_size_, start.s.rows() - first);
      Matrix<float> part(count, dimension);
      std::copy_n(start.s.row_span(first).data(), count * dimension, part.data());
      sessions_.push_back(begin_edits(generator, generator.style_from_host(part)));
      cost_.generator_images += count;
      ++cost_.generator_batches;
    }
  }

  /// p(y) after the shift down less p(y) after the shift up, for each pair; pairs in any order.
  [[nodiscard]] std::vector<double> effects(std::span<const LatentChannel> pairs) {
    std::vector<std::size_t> order(pairs.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto session_of = [&](std::size_t i) { return pairs[i].latent / batch_size_; };
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return session_of(a) != session_of(b) ? session_of(a) < session_of(b) : pairs[a].channel < pairs[b].channel;
    });
    std::vector<double> result(pairs.size());
    for (std::size_t first = 0; first < order.size(); first += block)
      measure_block(pairs, std::span(order).subspan(first, std::min(block, order.size() - first)), result);
    return result;
  }

  /// d p(y) / d s of the start latents, `[N, D]`, and their log odds.
  [[nodiscard]] Matrix<float> slopes(std::vector<double>& log_odds) requires DifferentiableGenerator<G> &&
      DifferentiableClassifier<C> {
    Matrix<float> slopes(start_->s.rows(), start_->s.cols());
    for (std::size_t session = 0; session < sessions_.size(); ++session) {
      const auto first = static_cast<std::int64_t>(session) * batch_size_;
      const std::int64_t count = std::min(batch_size_, start_->s.rows() - first);
      std::vector<StyleEdit> still;  // of the last channel, which costs least
      for (std::int64_t i = 0; i < count; ++i) still.push_back({i, start_->s.cols() - 1, 0.0f});
      const ImageBatch images = edited(session, still);
      const auto labels =
          std::span(start_->label).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
      const classify::ScoredImages scored = scorer_(images, labels);
      log_odds.insert(log_odds.end(), scored.log_odds.begin(), scored.log_odds.end());
      Matrix<float> part(count, start_->s.cols());
      std::copy_n(start_->s.row_span(first).data(), count * part.cols(), part.data());
      const Matrix<float> pulled =
          generator_->pullback(generator_->style_from_host(part), scorer_.probability_gradient(images, labels));
      std::copy_n(pulled.data(), count * part.cols(), slopes.row_span(first).data());
      cost_.gradient_images += count;
      cost_.generator_images += count;
      ++cost_.generator_batches;
    }
    return slopes;
  }

  [[nodiscard]] ScanCost cost() const {
    ScanCost cost = cost_;
    cost.generator_passes = 2.0 * static_cast<double>(cost.gradient_images);
    for (const auto& session : sessions_) {
      const EditCost spent = session.cost();
      cost.generator_images += spent.images;
      cost.generator_batches += spent.calls;
      cost.generator_passes += spent.passes;
    }
    cost.classifier_images = scorer_.images();
    cost.classifier_batches = scorer_.batches();
    return cost;
  }

 private:
  /// Pairs whose images wait for the classifier together, so that its batches are full however small a layer's share
  /// is.
  static constexpr std::size_t block = 1024;

  [[nodiscard]] ImageBatch edited(std::size_t session, std::span<const StyleEdit> edits) {
    return generator_->image_to_host(sessions_[session].images(edits));
  }

  void measure_block(std::span<const LatentChannel> pairs, std::span<const std::size_t> order,
                     std::vector<double>& result) {
    ImageBatch images(2 * static_cast<std::int64_t>(order.size()), generator_->image_shape());
    std::vector<std::int64_t> labels;
    std::vector<StyleEdit> edits;
    std::int64_t made = 0;
    const auto flush = [&](std::size_t session) {
      if (edits.empty()) return;
      const ImageBatch part = edited(session, edits);
      std::copy_n(part.data(), part.count() * part.shape().elements(), images.image(made).data());
      made += part.count();
      edits.clear();
    };
    std::int64_t layer = -1;
    std::size_t session = 0;
    for (const std::size_t i : order) {
      const LatentChannel& pair = pairs[i];
      const std::int64_t own_layer = generator_->layout().locate(pair.channel).layer;
      const auto own_session = static_cast<std::size_t>(pair.latent / batch_size_);
      if (own_layer != layer || own_session != session || static_cast<std::int64_t>(edits.size()) + 2 > batch_size_)
        flush(session);
      layer = own_layer;
      session = own_session;
      const auto shift = static_cast<float>(start_->shift[static_cast<std::size_t>(pair.channel)]);
      const std::int64_t row = pair.latent - static_cast<std::int64_t>(session) * batch_size_;
      edits.push_back({row, pair.channel, -shift});
      edits.push_back({row, pair.channel, +shift});
      labels.insert(labels.end(), 2, start_->label[static_cast<std::size_t>(pair.latent)]);
    }
    flush(session);
    const classify::ScoredImages scored = scorer_(images, labels);
    for (std::size_t k = 0; k < order.size(); ++k)
      result[order[k]] =
          static_cast<double>(scored.probability[2 * k]) - static_cast<double>(scored.probability[2 * k + 1]);
  }

  using Session = decltype(begin_edits(std::declval<const G&>(), std::declval<const typename G::style_type&>()));

  const G* generator_;
  const ScanStart* start_;
  std::int64_t batch_size_;
  classify::Scorer<C> scorer_;
  std::vector<Session> sessions_;
  ScanCost cost_;
};

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
