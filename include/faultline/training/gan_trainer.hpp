// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// One GAN training run as plain state and a step function: everything that a later step depends on is in the state.

#include <faultline/training/adam.hpp>
#include <faultline/training/fused.hpp>
#include <faultline/training/gan_options.hpp>
#include <faultline/training/losses.hpp>

#include <cmath>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace training {

/// A batch of real images `[N, C, R, R]` in the generator's value range with labels `[N]` int64 (undefined when unconditional).
struct RealBatch {
  at::Tensor images;
  at::Tensor labels;
};

/// Means of a step, for progress lines. R1 and path length keep their last value between their steps.
struct GanLosses {
  double generator = 0.0;
  double discriminator = 0.0;
  double real_logit = 0.0;
  double fake_logit = 0.0;
  double mismatch = 0.0;
  double r1 = 0.0;
  double path_length = 0.0;
};

/// What a checkpoint holds: both networks, the averaged generator, both optimisers, counters.
struct GanState {
  stylegan2::Weights generator;
  stylegan2::Weights discriminator;
  stylegan2::Weights average;
  Adam generator_adam;
  Adam discriminator_adam;
  std::int64_t step = 0;         ///< steps done
  std::int64_t images_seen = 0;  ///< real images shown to the discriminator
  double path_length_mean = 0.0;
};

/// Trains a generator and a discriminator (StyleGAN2: G step, lazy path length, D step, lazy R1, averaging).
///
/// Randomness: every draw of step t comes from (seed, purpose, t); no generator state exists, so a run that stops and goes on equals one that never stopped, bit for bit
/// (same machine type, LibTorch and number of threads).
/// Example: `GanTrainer trainer(gan_preset("digits")); while (...) trainer.step(data.batch(trainer.state().step));`
class GanTrainer {
 public:
  explicit GanTrainer(GanPreset preset) : GanTrainer(preset, initial_state(preset)) {}

  /// Goes on from `state`.
  GanTrainer(GanPreset preset, GanState state) : preset_(std::move(preset)), state_(std::move(state)) {
    validate(preset_);
    if (preset_.generator.c_dim > 0) all_classes_ = at::eye(preset_.generator.c_dim, at::kFloat);
    set_trainable(state_.generator, true);
    set_trainable(state_.discriminator, true);
    state_.generator_adam.set_learning_rate(adam_options(preset_.options, preset_.options.path_length_interval).learning_rate);
    state_.discriminator_adam.set_learning_rate(adam_options(preset_.options, preset_.options.r1_interval).learning_rate);
  }

  [[nodiscard]] const GanPreset& preset() const noexcept { return preset_; }
  [[nodiscard]] const GanState& state() const noexcept { return state_; }

  /// One step on a batch of real images. Cost: about 1.1 GFLOP per image for the preset `digits`.
  GanLosses step(const RealBatch& real) {
    const GanOptions& options = preset_.options;
    generator_step(options.batch);
    if (options.path_length_weight > 0.0 && state_.step % options.path_length_interval == 0) path_length_step(std::max<std::int64_t>(1, options.batch / 2));
    discriminator_step(real);
    if (options.r1_gamma > 0.0 && state_.step % options.r1_interval == 0) r1_step(real);
    update_average();
    ++state_.step;
    state_.images_seen += options.batch;
    return losses_;
  }

  /// A state before the first step.
  static GanState initial_state(const GanPreset& preset) {
    validate(preset);
    GanState state;
    state.generator = stylegan2::initial_weights(preset.generator, derived_seed(preset.options.seed, Purpose::generator_weights));
    state.discriminator = stylegan2::initial_weights(preset.discriminator, derived_seed(preset.options.seed, Purpose::discriminator_weights));
    state.average = state.generator.clone();
    state.generator_adam = Adam(adam_options(preset.options, preset.options.path_length_interval));
    state.discriminator_adam = Adam(adam_options(preset.options, preset.options.r1_interval));
    return state;
  }

  /// Optimiser options of a network whose regulariser runs every `interval` steps.
  static AdamOptions adam_options(const GanOptions& options, std::int64_t interval) { return lazy_correction({options.learning_rate, 0.0, 0.99, 1e-8}, interval); }

 private:
  enum class Purpose : std::uint64_t { generator_weights = 1, discriminator_weights, generator_phase, path_length_phase, discriminator_phase };

