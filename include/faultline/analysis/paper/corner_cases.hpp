// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The paper's corner cases (method.md: Two conditions together): ten channels drawn from the hundred most influential,
// shifted together from the centre of a class until the classifier fails.

#include <faultline/analysis/problem/problem.hpp>
#include <faultline/core/describe.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/progress.hpp>

#include <cstdint>
#include <span>
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

void check_corner_case_options(const CornerCaseOptions& options);

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
[[nodiscard]] bool operator==(const CornerCase& a, const CornerCase& b);

/// A channel that may be shifted: flat style index and the shift of one standard deviation towards failure, in style
/// units.
struct ChannelShift {
  std::int64_t channel = 0;
  double unit = 0.0;  ///< its sign is the direction of failure
};

/// Corner cases of every class that has a success centre, class by class; classes without successes have none.
///
/// **Formula**: from w the mean of the class's successes (discovery split), s_k + t · unit_k for the drawn channels, t
/// = 0, step, 2 step, ..., until the outcome is a failure.
/// **Shapes**: `pool` in order of influence; channels are drawn from its first `options.pool`.
/// **Checks**: every failing image is classified again, in a batch and alone; one that does not fail again is not
/// called failed.
/// **Randomness**: case i of class c draws from (seed, Stream::start_latents, 2^42 + c · 2^20 + i). **Throws**
/// `invalid_argument` for options out of range.
/// **Cost**: up to reach / step images per case, eight at a time for all cases together, and three to check.
/// Example: `auto cases = corner_cases(problem, pool); cases[0].failed;`
[[nodiscard]] std::vector<CornerCase> corner_cases(const Problem& problem, std::span<const ChannelShift> pool,
                                                   const CornerCaseOptions& options = {},
                                                   const ProgressCallback& progress = nullptr);

}  // namespace paper
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/paper/detail/corner_cases_impl.hpp>
#endif
