// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Everything for training: generators, classifiers, checkpoints; and reading the classifiers that it makes.

#include <faultline/training/augment.hpp>
#include <faultline/training/checkpoint.hpp>
#include <faultline/training/classifier.hpp>
#include <faultline/training/classifier_trainer.hpp>
#include <faultline/training/gan_trainer.hpp>
#include <faultline/training/generator_quality.hpp>
#include <faultline/training/judge_features.hpp>
#include <faultline/training/sample_sheet.hpp>
#include <faultline/training/training_images.hpp>