  /// Seeds of different purposes never share a Philox key.
  static std::int64_t derived_seed(std::int64_t seed, Purpose purpose) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(seed) ^ (static_cast<std::uint64_t>(purpose) * 0x9E3779B97F4A7C15ULL));
  }

  struct Fake {
    at::Tensor images;
    at::Tensor classes;
    at::Tensor labels;
    at::Tensor w;
  };

  static void set_trainable(stylegan2::Weights& weights, bool trainable) {
    for (const auto& [name, tensor] : weights.all()) const_cast<at::Tensor&>(tensor).set_requires_grad(trainable && !stylegan2::is_buffer(name));
  }

  /// Images of a fresh batch: latents, labels, mixing cutoff and noise from (seed, purpose, step).
  Fake fake_batch(Purpose purpose, std::int64_t count, bool differentiable_twice = false) {
    const auto& config = preset_.generator;
    const std::int64_t seed = derived_seed(preset_.options.seed, purpose);
    const std::int64_t first = state_.step * preset_.options.batch;
    const auto latents = [&](std::int64_t offset) {
      at::Tensor z = at::empty({count, config.z_dim}, at::kFloat);
      for (std::int64_t i = 0; i < count; ++i)
        fill_normals(seed + offset, Stream::latents, first + i, std::span<float>(z.data_ptr<float>() + i * config.z_dim, static_cast<std::size_t>(config.z_dim)));
      return z;
    };
    Fake fake;
    if (config.c_dim > 0) {
      fake.labels = at::empty({count}, at::kLong);
      for (std::int64_t i = 0; i < count; ++i) fake.labels.data_ptr<std::int64_t>()[i] = draw_label(seed, first + i, config.c_dim);
      fake.classes = stylegan2::one_hot(fake.labels, config.c_dim);
    }
    const at::Tensor w = stylegan2::mapping(config, state_.generator, latents(0), fake.classes);
    {
      const c10::AutoGradMode off(false);
      state_.generator["mapping.w_avg"].detach().lerp_(w.detach().mean(0), 1.0 - preset_.options.w_average_decay);
    }
    const std::int64_t slots = config.num_ws();
    CounterRandom random(seed, Stream::codes, state_.step);
    const bool mixes = random.uniform() < preset_.options.style_mixing;
    const std::int64_t cutoff = 1 + random.below(slots - 1);
    fake.w = w.unsqueeze(1).expand({count, slots, config.w_dim});
    if (mixes) {
      const at::Tensor second = stylegan2::mapping(config, state_.generator, latents(1), fake.classes).unsqueeze(1).expand({count, slots, config.w_dim});
      fake.w = at::cat({fake.w.narrow(1, 0, cutoff), second.narrow(1, cutoff, slots - cutoff)}, 1);
    }
    const auto styles = stylegan2::layer_styles(config, state_.generator, fake.w);
    const auto noise = random_noise(seed, first, count);
    fake.images = can_fuse(config) && !differentiable_twice ? fused_synthesis(config, state_.generator, styles, noise) : stylegan2::synthesis(config, state_.generator, styles, noise);
    return fake;
  }

  [[nodiscard]] std::vector<at::Tensor> random_noise(std::int64_t seed, std::int64_t first, std::int64_t count) const {
    std::vector<at::Tensor> noise;
    std::int64_t layer_index = 0;
    for (const auto& layer : stylegan2::synthesis_layers(preset_.generator)) {
      if (layer.kind == stylegan2::SynthesisLayer::Kind::to_rgb) continue;
      const std::int64_t pixels = layer.resolution * layer.resolution;
      at::Tensor values = at::empty({count, 1, layer.resolution, layer.resolution}, at::kFloat);
      float* data = values.data_ptr<float>();
      const std::int64_t layer_seed = seed + layer_index++;
      at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) fill_normals(layer_seed, Stream::noise, first + i, std::span<float>(data + i * pixels, static_cast<std::size_t>(pixels)));
      });
      noise.push_back(values);
    }
    return noise;
  }

  [[nodiscard]] at::Tensor features(const at::Tensor& images) const {
    return can_fuse(preset_.discriminator) ? fused_discriminator_features(preset_.discriminator, state_.discriminator, images)
                                           : stylegan2::discriminator_features(preset_.discriminator, state_.discriminator, images);
  }

  /// Logits of every class `[N, K]` (or `[N, 1]` when unconditional).
  [[nodiscard]] at::Tensor class_logits(const at::Tensor& f) const {
    if (!all_classes_.defined()) return f;
    return at::matmul(f, stylegan2::discriminator_classes(preset_.discriminator, state_.discriminator, all_classes_).t());
  }
  static at::Tensor own_logits(const at::Tensor& logits, const at::Tensor& labels) { return labels.defined() ? logits.gather(1, labels.unsqueeze(1)) : logits; }

  void generator_step(std::int64_t batch) {
    set_trainable(state_.discriminator, false);
    const Fake fake = fake_batch(Purpose::generator_phase, batch);
    const at::Tensor loss = generator_loss(own_logits(class_logits(features(fake.images)), fake.labels));
    loss.backward();
    set_trainable(state_.discriminator, true);
    state_.generator_adam.step(state_.generator);
    losses_.generator = loss.item<double>();
  }

  void path_length_step(std::int64_t batch) {
    const Fake fake = fake_batch(Purpose::path_length_phase, batch, true);
    const std::int64_t size = preset_.generator.img_resolution;
    at::Tensor y = at::empty(fake.images.sizes(), at::kFloat);
    fill_normals(derived_seed(preset_.options.seed, Purpose::path_length_phase), Stream::codes, -1 - state_.step, std::span<float>(y.data_ptr<float>(), static_cast<std::size_t>(y.numel())));
    const at::Tensor lengths = path_lengths(fake.images, fake.w, y / static_cast<double>(size));
    const at::Tensor mean = lengths.mean() * preset_.options.path_length_decay + state_.path_length_mean * (1.0 - preset_.options.path_length_decay);
    const at::Tensor loss = (lengths - mean).square().mean() * (preset_.options.path_length_weight * static_cast<double>(preset_.options.path_length_interval));
    loss.backward();
    state_.path_length_mean = mean.item<float>();
    state_.generator_adam.step(state_.generator);
    losses_.path_length = lengths.mean().item<double>();
  }

  void discriminator_step(const RealBatch& real) {
    Fake fake;
    {
      const c10::AutoGradMode off(false);
      fake = fake_batch(Purpose::discriminator_phase, preset_.options.batch);
    }
    const at::Tensor fake_logits = own_logits(class_logits(features(fake.images)), fake.labels);
    const at::Tensor all_logits = class_logits(features(real.images));
    const at::Tensor real_logits = own_logits(all_logits, real.labels);
    at::Tensor loss = discriminator_loss(fake_logits, real_logits);
    losses_.discriminator = loss.item<double>();
    const double mismatch_weight = mismatch_weight_at(preset_.options, state_.images_seen);
    if (mismatch_weight > 0.0 && preset_.discriminator.c_dim > 1) {
      const at::Tensor mismatch = mismatch_loss(all_logits, stylegan2::one_hot(real.labels, preset_.discriminator.c_dim));
      losses_.mismatch = mismatch.item<double>();
      loss = loss + mismatch * mismatch_weight;
    }
    loss.backward();
    state_.discriminator_adam.step(state_.discriminator);
    losses_.real_logit = real_logits.mean().item<double>();
    losses_.fake_logit = fake_logits.mean().item<double>();
  }

  void r1_step(const RealBatch& real) {
    const at::Tensor images = real.images.detach().set_requires_grad(true);
    const at::Tensor classes = real.labels.defined() ? stylegan2::one_hot(real.labels, preset_.discriminator.c_dim) : at::Tensor();
    const at::Tensor penalty = r1_penalty(stylegan2::discriminator(preset_.discriminator, state_.discriminator, images, classes), images, preset_.options.r1_gamma);
    (penalty * static_cast<double>(preset_.options.r1_interval)).backward();
    state_.discriminator_adam.step(state_.discriminator);
    losses_.r1 = penalty.item<double>();
  }

  void update_average() {
    const c10::AutoGradMode off(false);
    const double decay = ema_decay(preset_.options.batch, preset_.options.ema_kimg, preset_.options.ema_ramp, state_.images_seen);
    for (const auto& [name, tensor] : state_.generator.all()) {
      const at::Tensor average = state_.average[name];
      if (stylegan2::is_buffer(name)) average.copy_(tensor);
      else average.lerp_(tensor.detach(), 1.0 - decay);
    }
  }

  GanPreset preset_;
  GanState state_;
  GanLosses losses_;
  at::Tensor all_classes_;
};

}  // namespace training
}  // namespace v1
}  // namespace faultline
