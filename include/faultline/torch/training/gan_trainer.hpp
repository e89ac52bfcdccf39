// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// One GAN training run as plain state and a step function: everything that a later step depends on is in the state.

#include <faultline/core/parallel_for.hpp>
#include <faultline/torch/threads.hpp>
#include <faultline/torch/training/adam.hpp>
#include <faultline/torch/training/augment.hpp>
#include <faultline/torch/training/detail/libtorch_loop.hpp>
#include <faultline/torch/training/fused.hpp>
#include <faultline/torch/training/gan_options.hpp>
#include <faultline/torch/training/losses.hpp>

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace training {

/// A batch of real images `[N, C, R, R]` in the generator's value range with labels `[N]` int64 (undefined when
/// unconditional).
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
  double real_sign = 0.0;  ///< mean sign of the real logits in the last interval of adaptive augmentation
};

/// What a checkpoint holds: both networks, the averaged generator, both optimisers, counters.
struct GanState {
  stylegan2::TensorWeights generator;
  stylegan2::TensorWeights discriminator;
  stylegan2::TensorWeights average;
  Adam generator_adam;
  Adam discriminator_adam;
  std::int64_t step = 0;         ///< steps done
  std::int64_t images_seen = 0;  ///< real images shown to the discriminator
  double path_length_mean = 0.0;
  double augmentation = 0.0;         ///< strength p of adaptive augmentation
  std::int64_t real_sign_sum = 0;    ///< signs of the real logits since p last changed
  std::int64_t real_sign_count = 0;  ///< their number
};

/// Trains a generator and a discriminator (StyleGAN2: G step, lazy path length, D step, lazy R1, averaging, adaptive
/// augmentation).
///
/// Randomness: every draw of step t comes from (seed, purpose, t); no generator state exists, so a run that stops and
/// goes on equals one that never stopped, bit for bit (same machine type and LibTorch; with one part also the same
/// number of threads).
/// Example: `GanTrainer trainer(gan_preset("digits")); while (...) trainer.step(data.batch(trainer.state().step));`
class GanTrainer {
 public:
  explicit GanTrainer(GanPreset preset) : GanTrainer(preset, initial_state(preset)) {}

  /// Goes on from `state`.
  GanTrainer(GanPreset preset, GanState state) : preset_(std::move(preset)), state_(std::move(state)) {
    validate(preset_);
    const stylegan2::detail::LibTorchScope scope("GanTrainer");
    if (preset_.generator.c_dim > 0) all_classes_ = at::eye(preset_.generator.c_dim, at::kFloat);
  }

  [[nodiscard]] const GanPreset& preset() const noexcept { return preset_; }
  [[nodiscard]] const GanState& state() const noexcept { return state_; }

  /// One step on a batch of real images. Throws shape_mismatch when the batch is not what the preset says,
  /// label_out_of_range. Cost: about 1.1 GFLOP per image for the preset `digits`.
  GanLosses step(const RealBatch& real) {
    return stylegan2::detail::libtorch_call("GanTrainer", [&] {
      const c10::AutoGradMode gradients(true);
      return take_step(real);
    });
  }

  /// A state before the first step.
  static GanState initial_state(const GanPreset& preset) {
    validate(preset);
    const stylegan2::detail::LibTorchScope scope("GanTrainer");
    GanState state;
    state.generator = stylegan2::to_tensors(
        stylegan2::initial_weights(preset.generator, derived_seed(preset.options.seed, Purpose::generator_weights)));
    state.discriminator = stylegan2::to_tensors(stylegan2::initial_weights(
        preset.discriminator, derived_seed(preset.options.seed, Purpose::discriminator_weights)));
    state.average = state.generator.clone();
    state.generator_adam = Adam(adam_options(preset.options, preset.options.path_length_interval));
    state.discriminator_adam = Adam(adam_options(preset.options, preset.options.r1_interval));
    return state;
  }

  /// Optimiser options of a network whose regulariser runs every `interval` steps.
  static AdamOptions adam_options(const GanOptions& options, std::int64_t interval) {
    return lazy_correction({options.learning_rate, 0.0, 0.99, 1e-8}, interval);
  }

