// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The thin layer between sheets and models: re-creates start codes from the report's provenance, moves them, and asks
// the classifier.

#include <faultline/classify/scoring.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/core/number_text.hpp>
#include <faultline/render/detail/picture_book.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail::render {

/// By how much probabilities may miss a sum of 1 in this run.
inline double tolerance_of(const Provenance& run) {
  for (const OptionValue& option : run.method)
    if (option.name == "probability_tolerance")
      return number_from(option.value).value_or(default_probability_tolerance);
  return default_probability_tolerance;
}

/// Makes images of moved samples. Borrows generator and classifier.
template <StyleGenerator G, Classifier C>
class SampleStudio {
 public:
  SampleStudio(const G& generator, C& classifier, const FailureReport& report, const RenderOptions& options)
      : options_(&options),
        criterion_(report_criterion(report, options).value_or(Misclassified{})),
        sampler_(generator, sampler_options(report.provenance)),
        scorer_(classifier, generator.image_shape(), generator.value_range(), sampler_.classes(),
                report.provenance.batch_size, tolerance_of(report.provenance)) {}

  [[nodiscard]] Studio studio() {
    return {[this](const std::vector<Move>& moves) { return show(moves); },
            [this](std::int64_t first, std::int64_t count) { return sampler_.labels(first, count); }};
  }

 private:
  std::vector<Shown> show(const std::vector<Move>& moves) {
    remember(moves);
    std::vector<Shown> result;
    result.reserve(moves.size());
    const auto batch = static_cast<std::size_t>(sampler_.options().batch_size);
    for (std::size_t first = 0; first < moves.size(); first += batch)
      show_batch(std::span(moves).subspan(first, std::min(batch, moves.size() - first)), result);
    return result;
  }

  void show_batch(std::span<const Move> moves, std::vector<Shown>& result) {
    const G& generator = sampler_.generator();
    const auto rows = static_cast<std::int64_t>(moves.size());
    Matrix<float> w(sampler_.options().batch_size, generator.w_dim());
    std::vector<std::int64_t> labels;
    bool consecutive = true, channels = false;
    for (std::int64_t i = 0; i < w.rows(); ++i) {
      const Move& move = moves[static_cast<std::size_t>(std::min(i, rows - 1))];
      const std::vector<float>& start = codes_.at(move.index);
      for (std::int64_t j = 0; j < w.cols(); ++j) {
        const double edit = move.direction ? move.shift * (*move.direction)[static_cast<std::size_t>(j)] : 0.0;
        w(i, j) = static_cast<float>(static_cast<double>(start[static_cast<std::size_t>(j)]) + edit);
      }
      if (i < rows) labels.push_back(move.label), consecutive &= move.index == moves.front().index + i;
      channels |= move.channel >= 0;
    }
    typename G::style_type s = sampler_.styles(w);
    if (channels) {
      Matrix<float> host = generator.style_to_host(s);
      for (std::int64_t i = 0; i < rows; ++i)
        if (const Move& move = moves[static_cast<std::size_t>(i)]; move.channel >= 0)
          host(i, move.channel) += static_cast<float>(move.shift);
      s = generator.style_from_host(host);
    }
    // Samples as they are get their own random noise; edited ones share the noise of their row, so that one move
    // differs from the next by the move alone.
    const SynthesisOptions synthesis{.noise = sampler_.options().noise,
                                     .seed = sampler_.options().seed,
                                     .first = consecutive ? moves.front().index : 0};
    const ImageBatch images = generator.image_to_host(generator.synthesize(s, synthesis));
    const ScoredImages scored = scorer_(images.view().slice(0, rows), labels);
    for (std::int64_t i = 0; i < rows; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const std::span<const float> probabilities = scored.probabilities.row_span(i);
      const bool failed = judge_outcome("DirectionRenderer", criterion_, probabilities, labels[at]);
      result.push_back({to_picture(unit_image(images.image(i)), images.shape(), options_->image_pixels),
                        static_cast<double>(scored.probability[at]), scored.prediction[at], failed});
    }
  }

  /// Pixels in [0, 1] (to_picture clamps) from the generator's value range.
  [[nodiscard]] std::vector<float> unit_image(std::span<const float> raw) const {
    const ValueRange range = sampler_.generator().value_range();
    std::vector<float> unit;
    unit.reserve(raw.size());
    for (const float value : raw)
      unit.push_back(static_cast<float>((static_cast<double>(value) - range.lower) / (range.upper - range.lower)));
    return unit;
  }

  /// Maps the start codes that are not known yet, runs of consecutive ones together, and checks everything that comes
  /// from the report.
  void remember(const std::vector<Move>& moves) {
    std::set<std::int64_t> missing;
    const std::int64_t w_dim = sampler_.generator().w_dim(), dimension = sampler_.generator().layout().dimension();
    for (const Move& move : moves) {
      if (move.direction && static_cast<std::int64_t>(move.direction->size()) != w_dim)
        throw Error(ErrorCode::shape_mismatch, "DirectionRenderer",
                    "a direction of the report has " + std::to_string(move.direction->size()) +
                        " components, the generator's w has " + std::to_string(w_dim));
      if (move.channel >= dimension)
        throw Error(ErrorCode::shape_mismatch, "DirectionRenderer",
                    "the report names style channel " + std::to_string(move.channel) + ", the generator has " +
                        std::to_string(dimension));
      if (codes_.find(move.index) != codes_.end() || !missing.insert(move.index).second) continue;
      if (const std::int64_t label = sampler_.labels(move.index, 1).front(); label != move.label)
        throw Error(ErrorCode::incompatible_models, "DirectionRenderer",
                    "the report gives sample " + std::to_string(move.index) + " label " + std::to_string(move.label) +
                        ", its seed and label policy give " + std::to_string(label));
    }
    for (auto at = missing.begin(); at != missing.end();) {
      const std::int64_t first = *at;
      std::int64_t count = 0;
      while (at != missing.end() && *at == first + count && count < sampler_.options().batch_size) ++at, ++count;
      const Matrix<float> w = sampler_.latents_w(first, count);
      for (std::int64_t i = 0; i < count; ++i)
        codes_.emplace(first + i, std::vector<float>(w.row_span(i).begin(), w.row_span(i).end()));
    }
  }

  const RenderOptions* options_;
  CriterionFunction criterion_;
  StyleSpaceSampler<G> sampler_;
  Scorer<C> scorer_;
  std::map<std::int64_t, std::vector<float>> codes_;
};

}  // namespace detail::render
}  // namespace v1
}  // namespace faultline
