// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a CpuBackend and its copies share: the packed networks, and workspaces that wait for their next use.

#include <faultline/stylegan2/cost.hpp>
#include <faultline/stylegan2/cpu_backend.hpp>
#include <faultline/stylegan2/detail/cpu_gradient.hpp>
#include <faultline/stylegan2/detail/cpu_mapping.hpp>
#include <faultline/stylegan2/detail/cpu_synthesis.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2::detail {

/// A packed network with its workspaces.
struct PackedSynthesis {
  explicit PackedSynthesis(cpu::SynthesisWeights packed) : weights(std::move(packed)) {}

  /// Images of styles `[N, D]`.
  [[nodiscard]] ImageBatch images(const Matrix<float>& s, const NoiseImages& noise) {
    const cpu::Convolution& last = weights.convolutions.back();
    ImageBatch images(s.rows(), {last.colours, last.side, last.side});
    const std::int64_t pixels = images.shape().elements();
    cpu::for_each_group(weights, pool, s.rows(), noise, [&](cpu::GroupRun& group, std::ptrdiff_t first) {
      group(s.data() + first * s.cols(), s.cols(), images.data() + first * pixels);
    });
    return images;
  }

  cpu::SynthesisWeights weights;  ///< never change
  cpu::WorkspacePool pool;
};

struct CpuEngine {
  CpuEngine(GeneratorModel given, const kernels::Kernels& kernels)
      : model(std::move(given)), layout(style_layout(model.config)), mapping(kernels, model.config, model.weights) {}

  [[nodiscard]] cpu::SynthesisWeights pack(const kernels::Kernels& kernels, bool narrow, bool winograd) const {
    return cpu::pack_synthesis(kernels, narrow, winograd, model.config, model.weights);
  }

  GeneratorModel model;
  StyleLayout layout;
  cpu::Mapping mapping;
  std::unique_ptr<PackedSynthesis> synthesis;
  std::string path;
  std::vector<std::string> warnings;
  std::once_flag once;  // for what pullback needs
  std::unique_ptr<PackedSynthesis> exact;
  std::unique_ptr<const cpu::GradientWeights> gradient;
  cpu::WorkspacePool gradient_pool;
};

}  // namespace stylegan2::detail
}  // namespace v1
}  // namespace faultline
