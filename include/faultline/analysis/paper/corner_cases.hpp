// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The paper's corner cases (method section 7a): ten channels drawn from the hundred most influential, shifted together
// from the centre of a class until the classifier fails.

#include <faultline/analysis/distance/boundary_search.hpp>
#include <faultline/analysis/problem/start_latents.hpp>
#include <faultline/core/describe.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/progress.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace paper {

struct CornerCaseOptions {
  std::int64_t cases = 3;      ///< per class; 0 leaves corner cases out
  std::int64_t pool = 100;     ///< channels to draw from: so many of the ranking
  std::int64_t channels = 10;  ///< channels shifted together
  double step = 0.5;           ///< standard deviations of each channel
  double reach = 20.0;         ///< given up past this
};

inline void check_corner_case_options(const CornerCaseOptions& options) {
  constexpr const char* where = "CornerCaseOptions";
  core::require_in(where, "cases", options.cases, 0,
                   limits::directions);  // per class; random numbers have room for 2^20
  core::require_in(where, "pool", options.pool, 1, limits::latents);
  core::require_in(where, "channels", options.channels, 1, limits::latents);
  core::require_in(where, "step", options.step, 1e-6, 1e6);
  core::require_in(where, "reach", options.reach, options.step, 1e4 * options.step);
}

/// Channels of one class centre shifted together until failure.
struct CornerCase {
  std::int64_t class_label = 0;
  std::vector<std::int64_t> channels;  ///< flat style indices, most influential first
  std::vector<int> signs;              ///< [channels] direction of failure
  /// The first step that fails, in standard deviations of each channel; the last one tried where none does. 0: the
  /// centre itself fails
  double sigmas = 0.0;
  /// The image at `sigmas` fails, in the search, again in another batch, and alone
  bool failed = false;
  double probability = 0.0;     ///< p(y) at `sigmas`
  std::int64_t prediction = 0;  ///< what the classifier sees at `sigmas`
  ImageBatch images;            ///< [2, C, H, W] in [0, 1]: the centre, and the image at `sigmas`
};
FAULTLINE_SOME_MEMBERS(CornerCase, class_label, channels, signs, sigmas, failed, probability, prediction)

/// Equal in what JSON has of them, and pixel by pixel.
[[nodiscard]] inline bool operator==(const CornerCase& a, const CornerCase& b) {
  const auto pixels = [](const ImageBatch& images) {
    return std::span(images.data(), static_cast<std::size_t>(images.count() * images.shape().elements()));
  };
  return core::same_members(a, b) && a.images.shape() == b.images.shape() &&
         std::ranges::equal(pixels(a.images), pixels(b.images));
}

/// A channel that may be shifted: flat style index and the shift of one standard deviation towards failure, in style
/// units.
struct ChannelShift {
  std::int64_t channel = 0;
  double unit = 0.0;  ///< its sign is the direction of failure
};

