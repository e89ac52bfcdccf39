// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/data/strict_json.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

using faultline::ErrorCode;
using faultline::data::parse_strict_json;
using faultline_tests::error_code;
using faultline_tests::error_text;

TEST_CASE("JSON in which equal keys stand in different objects is read", "[strict_json]") {
  const auto value = parse_strict_json(R"({"a": {"b": 1}, "b": [{"b": 2}, {"b": 3}], "c": null})", "test");
  CHECK(value["b"][1]["b"] == 3);
  CHECK(parse_strict_json("[1, 2]", "test").size() == 2);
}

TEST_CASE("Equal keys in one object, broken and bottomless JSON are refused", "[strict_json]") {
  for (const std::string& text : std::vector<std::string>{
           R"({"a": 1, "a": 2})", R"({"a": [{"x": 1, "y": 2, "x": 1}]})", R"({"a": 1, "\u0061": 2})", "{", "", "{} {}",
           R"({"a": 01})", std::string("{}\0", 3), "{\"a\": \"\xff\"}", std::string(200'000, '['),
           std::string(100, '[') + std::string(100, ']')}) {
    INFO(text.substr(0, 40));
    CHECK(error_code([&] { (void)parse_strict_json(text, "test"); }) == ErrorCode::malformed_header);
  }
  CHECK(error_text([] {
          (void)parse_strict_json(R"({"colour": 1, "colour": 2})", "here");
        }).find("here: two entries 'colour'") != std::string::npos);
}
