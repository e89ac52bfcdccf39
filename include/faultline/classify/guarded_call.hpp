// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Calls into a user's classifier: what it throws becomes F202 with the original nested, and its floating-point mode
// stays its own.

#include <faultline/error.hpp>

#include <cfenv>
#include <exception>
#include <string>

namespace faultline {
inline namespace v1 {
namespace classify {

/// Puts the caller's floating-point environment (rounding mode, flush-to-zero, traps) back at the end of a scope.
class FloatingPointScope {
 public:
  FloatingPointScope() { saved_ = std::fegetenv(&environment_) == 0; }
  ~FloatingPointScope() {
    if (saved_) std::fesetenv(&environment_);
  }
  FloatingPointScope(const FloatingPointScope&) = delete;
  FloatingPointScope& operator=(const FloatingPointScope&) = delete;

 private:
  std::fenv_t environment_{};
  bool saved_ = false;
};

/// Refuses arithmetic without NaN or with reassociated sums where no macro tells of it (`config.hpp`): clang's
/// -fno-honor-nans, -fassociative-math. The values are read at run time, so that only a compiler that was told to
/// assume otherwise can get them wrong. Throws invalid_argument.
void require_ieee_arithmetic(const std::string& where);

/// Runs `call`. Lets forked_process, scores_missing (which is nobody's fault) and std::bad_alloc through (the latter so
/// that the caller can try a smaller batch). Other F2xx errors keep their code and everything else leaves as
/// classifier_threw, both with what was scored in the message and the original nested where that is an exception
/// object.
template <class Call, class Context>
void call_user(const std::string& where, Call&& call, Context&& context) {
  require_ieee_arithmetic(where);
  const FloatingPointScope scope;
  try {
    call();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::forked_process || error.code() == ErrorCode::scores_missing) throw;
    std::throw_with_nested(Error(error.family() == 2 ? error.code() : ErrorCode::classifier_threw, where,
                                 "the classifier threw while it scored " + context() + ": " + error.what()));
  } catch (const std::exception& error) {
    std::throw_with_nested(
        Error(ErrorCode::classifier_threw, where,
              "the classifier threw while it scored " + context() + ": " + faultline::detail::foreign_text(error)));
  } catch (...) {
    std::throw_with_nested(
        Error(ErrorCode::classifier_threw, where,
              "the classifier threw something that is not a std::exception while it scored " + context()));
  }
}

}  // namespace classify
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/classify/detail/guarded_call_impl.hpp>
#endif
