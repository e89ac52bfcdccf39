// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The image properties that directions are named by unless the user says otherwise.

#include <faultline/analysis/problem/property.hpp>

#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

std::vector<Property> default_properties();

/// The default property of this name. **Throws** `invalid_argument` for a name that none has, with those there are.
///
/// Example: `property_named("blur")`
[[nodiscard]] Property property_named(std::string_view name);

}  // namespace analysis

using analysis::default_properties;
using analysis::property_named;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/properties/detail/default_properties_impl.hpp>
#endif
