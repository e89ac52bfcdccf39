// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A refinement of Classifier: scores that are made elsewhere and come later, all that a request needs at once.

#include <faultline/concepts/classifier.hpp>

#include <concepts>
#include <cstdint>

namespace faultline {
inline namespace v1 {

/// How a classifier asks for scores that it does not have.
///
/// By itself it throws at the first batch without them. Between `begin` and `end` it answers such a batch with
/// provisional scores, of the declared kind and different for different images, so that whoever asked goes on and
/// everything that is needed becomes known. `end` throws then, before anybody has used an answer. Requests nest: those
/// within another one end with it.
class DeferredScores {
 public:
  virtual void begin() = 0;
  /// Ends a request. **Throws** scores_missing when it is the outermost one and images had no scores, with what to do.
  virtual void end() = 0;
  /// Ends a request that came to nothing: what it lacked is forgotten with the outermost one.
  virtual void cancel() noexcept = 0;
  /// Images of the open requests without scores.
  [[nodiscard]] virtual std::int64_t missing() const noexcept = 0;

 protected:
  ~DeferredScores() = default;
};

/// Refinement: `deferred_scores()` says how to ask for all at once; null for a classifier that has its scores always.
template <class C>
concept DefersScores = requires(const C& c) {
  { c.deferred_scores() } -> std::convertible_to<DeferredScores*>;
};

/// That of a classifier; null if it has none. It lives as long as the classifier.
template <Classifier C>
[[nodiscard]] DeferredScores* deferred_scores_of(const C& classifier) {
  if constexpr (DefersScores<C>) return classifier.deferred_scores();
  else return nullptr;
}

}  // namespace v1
}  // namespace faultline
