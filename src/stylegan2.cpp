// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The compiled form of stylegan2/, with the analysis and the rendering of its generator on the CPU.
#include <faultline/stylegan2/detail/cpu_backend_impl.hpp>
#include <faultline/stylegan2/detail/model_file_impl.hpp>
#include <faultline/stylegan2/detail/synthesis_edits_impl.hpp>

#include <faultline/faultline.hpp>

namespace faultline {
inline namespace v1 {

template class Generator<CpuBackend>;

namespace analysis {

template AnySource make_source(const StyleSpaceSampler<Generator<CpuBackend>>& sampler,
                               std::shared_ptr<AnyClassifier> classifier, classify::AnyCriterion criterion,
                               const MethodOptions& method, const std::string& who);

}  // namespace analysis
namespace render {
namespace detail {

template RenderBackend make_render_backend(const Generator<CpuBackend>& generator, AnyClassifier& classifier,
                                           const FailureReport& report, const RenderOptions& options);

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
