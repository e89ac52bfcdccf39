// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/properties/default_properties.hpp.

#include <faultline/analysis/properties/default_properties.hpp>

#include <faultline/analysis/properties/color.hpp>
#include <faultline/analysis/properties/edge_width.hpp>
#include <faultline/analysis/properties/ink_shape.hpp>
#include <faultline/analysis/properties/intensity.hpp>
#include <faultline/analysis/properties/loops.hpp>
#include <faultline/analysis/properties/noise_level.hpp>
#include <faultline/analysis/properties/stroke_thickness.hpp>
#include <faultline/error.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE std::vector<Property> default_properties() {
  return {
      {"noise level", noise_level},
      {"blur", edge_width, true, true, "px"},
      {"contrast", contrast},
      {"mean intensity", mean_intensity, true, false},
      {"ink area", ink_area, true, false},
      {"stroke thickness", stroke_thickness, true, false, "px"},
      {"slant", slant},
      {"width", ink_width, true, true, "px"},
      {"height", ink_height, true, true, "px"},
      {"horizontal position", horizontal_position, true, true, "px"},
      {"vertical position", vertical_position, true, true, "px"},
      {"loops", loops, true, false},
      {"saturation", saturation, true, true, "", 3},
      {"hue spread", hue_spread, true, false, "", 3},
      {"colour cast", color_cast, true, false, "", 3},
  };
}

FAULTLINE_INLINE Property property_named(std::string_view name) {
  std::string known;
  for (Property& property : default_properties()) {
    if (property.name == name) return std::move(property);
    known += (known.empty() ? "" : ", ") + property.name;
  }
  throw Error(ErrorCode::invalid_argument, "property_named",
              "there is no property \"" + std::string(name) + "\"; there are " + known);
}

}  // namespace analysis

}  // namespace v1
}  // namespace faultline
