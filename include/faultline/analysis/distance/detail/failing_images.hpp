// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The failing end of every crossing, synthesised and classified once more before anybody hears of it.

#include <faultline/analysis/distance/detail/image_distance.hpp>
#include <faultline/analysis/distance/distance_search.hpp>
#include <faultline/analysis/problem/problem.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// p(y) of an image at a p = .5 crossing may come out this far above .5 the second time: the rounding of another batch,
/// no more.
inline constexpr double recheck_tolerance = 1e-4;

/// Unmoved images, each `[C, H, W]`, by number of the start; only those that some crossing is compared with.
struct StartImages {
  std::vector<std::vector<float>> images;
  ImageShape shape;
};

[[nodiscard]] inline StartImages start_images(const Problem& problem, std::span<const StartLatent> starts,
                                              std::span<const DistanceSearch> searches) {
  StartImages result{std::vector<std::vector<float>>(starts.size()), {}};
  std::vector<bool> wanted(starts.size(), false);
  for (const DistanceSearch& search : searches)
    if (search.even_odds().crossed() || search.flip().crossed()) wanted[search.start_number] = true;
  std::vector<EditedLatent> unmoved;
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (!wanted[i]) continue;
    unmoved.push_back({starts[i]});
    numbers.push_back(i);
  }
  answer_in_blocks(problem, unmoved, {.images = true}, [&](std::size_t first, const EditAnswers& answers) {
    result.shape = answers.images.shape();
    for (std::int64_t k = 0; k < answers.images.count(); ++k) {
      const auto image = answers.images.image(k);
      result.images[numbers[first + static_cast<std::size_t>(k)]].assign(image.begin(), image.end());
    }
  });
  return result;
}

/// Classifies the failing ends of these searches again, as a batch. A crossing whose image does not fail again is
/// dropped; the others get their image distances and, if `whole`, the judge's answer and the properties at the flip.
inline void check_failing_images(const Problem& problem, std::span<DistanceSearch* const> searches,
                                 const StartImages& starts, bool whole) {
  const bool judge = whole && problem.has_judge, properties = whole && !problem.property_names.empty();
  struct End {
    DistanceSearch* search;
    bool flip;
  };
  std::vector<EditedLatent> edits;
  std::vector<End> ends;
  for (DistanceSearch* search : searches) {
    for (const bool flip : {false, true}) {
      const CrossingSearch& crossing = flip ? search->flip() : search->even_odds();
      if (!crossing.crossed()) continue;
      edits.push_back(search->path.at(crossing.far_end()));
      ends.push_back({search, flip});
    }
  }
  answer_in_blocks(problem, edits, {.properties = properties, .judge = judge, .images = true},
                   [&](std::size_t first, const EditAnswers& answers) {
                     const ClassifierAnswers& said = answers.first();
                     for (std::size_t k = 0; k < said.failed.size(); ++k) {
                       const auto [search, flip] = ends[first + k];
                       const bool again = flip ? said.failed[k] != 0
                                               : static_cast<double>(said.probability[k]) <= 0.5 + recheck_tolerance;
                       if (!again) {
                         (flip ? search->flip() : search->even_odds()).drop();
                         continue;
                       }
                       FailingImage& image = flip ? search->flip_image : search->even_odds_image;
                       const auto values = answers.images.image(static_cast<std::int64_t>(k));
                       image.rms = image_rms(starts.images[search->start_number], values);
                       image.ssim = image_ssim(starts.images[search->start_number], values, starts.shape);
                       if (flip && judge) image.judge_agrees = answers.judge_agrees[k] != 0;
                       if (!flip || !properties) continue;
                       const auto measured = answers.properties.row_span(static_cast<std::int64_t>(k));
                       image.properties.assign(measured.begin(), measured.end());
                     }
                   });
}

/// Classifies the flipped image of each search by itself; drops the crossing if it does not fail then.
inline void check_alone(const Problem& problem, std::span<DistanceSearch* const> searches) {
  std::vector<EditedLatent> edits;
  std::vector<DistanceSearch*> flipped;
  for (DistanceSearch* search : searches) {
    if (!search->flip().crossed()) continue;
    edits.push_back(search->path.at(search->flip().far_end()));
    flipped.push_back(search);
  }
  if (edits.empty()) return;
  const EditAnswers answers = problem.answer_edits(edits, {.alone = true});
  for (std::size_t k = 0; k < flipped.size(); ++k)
    if (answers.first().failed[k] == 0) flipped[k]->flip().drop();
}

}  // namespace detail
}  // namespace analysis
}  // namespace v1
}  // namespace faultline
