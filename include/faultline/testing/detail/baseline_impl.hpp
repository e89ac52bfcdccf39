// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of testing/baseline.hpp.

#include <faultline/testing/baseline.hpp>

#include <faultline/core/atomic_file.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/core/sha256.hpp>
#include <faultline/error.hpp>
#include <faultline/data/described_json.hpp>
#include <faultline/data/described_reader.hpp>
#include <faultline/statistics/quantiles.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {

FAULTLINE_INLINE bool Baseline::failed(std::int64_t i) const {
  const char digit = outcomes[static_cast<std::size_t>(i / 4)];
  const int value = digit <= '9' ? digit - '0' : digit - 'a' + 10;
  return ((value >> (3 - i % 4)) & 1) != 0;
}

FAULTLINE_INLINE std::string baseline_text(const Baseline& baseline) {
  Baseline sealed = baseline;
  sealed.sha256.clear();
  sealed.sha256 = sha256_hex(data::described_text(sealed));
  return data::described_text(sealed);
}

FAULTLINE_INLINE Baseline baseline_from_text(std::string_view text, std::string_view where) {
  auto baseline = data::read_described<Baseline>(text, where, "file that write_baseline wrote");
  const auto refuse = [&](const char* what) { throw Error(ErrorCode::malformed_header, where, what); };
  if (baseline.samples < 1 || baseline.outcomes.size() != static_cast<std::size_t>((baseline.samples + 3) / 4))
    refuse("'outcomes' must have a hexadecimal digit for every four of 'samples', of which there must be some");
  if (baseline.outcomes.find_first_not_of("0123456789abcdef") != std::string::npos)
    refuse("'outcomes' must be hexadecimal digits, small letters");
  std::int64_t failures = 0;
  for (std::int64_t i = 0; i < baseline.samples; ++i) failures += baseline.failed(i) ? 1 : 0;
  if (failures != baseline.failures) refuse("'failures' must be the number of bits set in 'outcomes'");
  Baseline unsealed = baseline;
  unsealed.sha256.clear();
  if (sha256_hex(data::described_text(unsealed)) != baseline.sha256)
    throw Error(ErrorCode::digest_mismatch, where,
                "the baseline was changed after it was written; make it again with make_baseline or gate "
                "--write-baseline");
  return baseline;
}

FAULTLINE_INLINE void write_baseline(const std::filesystem::path& path, const Baseline& baseline) {
  core::write_file_atomically(path, baseline_text(baseline));
}

FAULTLINE_INLINE Baseline read_baseline(const std::filesystem::path& path) {
  return baseline_from_text(data::report_text(path), path.string());
}

namespace detail {

/// Fills a baseline.
class BaselineRecorder final : public GateWatcher {
 public:
  BaselineRecorder(BaselineOptions options, classify::AnyCriterion criterion, Baseline& baseline)
      : options_(std::move(options)), criterion_(std::move(criterion)), baseline_(&baseline) {}

  [[nodiscard]] const classify::AnyCriterion& criterion() const override { return criterion_; }
  void begin(const GateModels& models) override {
    core::require_in("make_baseline", "samples", options_.samples, 1, 1'000'000);
    baseline_->input = models.input;
    baseline_->probability_tolerance = options_.probability_tolerance;
    options_.properties = applicable_properties(std::move(options_.properties), models.image_shape);
    values_.resize(options_.properties.size());
  }
  [[nodiscard]] std::int64_t budget() const override { return options_.samples; }
  [[nodiscard]] std::vector<Property> properties() const override { return options_.properties; }
  void add(const GateSample& sample) override {
    const bool failed = judge_outcome("make_baseline", criterion_, sample.probabilities, sample.label);
    if (baseline_->samples % 4 == 0) baseline_->outcomes += '0';
    if (failed) {
      char& digit = baseline_->outcomes.back();
      const int value = (digit <= '9' ? digit - '0' : digit - 'a' + 10) | (1 << (3 - baseline_->samples % 4));
      digit = "0123456789abcdef"[value];
    }
    ++baseline_->samples;
    baseline_->failures += failed ? 1 : 0;
    for (std::size_t p = 0; p < values_.size(); ++p) values_[p].push_back(static_cast<double>(sample.properties[p]));
    if (baseline_->samples < options_.samples) return;
    for (std::size_t p = 0; p < values_.size(); ++p) {
      const PropertyThirds thirds{options_.properties[p].name, statistics::quantile(values_[p], 1.0 / 3.0),
                                  statistics::quantile(values_[p], 2.0 / 3.0)};
      const auto above = [&](double edge) {
        return std::ranges::count_if(values_[p], [&](double value) { return value > edge; });
      };
      // Where many values are equal a third may hold few samples or none: nothing could be said about it
      const std::int64_t low = options_.samples - above(thirds.low), high = above(thirds.high);
      if (6 * std::min({low, options_.samples - low - high, high}) >= options_.samples)
        baseline_->properties.push_back(thirds);
    }
  }
  [[nodiscard]] bool known() const override { return false; }
  [[nodiscard]] GateResult conclude(Provenance) override {
    throw Error(ErrorCode::invalid_argument, "make_baseline", "a baseline has no verdict");
  }

 private:
  BaselineOptions options_;
  classify::AnyCriterion criterion_;
  Baseline* baseline_;
  std::vector<std::vector<double>> values_;
};

FAULTLINE_INLINE std::unique_ptr<GateWatcher> record_baseline(const BaselineOptions& options,
                                                              classify::AnyCriterion criterion, Baseline& baseline) {
  return std::make_unique<BaselineRecorder>(options, std::move(criterion), baseline);
}

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
