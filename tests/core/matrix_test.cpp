// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/core/matrix.hpp>
#include <faultline/error.hpp>
#include <support/catch2.hpp>

#include <cstdint>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

namespace fl = faultline;

namespace {

/// 0, 1, 2, ... row by row.
fl::Matrix<double> counted(std::int64_t rows, std::int64_t cols) {
  fl::Matrix<double> m(rows, cols);
  std::iota(m.values().begin(), m.values().end(), 0.0);
  return m;
}

std::vector<double> listed(const fl::Matrix<double>& m) { return {m.values().begin(), m.values().end()}; }

}  // namespace

static_assert(std::is_nothrow_move_constructible_v<fl::Matrix<float>>);
static_assert(std::is_nothrow_move_assignable_v<fl::Matrix<float>>);
static_assert(!std::is_constructible_v<fl::Matrix<double>, const fl::Matrix<float>&>,
              "precision is not changed silently");
static_assert(!std::is_assignable_v<fl::Matrix<double>&, const fl::Matrix<float>&>);
static_assert(std::is_convertible_v<Eigen::MatrixXd, fl::Matrix<double>>);
static_assert(std::is_same_v<decltype(std::declval<fl::Matrix<float>&>().rows()), Eigen::Index>);

TEST_CASE("a matrix has the shape and the value asked for, after resizing too") {
  fl::Matrix<float> m(2, 3);
  CHECK(m.rows() == 2);
  CHECK(m.cols() == 3);
  CHECK(m.size() == 6);
  for (const float value : m.values()) CHECK(value == 0.0f);
  m(1, 2) = 5.0f;
  CHECK(m.values().back() == 5.0f);
  CHECK(m.row_span(1).size() == 3);
  CHECK(m.row_span(1)[2] == 5.0f);
  CHECK(m.row_span(1).data() == m.data() + 3);
  m.resize(3, 2, 7.0f);
  CHECK(m.rows() == 3);
  CHECK(m.cols() == 2);
  for (const float value : m.values()) CHECK(value == 7.0f);
  CHECK(m.sum() == 42.0f);
  const fl::Matrix<std::uint8_t> bytes(2, 2, 9);
  CHECK(bytes(1, 1) == 9);
  const fl::Matrix<std::int64_t> counts(1, 2, -1);
  CHECK(counts.sum() == -2);
}

TEST_CASE("a matrix without rows keeps its columns, and the other way round") {
  const fl::Matrix<double> none;
  CHECK(none.empty());
  CHECK(none.rows() == 0);
  CHECK(none.cols() == 0);
  const fl::Matrix<double> flat(0, 5);
  CHECK(flat.empty());
  CHECK(flat.cols() == 5);
  const fl::Matrix<double> copy = flat;
  CHECK(copy.cols() == 5);
  fl::Matrix<double> thin(4, 0);
  CHECK(thin.empty());
  CHECK(thin.rows() == 4);
  thin = fl::Matrix<double>(flat);
  CHECK(thin.rows() == 0);
  CHECK(thin.cols() == 5);
  const fl::Matrix<double> transposed = flat.transpose();
  CHECK(transposed.rows() == 5);
  CHECK(transposed.cols() == 0);
  const fl::Matrix<double> zero = flat.transpose() * flat;  // an empty sum
  CHECK(zero == fl::Matrix<double>(5, 5));
}

TEST_CASE("a size that is negative or beyond memory is refused") {
  CHECK_THROWS_AS(fl::Matrix<double>(-1, 2), fl::Error);
  CHECK_THROWS_AS(fl::Matrix<double>(std::int64_t{1} << 40, std::int64_t{1} << 40), fl::Error);
  fl::Matrix<double> m = counted(2, 2);
  CHECK_THROWS_AS(m.resize(2, -2), fl::Error);
  CHECK(m == counted(2, 2));
}

