// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// xtensor sees the library's memory as it lies, and the library a user's xtensor.

#include <faultline/interop/xtensor.hpp>

#include <support/catch2.hpp>

#include <utility>

namespace fl = faultline;

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