/// Corner cases of every class that has a success centre, class by class; classes without successes have none.
///
/// **Formula**: from w the mean of the class's successes (discovery half), s_k + t · unit_k for the drawn channels, t =
/// 0, step, 2 step, ..., until the outcome is a failure.
/// **Shapes**: `pool` in order of influence; channels are drawn from its first `options.pool`.
/// **Checks**: every failing image is classified again, in a batch and alone; one that does not fail again is not
/// called failed.
/// **Randomness**: case i of class c draws from (seed, Stream::codes, 2^42 + c · 2^20 + i). **Throws**
/// `invalid_argument` for options out of range.
/// **Cost**: up to reach / step images per case, eight at a time for all cases together, and three to check.
/// Example: `auto cases = corner_cases(problem, pool); cases[0].failed;`
[[nodiscard]] inline std::vector<CornerCase> corner_cases(const Problem& problem, std::span<const ChannelShift> pool,
                                                          const CornerCaseOptions& options = {},
                                                          const ProgressCallback& progress = nullptr) {
  check_corner_case_options(options);
  pool = pool.first(std::min(pool.size(), static_cast<std::size_t>(options.pool)));
  std::vector<CornerCase> cases;
  if (pool.empty()) return cases;

  const auto centres = analysis::success_centres(problem);
  std::vector<std::int64_t> channels;  // one array for all cases, so that they share requests
  for (const ChannelShift& shift : pool) channels.push_back(shift.channel);
  std::vector<std::vector<double>> units;
  for (const auto& centre : centres) {
    for (std::int64_t i = 0; i < options.cases; ++i) {
      core::CounterRandom random(problem.seed, core::Stream::codes, core::pilot_first + (centre.label << 20) + i);
      std::vector<std::size_t> order(pool.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      core::shuffle(std::span(order), random);
      order.resize(std::min(order.size(), static_cast<std::size_t>(options.channels)));
      std::sort(order.begin(), order.end());
      CornerCase& one = cases.emplace_back();
      one.class_label = centre.label;
      auto& own = units.emplace_back(pool.size(), 0.0);
      for (const std::size_t k : order) {
        one.channels.push_back(pool[k].channel);
        one.signs.push_back(pool[k].unit < 0.0 ? -1 : 1);
        own[k] = pool[k].unit;
      }
    }
  }
  const auto steps = static_cast<std::int64_t>(std::floor(options.reach / options.step + 1e-9));
  constexpr std::int64_t stride = 8;
  analysis::SearchRules rules;
  for (std::int64_t t = 0; t <= steps; ++t) {
    if (t % stride == 0) rules.grid.emplace_back();
    rules.grid.back().push_back(options.step * static_cast<double>(t));
  }
  std::vector<analysis::BoundarySearch> searches;
  for (std::size_t c = 0; c < cases.size(); ++c) {
    const auto& centre = centres[c / static_cast<std::size_t>(options.cases)];
    const analysis::EditPath path{{centre.w, centre.label}, Edit::of_channels(channels, units[c])};
    searches.push_back({path, {{analysis::until_failure}}, {1.0}});
  }
  std::int64_t asked = 0;
  report_progress(progress, "corner cases", 0, steps);
  analysis::search_boundaries(problem.answer_edits, analysis::pointers_to(searches), rules, [&] {
    report_progress(progress, "corner cases", std::min(asked += stride, steps), steps);
  });
  report_progress(progress, "corner cases", steps, steps);
  for (std::size_t c = 0; c < cases.size(); ++c) {
    const analysis::CrossingSearch& found = searches[c].found[0];
    cases[c].failed = found.crossed();
    cases[c].sigmas = found.crossed() ? found.far_end() : options.step * static_cast<double>(steps);
  }

  std::vector<analysis::EditedLatent> edits;
  for (std::size_t c = 0; c < cases.size(); ++c) {
    edits.push_back(searches[c].path.at(0.0));
    edits.push_back(searches[c].path.at(cases[c].sigmas));
  }
  analysis::answer_in_blocks(
      problem.answer_edits, edits, {.images = true}, [&](std::size_t first, const analysis::EditAnswers& answers) {
        const analysis::ClassifierAnswers& said = answers.first();
        for (std::size_t k = 0; k < said.failed.size(); ++k) {
          CornerCase& one = cases[(first + k) / 2];
          if (one.images.count() == 0) one.images = ImageBatch(2, answers.images.shape());
          const auto image = answers.images.image(static_cast<std::int64_t>(k));
          std::copy(image.begin(), image.end(), one.images.image(static_cast<std::int64_t>(k % 2)).begin());
          if (k % 2 == 0) continue;
          one.failed = one.failed && said.failed[k] != 0;
          one.probability = static_cast<double>(said.probability[k]);
          one.prediction = said.prediction[k];
        }
      });
  std::vector<analysis::EditedLatent> again;
  std::vector<std::size_t> failing;
  for (std::size_t c = 0; c < cases.size(); ++c) {
    if (!cases[c].failed) continue;
    again.push_back(edits[2 * c + 1]);
    failing.push_back(c);
  }
  if (again.empty()) return cases;
  const analysis::EditAnswers alone = problem.answer_edits(again, {.alone = true});
  for (std::size_t k = 0; k < failing.size(); ++k) cases[failing[k]].failed = alone.first().failed[k] != 0;
  return cases;
}

}  // namespace paper
}  // namespace v1
}  // namespace faultline
