// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Claim: on a CUDA device all modes of CudaBackend agree with the reference on the CPU, and kernels and graphs together
// are at least five times as fast as the plain network functions on the same device (32x32, width 64, batch 256); at
// 256x256 in bf16 at least half of the measured bf16 rate of matrix products is reached. Per size all variants take
// turns for seven rounds; a time is the median over rounds. Usage: cuda_generator [--quick]. Prints one JSON object;
// without a device it says so in it and on stderr, and measures nothing.

#include <program.hpp>
#include <support/computed_macs.hpp>
#include <support/figures.hpp>
#include <support/rounds.hpp>

#include <faultline/cuda.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace fl = faultline;
namespace sg = faultline::stylegan2;

namespace {

struct Size {
  const char* name;
  std::int64_t resolution, channels, base, width, batch;
};

sg::GeneratorModel random_model(const Size& size) {
  sg::GeneratorModel model;
  model.config.img_resolution = size.resolution;
  model.config.img_channels = size.channels;
  model.config.channel_base = size.base;
  model.config.channel_max = size.width;
  model.weights = sg::initial_weights(model.config, 1);
  for (const auto& spec : sg::weight_specs(model.config))  // nothing may hide behind a zero
    if (spec.role == sg::TensorSpec::Role::noise_strength) model.weights[spec.name].detach().fill_(0.1);
  return model;
}

/// Waits until everything queued before is done.
void wait_for(const at::Tensor& tensor) { (void)tensor.flatten()[0].item<float>(); }

double seconds(const std::function<at::Tensor()>& run, int repetitions) {
  const auto start = std::chrono::steady_clock::now();
  at::Tensor last;
  for (int i = 0; i < repetitions; ++i) last = run();
  wait_for(last);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / repetitions;
}

struct Variant {
  std::string name;
  std::string path;
  std::function<at::Tensor()> run;
  std::vector<double> times;
};

std::string json_text(const std::string& text) {
  std::string result = "\"";
  for (const char c : text)
    if (c == '"' || c == '\\') result += std::string("\\") + c;
    else result += static_cast<unsigned char>(c) < 32 ? ' ' : c;
  return result + "\"";
}

/// TFLOP/s of bf16 products of 8192 x 8192 matrices of normal numbers (a chip is faster on constants).
double matrix_rate(at::Device device, int rounds) {
  const at::Tensor a = at::randn({8192, 8192}, at::TensorOptions().dtype(at::kBFloat16).device(device));
  const auto product = [&] { return at::matmul(a, a); };
  (void)seconds(product, 3);
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) times.push_back(seconds(product, 5));
  return 2.0 * std::pow(8192.0, 3) / bench::median(times) / 1e12;
}

