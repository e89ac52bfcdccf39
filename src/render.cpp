// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The compiled form of render/.
#include <faultline/render/detail/canvas_impl.hpp>
#include <faultline/render/detail/charts_impl.hpp>
#include <faultline/render/detail/compiled_backends.hpp>
#include <faultline/render/detail/direction_frames_impl.hpp>
#include <faultline/render/detail/directions_csv_impl.hpp>
#include <faultline/render/detail/drawing_impl.hpp>
#include <faultline/render/detail/failing_images_impl.hpp>
#include <faultline/render/detail/figure_data_impl.hpp>
#include <faultline/render/detail/figures_impl.hpp>
#include <faultline/render/detail/html_comparison_impl.hpp>
#include <faultline/render/detail/html_conditions_impl.hpp>
#include <faultline/render/detail/html_report_impl.hpp>
#include <faultline/render/detail/json_comparison_impl.hpp>
#include <faultline/render/detail/json_conditions_impl.hpp>
#include <faultline/render/detail/json_report_impl.hpp>
#include <faultline/render/detail/overview_charts_impl.hpp>
#include <faultline/render/detail/paper_json_impl.hpp>
#include <faultline/render/detail/population_arrays_impl.hpp>
#include <faultline/render/detail/read_report_impl.hpp>
#include <faultline/render/detail/render_backend_impl.hpp>
#include <faultline/render/detail/report_difference_json_impl.hpp>
#include <faultline/render/detail/page_budget_impl.hpp>
#include <faultline/render/detail/report_files_impl.hpp>
#include <faultline/render/detail/report_labels_impl.hpp>
#include <faultline/render/detail/report_sheets_impl.hpp>
#include <faultline/render/detail/response_charts_impl.hpp>
#include <faultline/render/detail/response_figure_impl.hpp>
#include <faultline/render/detail/sheet_choices_impl.hpp>
#include <faultline/render/detail/sheet_impl.hpp>
#include <faultline/render/detail/text_impl.hpp>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

template RenderBackend make_render_backend(const AnalyticGenerator& generator, AnyClassifier& classifier,
                                           const FailureReport& report, const RenderOptions& options);
template RenderBackend make_render_backend(const AnyGenerator& generator, AnyClassifier& classifier,
                                           const FailureReport& report, const RenderOptions& options);

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
