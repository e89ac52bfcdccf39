// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a classifier wants its images to look like, as a line of text: for command lines and files.

#include <faultline/concepts/classifier.hpp>

#include <string>
#include <string_view>

namespace faultline {
inline namespace v1 {
namespace classify {

/// Reads a description of an input.
///
/// Words, separated by spaces or commas, in any order; what is not said stays as in `InputSpec`:
///
/// | word | is |
/// |---|---|
/// | `28x28` | height x width |
/// | `grey`, `gray` | one channel |
/// | `rgb`, `bgr` | three channels, in this order |
/// | `crop`, `resize` | how images of another size are made to fit |
/// | `range=0:255` | values of black and white |
/// | `mean=.1307`, `std=.3081` | taken off, divided by; one value, or one for each channel: `mean=.485/.456/.406` |
/// | `hwc`, `chw` | order of the values of an image |
///
/// **Throws** `invalid_argument` for a word that is none of these, a number that cannot be read, a deviation that is
/// not positive, and what is said twice. Example: `input_spec_from_text("32x32 rgb mean=.5 std=.5")`
[[nodiscard]] InputSpec input_spec_from_text(std::string_view text);

/// The words of a description, as `input_spec_from_text` reads them; empty for the default one.
[[nodiscard]] std::string input_spec_text(const InputSpec& spec);

}  // namespace classify
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/classify/detail/input_spec_text_impl.hpp>
#endif
