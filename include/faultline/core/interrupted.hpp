// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// An error that ended a run in its middle, together with what the run had found until then.

#include <faultline/error.hpp>

#include <concepts>
#include <exception>
#include <memory>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace core {

/// Whether a user's classifier, property or criterion is what failed, so that what was found before it still stands.
/// Scores that are made elsewhere and are not there yet are no failure.
[[nodiscard]] inline bool is_interruption(const Error& error) noexcept {
  return error.family() == 2 && error.code() != ErrorCode::scores_missing;
}

}  // namespace core

/// The error that ended a run, its code and message unchanged, and what had been found before: a suite's other gates, a
/// report without the steps that could not be taken any more. Nothing in it counts the fault as a failure of an image.
///
/// Thrown with the original nested (`std::rethrow_if_nested`); who catches `Error` needs to know nothing of it.
/// Example: `catch (const fl::Interrupted<fl::FailureReport>& run) { fl::write_json(run.found(), "partial.json"); }`
template <std::copy_constructible Found>
class Interrupted : public Error {
 public:
  Interrupted(const Error& error, Found found)
      : Error(error), found_(std::make_shared<const Found>(std::move(found))) {}

  [[nodiscard]] const Found& found() const noexcept { return *found_; }

 private:
  std::shared_ptr<const Found> found_;  // an exception is copied without throwing
};

}  // namespace v1
}  // namespace faultline
