// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/properties/measure_labelled_images.hpp.

#include <faultline/analysis/properties/measure_labelled_images.hpp>

#include <faultline/analysis/properties/measure.hpp>
#include <faultline/classify/score_request.hpp>
#include <faultline/classify/scoring.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/sampling/preflight.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// A classifier whose images are made to fit in another way than it says.
struct RefittedClassifier {
  AnyClassifier own;
  Fit fit;
  [[nodiscard]] std::int64_t num_classes() const { return own.num_classes(); }
  [[nodiscard]] Scores score_kind() const { return own.score_kind(); }
  [[nodiscard]] InputSpec input_spec() const {
    InputSpec spec = own.input_spec();
    spec.fit = fit;
    return spec;
  }
  [[nodiscard]] std::string name() const { return own.name(); }
  [[nodiscard]] bool thread_safe() const { return own.thread_safe(); }
  [[nodiscard]] DeferredScores* deferred_scores() const { return own.deferred_scores(); }
  void score(ImageView images, ScoreMatrix& scores) const { own.score(images, scores); }
};

/// The rows of a table while it is filled, and the images that they are about.
class LabelledRows {
 public:
  static constexpr const char* where = "measure_labelled_images";

  LabelledRows(const LabelledImages& images, const LabelledImageOptions& options) : images_(images), options_(options) {
    if (images.count < 1) throw Error(ErrorCode::empty_input, where, "there are no images");
    core::require_in(where, "samples", options.samples, 0, limits::samples);
    core::require_in(where, "batch_size", options.batch_size, 1, limits::batch);
    core::require_in(where, "probability_tolerance", options.probability_tolerance, 0.0, 0.1);
    shape_ = data::canvas_shape(images, options.corruption);
    const std::int64_t samples = options.samples == 0 ? images.count : options.samples;
    const bool versions = samples > images.count;
    if (versions && options.corruption.mix == CorruptionMix::none)
      throw Error(ErrorCode::invalid_argument, where,
                  "expected at most " + std::to_string(images.count) + " samples, as many as there are images, got " +
                      std::to_string(samples) + "; without corruption each image is there once");
    properties_ = applicable_properties(options.properties, shape_);
    for (const Property& property : properties_) {
      table.property_names.push_back(property.name);
      table.property_units.push_back(property.unit);
    }
    table.index.resize(static_cast<std::size_t>(std::max(samples, images.count)));
    std::iota(table.index.begin(), table.index.end(), std::int64_t{0});
    if (samples < images.count) {
      core::CounterRandom random(options.corruption.seed, core::Stream::splits, core::pilot_first);
      core::shuffle(std::span<std::int64_t>(table.index), random);
      table.index.resize(static_cast<std::size_t>(samples));
      std::sort(table.index.begin(), table.index.end());
    }
    for (const std::int64_t index : table.index) {
      if (versions) table.group.push_back(index % images.count);
      if (!images.names.empty())
        table.image_names.push_back(images.names[static_cast<std::size_t>(index % images.count)]);
    }
    table.properties.resize(samples, static_cast<std::int64_t>(properties_.size()));
  }

  [[nodiscard]] std::int64_t size() const noexcept { return static_cast<std::int64_t>(table.index.size()); }
  [[nodiscard]] const ImageShape& shape() const noexcept { return shape_; }
  [[nodiscard]] std::span<const std::int64_t> indices(std::int64_t first, std::int64_t count) const {
    return std::span(table.index).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
  }
  [[nodiscard]] std::int64_t position(std::int64_t row) const {
    return table.index[static_cast<std::size_t>(row)] % images_.count;
  }

