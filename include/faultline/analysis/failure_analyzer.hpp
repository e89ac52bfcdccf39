// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// FailureAnalyzer: from a sampler, a classifier and a criterion to a FailureReport.

#include <faultline/classify/any_criterion.hpp>
#include <faultline/classify/score_request.hpp>
#include <faultline/core/interrupted.hpp>
#include <faultline/core/within_memory.hpp>
#include <faultline/analysis/problem/check_options.hpp>
#include <faultline/analysis/analyze.hpp>
#include <faultline/analysis/paper/paper_method.hpp>
#include <faultline/analysis/problem/build_problem.hpp>
#include <faultline/analysis/problem/describe_method.hpp>
#include <faultline/analysis/problem/describe_run.hpp>
#include <faultline/analysis/problem/forecast.hpp>
#include <faultline/analysis/problem/held_out_latents.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Finds the conditions under which a classifier fails on what a generator makes.
///
/// `run()` draws two populations of `samples` each (discovery from index 0, confirmation from 2^40), classifies them,
/// and carries out the method; see `analyze` for its error rates. Generator and classifier are borrowed. The classifier
/// is called from one thread, unless it says that it is thread-safe, in batches of `method.batch_size`, padded.
/// **Throws** empty_input for no samples, invalid_argument for options out of range; F2xx for a classifier that answers
/// wrongly (shape, NaN, not probabilities, exceptions), before any of its answers is used; property_threw for a
/// property or criterion that fails. After the samples both are an `Interrupted<FailureReport>`, whose `found()` is the
/// report without what could not be asked any more.
/// **Budget** (`method.budget`): both splits get shorter alike where it does not hold them; conditions that it leaves
/// undecided say so; `cut_short` marks the report and `warnings` say of what. The description of what was found is not
/// cut: about 4 000 images for each cause beyond a budget that is too small. Run again on the same samples it goes on
/// from what these have spent.
/// **Randomness**: the sampler's seed decides everything, but for a budget in seconds. **Cost**: the preflight, 2 ·
/// samples images, and what interventions, distances and profiles of the findings need; memory for w and properties of
/// the samples, no images. Example: `FailureAnalyzer analyzer(sampler, mine, TrueClassBelow{0.5}, {.samples = 2'000});
/// FailureReport report = analyzer.run();`
template <StyleGenerator G, Classifier C, FailureCriterion F = Misclassified>
  requires AffineStyles<G> && std::copy_constructible<F>
class FailureAnalyzer {
 public:
  FailureAnalyzer(const StyleSpaceSampler<G>& sampler, C& classifier, F criterion = {}, AnalyzerOptions options = {})
      : sampler_(sampler),
        classifier_(classify::hold<typename G::image_type>(classifier)),
        criterion_(std::move(criterion)),
        options_(std::move(options)) {
    check_samples("FailureAnalyzer", options_.samples);
    check_options(options_.method);
    core::within_memory("FailureAnalyzer", [&] {
      source_ = make_source(sampler_, classifier_, criterion_, options_.method, "FailureAnalyzer");
    });
  }

  /// Samples, classifies, analyses. Calling it again repeats only the analysis, on the same samples.
  [[nodiscard]] FailureReport run() {
    (void)problem();
    if (options_.method.budget.is_limited()) start_clock(spent_by_samples_);
    try {
      FailureReport report =
          core::within_memory("FailureAnalyzer", [&] { return analyze(*problem_, options_.method); });
      complete(report);
      return report;
    } catch (const Interrupted<FailureReport>& met) {
      FailureReport report = met.found();
      complete(report);
      std::throw_with_nested(Interrupted<FailureReport>(met, std::move(report)));
    }
  }

  /// The paper's method on the same discovery split, see `paper_method`; cost counts everything this analyzer has done.
  [[nodiscard]] PaperReport run_paper(const PaperOptions& options = {}) {
    paper::check_paper_options(options, options_.method.batch_size);  // before anything is sampled
    refuse_budget("run_paper", options_.method);
    PaperReport report = core::within_memory("FailureAnalyzer", [&] {
      return paper_method(problem(), options, options_.method.batch_size, options_.method.progress);
    });
    report.cost = source_.cost();
    describe(report);
    report.provenance.options = option_values(options);
    return report;
  }

