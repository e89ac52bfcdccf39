// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What faultline::compiled holds of rendering: AnalyticGenerator and AnyGenerator with AnyClassifier.

#include <faultline/render/detail/edit_renderer.hpp>
#include <faultline/sampling/analytic_generator.hpp>
#include <faultline/sampling/any_generator.hpp>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

extern template RenderBackend make_render_backend(const AnalyticGenerator& generator, AnyClassifier& classifier,
                                                  const FailureReport& report, const RenderOptions& options);
extern template RenderBackend make_render_backend(const AnyGenerator& generator, AnyClassifier& classifier,
                                                  const FailureReport& report, const RenderOptions& options);

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
