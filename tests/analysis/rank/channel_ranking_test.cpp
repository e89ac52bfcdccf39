// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <analysis/synthetic_problem.hpp>

#include <support/catch2.hpp>

#include <faultline/analysis/rank/channel_ranking.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace fl = faultline;

namespace {

/// Failures go with a large factor 0, and more so in class 1, which sits elsewhere.
synthetic::World world() {
  synthetic::World w;
  w.probability = [](const std::vector<double>& u, std::int64_t label, std::int64_t) {
    return synthetic::fails_above(u[0] - (label == 1 ? 0.3 : 1.0));
  };
  return w;
}

std::vector<double> styles_of(const fl::Problem& problem, const fl::Population& split, std::int64_t channel) {
  std::vector<double> s;
  for (std::int64_t i = 0; i < split.size(); ++i) {
    double sum = problem.style_bias[static_cast<std::size_t>(channel)];
    for (std::int64_t j = 0; j < split.w.cols(); ++j)
      sum += problem.style_matrix(channel, j) * static_cast<double>(split.w(i, j));
    s.push_back(sum);
  }
  return s;
}

double mean_of(const std::vector<double>& s, const fl::Population& split, std::int64_t label, int failed) {
  double sum = 0.0;
  double n = 0.0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if ((label < 0 || split.label[i] == label) && (failed < 0 || split.failed[i] == failed)) sum += s[i], n += 1.0;
  }
  return sum / n;
}

}  // namespace

TEST_CASE("channel scores equal brute-force loops over styles", "[analysis][rank]") {
  const auto setup = synthetic::make(world(), 900);
  const fl::Problem& problem = setup.problem;
  const fl::Population& split = problem.discovery;
  const auto strata = fl::statistics::count_outcomes(split.label, split.failed, problem.classes);
  const auto pooled =
      fl::analysis::channel_scores(problem, split, fl::analysis::ChannelScore::NormalizedDifferencePooled);
  const auto stratified =
      fl::analysis::channel_scores(problem, split, fl::analysis::ChannelScore::NormalizedDifference);
  const auto theta = fl::analysis::channel_scores(problem, split, fl::analysis::ChannelScore::StyleSpaceTheta);
  const auto auc = fl::analysis::channel_scores(problem, split, fl::analysis::ChannelScore::RankAuc);
  REQUIRE(pooled.size() == 40);
  for (std::int64_t k = 0; k < 40; ++k) {
    const auto s = styles_of(problem, split, k);
    const auto at = static_cast<std::size_t>(k);
    const double n = static_cast<double>(s.size());
    double total = 0.0;
    double within = 0.0;
    double failures = 0.0;
    for (std::size_t i = 0; i < s.size(); ++i) {
      total += std::pow(s[i] - mean_of(s, split, -1, -1), 2);
      within += std::pow(s[i] - mean_of(s, split, split.label[i], -1), 2);
      if (split.failed[i]) failures += std::pow(s[i] - mean_of(s, split, -1, 1), 2);
      if (i > 50 && k > 1) break;  // the quadratic loop is done in full for two channels only
    }
    const double difference = mean_of(s, split, -1, 1) - mean_of(s, split, -1, 0);
    double numerator = 0.0;
    for (std::int64_t c = 0; c < 3; ++c)
      numerator += strata.weights[static_cast<std::size_t>(c)] * (mean_of(s, split, c, 1) - mean_of(s, split, c, 0));
    numerator /= strata.effective_failures;
    if (k <= 1) {
      CHECK(pooled[at] == Approx(difference / std::sqrt(total / (n - 1.0))).epsilon(1e-9));
      CHECK(stratified[at] == Approx(numerator / std::sqrt(within / (n - 3.0))).epsilon(1e-9));
      CHECK(theta[at] ==
            Approx(difference / std::sqrt(failures / (static_cast<double>(split.failures()) - 1.0))).epsilon(1e-9));
    }
    CHECK((stratified[at] > 0) == (numerator > 0));
    // Area under the curve by pairs, within classes.
    double area = 0.0;
    for (std::int64_t c = 0; c < 3 && k < 4; ++c) {
      double wins = 0.0;
      double pairs = 0.0;
      for (std::size_t i = 0; i < s.size(); ++i) {
        for (std::size_t j = 0; j < s.size() && split.failed[i] && split.label[i] == c; ++j) {
          if (split.failed[j] || split.label[j] != c) continue;
          wins += s[i] > s[j] ? 1.0 : s[i] == s[j] ? 0.5 : 0.0;
          pairs += 1.0;
        }
      }
      area += strata.weights[static_cast<std::size_t>(c)] / strata.effective_failures * wins / pairs;
    }
    if (k < 4) CHECK(auc[at] == Approx(area).epsilon(1e-9));
  }
}

