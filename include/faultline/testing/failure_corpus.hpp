// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// No known failure returns: a gate that asks a classifier about every entry of a failure corpus, a folder of failures
// that were found before (corpus_entry.hpp) and made small (shrink_failure.hpp).

#include <faultline/analysis/problem/build_problem.hpp>
#include <faultline/analysis/problem/describe_run.hpp>
#include <faultline/classify/any_criterion.hpp>
#include <faultline/classify/validate_scores.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/core/within_memory.hpp>
#include <faultline/sampling/sampler_options.hpp>
#include <faultline/sampling/style_space_sampler.hpp>
#include <faultline/testing/corpus_entry.hpp>
#include <faultline/testing/gate_result.hpp>
#include <faultline/testing/shrink_failure.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {

/// A known failure that is accepted for a time.
struct Allowance {
  std::string name;     ///< of the entry
  std::string reason;   ///< for the person who reads the log; not empty
  std::string expires;  ///< the last day on which it counts: "2027-01-31"
};

/// Policy: no entry of a failure corpus fails.
///
/// It passes when every entry is answered rightly or allowed, and fails when one that is not allowed fails; an entry
/// that belongs to another generator cannot be asked, and leaves a gate undecided that does not fail. Nothing is drawn,
/// so nothing is uncertain: the verdict's confidence is 1.
struct NoKnownFailureReturns {
  std::filesystem::path folder;        ///< see `read_corpus`
  std::vector<Allowance> allow = {};   ///< failures that are accepted for a time
  std::int64_t batch_size = 64;        ///< fixed padded batch of generator and classifier
  std::vector<std::string> only = {};  ///< names of the entries that are asked; empty: all of them
  std::string today = {};              ///< "2026-12-01", for tests of allowances; empty: the day it is (UTC)
  double probability_tolerance = classify::default_probability_tolerance;
  std::optional<GateMode> mode = std::nullopt;  ///< empty: as the environment says, see `gate_mode`
  bool allow_undecided = false;                 ///< whether an undecided full run `holds()`
};

/// The e-value of what is certain: a failure that was seen needs no statistics. Finite, so that means and sums over
/// fewer than 10^8 statements stay so.
inline constexpr double certain_evidence = 1e300;

namespace detail {

/// What asking a corpus needs of generator, classifier and criterion, without their types.
struct CorpusSource {
  Provenance run;  ///< without what depends on the entries
  std::int64_t w_dim = 0;
  std::int64_t styles = 0;   ///< D
  std::int64_t layers = 0;   ///< that a cutoff counts
  std::int64_t classes = 0;  ///< at least 1
  std::function<analysis::AnySource(const SamplerOptions& sampling)> source;
};

[[nodiscard]] GateResult ask_corpus(const CorpusSource& source, const NoKnownFailureReturns& policy);

}  // namespace detail

/// Asks the classifier about every entry of a corpus, in batches, and about those that fail alone as well.
///
/// Every entry is a statement of the result, with what was expected and what was answered. An entry fails that fails
/// among other images, alone, or both. Before the first one the laws of the classifier are checked (see `preflight`).
/// Notes tell of failures that are allowed, with the reason; of allowances that have expired, are no longer needed, or
/// name no entry; and of entries that were found by another criterion than they are asked by.
/// **Throws** what `read_corpus` throws; invalid_argument for an allowance without reason or day, two for one entry, a
/// name in `only` that no entry has, and options out of range; F2xx when the classifier misbehaves, which is never
/// counted as a failure.
/// **Randomness**: none. **Cost**: one image per entry; the preflight.
/// Example: `auto verdict = gate(generator, mine, NoKnownFailureReturns{.folder = "corpus"});
/// REQUIRE(verdict.passed());`
template <StyleGenerator G, Classifier C, FailureCriterion F = Misclassified>
  requires AffineStyles<G>
[[nodiscard]] GateResult gate(const G& generator, C& classifier, const NoKnownFailureReturns& policy,
                              const F& criterion = {}) {
  return faultline::core::within_memory("gate", [&] {
    const auto held = classify::hold<typename G::image_type>(classifier);
    const classify::AnyCriterion any = classify::AnyCriterion::borrow(criterion);
    detail::CorpusSource source;
    const StyleSpaceSampler<G> plain(generator, {.batch_size = policy.batch_size});
    source.run = analysis::describe_sampling(plain, any, 0);
    analysis::describe_classifier(source.run, *held);
    source.w_dim = generator.w_dim();
    source.styles = generator.layout().dimension();
    source.layers = static_cast<std::int64_t>(generator.layout().layers().size());
    source.classes = plain.classes();
    source.source = [&](const SamplerOptions& sampling) {
      return analysis::make_source(
          StyleSpaceSampler<G>(generator, sampling), held, any,
          {.properties = {}, .batch_size = sampling.batch_size, .probability_tolerance = policy.probability_tolerance},
          "gate");
    };
    return detail::ask_corpus(source, policy);
  });
}
template <StyleGenerator G, Classifier C, FailureCriterion F = Misclassified>
GateResult gate(const G&& generator, C& classifier, const NoKnownFailureReturns& policy,
                const F& criterion = {}) = delete;

}  // namespace testing
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/testing/detail/failure_corpus_impl.hpp>
#endif
