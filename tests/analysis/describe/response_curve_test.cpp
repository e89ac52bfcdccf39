// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Failure rate against one property: where bins begin and end, what is counted in them, and whether real images agree
// with generated ones.
#include <faultline/analysis/describe/real_image_check.hpp>
#include <faultline/core/random.hpp>
#include <faultline/statistics/binomial.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace fl = faultline;
namespace an = faultline::analysis;
using faultline_tests::error_code;
using fl::ErrorCode;

namespace {

/// Uniform values in [0, 1) and outcomes that fail with probability `rate(value)`.
struct Outcomes {
  std::vector<double> values;
  std::vector<std::uint8_t> failed;
};
template <class RateOf>
Outcomes draw(std::int64_t n, std::int64_t seed, const RateOf& rate) {
  Outcomes drawn;
  fl::core::CounterRandom random(seed, fl::core::Stream::permutations, 0);
  for (std::int64_t i = 0; i < n; ++i) {
    drawn.values.push_back(random.uniform());
    drawn.failed.push_back(random.uniform() < rate(drawn.values.back()) ? 1 : 0);
  }
  return drawn;
}

std::vector<std::int64_t> counts(const std::vector<double>& values, const std::vector<double>& edges) {
  std::vector<std::int64_t> n(edges.size() - 1, 0);
  for (const double value : values) {
    std::size_t k = 0;
    while (k + 1 < n.size() && value >= edges[k + 1]) ++k;
    ++n[k];
  }
  return n;
}

}  // namespace

TEST_CASE("bins hold about equal numbers, at least fifty, and never part equal values") {
  std::vector<double> values;
  for (int i = 0; i < 1200; ++i) values.push_back((i * 7) % 1200);  // each of 0 .. 1199 once
  std::vector<double> edges = an::response_edges(values);
  REQUIRE(edges.size() == 13);
  CHECK(edges.front() == 0.0);
  CHECK(edges.back() == 1199.0);
  CHECK(edges[1] == 99.5);
  CHECK(counts(values, edges) == std::vector<std::int64_t>(12, 100));

  // fewer samples, fewer bins
  for (const auto& [n, bins] : {std::pair{49, 1}, std::pair{99, 1}, std::pair{100, 2}, std::pair{149, 2},
                                std::pair{599, 11}, std::pair{600, 12}, std::pair{5000, 12}}) {
    std::vector<double> some;
    for (int i = 0; i < n; ++i) some.push_back(std::sin(i));
    const auto own = an::response_edges(some);
    INFO(n << " values");
    CHECK(own.size() == static_cast<std::size_t>(bins) + 1);
    for (const std::int64_t count : counts(some, own)) CHECK(count >= std::min(n, 50));
  }

  // half of the values are 0: one bin of its own, the rest shared out evenly
  values.assign(600, 0.0);
  for (int i = 1; i <= 600; ++i) values.push_back(i);
  edges = an::response_edges(values);
  std::vector<std::int64_t> n = counts(values, edges);
  CHECK(n.front() == 600);
  REQUIRE(n.size() == 7);
  for (std::size_t k = 1; k < n.size(); ++k) CHECK(n[k] == 100);
  // three values only, and one only
  values.assign(100, 2.0);
  values.insert(values.end(), 60, 1.0);
  values.insert(values.end(), 40, 3.0);
  CHECK(an::response_edges(values) == std::vector<double>{1.0, 1.5, 3.0});  // 40 are too few for a bin
  CHECK(an::response_edges(std::vector<double>(500, 4.0)) == std::vector<double>{4.0, 4.0});
}

