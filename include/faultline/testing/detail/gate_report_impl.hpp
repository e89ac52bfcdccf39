// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of testing/gate_report.hpp.

#include <faultline/testing/gate_report.hpp>

#include <faultline/core/enum_text.hpp>
#include <faultline/core/number_text.hpp>
#include <faultline/data/described_json.hpp>
#include <faultline/testing/detail/verdict_text.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

/// Text as XML has it; characters that XML knows no way to write are question marks.
inline std::string xml_text(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '\n': result += "&#10;"; break;
      case '\t': result += "&#9;"; break;
      default: result += static_cast<unsigned char>(c) < 32 ? '?' : c;
    }
  }
  return result;
}

/// Text that stays in its cell of a Markdown table.
inline std::string cell(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '|' || c == '\\' || c == '`' || c == '*' || c == '_' || c == '<') result += '\\';
    result += c == '\n' || c == '\r' ? ' ' : c;
  }
  return result;
}

inline const char* verdict_word(GateVerdict verdict) {
  return verdict == GateVerdict::pass ? "pass" : verdict == GateVerdict::fail ? "**FAIL**" : "undecided";
}
inline const char* verdict_word(const GateResult& result) {
  return result.interrupted() ? "**error**" : verdict_word(result.verdict());
}

/// The statement that a table shows of a gate: of several the one against which most was found.
inline const GateStatement& foremost(const GateResult& result) {
  return *std::ranges::max_element(result.statements(), {}, &GateStatement::evidence_against);
}

inline data::DescribedJson::Json interval_json(const statistics::Interval& interval) {
  return {{"lower", data::DescribedJson::json_of(interval.lower)},
          {"upper", data::DescribedJson::json_of(interval.upper)}};
}

inline data::DescribedJson::Json gate_json(const NamedGate& gate) {
  const GateFindings& found = gate.result.findings();
  data::DescribedJson::Json json;
  json["name"] = gate.name;
  json["verdict"] = core::enumerator_of(found.verdict);
  json["holds"] = gate.result.holds();
  json["policy"] = found.policy;
  json["headline"] = found.headline;
  json["error"] = found.error;
  json["advice"] = found.advice;
  json["confidence"] = found.confidence;
  json["samples"] = found.samples;
  json["failures"] = found.failures;
  json["mode"] = core::enumerator_of(found.mode);
  json["evidence_against"] = data::DescribedJson::json_of(gate.result.evidence_against());
  json["statements"] = data::DescribedJson::Json::array();
  for (const GateStatement& statement : found.statements) {
    data::DescribedJson::Json one;
    one["name"] = statement.name;
    one["verdict"] = core::enumerator_of(statement.verdict);
    one["samples"] = statement.samples;
    one["failures"] = statement.failures;
    one["estimate"] = data::DescribedJson::json_of(statement.estimate);
    one["interval"] = interval_json(statement.interval);
    one["bound"] = data::DescribedJson::json_of(statement.bound);
    one["evidence_against"] = data::DescribedJson::json_of(statement.evidence_against);
    one["text"] = statement.text;
    json["statements"].push_back(std::move(one));
  }
  json["notes"] = found.notes;
  json["pictures"] = found.pictures;
  json["run"] = data::DescribedJson::json_of(found.run);
  json["replay"] = found.replay;
  return json;
}

}  // namespace detail

FAULTLINE_INLINE std::string junit_xml(const SuiteResult& result, const std::string& suite_name) {
  std::size_t failures = 0, errors = 0, skipped = 0;
  std::string cases;
  for (const NamedGate& gate : result.gates()) {
    const std::string open =
        "  <testcase classname=\"" + detail::xml_text(suite_name) + "\" name=\"" + detail::xml_text(gate.name) + "\"";
    const std::string headline = detail::xml_text(gate.result.findings().headline);
    const std::string text = detail::xml_text(gate.result.explain());
    if (gate.result.passed()) {
      cases += open + ">\n    <system-out>" + text + "</system-out>\n  </testcase>\n";
    } else if (gate.result.holds()) {
      ++skipped;
      cases += open + ">\n    <skipped message=\"undecided: " + headline + "\"/>\n    <system-out>" + text +
               "</system-out>\n  </testcase>\n";
    } else if (gate.result.interrupted()) {
      ++errors;
      cases += open + ">\n    <error message=\"" + detail::xml_text(gate.result.findings().error) + "\">" + text +
               "</error>\n  </testcase>\n";
    } else {
      ++failures;
      cases += open + ">\n    <failure message=\"" + headline + "\">" + text + "</failure>\n  </testcase>\n";
    }
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"" + detail::xml_text(suite_name) +
         "\" tests=\"" + std::to_string(result.gates().size()) + "\" failures=\"" + std::to_string(failures) +
         "\" errors=\"" + std::to_string(errors) + "\" skipped=\"" + std::to_string(skipped) + "\">\n" + cases +
         "</testsuite>\n";
}

FAULTLINE_INLINE std::string markdown_summary(const SuiteResult& result, const std::string& title) {
  std::string text = "## " + detail::cell(title) + ": " + detail::verdict_word(result.verdict()) + "\n\n";
  text += "| gate | verdict | what was found |\n|---|---|---|\n";
  for (const NamedGate& gate : result.gates())
    text += "| " + detail::cell(gate.name) + " | " + detail::verdict_word(gate.result) + " | " +
            detail::cell(gate.result.findings().headline + " " + detail::foremost(gate.result).text) + " |\n";
  for (const NamedGate& gate : result.gates()) {
    if (gate.result.passed()) continue;
    std::string lines = gate.result.explain();
    for (std::size_t at = 0; (at = lines.find("```", at)) != std::string::npos;) lines.replace(at, 3, "'''");
    text += "\n<details><summary>" + detail::xml_text(gate.name) + "</summary>\n\n```text\n" + lines +
            "\n```\n\n</details>\n";
  }
  if (result.confidence() < 1.0)
    text += "\nAll of this holds together with probability " + rounded_text(result.confidence(), 3) + ".\n";
  return text;
}

FAULTLINE_INLINE std::string to_json(const SuiteResult& result) {
  data::DescribedJson::Json json;
  json["schema"] = "faultline.gates/1";
  json["verdict"] = core::enumerator_of(result.verdict());
  json["holds"] = result.holds();
  json["confidence"] = result.confidence();
  json["failing"] = result.failing();
  json["gates"] = data::DescribedJson::Json::array();
  for (const NamedGate& gate : result.gates()) json["gates"].push_back(detail::gate_json(gate));
  return json.dump(1, ' ', false, data::DescribedJson::Json::error_handler_t::replace) + "\n";
}

}  // namespace testing
}  // namespace v1
}  // namespace faultline
