// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A release's outcomes in a small file, and what the next release is held to: not worse than that, and no new condition
// of failure (gates.md).

#include <faultline/analysis/problem/describe_run.hpp>
#include <faultline/analysis/problem/property.hpp>
#include <faultline/analysis/properties/default_properties.hpp>
#include <faultline/analysis/provenance.hpp>
#include <faultline/classify/any_criterion.hpp>
#include <faultline/core/describe.hpp>
#include <faultline/testing/detail/draw_gate_samples.hpp>
#include <faultline/testing/detail/gate_watcher.hpp>
#include <faultline/testing/gate.hpp>
#include <faultline/testing/gate_result.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {

/// Thirds of a property's values in the population of a baseline: up to `low`, above `high`, and between.
struct PropertyThirds {
  std::string name;
  double low = 0.0;
  double high = 0.0;
};
FAULTLINE_MEMBERS(PropertyThirds, name, low, high)

/// What one classifier did on a population of samples, sample by sample: what the next release is compared with.
///
/// The file is JSON, about 4 kB for 10 000 samples, to be kept beside the tests in version control. It holds one bit
/// for each sample and no image: the samples come from the generator again, by their indices.
struct Baseline {
  std::string schema = "faultline.baseline/1";
  Provenance run = {};     ///< generator, classifier, criterion and sampling
  std::string input = {};  ///< how images were prepared, see `input_spec_text`
  std::int64_t samples = 0;
  std::int64_t failures = 0;
  std::string outcomes = {};  ///< hexadecimal, four samples a digit, the first the highest bit; 1: failed
  std::vector<PropertyThirds> properties = {};  ///< of the images, in the order in which they were measured
  double probability_tolerance = classify::default_probability_tolerance;
  std::string sha256 = {};  ///< of the text of the file with this member empty

  /// Whether sample i (from 0) failed.
  [[nodiscard]] bool failed(std::int64_t i) const;
};
FAULTLINE_MEMBERS(Baseline, schema, run, input, samples, failures, outcomes, properties, probability_tolerance, sha256)

/// What a baseline is made of.
struct BaselineOptions {
  std::int64_t samples = 10'000;  ///< up to 1 000 000
  std::int64_t seed = 0;
  LabelPolicy labels = LabelPolicy::uniform();
  double truncation = 1.0;
  std::int64_t batch_size = 64;
  std::optional<std::int64_t> cutoff = std::nullopt;
  Noise noise = Noise::constant;
  double probability_tolerance = classify::default_probability_tolerance;
  /// Properties by whose thirds releases are compared; those that images of the generator's shape do not have are left
  /// out, and those of which so many values are equal that a third would hold less than a sixth of the samples. Those
  /// of one's own must be given to the policies, too
  std::vector<Property> properties = default_properties();
};

/// Text of a file, and back. **Throws** from reading: foreign_format for a file of another kind; malformed_header for
/// broken JSON, unknown and missing members and outcomes that do not fit their number; digest_mismatch for an edited
/// one.
[[nodiscard]] std::string baseline_text(const Baseline& baseline);
[[nodiscard]] Baseline baseline_from_text(std::string_view text, std::string_view where);

/// Writes a baseline, as a whole or not at all. **Throws** cannot_write.
void write_baseline(const std::filesystem::path& path, const Baseline& baseline);
/// **Throws** cannot_open, and what `baseline_from_text` throws.
/// Example: `const Baseline release = read_baseline("tests/release.baseline.json");`
[[nodiscard]] Baseline read_baseline(const std::filesystem::path& path);

/// Policy: the failure rate is at most `margin` higher than that of the classifier of a baseline, on the same samples.
///
/// Passes when every difference (new minus old) of `margin` and above is excluded, fails when every one of `margin` and
/// below is, by betting on the paired differences (`statistics::BettingCapital`): each side errs with probability at
/// most (1 - confidence) / 2 at any true difference, however often one looks; it looks at every sample. With
/// `by_property` the same must hold, with `property_margin`, within each third of each property: it passes when all do,
/// and fails when one does by an e-value of 2 · statements · gates / (1 - confidence).
struct NotWorseThanBaseline {
  Baseline baseline = {};
  double margin = 0.005;  ///< in (0, 1)
  double confidence = 0.95;
  std::int64_t max_samples = 0;  ///< 0: all of the baseline's
  bool by_property = false;
  double property_margin = 0.02;
  std::vector<Property> properties = default_properties();  ///< measures of the baseline's properties
  std::int64_t gates = 1;
  std::int64_t smoke_samples = 2'000;
  std::optional<GateMode> mode = std::nullopt;
  bool allow_undecided = false;
};

/// Policy: no third of a property has become a condition of failure that it was not for the classifier of a baseline.
///
/// For each third of each property the statement is: the failure rate rose there by less than `margin` more than
/// elsewhere. All samples of the baseline are drawn; nothing is decided before.
/// **Formula**: D = mean difference (new minus old) inside minus outside. Fails where swapping the two classifiers'
/// outcomes within pairs (only pairs that differ matter: two binomials of one half, exactly) gives a D as large with
/// probability at most (1 - confidence) / gates by Holm over all statements. Passes where nothing fails and the
/// smallest D that would have been found four times in five, at the level of the strictest statement, is at most
/// `margin` for every statement; otherwise it is undecided, and says how many samples it would take.
struct NoNewCondition {
  Baseline baseline = {};
  double margin = 0.05;
  double confidence = 0.95;
  std::vector<Property> properties = default_properties();
  std::int64_t gates = 1;
  std::int64_t smoke_samples = 2'000;
  std::optional<GateMode> mode = std::nullopt;
  bool allow_undecided = false;
};

/// **Throws** invalid_argument for margins and numbers of samples out of range, for a baseline without samples and for
/// a property that nobody can measure; incompatible_models when the generator, the number of classes, the way in which
/// images are prepared or the criterion is not that of the baseline.
[[nodiscard]] std::unique_ptr<detail::GateWatcher> watch(const NotWorseThanBaseline& policy,
                                                         classify::AnyCriterion criterion);
[[nodiscard]] std::unique_ptr<detail::GateWatcher> watch(const NoNewCondition& policy,
                                                         classify::AnyCriterion criterion);

namespace detail {

/// Fills a baseline while samples are drawn.
[[nodiscard]] std::unique_ptr<GateWatcher> record_baseline(const BaselineOptions& options,
                                                           classify::AnyCriterion criterion, Baseline& baseline);

}  // namespace detail

/// Draws the samples of a baseline (those of a gate with the same seed), classifies them, and keeps the outcomes.
///
/// **Throws** invalid_argument for options out of range, and what `gate` throws.
/// **Cost**: `samples` generator and classifier images and their properties.
/// Example: `write_baseline("tests/release.baseline.json", make_baseline(generator, release, {.seed = 7}));`
template <StyleGenerator G, Classifier C, FailureCriterion F = Misclassified>
[[nodiscard]] Baseline make_baseline(const G& generator, C& classifier, const BaselineOptions& options = {},
                                     const F& criterion = {}) {
  Baseline baseline;
  const auto watcher = detail::record_baseline(options, classify::AnyCriterion::borrow(criterion), baseline);
  std::array watchers{watcher.get()};
  baseline.run = detail::draw_gate_samples(generator, *classify::hold<typename G::image_type>(classifier),
                                           detail::population_of(options), watchers);
  baseline.run.samples_per_split = baseline.samples;
  return baseline;
}

}  // namespace testing
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/testing/detail/against_baseline_impl.hpp>
#include <faultline/testing/detail/baseline_impl.hpp>
#endif
