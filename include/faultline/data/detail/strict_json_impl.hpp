// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of data/strict_json.hpp.

#include <faultline/data/strict_json.hpp>

#include <faultline/error.hpp>

#include <nlohmann/json.hpp>

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {

FAULTLINE_INLINE nlohmann::json parse_strict_json(std::string_view text, std::string_view where) {
  const auto refuse = [&](const std::string& what) { return Error(ErrorCode::malformed_header, where, what); };
  if (text.find('\0') != std::string_view::npos) throw refuse("zero byte in a JSON text");
  std::vector<std::set<std::string>> open;
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    if (depth > 64) throw refuse("JSON nested deeper than 64");
    if (event == nlohmann::json::parse_event_t::object_start) open.emplace_back();
    if (event == nlohmann::json::parse_event_t::object_end) open.pop_back();
    if (event == nlohmann::json::parse_event_t::key && !open.back().insert(value.get<std::string>()).second)
      throw refuse("two entries '" + value.get<std::string>() + "' in one JSON object");
    return true;
  };
  try {
    return nlohmann::json::parse(text.begin(), text.end(), watch);
  } catch (const nlohmann::json::exception& reason) {
    throw refuse(std::string("no valid JSON: ") + reason.what());
  }
}

}  // namespace data
}  // namespace v1
}  // namespace faultline
