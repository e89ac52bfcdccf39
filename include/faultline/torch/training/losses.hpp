// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The losses of StyleGAN2 training (Goodfellow et al. 2014; Mescheder et al. 2018; Karras et al. 2020) and the
// matching-aware term of Reed et al. 2016.

#include <faultline/torch/networks.hpp>
#include <faultline/torch/training/libtorch.hpp>

#include <vector>

namespace faultline {
inline namespace v1 {
namespace training {

/// Non-saturating loss of the generator: mean softplus(−D). Shape: logits `[N]` or `[N, 1]`.
inline at::Tensor generator_loss(const at::Tensor& fake_logits) { return at::softplus(-fake_logits).mean(); }

/// Logistic loss of the discriminator: mean softplus(D(fake)) + mean softplus(−D(real)).
inline at::Tensor discriminator_loss(const at::Tensor& fake_logits, const at::Tensor& real_logits) {
  return at::softplus(fake_logits).mean() + at::softplus(-real_logits).mean();
}

/// Real images under wrong labels count as fakes: softplus(D(x, c')) averaged over samples and their K − 1 wrong
/// labels.
///
/// Shapes: logits of every class `[N, K]`, one-hot true classes `[N, K]`.
inline at::Tensor mismatch_loss(const at::Tensor& class_logits, const at::Tensor& classes) {
  const at::Tensor wrong = 1.0 - classes;
  return (at::softplus(class_logits) * wrong).sum() / wrong.sum();
}

/// R1 penalty γ/2 · mean_n ‖∂(Σ_m D(x_m))/∂x_n‖², differentiable. `images` must require a gradient and `logits` come
/// from them.
inline at::Tensor r1_penalty(const at::Tensor& logits, const at::Tensor& images, double gamma) {
  const at::Tensor gradient = torch::autograd::grad({logits.sum()}, {images}, {}, true, true).front();
  return gradient.square().sum({1, 2, 3}).mean() * (gamma / 2.0);
}

/// Path lengths ℓ_n = sqrt(mean_j Σ_d J_njd²), J = ∂Σ(G·y)/∂w, differentiable.
///
/// Shapes: images `[N, C, H, W]` from w `[N, num_ws, w_dim]` (requiring a gradient), y like the images, normals over
/// √(H·W) -> `[N]`.
inline at::Tensor path_lengths(const at::Tensor& images, const at::Tensor& w, const at::Tensor& y) {
  const at::Tensor jacobian = torch::autograd::grad({(images * y).sum()}, {w}, {}, true, true).front();
  return jacobian.square().sum(2).mean(1).sqrt();
}

/// Decay of the averaged generator for one step: 0.5^(B / max(h, 1e-8)), h = min(half_life, ramp · seen), images seen
/// before this step.
inline double ema_decay(std::int64_t batch, double half_life_kimg, double ramp, std::int64_t seen) {
  double half_life = half_life_kimg * 1000.0;
  if (ramp > 0.0) half_life = std::min(half_life, ramp * static_cast<double>(seen));
  return std::pow(0.5, static_cast<double>(batch) / std::max(half_life, 1e-8));
}

}  // namespace training
}  // namespace v1
}  // namespace faultline
