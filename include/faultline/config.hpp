// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What every header of the library assumes of the compiler.

#if defined(__FAST_MATH__)
#error "Faultline needs IEEE arithmetic: NaN checks and reproducible sums do not survive -ffast-math."
#endif
#if __cplusplus < 202002L
#error "Faultline needs C++20."
#endif

#include <faultline/core/enum_text.hpp>
#include <faultline/version.hpp>
