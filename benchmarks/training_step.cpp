// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Claim: a training step of the preset `digits` with the fused functions (torch/training/fused.hpp) is at least 1.5
// times as fast as with the plain networks under autograd. Both trainers do as many steps as lie between two R1 steps,
// in turn, for seven rounds; the figure is the median of the ratios. Images are noise: their values cost nothing. Then,
// for each, the same steps once more with LibTorch's record of its operators: the processor's time per step, and how
// much of it LibTorch's convolutions take, forward and both gradients. Usage: training_step [--quick]. Prints one JSON
// object.

#include <program.hpp>
#include <support/figures.hpp>
#include <support/rounds.hpp>

#include <faultline/torch/training/gan_trainer.hpp>

#include <ATen/record_function.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ft = faultline::training;

namespace {

/// Time in LibTorch's convolutions since it was made, over all threads, without what they call.
class ConvolutionTime {
 public:
  ConvolutionTime()
      : handle_(at::addGlobalCallback(at::RecordFunctionCallback(enter, leave).scopes({at::RecordScope::FUNCTION}))) {
    nanoseconds_ = 0;
  }
  ~ConvolutionTime() { at::removeCallback(handle_); }
  ConvolutionTime(const ConvolutionTime&) = delete;
  ConvolutionTime& operator=(const ConvolutionTime&) = delete;
  [[nodiscard]] double seconds() const { return 1e-9 * static_cast<double>(nanoseconds_); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Call {
    bool convolution;
    Clock::time_point start;
    std::int64_t inside;  // nanoseconds of the calls that it made
  };
  static std::unique_ptr<at::ObserverContext> enter(const at::RecordFunction& call) {
    calls_.push_back({std::string_view(call.name()).find("convolution") != std::string_view::npos, Clock::now(), 0});
    return nullptr;
  }
  static void leave(const at::RecordFunction&, at::ObserverContext*) {
    const Call call = calls_.back();
    calls_.pop_back();
    const std::int64_t all = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - call.start).count();
    if (!calls_.empty()) calls_.back().inside += all;
    if (call.convolution) nanoseconds_ += all - call.inside;
  }

  static inline thread_local std::vector<Call> calls_;
  static inline std::atomic<std::int64_t> nanoseconds_{0};
  at::CallbackHandle handle_;
};

/// `"name": {"processor_ms": per step, "convolutions_ms": of them}`.
std::string profile(const std::string& name, ft::GanTrainer& trainer, const ft::RealBatch& real, std::int64_t steps) {
  const ConvolutionTime convolutions;
  const double before = bench::processor_seconds();
  for (std::int64_t t = 0; t < steps; ++t) (void)trainer.step(real);
  const double per_step = 1e3 / static_cast<double>(steps);
  return "\"" + name + "\": {\"processor_ms\": " + bench::number((bench::processor_seconds() - before) * per_step) +
         ", \"convolutions_ms\": " + bench::number(convolutions.seconds() * per_step) + "}";
}

}  // namespace

static int benchmark(int argc, char** argv) {
  ft::GanPreset fused = ft::gan_preset("digits");
  ft::GanPreset plain = fused;
  plain.options.fused = false;
  const std::int64_t side = fused.generator.img_resolution, batch = fused.options.batch;
  ft::RealBatch real{at::empty({batch, fused.generator.img_channels, side, side}),
                     at::arange(batch, at::kLong).remainder(fused.generator.c_dim)};
  faultline::core::fill_normals(
      3, faultline::core::Stream::latents, 0,
      std::span<float>(real.images.data_ptr<float>(), static_cast<std::size_t>(real.images.numel())));

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
  const std::string profiles =
      profile("plain_step", slow, real, steps) + ", " + profile("fused_step", fast, real, steps);
  bench::print("training_step", {{"training.digits", rounds.ratio(1, 0), 1.5, false, "x plain autograd"}},
               "\"plain_images_per_second\": " + bench::number(rounds.middle(0)) +
                   ", \"fused_images_per_second\": " + bench::number(rounds.middle(1)) + ", " + profiles);
  return 0;
}

int main(int argc, char** argv) {
  return program::run("training_step", [&] { return benchmark(argc, argv); });
}
