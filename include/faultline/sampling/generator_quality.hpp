// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How good a generator is: whether its labels are kept, how far its images are from real ones in the features of an
// independent judge, and how the two cover each other.

#include <faultline/classify/class_accuracy.hpp>
#include <faultline/classify/network_classifier.hpp>
#include <faultline/classify/prepare_images.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/core/progress.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/data/corrupted_images.hpp>
#include <faultline/statistics/frechet_distance.hpp>
#include <faultline/statistics/manifold_quality.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <tuple>
#include <vector>

namespace faultline {
inline namespace v1 {

/// What `evaluate_generator` measures.
struct GeneratorQuality {
  std::int64_t samples = 0;
  classify::ClassAccuracy generated;  ///< the judge on generated images against the label that was asked for
  classify::ClassAccuracy real;       ///< the judge on real test images of the same mix
  double distance_generated = 0.0;    ///< Fréchet distance of generated to real test images
  /// Fréchet distance of as many real training images to the real test images
  double distance_real = 0.0;
  /// Precision, recall, density and coverage of generated images against real test images; 0 with fewer images than
  /// neighbours
  statistics::ManifoldQuality cover_generated;
  /// The same of the real training images: what a perfect generator would reach
  statistics::ManifoldQuality cover_real;
  /// The same per class; empty when a class has too few images
  std::vector<statistics::ManifoldQuality> class_cover_generated;
  std::vector<statistics::ManifoldQuality> class_cover_real;
};

/// Options of `evaluate_generator`.
struct QualityOptions {
  std::int64_t samples = 10'000;
  CorruptionMix mix = CorruptionMix::independent;
  std::int64_t seed = 1'000'003;  ///< of latents and of the corruptions of both real sets
  ProgressCallback progress = {};
  Noise noise = Noise::constant;           ///< noise inputs of the generator
  statistics::ManifoldOptions cover = {};  ///< neighbours of precision, recall, density and coverage
};

namespace detail {

/// Features of a set of images with their labels.
struct JudgedImages {
  std::vector<double> features;  ///< row after row
  std::vector<std::int64_t> labels;

  /// Rows of one class, of all classes for -1.
  [[nodiscard]] Matrix<double> of(std::int64_t label) const {
    const auto width = static_cast<std::ptrdiff_t>(features.size() / labels.size());
    Matrix<double> rows(label < 0 ? static_cast<std::int64_t>(labels.size())
                                  : static_cast<std::int64_t>(std::count(labels.begin(), labels.end(), label)),
                        width);
    std::int64_t next = 0;
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (label < 0 || labels[i] == label)
        std::copy_n(features.begin() + static_cast<std::ptrdiff_t>(i) * width, width, rows.row_span(next++).begin());
    return rows;
  }
};

/// Refuses real images that cannot be compared with generated ones of this shape.
inline void require_comparable(const LabelledImages& images, const ImageShape& shape,
                               const classify::NetworkClassifier& judge, const QualityOptions& options) {
  const auto text = [](const ImageShape& s) {
    return std::to_string(s.channels) + " x " + std::to_string(s.height) + " x " + std::to_string(s.width);
  };
  const std::int64_t padding = shape.height - images.height;
  if (images.count < 1) throw Error(ErrorCode::empty_input, "evaluate_generator", "a set has no images");
  if (images.channels != shape.channels || padding < 0 || padding % 2 != 0 || padding != shape.width - images.width)
    throw Error(ErrorCode::incompatible_models, "evaluate_generator",
                "real images are " + text(images.shape()) + " (channels, height, width), generated ones " +
                    text(shape) +
                    "; expected the same size, or one that is smaller by the same even number of pixels in height and "
                    "width; load them at the generator's resolution");
  if (images.labels.empty() || images.classes < 1 || images.classes > judge.num_classes())
    throw Error(ErrorCode::incompatible_models, "evaluate_generator",
                "expected labelled images of at most " + std::to_string(judge.num_classes()) + " classes, got " +
                    (images.labels.empty() ? "some without labels" : std::to_string(images.classes) + " classes"));
  if (options.mix == CorruptionMix::none && options.samples > images.count)
    throw Error(ErrorCode::invalid_argument, "evaluate_generator",
                "expected at most " + std::to_string(images.count) + " samples, as many as a set has images, got " +
                    std::to_string(options.samples) + "; without corruption each image is there once");
}

}  // namespace detail

/// Measures a generator against real data with an independent judge.
///
/// Generated sample i has label i mod classes and the latent of (seed, stream 0, pilot_first + i), ψ = 1; real images
/// are the first `samples` of either set, padded to the generator's size and corrupted by index. All are seen through
/// the judge's centre crop, clamped to [0, 1]. Throws incompatible_models when generator, judge and images do not fit;
/// invalid_argument for more samples than images where no mix makes further ones of them. Cost: `samples` images
/// generated, 3 x `samples` judged, and about seven times `samples`² distances (some twenty seconds for 10 000 on two
/// cores).
template <StyleGenerator G>
GeneratorQuality evaluate_generator(const G& generator, const classify::NetworkClassifier& judge,
                                    const LabelledImages& train, const LabelledImages& test,
                                    const QualityOptions& options = {}) {
  const InputSpec input = judge.input_spec();
  const ImageShape shape = generator.image_shape();
  if (generator.num_classes() != judge.num_classes() || shape.channels != input.channels ||
      shape.height < input.height || shape.width < input.width)
    throw Error(
        ErrorCode::incompatible_models, "evaluate_generator",
        "generator and judge must have the same classes and channels, and the judge's input must fit into the images");
  if (!(input.range == ValueRange{0.0, 1.0}) || !input.mean.empty() || !input.std.empty())
    throw Error(ErrorCode::incompatible_models, "evaluate_generator",
                "the judge must take pixels in [0, 1] without normalisation");
  faultline::core::require_in("evaluate_generator", "samples", options.samples, 2, std::int64_t{100'000'000});
  for (const LabelledImages* set : {&train, &test}) detail::require_comparable(*set, shape, judge, options);
  constexpr std::int64_t batch_size = 250;
  GeneratorQuality quality;
  quality.samples = options.samples;
  statistics::FeatureMoments generated, real_train, real_test;
  detail::JudgedImages seen_generated, seen_train, seen_test;
  const ValueRange unit{0.0, 1.0};
  const auto look = [&](ImageView raw, const ValueRange& range, std::span<const std::int64_t> labels,
                        statistics::FeatureMoments& moments, detail::JudgedImages& seen,
                        classify::ClassAccuracy* accuracy) {
    const ImageBatch images = prepare_images(raw, range, input);
    Matrix<float> features;
    judge.features(images, features);
    moments.add(features);
    seen.features.insert(seen.features.end(), features.values().begin(), features.values().end());
    seen.labels.insert(seen.labels.end(), labels.begin(), labels.end());
    if (accuracy) classify::count_correct(judge, images, labels, *accuracy);
  };
  const auto corruption_of = [&](const LabelledImages& set) {
    return CorruptionOptions{.mix = options.mix, .seed = options.seed, .padding = (shape.height - set.height) / 2};
  };
  for (std::int64_t first = 0; first < options.samples; first += batch_size) {
    const std::int64_t count = std::min(batch_size, options.samples - first);
    Matrix<float> z(count, generator.latent_dim());
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < count; ++i) {
      core::fill_normals(options.seed, core::Stream::latents, core::pilot_first + first + i, z.row_span(i));
      labels.push_back((first + i) % generator.num_classes());
    }
    const auto w = generator.map(generator.latent_from_host(z), generator.label_from_host(labels), MapOptions{});
    const ImageBatch raw = generator.image_to_host(generator.synthesize(
        generator.styles(w), {.noise = options.noise, .seed = options.seed, .first = core::pilot_first + first}));
    look(raw, generator.value_range(), labels, generated, seen_generated, &quality.generated);
    for (const auto& [set, moments, seen, accuracy] :
         {std::tuple{&train, &real_train, &seen_train, static_cast<classify::ClassAccuracy*>(nullptr)},
          std::tuple{&test, &real_test, &seen_test, &quality.real}}) {
      ImageBatch images(count, shape);
      for (std::int64_t i = 0; i < count; ++i) {
        data::make_corrupted_image(*set, first + i, corruption_of(*set), images.image(i));
        labels[static_cast<std::size_t>(i)] = set->label((first + i) % set->count);
      }
      look(images, unit, labels, *moments, *seen, accuracy);
    }
    report_progress(options.progress, "evaluate", first + count, options.samples);
  }
  quality.distance_generated = statistics::frechet_distance(generated, real_test);
  quality.distance_real = statistics::frechet_distance(real_train, real_test);
  const Matrix<double> reference = seen_test.of(-1);
  if (reference.rows() <= std::max(options.cover.neighbours, options.cover.coverage_neighbours)) return quality;
  quality.cover_generated = statistics::manifold_quality(reference, seen_generated.of(-1), options.cover);
  quality.cover_real = statistics::manifold_quality(reference, seen_train.of(-1), options.cover);
  for (std::int64_t label = 0; label < judge.num_classes(); ++label) {
    const Matrix<double> own = seen_test.of(label), made = seen_generated.of(label), trained = seen_train.of(label);
    if (std::min({own.rows(), made.rows(), trained.rows()}) <=
        std::max(options.cover.neighbours, options.cover.coverage_neighbours)) {
      quality.class_cover_generated.clear();
      quality.class_cover_real.clear();
      break;
    }
    quality.class_cover_generated.push_back(statistics::manifold_quality(own, made, options.cover));
    quality.class_cover_real.push_back(statistics::manifold_quality(own, trained, options.cover));
  }
  return quality;
}

}  // namespace v1
}  // namespace faultline
