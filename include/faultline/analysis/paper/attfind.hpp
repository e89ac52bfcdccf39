// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// AttFind (Lang et al., "Explaining in Style", ICCV 2021): every style channel pushed to its smallest and largest
// observed value, image by image; causal, single-channel, and costly.

#include <faultline/analysis/problem/problem.hpp>
#include <faultline/concepts/style_layout.hpp>
#include <faultline/core/describe.hpp>
#include <faultline/core/progress.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace paper {

/// What AttFind looks at.
///
/// The default examines a subset, since all channels of a large generator cost millions of images: 192 convolution
/// channels that the paper's pooled difference ranks first, because a cause that the population shows is among them,
/// and 64 spread evenly over all others, so that causes which no difference shows have their chance and the comparison
/// with other rankings is not made among their own favourites alone. With `ranked_channels` at the number of style
/// channels it examines every one.
struct AttFindOptions {
  std::int64_t images = 32;  ///< latents that do not fail; 0 leaves AttFind out
  std::int64_t ranked_channels = 192;
  std::int64_t spread_channels = 64;
  std::int64_t most = 10;  ///< length of the greedy cover
};

void check_attfind_options(const AttFindOptions& options);

/// A step of the greedy cover: this channel, pushed this way, flips so many of the images that no earlier one flips.
struct AttFindPick {
  StyleChannel channel;
  std::string layer_name;
  int sign = 1;         ///< +1: pushed to the largest observed value, -1: to the smallest
  double effect = 0.0;  ///< mean loss of log odds of the true class over the images left
  std::int64_t explained = 0;
};
FAULTLINE_MEMBERS(AttFindPick, channel, layer_name, sign, effect, explained)

/// What AttFind saw. Every array has one entry per examined channel.
struct AttFindResult {
  std::int64_t images = 0;             ///< N; fewer than asked for when the classifier fails nearly always
  std::int64_t cost = 0;               ///< images synthesised, N (1 + 2 channels)
  std::vector<std::int64_t> channels;  ///< flat indices, ascending
  /// Mean loss of log odds log p(y) / (1 - p(y)) when the channel is pushed to its smallest value
  std::vector<double> effect_smallest;
  std::vector<double> effect_largest;    ///< the same to its largest
  std::vector<double> flipped_smallest;  ///< share of the images that fail then
  std::vector<double> flipped_largest;
  std::vector<AttFindPick> cover;
  std::int64_t unexplained = 0;  ///< images that no pick flips
};
FAULTLINE_MEMBERS(AttFindResult, images, cost, channels, effect_smallest, effect_largest, flipped_smallest,
                  flipped_largest, cover, unexplained)

/// Images that `attfind` synthesises and classifies: N (1 + 2 D).
[[nodiscard]] constexpr std::int64_t attfind_images(std::int64_t images, std::int64_t channels) noexcept {
  return images * (1 + 2 * channels);
}

/// Flat indices, ascending, of the channels that the options ask for; colour layers ("torgb") are left out, as in the
/// original.
///
/// **Throws** `invalid_argument` for negative numbers. **Cost**: moments of the discovery split; no images.
/// Example: `attfind_images(options.images, attfind_channels(problem, options).size())  // before anything is spent`
[[nodiscard]] std::vector<std::int64_t> attfind_channels(const Problem& problem, const AttFindOptions& options);

/// Repeats: the channel and side with the largest mean effect on the images left; those it flips are explained. `loss`
/// and `flipped`: [channels][2][N].
void greedy_cover(const Problem& problem, std::int64_t most,
                  const std::vector<std::array<std::vector<double>, 2>>& loss,
                  const std::vector<std::array<std::vector<bool>, 2>>& flipped, AttFindResult& result);

/// Pushes each channel of each image to both ends of its observed range and watches the log odds of the true class.
///
/// **Formula**: for N latents that do not fail, loss(i, k, end) = log odds_i − log odds_i(s_k := end_k), ends over the
/// discovery split; the cover repeats "the channel and end with the largest mean loss over the images left, of those
/// that flip any; the images that it flips are explained" (the original's algorithm 1 with the flip of the outcome for
/// its threshold).
/// **Randomness**: latents are the first samples from 2^41 that do not fail. **Error rate**: none is controlled; ends
/// of a range are rare values, so effects are those of large edits.
/// **Throws** `invalid_argument` for channels that do not exist or are named twice. Without a latent that does not fail
/// the result has `images` 0 and no effects.
/// **Cost**: `attfind_images(N, channels)` images, told to `progress` as the total before the first.
/// Example: `AttFindResult found = attfind(problem, attfind_channels(problem, options), options, 64);
/// found.cover.front().layer_name;`
[[nodiscard]] AttFindResult attfind(const Problem& problem, std::vector<std::int64_t> channels,
                                    const AttFindOptions& options = {}, std::int64_t batch_size = 64,
                                    const ProgressCallback& progress = nullptr);

/// One score per examined channel: the mean loss of the end that hurts more, negative where that is the smallest value;
/// 0 where neither end hurts.
[[nodiscard]] std::vector<double> attfind_scores(const AttFindResult& result);

}  // namespace paper
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/paper/detail/attfind_impl.hpp>
#endif
