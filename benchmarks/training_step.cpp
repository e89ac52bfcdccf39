// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Claim: a training step of the preset `digits` with the fused functions (training/fused.hpp) is at least 1.5 times as fast as with the plain networks under autograd.
// Both trainers do as many steps as lie between two R1 steps, in turn, for seven rounds; the figure is the median of the ratios. Images are noise: their values cost nothing.
// Usage: training_step [--quick]. Prints one JSON object.

#include <support/figures.hpp>
#include <support/rounds.hpp>

#include <faultline/training/gan_trainer.hpp>

namespace ft = faultline::training;

int main(int argc, char** argv) {
  ft::GanPreset fused = ft::gan_preset("digits");
  ft::GanPreset plain = fused;
  plain.options.fused = false;
  const std::int64_t side = fused.generator.img_resolution, batch = fused.options.batch;
  ft::RealBatch real{at::empty({batch, fused.generator.img_channels, side, side}), at::arange(batch, at::kLong).remainder(fused.generator.c_dim)};
  faultline::fill_normals(3, faultline::Stream::latents, 0, std::span<float>(real.images.data_ptr<float>(), static_cast<std::size_t>(real.images.numel())));

  ft::GanTrainer fast(fused), slow(plain);
  const std::int64_t steps = bench::quick(argc, argv) ? 2 : fused.options.r1_interval;
  const auto images_per_second = [&](ft::GanTrainer& trainer) {
    return [&trainer, &real, steps, batch] {
      return static_cast<double>(steps * batch) / bench::seconds([&] {
               for (std::int64_t t = 0; t < steps; ++t) (void)trainer.step(real);
             });
    };
  };
  (void)fast.step(real);
  (void)slow.step(real);
  const bench::Rounds rounds = bench::take_turns({images_per_second(slow), images_per_second(fast)}, 7);
  bench::print("training_step", {{"training.digits", rounds.ratio(1, 0), 1.5, false, "x plain autograd"}},
               "\"plain_images_per_second\": " + bench::number(rounds.middle(0)) + ", \"fused_images_per_second\": " + bench::number(rounds.middle(1)));
  return 0;
}
