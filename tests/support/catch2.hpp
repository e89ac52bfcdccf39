// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Catch2 for our tests, whichever major version is installed: one include, one unqualified Approx and
// ContainsSubstring.

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
#else
#include <catch2/catch.hpp>  // declares Approx itself

#include <string>

inline auto ContainsSubstring(const std::string& text) { return Catch::Contains(text); }
#endif
