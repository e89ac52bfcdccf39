// expect: Faultline needs exceptions
// flags: -fno-exceptions
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The mistake is the flag: the control is the same file without it.
#include <faultline/testing.hpp>

int main() {}
