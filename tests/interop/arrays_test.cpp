// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Eigen and xtensor see the library's memory as it lies, without a copy and without a transpose, and the library a
// user's xtensor.

#include <faultline/interop/eigen.hpp>
#include <faultline/interop/xtensor.hpp>

#include <support/catch2.hpp>

#include <utility>
#include <vector>

namespace fl = faultline;

TEST_CASE("a matrix is seen in place") {
  fl::Matrix<float> m(2, 3);
  m(1, 2) = 5.0f;
  m(0, 1) = 2.0f;
  const auto view = fl::as_eigen(std::as_const(m));
  CHECK((view.rows() == 2 && view.cols() == 3));
  CHECK(view.data() == m.data());
  CHECK(view(1, 2) == 5.0f);
  fl::as_eigen(m).row(0).setConstant(7.0f);
  CHECK(m(0, 2) == 7.0f);
  CHECK(m(1, 0) == 0.0f);
}

TEST_CASE("vectors and images are seen in place") {
  std::vector<double> v{3, 4};
  CHECK(fl::as_eigen(std::as_const(v)).norm() == Approx(5.0));
  fl::as_eigen(v)(0) = 0.0;
  CHECK(v.front() == 0.0);
  fl::ImageBatch images(2, {1, 2, 2});
  images.image(1)[3] = 1.0f;
  CHECK(fl::as_eigen(images.view())(1, 3) == 1.0f);
  CHECK(fl::as_eigen(images.view()).data() == images.data());
}

TEST_CASE("eigen matrices of either order are copied row by row") {
  Eigen::MatrixXf columns(2, 3);
  columns << 1, 2, 3, 4, 5, 6;
  const fl::Matrix<float> copy = fl::from_eigen(columns);
  CHECK((copy.rows() == 2 && copy.cols() == 3));
  CHECK((copy(0, 2) == 3.0f && copy(1, 0) == 4.0f));
  CHECK(fl::from_eigen(columns.transpose() * 2)(2, 1) == 12.0f);
}

TEST_CASE("matrices, vectors and images are seen in place by xtensor") {
  fl::Matrix<float> m(2, 3);
  m(1, 2) = 5.0f;
  const auto view = fl::as_xtensor(std::as_const(m));
  CHECK((view.dimension() == 2 && view.shape(0) == 2 && view.shape(1) == 3));
  CHECK(view(1, 2) == 5.0f);
  CHECK(&view(0, 0) == m.data());
  auto writable = fl::as_xtensor(m);
  writable(0, 1) = 2.0f;
  CHECK(m(0, 1) == 2.0f);

  const std::vector<double> v{1, 2, 3};
  CHECK(fl::as_xtensor(v)(2) == 3.0);

  fl::ImageBatch images(2, {3, 4, 5});
  images.data()[((1 * 3 + 2) * 4 + 3) * 5 + 4] = 1.0f;
  const auto pixels = fl::as_xtensor(images.view());
  CHECK((pixels.shape(0) == 2 && pixels.shape(1) == 3 && pixels.shape(2) == 4 && pixels.shape(3) == 5));
  CHECK(pixels(1, 2, 3, 4) == 1.0f);
}

TEST_CASE("a user's xtensor is seen in place as images") {
  xt::xtensor<float, 4> pixels({2, 3, 4, 5});
  pixels.fill(0.0f);
  pixels(1, 2, 3, 4) = 0.5f;
  const fl::ImageView images = fl::as_images(pixels);
  CHECK(images.count() == 2);
  CHECK(images.shape() == fl::ImageShape{3, 4, 5});
  CHECK(images(1, 2, 3, 4) == 0.5f);
  CHECK(images.data() == pixels.data());
}
