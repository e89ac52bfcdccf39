// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A whole characterisation without LibTorch, in the order of the data's way: a generator and a classifier of one's own,
// and this header. What goes beyond it (comparison, the paper's method, explanations, figures) needs no LibTorch
// either, but has doors of its own, so that nobody pays to compile what they do not use.

#include <faultline/config.hpp>
#include <faultline/error.hpp>
#include <faultline/version.hpp>

#include <faultline/core/atomic_file.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/core/philox.hpp>
#include <faultline/core/progress.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/core/sha256.hpp>

#include <faultline/classify/any_classifier.hpp>
#include <faultline/classify/check_classifier.hpp>
#include <faultline/classify/make_classifier.hpp>
#include <faultline/classify/prepare_images.hpp>
#include <faultline/classify/scoring.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/explain.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/generator_cost.hpp>
#include <faultline/concepts/generator_options.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/concepts/style_layout.hpp>

#include <faultline/data/assets.hpp>
#include <faultline/data/corrupted_images.hpp>
#include <faultline/data/corruptions.hpp>
#include <faultline/data/idx.hpp>
#include <faultline/data/image_folder.hpp>
#include <faultline/data/mnist.hpp>
#include <faultline/data/png.hpp>
#include <faultline/data/safetensors.hpp>

#include <faultline/sampling/analytic_generator.hpp>
#include <faultline/sampling/any_generator.hpp>
#include <faultline/sampling/label_policy.hpp>
#include <faultline/sampling/population.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <faultline/analysis/characterize.hpp>
#include <faultline/analysis/failure_analyzer.hpp>
#include <faultline/analysis/paper/paper_report.hpp>
#include <faultline/analysis/problem/options.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/problem/property.hpp>
#include <faultline/analysis/properties/default_properties.hpp>
#include <faultline/analysis/report.hpp>

#include <faultline/render/direction_renderer.hpp>
#include <faultline/render/directions_csv.hpp>
#include <faultline/render/html_report.hpp>
#include <faultline/render/json_report.hpp>
#include <faultline/render/read_report.hpp>
#include <faultline/render/render_options.hpp>
