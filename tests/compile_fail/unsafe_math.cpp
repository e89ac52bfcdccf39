// expect: Faultline needs IEEE arithmetic: reproducible sums
// flags: -funsafe-math-optimizations
// compiler: GNU
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The mistake is the flag: the control is the same file without it.
#include <faultline/testing.hpp>

int main() {}
