// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of testing/moved_gates.hpp: how often samples fail on the way.

#include <faultline/testing/moved_gates.hpp>

#include <faultline/core/number_text.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/testing/detail/policy_replay.hpp>
#include <faultline/testing/detail/property_edit.hpp>
#include <faultline/testing/detail/verdict_text.hpp>
#include <faultline/testing/detail/watched_rate.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

FAULTLINE_INLINE void check_moved_policy(const FailureRateAlongBelow& policy) {
  check_edit(policy, policy.shift, "shift");
  check_deviations(policy.shift, "shift");
  core::require_in("gate", "steps", policy.steps, 1, 100);
  check_rate_policy(policy, boundary_of(policy.bound, policy.confidence)->next_analysis(0));
}

FAULTLINE_INLINE GateResult moved_gate(const Problem& problem, const FailureRateAlongBelow& policy, Provenance run) {
  const PropertyEdit fitted = fit_edit(problem, policy);
  analysis::ReplayText text;
  begin_replay(text, run, "FailureRateAlongBelow");
  replay_edit(text, policy);
  text.add("shift", number_text(policy.shift));
  text.add("steps", policy.steps);
  text.add("bound", number_text(policy.bound));
  add_mode(text, policy);
  std::string replay = end_replay(text, run);
  GateFindings found = moved_findings(policy, "FailureRateAlongBelow");
  if (!fitted.edit)
    return cannot_move(std::move(found), policy, fitted, policy.bound, std::move(run), std::move(replay));

  const auto boundary = boundary_of(policy.bound, policy.confidence);
  std::vector<WatchedRate> rates(
      static_cast<std::size_t>(policy.steps) + 1,
      WatchedRate(boundary, evidence_to_fail((policy.steps + 1) * policy.gates, policy.confidence)));
  const auto amount_of = [&](std::size_t step) {
    return policy.shift * static_cast<double>(step) / static_cast<double>(policy.steps);
  };
  const auto known = [&] {
    return std::ranges::any_of(rates, &WatchedRate::failed) || std::ranges::all_of(rates, &WatchedRate::passed);
  };
  found.samples = draw_blocks(
      problem, policy,
      [&](const Population& samples) {
        found.failures += samples.failures();
        const auto count = static_cast<std::size_t>(samples.size());
        for (std::size_t step = 0; step < rates.size(); ++step) {
          WatchedRate& rate = rates[step];
          if (rate.known()) continue;
          if (step == 0) {
            for (std::size_t i = 0; i < count; ++i) rate.add(fails_validly(samples, i));
            continue;
          }
          std::vector<analysis::EditedLatent> edits;
          for (std::size_t i = 0; i < count; ++i) edits.push_back(moved(samples, i, *fitted.edit, amount_of(step)));
          analysis::answer_in_blocks(problem, edits, {.judge = problem.has_judge},
                                     [&](std::size_t, const analysis::EditAnswers& answers) {
                                       for (std::size_t row = 0; row < answers.first().failed.size(); ++row)
                                         rate.add(fails_validly(answers, row));
                                     });
        }
      },
      known);
  std::int64_t passed = 0, failed = 0;
  for (std::size_t step = 0; step < rates.size(); ++step) {
    WatchedRate& rate = rates[step];
    rate.finish();
    const statistics::RateMonitor& monitor = rate.monitor();
    GateStatement statement;
    statement.name = step == 0 ? "unmoved" : edit_name(policy) + " by " + deviations_text(amount_of(step));
    statement.verdict = rate.verdict();
    statement.samples = monitor.samples();
    statement.failures = monitor.failures();
    statement.estimate =
        monitor.samples() == 0 ? 0.0 : static_cast<double>(monitor.failures()) / static_cast<double>(monitor.samples());
    statement.interval = monitor.interval();
    statement.bound = policy.bound;
    statement.evidence_against = rate.evidence();
    statement.text = rate_text("samples", monitor.failures(), monitor.samples(), policy.confidence, statement.interval,
                               "failure rate") +
                     " The bound is " + number_text(policy.bound) + ".";
    passed += rate.passed() ? 1 : 0;
    failed += rate.failed() ? 1 : 0;
    found.statements.push_back(std::move(statement));
  }
  const std::string far = edit_name(policy) + " by up to " + deviations_text(policy.shift);
  if (failed > 0) {
    found.verdict = GateVerdict::fail;
    found.headline = "with " + far + " the failure rate does not stay below " + number_text(policy.bound) + ".";
  } else if (passed == static_cast<std::int64_t>(rates.size())) {
    found.verdict = GateVerdict::pass;
    found.headline = "with " + far + " the failure rate stays below " + number_text(policy.bound) + ".";
  } else {
    found.headline = std::to_string(found.samples) + " samples do not show whether with " + far +
                     " the failure rate stays below " + number_text(policy.bound) + ".";
    found.advice = "Raise max_samples.";
  }
  return finish_moved(std::move(found), policy, std::move(run), std::move(replay));
}

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
