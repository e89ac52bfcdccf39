// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What needs LibTorch: the reference networks as a backend, tensors in and out, LibTorch models as classifiers, and the
// search for the latent of an image.

#include <faultline/faultline.hpp>

#include <faultline/torch/networks.hpp>
#include <faultline/torch/projector.hpp>
#include <faultline/torch/reference_backend.hpp>
#include <faultline/torch/tensor_weights.hpp>
#include <faultline/torch/torch_module.hpp>
#include <faultline/torch/torch_resident.hpp>
