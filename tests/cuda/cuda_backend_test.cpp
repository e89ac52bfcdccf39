// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// CudaBackend without a device: its network as LibTorch operations and its kernels as host code against
// ReferenceBackend, on a machine whose driver, compiler and graphs write down what they are asked.

#include <faultline/concepts/style_generator.hpp>
#include <faultline/torch/cuda_backend.hpp>

#include <support/catch2.hpp>

#include <torch/support.hpp>

#include "fake_cuda.hpp"

#include <cmath>
#include <limits>
#include <map>

using namespace test;
using fl::ErrorCode;
using Reference = fl::Generator<fl::ReferenceBackend>;
using Cuda = fl::Generator<fl::CudaBackend>;

static_assert(fl::StyleGenerator<Cuda> && fl::AffineStyles<Cuda> && fl::DifferentiableGenerator<Cuda>);

namespace {

/// FakeCuda with LibTorch's half: the device is the CPU.
struct FakeMachine : FakeCuda {
  std::string capture_failure;  ///< "begin", "body" or "end"
  bool capturing = false;
  std::shared_ptr<cu::CudaTable> table = std::make_shared<cu::CudaTable>();

  FakeMachine() {
    fill(table->driver);
    fill(table->compiler);
    cu::TorchDevice& torch = table->torch;
    torch.device = [](int) { return at::Device(at::kCPU); };
    torch.native_stream = [this](c10::Stream) {
      if (capturing && capture_failure == "body") {
        capturing = false;
        throw std::runtime_error("not while capturing");
      }
      return stream;
    };
    torch.current_stream = [](at::Device device) { return c10::Stream(c10::Stream::DEFAULT, device); };
    torch.side_stream = [this](at::Device device) {
      return note("side stream"), c10::Stream(c10::Stream::DEFAULT, device);
    };
    torch.exchange_stream = [this](c10::Stream other) { return note("exchange"), other; };
    torch.order = [this](c10::Stream, c10::Stream) { note("order"); };
    torch.graph_create = [this]() -> std::shared_ptr<void> {
      return note("create graph"),
             std::shared_ptr<void>(static_cast<void*>(this), [this](void*) { note("destroy graph"); });
    };
    torch.graph_begin = [this](void*) {
      note("begin");
      if (capture_failure == "begin") throw std::runtime_error("cannot capture\nhere");
      capturing = true;
    };
    torch.graph_end = [this](void*) {
      note("end");
      capturing = false;
      if (capture_failure == "end") throw std::runtime_error("capture was invalidated");
    };
    torch.graph_replay = [this](void*) { note("replay"); };
  }
};

/// Options that leave no traces on disk.
fl::CudaOptions options(const FakeMachine& machine, fl::CudaMode mode = fl::CudaMode::ieee, bool kernels = true,
                        bool graphs = false) {
  return {.mode = mode, .kernels = kernels, .graphs = graphs, .kernel_cache = "/dev/null/none", .table = machine.table};
}

/// Number of convolutions, each of which has a noise image.
std::size_t convolutions(const sg::GeneratorConfig& config) {
  const auto layers = sg::synthesis_layers(config);
  return static_cast<std::size_t>(std::count_if(
      layers.begin(), layers.end(), [](const auto& layer) { return layer.kind != sg::SynthesisLayer::Kind::to_rgb; }));
}

sg::GeneratorModel model_of(const sg::GeneratorConfig& config) { return {config, perturbed_arrays(config, 5), "", ""}; }

/// Channels in fours, colour, a clamp that some activations reach.
sg::GeneratorConfig wide_config() {
  sg::GeneratorConfig config = small_config();
  config.img_resolution = 16;
  config.img_channels = 3;
  config.channel_base = 128;
  config.channel_max = 12;
  config.conv_clamp = 1.5;
  return config;
}

at::Tensor labels(std::int64_t count, std::int64_t classes = 3) {
  at::Tensor values = at::empty({count}, at::kLong);
  for (std::int64_t i = 0; i < count; ++i) values.data_ptr<std::int64_t>()[i] = i % classes;
  return values;
}

double relative(const at::Tensor& got, const at::Tensor& expected) {
  return worst(got, expected) / std::sqrt(expected.to(at::kDouble).square().mean().item<double>());
}

const std::vector<fl::SynthesisOptions> every_noise = {
    {.noise = fl::Noise::constant}, {.noise = fl::Noise::none}, {.noise = fl::Noise::random, .seed = 4, .first = 10}};

}  // namespace

