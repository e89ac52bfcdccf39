// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of torch/projector.hpp.

#include <faultline/torch/projector.hpp>

#include <faultline/core/random.hpp>
#include <faultline/torch/libtorch_call.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {
namespace detail {

inline at::Tensor to_tensor(const Matrix<double>& rows) {
  at::Tensor tensor = at::empty({rows.rows(), rows.cols()}, at::kFloat);
  std::transform(rows.values().begin(), rows.values().end(), tensor.data_ptr<float>(),
                 [](double value) { return static_cast<float>(value); });
  return tensor;
}

/// The middle `[N, C, height, width]` of images.
inline at::Tensor middle(const at::Tensor& images, std::int64_t height, std::int64_t width) {
  return images.narrow(2, (images.size(2) - height) / 2, height).narrow(3, (images.size(3) - width) / 2, width);
}

/// Root mean square of fine detail (what a 3x3 mean takes away) in 7x7 windows.
inline at::Tensor detail_strength(const at::Tensor& images) {
  const at::Tensor fine = images - at::avg_pool2d(images, 3, 1, 1, false, false);
  return (at::avg_pool2d(fine * fine, 7, 1, 3, false, false) + 1e-4).sqrt();
}

/// Losses of raw generator images against one target, one entry per row; differentiable.
struct ImageLoss {
  at::Tensor pixel, detail, feature;

  /// `target` is `[1, C, h, w]` in [0, 1].
  ImageLoss(const at::Tensor& unit, const at::Tensor& target,
            const std::function<at::Tensor(const at::Tensor&)>& features) {
    const std::vector<std::int64_t> all{1, 2, 3};
    const at::Tensor seen = middle(unit, target.size(2), target.size(3)), clamped = at::clamp(seen, 0.0, 1.0);
    // Where the target is at an end of the range, going beyond it is no error, and everywhere else the gradient must
    // survive a pixel that left the range.
    const at::Tensor excused =
        ((target <= 0.0) * (seen < 0.0)).logical_or((target >= 1.0) * (seen > 1.0)).to(at::kFloat);
    const at::Tensor difference = (seen - target) * (1.0 - excused);
    pixel = (difference * difference).mean(all);
    const at::Tensor strength = detail_strength(clamped) - detail_strength(target);
    detail = (strength * strength).mean(all);
    if (features) {
      // The target's margin is unknown: it borrows that of the reconstruction, whose part of the gradient is left out.
      at::Tensor filled = at::clamp(unit, 0.0, 1.0).detach().clone();
      middle(filled, target.size(2), target.size(3)).copy_(target.expand_as(seen));
      const at::Tensor wanted = features(filled).detach(), found = features(at::clamp(unit, 0.0, 1.0));
      feature = ((found - wanted) * (found - wanted)).sum(1) / ((wanted * wanted).sum(1) + 1e-6);
      return;
    }
    feature = at::zeros_like(pixel);
    for (std::int64_t size = 2; size <= 4 && size <= std::min(target.size(2), target.size(3)); size *= 2) {
      const at::Tensor coarse = at::avg_pool2d(difference, size);
      feature = feature + 0.5 * (coarse * coarse).mean(all);
    }
  }

  [[nodiscard]] at::Tensor likeness(const ProjectionOptions& options) const {
    return options.pixel_weight * pixel + options.detail_weight * detail + options.feature_weight * feature;
  }
};

/// Adam (Kingma & Ba 2015) on one tensor whose rows are problems of their own.
class RowAdam {
 public:
  explicit RowAdam(const at::Tensor& like) : first_(at::zeros_like(like)), second_(at::zeros_like(like)) {}
  void step(at::Tensor& values, const at::Tensor& gradient, double rate) {
    ++count_;
    first_ = first_ * 0.9 + gradient * 0.1;
    second_ = second_ * 0.99 + gradient * gradient * 0.01;
    const double one = 1.0 - std::pow(0.9, static_cast<double>(count_)),
                 two = 1.0 - std::pow(0.99, static_cast<double>(count_));
    values = values - rate * (first_ / one) / ((second_ / two).sqrt() + 1e-8);
  }
  void keep(const at::Tensor& rows) {
    first_ = first_.index_select(0, rows);
    second_ = second_.index_select(0, rows);
  }

