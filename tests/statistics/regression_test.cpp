// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/statistics/regression.hpp>

#include <support/catch2.hpp>

#include <cmath>
#include <limits>

namespace fl = faultline;
using namespace faultline_test;

namespace {

double cosine(std::span<const double> a, std::vector<double> b) {
  double product = 0.0;
  double norm = 0.0;
  for (std::size_t j = 0; j < b.size(); ++j) {
    product += a[j] * b[j];
    norm += b[j] * b[j];
  }
  return product / std::sqrt(norm);
}

}  // namespace

TEST_CASE("property directions move one property and hold the others") {
  // w~ = 2 e0 p0 + 1 e1 p1 + noise in truth, with p0 and p1 correlated and classes apart: the marginal slope of w~ on
  // p0 would point at e1 as well, the joint one does not.
  Sample sample = make_sample(60, 6000, 5, 3, 0.3);
  fl::Matrix<float> properties(6000, 4);
  for (std::int64_t i = 0; i < 6000; ++i) {
    fl::core::CounterRandom random(61, fl::core::Stream::subsets, i);
    const double p0 = random.normal();
    const double p1 = 0.7 * p0 + 0.7 * random.normal();
    const auto c = static_cast<double>(sample.labels[static_cast<std::size_t>(i)]);
    sample.x(i, 0) += 2.0 * p0;
    sample.x(i, 1) += 1.0 * p1;
    properties(i, 0) = static_cast<float>(10.0 * p0 + 30.0 * c);
    properties(i, 1) = static_cast<float>(0.1 * p1 - c);
    properties(i, 2) = static_cast<float>(random.normal());  // has nothing to do with w
    properties(i, 3) = static_cast<float>(4.0 * c);          // does not vary within classes
  }
  const fl::statistics::PropertyRegression fit =
      fl::statistics::regress_on_properties(sample.x, properties, sample.labels, 3);
  CHECK(cosine(fit.directions.row_span(0), {1, 0, 0, 0, 0}) > 0.999);
  CHECK(cosine(fit.directions.row_span(1), {0, 1, 0, 0, 0}) > 0.995);
  CHECK(fit.slopes[0] == Approx(2.0).epsilon(0.05));
  CHECK(fit.deviations[0] == Approx(10.0).epsilon(0.05));
  CHECK(fit.r_squared[0] > 0.75);
  CHECK(std::abs(fit.r_squared[2]) < 0.01);  // five coordinates on 6 000 samples: standard deviation about .0005
  CHECK(fit.deviations[3] == 0.0);
  CHECK(fit.r_squared[3] == 0.0);
  for (const double value : fit.directions.row_span(3)) CHECK(value == 0.0);
}

TEST_CASE("R squared equals that of an explicit fit") {
  // One coordinate: R^2 is the squared correlation, then adjusted.
  const Sample sample = make_sample(62, 400, 1, 1, 0.3);
  fl::Matrix<float> property(400, 1);
  double mean_x = 0.0;
  double mean_p = 0.0;
  for (std::int64_t i = 0; i < 400; ++i) {
    property(i, 0) =
        static_cast<float>(sample.x(i, 0) * 0.5 + fl::core::CounterRandom(63, fl::core::Stream::subsets, i).normal());
    mean_x += sample.x(i, 0) / 400.0;
    mean_p += static_cast<double>(property(i, 0)) / 400.0;
  }
  fl::Matrix<double> centred(400, 1);
  double xx = 0.0;
  double xp = 0.0;
  double pp = 0.0;
  for (std::int64_t i = 0; i < 400; ++i) {
    centred(i, 0) = sample.x(i, 0) - mean_x;
    const double p = static_cast<double>(property(i, 0)) - mean_p;
    xx += centred(i, 0) * centred(i, 0);
    xp += centred(i, 0) * p;
    pp += p * p;
  }
  const double plain = xp * xp / (xx * pp);
  const auto fit = fl::statistics::regress_on_properties(centred, property, sample.labels, 1);
  CHECK(fit.r_squared[0] == Approx(1.0 - (1.0 - plain) * 399.0 / 398.0).epsilon(1e-9));
  CHECK(fit.slopes[0] == Approx(std::abs(xp) / pp * std::sqrt(pp / 399.0)).epsilon(1e-9));
}

TEST_CASE("a property measured twice shares its direction") {
  Sample sample = make_sample(64, 1000, 3, 1, 0.3);
  fl::Matrix<float> properties(1000, 2);
  for (std::int64_t i = 0; i < 1000; ++i) properties(i, 0) = properties(i, 1) = static_cast<float>(sample.x(i, 2));
  const auto fit = fl::statistics::regress_on_properties(sample.x, properties, sample.labels, 1);
  CHECK(fit.r_squared[0] > 0.999);
  CHECK(cosine(fit.directions.row_span(0), {0, 0, 1}) > 0.99);
  CHECK(cosine(fit.directions.row_span(1), {0, 0, 1}) > 0.99);
}

TEST_CASE("regression refuses what does not fit") {
  const Sample sample = make_sample(65, 30, 3, 2, 0.3);
  CHECK_THROWS_AS(fl::statistics::regress_on_properties(sample.x, fl::Matrix<float>(29, 1), sample.labels, 2),
                  fl::Error);
  CHECK_THROWS_AS(fl::statistics::regress_on_properties(
                      sample.x, fl::Matrix<float>(30, 1, std::numeric_limits<float>::quiet_NaN()), sample.labels, 2),
                  fl::Error);
  CHECK_THROWS_AS(fl::statistics::regress_on_properties(sample.x, fl::Matrix<float>(30, 1), sample.labels, 0),
                  fl::Error);
  CHECK_THROWS_AS(fl::statistics::regress_on_properties(sample.x, fl::Matrix<float>(30, 1), sample.labels, 1),
                  fl::Error);
  CHECK_THROWS_AS(
      fl::statistics::regress_on_properties(fl::Matrix<double>(30, 30), fl::Matrix<float>(30, 1), sample.labels, 2),
      fl::Error);
  CHECK(fl::statistics::regress_on_properties(sample.x, fl::Matrix<float>(30, 0), sample.labels, 2).directions.rows() ==
        0);
}