TEST_CASE("the folded network as LibTorch operations is the reference in w, styles and images") {
  sg::GeneratorConfig one_block = small_config();
  one_block.img_resolution = 4;
  one_block.channel_base = 16;
  for (const auto& config : {small_config(), wide_config(), one_block}) {
    FakeMachine machine;
    const Reference reference(model_of(config));
    const Cuda cuda(model_of(config), options(machine, fl::CudaMode::ieee, false));
    const at::Tensor z = normals({5, 6}, 1);
    const at::Tensor w = reference.map(z, labels(5), {.truncation = 0.7});
    const at::Tensor s = reference.styles(w);
    CHECK(worst(cuda.map(z, labels(5), {.truncation = 0.7}), w) < 1e-5);
    CHECK(worst(cuda.styles(w), s) < 1e-5);
    const at::Tensor layered = reference.map(z, labels(5), {.truncation = 0.5, .cutoff = 1});
    CHECK(worst(cuda.styles(layered), reference.styles(layered)) < 1e-5);
    for (const auto& noise : every_noise)
      CHECK(worst(cuda.synthesize(s, noise), reference.synthesize(s, noise)) < 1e-4);
    CHECK(cuda.digest() == reference.digest());
    CHECK(machine.launches.empty());
    fl::ImageBatch direction(5, cuda.image_shape());
    fl::core::fill_normals(1, fl::core::Stream::latents, 0,
                           {direction.data(), static_cast<std::size_t>(5 * cuda.image_shape().elements())});
    const auto ours = cuda.pullback(s, direction), theirs = reference.pullback(s, direction);
    for (std::int64_t k = 0; k < ours.cols(); ++k)
      REQUIRE(ours(2, k) == Approx(theirs(2, k)).epsilon(1e-3).margin(1e-3));
  }
}

TEST_CASE(
    "the kernels as host code make the reference's images for the shipped generator and for odd and even widths") {
  for (const auto& model : {model_of(small_config()), model_of(wide_config()),
                            sg::load_generator_model(FAULTLINE_TEST_ASSETS_DIR "/digits.safetensors")}) {
    FakeMachine machine;
    const Reference reference(model);
    const Cuda cuda(model, options(machine));
    CHECK(cuda.backend().warnings().empty());
    CHECK(cuda.backend_description() == "Fake GPU (sm_90), ieee, fused kernels, no CUDA graphs (switched off)");
    const std::int64_t classes = model.config.c_dim;
    const std::int64_t rows = model.config.img_resolution == 32 ? 1 : 3;  // (a host is no GPU)
    const at::Tensor s = reference.styles(reference.map(normals({rows, model.config.z_dim}, 1), labels(rows, classes)));
    const std::size_t before = machine.launches.size();
    const at::Tensor images = cuda.synthesize(s);
    CHECK(images.is_contiguous());
    CHECK(worst(images, reference.synthesize(s)) < 1e-4);
    // One launch of ours per convolution and one for all norms.
    CHECK(cuda.cost().launches == static_cast<std::int64_t>(1 + 2 * convolutions(model.config)));
    CHECK(cuda.cost().synthesis_macs == reference.cost().synthesis_macs);
    CHECK(cuda.cost().synthesis_bytes < sg::synthesis_bytes(model.config, sg::ActivationTraffic::two_pass));
    CHECK(cuda.cost().synthesis_bytes > sg::synthesis_bytes(model.config, sg::ActivationTraffic::fused));
    CHECK(machine.launches.size() - before == 1 + convolutions(model.config));
    CHECK(machine.launches.back().stream == machine.stream);
    const bool wide = model.config.channels(4) % 4 == 0;
    CHECK(machine.launches.back().kernel == std::string("faultline_point_f32_") + (wide ? "v4" : "v1") +
                                                (model.config.img_channels == 1 ? "_o1" : "_o3"));
    if (rows > 1)
      for (const auto& noise : every_noise)
        CHECK(worst(cuda.synthesize(s.narrow(0, 1, 2), noise), reference.synthesize(s.narrow(0, 1, 2), noise)) < 1e-4);
  }
}

