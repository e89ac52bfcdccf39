// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Compiled with -mavx2, which makes Eigen align its own memory to 32 bytes.
#include "matrix_sides.hpp"

#if !defined(__AVX2__)
#error "this file is to be compiled with -mavx2"
#endif

const MatrixSide& avx2_side() {
  static const Side side;
  return side;
}