TEST_CASE("copies are independent and what was moved from is empty") {
  fl::Matrix<double> a = counted(2, 3);
  fl::Matrix<double> b = a;
  b(0, 0) = 9.0;
  CHECK(a(0, 0) == 0.0);
  const double* values = a.data();
  fl::Matrix<double> c = std::move(a);
  CHECK(c.data() == values);
  CHECK(c == counted(2, 3));
  CHECK(a.empty());  // NOLINT(bugprone-use-after-move): promised
  CHECK(a.rows() == 0);
  CHECK(a.cols() == 0);
  a = counted(1, 1);
  CHECK(a.rows() == 1);
  b = std::move(c);
  CHECK(b.data() == values);
  CHECK(c.empty());  // NOLINT(bugprone-use-after-move): promised
  CHECK(c.data() == nullptr);
  fl::Matrix<double>& same = b;
  b = same;
  b = std::move(same);
  CHECK(b == counted(2, 3));
  std::swap(a, b);
  CHECK(a == counted(2, 3));
  CHECK(b.rows() == 1);
  std::vector<fl::Matrix<double>> many(3, a);
  many.resize(100);  // moved to another place
  CHECK(many[2] == a);
  CHECK(many[2].col(1).sum() == 5.0);
}

TEST_CASE("an expression gives its shape and its values") {
  const fl::Matrix<double> a = counted(2, 3);
  fl::Matrix<double> m = a.transpose();
  CHECK(listed(m) == std::vector<double>{0, 3, 1, 4, 2, 5});
  m = a * a.transpose();
  CHECK(listed(m) == std::vector<double>{5, 14, 14, 50});
  m = a.array() + 1.0;
  CHECK(listed(m) == std::vector<double>{1, 2, 3, 4, 5, 6});
  m = a.row(1);
  CHECK(m.rows() == 1);
  CHECK(listed(m) == std::vector<double>{3, 4, 5});
  m = a.rowwise() - a.colwise().mean();
  CHECK(listed(m) == std::vector<double>{-1.5, -1.5, -1.5, 1.5, 1.5, 1.5});
  m = a(Eigen::all, std::vector<int>{2, 0});
  CHECK(listed(m) == std::vector<double>{2, 0, 5, 3});
  m = Eigen::MatrixXd::Identity(2, 2);
  CHECK(listed(m) == std::vector<double>{1, 0, 0, 1});
  m = Eigen::Vector2d(3.0, 4.0).asDiagonal();
  CHECK(listed(m) == std::vector<double>{3, 0, 0, 4});
  const fl::Matrix<float> narrow = a.cast<float>();
  CHECK(narrow(1, 2) == 5.0f);
  const fl::Matrix<double> row_vector = Eigen::RowVectorXd::Constant(4, 2.0);
  CHECK(row_vector.rows() == 1);
  const Eigen::MatrixXd by_columns = a;
  CHECK(by_columns(1, 0) == 3.0);
}

TEST_CASE("what is assigned may look into the matrix itself") {
  fl::Matrix<double> m = counted(2, 3);
  m = m.transpose();
  CHECK(listed(m) == std::vector<double>{0, 3, 1, 4, 2, 5});
  m = m.transpose() * m;
  CHECK(listed(m) == std::vector<double>{5, 14, 14, 50});
  m = m.block(0, 1, 2, 1);
  CHECK(listed(m) == std::vector<double>{14, 50});
  m = m.transpose().eval();
  CHECK(listed(m) == std::vector<double>{14, 50});
  m = counted(3, 2);
  m = m.colwise().reverse();
  CHECK(listed(m) == std::vector<double>{4, 5, 2, 3, 0, 1});
  m *= 2.0;
  m.row(0) += m.row(2);
  CHECK(listed(m) == std::vector<double>{8, 12, 4, 6, 0, 2});
  m.noalias() = counted(3, 2);
  CHECK(m == counted(3, 2));
}

TEST_CASE("matrices are equal when shapes and values are") {
  const fl::Matrix<double> a = counted(2, 3);
  CHECK(a == counted(2, 3));
  CHECK_FALSE(a != counted(2, 3));
  CHECK(a != counted(3, 2));
  CHECK_FALSE(a == fl::Matrix<double>());
  CHECK(fl::Matrix<double>(0, 2) != fl::Matrix<double>(0, 3));
  CHECK(a == a.transpose().transpose());
  CHECK(a.transpose().transpose() == a);
  CHECK(a != a.transpose());
  CHECK(a.transpose() != a);
  fl::Matrix<double> b = a;
  b(1, 1) += 1.0;
  CHECK(a != b);
  const Eigen::MatrixXd eigen = a;
  CHECK(a == eigen);
  CHECK(eigen == a);
}