TEST_CASE(
    "kernels and LibTorch operations do the same to the same sums, in float32 and bfloat16, borders and clamps "
    "included") {
  FakeMachine machine;
  const cu::CudaKernels kernels(machine.table->driver, machine.table->compiler, cu::CubinCache({}), 0, 90);
  const cu::KernelEpilogues fused(kernels, machine.stream);
  const cu::TorchEpilogues plain;
  std::int64_t index = 900;
  struct Case {
    std::int64_t count, channels, size, image_channels;
    bool noise_per_sample, styled, clamped, previous;
  };
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    // bfloat16 stores eight bits: results may round to neighbouring values.
    const double tolerance = type == at::kFloat ? 2e-5 : 0.01;
    for (const Case& c : {Case{2, 8, 16, 1, true, true, true, true}, Case{1, 5, 4, 3, false, true, false, false},
                          Case{3, 64, 8, 3, true, true, false, true}, Case{2, 132, 4, 3, false, false, true, true},
                          Case{1, 1, 20, 1, true, true, true, true}, Case{2, 16, 12, 3, true, true, false, true},
                          Case{1, 512, 8, 3, false, true, true, true}}) {
      INFO("channels " << c.channels << ", size " << c.size << ", type " << c10::toString(type));
      const at::Tensor flat_styles = normals({c.count, 2 * c.channels + 4}, index++);  // rows of styles lie apart
      cu::Activation to;
      to.squared_norm = normals({c.count, c.channels}, index++).square() + 0.2;
      to.bias = normals({c.channels}, index++);
      to.noise = normals({c.noise_per_sample ? c.count : 1, 1, c.size, c.size}, index++);
      if (c.styled) to.style = flat_styles.narrow(1, 0, c.channels);
      if (c.clamped) to.clamp = 0.8;
      const at::Tensor filtered =
          cu::channels_last(normals({c.count, c.channels, c.size + 1, c.size + 1}, index++).to(type));
      CHECK(relative(fused.fir_activation(filtered, to), plain.fir_activation(filtered, to)) < tolerance);

      const cu::ToRgb rgb{
          normals({c.image_channels, c.channels}, index++), flat_styles.narrow(1, c.channels, c.channels),
          normals({c.image_channels}, index++),
          c.previous ? normals({c.count, c.image_channels, c.size / 2, c.size / 2}, index++) : at::Tensor(),
          c.clamped ? std::optional<double>(2.5) : std::nullopt};
      const at::Tensor sums = cu::channels_last(normals({c.count, c.channels, c.size, c.size}, index++).to(type));
      const auto [expected, expected_image] = plain.activation(sums, to, rgb, true);
      const auto [nothing, image_alone] = fused.activation(sums.clone(), to, rgb, false);
      const auto [x, image] = fused.activation(sums.clone(), to, rgb, true);
      CHECK(!nothing.defined());
      CHECK(x.scalar_type() == type);
      CHECK(relative(x, expected) < tolerance);
      CHECK(relative(image, expected_image) < 2e-5);  // images are float32 whatever the features are
      CHECK(image_alone.equal(image));
    }
  }
  // Norms of convolutions of several widths at once, whole words and not; 260 is more than a warp takes at a time.
  for (const bool wide : {true, false}) {
    cu::NormTable table;
    std::int64_t begin = 0, style = 0;
    table.all = normals({60'000}, index++).square();
    for (const auto& [in, out] :
         {std::pair{std::int64_t{8}, std::int64_t{12}}, std::pair{std::int64_t{12}, std::int64_t{70}},
          std::pair{std::int64_t{260}, std::int64_t{5}}, std::pair{std::int64_t{wide ? 4 : 70}, std::int64_t{3}}}) {
      table.layers.push_back({style, in, out, table.all.narrow(0, begin, in * out).view({out, in})});
      begin += in * out;
      style += in;
    }
    for (const std::int64_t count : {1, 8, 11}) {
      const at::Tensor s = normals({count, 400}, index++);
      const auto expected = plain.squared_norms(s, table);
      const auto norms = fused.squared_norms(s, table);
      REQUIRE(norms.size() == table.layers.size());
      for (std::size_t l = 0; l < norms.size(); ++l) CHECK(relative(norms[l], expected[l]) < 2e-6);
    }
    CHECK(machine.launches.back().kernel == (wide ? "faultline_norms_v4" : "faultline_norms_v1"));
  }

  // What no kernel takes goes the plain way.
  const std::size_t before = machine.launches.size();
  cu::Activation to;
  to.squared_norm = at::ones({1, 4});
  to.bias = at::zeros({4});
  const cu::ToRgb four{normals({4, 4}, 1), at::ones({1, 4}), at::zeros({4}), {}, {}};
  const at::Tensor sums = cu::channels_last(normals({1, 4, 4, 4}, 2));
  CHECK(fused.activation(sums, to, four, true).second.equal(plain.activation(sums, to, four, true).second));
  CHECK(fused.fir_activation(cu::channels_last(normals({1, 4, 5, 5}, 3).to(at::kDouble)), to).scalar_type() ==
        at::kDouble);
  CHECK(machine.launches.size() == before);
}

TEST_CASE("the kernels round to bfloat16 as LibTorch does, and NaN stays NaN") {
  for (const float value :
       {0.0f, -0.0f, 1.0f, 1.00390625f, 1.01171875f, 1.0039063f, -3.14159f, 1e-40f, 3.3895314e38f, 3.4028235e38f,
        std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()})
    CHECK(host_bf16(value) == c10::BFloat16(value).x);
  std::uint64_t bits = 12345;
  for (int i = 0; i < 20000; ++i) {
    bits = bits * 6364136223846793005u + 1442695040888963407u;
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(bits >> 32));
    if (!std::isnan(value)) REQUIRE(host_bf16(value) == c10::BFloat16(value).x);
  }
  CHECK(std::isnan(static_cast<float>(
      c10::BFloat16(host_bf16(std::numeric_limits<float>::quiet_NaN()), c10::BFloat16::from_bits()))));

  FakeMachine machine;
  const cu::CudaKernels kernels(machine.table->driver, machine.table->compiler, cu::CubinCache({}), 0, 90);
  cu::Activation to;
  to.squared_norm = at::ones({1, 4});
  to.bias = at::zeros({4});
  to.clamp = 1.0;
  at::Tensor sums = cu::channels_last(at::zeros({1, 4, 5, 5}));
  sums.fill_(std::numeric_limits<double>::quiet_NaN());
  CHECK(cu::KernelEpilogues(kernels, nullptr).fir_activation(sums, to).isnan().all().item<bool>());
  CHECK(cu::KernelEpilogues(kernels, nullptr).fir_activation(sums.to(at::kBFloat16), to).isnan().all().item<bool>());
  to.squared_norm = at::ones({1, 8});
  to.bias = at::zeros({8});
  const at::Tensor eight = at::full({1, 8, 4, 4}, std::numeric_limits<double>::quiet_NaN(), at::kBFloat16);
  const auto [x, image] = cu::KernelEpilogues(kernels, nullptr)
                              .activation(cu::channels_last(eight), to,
                                          {at::ones({1, 8}), at::ones({1, 8}), at::zeros({1}), {}, 1.0}, true);
  CHECK(x.isnan().all().item<bool>());
  CHECK(image.isnan().all().item<bool>());
}

