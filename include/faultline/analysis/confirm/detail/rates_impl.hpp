// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/confirm/rates.hpp.

#include <faultline/analysis/confirm/rates.hpp>

#include <faultline/analysis/problem/problem.hpp>
#include <faultline/statistics/binomial.hpp>
#include <faultline/statistics/simultaneous_rates.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
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

FAULTLINE_INLINE std::vector<Rate> class_rates_of(std::span<const std::int64_t> failures,
                                                  std::span<const std::int64_t> trials) {
  const std::vector<statistics::Interval> intervals = statistics::simultaneous_rates(failures, trials);
  std::vector<Rate> rates;
  for (std::size_t c = 0; c < failures.size(); ++c) {
    Rate& rate = rates.emplace_back(make_rate(failures[c], trials[c]));
    rate.lower = intervals[c].lower;
    rate.upper = intervals[c].upper;
  }
  return rates;
}

FAULTLINE_INLINE statistics::Strata valid_outcomes(const Population& population, std::int64_t classes) {
  std::vector<std::int64_t> failures(static_cast<std::size_t>(classes), 0), successes = failures;
  for (std::size_t i = 0; i < population.label.size(); ++i)
    if (population.is_valid(i))
      ++(population.failed[i] != 0 ? failures : successes)[static_cast<std::size_t>(population.label[i])];
  return statistics::make_strata(std::move(failures), std::move(successes));
}

namespace detail {

/// Counts of both splits per class: samples, failures, samples that are not valid.
struct ClassCounts {
  std::vector<std::int64_t> samples, failures, invalid;
  std::int64_t valid_failures = 0;
};
[[nodiscard]] inline ClassCounts count_classes(const Problem& problem) {
  const std::vector<std::int64_t> none(static_cast<std::size_t>(problem.classes), 0);
  ClassCounts counts{none, none, none, 0};
  for (const Population* split : {&problem.discovery, &problem.confirmation})
    for (std::size_t i = 0; i < split->label.size(); ++i) {
      const auto c = static_cast<std::size_t>(split->label[i]);
      const bool failed = split->failed[i] != 0, valid = split->is_valid(i);
      ++counts.samples[c];
      counts.failures[c] += failed ? 1 : 0;
      counts.invalid[c] += valid ? 0 : 1;
      counts.valid_failures += failed && valid ? 1 : 0;
    }
  return counts;
}

[[nodiscard]] inline CountTable confusion_of(const Problem& problem) {
  std::int64_t answers = problem.classes;
  for (const Population* split : {&problem.discovery, &problem.confirmation})
    for (const std::int64_t answer : split->prediction) answers = std::max(answers, answer + 1);
  CountTable table;
  table.counts.assign(static_cast<std::size_t>(problem.classes),
                      std::vector<std::int64_t>(static_cast<std::size_t>(answers), 0));
  for (const Population* split : {&problem.discovery, &problem.confirmation})
    for (std::size_t i = 0; i < split->prediction.size(); ++i) ++table(split->label[i], split->prediction[i]);
  return table;
}

/// Classes of at least ten samples that fail always, or of which at least four in five get one and the same wrong
/// answer; two that are answered as each other are one finding.
[[nodiscard]] inline std::vector<ClassFinding> class_findings(const CountTable& confusion,
                                                              std::span<const Rate> rates) {
  struct Usual {
    std::int64_t answer = -1, count = 0, samples = 0;
    [[nodiscard]] bool stands_out() const { return samples >= 10 && 5 * count >= 4 * samples; }
  };
  std::vector<Usual> usual(static_cast<std::size_t>(confusion.rows()));
  for (std::int64_t c = 0; c < confusion.rows(); ++c)
    for (std::int64_t a = 0; a < confusion.cols(); ++a) {
      Usual& own = usual[static_cast<std::size_t>(c)];
      own.samples += confusion(c, a);
      if (a != c && confusion(c, a) > own.count) own.answer = a, own.count = confusion(c, a);
    }
  const auto share = [](const Usual& u) {
    return std::to_string(u.count) + " of " + std::to_string(u.samples) + " samples";
  };
  std::vector<ClassFinding> findings;
  for (std::int64_t c = 0; c < confusion.rows(); ++c) {
    const Usual& own = usual[static_cast<std::size_t>(c)];
    const Rate& rate = rates[static_cast<std::size_t>(c)];
    const std::string name = "Class " + std::to_string(c);
    if (own.stands_out()) {
      const bool swapped = own.answer < confusion.rows() && usual[static_cast<std::size_t>(own.answer)].stands_out() &&
                           usual[static_cast<std::size_t>(own.answer)].answer == c;
      if (swapped && own.answer < c) continue;  // said with the other
      const auto said = [](const Usual& u) {
        return u.count == u.samples ? " is always answered " : " is nearly always answered ";
      };
      std::string text = name + said(own) + std::to_string(own.answer) + " (" + share(own) + ")";
      if (swapped)
        text += " and class " + std::to_string(own.answer) + said(usual[static_cast<std::size_t>(own.answer)]) +
                std::to_string(c) + " (" + share(usual[static_cast<std::size_t>(own.answer)]) +
                "): two labels are swapped";
      findings.push_back({swapped ? ClassFault::swapped : ClassFault::answered_as, c, own.answer, rate,
                          text + "; does the classifier number its classes like the generator?"});
    } else if (rate.n >= 10 && rate.failures == rate.n) {
      findings.push_back(
          {ClassFault::always_fails, c, std::nullopt, rate,
           name + " always fails (" + std::to_string(rate.n) + " of " + std::to_string(rate.n) + " samples)."});
    }
  }
  return findings;
}

}  // namespace detail

