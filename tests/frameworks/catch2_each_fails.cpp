// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One section for each class and for each known failure, for what Catch2 prints of those that fail.

#include <faultline/testing.hpp>
#include <faultline/testing/catch2.hpp>

#include <support/catch2.hpp>

#include "planted_failures.hpp"

namespace fl = faultline;
using fl::testing::Holds;
using fl::testing::NamedGate;
using fl::testing::Passes;

TEST_CASE("every class") {
  // expect: every class class 2
  // expect: CHECK_THAT( one.result, Holds() )
  // expect: FAIL: class 2: it does not hold.
  // expect: The bound is 0.2.
  // expect: stop_at_first_failure = false
  static const auto verdict = planted::every_class();
  for (const NamedGate& one : fl::testing::results_by_statement(verdict)) DYNAMIC_SECTION(one.name) {
      CHECK_THAT(one.result, Holds());
    }
}

TEST_CASE("every known failure") {
  // expect: every known failure a.b-c
  // expect: FAIL: a.b-c: it does not hold.
  // expect: expected 2, answered 3
  // expect: every known failure plain
  // expect: FAIL: plain: it does not hold.
  // expect: expected 2, answered 3
  // expect: test cases: 2 | 2 failed assertions: 6 | 3 passed | 3 failed
  static const auto verdict = planted::every_known_failure();
  for (const NamedGate& one : fl::testing::results_by_statement(verdict)) DYNAMIC_SECTION(one.name) {
      CHECK_THAT(one.result, Holds());
    }
}

TEST_CASE("every class but the one that fails", "[.passes]") {
  static const auto verdict = planted::every_class();
  for (const NamedGate& one : fl::testing::results_by_statement(verdict)) DYNAMIC_SECTION(one.name) {
      CHECK_THAT(one.result, one.name == "class 2" ? !Passes() : Passes());
    }
}
