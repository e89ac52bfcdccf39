// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The operators that training needs beyond inference, behind the same gateway.

#include <faultline/torch/libtorch.hpp>

#include <faultline/torch/libtorch_begin.hpp>

#include <ATen/TensorIterator.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/nan_to_num.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <faultline/torch/libtorch_end.hpp>
