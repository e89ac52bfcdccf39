// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The failing end of every crossing, synthesised and classified once more before anybody hears of it.

#include <faultline/analysis/distance/failure_lines.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

/// p(y) of an image at a p = .5 crossing may come out this far above .5 the second time: the rounding of another batch,
/// no more.
inline constexpr double recheck_tolerance = 1e-4;

/// Unmoved images, each `[C, H, W]`, by number of the start; only those that some crossing is compared with.
struct StartImages {
  std::vector<std::vector<float>> images;
  ImageShape shape;
};

[[nodiscard]] inline StartImages start_images(const Problem& problem, std::span<const Ray> starts,
                                              std::span<const Line> lines) {
  StartImages result{std::vector<std::vector<float>>(starts.size()), {}};
  std::vector<bool> wanted(starts.size(), false);
  for (const Line& line : lines)
    if (line.half.crossed() || line.flip.crossed()) wanted[line.start] = true;
  std::vector<Move> moves;
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (!wanted[i]) continue;
    moves.push_back({&starts[i], 0.0});
    numbers.push_back(i);
  }
  evaluate_moves(problem, moves, {.images = true}, [&](std::span<const std::size_t> which, const EditResult& edited) {
    result.shape = edited.images.shape();
    for (std::size_t k = 0; k < which.size(); ++k) {
      const auto image = edited.images.image(static_cast<std::int64_t>(k));
      result.images[numbers[which[k]]].assign(image.begin(), image.end());
    }
  });
  return result;
}

/// Classifies the failing ends of these lines again, as a batch. A crossing whose image does not fail again is dropped;
/// the others get their image distances and, if `judge`, the judge's answer at the flip.
inline void check_failing_images(const Problem& problem, std::span<Line* const> lines, const StartImages& starts,
                                 bool judge) {
  struct End {
    Line* line;
    bool flip;
  };
  std::vector<Move> moves;
  std::vector<End> ends;
  for (Line* line : lines) {
    for (const bool flip : {false, true}) {
      const CrossingSearch& search = flip ? line->flip : line->half;
      if (!search.crossed()) continue;
      moves.push_back({&line->ray, search.far_end()});
      ends.push_back({line, flip});
    }
  }
  evaluate_moves(problem, moves, {.judge = judge, .images = true},
                 [&](std::span<const std::size_t> which, const EditResult& result) {
                   for (std::size_t k = 0; k < which.size(); ++k) {
                     const End& end = ends[which[k]];
                     const bool again = end.flip
                                            ? result.failed[k] != 0
                                            : static_cast<double>(result.probability[k]) <= 0.5 + recheck_tolerance;
                     if (!again) {
                       (end.flip ? end.line->flip : end.line->half).drop();
                       continue;
                     }
                     FailingImage& image = end.flip ? end.line->flip_image : end.line->half_image;
                     const auto values = result.images.image(static_cast<std::int64_t>(k));
                     image.rms = image_rms(starts.images[end.line->start], values);
                     image.ssim = image_ssim(starts.images[end.line->start], values, starts.shape);
                     if (end.flip && judge) image.judge_agrees = result.judge_agrees[k] != 0;
                   }
                 });
}

/// Classifies the flipped image of each line by itself; drops the crossing if it does not fail then.
inline void check_alone(const Problem& problem, std::span<Line* const> lines) {
  std::vector<Move> moves;
  std::vector<Line*> flipped;
  for (Line* line : lines) {
    if (!line->flip.crossed()) continue;
    moves.push_back({&line->ray, line->flip.far_end()});
    flipped.push_back(line);
  }
  evaluate_moves(problem, moves, {.alone = true}, [&](std::span<const std::size_t> which, const EditResult& result) {
    for (std::size_t k = 0; k < which.size(); ++k)
      if (result.failed[k] == 0) flipped[which[k]]->flip.drop();
  });
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