 private:
  at::Tensor first_, second_;
  std::int64_t count_ = 0;
};

/// Share of the full rate at step `step` of `steps`.
inline double ramp(std::int64_t step, std::int64_t steps) {
  const double t = (static_cast<double>(step) + 1.0) / static_cast<double>(steps);
  const double up = std::min(1.0, t / 0.05),
               down = t <= 0.5 ? 1.0 : 0.5 + 0.5 * std::cos(std::numbers::pi * (2.0 * t - 1.0));
  return up * std::max(down, 0.01);
}

template <class Backend>
at::Tensor unit_images(const Generator<Backend>& generator, const at::Tensor& styles) {
  const ValueRange range = generator.value_range();
  return (generator.synthesize(styles, {.noise = Noise::constant}) - range.lower) / (range.upper - range.lower);
}

/// Positions of the `count` smallest values, in ascending order of position.
inline at::Tensor smallest(const at::Tensor& values, std::int64_t count) {
  const at::Tensor on_host = values.contiguous();
  const float* value = on_host.const_data_ptr<float>();
  std::vector<std::int64_t> order(static_cast<std::size_t>(on_host.numel()));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), [value](std::int64_t a, std::int64_t b) { return value[a] < value[b]; });
  order.resize(static_cast<std::size_t>(std::min<std::int64_t>(count, on_host.numel())));
  std::sort(order.begin(), order.end());
  at::Tensor result = at::empty({static_cast<std::int64_t>(order.size())}, at::kLong);
  std::copy(order.begin(), order.end(), result.data_ptr<std::int64_t>());
  return result;
}

/// Percentage of ascending values below x.
inline double percentile(const std::vector<double>& ascending, double x) {
  return 100.0 * static_cast<double>(std::lower_bound(ascending.begin(), ascending.end(), x) - ascending.begin()) /
         static_cast<double>(ascending.size());
}

inline at::Tensor image_tensor(ImageView image) {
  at::Tensor tensor = at::empty({image.count(), image.channels(), image.height(), image.width()}, at::kFloat);
  std::copy_n(image.data(), tensor.numel(), tensor.data_ptr<float>());
  return tensor;
}

}  // namespace detail
}  // namespace stylegan2

template <class Backend>
Projector<Backend>::Projector(const Generator<Backend>& generator, ProjectionOptions options)
    : generator_(&generator), options_(std::move(options)) {
  const auto refuse = [](const std::string& what) { throw Error(ErrorCode::invalid_argument, "Projector", what); };
  const std::int64_t classes = std::max<std::int64_t>(1, generator.num_classes());
  constexpr const char* where = "Projector";
  core::require_in(where, "steps", options_.steps, 1, limits::permutations);
  core::require_in(where, "candidates", options_.candidates, 1, limits::latents);
  core::require_in(where, "starts", options_.starts, 0, limits::directions);
  core::require_in(where, "style_steps", options_.style_steps, 0, limits::permutations);
  core::require_in(where, "references", options_.references, 0, limits::latents);
  core::require_in(where, "population", options_.population, 1, limits::samples);
  if (options_.population < classes * std::max(options_.candidates, generator.w_dim() + 2))
    refuse("the population must hold the candidates of every class and more latents per class than w has entries");
  for (const double value : {options_.pixel_weight, options_.detail_weight, options_.feature_weight,
                             options_.prior_weight, options_.style_weight})
    if (!(value >= 0.0) || !std::isfinite(value)) refuse("weights must be finite and not negative");
  if (!(options_.learning_rate > 0.0) || !std::isfinite(options_.learning_rate))
    refuse("learning_rate must be positive");

  const stylegan2::detail::LibTorchScope scope("Projector");
  const c10::AutoGradMode off(false);
  latents_.resize(options_.population, generator.w_dim());
  std::vector<std::int64_t> labels(static_cast<std::size_t>(options_.population));
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int64_t>(i) % classes;
  constexpr std::int64_t batch = 1000;
  for (std::int64_t first = 0; first < options_.population; first += batch) {
    const std::int64_t count = std::min(batch, options_.population - first);
    Matrix<float> z(count, generator.latent_dim());
    for (std::int64_t i = 0; i < count; ++i)
      core::fill_normals(options_.seed, core::Stream::latents, core::pilot_first + first + i, z.row_span(i));
    const auto own =
        std::span<const std::int64_t>(labels).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    const Matrix<float> w = generator.latent_to_host(generator.map(
        generator.latent_from_host(z), generator.num_classes() > 0 ? generator.label_from_host(own) : at::Tensor()));
    std::copy(w.values().begin(), w.values().end(), latents_.row_span(first).begin());
  }
  whitening_ = statistics::fit_whitening(latents_, labels, classes);
  const Matrix<double> white = statistics::whiten(whitening_, latents_, labels);
  for (std::int64_t i = 0; i < white.rows(); ++i) {
    double square = 0.0;
    for (const double value : white.row_span(i)) square += value * value;
    distances_.push_back(std::sqrt(square));
  }
  std::sort(distances_.begin(), distances_.end());
}

