// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The library with its generator on CUDA devices: faultline.hpp and CudaBackend. Needs the headers of CUDA and the
// target faultline::cuda.

#include <faultline/faultline.hpp>

#include <faultline/torch/cuda_backend.hpp>
