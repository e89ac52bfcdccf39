// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// An entry of a failure corpus as an edited latent.

#include <faultline/analysis/problem/edit.hpp>
#include <faultline/core/number_text.hpp>
#include <faultline/testing/corpus_entry.hpp>

#include <algorithm>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

/// As an entry's file writes it: what is asked is what a reader will ask.
[[nodiscard]] inline double with_digits(double value, int digits) {
  return number_from(rounded_text(value, digits)).value_or(value);
}

[[nodiscard]] inline std::vector<float> as_floats(std::span<const double> values) {
  std::vector<float> result(values.size());
  std::ranges::transform(values, result.begin(), [](double value) { return static_cast<float>(value); });
  return result;
}

/// The edit that an entry describes.
[[nodiscard]] inline analysis::Edit edit_of(const CorpusEntry& entry) {
  if (entry.channels.empty()) return {};
  return analysis::Edit::of_channels(entry.channels, entry.shifts, entry.amount);
}

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
