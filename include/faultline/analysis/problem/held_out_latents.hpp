// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Held-out latents: classified samples that neither chose nor confirmed a direction, drawn as far as they are needed.

#include <faultline/analysis/problem/problem.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/core/random.hpp>
#include <faultline/sampling/population.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

void append(Matrix<float>& to, const Matrix<float>& rows);

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

/// Appends every sample of `more`.
void append(Population& to, const Population& more);

/// Samples 2^41, 2^41 + 1, ... of the problem's seed, in whole batches so that their bits do not depend on how far the
/// pool has grown.
class HeldOutLatents {
 public:
  HeldOutLatents(const Problem& problem, std::int64_t batch_size)
      : problem_(&problem), chunk_(std::max<std::int64_t>(1, batch_size)) {}

  [[nodiscard]] const Population& latents() const noexcept { return latents_; }

  /// Positions of the first `count` latents, of one class if a label is given; fewer when `most` samples do not hold
  /// that many.
  [[nodiscard]] std::vector<std::int64_t> first(std::int64_t count, std::optional<std::int64_t> label,
                                                std::int64_t most) {
    classify::ScoreRequest request(problem_->deferred);
    std::vector<std::int64_t> positions =
        collect(count, label, most, [](const Population&, std::size_t) { return true; });
    request.end();
    return positions;
  }
  /// The same among failing latents.
  [[nodiscard]] std::vector<std::int64_t> failing(std::int64_t count, std::optional<std::int64_t> label,
                                                  std::int64_t most) {
    return collect(count, label, most, [](const Population& p, std::size_t i) { return p.failed[i] != 0; });
  }
  /// The same among latents that do not fail.
  [[nodiscard]] std::vector<std::int64_t> passing(std::int64_t count, std::optional<std::int64_t> label,
                                                  std::int64_t most) {
    return collect(count, label, most, [](const Population& p, std::size_t i) { return p.failed[i] == 0; });
  }

 private:
  template <class Wanted>
  std::vector<std::int64_t> collect(std::int64_t count, std::optional<std::int64_t> label, std::int64_t most,
                                    Wanted wanted) {
    std::vector<std::int64_t> positions;
    for (std::int64_t i = 0; static_cast<std::int64_t>(positions.size()) < count; ++i) {
      if (i == latents_.size()) {
        if (i >= most) break;
        grow();
      }
      const auto at = static_cast<std::size_t>(i);
      if ((!label || latents_.label[at] == *label) && wanted(latents_, at)) positions.push_back(i);
    }
    return positions;
  }

  void grow() { append(latents_, problem_->sample(core::intervention_first + latents_.size(), chunk_)); }

  const Problem* problem_;
  std::int64_t chunk_;
  Population latents_;
};

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/problem/detail/held_out_latents_impl.hpp>
#endif