TEST_CASE("a response curve counts every sample once, with intervals that hold together") {
  const std::vector<double> values = {0.5, 1.0, 1.5, 2.0, 2.5, -9.0, 99.0, 1.0};
  const std::vector<std::uint8_t> failed = {1, 0, 1, 0, 1, 1, 0, 1};
  const std::vector<double> edges = {0.0, 1.0, 2.0, 3.0};
  const fl::ResponseCurve curve = fl::response_curve("blur", values, failed, edges, 0.9);
  REQUIRE(curve.bins.size() == 3);
  CHECK(curve.property == "blur");
  // [.., 1): .5 and -9; [1, 2): 1, 1.5, 1; [2, ..]: 2, 2.5, 99
  const std::int64_t trials[] = {2, 3, 3}, failures[] = {2, 2, 1};
  const double medians[] = {-4.25, 1.0, 2.5};
  for (std::size_t k = 0; k < 3; ++k) {
    const an::ResponseBin& bin = curve.bins[k];
    CHECK(bin.lower == edges[k]);
    CHECK(bin.upper == edges[k + 1]);
    CHECK(bin.rate.n == trials[k]);
    CHECK(bin.rate.failures == failures[k]);
    CHECK(bin.rate.estimate == Approx(static_cast<double>(failures[k]) / static_cast<double>(trials[k])));
    CHECK(bin.rate.confidence == 0.9);
    CHECK(bin.median == medians[k]);
    CHECK(!bin.adjusted);
    const auto alone = fl::statistics::clopper_pearson(failures[k], trials[k], std::cbrt(0.9));
    CHECK(bin.rate.lower == Approx(alone.lower));
    CHECK(bin.rate.upper == Approx(alone.upper));
  }
  // an empty bin has no median, and costs the others nothing
  const std::vector<double> more = {0.0, 1.0, 2.0, 50.0, 60.0, 100.0};
  const fl::ResponseCurve sparse = fl::response_curve("blur", values, failed, more, 0.9);
  CHECK(!sparse.bins[3].median);
  CHECK(sparse.bins[3].rate.n == 0);
  CHECK(sparse.bins[3].rate.lower == 0.0);
  CHECK(sparse.bins[3].rate.upper == 1.0);
  CHECK(fl::response_curve("blur", values, failed).bins.size() == 1);
}

TEST_CASE("what is no curve is refused") {
  const std::vector<double> values = {1.0, 2.0}, edges = {0.0, 1.5, 3.0};
  const std::vector<std::uint8_t> failed = {0, 1};
  const auto code = [&](const std::vector<double>& v, const std::vector<double>& e, double confidence = 0.95) {
    return error_code([&] { (void)fl::response_curve("blur", v, failed, e, confidence); });
  };
  CHECK(!code(values, edges));
  CHECK(code({1.0}, edges) == ErrorCode::shape_mismatch);
  CHECK(code({1.0, std::nan("")}, edges) == ErrorCode::invalid_argument);
  CHECK(code(values, {1.0}) == ErrorCode::invalid_argument);
  CHECK(code(values, {1.0, 0.5}) == ErrorCode::invalid_argument);
  CHECK(code(values, {0.0, 1.0, 1.0}) == ErrorCode::invalid_argument);
  CHECK(code(values, {0.0, std::numeric_limits<double>::infinity()}) == ErrorCode::invalid_argument);
  CHECK(code(values, edges, 1.0) == ErrorCode::invalid_argument);
  CHECK(!code(values, {2.0, 2.0}));
  CHECK(error_code([] { (void)an::response_edges({}); }) == ErrorCode::empty_input);
  CHECK(error_code([&] { (void)an::response_edges(values, {.bins = 0}); }) == ErrorCode::invalid_argument);
  CHECK(error_code([&] { (void)an::response_edges(values, {.least = 0}); }) == ErrorCode::invalid_argument);
}

TEST_CASE("two sets share their edges, with enough of either in every bin") {
  std::vector<double> many, few;
  for (int i = 0; i < 10'000; ++i) many.push_back(i / 10'000.0);
  for (int i = 0; i < 400; ++i) few.push_back(0.5 + i / 400.0);  // from .5 to 1.5
  const std::vector<double> edges = an::common_response_edges(many, few);
  REQUIRE(edges.size() > 3);
  for (const auto* values : {&many, &few})
    for (const std::int64_t n : counts(*values, edges)) CHECK(n >= 50);
  CHECK(edges.front() == 0.0);
  CHECK(edges.back() == Approx(0.5 + 399 / 400.0));
  // sets that do not overlap have one bin
  for (double& value : few) value += 7.0;
  CHECK(an::common_response_edges(many, few).size() == 2);
}

