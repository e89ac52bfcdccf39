// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a gate found, whatever its policy: verdict, statements with counts and limits, and a line that repeats it.

#include <faultline/analysis/provenance.hpp>
#include <faultline/core/enum_text.hpp>
#include <faultline/statistics/interval.hpp>

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {

/// What a gate concludes. `undecided` means that the budget ended before the evidence sufficed for either answer.
enum class GateVerdict { pass, fail, undecided };

/// Which budget a gate has: `smoke`, seconds, in every build; `full`, minutes, by night. The smoke run is the beginning
/// of the full one, so that the two never contradict each other.
enum class GateMode { smoke, full };

/// The mode of this process: that of the environment variable FAULTLINE_MODE, `smoke` or `full`; full where it is not
/// set. **Throws** invalid_argument for another value.
[[nodiscard]] GateMode gate_mode();

/// One of the statements that a gate makes: a number, its bound, and what the samples say.
struct GateStatement {
  std::string name;  ///< "failure rate", "failure rate of class 3"
  GateVerdict verdict = GateVerdict::undecided;
  std::int64_t samples = 0;   ///< on which it rests
  std::int64_t failures = 0;  ///< of the classifier among them
  double estimate = 0.0;      ///< a rate, a difference of rates, a share
  statistics::Interval interval =
      {};  ///< at the gate's confidence; the bound lies outside where this is decided by itself
  double bound = 0.0;
  /// E-value against the statement: at least 1 / α speaks against it at level α, however often one looked
  double evidence_against = 1.0;
  std::string text = {};  ///< the same as a sentence
};

/// Everything that a gate found.
struct GateFindings {
  GateVerdict verdict = GateVerdict::undecided;
  std::string policy;    ///< name of its type
  std::string headline;  ///< what the verdict says, as a sentence
  std::string advice;    ///< what to do, where there is something to say; may be empty
  double confidence = 0.95;
  std::int64_t samples = 0;               ///< images classified
  std::int64_t failures = 0;              ///< of the classifier among them
  std::vector<GateStatement> statements;  ///< at least one
  std::vector<std::string> notes;         ///< warnings, one sentence each
  std::vector<std::string> pictures;      ///< files that show what failed
  Provenance run;                         ///< digests, criterion, sampling, versions
  std::string replay;                     ///< a line that repeats the gate
  GateMode mode = GateMode::full;
  bool allow_undecided = false;
  /// E-value against all statements being true; empty: the mean of theirs
  std::optional<double> evidence_against = std::nullopt;
  /// The error of classifier, property or criterion that ended it; empty where it came to its end
  std::string error = {};
};

/// The outcome of a gate, and everything needed to understand and repeat it.
class GateResult {
 public:
  /// **Throws** empty_input without a statement.
  explicit GateResult(GateFindings findings);

  [[nodiscard]] GateVerdict verdict() const noexcept { return found_.verdict; }
  [[nodiscard]] bool passed() const noexcept { return found_.verdict == GateVerdict::pass; }
  [[nodiscard]] bool failed() const noexcept { return found_.verdict == GateVerdict::fail; }
  [[nodiscard]] bool undecided() const noexcept { return found_.verdict == GateVerdict::undecided; }
  /// Whether an error ended it; it is undecided then, and says which.
  [[nodiscard]] bool interrupted() const noexcept { return !found_.error.empty(); }
  /// Whether a build may go on: the gate passed, or it is undecided and that is allowed, as it is in a smoke run.
  [[nodiscard]] bool holds() const noexcept {
    return passed() || (undecided() && !interrupted() && (found_.mode == GateMode::smoke || found_.allow_undecided));
  }
  /// Images classified, and how many of them failed.
  [[nodiscard]] std::int64_t samples() const noexcept { return found_.samples; }
  [[nodiscard]] std::int64_t failures() const noexcept { return found_.failures; }
  /// What the gate states, one after the other; a gate on one number has one.
  [[nodiscard]] const std::vector<GateStatement>& statements() const noexcept { return found_.statements; }
  /// Limits of the first statement's number that hold at the gate's confidence although it stopped when it knew; the
  /// bound lies inside exactly where nothing was decided. With several gates to a suite, the limits of the analysis
  /// that decided.
  [[nodiscard]] const statistics::Interval& interval() const noexcept { return found_.statements.front().interval; }
  [[nodiscard]] double confidence() const noexcept { return found_.confidence; }
  /// E-value against the gate's statements all being true.
  [[nodiscard]] double evidence_against() const;
  /// How the run came about: digests of generator and classifier, criterion, sampling, versions.
  [[nodiscard]] const Provenance& run() const noexcept { return found_.run; }
  /// Classes that are nearly always answered as another, and other warnings, one sentence each.
  [[nodiscard]] const std::vector<std::string>& notes() const noexcept { return found_.notes; }
  /// A line that repeats this gate, sample for sample, with everything that decided its verdict. What a line cannot
  /// carry (a criterion of one's own, a long list of labels, a classifier that states no digest) is named behind `//`.
  [[nodiscard]] const std::string& replay() const noexcept { return found_.replay; }
  /// All of it, as plain data.
  [[nodiscard]] const GateFindings& findings() const noexcept { return found_; }

  /// What happened, in sentences for the person who reads the test log.
  [[nodiscard]] std::string explain() const;

 private:
  GateFindings found_;
};

/// Writes `result.explain()`: what test frameworks print of a result.
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const GateResult& result) {
  return out << result.explain();
}

}  // namespace testing
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/testing/detail/gate_result_impl.hpp>
#endif
