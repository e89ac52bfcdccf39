// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What every classifier loses of its failures when the same latents are set to the usual level of each classifier's
// causes.

#include <faultline/analysis/compare/comparison_report.hpp>
#include <faultline/analysis/compare/detail/own_causes.hpp>
#include <faultline/analysis/compare/detail/questions.hpp>
#include <faultline/core/random.hpp>
#include <faultline/statistics/attributable_fraction.hpp>
#include <faultline/statistics/mcnemar.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// Paired attributable fractions of the causes of all classifiers.
///
/// **Formula**: as `attribute_failures`, each cause by itself with its owner's other conditions held, at the level that
/// is usual among its owner's successes; failures are those on valid images. Differences of two classifiers at
/// confidence 1 − α / (number of differences), so that all intervals hold together.
/// **Randomness**: the latents of the classifiers' own fractions. **Cost**: one image per latent and cause, for all
/// classifiers.
[[nodiscard]] inline std::vector<PairedFraction> measure_paired_fractions(const ComparisonProblem& comparison,
                                                                          SharedSamples& samples,
                                                                          const statistics::Whitening& whitening,
                                                                          std::span<const OwnCauses> causes,
                                                                          const MethodOptions& options) {
  std::vector<PairedFraction> result;
  std::vector<Matrix<double>> duals;
  std::vector<const CauseSettings*> settings;
  for (std::size_t c = 0; c < causes.size(); ++c)
    for (std::size_t k = 0; k < causes[c].findings.size(); ++k) {
      PairedFraction& fraction = result.emplace_back();
      fraction.title = causes[c].findings[k].title;
      fraction.source = comparison.names[c];
      settings.push_back(&*causes[c].settings);
      duals.push_back(settings.back()->together(std::span(&causes[c].position[k], 1)));
    }
  if (result.empty() || options.fraction_latents == 0) return {};

  using Outcomes = std::vector<std::vector<std::uint8_t>>;  // [classifier][latent]
  Outcomes before(comparison.size());
  std::vector<Outcomes> after(result.size(), before);
  const std::int64_t chunk = 4 * options.batch_size;  // as `attribute_failures` draws them
  for (std::int64_t done = 0; done < options.fraction_latents; done += chunk) {
    report_progress(options.progress, "fractions side by side", done, options.fraction_latents);
    const std::vector<Population>& drawn =
        samples(core::fraction_first + done, std::min(chunk, options.fraction_latents - done));
    const Population& common = drawn.front();
    const Matrix<double> whitened = statistics::whiten(whitening, common.w, common.label);
    for (std::size_t c = 0; c < drawn.size(); ++c)
      for (std::size_t i = 0; i < drawn[c].failed.size(); ++i)
        before[c].push_back(drawn[c].failed[i] != 0 && drawn[c].is_valid(i) ? 1 : 0);
    std::vector<EditedLatent> edits;
    for (std::size_t k = 0; k < result.size(); ++k)
      for (std::int64_t i = 0; i < common.size(); ++i) {
        const StartLatent start{common.w.row_span(i), common.label[static_cast<std::size_t>(i)]};
        edits.push_back({start, settings[k]->set(duals[k], whitened.row_span(i), start.label)});
      }
    answer_in_blocks(comparison.common, edits, {.judge = comparison.common.has_judge},
                     [&](std::size_t first, const EditAnswers& answers) {
                       for (std::size_t i = 0; i < answers.first().failed.size(); ++i) {
                         const bool valid = answers.judge_agrees.empty() || answers.judge_agrees[i] != 0;
                         Outcomes& own = after[(first + i) / static_cast<std::size_t>(common.size())];
                         for (std::size_t c = 0; c < own.size(); ++c)
                           own[c].push_back(valid && answers.classifiers[c].failed[i] != 0 ? 1 : 0);
                       }
                     });
  }
  report_progress(options.progress, "fractions side by side", options.fraction_latents, options.fraction_latents);

  const std::size_t pairs = comparison.size() * (comparison.size() - 1) / 2;
  const double confidence = 1.0 - 0.05 / static_cast<double>(pairs * result.size());
  for (std::size_t k = 0; k < result.size(); ++k) {
    for (std::size_t c = 0; c < comparison.size(); ++c) {
      Attributable& own = result[k].fractions.emplace_back();
      const statistics::PairedCounts counts = statistics::count_pairs(before[c], after[k][c]);
      own.latents = counts.total();
      own.failures = counts.both_fail + counts.only_first_fails;
      const auto fraction = statistics::attributable_fraction(counts);
      if (!fraction) continue;
      own.fraction = fraction->value;
      own.lower = fraction->interval.lower;
      own.upper = fraction->interval.upper;
    }
    for (std::size_t a = 0; a < comparison.size(); ++a)
      for (std::size_t b = a + 1; b < comparison.size(); ++b) {
        FractionDifference& pair = result[k].differences.emplace_back();
        pair.first = static_cast<std::int64_t>(a);
        pair.second = static_cast<std::int64_t>(b);
        const auto difference =
            statistics::attributable_difference(before[a], after[k][a], before[b], after[k][b], confidence);
        if (difference)
          pair.difference = Share{difference->value, difference->interval.lower, difference->interval.upper};
      }
  }
  return result;
}

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
