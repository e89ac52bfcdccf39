// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a gate may state about a failure rate: of all samples, of those whose properties lie in a region, of every
// class.

#include <faultline/analysis/problem/property.hpp>
#include <faultline/classify/validate_scores.hpp>
#include <faultline/sampling/sampler_options.hpp>
#include <faultline/testing/gate_result.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {

/// Images whose property lies between two values, both included: `{property_named("blur"), 2.5}` are the blurred ones.
struct PropertyRange {
  Property property;
  double lower = -std::numeric_limits<double>::infinity();
  double upper = std::numeric_limits<double>::infinity();
};

/// Policy: the failure rate on generated samples is below `bound`.
///
/// Passes when every rate of `bound` and above is excluded, fails when every rate of `bound` and below is. The
/// probability of a wrong verdict is at most 1 - confidence at any true rate, the bound included, although the gate
/// has an interim analysis every 64 samples (each side gets half of it, and uses nearly all: see
/// `statistics::RateBoundary`). That rate is over seeds, not over builds: with a fixed seed the same build always gives
/// the same verdict, right or wrong, and a hundred builds of one classifier are one trial. Gates that are asserted
/// together share one budget: `gates` says how many, see `GateSuite`.
struct FailureRateBelow {
  double bound = 0.01;       ///< strictly between 0 and 1
  double confidence = 0.95;  ///< strictly between 0 and 1
  std::int64_t seed = 0;
  /// Budget, at least the 128 of the first interim analysis. A larger one continues the same samples, and a verdict
  /// once reached stays.
  std::int64_t max_samples = 4'000;
  LabelPolicy labels = LabelPolicy::uniform();  ///< with `given` the rate is that of the list
  double truncation = 1.0;
  std::int64_t batch_size = 64;                       ///< fixed padded batch of generator and classifier
  std::optional<std::int64_t> cutoff = std::nullopt;  ///< truncate the first layers only, see `SamplerOptions`
  Noise noise = Noise::constant;
  /// By how much declared probabilities may miss [0, 1] and a sum of 1, in [0, 0.1]
  double probability_tolerance = classify::default_probability_tolerance;
  /// How many gates share the error rate, up to 10 000. With more than one, a gate that would fail goes on until its
  /// e-value reaches 2 gates / (1 - confidence), so that all of them together fail one wrongly no more often than one
  /// gate would by itself; to pass takes no more, because the suite passes only if all do.
  std::int64_t gates = 1;
  /// The rate among images whose properties all lie in their ranges; empty: among all
  std::vector<PropertyRange> where = {};
  std::int64_t smoke_samples = 1'000;           ///< budget in a smoke run, where `max_samples` is not smaller
  std::optional<GateMode> mode = std::nullopt;  ///< empty: as the environment says, see `gate_mode`
  bool allow_undecided = false;                 ///< whether an undecided full run `holds()`
};

/// Policy: in every class the failure rate is below `bound`, or below a bound of its own.
///
/// One population serves all classes. It passes when every class does, which errs no more often than one class would;
/// it fails when one class does, by an e-value of 2 · classes · gates / (1 - confidence), so that all of them together
/// fail one wrongly with probability at most (1 - confidence) / 2. The limits that are printed are each class's own.
struct FailureRateBelowPerClass {
  double bound = 0.05;
  double confidence = 0.95;
  std::int64_t seed = 0;
  std::int64_t max_samples = 20'000;  ///< of all classes together
  /// A bound for each class in place of `bound`; empty, or as many as the generator has classes
  std::vector<double> bounds = {};
  LabelPolicy labels = LabelPolicy::uniform();  ///< classes that do not come up leave the gate undecided
  double truncation = 1.0;
  std::int64_t batch_size = 64;
  std::optional<std::int64_t> cutoff = std::nullopt;
  Noise noise = Noise::constant;
  double probability_tolerance = classify::default_probability_tolerance;
  std::int64_t gates = 1;
  std::int64_t smoke_samples = 2'000;
  std::optional<GateMode> mode = std::nullopt;
  bool allow_undecided = false;
  /// Whether one failing class ends the gate; else it goes on until every class is decided, or until its budget ends
  bool stop_at_first_failure = true;
};

}  // namespace testing
}  // namespace v1
}  // namespace faultline
