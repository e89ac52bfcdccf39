// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Projector: which latent of the generator comes closest to a given image? (Optimisation in w as in Abdal et al. 2019
// and Karras et al. 2020, section 5; here in whitened coordinates, so that one step means the same in every direction
// and "unlikely" can be counted in standard deviations.)

#include <faultline/core/image.hpp>
#include <faultline/core/progress.hpp>
#include <faultline/statistics/whitening.hpp>
#include <faultline/stylegan2/generator.hpp>
#include <faultline/torch/libtorch.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {

/// How an image is projected.
struct ProjectionOptions {
  std::int64_t steps = 100;          ///< of Adam
  std::int64_t candidates = 200;     ///< sampled latents per class that are compared with the image ...
  std::int64_t starts = 4;           ///< ... of which so many are started from, beside the class mean
  std::int64_t population = 10'000;  ///< sampled latents (no images) that say what an ordinary w is
  double learning_rate = 0.1;        ///< in standard deviations of w
  double pixel_weight = 1.0;
  double detail_weight = 10.0;
  double feature_weight = 0.02;
  double prior_weight = 0.002;
  std::int64_t style_steps = 0;  ///< further steps in s, from the styles of the projected w
  /// Keeps s near the styles of w, per squared standard deviation of each channel
  double style_weight = 0.01;
  std::int64_t seed = 0;  ///< of population, candidates and references
  /// Known images whose losses say what a good reconstruction is; 0: no verdict
  std::int64_t references = 12;
  /// Features `[N, F]` of images `[N, C, H, W]` in [0, 1] at the generator's size, differentiable: those of an
  /// independent judge, for example. Without it, coarser copies of the image are compared instead.
  std::function<at::Tensor(const at::Tensor& images)> features = {};
  ProgressCallback progress = {};
};

/// The pieces of a projection's loss, unweighted.
struct ProjectionLoss {
  double pixel = 0.0;  ///< mean square difference of the pixels
  /// Mean square difference of the local strength of fine detail: sees how noisy an image is without asking for the
  /// same noise
  double detail = 0.0;
  /// Squared difference of the features over the squared length of the image's; without features the mean square
  /// difference of coarser copies
  double feature = 0.0;
  double prior = 0.0;     ///< squared Mahalanobis distance over its expectation: 1 for an ordinary w
  double likeness = 0.0;  ///< the weighted sum of all but the prior: how well the image is met
};

/// A latent for an image. Plain data.
struct Projection {
  std::int64_t label = 0;
  std::vector<float> w;       ///< `[w_dim]`
  std::vector<float> s;       ///< `[D]`; the styles of w, unless `style_steps` moved them
  ImageBatch reconstruction;  ///< one image in [0, 1], of the generator's size
  ProjectionLoss loss;
  double rms = 0.0;                  ///< root mean square difference of image and reconstruction
  double mahalanobis = 0.0;          ///< distance of w from its class mean in within-class standard deviations
  double percentile = 0.0;           ///< of that distance in the population, 0 to 100
  double likeness_percentile = 0.0;  ///< share of reference images that were met better, 0 to 100
  /// Better met than the worst twentieth of the references; empty without references
  std::optional<bool> good = std::nullopt;
};

/// Projects images onto what a generator can make.
///
/// The loss is pixel + detail + features + prior (see `ProjectionLoss`). An image smaller than the generator's is
/// compared with the centre of what it makes, since nothing is known of its margin; pixels that are black (white) in
/// the image may be blacker (whiter) in the raw reconstruction, since classifiers see them clamped. Several starts per
/// class: the class mean, and the sampled latents whose images are nearest. After a third of the steps the better
/// quarter goes on (at least four). Adam in whitened w with a learning rate that rises over the first twentieth and
/// falls along half a cosine over the last half. Noise inputs are the stored ones.
/// **What is good**: `references` generated images with fresh noise inputs, which the stored ones cannot give exactly,
/// are projected in the same way, label known. Real images lie off what a generator can make and are met worse:
/// `set_references` takes real ones instead.
/// **Throws** invalid_argument for options out of range and pixels outside [0, 1], label_out_of_range, shape_mismatch
/// for images that are larger than the generator's or have other channels.
/// **Randomness**: from (options.seed, streams latents and noise, 2^42 on). The same machine type, LibTorch and number
/// of threads give the same result.
/// **Cost**: with a known label about (starts + 1) x steps images forward and back, three times a third of that per
/// class otherwise; references once per projector.
/// Example: `Projector projector(generator); Projection p = projector.project(image, 3);`
template <class Backend>
class Projector {
 public:
  explicit Projector(const Generator<Backend>& generator, ProjectionOptions options = {});
  explicit Projector(const Generator<Backend>&&, ProjectionOptions = {}) = delete;

  /// The latent of one image `[1, C, h, w]` in [0, 1] of the class `label`; of an unknown one every class is tried and
  /// the best is kept.
  [[nodiscard]] Projection project(ImageView image, std::optional<std::int64_t> label = std::nullopt);

  /// Says what a good reconstruction is by images with known labels (`[N, C, h, w]`) instead of generated ones. Cost:
  /// as much as projecting them.
  void set_references(ImageView images, std::span<const std::int64_t> labels);
  /// Likenesses of the references, ascending; made when first needed.
  [[nodiscard]] const std::vector<double>& references();

  [[nodiscard]] const statistics::Whitening& whitening() const noexcept { return whitening_; }
  [[nodiscard]] const ProjectionOptions& options() const noexcept { return options_; }

 private:
  void check(ImageView image) const;
  [[nodiscard]] Projection best(ImageView image, std::optional<std::int64_t> label) const;
  [[nodiscard]] at::Tensor starts(const at::Tensor& target, std::int64_t label) const;
  void refine_styles(const at::Tensor& target, Projection& projection) const;

  const Generator<Backend>* generator_;
  ProjectionOptions options_;
  statistics::Whitening whitening_;
  Matrix<float> latents_;          ///< w of the population, row i of class i mod classes
  std::vector<double> distances_;  ///< Mahalanobis distances of the population, ascending
  std::optional<std::vector<double>> references_;
};

}  // namespace v1
}  // namespace faultline

#include <faultline/torch/detail/projector_impl.hpp>
