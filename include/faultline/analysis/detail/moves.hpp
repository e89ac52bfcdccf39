// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Codes moved along rays, in w or along style channels, one alone or several together, judged many at a time.

#include <faultline/analysis/problem.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

/// Where a code can be moved: w + t · step, or, with a channel, s + t · unit in that channel alone, or, with channels, s + t · units in these together.
struct Ray {
  std::span<const float> start;   ///< w of the code
  std::int64_t label = 0;
  std::span<const double> step;   ///< `[w_dim]` one standard deviation, when there is no channel
  std::int64_t channel = -1;      ///< flat style index, or -1
  double unit = 0.0;              ///< one standard deviation of the channel with the sign of failure, in style units
  std::span<const std::int64_t> channels = {};  ///< flat style indices moved together; rays over the same array share requests
  std::span<const double> units = {};           ///< `[channels]` one standard deviation of each with its sign; 0 leaves a channel alone
};

/// A point on a ray.
struct Move {
  const Ray* ray = nullptr;
  double sigmas = 0.0;
};

/// What is wanted beside outcome and probability.
struct MoveOutputs {
  bool properties = false;
  bool judge = false;
  bool images = false;
};

/// Judges all moves. The sink gets, block by block, the positions of the block's moves in `moves` and their results; moves in w share requests, each channel has its own, and so has each array of channels.
///
/// Blocks bound the memory: 4096 rows, 256 with images. **Cost**: one image per move, each block filled up to whole batches.
template <class Sink>
void evaluate_moves(const Problem& problem, std::span<const Move> moves, const MoveOutputs& outputs, Sink sink) {
  std::map<std::pair<std::int64_t, const std::int64_t*>, std::vector<std::size_t>> by_channel;
  for (std::size_t i = 0; i < moves.size(); ++i) by_channel[{moves[i].ray->channel, moves[i].ray->channels.data()}].push_back(i);
  const std::size_t limit = outputs.images ? 256 : 4096;
  for (const auto& [key, positions] : by_channel) {
    const std::int64_t channel = key.first;
    const std::span<const std::int64_t> channels = moves[positions[0]].ray->channels;
    for (std::size_t first = 0; first < positions.size(); first += limit) {
      const std::span<const std::size_t> block = std::span(positions).subspan(first, std::min(limit, positions.size() - first));
      EditRequest request;
      request.channel = channel;
      request.channels.assign(channels.begin(), channels.end());
      if (!channels.empty()) request.shifts.resize(static_cast<std::int64_t>(block.size()), static_cast<std::int64_t>(channels.size()));
      request.properties = outputs.properties;
      request.judge = outputs.judge;
      request.images = outputs.images;
      request.w.resize(static_cast<std::int64_t>(block.size()), static_cast<std::int64_t>(moves[block[0]].ray->start.size()));
      for (std::size_t k = 0; k < block.size(); ++k) {
        const Move& move = moves[block[k]];
        const auto row = request.w.row(static_cast<std::int64_t>(k));
        std::copy(move.ray->start.begin(), move.ray->start.end(), row.begin());
        if (!channels.empty()) {
          for (std::size_t j = 0; j < channels.size(); ++j) request.shifts(static_cast<std::int64_t>(k), static_cast<std::int64_t>(j)) = static_cast<float>(move.sigmas * move.ray->units[j]);
        } else if (channel < 0) {
          for (std::size_t j = 0; j < row.size(); ++j) row[j] = static_cast<float>(static_cast<double>(row[j]) + move.sigmas * move.ray->step[j]);
        } else {
          request.shift.push_back(static_cast<float>(move.sigmas * move.ray->unit));
        }
        request.label.push_back(move.ray->label);
      }
      sink(block, problem.evaluate(request));
    }
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
