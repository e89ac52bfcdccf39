// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Gates in Catch2, versions 2 and 3: REQUIRE_THAT(gate(...), Passes()) prints the explanation when it does not.

#include <faultline/testing/verdict_matcher.hpp>

#if __has_include(<catch2/matchers/catch_matchers.hpp>)
#include <catch2/matchers/catch_matchers.hpp>
#else
#include <catch2/catch.hpp>
#endif
