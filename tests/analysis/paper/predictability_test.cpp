// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/analysis/paper/predictability.hpp>
#include <faultline/statistics/distributions.hpp>

#include <core/temporary_directory.hpp>
#include <statistics/support.hpp>
#include <support/catch2.hpp>

namespace fl = faultline;
using faultline_tests::error_code;

namespace {

struct Split {
  fl::Matrix<float> x;
  fl::Population population;
};

/// Columns of their own scale and offset, offsets also by class; failures shifted by `shift` standard deviations in the
/// first.
Split make_split(std::int64_t trial, std::int64_t n, std::int64_t d, double shift) {
  const auto sample = faultline_test::make_sample(trial, n, d, 3, 0.3);
  Split split{fl::Matrix<float>(n, d), {}};
  split.population.label = sample.labels;
  split.population.failed = sample.failed;
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t k = 0; k < d; ++k) {
      const double moved = sample.x(i, k) + (k == 0 && sample.failed[static_cast<std::size_t>(i)] != 0 ? shift : 0.0);
      split.x(i, k) =
          static_cast<float>(std::pow(10.0, static_cast<double>(k % 4)) *
                             (moved + 5.0 * static_cast<double>(sample.labels[static_cast<std::size_t>(i)])));
    }
  return split;
}

}  // namespace

TEST_CASE("failure is predicted as well as the shift between outcomes allows") {
  const Split first = make_split(1, 6'000, 5, 1.0), second = make_split(2, 6'000, 5, 1.0);
  const fl::paper::Predictability result =
      fl::paper::predictability(first.x, first.population, second.x, second.population, 3);
  // Of two unit normals one standard deviation apart: .7602
  const double truth = 1.0 - fl::statistics::normal_upper_tail(1.0 / std::sqrt(2.0));
  CHECK(result.auc == Approx(truth).margin(0.03));  // 4 standard errors
  CHECK(result.lower < result.auc);
  CHECK(result.upper > result.auc);
  CHECK(result.significant);
}

TEST_CASE("columns that depend on each other, or do not vary, change nothing") {
  const Split first = make_split(3, 1'500, 4, 1.0), second = make_split(4, 1'500, 4, 1.0);
  const auto styles = [](const fl::Matrix<float>& w) {  // 300 linear projections of four coordinates, and a constant
    fl::Matrix<float> s(w.rows(), 301, 7.25f);
    for (std::int64_t k = 0; k < 300; ++k) {
      fl::core::CounterRandom random(2, fl::core::Stream::subsets, k);
      std::vector<double> a;
      for (std::int64_t j = 0; j < w.cols(); ++j)
        a.push_back(random.normal() / std::pow(10.0, static_cast<double>(j % 4)));
      for (std::int64_t i = 0; i < w.rows(); ++i) {
        double sum = 1.0;
        for (std::int64_t j = 0; j < w.cols(); ++j)
          sum += a[static_cast<std::size_t>(j)] * static_cast<double>(w(i, j));
        s(i, k) = static_cast<float>(sum);
      }
    }
    return s;
  };
  const fl::paper::Predictability in_w =
      fl::paper::predictability(first.x, first.population, second.x, second.population, 3);
  const fl::paper::Predictability in_s =
      fl::paper::predictability(styles(first.x), first.population, styles(second.x), second.population, 3);
  CHECK(in_s.auc == Approx(in_w.auc).margin(0.005));
}

TEST_CASE("more columns than samples are no obstacle, and fitting to noise predicts nothing") {
  const Split first = make_split(5, 200, 400, 0.0), second = make_split(6, 3'000, 400, 0.0);
  const fl::paper::Predictability result =
      fl::paper::predictability(first.x, first.population, second.x, second.population, 3);
  CHECK(std::abs(result.auc - 0.5) < 0.06);  // 5 standard errors
}

TEST_CASE("predictability errs at its stated rate when there is nothing to predict") {
  std::int64_t alarms = 0;
  for (std::int64_t trial = 0; trial < 400; ++trial) {
    const Split first = make_split(1'000 + 2 * trial, 200, 6, 0.0), second = make_split(1'001 + 2 * trial, 200, 6, 0.0);
    alarms += fl::paper::predictability(first.x, first.population, second.x, second.population, 3).significant ? 1 : 0;
  }
  CHECK(alarms <= faultline_test::most_events(400, 0.06));  // fails a right implementation once in a million
}

TEST_CASE("predictability of nothing is one half, and wrong input is refused") {
  Split first = make_split(7, 100, 3, 0.0), second = make_split(8, 100, 3, 0.0);
  CHECK(error_code([&] { (void)fl::paper::predictability({}, {}, second.x, second.population, 3); }) ==
        fl::ErrorCode::empty_input);
  CHECK(error_code([&] {
          (void)fl::paper::predictability(first.x, first.population, fl::Matrix<float>(100, 2), second.population, 3);
        }) == fl::ErrorCode::shape_mismatch);
  CHECK(error_code([&] {
          (void)fl::paper::predictability(fl::Matrix<float>(99, 3), first.population, second.x, second.population, 3);
        }) == fl::ErrorCode::shape_mismatch);
  CHECK(error_code([&] {
          (void)fl::paper::predictability(first.x, first.population, second.x, second.population, 2);
        }) == fl::ErrorCode::label_out_of_range);
  second.population.failed.assign(100, 0);
  CHECK(fl::paper::predictability(first.x, first.population, second.x, second.population, 3).auc == 0.5);
  first.population.failed.assign(100, 0);
  CHECK(fl::paper::predictability(first.x, first.population, make_split(8, 100, 3, 0.0).x,
                                  make_split(8, 100, 3, 0.0).population, 3)
            .auc == 0.5);
}
