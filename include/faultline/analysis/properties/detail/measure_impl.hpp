// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/properties/measure.hpp.

#include <faultline/analysis/properties/measure.hpp>

#include <faultline/error.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE Matrix<float> measure_properties(std::span<const Property> properties, ImageView unit_images,
                                                  const classify::RowName& name) {
  const auto named = [&](std::int64_t i) { return name ? name(i) : "image " + std::to_string(i) + " of the batch"; };
  for (const Property& property : properties)
    if (!property.measure)
      throw Error(ErrorCode::invalid_argument, "measure_properties",
                  "property \"" + property.name + "\" has no measure; set Property::measure to a callable");
  Matrix<float> values(unit_images.count(), static_cast<std::int64_t>(properties.size()));
  for (std::int64_t i = 0; i < unit_images.count(); ++i) {
    for (std::size_t p = 0; p < properties.size(); ++p) {
      double value = 0.0;
      try {
        value = properties[p].measure(unit_images.image(i), unit_images.shape());
      } catch (const std::exception& error) {
        throw Error(ErrorCode::property_threw, "measure_properties",
                    "property \"" + properties[p].name + "\" threw on " + named(i) + ": " +
                        faultline::detail::foreign_text(error));
      } catch (...) {
        throw Error(ErrorCode::property_threw, "measure_properties",
                    "property \"" + properties[p].name + "\" threw something that is no std::exception on " + named(i));
      }
      const auto stored = static_cast<float>(value);
      if (!std::isfinite(stored))
        throw Error(ErrorCode::property_threw, "measure_properties",
                    "property \"" + properties[p].name + "\" returned " + std::to_string(value) + " on " + named(i) +
                        "; it must be finite for every image");
      values(i, static_cast<std::int64_t>(p)) = stored;
    }
  }
  return values;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
