// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// FailureAnalyzer: from a sampler, a classifier and a criterion to a FailureReport.

#include <faultline/classify/any_criterion.hpp>
#include <faultline/core/within_memory.hpp>
#include <faultline/analysis/problem/check_options.hpp>
#include <faultline/analysis/analyze.hpp>
#include <faultline/analysis/paper/paper_method.hpp>
#include <faultline/analysis/problem/build_problem.hpp>
#include <faultline/analysis/problem/describe_method.hpp>
#include <faultline/analysis/problem/describe_run.hpp>

#include <concepts>
#include <cstdint>
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
/// property or criterion that fails.
/// **Randomness**: the sampler's seed decides everything. **Cost**: the preflight, 2 · samples images, and what
/// interventions, distances and profiles of the findings need; memory for w and properties of the samples, no images.
/// Example: `FailureAnalyzer analyzer(sampler, mine, TrueClassBelow{0.5}, {.samples = 2'000}); FailureReport report =
/// analyzer.run();`
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
    FailureReport report = core::within_memory("FailureAnalyzer", [&] { return analyze(problem(), options_.method); });
    report.cost = source_.cost();
    describe(report);
    return report;
  }

  /// The paper's method on the same discovery split, see `paper_method`; cost counts everything this analyzer has done.
  [[nodiscard]] PaperReport run_paper(const PaperOptions& options = {}) {
    paper::check_paper_options(options, options_.method.batch_size);  // before anything is sampled
    PaperReport report = core::within_memory("FailureAnalyzer", [&] {
      return paper_method(problem(), options, options_.method.batch_size, options_.method.progress);
    });
    report.cost = source_.cost();
    describe(report);
    report.provenance.options = option_values(options);
    return report;
  }

  /// The plain problem behind the report, for one's own questions (`channel_scores`, `find_causes`, ...). Samples
  /// and classifies when that has not been done.
  [[nodiscard]] const Problem& problem() {
    if (!problem_) {
      Problem problem = source_.problem;
      source_.preflight();
      core::within_memory("FailureAnalyzer", [&] {
        problem.discovery = source_.sample(core::discovery_first, options_.samples, "sampling, discovery split");
        problem.confirmation =
            source_.sample(core::confirmation_first, options_.samples, "sampling, confirmation split");
      });
      problem_ = std::move(problem);
    }
    return *problem_;
  }

 private:
  using Held = classify::HeldClassifier<C, typename G::image_type>;

  template <class Report>
  void describe(Report& report) const {
    report.provenance = describe_sampling(sampler_, criterion_, options_.samples);
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
  std::optional<Problem> problem_;
};

}  // namespace analysis

using analysis::FailureAnalyzer;

}  // namespace v1
}  // namespace faultline
