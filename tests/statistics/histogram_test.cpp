// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/statistics/histogram.hpp>
#include <faultline/statistics/rank.hpp>

#include <support/catch2.hpp>

#include <cmath>
#include <limits>

namespace fl = faultline;
using namespace faultline_test;

namespace {

fl::statistics::ChannelHistograms fill(const Sample& sample, std::int64_t first, std::int64_t last, std::int64_t bins) {
  auto histograms =
      fl::statistics::ChannelHistograms::around(std::vector<double>(2, 0.0), std::vector<double>(2, 0.5), 6, 6.0, bins);
  for (std::int64_t i = first; i < last; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::vector<float> row{static_cast<float>(sample.x(i, 0)), static_cast<float>(sample.x(i, 1))};
    histograms.add(fl::statistics::outcome_group(sample.labels[at], sample.failed[at] != 0), row);
  }
  return histograms;
}

}  // namespace

TEST_CASE("AUC from histograms lies within its stated error of the exact one, and the error is small at 256 bins") {
  const Sample sample = make_sample(90, 3000, 2, 3, 0.2, 0.4);
  const fl::statistics::Strata strata = fl::statistics::count_outcomes(sample.labels, sample.failed, 3);
  for (const std::int64_t bins : {4, 32, 256}) {
    const auto histograms = fill(sample, 0, 3000, bins);
    for (std::int64_t k = 0; k < 2; ++k) {
      std::vector<double> values;
      for (std::int64_t i = 0; i < 3000; ++i) values.push_back(static_cast<double>(static_cast<float>(sample.x(i, k))));
      const auto approximate = fl::statistics::stratified_histogram_auc(histograms, k, strata);
      const double exact = fl::statistics::stratified_auc(values, sample.labels, sample.failed, strata).auc;
      CHECK(std::abs(approximate.auc - exact) <= approximate.error + 1e-12);
      if (bins == 256) CHECK(approximate.error < 0.01);
    }
  }
}

TEST_CASE("merged histograms equal those of one pass, whatever the split and the order") {
  const Sample sample = make_sample(91, 500, 2, 3, 0.3);
  const auto whole = fill(sample, 0, 500, 16);
  auto split = fill(sample, 320, 500, 16);
  split.merge(fill(sample, 0, 7, 16));
  split.merge(fill(sample, 7, 320, 16));
  std::int64_t total = 0;
  for (std::int64_t k = 0; k < 2; ++k) {
    for (std::int64_t g = 0; g < 6; ++g) {
      const auto a = whole.counts(k, g);
      const auto b = split.counts(k, g);
      CHECK(std::vector<std::uint32_t>(a.begin(), a.end()) == std::vector<std::uint32_t>(b.begin(), b.end()));
      for (const std::uint32_t count : a) total += count;
    }
  }
  CHECK(total == 1000);
}

TEST_CASE("every value falls into exactly the bin that contains it") {
  fl::statistics::ChannelHistograms histograms({0.0}, {4.0}, 1, 4);
  for (const float value : {-0.5F, 0.0F, 0.99F, 1.0F, 3.999F, 4.0F, 4.01F, std::numeric_limits<float>::infinity()})
    histograms.add(0, std::vector<float>{value});
  const auto counts = histograms.counts(0, 0);
  CHECK(std::vector<std::uint32_t>(counts.begin(), counts.end()) == std::vector<std::uint32_t>{1, 2, 1, 0, 2, 2});
  fl::statistics::ChannelHistograms constant({2.0}, {2.0}, 1, 4);  // a channel that does not vary in the pilot
  for (const float value : {1.9F, 2.0F, 2.1F}) constant.add(0, std::vector<float>{value});
  const auto around = constant.counts(0, 0);
  CHECK(std::vector<std::uint32_t>(around.begin(), around.end()) == std::vector<std::uint32_t>{1, 1, 0, 0, 0, 1});
}

TEST_CASE("histograms refuse NaN, groups, channels and shapes that do not fit") {
  fl::statistics::ChannelHistograms histograms({0.0, 0.0}, {1.0, 1.0}, 2, 4);
  CHECK_THROWS_AS(histograms.add(0, std::vector<float>{0.5F}), fl::Error);
  CHECK_THROWS_AS(histograms.add(2, std::vector<float>{0.5F, 0.5F}), fl::Error);
  CHECK_THROWS_AS(histograms.add(0, std::vector<float>{0.5F, std::numeric_limits<float>::quiet_NaN()}), fl::Error);
  CHECK(histograms.counts(0, 0)[3] == 0);  // the refused row left nothing behind
  CHECK_THROWS_AS(histograms.counts(2, 0), fl::Error);
  CHECK_THROWS_AS(histograms.merge(fl::statistics::ChannelHistograms({0.0, 0.0}, {1.0, 2.0}, 2, 4)), fl::Error);
  CHECK_THROWS_AS(fl::statistics::ChannelHistograms({0.0}, {1.0, 2.0}, 1), fl::Error);
  CHECK_THROWS_AS(fl::statistics::ChannelHistograms({1.0}, {0.0}, 1), fl::Error);
  CHECK_THROWS_AS(fl::statistics::ChannelHistograms({0.0}, {1.0}, 0), fl::Error);
  CHECK_THROWS_AS(fl::statistics::ChannelHistograms::around(std::vector<double>{0.0}, std::vector<double>{}, 1),
                  fl::Error);
  const std::vector<std::uint32_t> three(3, 1);
  const std::vector<std::uint32_t> none(3, 0);
  CHECK(fl::statistics::histogram_auc(three, none).auc == 0.5);
  CHECK_THROWS_AS(fl::statistics::histogram_auc(three, std::vector<std::uint32_t>(4, 1)), fl::Error);
  CHECK_THROWS_AS(fl::statistics::stratified_histogram_auc(histograms, 0, fl::statistics::make_strata({5, 5}, {5, 5})),
                  fl::Error);
}