TEST_CASE("a pass that outlasts its launches is queued, a shorter one captured") {
  sg::GeneratorModel model;
  model.config.z_dim = model.config.w_dim = 8;
  model.config.img_resolution = 8;
  model.config.img_channels = 1;
  model.config.channel_base = 1 << 16;
  model.config.channel_max = 512;
  model.weights = sg::initial_weights(model.config, 1);
  FakeMachine machine;
  const Cuda cuda(model, options(machine, fl::CudaMode::ieee, true, true));
  CHECK(cuda.backend().warnings().empty());
  machine.kernels_compute = false;  // (what is launched matters here, not what comes out)
  const std::int64_t most = 4'000'000'000 * cuda.cost().launches / cuda.cost().synthesis_macs;
  const at::Tensor s = at::ones({most + 1, cuda.layout().dimension()});
  for (int i = 0; i < 2; ++i) (void)cuda.synthesize(s);
  CHECK(machine.count("begin") == 0);
  for (int i = 0; i < 2; ++i) (void)cuda.synthesize(s.narrow(0, 0, most));
  CHECK(machine.count("begin") == 1);
}

TEST_CASE("bfloat16 stays within its tolerance, with kernels and without, and tf32 leaves the CPU's float32 alone") {
  const auto model = sg::load_generator_model(FAULTLINE_TEST_ASSETS_DIR "/digits.safetensors");
  const Reference reference(model);
  const at::Tensor s =
      reference.styles(reference.map(normals({2, model.config.z_dim}, 1), labels(2, model.config.c_dim)));
  const at::Tensor expected = reference.synthesize(s);
  for (const bool kernels : {true, false}) {
    FakeMachine machine;
    const Cuda cuda(model, options(machine, fl::CudaMode::bf16, kernels));
    CHECK(cuda.backend().mode() == fl::CudaMode::bf16);
    CHECK(cuda.backend().warnings().empty());
    const at::Tensor images = cuda.synthesize(s);
    CHECK(images.scalar_type() == at::kFloat);
    const at::Tensor difference = images - expected;
    const double rms = std::sqrt(difference.square().mean().item<double>() / expected.square().mean().item<double>());
    INFO("relative root mean square " << rms << ", worst " << relative(images, expected));
    CHECK(rms < 0.02);
    CHECK(relative(images, expected) < 0.2);
    CHECK(rms > 1e-4);  // it did compute in bfloat16
    CHECK(machine.launches.empty() == !kernels);
    if (kernels) CHECK(machine.launches.back().kernel == "faultline_point_bf16_v8_o1");
  }
  FakeMachine machine;
  const Cuda cuda(model, options(machine, fl::CudaMode::tf32, false));
  CHECK(cuda.backend_description() ==
        "Fake GPU (sm_90), tf32, LibTorch operations (fused kernels: switched off), no CUDA graphs (switched off)");
  CHECK(worst(cuda.synthesize(s), expected) < 1e-4);
}