  /// The images of these rows, padded and corrupted.
  template <class RowOf>
  [[nodiscard]] ImageBatch images(std::int64_t count, const RowOf& row_of) const {
    ImageBatch batch(count, shape_);
    parallel_for_blocks(count, 8, 0, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        data::make_corrupted_image(images_, table.index[static_cast<std::size_t>(row_of(i))], options_.corruption,
                                   batch.image(i));
    });
    return batch;
  }

  /// Properties of rows `first` and following.
  void measure(const ImageBatch& batch, std::int64_t first) {
    if (properties_.empty()) return;
    parallel_for_blocks(batch.count(), 4, 0, [&](std::int64_t begin, std::int64_t end) {
      const auto name = [&](std::int64_t i) { return this->name(first + begin + i); };
      const Matrix<float> part = measure_properties(properties_, batch.view().slice(begin, end - begin), name);
      for (std::int64_t i = begin; i < end; ++i)
        std::ranges::copy(part.row_span(i - begin), table.properties.row_span(first + i).begin());
    });
  }

  /// What a classifier said of the next rows, which have these labels.
  void append(const classify::ScoredImages& scored, std::span<const std::int64_t> labels,
              const classify::AnyCriterion& criterion) {
    table.label.insert(table.label.end(), labels.begin(), labels.end());
    table.prediction.insert(table.prediction.end(), scored.prediction.begin(), scored.prediction.end());
    table.probability.insert(table.probability.end(), scored.probability.begin(), scored.probability.end());
    table.margin.insert(table.margin.end(), scored.margin.begin(), scored.margin.end());
    for (std::size_t i = 0; i < labels.size(); ++i)
      table.failed.push_back(
          judge_outcome(where, criterion, scored.probabilities.row_span(static_cast<std::int64_t>(i)), labels[i]) ? 1
                                                                                                                  : 0);
  }

  /// Calls visit(first, count) for consecutive parts of the rows, eight batches each, and reports progress.
  template <class Visit>
  void for_each_part(const Visit& visit) {
    const std::int64_t part = 8 * options_.batch_size;
    for (std::int64_t first = 0; first < size(); first += part) {
      const std::int64_t count = std::min(part, size() - first);
      visit(first, count);
      report_progress(options_.progress, "labelled images", first + count, size());
    }
  }

  LabelledTable table;

 private:
  [[nodiscard]] std::string name(std::int64_t row) const {
    const std::string number = "image " + std::to_string(table.index[static_cast<std::size_t>(row)]);
    return images_.names.empty() ? number
                                 : number + " ('" + images_.names[static_cast<std::size_t>(position(row))] + "')";
  }

  const LabelledImages& images_;
  const LabelledImageOptions& options_;
  std::vector<Property> properties_;  // those that these images have
  ImageShape shape_;
};

/// Refuses images that cannot become the classifier's input, in words about images.
inline void require_fitting(const LabelledImages& images, const ImageShape& shape, const AnyClassifier& classifier) {
  const auto refuse = [&](const std::string& what) {
    return Error(ErrorCode::incompatible_models, LabelledRows::where,
                 "classifier \"" + classifier.name() + "\" " + what);
  };
  if (classifier.num_classes() < images.classes)
    throw refuse("knows " + std::to_string(classifier.num_classes()) + " classes, the images have " +
                 std::to_string(images.classes));
  const InputSpec input = classifier.input_spec();
  const std::int64_t channels = input.channels == 0 ? shape.channels : input.channels;
  const bool converts =
      channels == shape.channels || (channels == 1 && shape.channels == 3) || (channels == 3 && shape.channels == 1);
  if (!converts)
    throw refuse("takes images of " + std::to_string(channels) + " channels, these have " +
                 std::to_string(shape.channels));
  if (input.fit == Fit::resize) return;
  const std::int64_t height = input.height == 0 ? shape.height : input.height,
                     width = input.width == 0 ? shape.width : input.width;
  const std::string sizes = "takes images of " + std::to_string(height) + " x " + std::to_string(width) +
                            " pixels, these have " + std::to_string(shape.height) + " x " + std::to_string(shape.width);
  if (height > shape.height || width > shape.width)
    throw refuse(sizes + "; pad them, load them at that resolution, or ask for Fit::resize");
  if (2 * height < shape.height || 2 * width < shape.width)
    throw refuse(sizes +
                 ", of which a centre crop would show less than half of a side; ask for Fit::resize, or load "
                 "them at that resolution");
}

}  // namespace detail