template <class Backend>
void Projector<Backend>::check(ImageView image) const {
  const ImageShape made = generator_->image_shape();
  if (image.channels() != made.channels || image.height() > made.height || image.width() > made.width ||
      image.height() < 1 || image.width() < 1)
    throw Error(ErrorCode::shape_mismatch, "Projector",
                "expected images of " + std::to_string(made.channels) + " channels and at most " +
                    std::to_string(made.height) + " x " + std::to_string(made.width) + " pixels, got " +
                    std::to_string(image.channels()) + " channels and " + std::to_string(image.height()) + " x " +
                    std::to_string(image.width()));
  for (std::int64_t i = 0; i < image.count(); ++i)
    for (const float value : image.image(i))
      if (!(value >= 0.0f && value <= 1.0f))
        throw Error(ErrorCode::invalid_argument, "Projector", "pixels must lie in [0, 1]; divide bytes by 255");
}

template <class Backend>
Projection Projector<Backend>::project(ImageView image, std::optional<std::int64_t> label) {
  if (image.count() != 1)
    throw Error(ErrorCode::shape_mismatch, "Projector", "expected one image, got " + std::to_string(image.count()));
  check(image);
  if (label && (*label < 0 || *label >= whitening_.classes()))
    throw Error(ErrorCode::label_out_of_range, "Projector",
                "got label " + std::to_string(*label) + ", the generator makes " +
                    std::to_string(whitening_.classes()) + " classes");
  const stylegan2::detail::LibTorchScope scope("Projector");
  Projection result = best(image, label);
  if (!references().empty()) {
    result.likeness_percentile = stylegan2::detail::percentile(references(), result.loss.likeness);
    result.good = result.likeness_percentile <= 95.0;
  }
  if (options_.style_steps > 0) refine_styles(stylegan2::detail::image_tensor(image), result);
  return result;
}

template <class Backend>
void Projector<Backend>::set_references(ImageView images, std::span<const std::int64_t> labels) {
  if (images.count() < 1) throw Error(ErrorCode::empty_input, "Projector", "expected at least one reference image");
  if (static_cast<std::int64_t>(labels.size()) != images.count())
    throw Error(ErrorCode::shape_mismatch, "Projector", "expected one label per reference image");
  check(images);
  const stylegan2::detail::LibTorchScope scope("Projector");
  std::vector<double> losses;
  for (std::int64_t i = 0; i < images.count(); ++i) {
    const std::int64_t label = labels[static_cast<std::size_t>(i)];
    if (label < 0 || label >= whitening_.classes())
      throw Error(ErrorCode::label_out_of_range, "Projector",
                  "got label " + std::to_string(label) + " of a reference image");
    losses.push_back(best(images.slice(i, 1), label).loss.likeness);
    report_progress(options_.progress, "references", i + 1, images.count());
  }
  std::sort(losses.begin(), losses.end());
  references_ = std::move(losses);
}

template <class Backend>
const std::vector<double>& Projector<Backend>::references() {
  if (references_) return *references_;
  if (options_.references == 0) return references_.emplace();
  const stylegan2::detail::LibTorchScope scope("Projector");
  const c10::AutoGradMode off(false);
  Matrix<float> z(options_.references, generator_->latent_dim());
  std::vector<std::int64_t> labels;
  const std::int64_t first = core::pilot_first + options_.population;
  for (std::int64_t i = 0; i < options_.references; ++i) {
    core::fill_normals(options_.seed, core::Stream::latents, first + i, z.row_span(i));
    labels.push_back(i % whitening_.classes());
  }
  const at::Tensor w =
      generator_->map(generator_->latent_from_host(z),
                      generator_->num_classes() > 0 ? generator_->label_from_host(labels) : at::Tensor());
  ImageBatch images = generator_->image_to_host(
      generator_->synthesize(generator_->styles(w), {.noise = Noise::random, .seed = options_.seed, .first = first}));
  const ValueRange range = generator_->value_range();
  for (std::int64_t i = 0; i < images.count(); ++i)
    for (float& value : images.image(i))
      value = static_cast<float>(
          std::clamp((static_cast<double>(value) - range.lower) / (range.upper - range.lower), 0.0, 1.0));
  set_references(images, labels);
  return *references_;
}

