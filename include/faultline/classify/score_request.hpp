// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The scope in which classifiers whose scores come later collect what they lack.

#include <faultline/concepts/deferred_scores.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace classify {

/// From its construction to `end()`, classifiers that lack scores note the images and answer provisionally (see
/// `DeferredScores`); other classifiers do not notice. Nothing may be concluded from answers before `end()`.
///
/// Destroyed without `end()`, by an exception or because the answers are not needed, it asks for nothing. The
/// classifiers are borrowed.
/// **Throws** scores_missing at `end()`, one error for all of them; what writing the images throws (cannot_write).
/// Example: `ScoreRequest request(mine); for (...) scorer(images, labels); request.end(); // now they may be used`
class ScoreRequest {
 public:
  ScoreRequest() = default;
  template <Classifier... C>
    requires(sizeof...(C) > 0)
  explicit ScoreRequest(const C&... classifiers) { (add(classifiers), ...); }
  ~ScoreRequest() {
    for (DeferredScores* scores : open_) scores->cancel();
  }
  ScoreRequest(const ScoreRequest&) = delete;
  ScoreRequest& operator=(const ScoreRequest&) = delete;

  /// For those that are listed; none is null.
  explicit ScoreRequest(std::span<DeferredScores* const> listed) {
    for (DeferredScores* scores : listed) begin(scores);
  }

  /// One classifier more.
  template <Classifier C>
  void add(const C& classifier) {
    begin(deferred_scores_of(classifier));
  }

  /// Images without scores so far; 0 when every answer is a real one.
  [[nodiscard]] std::int64_t missing() const noexcept;

  /// Ends the scope; answers may be used after it.
  void end();

 private:
  void begin(DeferredScores* scores);

  std::vector<DeferredScores*> open_;
};

}  // namespace classify
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/classify/detail/score_request_impl.hpp>
#endif
