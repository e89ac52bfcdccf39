// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The plain middle of a comparison: the same samples and the same edited images, judged by several classifiers.

#include <faultline/analysis/problem/options.hpp>
#include <faultline/analysis/problem/problem.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Everything a comparison needs. A list with one entry per classifier is in the order of `names`.
struct ComparisonProblem {
  std::vector<std::string> names;
  std::vector<std::string> class_names;  ///< may be empty
  /// Layout, classes, styles, properties, judge and seed; its `answer_edits` synthesises each edit once and asks the
  /// classifiers that are wanted, by their positions in `names`. Its populations and other callbacks are not used
  Problem common;
  std::vector<Population> discovery;  ///< one per classifier: the same samples, each with its own outcomes
  std::vector<Population> confirmation;
  /// Samples first .. first + count - 1 of the seed, generated once and classified by every classifier.
  std::function<std::vector<Population>(std::int64_t first, std::int64_t count)> sample;

  [[nodiscard]] std::size_t size() const noexcept { return names.size(); }
};

/// Options of `compare`.
struct ComparisonOptions {
  std::int64_t samples = 10'000;  ///< per split
  std::int64_t seed = 0;
  LabelPolicy labels = LabelPolicy::uniform();
  double truncation = 1.0;
  Noise noise = Noise::constant;
  MethodOptions method = {};
  /// Of each classifier's pooled ranking, whose union spans the subspace of accuracy against distance
  std::int64_t accuracy_channels = 100;
  std::int64_t accuracy_bins = 10;
  std::int64_t bootstrap_replicates = 1'999;
  std::optional<std::int64_t> cutoff = std::nullopt;  ///< truncate the first layers only, see `SamplerOptions`
};

/// Calls visit(name, member) for every number among the options of the comparison itself, in their order.
template <class Visit>
void for_each_number(const ComparisonOptions& comparison, const Visit& visit) {
  visit("accuracy_channels", comparison.accuracy_channels);
  visit("accuracy_bins", comparison.accuracy_bins);
  visit("bootstrap_replicates", comparison.bootstrap_replicates);
}

}  // namespace analysis

using analysis::ComparisonOptions;

}  // namespace v1
}  // namespace faultline
