// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// An image property: a named measure of one image. The set is open; `default_properties()` is what conditions are named
// by.

#include <faultline/core/image.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// A named measure of one image.
struct Property {
  std::string name;  ///< in the words of a reader: "noise level"
  /// Value of one image, given as [C, H, W] in [0, 1] at the generator's full size. Must be finite, deterministic and
  /// callable from several threads.
  std::function<double(std::span<const float> image, const ImageShape& shape)> measure;
  /// May it become a condition, and is its distance to failure measured? If not, it is a side effect only.
  bool candidate = true;
  /// Does it respond to what it is named after and to nothing else (method.md: Names and side effects,
  /// `property_admission`)? One that follows other properties by what it is, as the mean intensity follows noise and
  /// ink, may become a condition, but is not held when a specific one is moved.
  bool specific = true;
  std::string unit = {};  ///< of the value, as an axis has it: "px"; empty for a number without one
  /// Measured on images of so many channels only, 3 for a measure of colour; of other images it is no property. 0: any
  std::int64_t channels = 0;
};

/// Defined in properties/default_properties.hpp.
///
/// Noise level, blur, contrast, mean intensity, ink area, stroke thickness, slant, width, height, horizontal and
/// vertical position and loops (method.md: Names and side effects), and for images of three channels saturation, hue
/// spread and colour cast.
[[nodiscard]] std::vector<Property> default_properties();

/// Those that images of this shape have, in their order: a property for three channels is none of a grey image.
/// Example: `applicable_properties(default_properties(), images.shape())`
[[nodiscard]] inline std::vector<Property> applicable_properties(std::vector<Property> properties,
                                                                 const ImageShape& shape) {
  std::erase_if(properties, [&](const Property& property) {
    return property.channels != 0 && property.channels != shape.channels;
  });
  return properties;
}

}  // namespace analysis

using analysis::applicable_properties;
using analysis::default_properties;
using analysis::Property;

}  // namespace v1
}  // namespace faultline
