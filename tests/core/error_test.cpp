// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/error.hpp>

#include <support/catch2.hpp>

#include <string>

using faultline::Error;
using faultline::ErrorCode;

TEST_CASE("an error says its code, where it arose and what to do") {
  const Error error(ErrorCode::wrong_score_shape, "FailureAnalyzer",
                    "classifier returned [64, 9] scores, expected [64, 10]");
  CHECK(std::string(error.what()) == "[F203] FailureAnalyzer: classifier returned [64, 9] scores, expected [64, 10]");
  CHECK(error.code() == ErrorCode::wrong_score_shape);
  CHECK(error.family() == 2);
}

TEST_CASE("an error is caught as std::runtime_error") {
  CHECK_THROWS_AS(throw Error(ErrorCode::truncated, "IdxReader", "file ends"), std::runtime_error);
}
