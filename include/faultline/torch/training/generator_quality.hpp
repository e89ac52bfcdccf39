// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How good a generator is: whether its labels are kept, how far its images are from real ones in the features of an
// independent judge, and how the two cover each other.

#include <faultline/core/progress.hpp>
#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/manifold_quality.hpp>
#include <faultline/stylegan2/generator.hpp>
#include <faultline/torch/training/classifier_trainer.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace training {

/// Mean and covariance of feature vectors, gathered batch by batch.
class FeatureMoments {
 public:
  /// Adds the rows of `[N, F]`.
  void add(const Matrix<float>& rows) {
    const Eigen::MatrixXd x = rows.cast<double>();
    if (count_ == 0) {
      sum_ = Eigen::VectorXd::Zero(rows.cols());
      products_ = Eigen::MatrixXd::Zero(rows.cols(), rows.cols());
    }
    sum_ += x.colwise().sum().transpose();
    products_.noalias() += x.transpose() * x;
    count_ += rows.rows();
  }
  [[nodiscard]] std::int64_t count() const noexcept { return count_; }
  [[nodiscard]] Eigen::VectorXd mean() const { return sum_ / static_cast<double>(count_); }
  /// Unbiased covariance.
  [[nodiscard]] Eigen::MatrixXd covariance() const {
    const Eigen::VectorXd m = mean();
    return (products_ - static_cast<double>(count_) * (m * m.transpose())) / static_cast<double>(count_ - 1);
  }

 private:
  std::int64_t count_ = 0;
  Eigen::VectorXd sum_;
  Eigen::MatrixXd products_;
};

/// Squared Fréchet distance between the normal distributions of two sets of features (Dowson & Landau 1982; Heusel et
/// al. 2017).
///
/// **Formula**: |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁^½ Σ₂ Σ₁^½)^½). Throws empty_input with fewer than two vectors on either
/// side, shape_mismatch for different lengths.
inline double frechet_distance(const FeatureMoments& first, const FeatureMoments& second) {
  if (first.count() < 2 || second.count() < 2)
    throw Error(ErrorCode::empty_input, "frechet_distance", "expected at least two feature vectors on either side");
  if (first.mean().size() != second.mean().size())
    throw Error(ErrorCode::shape_mismatch, "frechet_distance", "feature vectors differ in length");
  const Eigen::MatrixXd a = first.covariance(), b = second.covariance();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> of_a(a);
  const Eigen::MatrixXd root =
      of_a.eigenvectors() * of_a.eigenvalues().cwiseMax(0.0).cwiseSqrt().asDiagonal() * of_a.eigenvectors().transpose();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> of_product(root * b * root, Eigen::EigenvaluesOnly);
  return (first.mean() - second.mean()).squaredNorm() + a.trace() + b.trace() -
         2.0 * of_product.eigenvalues().cwiseMax(0.0).cwiseSqrt().sum();
}

/// What `evaluate_generator` measures.
struct GeneratorQuality {
  std::int64_t samples = 0;
  ClassAccuracy generated;          ///< the judge on generated images against the label that was asked for
  ClassAccuracy real;               ///< the judge on real test images of the same mix
  double distance_generated = 0.0;  ///< Fréchet distance of generated to real test images
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

/// Refuses real images that cannot stand beside generated ones of this shape.
inline void require_comparable(const LabelledImages& images, const ImageShape& shape, const NetworkClassifier& judge,
                               const QualityOptions& options) {
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
template <class Backend>
GeneratorQuality evaluate_generator(const Generator<Backend>& generator, const NetworkClassifier& judge,
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
  faultline::core::require_in("evaluate_generator", "samples", options.samples, 2, limits::samples);
  for (const LabelledImages* set : {&train, &test}) detail::require_comparable(*set, shape, judge, options);
  const stylegan2::detail::LibTorchScope scope("evaluate_generator");
  constexpr std::int64_t batch_size = 250;
  GeneratorQuality quality;
  quality.samples = options.samples;
  FeatureMoments generated, real_train, real_test;
  detail::JudgedImages seen_generated, seen_train, seen_test;
  const auto look = [&](const at::Tensor& unit_images, const at::Tensor& labels, FeatureMoments& moments,
                        detail::JudgedImages& seen, ClassAccuracy* accuracy) {
    const at::Tensor cropped = centre_crop(unit_images, input.height, input.width).contiguous();
    const ImageView view(cropped.const_data_ptr<float>(), cropped.size(0), {input.channels, input.height, input.width});
    Matrix<float> features;
    judge.features(view, features);
    moments.add(features);
    seen.features.insert(seen.features.end(), features.values().begin(), features.values().end());
    seen.labels.insert(seen.labels.end(), labels.const_data_ptr<std::int64_t>(),
                       labels.const_data_ptr<std::int64_t>() + labels.numel());
    if (accuracy)
      count_correct(judge, view, {labels.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(labels.size(0))},
                    *accuracy);
  };
  const auto corruption_of = [&](const LabelledImages& set) {
    return CorruptionOptions{.mix = options.mix, .seed = options.seed, .padding = (shape.height - set.height) / 2};
  };
  for (std::int64_t first = 0; first < options.samples; first += batch_size) {
    const std::int64_t count = std::min(batch_size, options.samples - first);
    at::Tensor z = at::empty({count, generator.latent_dim()}, at::kFloat), labels = at::empty({count}, at::kLong);
    for (std::int64_t i = 0; i < count; ++i) {
      core::fill_normals(options.seed, core::Stream::latents, core::pilot_first + first + i,
                         std::span<float>(z.data_ptr<float>() + i * z.size(1), static_cast<std::size_t>(z.size(1))));
      labels.data_ptr<std::int64_t>()[i] = (first + i) % generator.num_classes();
    }
    const ValueRange range = generator.value_range();
    const at::Tensor raw =
        generator.synthesize(generator.styles(generator.map(z, labels)),
                             {.noise = options.noise, .seed = options.seed, .first = core::pilot_first + first});
    look(at::clamp((raw - range.lower) / (range.upper - range.lower), 0.0, 1.0), labels, generated, seen_generated,
         &quality.generated);
    for (const auto& [set, moments, seen, accuracy] :
         {std::tuple{&train, &real_train, &seen_train, static_cast<ClassAccuracy*>(nullptr)},
          std::tuple{&test, &real_test, &seen_test, &quality.real}}) {
      at::Tensor images = at::empty({count, shape.channels, shape.height, shape.width}, at::kFloat),
                 truth = at::empty({count}, at::kLong);
      for (std::int64_t i = 0; i < count; ++i) {
        data::make_corrupted_image(*set, first + i, corruption_of(*set),
                                   std::span<float>(images.data_ptr<float>() + i * shape.elements(),
                                                    static_cast<std::size_t>(shape.elements())));
        truth.data_ptr<std::int64_t>()[i] = set->label((first + i) % set->count);
      }
      look(images, truth, *moments, *seen, accuracy);
    }
    report_progress(options.progress, "evaluate", first + count, options.samples);
  }
  quality.distance_generated = frechet_distance(generated, real_test);
  quality.distance_real = frechet_distance(real_train, real_test);
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

}  // namespace training
}  // namespace v1
}  // namespace faultline