/// Whitened start latents of one class, `[1 + starts, r]`: its mean, and the sampled latents whose images are nearest.
template <class Backend>
at::Tensor Projector<Backend>::starts(const at::Tensor& target, std::int64_t label) const {
  const c10::AutoGradMode off(false);
  const std::int64_t count =
      std::min(options_.candidates, (options_.population - label + whitening_.classes() - 1) / whitening_.classes());
  Matrix<float> w(count, latents_.cols());
  for (std::int64_t i = 0; i < count; ++i) {
    const auto row = latents_.row_span(label + i * whitening_.classes());
    std::copy(row.begin(), row.end(), w.row_span(i).begin());
  }
  const std::vector<std::int64_t> labels(static_cast<std::size_t>(count), label);
  const at::Tensor white = stylegan2::detail::to_tensor(statistics::whiten(whitening_, w, labels));
  std::vector<at::Tensor> likeness;
  const at::Tensor latents = generator_->latent_from_host(w);
  for (std::int64_t first = 0; first < count; first += 64) {
    const at::Tensor unit = stylegan2::detail::unit_images(
        *generator_,
        generator_->styles(latents.narrow(0, first, std::min<std::int64_t>(64, count - first)).contiguous()));
    likeness.push_back(stylegan2::detail::ImageLoss(unit, target, options_.features).likeness(options_));
  }
  const at::Tensor nearest = stylegan2::detail::smallest(at::cat(likeness, 0), options_.starts);
  return at::cat({at::zeros({1, white.size(1)}, at::kFloat), white.index_select(0, nearest)}, 0);
}

template <class Backend>
Projection Projector<Backend>::best(ImageView image, std::optional<std::int64_t> label) const {
  namespace sd = stylegan2::detail;
  const at::Tensor target = sd::image_tensor(image);
  std::vector<at::Tensor> latents;
  std::vector<std::int64_t> labels;
  for (std::int64_t c = 0; c < whitening_.classes(); ++c) {
    if (label && *label != c) continue;
    latents.push_back(starts(target, c));
    labels.insert(labels.end(), static_cast<std::size_t>(latents.back().size(0)), c);
  }
  at::Tensor x = at::cat(latents, 0);
  const at::Tensor from_white = sd::to_tensor(whitening_.from_white), means = sd::to_tensor(whitening_.class_means);
  at::Tensor owners = at::empty({static_cast<std::int64_t>(labels.size())}, at::kLong);
  std::copy(labels.begin(), labels.end(), owners.data_ptr<std::int64_t>());
  const auto rank = static_cast<double>(whitening_.rank());

  struct Looked {
    at::Tensor w, unit, prior, total;
    sd::ImageLoss image;
  };
  const auto look = [&](const at::Tensor& white) {
    const at::Tensor w = means.index_select(0, owners) + at::matmul(white, from_white);
    const at::Tensor unit = sd::unit_images(*generator_, generator_->styles(w));
    sd::ImageLoss loss(unit, target, options_.features);
    const at::Tensor prior = (white * white).sum(1) / rank;
    return Looked{w, unit, prior, loss.likeness(options_) + options_.prior_weight * prior, std::move(loss)};
  };
  sd::RowAdam adam(x);
  for (std::int64_t step = 0; step < options_.steps; ++step) {
    at::Tensor gradient;
    at::Tensor total;
    {
      const c10::AutoGradMode on(true);
      const at::Tensor leaf = x.detach().clone().requires_grad_(true);
      total = look(leaf).total;
      gradient = torch::autograd::grad({total.sum()}, {leaf}).front();
    }
    const c10::AutoGradMode off(false);
    adam.step(x, gradient, options_.learning_rate * sd::ramp(step, options_.steps));
    if (step + 1 == options_.steps / 3) {
      const at::Tensor keep = sd::smallest(total.detach(), std::max<std::int64_t>(4, x.size(0) / 4));
      x = x.index_select(0, keep);
      owners = owners.index_select(0, keep);
      adam.keep(keep);
    }
    report_progress(options_.progress, "projection", step + 1, options_.steps);
  }
  const c10::AutoGradMode off(false);
  const Looked end = look(x);
  const std::int64_t row = sd::smallest(end.total, 1).template item<std::int64_t>();
  const auto value = [row](const at::Tensor& values) { return values.select(0, row).item<double>(); };
  Projection result;
  result.label = owners.select(0, row).template item<std::int64_t>();
  const Matrix<float> w = generator_->latent_to_host(end.w.narrow(0, row, 1).contiguous());
  result.w.assign(w.values().begin(), w.values().end());
  const at::Tensor styles = generator_->styles(end.w.narrow(0, row, 1).contiguous());
  const Matrix<float> s = generator_->style_to_host(styles);
  result.s.assign(s.values().begin(), s.values().end());
  result.reconstruction = generator_->image_to_host(at::clamp(sd::unit_images(*generator_, styles), 0.0, 1.0));
  result.loss = {value(end.image.pixel), value(end.image.detail), value(end.image.feature), value(end.prior),
                 value(end.image.likeness(options_))};
  const at::Tensor clamped =
      at::clamp(sd::middle(end.unit.narrow(0, row, 1), target.size(2), target.size(3)), 0.0, 1.0);
  result.rms = std::sqrt(((clamped - target) * (clamped - target)).mean().template item<double>());
  result.mahalanobis = std::sqrt(result.loss.prior * rank);
  result.percentile = sd::percentile(distances_, result.mahalanobis);
  return result;
}

