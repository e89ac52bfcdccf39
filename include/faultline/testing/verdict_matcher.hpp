// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Passes(), Fails() and DoesNotFail(): what a test asserts of a gate or a suite of them, once for every test framework.
// Include testing/catch2.hpp or testing/gtest.hpp; any other framework needs why_not() alone, which is here.

#include <faultline/testing/gate.hpp>
#include <faultline/testing/gate_suite.hpp>

#include <array>
#include <concepts>
#include <iosfwd>
#include <string>

namespace faultline {
inline namespace v1 {
namespace testing {

/// What a verdict matcher looks at.
template <class T>
concept VerdictHolder = std::same_as<T, GateResult> || std::same_as<T, SuiteResult>;

/// A set of verdicts. It is a matcher of Catch2 (`REQUIRE_THAT`) and of GoogleTest (`EXPECT_THAT`), and combines with
/// `!`, `&&` and `||`.
///
/// Example: `REQUIRE_THAT(gate(generator, mine, policy), Passes() || Fails());   // decided`
class VerdictMatcher {
 public:
  constexpr VerdictMatcher(bool pass, bool fail, bool undecided) noexcept : wanted_{pass, fail, undecided} {}

  template <VerdictHolder R>
  [[nodiscard]] bool match(const R& result) const noexcept {
    return result.passed() ? wanted_[0] : result.failed() ? wanted_[1] : wanted_[2];
  }
  /// "passes or is undecided".
  [[nodiscard]] std::string describe() const {
    constexpr std::array<const char*, 3> names{"passes", "fails", "is undecided"};
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i)
      if (wanted_[i]) text += (text.empty() ? "" : " or ") + std::string(names[i]);
    return text.empty() ? "never happens" : text;
  }

  [[nodiscard]] constexpr VerdictMatcher operator!() const noexcept { return {!wanted_[0], !wanted_[1], !wanted_[2]}; }
  [[nodiscard]] constexpr VerdictMatcher operator&&(const VerdictMatcher& other) const noexcept {
    return {wanted_[0] && other.wanted_[0], wanted_[1] && other.wanted_[1], wanted_[2] && other.wanted_[2]};
  }
  [[nodiscard]] constexpr VerdictMatcher operator||(const VerdictMatcher& other) const noexcept {
    return {wanted_[0] || other.wanted_[0], wanted_[1] || other.wanted_[1], wanted_[2] || other.wanted_[2]};
  }

  // What the frameworks call; descriptions are templates, so that no stream is needed here.
  [[nodiscard]] std::string toString() const { return describe(); }
  using is_gtest_matcher = void;
  template <VerdictHolder R>
  bool MatchAndExplain(const R& result, std::ostream*) const noexcept {
    return match(result);
  }
  template <class Stream>
  void DescribeTo(Stream* out) const {
    *out << describe();
  }
  template <class Stream>
  void DescribeNegationTo(Stream* out) const {
    *out << (!*this).describe();
  }

 private:
  std::array<bool, 3> wanted_;  // by GateVerdict
};

/// The gate, or every gate of the suite, passed. Undecided does not pass.
[[nodiscard]] constexpr VerdictMatcher Passes() noexcept { return {true, false, false}; }
/// The gate failed, or a gate of the suite.
[[nodiscard]] constexpr VerdictMatcher Fails() noexcept { return {false, true, false}; }
/// Nothing failed: for smoke tests whose budget may end undecided.
[[nodiscard]] constexpr VerdictMatcher DoesNotFail() noexcept { return {true, false, true}; }

/// A build may go on: passed, or undecided where that is allowed, as in a smoke run (`FAULTLINE_MODE=smoke`).
class HoldsMatcher {
 public:
  template <VerdictHolder R>
  [[nodiscard]] bool match(const R& result) const noexcept {
    return result.holds();
  }
  [[nodiscard]] std::string describe() const { return "holds: passes, or is undecided where that is allowed"; }

  // What the frameworks call.
  [[nodiscard]] std::string toString() const { return describe(); }
  using is_gtest_matcher = void;
  template <VerdictHolder R>
  bool MatchAndExplain(const R& result, std::ostream*) const noexcept {
    return match(result);
  }
  template <class Stream>
  void DescribeTo(Stream* out) const {
    *out << describe();
  }
  template <class Stream>
  void DescribeNegationTo(Stream* out) const {
    *out << "does not hold: fails, or is undecided where that is not allowed";
  }
};

[[nodiscard]] constexpr HoldsMatcher Holds() noexcept { return {}; }

/// Empty where a result is what was wanted, that is, where it holds or matches; else what was wanted, and the result's
/// explanation. For test frameworks without matchers: doctest, Boost.Test, a `main` of one's own.
///
/// Example: `CHECK(why_not(gate(generator, mine, policy)) == "");`, `BOOST_TEST(why_not(verdict, Passes()) == "");`
template <VerdictHolder R, class Matcher = HoldsMatcher>
[[nodiscard]] std::string why_not(const R& result, const Matcher& wanted = {}) {
  if (wanted.match(result)) return {};
  return "expected a gate that " + wanted.describe() + ", but: " + result.explain();
}

}  // namespace testing
}  // namespace v1
}  // namespace faultline
