// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The library with its StyleGAN2 generator on the CPU: core.hpp, what goes beyond a characterisation, and what needs
// LibTorch for inference.

#include <faultline/core.hpp>

#include <faultline/analysis/compare/accuracy_distance.hpp>
#include <faultline/analysis/compare/compare.hpp>
#include <faultline/analysis/compare/compare_outcomes.hpp>
#include <faultline/analysis/compare/comparison_problem.hpp>
#include <faultline/analysis/compare/comparison_report.hpp>
#include <faultline/analysis/explain/explain.hpp>
#include <faultline/analysis/paper/attfind.hpp>
#include <faultline/analysis/paper/corner_cases.hpp>
#include <faultline/analysis/paper/paper_distance.hpp>
#include <faultline/analysis/paper/predictability.hpp>
#include <faultline/analysis/paper/property_spread.hpp>
#include <faultline/analysis/rank/agreement.hpp>
#include <faultline/analysis/scan/scan.hpp>
#include <faultline/render/comparison_report.hpp>
#include <faultline/render/drawing.hpp>
#include <faultline/render/figure_data.hpp>
#include <faultline/render/figures.hpp>
#include <faultline/render/paper_json.hpp>
#include <faultline/render/read_report.hpp>
#include <faultline/statistics/manifold_quality.hpp>
#include <faultline/statistics/rank_agreement.hpp>
#include <faultline/statistics/tsne.hpp>

#include <faultline/stylegan2/cpu_backend.hpp>
#include <faultline/stylegan2/generator.hpp>
#include <faultline/torch/projector.hpp>
