// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The image properties that directions are named by unless the user says otherwise.

#include <faultline/analysis/problem/property.hpp>

#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

std::vector<Property> default_properties();

}  // namespace analysis

using analysis::default_properties;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/properties/detail/default_properties_impl.hpp>
#endif