TEST_CASE("the planted channel is first within classes, and the paper's table carries every column",
          "[analysis][rank]") {
  auto setup = synthetic::make(world(), 3000);
  setup.problem.gradient_sum = [&](const fl::Matrix<float>& w, std::span<const std::int64_t>) {
    return std::vector<double>(static_cast<std::size_t>(setup.problem.style_matrix.rows()),
                               -0.25 * static_cast<double>(w.rows()));
  };
  for (const auto score : {fl::analysis::ChannelScore::NormalizedDifference, fl::analysis::ChannelScore::RankAuc,
                           fl::analysis::ChannelScore::KolmogorovSmirnov, fl::analysis::ChannelScore::Wasserstein}) {
    CHECK(fl::analysis::top_channels(fl::analysis::channel_scores(setup.problem, setup.problem.discovery, score), score,
                                     3)
              .front() == 0);
  }
  const auto table = fl::analysis::paper_table(setup.problem, setup.problem.discovery);
  REQUIRE(table.size() == 10);
  for (std::size_t r = 0; r < table.size(); ++r) {
    const auto& row = table[r];
    CHECK(row.layer_name == setup.problem.layout.layers()[static_cast<std::size_t>(row.channel.layer)].name);
    CHECK((row.sign > 0) == (row.normalized_difference > 0));
    CHECK(row.gradient == Approx(0.25 * row.sigma_total));
    CHECK(row.sigma_within < row.sigma_total);
    CHECK((row.auc > 0.5) == (row.stratified > 0));
    if (r > 0) CHECK(std::abs(row.normalized_difference) <= std::abs(table[r - 1].normalized_difference));
  }
  const auto gradient =
      fl::analysis::channel_scores(setup.problem, setup.problem.discovery, fl::analysis::ChannelScore::Gradient);
  CHECK(gradient[5] > 0.0);
}

TEST_CASE("two-sided failure shows in distances and not in means", "[analysis][rank]") {
  synthetic::World w;
  w.probability = [](const std::vector<double>& u, std::int64_t, std::int64_t) {
    return synthetic::fails_above(std::abs(u[2]) - 1.6);
  };
  const auto setup = synthetic::make(w, 4000);
  const auto mean = fl::analysis::channel_scores(setup.problem, setup.problem.discovery,
                                                 fl::analysis::ChannelScore::NormalizedDifference);
  const auto distance = fl::analysis::channel_scores(setup.problem, setup.problem.discovery,
                                                     fl::analysis::ChannelScore::KolmogorovSmirnov);
  CHECK(std::abs(mean[2]) < 0.2);
  CHECK(distance[2] > 0.4);
  CHECK(fl::analysis::top_channels(distance, fl::analysis::ChannelScore::KolmogorovSmirnov, 1).front() == 2);
}

TEST_CASE("a channel that cannot vary scores nothing, and a missing gradient is said", "[analysis][rank]") {
  auto setup = synthetic::make(world(), 500);
  for (std::int64_t j = 0; j < setup.problem.style_matrix.cols(); ++j) setup.problem.style_matrix(7, j) = 0.0;
  CHECK(fl::analysis::channel_scores(setup.problem, setup.problem.discovery,
                                     fl::analysis::ChannelScore::NormalizedDifferencePooled)[7] == 0.0);
  CHECK(fl::analysis::channel_scores(setup.problem, setup.problem.discovery, fl::analysis::ChannelScore::RankAuc)[7] ==
        0.5);
  CHECK_THROWS_AS(
      fl::analysis::channel_scores(setup.problem, setup.problem.discovery, fl::analysis::ChannelScore::Gradient),
      fl::Error);
}
