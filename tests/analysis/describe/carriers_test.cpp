// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Carriers against a brute-force loop over styles, which the library never forms.

#include <analysis/findings_world.hpp>

#include <support/catch2.hpp>

#include <faultline/analysis/describe/carriers.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

namespace {

namespace fl = faultline;
namespace world = findings_world;

world::World slope() {
  return {[](std::span<const double> x, std::int64_t label) {
    const double level = label == 1 ? 0.5 : 1.0;
    return world::Answers{world::logistic(4.0 * (level - x[0] + 0.5 * x[1])), x[0] - 0.5 * x[1] > level};
  }};
}

std::vector<double> style(const fl::Problem& problem, const fl::Population& split, std::int64_t k) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < split.size(); ++i) {
    double s = problem.style_bias[static_cast<std::size_t>(k)];
    for (std::int64_t j = 0; j < split.w.cols(); ++j)
      s += problem.style_matrix(k, j) * static_cast<double>(split.w(i, j));
    values.push_back(s);
  }
  return values;
}

/// Values off their class means.
std::vector<double> within(std::vector<double> values, const fl::Population& split) {
  for (std::int64_t c = 0; c < world::classes; ++c) {
    double sum = 0.0, count = 0.0;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (split.label[i] == c) {
        sum += values[i];
        count += 1.0;
      }
    for (std::size_t i = 0; i < values.size(); ++i)
      if (split.label[i] == c) values[i] -= sum / count;
  }
  return values;
}

double product(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double mean_where(const std::vector<double>& values, const fl::Population& split, bool failed, std::int64_t label) {
  double sum = 0.0, count = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i)
    if ((split.failed[i] != 0) == failed && (label < 0 || split.label[i] == label)) {
      sum += values[i];
      count += 1.0;
    }
  return sum / count;
}

/// Stratified difference over all classes, or one.
double stratified(const std::vector<double>& values, const fl::Population& split, std::int64_t only) {
  double sum = 0.0, weights = 0.0;
  for (std::int64_t c = 0; c < world::classes; ++c) {
    if (only >= 0 && c != only) continue;
    double m = 0.0, n = 0.0;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (split.label[i] == c) (split.failed[i] != 0 ? m : n) += 1.0;
    sum += m * n / (m + n) * (mean_where(values, split, true, c) - mean_where(values, split, false, c));
    weights += m * n / (m + n);
  }
  return sum / weights;
}

}  // namespace

TEST_CASE("carriers are the channels that correlate most within classes") {
  const world::Setup setup = world::build(slope());
  std::vector<fl::Finding> findings = {setup.along(0), setup.along(1, -1.0), setup.along(2)};
  findings[2].direction.class_label = 1;
  fl::analysis::attach_carriers(setup.context(), findings);
  for (const fl::Finding& finding : findings) {
    const fl::Population& chosen = setup.problem.discovery;
    const fl::Matrix<double> whitened = fl::statistics::whiten(setup.whitening, chosen.w, chosen.label);
    std::vector<double> along(static_cast<std::size_t>(chosen.size()), 0.0);
    for (std::int64_t i = 0; i < chosen.size(); ++i)
      for (std::size_t j = 0; j < finding.direction.whitened.size(); ++j)
        along[static_cast<std::size_t>(i)] += finding.direction.whitened[j] * whitened(i, static_cast<std::int64_t>(j));
    std::vector<double> correlation;
    for (std::int64_t k = 0; k < world::channels; ++k) {
      const auto s = within(style(setup.problem, chosen, k), chosen);
      const double spread = std::sqrt(product(s, s) * product(along, along));
      // The last channel is constant
      correlation.push_back(k == world::channels - 1 ? 0.0 : product(s, along) / spread);
    }
    std::vector<std::int64_t> order(world::channels);
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](auto a, auto b) {
      return std::abs(correlation[static_cast<std::size_t>(a)]) > std::abs(correlation[static_cast<std::size_t>(b)]);
    });

    REQUIRE(finding.carriers.size() == 10);
    CHECK(finding.channel == finding.carriers[0].channel);
    CHECK(finding.sign == finding.carriers[0].sign);
    for (std::size_t c = 0; c < 10; ++c) {
      const fl::analysis::Carrier& carrier = finding.carriers[c];
      const std::int64_t k = carrier.channel.flat;
      INFO(finding.direction.name << " carrier " << c << " channel " << k);
      CHECK(k == order[c]);
      CHECK(carrier.channel == setup.problem.layout.locate(k));
      CHECK(carrier.layer_name == setup.problem.layout.layers()[static_cast<std::size_t>(carrier.channel.layer)].name);
      CHECK(carrier.correlation == Approx(correlation[static_cast<std::size_t>(k)]).epsilon(1e-6));
      CHECK(carrier.sign == (carrier.correlation < 0 ? -1 : 1));
      const auto residual = within(style(setup.problem, chosen, k), chosen);
      const double sigma = std::sqrt(product(residual, residual) / static_cast<double>(chosen.size() - world::classes));
      CHECK(carrier.sigma == Approx(sigma).epsilon(1e-6));

      const fl::Population& fresh = setup.problem.confirmation;
      const auto s = style(setup.problem, fresh, k);
      double mean = 0.0, squares = 0.0;
      for (const double value : s) mean += value / static_cast<double>(s.size());
      for (const double value : s) squares += (value - mean) * (value - mean);
      CHECK(carrier.effect ==
            Approx(stratified(s, fresh, finding.direction.class_label.value_or(-1)) / sigma).epsilon(1e-6));
      CHECK(carrier.paper_effect == Approx((mean_where(s, fresh, true, -1) - mean_where(s, fresh, false, -1)) /
                                           std::sqrt(squares / static_cast<double>(s.size() - 1)))
                                        .epsilon(1e-6));
    }
  }
  CHECK(findings[0].channel.flat == 0);
  CHECK(findings[0].sign == 1);
  CHECK(findings[1].channel.flat == 1);
  CHECK(findings[1].sign == 1);  // channel 1 has a negative scale, the direction a negative sign
  CHECK(std::abs(findings[0].carriers[0].correlation) > 0.99);
}

TEST_CASE("a condition without a direction has no carriers, beside one that has") {
  const world::Setup setup = world::build(slope());
  std::vector<fl::Finding> findings = {fl::Finding(), setup.along(0)};
  fl::analysis::attach_carriers(setup.context(), findings);
  CHECK(findings[0].carriers.empty());
  CHECK(findings[1].carriers.size() == 10);
  CHECK(findings[1].channel.flat == 0);
}

TEST_CASE("a layout with fewer than ten channels lists them all") {
  world::Setup setup = world::build(slope());
  setup.problem.layout = fl::StyleLayout({{"b4.conv1", 6}});
  fl::Matrix<double> few(6, world::w_dim);
  std::copy_n(setup.problem.style_matrix.values().begin(), few.values().size(), few.values().begin());
  setup.problem.style_matrix = few;
  setup.problem.style_bias.resize(6);
  fl::Finding finding = setup.along(4);
  fl::analysis::attach_carriers(setup.context(), finding);
  CHECK(finding.carriers.size() == 6);
  CHECK(finding.channel.flat == 4);
}

TEST_CASE("attach_carriers refuses a direction of another size") {
  const world::Setup setup = world::build(slope());
  fl::Finding finding = setup.along(0);
  finding.direction.whitened.push_back(0.0);
  try {
    fl::analysis::attach_carriers(setup.context(), finding);
    FAIL("nothing was thrown");
  } catch (const fl::Error& error) {
    CHECK(error.code() == fl::ErrorCode::shape_mismatch);
  }
}
