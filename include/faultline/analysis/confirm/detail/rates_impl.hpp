// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/rates.hpp.

#include <faultline/analysis/confirm/rates.hpp>

#include <faultline/analysis/problem/problem.hpp>
#include <faultline/statistics/binomial.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE Rate make_rate(std::int64_t failures, std::int64_t n, double confidence) {
  Rate rate;
  rate.failures = failures;
  rate.n = n;
  rate.confidence = confidence;
  if (n == 0) return rate;
  const statistics::Interval interval = statistics::clopper_pearson(failures, n, confidence);
  rate.estimate = static_cast<double>(failures) / static_cast<double>(n);
  rate.lower = interval.lower;
  rate.upper = interval.upper;
  return rate;
}

FAULTLINE_INLINE statistics::Strata pooled_strata(const statistics::Strata& discovery,
                                                  const statistics::Strata& confirmation) {
  std::vector<std::int64_t> failures = discovery.failures;
  std::vector<std::int64_t> successes = discovery.successes;
  for (std::size_t c = 0; c < failures.size(); ++c) {
    failures[c] += confirmation.failures[c];
    successes[c] += confirmation.successes[c];
  }
  return statistics::make_strata(std::move(failures), std::move(successes));
}

FAULTLINE_INLINE void fill_rates(FailureReport& report, const statistics::Strata& pooled) {
  report.failure_rate = make_rate(pooled.total_failures(), pooled.total());
  report.class_rates.clear();
  for (std::size_t c = 0; c < pooled.failures.size(); ++c)
    report.class_rates.push_back(make_rate(pooled.failures[c], pooled.failures[c] + pooled.successes[c]));
}

FAULTLINE_INLINE std::int64_t round_up(double samples) {
  if (!(samples < 9e15)) return std::numeric_limits<std::int64_t>::max();
  const double step = std::pow(10.0, std::max(0.0, std::floor(std::log10(std::max(1.0, samples))) - 1.0));
  return static_cast<std::int64_t>(std::ceil(samples / step) * step);
}

FAULTLINE_INLINE SamplesNeeded samples_needed(const statistics::Strata& discovery,
                                              const statistics::Strata& confirmation, double wanted) {
  const auto n = static_cast<double>(discovery.total());
  const double smaller = std::min(discovery.effective_failures, confirmation.effective_failures);
  if (smaller > 0.0) return {round_up(1.1 * wanted * n / smaller), true};
  const statistics::Strata pooled = pooled_strata(discovery, confirmation);
  double per_sample = 0.0;
  for (std::size_t c = 0; c < pooled.failures.size(); ++c) {
    const std::int64_t size = pooled.failures[c] + pooled.successes[c];
    if (size == 0) continue;
    const std::int64_t rarer = std::min(pooled.failures[c], pooled.successes[c]);
    const double rate = std::min(0.5, statistics::clopper_pearson_upper(rarer, size));
    per_sample += static_cast<double>(size) / static_cast<double>(pooled.total()) * rate * (1.0 - rate);
  }
  return {round_up(wanted / per_sample), false};
}

FAULTLINE_INLINE std::string too_few_reason(const statistics::Strata& discovery, const statistics::Strata& confirmation,
                                            double wanted, const SamplesNeeded& needed,
                                            const std::vector<std::string>& class_notes) {
  const statistics::Strata pooled = pooled_strata(discovery, confirmation);
  const std::int64_t failures = pooled.total_failures();
  const std::int64_t total = pooled.total();
  const std::int64_t successes = total - failures;
  const std::string size = std::to_string(needed.samples);
  // What a class is answered as is the finding then; more samples of it would say nothing new.
  std::string advice = needed.exact ? " About " + size + " samples per half would be enough."
                                    : " At least " + size + " samples per half would be needed.";
  if (!class_notes.empty()) advice.clear();
  for (const std::string& note : class_notes) advice += " " + note;
  if (failures == 0)
    return "None of " + std::to_string(total) + " samples failed, so there is nothing to explain." + advice;
  if (successes == 0)
    return "All of " + std::to_string(total) +
           " samples failed, so there is no success to compare them with; is the classifier given what it expects?" +
           advice;

  // Failures that sit in classes without successes (or the reverse) cannot be told from the class itself.
  std::int64_t mixed = 0;
  for (std::size_t c = 0; c < pooled.failures.size(); ++c) {
    if (pooled.failures[c] >= 2 && pooled.successes[c] >= 2) mixed += std::min(pooled.failures[c], pooled.successes[c]);
  }
  const std::int64_t rarer = std::min(failures, successes);
  const double smaller = std::min(discovery.effective_failures, confirmation.effective_failures);
  if (static_cast<double>(rarer) >= 2.0 * wanted && mixed < rarer / 2) {
    return "The class alone decides most outcomes (" + std::to_string(failures) + " failures in " +
           std::to_string(total) +
           " samples, but hardly any class has both failures and successes), so nothing within a class can be "
           "compared." +
           advice;
  }
  const bool few_failures = failures <= successes;
  return "Only " + std::to_string(rarer) + (few_failures ? " failures" : " successes") + " in " +
         std::to_string(total) + " samples: " + std::to_string(static_cast<std::int64_t>(std::floor(smaller))) +
         " effective " + (few_failures ? "failures" : "successes") + " in the poorer half, " +
         std::to_string(static_cast<std::int64_t>(std::ceil(wanted))) + " are needed." + advice;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
