// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The omnibus test by itself: against a discriminant written out, its error rate where nothing is there, power and
// interval where something is.

#include <support/catch2.hpp>

#include <faultline/analysis/confirm/omnibus.hpp>
#include <faultline/core/random.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

namespace {

namespace fl = faultline;

/// Both halves of a problem with their coordinates.
struct Halves {
  fl::Problem problem;
  fl::Matrix<double> x, fresh;

  /// Failures have the mean `shift` in coordinate 0; class 1 lies elsewhere and fails more often, which within classes
  /// tells nothing.
  Halves(std::int64_t samples, std::int64_t columns, std::int64_t classes, std::int64_t run, double shift)
      : x(samples, columns), fresh(samples, columns) {
    problem.classes = classes;
    std::int64_t stream = 0;
    for (auto* half : {&problem.discovery, &problem.confirmation}) {
      fl::Matrix<double>& values = half == &problem.discovery ? x : fresh;
      for (std::int64_t i = 0; i < samples; ++i) {
        fl::core::CounterRandom random(run, fl::core::Stream::latents, stream++);
        const std::int64_t label = i % classes;
        const bool failed = random.uniform() < (label == 0 ? 0.25 : 0.5);
        for (double& value : values.row_span(i)) value = random.normal() + 2.0 * static_cast<double>(label);
        if (failed) values(i, 0) += shift;
        half->index.push_back(i);
        half->label.push_back(label);
        half->failed.push_back(failed ? 1 : 0);
      }
    }
  }
  [[nodiscard]] fl::analysis::Omnibus tested(double alpha = 0.05) const {
    const auto strata = [&](const fl::Population& half) {
      return fl::statistics::count_outcomes(half.label, half.failed, problem.classes);
    };
    return fl::analysis::test_omnibus(problem, x, strata(problem.discovery), fresh, strata(problem.confirmation),
                                      alpha);
  }
};

/// Share of pairs of a failure and a success in which `scores` ranks the failure higher, ties half.
double pairs_in_order(const std::vector<double>& scores, const std::vector<std::uint8_t>& failed) {
  double right = 0.0, all = 0.0;
  for (std::size_t i = 0; i < scores.size(); ++i)
    for (std::size_t j = 0; j < scores.size(); ++j) {
      if (failed[i] == 0 || failed[j] != 0) continue;
      all += 1.0;
      right += scores[i] > scores[j] ? 1.0 : scores[i] == scores[j] ? 0.5 : 0.0;
    }
  return right / all;
}

}  // namespace

TEST_CASE("the omnibus AUC is that of a ridge discriminant written out", "[analysis][omnibus]") {
  const Halves halves(60, 2, 1, 4, 0.7);
  const auto& failed = halves.problem.discovery.failed;
  double count[2] = {0.0, 0.0}, mean[2][2] = {}, cov[2][2] = {};
  for (std::int64_t i = 0; i < 60; ++i) {
    const auto g = failed[static_cast<std::size_t>(i)];
    count[g] += 1.0;
    for (int j = 0; j < 2; ++j) mean[g][j] += halves.x(i, j);
  }
  for (int g = 0; g < 2; ++g)
    for (int j = 0; j < 2; ++j) mean[g][j] /= count[g];
  for (std::int64_t i = 0; i < 60; ++i)
    for (int j = 0; j < 2; ++j)
      for (int k = 0; k < 2; ++k) {
        const auto g = failed[static_cast<std::size_t>(i)];
        cov[j][k] += (halves.x(i, j) - mean[g][j]) * (halves.x(i, k) - mean[g][k]) / 58.0;
      }
  const double effective = count[0] * count[1] / 60.0;
  for (int j = 0; j < 2; ++j) cov[j][j] += 2.0 / effective;
  const double d[2] = {mean[1][0] - mean[0][0], mean[1][1] - mean[0][1]},
               determinant = cov[0][0] * cov[1][1] - cov[0][1] * cov[1][0];
  const double rule[2] = {(cov[1][1] * d[0] - cov[0][1] * d[1]) / determinant,
                          (cov[0][0] * d[1] - cov[1][0] * d[0]) / determinant};
  std::vector<double> scores;
  for (std::int64_t i = 0; i < 60; ++i) scores.push_back(rule[0] * halves.fresh(i, 0) + rule[1] * halves.fresh(i, 1));
  const fl::analysis::Omnibus said = halves.tested();
  CHECK(said.auc == Approx(pairs_in_order(scores, halves.problem.confirmation.failed)).epsilon(1e-12));
  CHECK(said.lower < said.auc);
  CHECK(said.auc < said.upper);
  CHECK(halves.tested(said.p).significant);  // p <= alpha
  CHECK_FALSE(halves.tested(0.999 * said.p).significant);
}

TEST_CASE("the omnibus test raises alarms at its rate where failures are chance", "[analysis][omnibus][null]") {
  // 400 runs at .05: 40 or more alarms have a probability of 2e-5, 4 or fewer (a test that cannot reject) of 2e-6. The
  // classes differ, and must not matter.
  int alarms = 0;
  for (std::int64_t run = 0; run < 400; ++run) alarms += Halves(200, 3, 2, 100 + run, 0.0).tested().significant ? 1 : 0;
  CAPTURE(alarms);
  CHECK(alarms < 40);
  CHECK(alarms > 4);
}

TEST_CASE("the omnibus test sees a planted shift, and its interval covers the true AUC", "[analysis][omnibus]") {
  // One coordinate, so that the rule is known: failures shifted by one standard deviation rank above successes with
  // probability normal(1 / sqrt(2)) = .7602. 300 intervals at .95: fewer than 270 cover with a probability of 3e-4 when
  // they hold their level.
  int seen = 0, covered = 0;
  for (std::int64_t run = 0; run < 300; ++run) {
    const fl::analysis::Omnibus said = Halves(300, 1, 2, 9000 + run, 1.0).tested();
    seen += said.significant ? 1 : 0;
    covered += said.lower <= 0.7602499 && 0.7602499 <= said.upper ? 1 : 0;
  }
  CHECK(seen >= 298);
  CHECK(covered >= 270);
}
