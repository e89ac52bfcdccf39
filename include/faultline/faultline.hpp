// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The library with its StyleGAN2 generator on the CPU, without LibTorch: core.hpp, the generator, the built-in
// classifiers, and what goes beyond a characterisation.

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

#include <faultline/classify/network_classifier.hpp>
#include <faultline/data/classifier_file.hpp>

#include <faultline/stylegan2/cpu_backend.hpp>
#include <faultline/stylegan2/generator.hpp>

#ifdef FAULTLINE_COMPILED  // what faultline::compiled holds of it

namespace faultline {
inline namespace v1 {

extern template class Generator<CpuBackend>;

namespace analysis {

extern template AnySource make_source(const StyleSpaceSampler<Generator<CpuBackend>>& sampler,
                                      std::shared_ptr<AnyClassifier> classifier, classify::AnyCriterion criterion,
                                      const MethodOptions& method, const std::string& who);

}  // namespace analysis
namespace render {
namespace detail {

extern template RenderBackend make_render_backend(const Generator<CpuBackend>& generator, AnyClassifier& classifier,
                                                  const FailureReport& report, const RenderOptions& options);

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline

#endif
