// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/paper/attfind.hpp.

#include <faultline/analysis/paper/attfind.hpp>

#include <faultline/analysis/problem/held_out_latents.hpp>
#include <faultline/analysis/rank/channel_ranking.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace paper {

FAULTLINE_INLINE void check_attfind_options(const AttFindOptions& options) {
  constexpr const char* where = "AttFindOptions";
  core::require_in(where, "images", options.images, 0, limits::latents);
  core::require_in(where, "ranked_channels", options.ranked_channels, 0, limits::latents);
  core::require_in(where, "spread_channels", options.spread_channels, 0, limits::latents);
  core::require_in(where, "most", options.most, 0, limits::latents);
}

FAULTLINE_INLINE std::vector<std::int64_t> attfind_channels(const Problem& problem, const AttFindOptions& options) {
  check_attfind_options(options);
  const auto scores =
      analysis::channel_scores(problem, problem.discovery, analysis::ChannelScore::NormalizedDifferencePooled);
  std::vector<std::int64_t> ranked =
      analysis::top_channels(scores, analysis::ChannelScore::NormalizedDifferencePooled, problem.layout.dimension());
  std::erase_if(ranked, [&](std::int64_t flat) {
    return problem.layout.layers()[static_cast<std::size_t>(problem.layout.locate(flat).layer)].name.find("torgb") !=
           std::string::npos;
  });
  const auto first = static_cast<std::ptrdiff_t>(
      std::min<std::int64_t>(options.ranked_channels, static_cast<std::int64_t>(ranked.size())));
  std::vector<std::int64_t> rest(ranked.begin() + first, ranked.end());
  std::sort(rest.begin(), rest.end());
  std::vector<std::int64_t> chosen(ranked.begin(), ranked.begin() + first);
  const std::size_t spread = std::min(rest.size(), static_cast<std::size_t>(options.spread_channels));
  for (std::size_t i = 0; i < spread; ++i) chosen.push_back(rest[i * rest.size() / spread]);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

FAULTLINE_INLINE void greedy_cover(const Problem& problem, std::int64_t most,
                                   const std::vector<std::array<std::vector<double>, 2>>& loss,
                                   const std::vector<std::array<std::vector<bool>, 2>>& flipped,
                                   AttFindResult& result) {
  std::vector<std::size_t> left(static_cast<std::size_t>(result.images));
  for (std::size_t i = 0; i < left.size(); ++i) left[i] = i;
  std::vector<bool> used(loss.size(), false);
  while (static_cast<std::int64_t>(result.cover.size()) < most && !left.empty()) {
    double best = -std::numeric_limits<double>::infinity();
    std::size_t channel = 0, side = 0;
    for (std::size_t k = 0; k < loss.size(); ++k) {
      for (std::size_t to = 0; to < 2 && !used[k]; ++to) {
        double sum = 0.0;
        bool any = false;
        for (const std::size_t i : left) sum += loss[k][to][i], any = any || flipped[k][to][i];
        if (any && sum > best) best = sum, channel = k, side = to;
      }
    }
    if (!(best > -std::numeric_limits<double>::infinity())) break;  // nothing flips what is left
    used[channel] = true;
    AttFindPick pick;
    pick.channel = problem.layout.locate(result.channels[channel]);
    pick.layer_name = problem.layout.layers()[static_cast<std::size_t>(pick.channel.layer)].name;
    pick.sign = side == 0 ? -1 : 1;
    pick.effect = best / static_cast<double>(left.size());
    pick.explained =
        static_cast<std::int64_t>(std::erase_if(left, [&](std::size_t i) { return flipped[channel][side][i]; }));
    result.cover.push_back(std::move(pick));
  }
  result.unexplained = static_cast<std::int64_t>(left.size());
}

FAULTLINE_INLINE AttFindResult attfind(const Problem& problem, std::vector<std::int64_t> channels,
                                       const AttFindOptions& options, std::int64_t batch_size,
                                       const ProgressCallback& progress) {
  std::sort(channels.begin(), channels.end());
  if (std::adjacent_find(channels.begin(), channels.end()) != channels.end())
    throw Error(ErrorCode::invalid_argument, "attfind", "a channel is named twice");
  for (const std::int64_t channel : channels) (void)problem.layout.locate(channel);
  AttFindResult result;
  result.channels = std::move(channels);
  analysis::HeldOutLatents held_out(problem, batch_size);
  const auto positions = held_out.passing(options.images, std::nullopt, 64 * std::max<std::int64_t>(1, options.images));
  result.images = static_cast<std::int64_t>(positions.size());
  if (positions.empty()) return result;
  const auto total = attfind_images(result.images, static_cast<std::int64_t>(result.channels.size()));
  report_progress(progress, "AttFind", 0, total);

  std::vector<analysis::EditedLatent> starts;
  for (const std::int64_t i : positions)
    starts.push_back({{held_out.latents().w.row_span(i), held_out.latents().label[static_cast<std::size_t>(i)]}});
  const analysis::EditAnswers unmoved = problem.answer_edits(starts, {});
  std::vector<double> smallest, largest;
  analysis::visit_channels(problem, problem.discovery, result.channels,
                           [&](std::int64_t, std::span<const double> values) {
                             const auto [low, high] = std::minmax_element(values.begin(), values.end());
                             smallest.push_back(*low);
                             largest.push_back(*high);
                           });

  // Requests hold as many channels as fill a batch, each with every latent twice: moved to the smallest value, then to
  // the largest.
  const std::size_t n = starts.size(), all = result.channels.size();
  const std::size_t together = std::max<std::size_t>(1, static_cast<std::size_t>(batch_size) / (2 * n));
  std::vector<std::array<std::vector<double>, 2>> loss(all);
  std::vector<std::array<std::vector<bool>, 2>> flipped(all);
  for (std::size_t first = 0; first < all; first += together) {
    const std::size_t count = std::min(together, all - first);
    std::vector<analysis::EditedLatent> ends;
    for (std::size_t k = first; k < first + count; ++k) {
      const std::int64_t channel = result.channels[k];
      const auto a = problem.style_matrix.row_span(channel);
      for (const double end : {smallest[k], largest[k]}) {
        for (const analysis::EditedLatent& one : starts) {
          double s = problem.style_bias[static_cast<std::size_t>(channel)];
          for (std::size_t j = 0; j < a.size(); ++j) s += a[j] * static_cast<double>(one.start.w[j]);
          ends.push_back({one.start, Edit::of_channel(channel, end - s)});
        }
      }
    }
    const analysis::EditAnswers moved = problem.answer_edits(ends, {});
    for (std::size_t row = 0; row < 2 * n * count; ++row) {
      const std::size_t k = first + row / (2 * n), end = row % (2 * n) < n ? 0 : 1;
      loss[k][end].push_back(static_cast<double>(unmoved.first().log_odds[row % n]) -
                             static_cast<double>(moved.first().log_odds[row]));
      flipped[k][end].push_back(moved.first().failed[row] != 0);
    }
    result.cost = attfind_images(result.images, static_cast<std::int64_t>(first + count));
    report_progress(progress, "AttFind", result.cost, total);
  }
  for (std::size_t k = 0; k < all; ++k) {
    const auto mean = [n](const auto& values) {
      double sum = 0.0;
      for (const auto value : values) sum += static_cast<double>(value);
      return sum / static_cast<double>(n);
    };
    result.effect_smallest.push_back(mean(loss[k][0]));
    result.effect_largest.push_back(mean(loss[k][1]));
    result.flipped_smallest.push_back(mean(flipped[k][0]));
    result.flipped_largest.push_back(mean(flipped[k][1]));
  }
  greedy_cover(problem, options.most, loss, flipped, result);
  return result;
}

FAULTLINE_INLINE std::vector<double> attfind_scores(const AttFindResult& result) {
  std::vector<double> scores;
  for (std::size_t k = 0; k < result.effect_largest.size(); ++k) {
    const double up = std::max(0.0, result.effect_largest[k]), down = std::max(0.0, result.effect_smallest[k]);
    scores.push_back(up >= down ? up : -down);
  }
  return scores;
}

}  // namespace paper
}  // namespace v1
}  // namespace faultline