TEST_CASE("whatever is missing, images come out and the description says what ran") {
  const auto model = model_of(wide_config());
  const Reference reference(model);
  const at::Tensor s = reference.styles(reference.map(normals({3, 6}, 1), labels(3)));
  const at::Tensor expected = reference.synthesize(s);
  const auto outcome = [&](const auto& change) {
    FakeMachine machine;
    change(machine);
    const Cuda cuda(model, options(machine, fl::CudaMode::ieee, true, true));
    CHECK(worst(cuda.synthesize(s), expected) < 1e-4);
    CHECK(worst(cuda.synthesize(s), expected) < 1e-4);
    const auto warnings = cuda.backend_warnings();
    CHECK(warnings.size() <= 1);
    return cuda.backend_description() + (warnings.empty() ? "" : " | " + warnings.front());
  };
  const std::string plain = "ieee, LibTorch operations (fused kernels: ";
  const std::string said = " | CudaBackend: LibTorch operations run in place of the fused kernels: ";
  CHECK(outcome([](FakeMachine&) {}) == "Fake GPU (sm_90), ieee, fused kernels, CUDA graphs");
  CHECK(outcome([](FakeMachine& m) { m.table->driver.missing = "libcuda.so.1 was not found"; }) ==
        "CUDA device 0, " + plain + "libcuda.so.1 was not found), CUDA graphs" + said + "libcuda.so.1 was not found");
  CHECK(outcome([](FakeMachine& m) { m.table->compiler.missing = "no NVRTC"; }) ==
        "Fake GPU (sm_90), " + plain + "no NVRTC), CUDA graphs" + said + "no NVRTC");
  CHECK(outcome([](FakeMachine& m) { m.table->torch.streams_missing = "no streams"; }) ==
        "Fake GPU (sm_90), " + plain + "no streams), CUDA graphs" + said + "no streams");
  CHECK(outcome([](FakeMachine& m) {
          m.table->driver.device_get_attribute = [](int*, CUdevice_attribute, CUdevice) {
            return CUDA_ERROR_INVALID_VALUE;
          };
        }) == "CUDA device 0, " + plain + "the driver does not describe the device), CUDA graphs" + said +
                  "the driver does not describe the device");
  CHECK(outcome([](FakeMachine& m) { m.compile_result = 6; }) ==
        "Fake GPU (sm_90), " + plain + "the kernels did not compile (result 6): bad token), CUDA graphs" + said +
            "the kernels did not compile (result 6): bad token");
  CHECK(outcome([](FakeMachine& m) { m.load_result = CUDA_ERROR_INVALID_IMAGE; }) ==
        "Fake GPU (sm_90), " + plain + "the kernels could not be loaded: INVALID_IMAGE), CUDA graphs" + said +
            "the kernels could not be loaded: INVALID_IMAGE");
  // Kernels that compute nothing are found out at start-up.
  CHECK(outcome([](FakeMachine& m) { m.kernels_compute = false; }).find("their images differ from float32 by") !=
        std::string::npos);
  // A launch that fails later, outside and inside of a capture.
  for (const std::size_t launch : {7u, 12u, 19u}) {
    INFO("launch " << launch);
    CHECK(outcome([launch](FakeMachine& m) {
            m.launch_result = CUDA_ERROR_LAUNCH_FAILED;
            m.failing_launch = launch;
          }).find(plain + "faultline_") != std::string::npos);
  }
  CHECK(outcome([](FakeMachine& m) { m.table->torch.graphs_missing = "no graphs here"; }) ==
        "Fake GPU (sm_90), ieee, fused kernels, no CUDA graphs (no graphs here) | CudaBackend: no CUDA graphs: no "
        "graphs here");
  CHECK(outcome([](FakeMachine& m) {
          m.capture_failure = "begin";
        }).find("fused kernels, no CUDA graphs (capture failed: cannot capture)") != std::string::npos);
  CHECK(outcome([](FakeMachine& m) {
          m.capture_failure = "body";
        }).find("fused kernels, no CUDA graphs (capture failed: not while capturing)") != std::string::npos);
  CHECK(outcome([](FakeMachine& m) {
          m.capture_failure = "end";
        }).find("fused kernels, no CUDA graphs (capture failed: capture was invalidated)") != std::string::npos);
}

