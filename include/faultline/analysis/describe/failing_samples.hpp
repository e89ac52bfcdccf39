// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The generated samples that fail under a condition: what a team retrains on, or puts into a ticket.

#include <faultline/analysis/finding.hpp>
#include <faultline/analysis/problem/problem.hpp>

#include <cstdint>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Which failing samples belong to a condition.
struct FailingSampleOptions {
  std::int64_t count = 0;    ///< at most so many, those farthest along the condition; 0: all
  double least_score = 0.5;  ///< standard deviations towards the failing end
};

/// One sample that fails on a valid image.
struct FailingSample {
  std::int64_t index = 0;  ///< with the seed it reproduces the sample
  std::int64_t label = 0;
  std::int64_t prediction = 0;
  double probability = 0.0;             ///< p(label)
  double score = 0.0;                   ///< how far it lies towards the failing end
  std::vector<double> properties = {};  ///< those of the condition, in their units
};

/// Samples of both splits that fail on valid images and lie towards the failing end of a condition, the farthest first.
///
/// **Formula**: the score of a sample is the normal score of the condition's property within the sample's class, its
/// sign such that more of it fails; where both ends fail its size, of a band 1 minus its size, of a pair the product of
/// both scores. Of a condition that no single property measures (a direction, a sum) it is the coordinate of w along
/// the condition's direction, in standard deviations within the class.
/// Among the samples are those that would have failed anyway: the condition makes failure likelier, and no single
/// failure has one cause.
/// **Throws** invalid_argument for a condition of properties that were not measured here, or without a direction where
/// one is needed (a class as a whole), and for a negative count.
/// **Cost**: none of generator or classifier. Example: `failing_samples(analyzer.problem(), report.findings[0])`
[[nodiscard]] std::vector<FailingSample> failing_samples(const Problem& problem, const Finding& condition,
                                                         const FailingSampleOptions& options = {});

}  // namespace analysis

using analysis::failing_samples;
using analysis::FailingSample;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/describe/detail/failing_samples_impl.hpp>
#endif
