// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Claim: on a CUDA device a whole characterisation is several times as fast where the classifier takes the images
// there. Failure rates and numbers of findings are printed beside the times; the findings go to stderr, to be compared
// by eye. The shipped generator and classifier, 10 000 + 10 000 samples, all defaults but the judge; without image
// properties where images shall stay on the device, since those are measured on the host. Usage: cuda_characterize
// [--quick]. Prints one JSON object; without a device it says so in it and on stderr, and measures nothing. --quick: 2
// 000 + 2 000 samples.

#include <program.hpp>
#include <support/figures.hpp>

#include <faultline/cuda.hpp>
#include <faultline/faultline.hpp>
#include <faultline/torch/torch_resident.hpp>
#include <faultline/data/classifier_file.hpp>
#include <faultline/torch/training/classifier_networks.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace fl = faultline;

namespace {

std::string asset(const std::string& name) {
  const char* folder = std::getenv("FAULTLINE_ASSETS_DIR");
  return std::string(folder != nullptr ? folder : "assets") + "/" + name;
}

template <class G, class C>
std::string measure(const std::string& name, const G& generator, C& classifier, std::int64_t samples, bool properties) {
  fl::CharacterizeOptions options{.samples = samples, .seed = 7};
  if (!properties) options.method.properties = {};
  const auto start = std::chrono::steady_clock::now();
  const fl::FailureReport report = fl::characterize(generator, classifier, options);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::fprintf(stderr, "%s: %.1f s, %zu findings, %s\n", name.c_str(), seconds, report.findings.size(),
               report.provenance.backend.c_str());
  for (const fl::Finding& finding : report.findings) std::fprintf(stderr, "  %s\n", finding.headline.c_str());
  return "\"" + name + "\": {\"seconds\": " + bench::number(seconds) +
         ", \"failure_rate\": " + bench::number(report.failure_rate.estimate) +
         ", \"findings\": " + std::to_string(report.findings.size()) +
         ", \"images\": " + std::to_string(report.cost.generator_images) + "}";
}

}  // namespace

static int benchmark(int argc, char** argv) {
  const std::int64_t samples = bench::quick(argc, argv) ? 2'000 : 10'000;
  try {
    const auto there = fl::Generator<fl::CudaBackend>::load(asset("digits.safetensors"), fl::Integrity::checked,
                                                            {.mode = fl::CudaMode::bf16});
    const auto here = fl::Generator<fl::CpuBackend>::load(asset("digits.safetensors"));
    auto on_host = fl::load_classifier(asset("clean.safetensors"));
    // The same network as LibTorch operations on the device.
    const fl::classify::ClassifierModel& model = on_host.model();
    fl::stylegan2::TensorWeights weights;
    for (const auto& [name, array] : model.weights.all())
      weights.set(name, fl::stylegan2::to_tensor(array).to(there.backend().device()));
    auto on_device = fl::make_resident_torch_classifier(
        [&](const at::Tensor& images) {
          return fl::training::classifier_head(weights,
                                               fl::training::classifier_features(model.config, weights, images));
        },
        {.classes = model.config.classes, .scores = fl::Scores::logits, .input = model.config.input},
        there.backend().device());

    (void)measure("warm-up", there, on_device, 500, true);
    std::string runs = measure("CPU", here, on_host, samples, true);
    runs += ", " + measure("CUDA, classifier on the CPU", there, on_host, samples, true);
    runs += ", " + measure("CUDA", there, on_device, samples, true);
    runs += ", " + measure("CUDA, no properties", there, on_device, samples, false);
    runs += ", " + measure("CPU, no properties", here, on_host, samples, false);
    bench::print("cuda_characterize", {},
                 "\"measured\": true, \"device\": \"" + there.backend().path() +
                     "\", \"samples_per_split\": " + std::to_string(samples) + ", \"runs\": {" + runs + "}");
    return 0;
  } catch (const fl::Error& error) {
    if (error.code() != fl::ErrorCode::device_unavailable) throw;
    std::fprintf(stderr, "cuda_characterize: nothing was measured. %s\n", error.what());
    bench::print("cuda_characterize", {}, "\"measured\": false");
    return 0;
  }
}

int main(int argc, char** argv) {
  return program::run("cuda_characterize", [&] { return benchmark(argc, argv); });
}
