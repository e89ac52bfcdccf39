// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Reports as JSON: described structures, see data/described_json.hpp.

#include <faultline/data/described_json.hpp>

namespace faultline {
inline namespace v1 {
namespace render {

using Json = data::DescribedJson::Json;
using data::described_text;
using data::DescribedJson;

}  // namespace render
}  // namespace v1
}  // namespace faultline
