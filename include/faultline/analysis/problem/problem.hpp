// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The plain middle: a failure analysis without templates. Two populations, the affine style map, and callbacks into
// generator and classifier; every step of the method is an ordinary function on this.

#include <faultline/analysis/report.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/sampling/population.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {

/// Edited codes to be synthesised and judged. Row i: latent w[i] with label[i]; if `channel` is set, its style is then
/// shifted by shift[i], or, for several channels at once, the styles of `channels` by the row shifts(i, ·).
struct EditRequest {
  Matrix<float> w;                  ///< [M, w_dim] edited latents, before truncation
  std::vector<std::int64_t> label;  ///< [M]
  std::int64_t channel = -1;        ///< flat style index shifted after the affine map, or -1
  std::vector<float> shift;         ///< [M] in style units; empty without a channel
  bool properties = false;          ///< measure image properties
  bool judge = false;               ///< ask the judge, when there is one
  bool images = false;              ///< return the images, in [0, 1], full size
  /// Flat style indices that are shifted together; empty when `channel` is set
  std::vector<std::int64_t> channels = {};
  /// [M, channels] in style units; a channel that a row leaves alone has 0
  Matrix<float> shifts = {};
  bool alone = false;  ///< hand the images to the classifier one by one
};

/// What became of each row of an EditRequest.
struct EditResult {
  std::vector<std::uint8_t> failed;
  std::vector<std::int64_t> prediction;
  std::vector<float> probability;          ///< p(y)
  std::vector<float> log_odds;             ///< log p(y) / (1 - p(y)), clipped to +-20
  std::vector<std::uint8_t> judge_agrees;  ///< empty unless asked for and there is a judge
  Matrix<float> properties;                ///< [M, P] when asked for
  ImageBatch images;                       ///< when asked for
};

/// Everything the steps of the analysis need. Built once by the thin template layer.
struct Problem {
  StyleLayout layout;
  std::int64_t classes = 0;        ///< number of generator classes; 1 (label 0) when unconditional
  Matrix<double> style_matrix;     ///< A of s = A w + b, [D, w_dim]
  std::vector<double> style_bias;  ///< b, [D]
  std::vector<std::string> property_names;
  /// 0 for a property that gives names and side effects only; empty: all are candidates
  std::vector<std::uint8_t> property_candidates = {};
  bool has_judge = false;
  std::int64_t seed = 0;

  Population discovery;
  Population confirmation;

  /// Classified samples of the sampler's seed with indices first .. first + count - 1 (discovery, confirmation and
  /// intervention codes alike).
  std::function<Population(std::int64_t first, std::int64_t count)> sample;
  /// Synthesises and judges edited codes, in fixed padded batches; safe with any number of rows.
  std::function<EditResult(const EditRequest&)> evaluate;
  /// Sum over the rows of d p(y) / d s, [D], at unedited latents w with labels; empty when generator or classifier has
  /// no gradient.
  std::function<std::vector<double>(const Matrix<float>& w, std::span<const std::int64_t> labels)> gradient_sum;
};

}  // namespace v1
}  // namespace faultline
