// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What is kept of a classified sample: plain arrays, one entry per sample, in index order.

#include <faultline/core/matrix.hpp>

#include <cstdint>
#include <vector>

namespace faultline {
inline namespace v1 {

/// N classified samples. All vectors have N entries; the matrices N rows, or none when they were not asked for.
struct Population {
  std::vector<std::int64_t> index;       ///< sample index: with the seed it reproduces the sample
  std::vector<std::int64_t> label;       ///< class given to the generator
  std::vector<std::int64_t> prediction;  ///< class with the highest probability
  std::vector<std::uint8_t> failed;      ///< 1 where the criterion says failure
  std::vector<std::uint8_t> valid = {};  ///< 1 where the judge still gives the label; empty without a judge
  std::vector<float> probability;        ///< probability of the label, p(y)
  std::vector<float> margin;             ///< p(y) minus the largest other probability
  Matrix<float> w;                       ///< untruncated latents [N, w_dim]
  /// Measured image properties [N, P], columns as in the problem's property_names
  Matrix<float> properties;
  Matrix<float> s;  ///< styles [N, D], only when asked for

  [[nodiscard]] std::int64_t size() const noexcept { return static_cast<std::int64_t>(index.size()); }
  [[nodiscard]] std::int64_t failures() const noexcept {
    std::int64_t sum = 0;
    for (const std::uint8_t f : failed) sum += f;
    return sum;
  }
  /// Whether sample i is valid: without a judge every sample counts as valid.
  [[nodiscard]] bool is_valid(std::size_t i) const noexcept { return valid.empty() || valid[i] != 0; }
};

}  // namespace v1
}  // namespace faultline