TEST_CASE("real images agree with generated ones where both fail in the same order") {
  const auto rising = [](double x) { return 0.05 + 0.8 * x * x; };
  const auto weaker = [](double x) { return 0.02 + 0.5 * x * x; };
  const auto generated = draw(6000, 1, rising), real = draw(3000, 2, weaker),
             falling = draw(3000, 3, [&](double x) { return rising(1.0 - x); });
  const fl::RealImageCheck same =
      fl::check_on_real_images("blur", generated.values, generated.failed, real.values, real.failed);
  CHECK(same.property == "blur");
  CHECK(same.bins == 12);
  REQUIRE(same.rank_correlation);
  CHECK(*same.rank_correlation > 0.95);
  REQUIRE(same.generated.bins.size() == 12);
  for (std::size_t k = 0; k < 12; ++k) {
    CHECK(same.generated.bins[k].lower == same.real.bins[k].lower);
    CHECK(same.generated.bins[k].upper == same.real.bins[k].upper);
    CHECK(same.real.bins[k].rate.n >= 50);
    // the truth in the middle of a bin lies within the joint interval, but for a thousandth of curvature
    const double middle = 0.5 * (same.real.bins[k].lower + same.real.bins[k].upper);
    CHECK(same.real.bins[k].rate.lower < weaker(middle) + 0.002);
    CHECK(same.real.bins[k].rate.upper > weaker(middle) - 0.002);
  }
  const auto reverse =
      fl::check_on_real_images("blur", generated.values, generated.failed, falling.values, falling.failed);
  REQUIRE(reverse.rank_correlation);
  CHECK(*reverse.rank_correlation < -0.95);
  // nothing to order: outcomes all alike, or one bin
  const std::vector<std::uint8_t> none(3000, 0);
  CHECK(!fl::check_on_real_images("blur", generated.values, generated.failed, real.values, none).rank_correlation);
  const std::vector<double> elsewhere(3000, 5.0);
  const auto apart = fl::check_on_real_images("blur", generated.values, generated.failed, elsewhere, real.failed);
  CHECK(apart.bins == 1);
  CHECK(!apart.rank_correlation);
}

TEST_CASE("properties of real images are found by name, and invalid generated images are left out") {
  const auto drawn = draw(2000, 5, [](double x) { return x; }), other = draw(2000, 6, [](double x) { return x; });
  fl::Matrix<float> generated(2000, 2);
  fl::LabelledTable real{.property_names = {"ink", "noise", "blur"}, .classes = 1};
  real.properties.resize(2000, 3);
  real.property_units = {"", "", "px"};
  std::vector<std::uint8_t> valid(2000, 1);
  for (std::size_t i = 0; i < 2000; ++i) {
    const auto row = static_cast<std::int64_t>(i);
    generated(row, 0) = static_cast<float>(drawn.values[i]);
    generated(row, 1) = static_cast<float>(-drawn.values[i]);
    real.index.push_back(row), real.label.push_back(0), real.prediction.push_back(0);
    real.failed.push_back(other.failed[i]), real.probability.push_back(0.5f), real.margin.push_back(0.0f);
    real.properties(row, 0) = 0.0f;
    real.properties(row, 1) = static_cast<float>(-other.values[i]);
    real.properties(row, 2) = static_cast<float>(other.values[i]);
    if (i >= 1500) valid[i] = 0;
  }
  const std::vector<std::string> names = {"blur", "noise"};
  const auto checks = fl::check_on_real_images(names, generated, drawn.failed, valid, real);
  REQUIRE(checks.size() == 2);
  std::int64_t samples = 0;
  for (const auto& bin : checks[0].generated.bins) samples += bin.rate.n;
  CHECK(samples == 1500);
  CHECK(checks[0].property == "blur");
  CHECK(checks[0].generated.unit == "px");
  for (const auto& check : checks) {
    REQUIRE(check.rank_correlation);
    CHECK(*check.rank_correlation > 0.95);  // the noise falls where the blur rises, in both
  }
  CHECK(checks[1].real.bins.front().rate.estimate > checks[1].real.bins.back().rate.estimate);
  const std::vector<std::string> unknown = {"blur", "hue"};
  CHECK(error_code([&] { (void)fl::check_on_real_images(unknown, generated, drawn.failed, valid, real); }) ==
        ErrorCode::invalid_argument);
  CHECK(error_code([&] {
          (void)fl::check_on_real_images(names, generated, drawn.failed, {&valid[0], 3}, real);
        }) == ErrorCode::shape_mismatch);
}
