// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The library with its generator on CUDA devices: torch.hpp and CudaBackend. Needs the headers of CUDA and the
// target faultline::cuda.

#include <faultline/torch.hpp>

#include <faultline/torch/cuda_backend.hpp>