FAULTLINE_INLINE LabelledTable measure_with_classifier(const LabelledImages& images, AnyClassifier classifier,
                                                       const classify::AnyCriterion& criterion,
                                                       const LabelledImageOptions& options) {
  constexpr const char* where = detail::LabelledRows::where;
  if (images.labels.empty() || images.classes < 1)
    throw Error(ErrorCode::inconsistent_files, where,
                "the images have no labels, so nobody can tell which answers are wrong");
  if (options.fit) classifier = AnyClassifier(detail::RefittedClassifier{std::move(classifier), *options.fit});
  detail::LabelledRows rows(images, options);
  detail::require_fitting(images, rows.shape(), classifier);
  classify::Scorer<AnyClassifier> scorer(classifier, rows.shape(), {0.0, 1.0}, images.classes, options.batch_size,
                                         options.probability_tolerance);
  classify::ScoreRequest request(classifier);  // whose images are asked for at once
  const auto labels_of = [&](std::int64_t count, const auto& row_of) {
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < count; ++i) labels.push_back(images.label(rows.position(row_of(i))));
    return labels;
  };

  // The pilot sample is spread over the rows: sets are often sorted by class.
  const std::int64_t pilots = std::min(sampling::pilot_images, rows.size());
  const auto pilot_row = [&](std::int64_t i) { return i * rows.size() / pilots; };
  sampling::PilotSample pilot;
  pilot.label = labels_of(pilots, pilot_row);
  pilot.images = rows.images(pilots, pilot_row);
  for (std::int64_t i = 0; i < pilots; ++i) pilot.index.push_back(rows.indices(pilot_row(i), 1).front());
  (void)scorer(pilot.images, pilot.label, {.index = pilot.index});  // whose errors state no seed
  sampling::check_answers(where, classifier, scorer, pilot);

  rows.for_each_part([&](std::int64_t first, std::int64_t count) {
    const auto row_of = [&](std::int64_t i) { return first + i; };
    const ImageBatch batch = rows.images(count, row_of);
    const std::vector<std::int64_t> labels = labels_of(count, row_of);
    rows.append(scorer(batch, labels, {.index = rows.indices(first, count)}), labels, criterion);
    rows.measure(batch, first);
  });
  request.end();
  rows.table.classes = classifier.num_classes();
  if (static_cast<std::int64_t>(images.class_names.size()) == rows.table.classes)
    rows.table.class_names = images.class_names;
  return std::move(rows.table);
}

FAULTLINE_INLINE LabelledTable measure_with_scores(const LabelledImages& images, const ScoreTable& scores,
                                                   const classify::AnyCriterion& criterion,
                                                   const LabelledImageOptions& options) {
  if (options.corruption.mix != CorruptionMix::none)
    throw Error(ErrorCode::invalid_argument, detail::LabelledRows::where,
                "scores belong to the images as they are, so nothing can be done to these first; corrupt the images, "
                "score them and write both down");
  detail::LabelledRows rows(images, options);
  const ScoreTable aligned = data::match_scores(scores, images);
  rows.for_each_part([&](std::int64_t first, std::int64_t count) {
    classify::ScoredImages scored = classify::room_for_scores(count, aligned.classes());
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t position = rows.position(first + i);
      labels.push_back(aligned.labels[static_cast<std::size_t>(position)]);
      classify::judge_scores(aligned.scores.row_span(position), aligned.kind, labels.back(), i, scored);
    }
    rows.append(scored, labels, criterion);
    rows.measure(rows.images(count, [&](std::int64_t i) { return first + i; }), first);
  });
  rows.table.classes = aligned.classes();
  rows.table.class_names = aligned.class_names;
  return std::move(rows.table);
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
