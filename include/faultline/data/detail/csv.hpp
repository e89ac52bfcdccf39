// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Comma-separated tables after RFC 4180, with what spreadsheets add: a byte order mark, spaces about a field, any line
// end, empty lines.

#include <faultline/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {
namespace detail {

/// Fields in quotes for a message, control characters as numbers, at most 60 bytes of each.
[[nodiscard]] inline std::string shown(std::string_view text) {
  std::string out = "'";
  for (const char c : text.substr(0, 60)) {
    const auto code = static_cast<unsigned char>(c);
    if (code >= 0x20 && code != 0x7f) {
      out += c;
    } else {
      out += std::string("\\x") + "0123456789abcdef"[code >> 4] + "0123456789abcdef"[code & 15];
    }
  }
  return out + (text.size() > 60 ? "...'" : "'");
}

[[nodiscard]] inline std::string shown(const std::vector<std::string>& fields) {
  std::string text;
  for (const std::string& field : fields) text += (text.empty() ? "" : ", ") + shown(field);
  return text;
}

/// One record and the line on which it begins, from 1.
struct CsvRecord {
  std::int64_t line = 0;
  std::vector<std::string> fields = {};
};

/// All records of a table that are not empty lines. A field in double quotes is taken as it is, doubled quotes made
/// single; others lose the spaces and tabs about them.
///
/// **Throws** `malformed_header` with `where` and the line for a quote that is not closed, text after one that is, and
/// text that is not UTF-8 but UTF-16.
[[nodiscard]] inline std::vector<CsvRecord> parse_csv(std::string_view text, std::string_view where) {
  std::int64_t line = 1;
  const auto refuse = [&](const std::string& what) {
    return Error(ErrorCode::malformed_header, where, "line " + std::to_string(line) + ": " + what);
  };
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff") || text.find('\0') != std::string_view::npos)
    throw refuse("expected text in UTF-8, got UTF-16 or zero bytes; save it as UTF-8");
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);

  std::vector<CsvRecord> records;
  std::size_t at = 0;
  const auto skip_blanks = [&] {
    while (at < text.size() && is_blank(text[at])) ++at;
  };
  const auto field_ends = [&] { return at == text.size() || text[at] == ',' || text[at] == '\n' || text[at] == '\r'; };
  const auto quoted = [&] {
    std::string field;
    const std::int64_t opened = line;
    for (++at;; ++at) {
      if (at == text.size()) {
        line = opened;
        throw refuse("a double quote is not closed");
      }
      if (text[at] == '"') {
        if (at + 1 == text.size() || text[at + 1] != '"') break;
        ++at;
      }
      if (text[at] == '\n') ++line;
      field += text[at];
    }
    ++at;
    skip_blanks();
    if (!field_ends())
      throw refuse("expected a comma or the end of the line after " + shown(field) + " in double quotes, got " +
                   shown(text.substr(at, 1)));
    return field;
  };
  const auto plain = [&] {
    const std::size_t start = at;
    while (!field_ends()) ++at;
    std::size_t end = at;
    while (end > start && is_blank(text[end - 1])) --end;
    return std::string(text.substr(start, end - start));
  };
  while (at < text.size()) {
    CsvRecord record{line, {}};
    bool any = false;
    for (bool more = true; more;) {
      skip_blanks();
      const bool opens = at < text.size() && text[at] == '"';
      record.fields.push_back(opens ? quoted() : plain());
      any = any || opens || !record.fields.back().empty();
      more = at < text.size() && text[at] == ',';
      if (more) ++at;
    }
    if (at < text.size()) at += text.substr(at).starts_with("\r\n") ? 2 : 1;
    ++line;
    if (any || record.fields.size() > 1) records.push_back(std::move(record));
  }
  return records;
}

}  // namespace detail
}  // namespace data
}  // namespace v1
}  // namespace faultline
