// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The version of the library, as numbers and as text; cmake reads it from here.

#define FAULTLINE_VERSION_MAJOR 0
#define FAULTLINE_VERSION_MINOR 1
#define FAULTLINE_VERSION_PATCH 0

namespace faultline {
inline namespace v1 {

/// "major.minor.patch" of these headers.
inline constexpr const char* version_string = "0.1.0";

}  // namespace v1
}  // namespace faultline
