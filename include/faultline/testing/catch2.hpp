// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Catch2 matchers for gates, versions 2 and 3: REQUIRE_THAT(gate(...), Passes()) prints the explanation when it does not.

#include <faultline/testing/gate.hpp>

#if __has_include(<catch2/matchers/catch_matchers.hpp>)
#include <catch2/matchers/catch_matchers.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <string>

/// Lets Catch2 print a gate's result as its explanation.
template <>
struct Catch::StringMaker<faultline::testing::GateResult> {
  static std::string convert(const faultline::testing::GateResult& result) { return result.explain(); }
};

namespace faultline {
inline namespace v1 {
namespace testing {

/// Matches a gate with the given verdict.
class VerdictMatcher final : public
#if __has_include(<catch2/matchers/catch_matchers.hpp>)
                             Catch::Matchers::MatcherBase<GateResult>
#else
                             Catch::MatcherBase<GateResult>
#endif
{
 public:
  VerdictMatcher(GateVerdict wanted, bool undecided_too) : wanted_(wanted), undecided_too_(undecided_too) {}
  bool match(const GateResult& result) const override { return result.verdict() == wanted_ || (undecided_too_ && result.undecided()); }
  std::string describe() const override {
    const char* name = wanted_ == GateVerdict::pass ? "passes" : wanted_ == GateVerdict::fail ? "fails" : "is undecided";
    return std::string(name) + (undecided_too_ ? " or is undecided" : "");
  }

 private:
  GateVerdict wanted_;
  bool undecided_too_;
};

/// The gate passed. Undecided does not pass.
inline VerdictMatcher Passes() { return {GateVerdict::pass, false}; }
/// The gate failed.
inline VerdictMatcher Fails() { return {GateVerdict::fail, false}; }
/// The gate did not fail: for smoke tests whose budget may end undecided.
inline VerdictMatcher DoesNotFail() { return {GateVerdict::pass, true}; }

}  // namespace testing
}  // namespace v1
}  // namespace faultline