TEST_CASE("a mode whose images are not those of float32 is replaced, with a warning") {
  // The last convolution takes the difference of two channels that stand near 400: eight bits of mantissa lose it.
  sg::GeneratorModel model = model_of(small_config());
  sg::TensorWeights weights = sg::to_tensors(model.weights);
  weights["synthesis.b8.conv0.bias"].fill_(300.0);
  at::Tensor kernel = weights["synthesis.b8.conv1.weight"].zero_();
  kernel.select(1, 0).select(1, 1).select(1, 1).fill_(1.0);
  kernel.select(1, 1).select(1, 1).select(1, 1).fill_(-1.0);
  weights["synthesis.b8.conv1.affine.weight"].zero_();
  weights["synthesis.b8.conv1.affine.bias"].fill_(1.0);
  model.weights = sg::to_arrays(weights);
  const Reference reference(model);
  const at::Tensor s = reference.styles(reference.map(normals({3, 6}, 1), labels(3)));
  FakeMachine machine;
  const Cuda cuda(model, options(machine, fl::CudaMode::bf16));
  CHECK(cuda.backend().mode() == fl::CudaMode::ieee);
  REQUIRE(cuda.backend_warnings().size() == 1);
  CHECK(cuda.backend_warnings().front().find("the mode bf16 failed its check and ieee is used instead") !=
        std::string::npos);
  CHECK(cuda.backend_description() == "Fake GPU (sm_90), ieee, fused kernels, no CUDA graphs (switched off)");
  CHECK(relative(cuda.synthesize(s), reference.synthesize(s)) < 1e-3);
}

TEST_CASE("no device, or one too old for the mode, is an error of the device family") {
  FakeMachine none;
  none.table->torch.device = cu::cuda_device;  // the real one: this program has no CUDA half of LibTorch
  CHECK(code_of([&] { (void)Cuda(model_of(small_config()), options(none)); }) == ErrorCode::device_unavailable);
  CHECK(code_of([&] { (void)Cuda(model_of(small_config())); }) == ErrorCode::device_unavailable);  // the machine itself
  FakeMachine old;
  old.major = 7;
  old.minor = 5;
  CHECK(code_of([&] { (void)Cuda(model_of(small_config()), options(old, fl::CudaMode::bf16)); }) ==
        ErrorCode::device_unavailable);
  CHECK(Cuda(model_of(small_config()), options(old)).backend_description().find("sm_75") != std::string::npos);
  CHECK(old.options.front() == "--gpu-architecture=sm_75");
}

