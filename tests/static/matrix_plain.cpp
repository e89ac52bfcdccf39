// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Matrices made on one side of a boundary between instruction sets, changed and destroyed on the other, both ways; run
// under the address sanitizer. Exit code 77 where the processor has no AVX2.
#include "matrix_sides.hpp"

#include <cstdio>

#if defined(__AVX__)
#error "this file is to be compiled for the plain instruction set"
#endif

const MatrixSide& plain_side() {
  static const Side side;
  return side;
}

namespace {

int failures = 0;

void check(bool right, const char* what, std::int64_t size) {
  if (right) return;
  std::fprintf(stderr, "wrong: %s, size %lld\n", what, static_cast<long long>(size));
  ++failures;
}

/// Sizes on both sides of every vector width, so that aligned and odd lengths both occur.
void cross(const MatrixSide& here, const MatrixSide& there, std::int64_t size) {
  using faultline::Matrix;
  const auto count = static_cast<double>(size * (size + 1));
  const double sum = count * (count - 1.0) / 2.0;
  const Matrix<double> truth = here.make(size, size + 1);

  Matrix<double> m = there.make(size, size + 1);
  check(m == truth, "made there", size);
  Matrix<double> copy;
  there.copy_to(m, copy);
  check(copy == truth, "copied there", size);
  here.copy_to(m, copy);
  there.move_to(m, copy);
  check(copy == truth && m.empty(), "moved there", size);
  copy = there.pass(std::move(copy));
  check(copy.sum() == sum + count, "passed by value", size);
  there.resize(copy, size + 2, 3);
  check(copy == Matrix<double>(size + 2, 3, 1.5), "resized there", size);
  here.resize(copy, 2 * size + 9, 5);
  check(copy.sum() == 1.5 * 5.0 * static_cast<double>(2 * size + 9), "resized here again", size);
  m = here.make(size, size + 1);
  there.square(m);
  Matrix<double> square = truth * truth.transpose();
  check(m.rows() == size && (m - square).cwiseAbs().maxCoeff() <= 1e-12 * square.cwiseAbs().maxCoeff(),
        "assigned there", size);
  m = Matrix<double>(there.make(size, size + 1)) * 2.0;
  check(m.sum() == 2.0 * sum, "an expression of it here", size);
  check(there.destroy(std::make_unique<Matrix<double>>(truth)) == sum, "destroyed there", size);
  check(here.destroy(std::make_unique<Matrix<double>>(there.make(size, size + 1))) == sum, "destroyed here", size);
  if (size < 50) check(static_cast<double>(here.destroy(there.make_float(size, size + 1))) == sum, "of floats", size);
}

}  // namespace

int main() {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2")) return 77;
#endif
  for (const std::int64_t size : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 100}) {
    cross(plain_side(), avx2_side(), size);
    cross(avx2_side(), plain_side(), size);
  }
  return failures == 0 ? 0 : 1;
}
