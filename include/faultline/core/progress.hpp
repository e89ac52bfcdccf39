// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// How long-running steps tell their caller how far they are; the library itself prints nothing.

#include <faultline/config.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace faultline {
inline namespace v1 {

/// State of a long-running step: `done` of `total` units (samples, images, steps) of the named stage; `total` is 0 when
/// it is not known beforehand.
struct Progress {
  std::string stage = {};
  std::int64_t done = 0;
  std::int64_t total = 0;
};

/// Called now and then from the thread that does the work; an exception that leaves it ends the step and reaches the
/// caller. Empty means: nobody listens.
///
/// Example: `options.progress = [](const Progress& p) { std::cerr << p.stage << ' ' << p.done << '/' << p.total <<
/// '\n'; };`
using ProgressCallback = std::function<void(const Progress&)>;

/// Calls `callback` if there is one.
void report_progress(const ProgressCallback& callback, const std::string& stage, std::int64_t done, std::int64_t total);

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/core/detail/progress_impl.hpp>
#endif
