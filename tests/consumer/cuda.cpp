// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A user's file that needs the CUDA backend: compiles, links and starts; without a device it is told so.
#include <faultline/torch/cuda_backend.hpp>

namespace fl = faultline;

int main() {
  fl::stylegan2::GeneratorConfig config;
  config.z_dim = config.w_dim = 4;
  config.img_resolution = 8;
  config.channel_max = 4;
  try {
    const fl::Generator<fl::CudaBackend> generator({config, fl::stylegan2::initial_weights(config, 1), "", ""},
                                                   {.graphs = false});
    return generator.backend_description().empty() ? 1 : 0;
  } catch (const fl::Error& error) {
    return error.code() == fl::ErrorCode::device_unavailable ? 0 : 1;
  }
}
