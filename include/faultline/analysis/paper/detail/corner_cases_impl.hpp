// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/paper/corner_cases.hpp.

#include <faultline/analysis/paper/corner_cases.hpp>

#include <faultline/analysis/distance/boundary_search.hpp>
#include <faultline/analysis/problem/start_latents.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace paper {

FAULTLINE_INLINE void check_corner_case_options(const CornerCaseOptions& options) {
  constexpr const char* where = "CornerCaseOptions";
  core::require_in(where, "cases", options.cases, 0,
                   limits::directions);  // per class; random numbers have room for 2^20
  core::require_in(where, "pool", options.pool, 1, limits::latents);
  core::require_in(where, "channels", options.channels, 1, limits::latents);
  core::require_in(where, "step", options.step, 1e-6, 1e6);
  core::require_in(where, "reach", options.reach, options.step, 1e4 * options.step);
}

FAULTLINE_INLINE bool operator==(const CornerCase& a, const CornerCase& b) {
  const auto pixels = [](const ImageBatch& images) {
    return std::span(images.data(), static_cast<std::size_t>(images.count() * images.shape().elements()));
  };
  return core::same_members(a, b) && a.images.shape() == b.images.shape() &&
         std::ranges::equal(pixels(a.images), pixels(b.images));
}

FAULTLINE_INLINE std::vector<CornerCase> corner_cases(const Problem& problem, std::span<const ChannelShift> pool,
                                                      const CornerCaseOptions& options,
                                                      const ProgressCallback& progress) {
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
      core::CounterRandom random(problem.seed, core::Stream::start_latents,
                                 core::pilot_first + (centre.label << 20) + i);
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
      problem, edits, {.images = true}, [&](std::size_t first, const analysis::EditAnswers& answers) {
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
