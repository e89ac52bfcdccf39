// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Options of GAN training and the named presets.

#include <faultline/core/ranges.hpp>
#include <faultline/stylegan2/config.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <string_view>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace training {

/// Options of one GAN training run; the defaults are those of StyleGAN2 (Karras et al. 2020) without path-length
/// regularisation.
struct GanOptions {
  std::int64_t batch = 32;
  /// A batch is computed in this many parts, each on one thread; several use cores better than threads inside every
  /// operation do, and the result depends on the number of parts (minibatch deviations are taken within a part, sums
  /// are rounded differently) and no longer on the number of threads.
  std::int64_t parts = 1;
  double learning_rate = 0.0025;         ///< of both networks, before the lazy correction
  double learning_rate_hold_kimg = 0.0;  ///< thousand images at the full rate
  /// Thousand images over which it then falls to 0 along half a cosine; 0: it never falls
  double learning_rate_fade_kimg = 0.0;
  double r1_gamma = 0.5;                  ///< weight of the R1 penalty (Mescheder et al. 2018)
  std::int64_t r1_interval = 16;          ///< steps between R1 steps
  double path_length_weight = 0.0;        ///< 0: off; StyleGAN2 uses 2
  std::int64_t path_length_interval = 4;  ///< steps between path-length steps
  double path_length_decay = 0.01;
  double style_mixing = 0.9;  ///< probability that a batch mixes two latents
  double ema_kimg = 10.0;     ///< half-life of the averaged generator, in thousand images
  double ema_ramp = 0.05;     ///< the half-life is at most this share of the images seen; 0: no ramp
  double w_average_decay = 0.995;
  /// Weight of the matching-aware term (Reed et al. 2016): real images under each wrong label count as fakes,
  /// softplus(D(x, c')) averaged over c'. The projection discriminator computes its features once, so the term is
  /// nearly free; it makes labels count early. 0: plain StyleGAN2. Held, it draws the generator away from images whose
  /// class is doubtful, so it fades once labels are learnt.
  double mismatch_weight = 0.0;
  double mismatch_hold_kimg = 0.0;  ///< thousand images with the full weight
  /// Thousand images over which it then falls linearly to 0; 0: it never fades
  double mismatch_fade_kimg = 0.0;
  std::int64_t seed = 1;
  /// Adaptive augmentation (Karras et al. 2020, the pipeline `bgc`): the discriminator sees real and generated images
  /// augmented, see training/augment.hpp, at a strength p that follows how far it tells real images apart. For sets so
  /// small that the discriminator would learn them by heart. false: no augmentation.
  bool ada = false;
  /// p rises while the mean sign of the real logits is above, and falls while it is below
  double ada_target = 0.6;
  double ada_kimg = 500.0;        ///< thousand images over which p could rise from 0 to 1
  std::int64_t ada_interval = 4;  ///< steps between changes of p
  /// Use the fused functions of training/fused.hpp where they apply; false: the plain networks everywhere, which give
  /// the same to rounding.
  bool fused = true;
};

/// The strength of adaptive augmentation after an interval in which `count` logits of real images had signs that add up
/// to `sign_sum`.
///
/// **Formula**: r = sign_sum / count; p ← max(0, p + sign(r − target) · batch · interval / (1000 ada_kimg)), with no
/// upper bound: a p above 1 augments as 1 does and takes longer to come back.
inline double adapted_strength(const GanOptions& options, double p, std::int64_t sign_sum, std::int64_t count) {
  if (count == 0) return p;
  const double excess = static_cast<double>(sign_sum) / static_cast<double>(count) - options.ada_target;
  const double step = static_cast<double>(options.batch * options.ada_interval) / (options.ada_kimg * 1000.0);
  return std::max(0.0, p + (excess > 0.0 ? step : excess < 0.0 ? -step : 0.0));
}

/// Weight of the matching-aware term when `seen` images have been shown.
inline double mismatch_weight_at(const GanOptions& options, std::int64_t seen) {
  if (options.mismatch_fade_kimg <= 0.0) return options.mismatch_weight;
  const double faded = (static_cast<double>(seen) / 1000.0 - options.mismatch_hold_kimg) / options.mismatch_fade_kimg;
  return options.mismatch_weight * (1.0 - std::clamp(faded, 0.0, 1.0));
}

/// Share of the learning rate in force when `seen` images have been shown: 1, then half a cosine down to 0.
inline double learning_pace_at(const GanOptions& options, std::int64_t seen) {
  if (options.learning_rate_fade_kimg <= 0.0) return 1.0;
  const double faded =
      (static_cast<double>(seen) / 1000.0 - options.learning_rate_hold_kimg) / options.learning_rate_fade_kimg;
  return 0.5 + 0.5 * std::cos(std::numbers::pi * std::clamp(faded, 0.0, 1.0));
}

