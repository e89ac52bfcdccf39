// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// JSON in which no key occurs twice: the library's parser would keep the last one and say nothing.

#include <faultline/config.hpp>

#include <nlohmann/json.hpp>

#include <string_view>

namespace faultline {
inline namespace v1 {
namespace data {

/// Parses a JSON text. **Throws** `malformed_header` with `where` for broken JSON, a zero byte, nesting beyond 64 and
/// two equal keys in one object.
[[nodiscard]] nlohmann::json parse_strict_json(std::string_view text, std::string_view where);

}  // namespace data
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/data/detail/strict_json_impl.hpp>
#endif
