// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The compiled form of analysis/.
#include <faultline/analysis/compare/detail/accuracy_distance_impl.hpp>
#include <faultline/analysis/compare/detail/compare_impl.hpp>
#include <faultline/analysis/compare/detail/compare_outcomes_impl.hpp>
#include <faultline/analysis/compare/detail/report_difference_impl.hpp>
#include <faultline/analysis/conditions/detail/condition_impl.hpp>
#include <faultline/analysis/conditions/detail/condition_sample_impl.hpp>
#include <faultline/analysis/conditions/detail/residual_directions_impl.hpp>
#include <faultline/analysis/conditions/detail/select_terms_impl.hpp>
#include <faultline/analysis/conditions/detail/term_impl.hpp>
#include <faultline/analysis/confirm/detail/auc_interval_impl.hpp>
#include <faultline/analysis/confirm/detail/cause_fractions_impl.hpp>
#include <faultline/analysis/confirm/detail/cause_settings_impl.hpp>
#include <faultline/analysis/confirm/detail/ceiling_impl.hpp>
#include <faultline/analysis/confirm/detail/condition_chain_impl.hpp>
#include <faultline/analysis/confirm/detail/condition_effects_impl.hpp>
#include <faultline/analysis/confirm/detail/condition_edits_impl.hpp>
#include <faultline/analysis/confirm/detail/confirm_conditions_impl.hpp>
#include <faultline/analysis/confirm/detail/detectable_impl.hpp>
#include <faultline/analysis/confirm/detail/find_conditions_impl.hpp>
#include <faultline/analysis/confirm/detail/intervention_directions_impl.hpp>
#include <faultline/analysis/confirm/detail/edit_comparisons_impl.hpp>
#include <faultline/analysis/confirm/detail/placebo_impl.hpp>
#include <faultline/analysis/confirm/detail/rates_impl.hpp>
#include <faultline/analysis/describe/detail/carriers_impl.hpp>
#include <faultline/analysis/describe/detail/coordinate_histogram_impl.hpp>
#include <faultline/analysis/describe/detail/failing_samples_impl.hpp>
#include <faultline/analysis/describe/detail/make_finding_impl.hpp>
#include <faultline/analysis/describe/detail/outcome_model_impl.hpp>
#include <faultline/analysis/describe/detail/property_profiles_impl.hpp>
#include <faultline/analysis/describe/detail/real_image_check_impl.hpp>
#include <faultline/analysis/describe/detail/report_text_impl.hpp>
#include <faultline/analysis/describe/detail/response_curve_impl.hpp>
#include <faultline/analysis/describe/detail/responses_impl.hpp>
#include <faultline/analysis/detail/analyze_impl.hpp>
#include <faultline/analysis/detail/labelled_conditions_impl.hpp>
#include <faultline/analysis/detail/provenance_impl.hpp>
#include <faultline/analysis/detail/replay_impl.hpp>
#include <faultline/analysis/distance/detail/boundary_search_impl.hpp>
#include <faultline/analysis/distance/detail/crossing_summary_impl.hpp>
#include <faultline/analysis/distance/detail/distance_search_impl.hpp>
#include <faultline/analysis/distance/detail/joint_shift_impl.hpp>
#include <faultline/analysis/distance/detail/paper_search_impl.hpp>
#include <faultline/analysis/distance/detail/property_distances_impl.hpp>
#include <faultline/analysis/distance/detail/threshold_impl.hpp>
#include <faultline/analysis/distance/detail/validity_impl.hpp>
#include <faultline/analysis/explain/detail/explain_impl.hpp>
#include <faultline/analysis/paper/detail/attfind_impl.hpp>
#include <faultline/analysis/paper/detail/corner_cases_impl.hpp>
#include <faultline/analysis/paper/detail/paper_distance_impl.hpp>
#include <faultline/analysis/paper/detail/paper_method_impl.hpp>
#include <faultline/analysis/paper/detail/predictability_impl.hpp>
#include <faultline/analysis/paper/detail/property_spread_impl.hpp>
#include <faultline/analysis/problem/compiled_sources.hpp>
#include <faultline/analysis/problem/detail/check_options_impl.hpp>
#include <faultline/analysis/problem/detail/check_population_impl.hpp>
#include <faultline/analysis/problem/detail/cpu_name_impl.hpp>
#include <faultline/analysis/problem/detail/describe_method_impl.hpp>
#include <faultline/analysis/problem/detail/describe_run_impl.hpp>
#include <faultline/analysis/problem/detail/edit_impl.hpp>
#include <faultline/analysis/problem/detail/forecast_impl.hpp>
#include <faultline/analysis/problem/detail/held_out_latents_impl.hpp>
#include <faultline/analysis/problem/detail/labelled_table_impl.hpp>
#include <faultline/analysis/problem/detail/start_latents_impl.hpp>
#include <faultline/analysis/properties/detail/color_impl.hpp>
#include <faultline/analysis/properties/detail/default_properties_impl.hpp>
#include <faultline/analysis/properties/detail/edge_width_impl.hpp>
#include <faultline/analysis/properties/detail/ink_shape_impl.hpp>
#include <faultline/analysis/properties/detail/intensity_impl.hpp>
#include <faultline/analysis/properties/detail/loops_impl.hpp>
#include <faultline/analysis/properties/detail/measure_impl.hpp>
#include <faultline/analysis/properties/detail/measure_labelled_images_impl.hpp>
#include <faultline/analysis/properties/detail/noise_level_impl.hpp>
#include <faultline/analysis/properties/detail/stroke_thickness_impl.hpp>
#include <faultline/analysis/rank/detail/agreement_impl.hpp>
#include <faultline/analysis/rank/detail/channel_ranking_impl.hpp>
#include <faultline/analysis/rank/detail/class_split_impl.hpp>
#include <faultline/analysis/rank/detail/style_moments_impl.hpp>
#include <faultline/analysis/scan/detail/scan_impl.hpp>

namespace faultline {
inline namespace v1 {
namespace analysis {

template AnySource make_source(const StyleSpaceSampler<AnalyticGenerator>& sampler,
                               std::shared_ptr<AnyClassifier> classifier, classify::AnyCriterion criterion,
                               const MethodOptions& method, const std::string& who);
template AnySource make_source(const StyleSpaceSampler<AnyGenerator>& sampler,
                               std::shared_ptr<AnyClassifier> classifier, classify::AnyCriterion criterion,
                               const MethodOptions& method, const std::string& who);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
