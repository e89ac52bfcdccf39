// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// FailureAnalyzer: from a sampler, a classifier and a criterion to a FailureReport.

#include <faultline/analysis/analyze.hpp>
#include <faultline/analysis/detail/build_problem.hpp>
#include <faultline/analysis/detail/cpu_name.hpp>
#include <faultline/analysis/paper_method.hpp>
#include <faultline/version.hpp>

#include <charconv>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

namespace detail {

[[nodiscard]] inline std::string number_text(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value);
  return {text, end.ptr};
}

/// How the report names a criterion: its own `name()`, or that of a shipped one.
template <FailureCriterion F>
[[nodiscard]] std::string criterion_name(const F& criterion) {
  if constexpr (requires { { criterion.name() } -> std::convertible_to<std::string>; }) return criterion.name();
  else if constexpr (std::same_as<F, Misclassified>) return "misclassified";
  else if constexpr (std::same_as<F, TrueClassBelow>) return "probability of the true class below " + number_text(criterion.p);
  else if constexpr (std::same_as<F, MarginBelow>) return "margin below " + number_text(criterion.m);
  else return "custom";
}

}  // namespace detail

/// Finds the conditions under which a classifier fails on what a generator makes.
///
/// `run()` draws two populations of `samples` each (discovery from index 0, confirmation from 2^40), classifies them, and carries out the method; see `analyze` for its
/// error rates. Generator and classifier are borrowed. The classifier is called from one thread, in batches of `method.batch_size`, padded.
/// **Throws** empty_input for no samples, invalid_argument for options out of range; F2xx for a classifier that answers wrongly (shape, NaN, not probabilities, exceptions), before
/// any of its answers is used; property_threw for a property or criterion that fails.
/// **Randomness**: the sampler's seed decides everything. **Cost**: 2 · samples images, and what interventions, distances and profiles of the findings need; memory for
/// w and properties of the samples, no images.
/// Example: `FailureAnalyzer analyzer(sampler, mine, TrueClassBelow{0.5}, {.samples = 2'000}); FailureReport report = analyzer.run();`
template <StyleGenerator G, Classifier C, FailureCriterion F = Misclassified>
  requires AffineStyles<G> && std::copy_constructible<F>
class FailureAnalyzer {
 public:
  FailureAnalyzer(const StyleSpaceSampler<G>& sampler, C& classifier, F criterion = {}, AnalyzerOptions options = {})
      : sampler_(sampler), classifier_(std::addressof(classifier)), criterion_(std::move(criterion)), options_(std::move(options)) {
    if (options_.samples == 0) throw Error(ErrorCode::empty_input, "FailureAnalyzer", "expected at least one sample per half, got 0");
    if (options_.samples < 0) throw Error(ErrorCode::invalid_argument, "FailureAnalyzer", "the number of samples must be positive, got " + std::to_string(options_.samples));
    detail::check_options(options_.method);
    source_ = std::make_shared<Source>(sampler_, *classifier_, criterion_, options_.method);
  }

  /// Samples, classifies, analyses. Calling it again repeats only the analysis, on the same samples.
  [[nodiscard]] FailureReport run() {
    FailureReport report = analyze(problem(), options_.method);
    report.cost = source_->cost();
    describe(report);
    return report;
  }

  /// The paper's method on the same discovery half, see `paper_method`; cost counts everything this analyzer has done.
  [[nodiscard]] PaperReport run_paper(const PaperOptions& options = {}) {
    PaperReport report = paper_method(problem(), options, options_.method.batch_size, options_.method.progress);
    report.cost = source_->cost();
    describe(report);
    return report;
  }

  /// The plain problem behind the report, for one's own questions (`channel_scores`, `find_candidates`, ...). Samples and classifies when that has not been done.
  [[nodiscard]] const Problem& problem() {
    if (!problem_) {
      Problem problem = detail::make_problem(source_, sampler_);
      source_->check_laws();
      problem.discovery = source_->sample(discovery_first, options_.samples, "sampling, discovery half");
      problem.confirmation = source_->sample(confirmation_first, options_.samples, "sampling, confirmation half");
      problem_ = std::move(problem);
    }
    return *problem_;
  }

 private:
  using Source = detail::ProblemSource<G, C, F>;

  template <class Report>
  void describe(Report& report) const {
    const G& generator = sampler_.generator();
    Provenance& provenance = report.provenance;
    provenance.library_version = version_string;
    provenance.generator_digest = generator.digest();
    provenance.classifier_name = name_of(*classifier_);
    provenance.criterion = detail::criterion_name(criterion_);
    if constexpr (requires { { generator.torch_version() } -> std::convertible_to<std::string>; }) provenance.torch_version = generator.torch_version();
    provenance.cpu = detail::cpu_name();
    if constexpr (requires { { generator.backend_description() } -> std::convertible_to<std::string>; }) provenance.backend = generator.backend_description();
    if constexpr (requires { { generator.backend_warnings() } -> std::convertible_to<std::vector<std::string>>; report.warnings; })
      for (const std::string& warning : generator.backend_warnings()) report.warnings.push_back(warning);
    provenance.seed = sampler_.options().seed;
    provenance.samples_per_half = options_.samples;
    provenance.batch_size = options_.method.batch_size;
    provenance.truncation = sampler_.options().truncation;
    provenance.noise = sampler_.options().noise;
    provenance.labels = sampler_.options().labels;
    provenance.permutations_discovery = options_.method.permutations_discovery;
    provenance.permutations_confirmation = options_.method.permutations_confirmation;
    provenance.alpha = options_.method.alpha;
    if constexpr (requires { { generator.class_names() } -> std::convertible_to<std::vector<std::string>>; }) report.class_names = generator.class_names();
  }

  StyleSpaceSampler<G> sampler_;
  C* classifier_;
  F criterion_;
  AnalyzerOptions options_;
  std::shared_ptr<Source> source_;
  std::optional<Problem> problem_;
};

}  // namespace v1
}  // namespace faultline
