// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What matrix_plain.cpp and matrix_avx2.cpp do for each other: the same functions, compiled for two instruction sets.

#include <faultline/core/matrix.hpp>

#include <cstdint>
#include <memory>
#include <utility>

/// One side of the boundary: it makes matrices, and takes, changes and destroys those of the other side.
struct MatrixSide {
  virtual ~MatrixSide() = default;
  /// 0, 1, 2, ... row by row.
  [[nodiscard]] virtual faultline::Matrix<double> make(std::int64_t rows, std::int64_t cols) const = 0;
  [[nodiscard]] virtual faultline::Matrix<float> make_float(std::int64_t rows, std::int64_t cols) const = 0;
  virtual void resize(faultline::Matrix<double>& m, std::int64_t rows, std::int64_t cols) const = 0;
  virtual void square(faultline::Matrix<double>& m) const = 0;  ///< m = m mᵀ
  virtual void copy_to(const faultline::Matrix<double>& from, faultline::Matrix<double>& to) const = 0;
  virtual void move_to(faultline::Matrix<double>& from, faultline::Matrix<double>& to) const = 0;
  [[nodiscard]] virtual faultline::Matrix<double> pass(faultline::Matrix<double> m) const = 0;
  [[nodiscard]] virtual double destroy(std::unique_ptr<faultline::Matrix<double>> m) const = 0;  ///< returns the sum
  [[nodiscard]] virtual float destroy(faultline::Matrix<float> m) const = 0;
};

const MatrixSide& plain_side();
const MatrixSide& avx2_side();

namespace {  // each file has code of its own

struct Side final : MatrixSide {
  [[nodiscard]] faultline::Matrix<double> make(std::int64_t rows, std::int64_t cols) const override {
    faultline::Matrix<double> m(rows, cols);
    double next = 0.0;
    for (double& value : m.values()) value = next++;
    return m;
  }
  [[nodiscard]] faultline::Matrix<float> make_float(std::int64_t rows, std::int64_t cols) const override {
    return make(rows, cols).cast<float>();
  }
  void resize(faultline::Matrix<double>& m, std::int64_t rows, std::int64_t cols) const override {
    m.resize(rows, cols, 1.5);
  }
  void square(faultline::Matrix<double>& m) const override { m = m * m.transpose(); }
  void copy_to(const faultline::Matrix<double>& from, faultline::Matrix<double>& to) const override { to = from; }
  void move_to(faultline::Matrix<double>& from, faultline::Matrix<double>& to) const override { to = std::move(from); }
  [[nodiscard]] faultline::Matrix<double> pass(faultline::Matrix<double> m) const override {
    m.array() += 1.0;
    return m;
  }
  [[nodiscard]] double destroy(std::unique_ptr<faultline::Matrix<double>> m) const override { return m->sum(); }
  [[nodiscard]] float destroy(faultline::Matrix<float> m) const override { return m.sum(); }
};

}  // namespace
