// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One test for each class and for each known failure, for what GoogleTest prints of those that fail.

#include <faultline/testing.hpp>
#include <faultline/testing/gtest.hpp>

#include "planted_failures.hpp"

#include <cstdint>

namespace fl = faultline;
using fl::testing::Holds;
using fl::testing::Passes;
using fl::testing::verify;

namespace {

class EveryClass : public testing::TestWithParam<std::int64_t> {
 protected:
  static const fl::testing::GateResult& verdict() {
    static const auto result = planted::every_class();
    return result;
  }
};
class KnownFailure : public testing::TestWithParam<fl::testing::CorpusEntry> {
 protected:
  static const fl::testing::GateResult& verdict() {
    static const auto result = planted::every_known_failure();
    return result;
  }
};

}  // namespace

// expect: [ OK ] Quadrants/EveryClass.fails_seldom/1
// expect: expected a gate that holds: passes, or is undecided where that is allowed, but: FAIL: class 2: it does not hold.
// expect: [ FAILED ] Quadrants/EveryClass.fails_seldom/2, where GetParam() = 2
// expect: [ OK ] Quadrants/EveryClass.fails_seldom/3
TEST_P(EveryClass, fails_seldom) { EXPECT_TRUE(verify(fl::testing::class_result(verdict(), GetParam()), Holds())); }
INSTANTIATE_TEST_SUITE_P(Quadrants, EveryClass, testing::Range<std::int64_t>(0, 4));

// expect: FAIL: a.b-c: it does not hold. expected 2, answered 3
// expect: [ FAILED ] Corpus/KnownFailure.does_not_return/a_b_c_0, where GetParam() = a.b-c
// expect: FAIL: plain: it does not hold. expected 2, answered 3
// expect: [ FAILED ] Corpus/KnownFailure.does_not_return/plain, where GetParam() = plain
TEST_P(KnownFailure, does_not_return) {
  EXPECT_TRUE(verify(fl::testing::statement_result(verdict(), GetParam().name), Holds()));
}
INSTANTIATE_TEST_SUITE_P(Corpus, KnownFailure, testing::ValuesIn(planted::corpus()), fl::testing::ParameterName());

TEST(Classes, passes) {
  const auto verdict = planted::every_class();
  for (const std::int64_t label : {0, 1, 3}) EXPECT_TRUE(verify(fl::testing::class_result(verdict, label), Passes()));
  EXPECT_FALSE(verify(fl::testing::class_result(verdict, 2), Passes()));
}
