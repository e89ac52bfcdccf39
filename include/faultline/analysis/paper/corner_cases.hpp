// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The paper's corner cases (method section 7a): ten channels drawn from the hundred most influential, shifted together
// from the centre of a class until the classifier fails.

#include <faultline/analysis/problem/moves.hpp>
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

struct CornerCaseOptions {
  std::int64_t cases = 3;      ///< per class; 0 leaves corner cases out
  std::int64_t pool = 100;     ///< channels to draw from: so many of the ranking
  std::int64_t channels = 10;  ///< channels shifted together
  double step = 0.5;           ///< standard deviations of each channel
  double reach = 20.0;         ///< given up past this
};

namespace detail {

inline void check_corner_case_options(const CornerCaseOptions& options) {
  constexpr const char* where = "CornerCaseOptions";
  require_in(where, "cases", options.cases, 0, limits::directions);  // per class; random numbers have room for 2^20
  require_in(where, "pool", options.pool, 1, limits::latents);
  require_in(where, "channels", options.channels, 1, limits::latents);
  require_in(where, "step", options.step, 1e-6, 1e6);
  require_in(where, "reach", options.reach, options.step, 1e4 * options.step);
}

}  // namespace detail

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
  return detail::same_members(a, b) && a.images.shape() == b.images.shape() &&
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
  detail::check_corner_case_options(options);
  pool = pool.first(std::min(pool.size(), static_cast<std::size_t>(options.pool)));
  std::vector<CornerCase> cases;
  if (pool.empty()) return cases;

  const auto centres = detail::success_centres(problem);
  std::vector<std::int64_t> channels;  // one array for all cases, so that they share requests
  for (const ChannelShift& shift : pool) channels.push_back(shift.channel);
  std::vector<std::vector<double>> units;
  for (const auto& centre : centres) {
    for (std::int64_t i = 0; i < options.cases; ++i) {
      CounterRandom random(problem.seed, Stream::codes, pilot_first + (centre.label << 20) + i);
      std::vector<std::size_t> order(pool.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      shuffle(std::span(order), random);
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
  std::vector<detail::Ray> rays;
  for (std::size_t c = 0; c < cases.size(); ++c) {
    const auto& centre = centres[c / static_cast<std::size_t>(options.cases)];
    rays.push_back({centre.w, centre.label, {}, -1, 0.0, channels, units[c]});
  }

  const auto steps = static_cast<std::int64_t>(std::floor(options.reach / options.step + 1e-9));
  constexpr std::int64_t stride = 8;
  std::vector<std::size_t> open(cases.size());
  std::iota(open.begin(), open.end(), std::size_t{0});
  for (std::int64_t first = 0; first <= steps && !open.empty(); first += stride) {
    report_progress(progress, "corner cases", first, steps);
    const std::int64_t last = std::min(steps, first + stride - 1);
    std::vector<detail::Move> moves;
    std::vector<std::pair<std::size_t, std::int64_t>> places;
    for (const std::size_t c : open) {
      for (std::int64_t t = first; t <= last; ++t) {
        moves.push_back({&rays[c], options.step * static_cast<double>(t)});
        places.emplace_back(c, t);
      }
    }
    std::vector<std::int64_t> fails_at(cases.size(), steps + 1);
    detail::evaluate_moves(problem, moves, {}, [&](std::span<const std::size_t> which, const EditResult& result) {
      for (std::size_t k = 0; k < which.size(); ++k) {
        const auto& [c, t] = places[which[k]];
        if (result.failed[k] != 0) fails_at[c] = std::min(fails_at[c], t);
      }
    });
    for (const std::size_t c : open) {
      cases[c].failed = fails_at[c] <= steps;
      cases[c].sigmas = options.step * static_cast<double>(cases[c].failed ? fails_at[c] : last);
    }
    std::erase_if(open, [&](std::size_t c) { return cases[c].failed; });
  }
  report_progress(progress, "corner cases", steps, steps);

  std::vector<detail::Move> moves;
  for (std::size_t c = 0; c < cases.size(); ++c) {
    moves.push_back({&rays[c], 0.0});
    moves.push_back({&rays[c], cases[c].sigmas});
  }
  detail::evaluate_moves(
      problem, moves, {.images = true}, [&](std::span<const std::size_t> which, const EditResult& result) {
        for (std::size_t k = 0; k < which.size(); ++k) {
          CornerCase& one = cases[which[k] / 2];
          if (one.images.count() == 0) one.images = ImageBatch(2, result.images.shape());
          const auto image = result.images.image(static_cast<std::int64_t>(k));
          std::copy(image.begin(), image.end(), one.images.image(static_cast<std::int64_t>(which[k] % 2)).begin());
          if (which[k] % 2 == 0) continue;
          one.failed = one.failed && result.failed[k] != 0;
          one.probability = static_cast<double>(result.probability[k]);
          one.prediction = result.prediction[k];
        }
      });
  std::vector<detail::Move> again;
  std::vector<std::size_t> failing;
  for (std::size_t c = 0; c < cases.size(); ++c) {
    if (!cases[c].failed) continue;
    again.push_back(moves[2 * c + 1]);
    failing.push_back(c);
  }
  detail::evaluate_moves(problem, again, {.alone = true},
                         [&](std::span<const std::size_t> which, const EditResult& result) {
                           for (std::size_t k = 0; k < which.size(); ++k)
                             cases[failing[which[k]]].failed = result.failed[k] != 0;
                         });
  return cases;
}

}  // namespace v1
}  // namespace faultline
