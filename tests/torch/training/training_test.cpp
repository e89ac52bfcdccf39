// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// GAN training: losses and their gradients, fused steps against the plain networks, optimiser, averaging, exact
// resumption, checkpoints.

#include <support/catch2.hpp>

#include <torch/support.hpp>

#include <faultline/core/atomic_file.hpp>
#include <faultline/torch/training/checkpoint.hpp>
#include <faultline/stylegan2/sample_sheet.hpp>
#include <faultline/torch/training/training_images.hpp>

#include <fstream>
#include <limits>

using namespace test;
namespace ft = faultline::training;
using fl::ErrorCode;

namespace {

ft::GanPreset small_preset() {
  ft::GanPreset preset;
  preset.generator = small_config();
  preset.discriminator = {.c_dim = 3,
                          .img_resolution = 8,
                          .channel_base = 32,
                          .channel_max = 7,
                          .mbstd_group_size = 4,
                          .mapping_layers = 1};
  preset.options.batch = 4;
  preset.options.r1_interval = 3;
  preset.options.path_length_weight = 2.0;
  preset.options.mismatch_weight = 0.5;
  return preset;
}

fl::LabelledImages small_images() {
  fl::LabelledImages images{.count = 10, .height = 4, .width = 4, .classes = 3, .pixels = {}, .labels = {}};
  for (int i = 0; i < 160; ++i) images.pixels.push_back(static_cast<std::uint8_t>((i * 37) % 256));
  for (int i = 0; i < 10; ++i) images.labels.push_back(static_cast<std::uint8_t>(i % 3));
  return images;
}

/// Weights after `steps` more steps from `state`.
ft::GanState advance(const ft::GanPreset& preset, ft::GanState state, std::int64_t steps) {
  const fl::LabelledImages images = small_images();
  ft::TrainingImages data(images, {.seed = preset.options.seed});
  ft::GanTrainer trainer(preset, std::move(state));
  for (std::int64_t i = 0; i < steps; ++i)
    trainer.step(data.batch(trainer.state().step * preset.options.batch, preset.options.batch));
  return trainer.state();
}

bool same_bits(const sg::TensorWeights& a, const sg::TensorWeights& b) {
  for (const auto& [name, tensor] : a.all())
    if (!tensor.equal(b[name])) return false;
  return a.all().size() == b.all().size();
}

/// Largest relative error of analytic gradients of `loss(weights)` against central differences, a few coordinates of
/// every tensor.
template <class Loss>
double gradient_error(const sg::TensorWeights& weights, const Loss& loss) {
  require_gradients(weights);
  loss().backward();
  double worst_error = 0.0;
  for (const auto& [name, tensor] : weights.all()) {
    if (!tensor.requires_grad() || !tensor.grad().defined()) continue;
    const at::Tensor gradient = tensor.grad().contiguous();
    double* values = tensor.detach().template data_ptr<double>();
    const double scale = gradient.abs().max().template item<double>() + 1e-6;
    for (std::int64_t i = 0; i < tensor.numel(); i += std::max<std::int64_t>(1, tensor.numel() / 3)) {
      const double kept = values[i], h = 1e-5 * std::max(1.0, std::abs(kept));
      values[i] = kept + h;
      const double up = loss().template item<double>();
      values[i] = kept - h;
      const double down = loss().template item<double>();
      values[i] = kept;
      worst_error =
          std::max(worst_error, std::abs((up - down) / (2 * h) - gradient.template data_ptr<double>()[i]) / scale);
    }
  }
  return worst_error;
}

std::filesystem::path fresh_directory(const std::string& name) {
  const auto path = std::filesystem::temp_directory_path() / ("faultline-training-test-" + name);
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

}  // namespace

TEST_CASE("losses have the values of their formulas") {
  const at::Tensor fake = numbers({0, 1}, {2}), real = numbers({2, -1}, {2});
  const auto softplus = [](double x) { return std::log1p(std::exp(x)); };
  CHECK(ft::generator_loss(fake).item<double>() == Approx((softplus(0) + softplus(-1)) / 2));
  CHECK(ft::discriminator_loss(fake, real).item<double>() ==
        Approx((softplus(0) + softplus(1)) / 2 + (softplus(-2) + softplus(1)) / 2));
  const at::Tensor classes = sg::one_hot(at::arange(2, at::kLong), 3, at::kDouble);
  CHECK(ft::mismatch_loss(numbers({9, 1, 2, 3, 9, 4}, {2, 3}), classes).item<double>() ==
        Approx((softplus(1) + softplus(2) + softplus(3) + softplus(4)) / 4));
  // R1 of a linear critic is γ/2 times the squared norm of its weights.
  const at::Tensor images = at::ones({2, 1, 2, 2}, at::kDouble).requires_grad_(true);
  CHECK(ft::r1_penalty((images * numbers({1, 2, 3, 4}, {1, 1, 2, 2})).sum({1, 2, 3}), images, 0.5).item<double>() ==
        Approx(0.25 * 30.0));
  // Path lengths of a linear generator: images = w scaled by (3, 4), one slot; J = (3, 4) · y.
  const at::Tensor w = at::ones({1, 1, 2}, at::kDouble).requires_grad_(true);
  CHECK(ft::path_lengths((w * numbers({3, 4}, {1, 1, 2})).view({1, 1, 1, 2}), w, at::ones({1, 1, 1, 2}, at::kDouble))
            .item<double>() == Approx(5.0));
}

TEST_CASE("the averaging decay follows half-life and ramp") {
  CHECK(ft::ema_decay(32, 10, .05, 0) == Approx(0.0).margin(1e-12));
  CHECK(ft::ema_decay(32, 10, .05, 32) == Approx(9.5367e-7).epsilon(1e-4));
  CHECK(ft::ema_decay(32, 10, .05, 64'000) == Approx(0.99309250).epsilon(1e-8));
  CHECK(ft::ema_decay(32, 10, .05, 400'000) == Approx(0.99778439).epsilon(1e-8));
}

TEST_CASE("the matching-aware term holds its weight and then fades") {
  ft::GanOptions options{.mismatch_weight = 0.5, .mismatch_hold_kimg = 100.0, .mismatch_fade_kimg = 50.0};
  CHECK(ft::mismatch_weight_at(options, 100'000) == Approx(0.5));
  CHECK(ft::mismatch_weight_at(options, 120'000) == Approx(0.3));
  CHECK(ft::mismatch_weight_at(options, 900'000) == 0.0);
  options.mismatch_fade_kimg = 0.0;
  CHECK(ft::mismatch_weight_at(options, 900'000) == 0.5);
}

TEST_CASE("the learning rate holds and then falls to nothing") {
  ft::GanOptions options;
  CHECK(ft::learning_pace_at(options, 1'000'000) == 1.0);
  options.learning_rate_hold_kimg = 100.0;
  options.learning_rate_fade_kimg = 50.0;
  CHECK(ft::learning_pace_at(options, 99'000) == 1.0);
  CHECK(ft::learning_pace_at(options, 125'000) == Approx(0.5));
  CHECK(ft::learning_pace_at(options, 137'500) == Approx(0.5 - std::sqrt(0.125)));
  CHECK(ft::learning_pace_at(options, 150'000) == Approx(0.0).margin(1e-12));
  CHECK(ft::learning_pace_at(options, 900'000) == Approx(0.0).margin(1e-12));
}

TEST_CASE("gradients of every loss agree with central differences in float64") {
  const ft::GanPreset preset = small_preset();
  const sg::TensorWeights g = perturbed_weights(preset.generator, 1, at::kDouble),
                          d = perturbed_weights(preset.discriminator, 2, at::kDouble);
  const at::Tensor z = normals({4, 6}, 1, at::kDouble),
                   classes = sg::one_hot(at::arange(4, at::kLong) % 3, 3, at::kDouble),
                   real = normals({4, 1, 8, 8}, 2, at::kDouble);
  const auto noise = random_noise(preset.generator, 4, at::kDouble);
  const auto fake = [&](const at::Tensor& w) {
    return sg::synthesis(preset.generator, g, sg::layer_styles(preset.generator, g, w), noise);
  };
  const auto w_of_z = [&] { return sg::mapping(preset.generator, g, z, classes).unsqueeze(1).expand({4, 4, 5}); };
  CHECK(gradient_error(g, [&] {
          return ft::generator_loss(sg::discriminator(preset.discriminator, d, fake(w_of_z()), classes));
        }) < 1e-5);
  CHECK(gradient_error(d, [&] {
          return ft::discriminator_loss(sg::discriminator(preset.discriminator, d, fake(w_of_z()).detach(), classes),
                                        sg::discriminator(preset.discriminator, d, real, classes));
        }) < 1e-5);
  const sg::TensorWeights d2 = d.clone(at::kDouble), g2 = g.clone(at::kDouble);
  CHECK(gradient_error(d2, [&] {
          const at::Tensor images = real.detach().requires_grad_(true);
          return ft::r1_penalty(sg::discriminator(preset.discriminator, d2, images, classes), images, 10.0);
        }) < 1e-4);
  const at::Tensor y = normals({4, 1, 8, 8}, 3, at::kDouble) / 8.0;
  CHECK(gradient_error(g2, [&] {
          const at::Tensor w = sg::mapping(preset.generator, g2, z, classes).unsqueeze(1).expand({4, 4, 5});
          const at::Tensor lengths = ft::path_lengths(
              sg::synthesis(preset.generator, g2, sg::layer_styles(preset.generator, g2, w), noise), w, y);
          return (lengths - 0.3).square().mean();
        }) < 1e-4);
}

TEST_CASE("fused training steps equal the plain networks in value and gradient") {
  struct Case {
    std::int64_t resolution, channels, max;
  };
  for (const Case& c : {Case{32, 1, 24}, Case{8, 3, 5}}) {
    sg::GeneratorConfig config{.z_dim = 6,
                               .w_dim = 5,
                               .c_dim = 3,
                               .img_resolution = c.resolution,
                               .img_channels = c.channels,
                               .channel_base = 256,
                               .channel_max = c.max};
    sg::DiscriminatorConfig critic{.c_dim = 3,
                                   .img_resolution = c.resolution,
                                   .img_channels = c.channels,
                                   .channel_base = 256,
                                   .channel_max = c.max,
                                   .mapping_layers = 2};
    const at::Tensor z = normals({4, 6}, 1), classes = sg::one_hot(at::arange(4, at::kLong) % 3, 3);
    for (const bool noisy : {true, false}) {
      const auto noise = noisy ? random_noise(config, 4, at::kFloat) : std::vector<at::Tensor>{};
      std::vector<sg::TensorWeights> g, d;
      std::vector<at::Tensor> losses;
      for (const bool fused : {false, true}) {
        g.push_back(perturbed_weights(config, 1));
        d.push_back(perturbed_weights(critic, 2));
        require_gradients(g.back());
        require_gradients(d.back());
        const auto styles = sg::layer_styles(config, g.back(), sg::mapping(config, g.back(), z, classes));
        const at::Tensor images = fused ? ft::fused_synthesis(config, g.back(), styles, noise)
                                        : sg::synthesis(config, g.back(), styles, noise);
        const at::Tensor features = fused ? ft::fused_discriminator_features(critic, d.back(), images)
                                          : sg::discriminator_features(critic, d.back(), images);
        losses.push_back((features * normals(features.sizes().vec(), 5)).sum() +
                         (images * normals(images.sizes().vec(), 6)).sum());
        losses.back().backward();
      }
      CHECK(losses[1].item<double>() == Approx(losses[0].item<double>()).epsilon(1e-4).margin(1e-3));
      std::int64_t compared = 0;
      for (const auto* pair : {&g, &d})
        for (const auto& [name, tensor] : (*pair)[0].all()) {
          if (!tensor.grad().defined()) continue;
          INFO(name);
          REQUIRE((*pair)[1][name].grad().defined());
          CHECK(worst((*pair)[1][name].grad(), tensor.grad()) <
                2e-4 * (tensor.grad().abs().max().item<double>() + 1e-3));
          ++compared;
        }
      CHECK(compared > 30);
    }
  }
}

TEST_CASE("R1 through the fused discriminator has the gradients of the plain one in float64") {
  for (const std::int64_t channels : {1, 3}) {
    const sg::DiscriminatorConfig critic{.c_dim = 3,
                                         .img_resolution = 16,
                                         .img_channels = channels,
                                         .channel_base = 256,
                                         .channel_max = 12,
                                         .mapping_layers = 2};
    const at::Tensor labels = at::arange(4, at::kLong) % 3;
    const auto penalty_gradients = [&](bool fused, c10::ScalarType type) {
      sg::TensorWeights d = perturbed_weights(critic, 2, type);
      require_gradients(d);
      const at::Tensor images = normals({4, channels, 16, 16}, 3, type).requires_grad_(true),
                       classes = sg::one_hot(labels, 3, type);
      const at::Tensor features =
          fused ? ft::fused_discriminator_features(critic, d, images) : sg::discriminator_features(critic, d, images);
      const at::Tensor penalty =
          ft::r1_penalty((features * sg::discriminator_classes(critic, d, classes)).sum({1}, true), images, 0.7);
      penalty.backward();
      return std::pair(penalty.item<double>(), d);
    };
    const auto [exact, reference] = penalty_gradients(false, at::kDouble);
    const auto [penalty, d] = penalty_gradients(true, at::kFloat);
    CHECK(penalty == Approx(exact).epsilon(1e-5));
    std::int64_t compared = 0;
    for (const auto& [name, tensor] : reference.all()) {
      if (!tensor.grad().defined() || tensor.grad().abs().max().item<double>() == 0.0) continue;
      INFO(name);
      REQUIRE(d[name].grad().defined());
      CHECK(worst(d[name].grad(), tensor.grad()) < 1e-4 * tensor.grad().abs().max().item<double>());
      ++compared;
    }
    CHECK(compared > 12);
  }
}

TEST_CASE("Adam follows its formula and survives gradients that are not finite") {
  const ft::AdamOptions lazy = ft::lazy_correction({0.0025, 0.0, 0.99, 1e-8}, 4);
  CHECK(lazy.learning_rate == Approx(0.002));
  CHECK(lazy.beta2 == Approx(0.991992).epsilon(1e-6));
  sg::TensorWeights weights;
  weights.set("x", numbers({1, -2, 3, 4}, {4}).to(at::kFloat).requires_grad_(true));
  ft::Adam adam({0.1, 0.9, 0.99, 1e-8});
  std::vector<double> x = {1, -2, 3, 4}, m(4, 0.0), v(4, 0.0);
  for (int step = 1; step <= 20; ++step) {
    const at::Tensor gradient = weights["x"].detach() * 0.5 + 1.0;
    weights["x"].mutable_grad() = gradient;
    for (std::size_t i = 0; i < 4; ++i) {
      const double g = x[i] * 0.5 + 1.0;
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.99 * v[i] + 0.01 * g * g;
      x[i] -= 0.1 * (m[i] / (1 - std::pow(0.9, step))) / (std::sqrt(v[i] / (1 - std::pow(0.99, step))) + 1e-8);
    }
    adam.step(weights);
    CHECK_FALSE(weights["x"].grad().defined());
  }
  for (std::size_t i = 0; i < 4; ++i) CHECK(weights["x"].detach().data_ptr<float>()[i] == Approx(x[i]).epsilon(1e-4));
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  weights["x"].mutable_grad() = numbers({nan, infinity, -infinity, 0}, {4}).to(at::kFloat);
  adam.step(weights);
  CHECK(at::isfinite(weights["x"].detach()).all().item<bool>());
  const std::int64_t before = adam.steps();
  adam.step(weights);
  CHECK(adam.steps() == before);  // no gradients, no step
}

TEST_CASE("a run that stops and goes on equals one that never stopped, bit for bit") {
  ft::GanPreset preset = small_preset();
  preset.options.ada = true;
  preset.options.ada_target = -0.9;
  preset.options.ada_kimg = 0.05;  // p moves by 0.32
  const auto directory = fresh_directory("resume");
  const ft::GanState straight = advance(preset, ft::GanTrainer::initial_state(preset), 20);
  const ft::GanState first = advance(preset, ft::GanTrainer::initial_state(preset), 7);
  CHECK(first.real_sign_count == 16);  // within an interval: steps 4 to 6, and the R1 step 6
  CHECK(first.augmentation > 0.0);
  ft::rotate_checkpoint(directory, preset, first);
  auto stored = ft::latest_checkpoint(directory);
  REQUIRE(stored.has_value());
  CHECK(stored->preset.generator == preset.generator);
  const ft::GanState resumed = advance(stored->preset, std::move(stored->state), 13);
  CHECK(resumed.step == 20);
  CHECK(resumed.images_seen == 80);
  CHECK(same_bits(resumed.generator, straight.generator));
  CHECK(same_bits(resumed.discriminator, straight.discriminator));
  CHECK(same_bits(resumed.average, straight.average));
  CHECK(resumed.path_length_mean == straight.path_length_mean);
  CHECK(resumed.augmentation == straight.augmentation);
  CHECK(resumed.augmentation > first.augmentation);
  CHECK(resumed.generator_adam.steps() == straight.generator_adam.steps());
  CHECK_FALSE(same_bits(first.generator, straight.generator));
  ft::save_checkpoint(directory / "a.safetensors", preset, straight);
  ft::save_checkpoint(directory / "b.safetensors", preset, resumed);
  const bool same_bytes =
      fl::core::read_file(directory / "a.safetensors") == fl::core::read_file(directory / "b.safetensors");
  CHECK(same_bytes);
  std::filesystem::remove_all(directory);
}

TEST_CASE("a batch in parts trains as a whole one does, on any number of threads") {
  ft::GanPreset preset = small_preset();
  preset.options.batch = 8;
  preset.options.path_length_weight = 0.0;
  preset.discriminator.mbstd_num_channels = 0;  // deviations within a part are the one thing that differs
  ft::GanPreset split = preset;
  split.options.parts = 4;
  preset.options.ada = split.options.ada = true;
  ft::GanState start = ft::GanTrainer::initial_state(preset);
  start.augmentation = 0.8;
  const auto copy = [](const ft::GanState& from) {
    ft::GanState state = from;
    state.generator = from.generator.clone();
    state.discriminator = from.discriminator.clone();
    state.average = from.average.clone();
    return state;
  };
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const ft::GanState whole = advance(preset, copy(start), 1), one = advance(split, copy(start), 5);
  at::set_num_threads(3);
  const ft::GanState first = advance(split, copy(start), 1), three = advance(split, copy(start), 5);
  CHECK(at::get_num_threads() == 3);
  at::set_num_threads(threads);
  CHECK(same_bits(one.generator, three.generator));
  CHECK(same_bits(one.discriminator, three.discriminator));
  // Adam's first step is the sign of a gradient, whatever its size: the moments show the gradients themselves.
  for (const auto& [name, moment] : whole.generator_adam.second_moments()) {
    INFO(name);
    CHECK(at::allclose(moment, first.generator_adam.second_moments().at(name), 1e-3, 1e-12));
  }
  for (const auto& [name, moment] : whole.discriminator_adam.second_moments()) {
    INFO(name);
    CHECK(at::allclose(moment, first.discriminator_adam.second_moments().at(name), 1e-2, 1e-9));
  }
  CHECK(at::allclose(whole.generator["mapping.w_avg"], first.generator["mapping.w_avg"], 1e-5, 1e-6));
}

TEST_CASE("a checkpoint from before adaptive augmentation goes on without it") {
  ft::GanPreset preset = small_preset();
  preset.options.ada = true;
  const auto directory = fresh_directory("old");
  ft::save_checkpoint(directory / "new.safetensors", preset, advance(preset, ft::GanTrainer::initial_state(preset), 2));
  CHECK(ft::load_checkpoint(directory / "new.safetensors").preset.options.ada);
  fl::data::TensorFile file = fl::data::read_safetensors(directory / "new.safetensors");
  auto config = nlohmann::json::parse(file.metadata.at("config"));
  for (const char* key : {"ada", "ada_target", "ada_kimg", "ada_interval"}) REQUIRE(config["options"].erase(key) == 1);
  for (const char* key : {"augmentation", "real_sign_sum", "real_sign_count"}) REQUIRE(config["state"].erase(key) == 1);
  file.metadata["config"] = config.dump();
  file.metadata.erase("sha256");
  fl::data::write_safetensors(directory / "old.safetensors", file);
  const ft::GanCheckpoint old = ft::load_checkpoint(directory / "old.safetensors");
  CHECK_FALSE(old.preset.options.ada);
  CHECK(old.state.augmentation == 0.0);
  CHECK(old.state.step == 2);
  config["options"]["ada"] = 1;
  file.metadata["config"] = config.dump();
  fl::data::write_safetensors(directory / "odd.safetensors", file);
  CHECK(code_of([&] { (void)ft::load_checkpoint(directory / "odd.safetensors"); }) == ErrorCode::malformed_header);
  std::filesystem::remove_all(directory);
}

TEST_CASE("the strength of augmentation follows the signs of real logits") {
  const ft::GanOptions options;  // batch 32, target 0.6, 500 kimg, every 4 steps
  CHECK(ft::adapted_strength(options, 0.1, 96, 128) == Approx(0.100256).epsilon(1e-12));
  CHECK(ft::adapted_strength(options, 0.1, 64, 128) == Approx(0.099744).epsilon(1e-12));
  CHECK(ft::adapted_strength(options, 0.1, 6, 10) == 0.1);
  CHECK(ft::adapted_strength(options, 0.0001, -128, 128) == 0.0);
  CHECK(ft::adapted_strength(options, 1.0, 128, 128) == Approx(1.000256).epsilon(1e-12));  // no upper bound
  CHECK(ft::adapted_strength(options, 0.3, 0, 0) == 0.3);
  // In a run: a target below the signs raises p after every fourth step and at no other, one that nothing exceeds keeps
  // it at 0.
  ft::GanPreset preset = small_preset();
  preset.options.ada = true;
  preset.options.ada_target = -1.0;
  preset.options.ada_kimg = 0.1;
  const ft::GanState three = advance(preset, ft::GanTrainer::initial_state(preset), 3),
                     four = advance(preset, ft::GanTrainer::initial_state(preset), 4);
  CHECK(three.augmentation == 0.0);
  CHECK(three.real_sign_count == 16);  // three steps and the R1 step 0
  REQUIRE(three.real_sign_sum > -three.real_sign_count);
  CHECK(four.augmentation == Approx(0.16));
  CHECK(four.real_sign_count == 0);
  preset.options.ada_target = 1.0;
  CHECK(advance(preset, ft::GanTrainer::initial_state(preset), 8).augmentation == 0.0);
}

TEST_CASE("a batch that is not what the preset says is refused") {
  ft::GanTrainer trainer(small_preset());
  const at::Tensor images = normals({4, 1, 8, 8}, 1), labels = at::zeros({4}, at::kLong);
  CHECK(code_of([&] { trainer.step({images.narrow(0, 0, 3), labels}); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { trainer.step({normals({4, 3, 8, 8}, 1), labels}); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { trainer.step({at::Tensor(), labels}); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { trainer.step({images, at::Tensor()}); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { trainer.step({images, at::zeros({4}, at::kFloat)}); }) == ErrorCode::shape_mismatch);
  CHECK(code_of([&] { trainer.step({images, labels + 3}); }) == ErrorCode::label_out_of_range);
  CHECK(code_of([&] { trainer.step({images, labels - 1}); }) == ErrorCode::label_out_of_range);
  CHECK(trainer.state().step == 0);
}

TEST_CASE("auto32 has the sizes of the original configuration") {
  const auto parameters = [](const auto& config) {
    std::int64_t sum = 0;
    for (const auto& spec : sg::weight_specs(config)) {
      if (spec.role == fl::kernels::WeightSpec::Role::buffer) continue;
      std::int64_t elements = 1;
      for (const std::int64_t extent : spec.shape) elements *= extent;
      sum += elements;
    }
    return sum;
  };
  ft::GanPreset preset = ft::gan_preset("auto32");
  ft::validate(preset);
  CHECK(sg::style_layout(preset.generator).dimension() == 5632);
  CHECK(parameters(preset.generator) == 20'215'315 - 2 * 4 * 513);  // two channels fewer in four ToRGB layers
  CHECK(parameters(preset.discriminator) == 23'876'096 - 2 * 512);
  preset.generator.img_channels = preset.discriminator.img_channels = 3;
  CHECK(parameters(preset.generator) == 20'215'315);
  CHECK(parameters(preset.discriminator) == 23'876'096);
  preset.generator.c_dim = preset.discriminator.c_dim = 0;
  CHECK(parameters(preset.generator) == 19'947'539);
  CHECK(parameters(preset.discriminator) == 21'507'073);
  CHECK(preset.options.ada);
  CHECK(preset.options.batch == 32);
  CHECK(preset.options.r1_gamma == Approx(0.0002 * 32 * 32 / 32));
}

TEST_CASE("the two newest checkpoints are kept and a damaged newest one falls back") {
  const ft::GanPreset preset = small_preset();
  const auto directory = fresh_directory("rotate");
  ft::GanState state = ft::GanTrainer::initial_state(preset);
  for (std::int64_t step = 1; step <= 3; ++step) {
    state.step = step;
    ft::rotate_checkpoint(directory, preset, state);
  }
  const auto kept = ft::list_checkpoints(directory);
  REQUIRE(kept.size() == 2);
  std::filesystem::resize_file(kept[1], std::filesystem::file_size(kept[1]) / 2);
  std::vector<std::string> skipped;
  const auto stored = ft::latest_checkpoint(directory, &skipped);
  REQUIRE(stored.has_value());
  CHECK(stored->state.step == 2);
  CHECK(skipped.size() == 1);
  fl::core::write_file_atomically(kept[1], std::string_view("not a checkpoint"));
  CHECK(ft::latest_checkpoint(directory)->state.step == 2);
  const sg::GeneratorModel model{preset.generator, sg::to_arrays(state.generator), "", ""};
  sg::save_generator_model(directory / "model.safetensors", model);
  CHECK(code_of([&] { (void)ft::load_checkpoint(directory / "model.safetensors"); }) == ErrorCode::foreign_format);
  // A diverged state must not replace a sound checkpoint.
  state.step = 4;
  state.generator["mapping.w_avg"].fill_(std::numeric_limits<float>::quiet_NaN());
  CHECK(code_of([&] { ft::rotate_checkpoint(directory, preset, state); }) == ErrorCode::non_finite_weight);
  CHECK(ft::latest_checkpoint(directory)->state.step == 2);
  std::filesystem::remove_all(directory);
}

TEST_CASE("training moves every parameter, follows its average and keeps buffers") {
  const ft::GanPreset preset = small_preset();
  const ft::GanState start = ft::GanTrainer::initial_state(preset),
                     end = advance(preset, ft::GanTrainer::initial_state(preset), 6);
  for (const auto& [name, tensor] : start.generator.all()) {
    INFO(name);
    CHECK(tensor.equal(end.generator[name]) == (name.find("noise_const") != std::string::npos));
    if (sg::is_buffer(name)) CHECK(end.average[name].equal(end.generator[name]));
  }
  for (const auto& [name, tensor] : start.discriminator.all()) CHECK_FALSE(tensor.equal(end.discriminator[name]));
}

TEST_CASE("an unconditional discriminator at the lowest resolution trains too") {
  ft::GanPreset preset = small_preset();
  preset.generator.c_dim = preset.discriminator.c_dim = 0;
  preset.generator.conv_clamp = preset.discriminator.conv_clamp = 256.0;  // the plain, unfused path
  ft::GanTrainer trainer(preset);
  const auto losses = trainer.step({normals({4, 1, 8, 8}, 1), at::Tensor()});
  CHECK(std::isfinite(losses.generator));
  CHECK(losses.mismatch == 0.0);
}

TEST_CASE("training images come in an order and with corruptions that only seed and position decide") {
  const fl::LabelledImages images = small_images();
  ft::TrainingImages forward(images, {.seed = 3}), jumping(images, {.seed = 3});
  const ft::RealBatch late = jumping.batch(25, 4);
  const ft::RealBatch all = forward.batch(0, 30);
  CHECK(late.images.equal(all.images.narrow(0, 25, 4)));
  CHECK(late.labels.equal(all.labels.narrow(0, 25, 4)));
  CHECK(all.images.sizes() == at::IntArrayRef({30, 1, 8, 8}));
  CHECK(all.images.min().item<double>() >= -1.0);
  CHECK(all.images.max().item<double>() <= 1.0);
  std::vector<std::int64_t> seen(3, 0);
  for (std::int64_t i = 0; i < 10; ++i) ++seen[static_cast<std::size_t>(all.labels[i].item<std::int64_t>())];
  CHECK(seen == std::vector<std::int64_t>{4, 3, 3});  // an epoch shows every image once
}

TEST_CASE("options that do not fit are refused") {
  const auto refused = [](const auto& change) {
    ft::GanPreset preset = small_preset();
    change(preset);
    return code_of([&] { ft::validate(preset); }) == ErrorCode::invalid_argument;
  };
  CHECK_FALSE(refused([](ft::GanPreset&) {}));
  CHECK(refused([](ft::GanPreset& preset) { preset.options.batch = 6; }));
  CHECK(refused([](ft::GanPreset& preset) { preset.options.learning_rate = 0; }));
  CHECK(refused([](ft::GanPreset& preset) { preset.options.parts = 0; }));
  CHECK(refused([](ft::GanPreset& preset) { preset.options.parts = 3; }));
  CHECK(refused([](ft::GanPreset& preset) { preset.options.learning_rate_fade_kimg = -1; }));
  CHECK(refused([](ft::GanPreset& preset) { preset.options.style_mixing = 2; }));
  CHECK(refused([](ft::GanPreset& preset) { preset.options.ada_target = 1.5; }));
  CHECK(refused([](ft::GanPreset& preset) { preset.options.ada_kimg = 0; }));
  CHECK(refused([](ft::GanPreset& preset) { preset.options.ada_interval = 0; }));
  CHECK(refused([](ft::GanPreset& preset) { preset.discriminator.c_dim = 4; }));
  CHECK(code_of([] { (void)ft::gan_preset("unknown"); }) == ErrorCode::invalid_argument);
  ft::validate(ft::gan_preset("digits"));
  ft::validate(ft::gan_preset("paper"));
}

TEST_CASE("a sample sheet has one row per class") {
  const sg::GeneratorModel model{small_config(), perturbed_arrays(small_config(), 5), "", ""};
  const fl::Picture sheet = sg::sample_sheet(model, 4);
  CHECK(sheet.height == 24);
  CHECK(sheet.width == 32);
  CHECK(sheet.pixels.size() == 24 * 32);
}
