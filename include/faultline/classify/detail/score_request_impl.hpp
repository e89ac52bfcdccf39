// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of classify/score_request.hpp.

#include <faultline/classify/score_request.hpp>

#include <faultline/error.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace classify {

FAULTLINE_INLINE void ScoreRequest::begin(DeferredScores* scores) {
  if (scores == nullptr) return;
  open_.reserve(open_.size() + 1);
  scores->begin();
  open_.push_back(scores);
}

FAULTLINE_INLINE std::int64_t ScoreRequest::missing() const noexcept {
  std::int64_t count = 0;
  for (const DeferredScores* scores : open_) count += scores->missing();
  return count;
}

FAULTLINE_INLINE void ScoreRequest::end() {
  std::vector<Error> missing;
  std::exception_ptr other;
  for (DeferredScores* scores : std::exchange(open_, {})) {  // every one, so that all ask in the same round
    try {
      scores->end();
    } catch (const Error& error) {
      if (error.code() == ErrorCode::scores_missing) missing.push_back(error);
      else if (!other) other = std::current_exception();
    } catch (...) {
      if (!other) other = std::current_exception();
    }
  }
  if (other) std::rethrow_exception(other);
  if (missing.empty()) return;
  if (missing.size() == 1) throw missing.front();
  std::string text;
  for (const Error& error : missing) {
    const std::string what = error.what();
    const std::size_t colon = what.find(": ");
    text += (text.empty() ? "" : "; and ") + (colon == std::string::npos ? what : what.substr(colon + 2));
  }
  throw Error(ErrorCode::scores_missing, "ScoreRequest", text);
}

}  // namespace classify
}  // namespace v1
}  // namespace faultline