 private:
  enum class Purpose : std::uint64_t {
    generator_weights = 1,
    discriminator_weights,
    generator_phase,
    path_length_phase,
    discriminator_phase,
    real_augmentation,
    r1_augmentation
  };

  /// Seeds of different purposes never share a Philox key.
  static std::int64_t derived_seed(std::int64_t seed, Purpose purpose) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(seed) ^
                                     (static_cast<std::uint64_t>(purpose) * 0x9E3779B97F4A7C15ULL));
  }

  struct Fake {
    at::Tensor images;
    at::Tensor labels;
    at::Tensor w;
  };

  /// A part of a batch: its networks share storage with the state's and gather gradients of their own.
  struct Part {
    std::int64_t first = 0;  ///< of the batch's images
    std::int64_t count = 0;
    double share = 1.0;  ///< of the batch; means over the part times this add up to means over the batch
    stylegan2::TensorWeights generator;
    stylegan2::TensorWeights discriminator;
    at::Tensor w_sum;
    GanLosses losses;
    std::int64_t real_sign_sum = 0;
  };

  static stylegan2::TensorWeights view(const stylegan2::TensorWeights& weights, bool trainable) {
    stylegan2::TensorWeights shared;
    for (const auto& [name, tensor] : weights.all())
      shared.set(name, tensor.detach().set_requires_grad(trainable && !stylegan2::is_buffer(name)));
    return shared;
  }

  static void add_gradients(const stylegan2::TensorWeights& from, const stylegan2::TensorWeights& to) {
    for (const auto& [name, tensor] : from.all()) {
      if (!tensor.grad().defined()) continue;
      at::Tensor& sum = to[name].mutable_grad();
      sum = sum.defined() ? sum + tensor.grad() : tensor.grad();
    }
  }

  GanLosses take_step(const RealBatch& real) {
    check(real);
    const GanOptions& options = preset_.options;
    const double pace = learning_pace_at(options, state_.images_seen);
    state_.generator_adam.set_learning_rate(adam_options(options, options.path_length_interval).learning_rate * pace);
    state_.discriminator_adam.set_learning_rate(adam_options(options, options.r1_interval).learning_rate * pace);
    generator_step();
    if (options.path_length_weight > 0.0 && state_.step % options.path_length_interval == 0) path_length_step();
    discriminator_step(real);
    if (options.r1_gamma > 0.0 && state_.step % options.r1_interval == 0) r1_step(real);
    update_average();
    ++state_.step;
    state_.images_seen += options.batch;
    if (options.ada && state_.step % options.ada_interval == 0) adapt_augmentation();
    return losses_;
  }

  void check(const RealBatch& real) const {
    const auto& config = preset_.generator;
    const std::int64_t batch = preset_.options.batch;
    const auto sizes = [](const at::Tensor& tensor) {
      std::string text;
      if (!tensor.defined()) return std::string("nothing");
      for (const std::int64_t size : tensor.sizes()) text += (text.empty() ? "" : ", ") + std::to_string(size);
      return "[" + text + "]";
    };
    if (!real.images.defined() ||
        real.images.sizes() !=
            at::IntArrayRef({batch, config.img_channels, config.img_resolution, config.img_resolution}))
      throw Error(ErrorCode::shape_mismatch, "GanTrainer::step",
                  "expected images [" + std::to_string(batch) + ", " + std::to_string(config.img_channels) + ", " +
                      std::to_string(config.img_resolution) + ", " + std::to_string(config.img_resolution) + "], got " +
                      sizes(real.images));
    if (config.c_dim == 0) return;
    if (!real.labels.defined() || real.labels.sizes() != at::IntArrayRef({batch}) ||
        real.labels.scalar_type() != at::kLong)
      throw Error(ErrorCode::shape_mismatch, "GanTrainer::step",
                  "expected int64 labels [" + std::to_string(batch) + "], got " + sizes(real.labels));
    const at::Tensor labels = real.labels.contiguous();
    for (std::int64_t i = 0; i < batch; ++i)
      if (const std::int64_t label = labels.data_ptr<std::int64_t>()[i]; label < 0 || label >= config.c_dim)
        throw Error(ErrorCode::label_out_of_range, "GanTrainer::step",
                    "image " + std::to_string(i) + " has the label " + std::to_string(label) + ", expected 0 to " +
                        std::to_string(config.c_dim - 1));
  }

  enum class Trains { generator, discriminator };

  /// Splits a batch of `count` images, calls `work(Part&)` for all parts side by side, each on one thread when there
  /// are several, and adds their gradients up in order.
  template <class Work>
  std::vector<Part> in_parts(Trains trains, std::int64_t count, std::int64_t number, Work work) {
    std::vector<Part> parts(static_cast<std::size_t>(number));
    for (std::int64_t i = 0; i < number; ++i) {
      Part& part = parts[static_cast<std::size_t>(i)];
      part.first = i * count / number;
      part.count = (i + 1) * count / number - part.first;
      part.share = static_cast<double>(part.count) / static_cast<double>(count);
      part.generator = view(state_.generator, trains == Trains::generator);
      part.discriminator = view(state_.discriminator, trains == Trains::discriminator);
    }
    if (number == 1) {
      work(parts.front());
    } else {
      const int threads = at::get_num_threads();
      const stylegan2::detail::TorchThreads restored(threads);
      detail::libtorch_loop(number, 1, [&](std::int64_t i, std::int64_t) {
        // the convolutions would else plan for all threads and be given one
        const stylegan2::detail::TorchThreads one(1, threads);
        within_threads(1, [&] { work(parts[static_cast<std::size_t>(i)]); });
      });
    }
    at::Tensor w_sum;
    for (const Part& part : parts) {
      if (trains == Trains::generator) add_gradients(part.generator, state_.generator);
      else add_gradients(part.discriminator, state_.discriminator);
      if (part.w_sum.defined()) w_sum = w_sum.defined() ? w_sum + part.w_sum : part.w_sum;
    }
    if (w_sum.defined())
      state_.generator["mapping.w_avg"].detach().lerp_(w_sum / static_cast<double>(count),
                                                       1.0 - preset_.options.w_average_decay);
    return parts;
  }

  /// A loss of the whole batch from those of its parts.
  static double mean(const std::vector<Part>& parts, double GanLosses::*loss) {
    double sum = 0.0;
    for (const Part& part : parts) sum += part.losses.*loss * part.share;
    return sum;
  }

  /// Images of a part of a fresh batch: latents, labels, mixing cutoff and noise from (seed, purpose, step).
  Fake fake_batch(Part& part, Purpose purpose, bool differentiable_twice = false) const {
    const auto& config = preset_.generator;
    const std::int64_t seed = derived_seed(preset_.options.seed, purpose), count = part.count;
    const std::int64_t first = state_.step * preset_.options.batch + part.first;
    const auto latents = [&](std::int64_t offset) {
      at::Tensor z = at::empty({count, config.z_dim}, at::kFloat);
      for (std::int64_t i = 0; i < count; ++i)
        core::fill_normals(
            seed + offset, core::Stream::latents, first + i,
            std::span<float>(z.data_ptr<float>() + i * config.z_dim, static_cast<std::size_t>(config.z_dim)));
      return z;
    };
    Fake fake;
    at::Tensor classes;
    if (config.c_dim > 0) {
      fake.labels = at::empty({count}, at::kLong);
      for (std::int64_t i = 0; i < count; ++i)
        fake.labels.data_ptr<std::int64_t>()[i] = core::draw_label(seed, first + i, config.c_dim);
      classes = stylegan2::one_hot(fake.labels, config.c_dim);
    }
    const at::Tensor w = stylegan2::mapping(config, part.generator, latents(0), classes);
    part.w_sum = w.detach().sum(0);
    const std::int64_t slots = config.num_ws();
    core::CounterRandom random(seed, core::Stream::start_latents, state_.step);
    const bool mixes = random.uniform() < preset_.options.style_mixing;
    const std::int64_t cutoff = 1 + random.below(slots - 1);
    fake.w = w.unsqueeze(1).expand({count, slots, config.w_dim});
    if (mixes) {
      const at::Tensor second = stylegan2::mapping(config, part.generator, latents(1), classes)
                                    .unsqueeze(1)
                                    .expand({count, slots, config.w_dim});
      fake.w = at::cat({fake.w.narrow(1, 0, cutoff), second.narrow(1, cutoff, slots - cutoff)}, 1);
    }
    const auto styles = stylegan2::layer_styles(config, part.generator, fake.w);
    const auto noise = random_noise(seed, first, count);
    fake.images = preset_.options.fused && can_fuse(config) && !differentiable_twice
                      ? fused_synthesis(config, part.generator, styles, noise)
                      : stylegan2::synthesis(config, part.generator, styles, noise);
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
      detail::libtorch_loop(count, 1, [&](std::int64_t i, std::int64_t) {
        core::fill_normals(layer_seed, core::Stream::noise, first + i,
                           std::span<float>(data + i * pixels, static_cast<std::size_t>(pixels)));
      });
      noise.push_back(values);
    }
    return noise;
  }

  [[nodiscard]] at::Tensor features(const Part& part, const at::Tensor& images) const {
    if (preset_.options.fused && can_fuse(preset_.discriminator))
      return fused_discriminator_features(preset_.discriminator, part.discriminator, images);
    return stylegan2::discriminator_features(preset_.discriminator, part.discriminator, images);
  }

  /// Logits of every class `[N, K]` (or `[N, 1]` when unconditional).
  [[nodiscard]] at::Tensor class_logits(const Part& part, const at::Tensor& images) const {
    const at::Tensor f = features(part, images);
    if (!all_classes_.defined()) return f;
    return at::matmul(f, stylegan2::discriminator_classes(preset_.discriminator, part.discriminator, all_classes_).t());
  }
  static at::Tensor own_logits(const at::Tensor& logits, const at::Tensor& labels) {
    return labels.defined() ? logits.gather(1, labels.unsqueeze(1)) : logits;
  }
  static RealBatch part_of(const RealBatch& real, const Part& part) {
    return {real.images.narrow(0, part.first, part.count),
            real.labels.defined() ? real.labels.narrow(0, part.first, part.count) : at::Tensor()};
  }

  /// What the discriminator sees of images: draws of their own for each purpose and image, as the latents of generated
  /// images have.
  [[nodiscard]] at::Tensor seen(const Part& part, const at::Tensor& images, Purpose purpose) const {
    if (!preset_.options.ada) return images;
    return augment(images, state_.augmentation, derived_seed(preset_.options.seed, purpose),
                   state_.step * preset_.options.batch + part.first);
  }

  static void count_signs(Part& part, const at::Tensor& real_logits) {
    const at::Tensor logits = real_logits.detach();
    part.real_sign_sum = (logits > 0).sum().item<std::int64_t>() - (logits < 0).sum().item<std::int64_t>();
  }

  void collect_signs(const std::vector<Part>& parts) {
    if (!preset_.options.ada) return;
    for (const Part& part : parts) state_.real_sign_sum += part.real_sign_sum;
    state_.real_sign_count += preset_.options.batch;
  }

  void adapt_augmentation() {
    losses_.real_sign = static_cast<double>(state_.real_sign_sum) /
                        static_cast<double>(std::max<std::int64_t>(1, state_.real_sign_count));
    state_.augmentation =
        adapted_strength(preset_.options, state_.augmentation, state_.real_sign_sum, state_.real_sign_count);
    state_.real_sign_sum = state_.real_sign_count = 0;
  }

  void generator_step() {
    const auto parts = in_parts(Trains::generator, preset_.options.batch, preset_.options.parts, [&](Part& part) {
      const Fake fake = fake_batch(part, Purpose::generator_phase);
      const at::Tensor loss = generator_loss(
          own_logits(class_logits(part, seen(part, fake.images, Purpose::generator_phase)), fake.labels));
      (loss * part.share).backward();
      part.losses.generator = loss.item<double>();
    });
    losses_.generator = mean(parts, &GanLosses::generator);
    state_.generator_adam.step(state_.generator);
  }

  /// In one part: the running mean makes the loss of an image depend on the whole batch.
  void path_length_step() {
    const GanOptions& options = preset_.options;
    in_parts(Trains::generator, std::max<std::int64_t>(1, options.batch / 2), 1, [&](Part& part) {
      const Fake fake = fake_batch(part, Purpose::path_length_phase, true);
      const std::int64_t size = preset_.generator.img_resolution;
      at::Tensor y = at::empty(fake.images.sizes(), at::kFloat);
      core::fill_normals(derived_seed(options.seed, Purpose::path_length_phase), core::Stream::start_latents,
                         -1 - state_.step, std::span<float>(y.data_ptr<float>(), static_cast<std::size_t>(y.numel())));
      const at::Tensor lengths = path_lengths(fake.images, fake.w, y / static_cast<double>(size));
      const at::Tensor mean =
          lengths.mean() * options.path_length_decay + state_.path_length_mean * (1.0 - options.path_length_decay);
      const at::Tensor loss = (lengths - mean).square().mean() *
                              (options.path_length_weight * static_cast<double>(options.path_length_interval));
      loss.backward();
      state_.path_length_mean = mean.item<float>();
      losses_.path_length = lengths.mean().item<double>();
    });
    state_.generator_adam.step(state_.generator);
  }

  void discriminator_step(const RealBatch& whole) {
    const double mismatch_weight = mismatch_weight_at(preset_.options, state_.images_seen);
    const auto parts = in_parts(Trains::discriminator, preset_.options.batch, preset_.options.parts, [&](Part& part) {
      Fake fake;
      {
        const c10::AutoGradMode off(false);
        fake = fake_batch(part, Purpose::discriminator_phase);
      }
      const RealBatch real = part_of(whole, part);
      const at::Tensor fake_logits =
          own_logits(class_logits(part, seen(part, fake.images, Purpose::discriminator_phase)), fake.labels);
      const at::Tensor all_logits = class_logits(part, seen(part, real.images, Purpose::real_augmentation));
      const at::Tensor real_logits = own_logits(all_logits, real.labels);
      count_signs(part, real_logits);
      at::Tensor loss = discriminator_loss(fake_logits, real_logits);
      part.losses.discriminator = loss.item<double>();
      if (mismatch_weight > 0.0 && preset_.discriminator.c_dim > 1) {
        const at::Tensor mismatch =
            mismatch_loss(all_logits, stylegan2::one_hot(real.labels, preset_.discriminator.c_dim));
        part.losses.mismatch = mismatch.item<double>();
        loss = loss + mismatch * mismatch_weight;
      }
      (loss * part.share).backward();
      part.losses.real_logit = real_logits.mean().item<double>();
      part.losses.fake_logit = fake_logits.mean().item<double>();
    });
    for (const auto loss :
         {&GanLosses::discriminator, &GanLosses::mismatch, &GanLosses::real_logit, &GanLosses::fake_logit})
      losses_.*loss = mean(parts, loss);
    collect_signs(parts);
    state_.discriminator_adam.step(state_.discriminator);
  }

  void r1_step(const RealBatch& whole) {
    const auto parts = in_parts(Trains::discriminator, preset_.options.batch, preset_.options.parts, [&](Part& part) {
      const RealBatch real = part_of(whole, part);
      const at::Tensor images = real.images.detach().set_requires_grad(true);
      const at::Tensor logits =
          own_logits(class_logits(part, seen(part, images, Purpose::r1_augmentation)), real.labels);
      count_signs(part, logits);
      const at::Tensor penalty = r1_penalty(logits, images, preset_.options.r1_gamma);
      (penalty * (static_cast<double>(preset_.options.r1_interval) * part.share)).backward();
      part.losses.r1 = penalty.item<double>();
    });
    losses_.r1 = mean(parts, &GanLosses::r1);
    collect_signs(parts);
    state_.discriminator_adam.step(state_.discriminator);
  }

  void update_average() {
    const c10::AutoGradMode off(false);
    const double decay =
        ema_decay(preset_.options.batch, preset_.options.ema_kimg, preset_.options.ema_ramp, state_.images_seen);
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