FAULTLINE_INLINE void fill_rates(FailureReport& report, const Problem& problem) {
  const detail::ClassCounts counts = detail::count_classes(problem);
  const auto sum = [](const std::vector<std::int64_t>& values) {
    return std::accumulate(values.begin(), values.end(), std::int64_t{0});
  };
  const std::int64_t failures = sum(counts.failures), samples = sum(counts.samples);
  report.failure_rate = make_rate(failures, samples);
  report.class_rates = class_rates_of(counts.failures, counts.samples);
  report.confusion = detail::confusion_of(problem);
  report.class_findings =
      problem.classes > 1 ? detail::class_findings(report.confusion, report.class_rates) : std::vector<ClassFinding>();
  report.validity_checked = problem.has_judge;
  if (!problem.has_judge) return;
  report.class_leak = make_rate(sum(counts.invalid), samples);
  report.class_leaks = class_rates_of(counts.invalid, counts.samples);
  if (failures > 0)
    report.blame =
        Blame{make_rate(counts.valid_failures, failures), make_rate(failures - counts.valid_failures, failures)};
}

FAULTLINE_INLINE bool enough_failures(const statistics::Strata& discovery, const statistics::Strata& confirmation,
                                      double wanted) {
  if (std::min(discovery.effective_failures, confirmation.effective_failures) >= wanted) return true;
  for (std::size_t c = 0; c < discovery.failures.size(); ++c)
    if (std::min({discovery.failures[c], discovery.successes[c], confirmation.failures[c],
                  confirmation.successes[c]}) >= class_outcomes)
      return true;
  return false;
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
  std::string advice = needed.exact ? " About " + size + " samples per split would be enough."
                                    : " More samples are needed: at least " + size +
                                          " per split, and with so few failures probably many more.";
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
  const auto effective = static_cast<std::int64_t>(std::floor(smaller));
  return "Only " + std::to_string(rarer) + (few_failures ? " failures" : " successes") + " in " +
         std::to_string(total) + " samples: " + std::to_string(effective) + " effective " +
         (few_failures ? "failure" : "success") +
         (effective == 1 ? ""
          : few_failures ? "s"
                         : "es") +
         " in the poorer split, " + std::to_string(static_cast<std::int64_t>(std::ceil(wanted))) + " are needed." +
         advice;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
