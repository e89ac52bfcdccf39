// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The library with its StyleGAN2 generator on the CPU: core.hpp, what goes beyond a characterisation, and what needs
// LibTorch for inference.

#include <faultline/core.hpp>

#include <faultline/statistics/manifold_quality.hpp>
#include <faultline/statistics/rank_agreement.hpp>
#include <faultline/statistics/tsne.hpp>
#include <faultline/analysis/accuracy_distance.hpp>
#include <faultline/analysis/agreement.hpp>
#include <faultline/analysis/attfind.hpp>
#include <faultline/analysis/compare.hpp>
#include <faultline/analysis/compare_outcomes.hpp>
#include <faultline/analysis/comparison_problem.hpp>
#include <faultline/analysis/comparison_report.hpp>
#include <faultline/analysis/corner_cases.hpp>
#include <faultline/analysis/explain.hpp>
#include <faultline/analysis/paper_distance.hpp>
#include <faultline/analysis/predictability.hpp>
#include <faultline/analysis/property_spread.hpp>
#include <faultline/analysis/scan.hpp>
#include <faultline/render/comparison_report.hpp>
#include <faultline/render/drawing.hpp>
#include <faultline/render/figure_data.hpp>
#include <faultline/render/figures.hpp>
#include <faultline/render/paper_json.hpp>
#include <faultline/render/read_report.hpp>

#include <faultline/stylegan2/cpu_backend.hpp>
#include <faultline/stylegan2/generator.hpp>
#include <faultline/stylegan2/projector.hpp>
