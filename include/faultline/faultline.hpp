// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The library with its StyleGAN2 generator on the CPU: core.hpp plus what needs LibTorch for inference.

#include <faultline/core.hpp>
#include <faultline/stylegan2/generator.hpp>
#include <faultline/stylegan2/projector.hpp>