TEST_CASE("the second call with a batch size captures, later ones replay, and results stay the caller's") {
  const auto model = model_of(wide_config());
  FakeMachine machine;
  const Cuda cuda(model, options(machine, fl::CudaMode::ieee, true, true));
  const Reference reference(model);
  const at::Tensor s = reference.styles(reference.map(normals({3, 6}, 1), labels(3)));
  const std::size_t of_a_pass = 1 + convolutions(model.config);
  const auto during = [&](const auto& call) {
    machine.calls.clear();
    machine.launches.clear();
    at::Tensor result = call();
    machine.calls.erase(std::remove(machine.calls.begin(), machine.calls.end(), "launch"), machine.calls.end());
    return result;
  };
  using Calls = std::vector<std::string>;

  const at::Tensor first = during([&] { return cuda.synthesize(s); });
  CHECK(machine.calls.empty());
  CHECK(machine.launches.size() == of_a_pass);

  const at::Tensor second = during([&] { return cuda.synthesize(s); });
  CHECK(machine.calls == Calls{"side stream", "order", "exchange", "create graph", "begin", "end", "order", "exchange",
                               "order", "replay"});
  CHECK(machine.launches.size() == 2 * of_a_pass);  // once to warm up, once captured

  const at::Tensor third = during([&] { return cuda.synthesize(s); });
  CHECK(machine.calls == Calls{"order", "replay"});
  CHECK(machine.launches.empty());
  for (const at::Tensor& images : {first, second, third}) CHECK(worst(images, reference.synthesize(s)) < 1e-4);
  CHECK(second.data_ptr() != third.data_ptr());
  at::Tensor mine = third.fill_(7.0);
  CHECK(worst(during([&] { return cuda.synthesize(s); }), second) == 0.0);

  // Another batch size or noise has a graph of its own; random noise and gradients have none.
  (void)during([&] { return cuda.synthesize(s.narrow(0, 0, 2)); });
  (void)during([&] { return cuda.synthesize(s.narrow(0, 0, 2)); });
  CHECK(machine.count("begin") == 1);
  (void)during([&] { return cuda.synthesize(s, {.noise = fl::Noise::none}); });
  (void)during([&] { return cuda.synthesize(s, {.noise = fl::Noise::none}); });
  CHECK(machine.count("begin") == 1);
  for (int i = 0; i < 3; ++i) (void)during([&] { return cuda.synthesize(s, {.noise = fl::Noise::random, .seed = 1}); });
  CHECK(machine.calls.empty());
  CHECK(machine.launches.size() == of_a_pass);
  const at::Tensor asking = s.clone().requires_grad_(true);
  CHECK(during([&] { return cuda.synthesize(asking); }).requires_grad());
  CHECK(machine.launches.empty());

  // A pass whose products outlast the queueing needs none: 16 G products in 4 launches do, in 5 no more, and where
  // launches are not counted nothing is known.
  CHECK(cu::outlasts_queueing({.synthesis_macs = 1'700'000'000, .launches = 4}, 10));
  CHECK(!cu::outlasts_queueing({.synthesis_macs = 1'700'000'000, .launches = 5}, 10));
  CHECK(!cu::outlasts_queueing({.synthesis_macs = 1'700'000'000, .launches = 0}, 10));

  // No more than a few graphs are kept.
  const at::Tensor many = reference.styles(reference.map(normals({20, 6}, 1), labels(20)));
  machine.calls.clear();
  const Cuda plain(model, options(machine, fl::CudaMode::ieee, false, true));
  for (std::int64_t rows = 1; rows < 20; ++rows)
    for (int i = 0; i < 2; ++i) (void)plain.synthesize(many.narrow(0, 0, rows));
  CHECK(machine.count("begin") == static_cast<std::int64_t>(cu::CudaGraphs::most));
}

TEST_CASE("settings of LibTorch are ours while work is queued and theirs afterwards") {
  auto& context = at::globalContext();
  const bool benchmark = context.benchmarkCuDNN();
  const auto tf32 = [&] { return context.float32Precision(at::Float32Backend::CUDA, at::Float32Op::CONV); };
  const auto before = tf32();
  {
    const cu::PrecisionScope scope(true);
    CHECK(tf32() == at::Float32Precision::TF32);
    CHECK(context.benchmarkCuDNN());
    {
      const cu::PrecisionScope inner(false);
      CHECK(tf32() == at::Float32Precision::IEEE);
      CHECK(at::NoTF32Guard::should_disable_tf32());
    }
    CHECK(tf32() == at::Float32Precision::TF32);
  }
  CHECK(tf32() == before);
  CHECK(context.benchmarkCuDNN() == benchmark);
  // Inherited settings go on being inherited.
  context.setFloat32Precision(at::Float32Backend::CUDA, at::Float32Op::CONV, at::Float32Precision::NONE);
  { const cu::PrecisionScope scope(true); }
  context.setFloat32Precision(at::Float32Backend::GENERIC, at::Float32Op::ALL, at::Float32Precision::TF32);
  CHECK(tf32() == at::Float32Precision::TF32);
  context.setFloat32Precision(at::Float32Backend::GENERIC, at::Float32Op::ALL, at::Float32Precision::NONE);
  context.setFloat32Precision(at::Float32Backend::CUDA, at::Float32Op::CONV, before);
}

namespace {

/// What LibTorch's own functions would be called with.
std::vector<std::string> torch_calls;
void fake_create(void*, bool keep) { torch_calls.push_back(keep ? "create, keep" : "create"); }
void fake_create_before(void*) { torch_calls.push_back("create, before 2.8"); }
void fake_destroy(void*) { torch_calls.push_back("destroy"); }
void fake_begin(void*, c10::MempoolId_t pool, cudaStreamCaptureMode mode) {
  torch_calls.push_back("begin " + std::to_string(pool.first + pool.second) +
                        (mode == cudaStreamCaptureModeThreadLocal ? " of this thread" : ""));
}
void fake_end(void*) { torch_calls.push_back("end"); }
void fake_replay(void*) { torch_calls.push_back("replay"); }
cudaStream_t fake_stream(const c10::cuda::CUDAStream* stream) {
  return reinterpret_cast<cudaStream_t>(static_cast<std::uintptr_t>(0x100 + stream->device_index()));
}

}  // namespace

TEST_CASE("LibTorch's CUDA half is reached through its symbols, and told apart when it lacks some") {
  std::map<std::string, void*> symbols = {
      {"_ZNK3c104cuda10CUDAStream6streamEv", reinterpret_cast<void*>(&fake_stream)},
      {"_ZN2at4cuda9CUDAGraphC1Eb", reinterpret_cast<void*>(&fake_create)},
      {"_ZN2at4cuda9CUDAGraphD1Ev", reinterpret_cast<void*>(&fake_destroy)},
      {"_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode", reinterpret_cast<void*>(&fake_begin)},
      {"_ZN2at4cuda9CUDAGraph11capture_endEv", reinterpret_cast<void*>(&fake_end)},
      {"_ZN2at4cuda9CUDAGraph6replayEv", reinterpret_cast<void*>(&fake_replay)}};
  cu::LibrarySource source;
  source.symbol = [&](void*, const char* name) { return symbols.count(name) == 0 ? nullptr : symbols.at(name); };
  {
    const cu::TorchDevice torch = cu::load_torch_device(source);
    CHECK((torch.graphs_missing.empty() && torch.streams_missing.empty()));
    CHECK(torch.native_stream(c10::Stream(c10::Stream::DEFAULT, at::Device(at::kCUDA, 3))) ==
          reinterpret_cast<void*>(std::uintptr_t{0x103}));
    const auto graph = torch.graph_create();
    torch.graph_begin(graph.get());
    torch.graph_end(graph.get());
    torch.graph_replay(graph.get());
  }
  CHECK(torch_calls == std::vector<std::string>{"create", "begin 0 of this thread", "end", "replay", "destroy"});
  torch_calls.clear();
  symbols.erase("_ZN2at4cuda9CUDAGraphC1Eb");
  CHECK(cu::load_torch_device(source).graphs_missing == "LibTorch's CUDA half has no _ZN2at4cuda9CUDAGraphC1Ev");
  symbols["_ZN2at4cuda9CUDAGraphC1Ev"] = reinterpret_cast<void*>(&fake_create_before);
  (void)cu::load_torch_device(source).graph_create();
  CHECK(torch_calls == std::vector<std::string>{"create, before 2.8", "destroy"});
  // This program has none of it.
  const cu::TorchDevice none = cu::load_torch_device();
  CHECK(!none.graphs_missing.empty());
  CHECK(!none.streams_missing.empty());
}

namespace {

/// LibTorch 2.9 has texts, earlier ones a flag.
struct TextContext {
  std::string value = "none";
  void setFloat32Precision(const std::string& backend, const std::string& op, const std::string& p) {
    if (backend == "cuda" && op == "conv") value = p;
  }
  std::string float32Precision(const std::string&, const std::string&) const { return value; }
};
struct FlagContext {
  bool value = true;
  void setAllowTF32CuDNN(bool allow) { value = allow; }
  bool allowTF32CuDNN() const { return value; }
};

}  // namespace

TEST_CASE("older LibTorch versions are asked in their own words") {
  TextContext text;
  cu::ConvolutionPrecision<TextContext> texts(text);
  texts.set(true);
  CHECK(text.value == "tf32");
  texts.set(false);
  CHECK(text.value == "ieee");
  texts.restore();
  CHECK(text.value == "none");
  FlagContext flag;
  cu::ConvolutionPrecision<FlagContext> flags(flag);
  flags.set(false);
  CHECK(!flag.value);
  flags.restore();
  CHECK(flag.value);
}
