// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Where the searches for a distance to failure start: held-out latents that do not fail, and the success centre of each
// class.

#include <faultline/analysis/problem/options.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/core/random.hpp>
#include <faultline/sampling/population.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

struct StartSample {
  std::int64_t index = 0;
  std::int64_t label = 0;
  double probability = 0.0;
  std::vector<float> w;
};

/// Fresh valid latents without failure, drawn batch by batch as far as they are needed.
class StartLatents {
 public:
  StartLatents(const Problem& problem, const MethodOptions& options)
      : problem_(&problem), wanted_(options.threshold_latents), batch_(std::max<std::int64_t>(1, options.batch_size)) {}

  [[nodiscard]] std::size_t size() const noexcept { return latents_.size(); }
  [[nodiscard]] const StartSample& operator[](std::size_t i) const noexcept { return latents_[i]; }

  /// Numbers of the first latents, of one class if a label is given: as many as the options want, fewer when hundreds
  /// of samples per latent do not hold that many.
  [[nodiscard]] const std::vector<std::size_t>& of(std::optional<std::int64_t> label) {
    const auto [entry, is_new] = chosen_.try_emplace(label);
    std::vector<std::size_t>& numbers = entry->second;
    if (!is_new) return numbers;
    const std::int64_t most = wanted_ * std::max<std::int64_t>(16, 4 * problem_->classes);
    classify::ScoreRequest request(problem_->deferred);
    std::int64_t suitable = 0;  // of this label; those without scores may all serve
    for (std::size_t i = 0; static_cast<std::int64_t>(numbers.size()) < wanted_; ++i) {
      while (i >= latents_.size() && drawn_ < most && (request.missing() == 0 || suitable < wanted_))
        suitable += grow(label);
      if (i >= latents_.size()) break;
      if (!label || latents_[i].label == *label) numbers.push_back(i);
    }
    request.end();
    return numbers;
  }

 private:
  /// Draws a batch; the number of its samples of that label.
  std::int64_t grow(std::optional<std::int64_t> label) {
    const Population more = problem_->sample(core::start_first + drawn_, batch_);
    drawn_ += batch_;
    for (std::int64_t i = 0; i < more.size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (more.failed[at] != 0 || !more.is_valid(at)) continue;
      const auto row = more.w.row_span(i);
      latents_.push_back({more.index[at], more.label[at], static_cast<double>(more.probability[at]),
                          std::vector<float>(row.begin(), row.end())});
    }
    return label ? std::count(more.label.begin(), more.label.end(), *label) : more.size();
  }

  const Problem* problem_;
  std::int64_t wanted_;
  std::int64_t batch_;
  std::int64_t drawn_ = 0;
  std::vector<StartSample> latents_;
  std::map<std::optional<std::int64_t>, std::vector<std::size_t>> chosen_;
};

/// Mean w of the successes of a class on the discovery split.
struct SuccessCentre {
  std::int64_t label = 0;
  std::vector<float> w;
};

/// Centres of all classes that have successes.
[[nodiscard]] std::vector<SuccessCentre> success_centres(const Problem& problem);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/problem/detail/start_latents_impl.hpp>
#endif