/// Moves s on its own, held near the styles of w in standard deviations of each channel. Loss, reconstruction and rms
/// become those of the moved styles.
template <class Backend>
void Projector<Backend>::refine_styles(const at::Tensor& target, Projection& projection) const {
  namespace sd = stylegan2::detail;
  const auto projections = statistics::projection_directions(whitening_, generator_->style_matrix());
  at::Tensor inverse = at::empty({1, static_cast<std::int64_t>(projections.deviations.size())}, at::kFloat),
             origin = at::empty_like(inverse);
  for (std::size_t k = 0; k < projections.deviations.size(); ++k)
    inverse.data_ptr<float>()[k] = static_cast<float>(1.0 / std::max(projections.deviations[k], 1e-3));
  std::copy(projection.s.begin(), projection.s.end(), origin.data_ptr<float>());
  at::Tensor shift = at::zeros_like(origin);  // in standard deviations
  sd::RowAdam adam(shift);
  const auto look = [&](const at::Tensor& moved) { return sd::unit_images(*generator_, origin + moved / inverse); };
  for (std::int64_t step = 0; step < options_.style_steps; ++step) {
    at::Tensor gradient;
    {
      const c10::AutoGradMode on(true);
      const at::Tensor leaf = shift.detach().clone().requires_grad_(true);
      const at::Tensor total = sd::ImageLoss(look(leaf), target, options_.features).likeness(options_).sum() +
                               options_.style_weight * (leaf * leaf).mean();
      gradient = torch::autograd::grad({total}, {leaf}).front();
    }
    const c10::AutoGradMode off(false);
    adam.step(shift, gradient, 0.5 * options_.learning_rate * sd::ramp(step, options_.style_steps));
    report_progress(options_.progress, "styles", step + 1, options_.style_steps);
  }
  const c10::AutoGradMode off(false);
  const at::Tensor styles = (origin + shift / inverse).contiguous(), unit = look(shift);
  const sd::ImageLoss loss(unit, target, options_.features);
  const Matrix<float> s = generator_->style_to_host(styles);
  projection.s.assign(s.values().begin(), s.values().end());
  projection.reconstruction = generator_->image_to_host(at::clamp(unit, 0.0, 1.0));
  projection.loss = {loss.pixel.item<double>(), loss.detail.item<double>(), loss.feature.item<double>(),
                     projection.loss.prior, loss.likeness(options_).item<double>()};
  const at::Tensor clamped = at::clamp(sd::middle(unit, target.size(2), target.size(3)), 0.0, 1.0);
  projection.rms = std::sqrt(((clamped - target) * (clamped - target)).mean().template item<double>());
}

}  // namespace v1
}  // namespace faultline