std::string measure(const Size& size, int rounds, double tflops) {
  const sg::GeneratorModel model = random_model(size);
  const auto macs = static_cast<double>(bench::computed_macs(model.config));
  const fl::Generator<fl::ReferenceBackend> reference(model);
  fl::Matrix<float> z(size.batch, reference.latent_dim());
  for (std::int64_t i = 0; i < size.batch; ++i) fl::core::fill_normals(5, fl::core::Stream::latents, i, z.row_span(i));
  const at::Tensor s = reference.styles(reference.map(reference.latent_from_host(z), {}));
  constexpr std::int64_t compared = 4;
  const at::Tensor expected = reference.synthesize(s.narrow(0, 0, compared));
  const double scale = std::sqrt(expected.square().mean().item<double>());

  std::string parity;
  std::vector<Variant> variants;
  at::Device device(at::kCPU);
  for (const auto& [mode, mode_text] : {std::pair{fl::CudaMode::ieee, "ieee"}, std::pair{fl::CudaMode::tf32, "tf32"},
                                        std::pair{fl::CudaMode::bf16, "bf16"}}) {
    for (const auto& [kernels, graphs, text] :
         {std::tuple{false, false, "eager"}, std::tuple{false, true, "graph"}, std::tuple{true, false, "fused"},
          std::tuple{true, true, "fused + graph"}}) {
      const fl::Generator<fl::CudaBackend> generator(model, {.mode = mode, .kernels = kernels, .graphs = graphs});
      device = generator.backend().device();
      const at::Tensor there = s.to(device);
      at::Tensor images;
      for (int i = 0; i < 3; ++i) images = generator.synthesize(there);  // chooses algorithms, captures, replays
      const at::Tensor difference = images.narrow(0, 0, compared).to(at::kCPU) - expected;
      const std::string name = std::string(mode_text) + ", " + text;
      if (!parity.empty()) parity += ", ";
      parity += json_text(name) + ": {\"worst\": " + bench::number(difference.abs().max().item<double>()) +
                ", \"relative_rms\": " + bench::number(std::sqrt(difference.square().mean().item<double>()) / scale) +
                "}";
      variants.push_back(
          {name, generator.backend().path(), [generator, there] { return generator.synthesize(there); }, {}});
    }
  }
  // The network functions of ReferenceBackend on the device: what somebody would write first.
  sg::TensorWeights weights;
  for (const auto& [name, array] : model.weights.all()) weights.set(name, sg::to_tensor(array).to(device));
  std::vector<at::Tensor> styles;
  std::int64_t offset = 0;
  for (const auto& layer : sg::synthesis_layers(model.config)) {
    styles.push_back(s.narrow(1, offset, layer.in).to(device).contiguous());
    offset += layer.in;
  }
  variants.push_back(
      {"plain",
       "network functions of ReferenceBackend, float32",
       [&] { return sg::synthesis(model.config, weights, styles, sg::constant_noise(model.config, weights)); },
       {}});

  const c10::AutoGradMode off(false);
  std::vector<int> repetitions;
  for (Variant& variant : variants) {
    (void)seconds(variant.run, 3);
    repetitions.push_back(std::clamp(static_cast<int>(0.05 / seconds(variant.run, 3)), 1, 200));
  }
  for (int round = 0; round < rounds; ++round)
    for (std::size_t v = 0; v < variants.size(); ++v)
      variants[v].times.push_back(seconds(variants[v].run, repetitions[v]));

  const double plain = bench::median(variants.back().times);
  std::string text = "{\"size\": " + json_text(size.name) + ", \"batch\": " + std::to_string(size.batch) +
                     ", \"gmac_per_image\": " + bench::number(macs / 1e9) + ", \"parity\": {" + parity +
                     "}, \"times\": {";
  for (std::size_t v = 0; v < variants.size(); ++v) {
    const double time = bench::median(variants[v].times);
    const double rate = 2.0 * macs * static_cast<double>(size.batch) / time / 1e12;
    text += std::string(v == 0 ? "" : ", ") + json_text(variants[v].name) +
            ": {\"microseconds_per_image\": " + bench::number(time * 1e6 / static_cast<double>(size.batch)) +
            ", \"times_plain\": " + bench::number(plain / time) + ", \"tflops\": " + bench::number(rate) +
            ", \"share_of_bf16_products\": " + bench::number(rate / tflops) +
            ", \"path\": " + json_text(variants[v].path) + "}";
  }
  return text + "}}";
}

}  // namespace

static int benchmark(int argc, char** argv) {
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  const int rounds = quick ? 3 : 7;
  try {
    const fl::Generator<fl::CudaBackend> any(random_model({"", 8, 1, 32, 4, 1}));
    const double tflops = matrix_rate(any.backend().device(), rounds);
    std::string results;
    for (const Size& size : {Size{"32/64", 32, 1, 16384, 64, 256}, Size{"32/512", 32, 1, 16384, 512, 64},
                             Size{"256", 256, 3, 16384, 512, 64}}) {
      if (quick && size.resolution > 32) continue;
      results += (results.empty() ? "" : ", ") + measure(size, rounds, tflops);
    }
    const std::time_t now = std::time(nullptr);
    char date[32] = "";
    std::strftime(date, sizeof date, "%Y-%m-%d", std::gmtime(&now));
    std::printf(
        "{\"benchmark\": \"cuda_generator\", \"rows\": [], \"measured\": true, \"date\": \"%s\", \"library\": \"%s\", "
        "\"device\": %s, \"bf16_products_tflops\": %s, \"sizes\": [%s]}\n",
        date, fl::version_string, json_text(any.backend().path()).c_str(), bench::number(tflops).c_str(),
        results.c_str());
    return 0;
  } catch (const fl::Error& error) {
    if (error.code() != fl::ErrorCode::device_unavailable) throw;
    std::fprintf(stderr, "cuda_generator: nothing was measured. %s\n", error.what());
    std::printf("{\"benchmark\": \"cuda_generator\", \"rows\": [], \"measured\": false, \"reason\": %s}\n",
                json_text(error.what()).c_str());
    return 0;
  }
}

int main(int argc, char** argv) {
  return program::run("cuda_generator", [&] { return benchmark(argc, argv); });
}
