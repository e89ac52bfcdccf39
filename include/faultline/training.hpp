// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Everything for training: generators, classifiers, checkpoints. Needs LibTorch.

#include <faultline/torch/training/augment.hpp>
#include <faultline/torch/training/checkpoint.hpp>
#include <faultline/torch/training/classifier_networks.hpp>
#include <faultline/torch/training/classifier_trainer.hpp>
#include <faultline/torch/training/gan_trainer.hpp>
#include <faultline/sampling/generator_quality.hpp>
#include <faultline/torch/training/judge_features.hpp>
#include <faultline/stylegan2/sample_sheet.hpp>
#include <faultline/torch/training/training_images.hpp>