/// A named set of sizes and options.
struct GanPreset {
  stylegan2::GeneratorConfig generator;
  stylegan2::DiscriminatorConfig discriminator;
  GanOptions options;
};

/// The presets: `digits` (32x32, small enough for two CPU cores; the shipped generator), `paper` (the 512-channel
/// networks of the paper's experiments) and `auto32` (the configuration `auto` of Karras et al. 2020 for one device at
/// 32x32 in float32: the same widths, adaptive augmentation, and no clamp, which only half precision needs).
///
/// Throws invalid_argument for another name.
inline GanPreset gan_preset(std::string_view name) {
  GanPreset preset;
  auto& [generator, discriminator, options] = preset;
  generator.c_dim = discriminator.c_dim = 10;
  for (int digit = 0; digit < 10; ++digit) generator.class_names.push_back(std::to_string(digit));
  if (name == "digits") {
    generator.z_dim = generator.w_dim = 64;
    generator.channel_base = discriminator.channel_base = 1024;
    generator.channel_max = discriminator.channel_max = 128;
    generator.mapping_layers = discriminator.mapping_layers = 2;
    options.parts = 2;
    options.mismatch_weight = 0.5;
    options.mismatch_hold_kimg = 115.0;
    options.mismatch_fade_kimg = 35.0;
  } else if (name == "paper") {
    options.parts = 4;
    options.r1_gamma = 0.0064;
    options.path_length_weight = 2.0;
    generator.conv_clamp = discriminator.conv_clamp = 256.0;
  } else if (name == "auto32") {
    options.parts = 4;
    options.r1_gamma = 0.0064;  // 0.0002 · 32² / 32
    options.path_length_weight = 2.0;
    options.ada = true;
  } else {
    throw Error(ErrorCode::invalid_argument, "gan_preset",
                "there is no preset " + std::string(name) + "; known are digits, paper and auto32");
  }
  return preset;
}

/// Throws invalid_argument when an option is outside its range or does not fit the networks.
inline void validate(const GanPreset& preset) {
  const auto& [generator, discriminator, options] = preset;
  stylegan2::validate(generator);
  stylegan2::validate(discriminator);
  const auto require = [](bool ok, const std::string& message) {
    if (!ok) throw Error(ErrorCode::invalid_argument, "GanOptions", message);
  };
  require(generator.img_resolution == discriminator.img_resolution &&
              generator.img_channels == discriminator.img_channels && generator.c_dim == discriminator.c_dim,
          "generator and discriminator must agree in img_resolution, img_channels and c_dim");
  constexpr const char* where = "GanOptions";
  constexpr double most = 1e9;
  faultline::core::require_in(where, "batch", options.batch, 1, limits::batch);
  faultline::core::require_in(where, "parts", options.parts, 1, limits::batch);
  require(options.batch % options.parts == 0, "batch " + std::to_string(options.batch) +
                                                  " must be a multiple of parts, got " + std::to_string(options.parts));
  const std::int64_t part = options.batch / options.parts;
  const std::int64_t group =
      discriminator.mbstd_group_size == 0 ? part : std::min(discriminator.mbstd_group_size, part);
  require(part % group == 0, "a part of the batch, " + std::to_string(part) +
                                 " images, must be a multiple of mbstd_group_size " + std::to_string(group));
  faultline::core::require_in(where, "learning_rate", options.learning_rate, 1e-9, 1e3);
  for (const auto& [name, value] : {std::pair{"r1_gamma", options.r1_gamma},
                                    {"path_length_weight", options.path_length_weight},
                                    {"mismatch_weight", options.mismatch_weight},
                                    {"learning_rate_hold_kimg", options.learning_rate_hold_kimg},
                                    {"learning_rate_fade_kimg", options.learning_rate_fade_kimg},
                                    {"mismatch_hold_kimg", options.mismatch_hold_kimg},
                                    {"mismatch_fade_kimg", options.mismatch_fade_kimg},
                                    {"ema_kimg", options.ema_kimg},
                                    {"ema_ramp", options.ema_ramp}})
    faultline::core::require_in(where, name, value, 0.0, most);
  for (const auto& [name, value] : {std::pair{"r1_interval", options.r1_interval},
                                    {"path_length_interval", options.path_length_interval},
                                    {"ada_interval", options.ada_interval}})
    faultline::core::require_in(where, name, value, 1, 1'000'000);
  faultline::core::require_in(where, "path_length_decay", options.path_length_decay, 0.0, 1.0);
  faultline::core::require_in(where, "style_mixing", options.style_mixing, 0.0, 1.0);
  faultline::core::require_in(where, "w_average_decay", options.w_average_decay, 0.0, 0.999999999);
  faultline::core::require_in(where, "ada_target", options.ada_target, -1.0, 1.0);
  faultline::core::require_in(where, "ada_kimg", options.ada_kimg, 1e-3, most);
}

}  // namespace training
}  // namespace v1
}  // namespace faultline