  /// What `run()` is going to cost. Carries out the preflight, and times a few batches of samples.
  [[nodiscard]] Forecast forecast() {
    classify::ScoreRequest request(source_.problem.deferred);  // never ended: it needs no scores
    check_premises(request);
    const MethodOptions& method = options_.method;
    double images = 0.0, seconds = 0.0;
    for (const std::int64_t batches : {1, 8}) {  // a second look where the first is too short to tell
      if (seconds > 0.25) break;
      const std::int64_t count = batches * method.batch_size;
      const auto start = std::chrono::steady_clock::now();
      core::within_memory("FailureAnalyzer", [&] { (void)source_.sample(core::discovery_first, count, ""); });
      seconds = std::max(1e-9, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      images = static_cast<double>(count);
    }
    return forecast_images(method, options_.samples, images / seconds);
  }

  /// The plain problem behind the report, for one's own questions (`channel_scores`, `find_causes`, ...). Samples
  /// and classifies when that has not been done.
  [[nodiscard]] const Problem& problem() {
    if (!problem_ || provisional_) {
      classify::ScoreRequest request(source_.problem.deferred);  // what lacks scores is asked for at once
      check_premises(request);
      if (options_.method.budget.is_limited()) start_clock(0.0);
      Problem problem = source_.problem;
      core::within_memory("FailureAnalyzer", [&] {
        problem.discovery = split(core::discovery_first, options_.samples, "discovery", budget_share::discovery);
        problem.confirmation =
            split(core::confirmation_first, problem.discovery.size(), "confirmation", budget_share::sampling);
      });
      provisional_ = request.missing() > 0;  // stays so where a request of the caller goes on
      request.end();
      spent_by_samples_ = clock_ ? clock_->used() : 0.0;
      problem_ = std::move(problem);
    }
    return *problem_;
  }

 private:
  using Held = classify::HeldClassifier<C, typename G::image_type>;

  /// The preflight, once with scores.
  void check_premises(const classify::ScoreRequest& request) {
    if (!premises_hold_) source_.preflight();
    premises_hold_ = request.missing() == 0;
  }

  void start_clock(double before) {
    clock_ = std::make_shared<BudgetClock>(
        options_.method.budget, [cost = source_.cost] { return cost().generator_images; }, before);
    if (problem_) problem_->budget_used = [clock = clock_] { return clock->used(); };
  }

  /// Samples of a split, as many as are wanted or as the budget allows; at least one batch.
  [[nodiscard]] Population split(std::int64_t first, std::int64_t count, const std::string& name, double share) {
    const std::string stage = "sampling, " + name + " split";
    if (!clock_) return source_.sample(first, count, stage);
    Population samples;
    const std::int64_t block = 4 * options_.method.batch_size;
    while (samples.size() < count && (samples.size() == 0 || clock_->used() < share)) {
      append(samples, source_.sample(first + samples.size(), std::min(block, count - samples.size()), ""));
      report_progress(options_.method.progress, stage, samples.size(), count);
    }
    return samples;
  }

  /// What a report says of the run as a whole.
  void complete(FailureReport& report) const {
    if (problem_->discovery.size() < options_.samples) {
      report.cut_short = true;
      report.warnings.insert(report.warnings.begin(), "The budget ended the sampling at " +
                                                          std::to_string(problem_->discovery.size()) + " of " +
                                                          std::to_string(options_.samples) + " samples per split.");
    }
    report.cost = source_.cost();
    describe(report);
  }

  template <class Report>
  void describe(Report& report) const {
    report.provenance = describe_sampling(sampler_, criterion_, problem_->discovery.size());
    describe_classifier(report.provenance, *classifier_);
    describe_method(report.provenance, options_.method);
    report.class_names = class_names_of(sampler_.generator());
    if constexpr (requires { report.warnings; })
      for (std::string& warning : backend_warnings_of(sampler_.generator()))
        report.warnings.push_back(std::move(warning));
  }

  StyleSpaceSampler<G> sampler_;
  std::shared_ptr<Held> classifier_;
  classify::AnyCriterion criterion_;
  AnalyzerOptions options_;
  AnySource source_;
  bool premises_hold_ = false;
  bool provisional_ = false;            // the problem has answers that are none
  std::shared_ptr<BudgetClock> clock_;  // with a budget
  double spent_by_samples_ = 0.0;       // share of it
  std::optional<Problem> problem_;
};

}  // namespace analysis

using analysis::FailureAnalyzer;

}  // namespace v1
}  // namespace faultline
