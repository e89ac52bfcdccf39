// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Codes moved along rays, in w or along style channels, one alone or several together, judged many at a time.

#include <faultline/analysis/problem/problem.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

/// Where a code can be moved: w + t · step, or, with a channel, s + t · unit in that channel alone, or, with channels,
/// s + t · units in these together.
struct Ray {
  std::span<const float> start;  ///< w of the code
  std::int64_t label = 0;
  std::span<const double> step;  ///< `[w_dim]` one standard deviation, when there is no channel
  std::int64_t channel = -1;     ///< flat style index, or -1
  /// One standard deviation of the channel with the sign of failure, in style units
  double unit = 0.0;
  std::span<const std::int64_t> channels = {};  ///< flat style indices moved together
  /// `[channels]` one standard deviation of each with its sign; 0 leaves a channel alone
  std::span<const double> units = {};
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
  bool alone = false;  ///< classify the images one by one
};

/// Judges all moves. The sink gets, block by block, the positions of the block's moves in `moves` and their results.
///
/// All moves share requests, whatever they move: a block shifts the channels that any of its rays names, by 0 where a
/// ray does not. So the generator's batches are full however few moves a channel has. Blocks bound the memory: 4096
/// rows, 256 with images. **Cost**: one image per move, each block filled up to whole batches.
template <class Sink>
void evaluate_moves(const Problem& problem, std::span<const Move> moves, const MoveOutputs& outputs, Sink sink) {
  const std::size_t limit = outputs.images ? 256 : 4096;
  std::vector<std::size_t> positions(moves.size());
  std::iota(positions.begin(), positions.end(), std::size_t{0});
  for (std::size_t first = 0; first < positions.size(); first += limit) {
    const std::span<const std::size_t> block =
        std::span(positions).subspan(first, std::min(limit, positions.size() - first));
    EditRequest request;
    request.properties = outputs.properties;
    request.judge = outputs.judge;
    request.images = outputs.images;
    request.alone = outputs.alone;
    std::map<std::int64_t, std::int64_t> columns;  // of each channel that is moved
    for (const std::size_t i : block) {
      const Ray& ray = *moves[i].ray;
      if (ray.channel >= 0) columns[ray.channel] = 0;
      for (const std::int64_t channel : ray.channels) columns[channel] = 0;
    }
    for (auto& [channel, column] : columns) {
      column = static_cast<std::int64_t>(request.channels.size());
      request.channels.push_back(channel);
    }
    const auto rows = static_cast<std::int64_t>(block.size());
    if (!columns.empty()) request.shifts.resize(rows, static_cast<std::int64_t>(columns.size()));
    request.w.resize(rows, static_cast<std::int64_t>(moves[block[0]].ray->start.size()));
    for (std::int64_t k = 0; k < rows; ++k) {
      const Move& move = moves[block[static_cast<std::size_t>(k)]];
      const Ray& ray = *move.ray;
      const auto row = request.w.row_span(k);
      std::copy(ray.start.begin(), ray.start.end(), row.begin());
      if (!ray.channels.empty()) {
        for (std::size_t j = 0; j < ray.channels.size(); ++j)
          request.shifts(k, columns[ray.channels[j]]) = static_cast<float>(move.sigmas * ray.units[j]);
      } else if (ray.channel >= 0) {
        request.shifts(k, columns[ray.channel]) = static_cast<float>(move.sigmas * ray.unit);
      } else {
        for (std::size_t j = 0; j < row.size(); ++j)
          row[j] = static_cast<float>(static_cast<double>(row[j]) + move.sigmas * ray.step[j]);
      }
      request.label.push_back(ray.label);
    }
    sink(block, problem.evaluate(request));
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
