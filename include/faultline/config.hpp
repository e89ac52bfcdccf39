// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What every header of the library assumes of the compiler.

// Every flag that changes what arithmetic means is asked about by its effect, not by the name of the option that brings
// several of them. Where a compiler has no macro for one (clang has none for reassociation, reciprocals and NaN alone),
// `detail::call_user` looks at run time.
#if __cplusplus < 202002L
#error "Faultline needs C++20: compile with -std=c++20 or later."
#endif
#if !defined(__cpp_exceptions) && !defined(__EXCEPTIONS)
#error "Faultline needs exceptions: its errors are thrown; compile without -fno-exceptions."
#endif
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ > 0)
#error "Faultline needs IEEE arithmetic: checks for NaN do not survive -ffast-math and -ffinite-math-only."
#endif
#if defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__)
#error \
    "Faultline needs IEEE arithmetic: reproducible sums do not survive -funsafe-math-optimizations, -fassociative-math and -freciprocal-math."
#endif
static_assert(0.1 != static_cast<double>(0.1F),
              "Faultline needs IEEE arithmetic: its constants do not survive -fsingle-precision-constant.");

#include <faultline/core/enum_text.hpp>
#include <faultline/version.hpp>

// Definitions of plain functions lie in *_impl.hpp files: inline where headers are all there is, compiled once where
// the target faultline::compiled says FAULTLINE_COMPILED.
#ifdef FAULTLINE_COMPILED
#define FAULTLINE_INLINE
#else
#define FAULTLINE_INLINE inline
#endif
