// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of testing/cause_gate.hpp.

#include <faultline/testing/cause_gate.hpp>

#include <faultline/analysis/replay.hpp>
#include <faultline/core/number_text.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/statistics/distributions.hpp>
#include <faultline/testing/detail/verdict_text.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

/// What is known of one cause.
inline GateStatement cause_statement(const analysis::Finding& finding, double bound) {
  GateStatement statement;
  statement.name = finding.title;
  statement.bound = bound;
  const analysis::Attributable& share = finding.attributable;
  statement.samples = share.latents;
  statement.failures = share.failures;
  if (!share.fraction || !share.lower || !share.upper) {
    statement.text = "its share of the failures was not measured.";
    return statement;
  }
  statement.estimate = *share.fraction;
  statement.interval = {*share.lower, *share.upper};
  statement.verdict = *share.lower > bound    ? GateVerdict::fail
                      : *share.upper <= bound ? GateVerdict::pass
                                              : GateVerdict::undecided;
  // One-sided, by the normal distribution that has these limits; 1 / (2 √p) has mean at most 1 where the bound holds
  const double deviation = std::max((*share.upper - *share.lower) / (2.0 * statistics::normal_quantile(0.975)), 1e-12);
  const double p = statistics::normal_upper_tail((*share.fraction - bound) / deviation);
  statement.evidence_against = 0.5 / std::sqrt(std::max(p, 1e-300));
  statement.text = "without it " + percent(*share.fraction) + " (" + percent(*share.lower) + " to " +
                   percent(*share.upper) + ") of the failures would not occur; at most " + percent(bound) +
                   " are allowed.";
  return statement;
}

}  // namespace detail

FAULTLINE_INLINE GateResult judge_causes(const FailureReport& report, const NoCauseAbove& policy) {
  core::require_between("gate", "fraction", policy.fraction, 0.0, 1.0);
  const std::string bound = detail::percent(policy.fraction);
  GateFindings found;
  found.policy = "NoCauseAbove";
  for (const analysis::Finding& finding : report.findings)
    found.statements.push_back(detail::cause_statement(finding, policy.fraction));
  const auto any = [&](GateVerdict verdict) {
    return std::ranges::any_of(found.statements,
                               [&](const GateStatement& statement) { return statement.verdict == verdict; });
  };
  const double rate = report.failure_rate.estimate;
  // A classifier that fails on nobody has no cause; one whose failures are too few has none that could be found.
  const bool nothing_fails = report.failure_rate.failures == 0;
  const bool would_be_found =
      nothing_fails || (report.smallest_detectable && report.smallest_detectable->effect <= policy.fraction * rate);
  GateStatement others;
  others.name = "any other cause";
  others.bound = policy.fraction;
  others.samples = report.failure_rate.n;
  others.failures = report.failure_rate.failures;
  others.verdict = would_be_found && report.undecided.empty() ? GateVerdict::pass : GateVerdict::undecided;
  if (nothing_fails) others.text = "nothing failed.";
  else if (report.smallest_detectable)
    others.text = "what changes the failure rate by " + detail::percent(report.smallest_detectable->effect) +
                  " between its two ends would have been found four times in five; a cause of " + bound +
                  " of the failures changes it by about " + detail::percent(policy.fraction * rate) + ".";
  else others.text = report.reason;
  for (const analysis::Finding& finding : report.undecided) others.text += " Undecided: " + finding.title + ".";
  found.statements.push_back(std::move(others));
  if (any(GateVerdict::fail)) {
    found.verdict = GateVerdict::fail;
    found.headline = "a cause accounts for more than " + bound + " of the failures.";
  } else if (!any(GateVerdict::undecided)) {
    found.verdict = GateVerdict::pass;
    found.headline = "no cause accounts for more than " + bound + " of the failures.";
  } else {
    found.headline = "it is not known whether a cause accounts for more than " + bound + " of the failures.";
    found.advice = "Raise samples.";
  }
  found.confidence = 1.0 - report.provenance.alpha;
  found.samples = report.failure_rate.n;
  found.failures = report.failure_rate.failures;
  found.notes = report.warnings;
  found.mode = detail::mode_of(policy);
  found.allow_undecided = policy.allow_undecided;
  found.run = report.provenance;
  found.replay =
      "fl::testing::judge_causes(" + analysis::replay(report) + ", {.fraction = " + number_text(policy.fraction) + "})";
  return GateResult(std::move(found));
}

}  // namespace testing
}  // namespace v1
}  // namespace faultline
