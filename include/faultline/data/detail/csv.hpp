// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Comma-separated tables after RFC 4180, with what spreadsheets add: a byte order mark, spaces about a field, any line
// end, empty lines. Read record by record, so that a table of any length takes the memory of one record.

#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
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

/// The first ten of them.
[[nodiscard]] inline std::string shown(const std::vector<std::string>& fields) {
  std::string text;
  for (std::size_t i = 0; i < fields.size() && i < 10; ++i) text += (text.empty() ? "" : ", ") + shown(fields[i]);
  return fields.size() > 10 ? text + ", ..." : text;
}

/// One record and the line on which it begins, from 1.
struct CsvRecord {
  std::int64_t line = 0;
  std::vector<std::string> fields = {};
};

/// Hands out a table's records one after the other.
///
/// A field in double quotes is taken as it is, doubled quotes made single; others lose the spaces and tabs about them.
/// **Throws** `malformed_header` with `where` and the line for a quote that is not closed, text after one that is, and
/// text that is not UTF-8 but UTF-16; `oversized` for a record of more than 16 MiB or a million fields, as a quote too
/// many makes of the rest of a table.
class CsvReader {
 public:
  /// Fills as much of a buffer as it can and returns how much that was; 0 at the end.
  using Source = std::function<std::size_t(std::span<char>)>;

  CsvReader(Source source, std::string_view where) : source_(std::move(source)), where_(where) {
    while (filled_ < 3 && fill()) {}
    const std::string_view begin(buffer_.data(), filled_);
    if (begin.starts_with("\xff\xfe") || begin.starts_with("\xfe\xff")) throw not_utf8();
    if (begin.starts_with("\xef\xbb\xbf")) at_ = 3;
  }

  /// The next record that is not an empty line, valid until the next call; nothing at the end.
  [[nodiscard]] const CsvRecord* next() {
    while (peek() != end) {
      record_.line = line_;
      std::size_t count = 0;
      bool any = false;
      bytes_ = 0;
      for (bool more = true; more;) {
        skip_blanks();
        if (count == record_.fields.size()) add_field();
        std::string& field = record_.fields[count++];
        field.clear();
        const bool opens = peek() == '"';
        if (opens) read_quoted(field);
        else read_plain(field);
        any = any || opens || !field.empty();
        more = peek() == ',';
        if (more) take();
      }
      if (peek() == '\r') take();
      if (peek() == '\n') take();
      ++line_;
      record_.fields.resize(count);
      if (any || count > 1) return &record_;
    }
    return nullptr;
  }

 private:
  static constexpr int end = -1;
  static constexpr std::int64_t longest_record = std::int64_t{1} << 24;
  static constexpr std::int64_t most_fields = limits::classes + 2;

  [[nodiscard]] Error refuse(const std::string& what, ErrorCode code = ErrorCode::malformed_header) const {
    return Error(code, where_, "line " + std::to_string(line_) + ": " + what);
  }
  [[nodiscard]] Error not_utf8() const {
    return refuse("expected text in UTF-8, got UTF-16 or zero bytes; save it as UTF-8");
  }

  /// Appends to the buffer; false at the end.
  bool fill() {
    const std::size_t got = source_(std::span<char>(buffer_).subspan(filled_));
    if (std::memchr(buffer_.data() + filled_, '\0', got) != nullptr) throw not_utf8();
    filled_ += got;
    return got > 0;
  }
  [[nodiscard]] int peek() {
    if (at_ == filled_) {
      at_ = filled_ = 0;
      if (!fill()) return end;
    }
    return static_cast<unsigned char>(buffer_[at_]);
  }
  char take() {
    if (++bytes_ > longest_record) {
      line_ = record_.line;
      throw refuse("expected a record of at most 16 MiB; is there a double quote too many?", ErrorCode::oversized);
    }
    return buffer_[at_++];
  }

  void add_field() {
    if (static_cast<std::int64_t>(record_.fields.size()) == most_fields)
      throw refuse("expected at most " + std::to_string(most_fields) + " fields in a record", ErrorCode::oversized);
    record_.fields.emplace_back();
  }

  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t') take();
  }
  [[nodiscard]] bool field_ends() {
    const int c = peek();
    return c == end || c == ',' || c == '\n' || c == '\r';
  }
  void read_plain(std::string& field) {
    while (!field_ends()) field += take();
    const std::size_t last = field.find_last_not_of(" \t");
    field.resize(last == std::string::npos ? 0 : last + 1);
  }
  void read_quoted(std::string& field) {
    const std::int64_t opened = line_;
    for (take();;) {
      if (peek() == end) {
        line_ = opened;
        throw refuse("a double quote is not closed");
      }
      const char c = take();
      if (c == '"') {
        if (peek() != '"') break;
        take();
      }
      if (c == '\n') ++line_;
      field += c;
    }
    skip_blanks();
    if (!field_ends())
      throw refuse("expected a comma or the end of the line after " + shown(field) + " in double quotes, got " +
                   shown(std::string(1, static_cast<char>(peek()))));
  }

  Source source_;
  std::string where_;
  std::vector<char> buffer_ = std::vector<char>(1 << 16);
  std::size_t at_ = 0;
  std::size_t filled_ = 0;
  std::int64_t bytes_ = 0;  ///< of this record
  std::int64_t line_ = 1;
  CsvRecord record_;
};

/// The bytes of a text, for a `CsvReader`; the text must outlive it.
[[nodiscard]] inline CsvReader::Source csv_source(std::string_view text) {
  return [text](std::span<char> out) mutable {
    const std::size_t count = std::min(out.size(), text.size());
    std::copy_n(text.begin(), count, out.begin());
    text.remove_prefix(count);
    return count;
  };
}

/// The bytes of a file, for a `CsvReader`. **Throws** `cannot_open`, here and while it is read.
[[nodiscard]] inline CsvReader::Source csv_file(const std::filesystem::path& path, const std::string& where) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw Error(ErrorCode::cannot_open, where, "expected a file, got a folder");
  errno = 0;
  const auto file = std::make_shared<std::ifstream>(path, std::ios::binary);
  if (!*file) throw Error(ErrorCode::cannot_open, where, std::generic_category().message(errno));
  return [file, where](std::span<char> out) {
    file->read(out.data(), static_cast<std::streamsize>(out.size()));
    if (file->bad()) throw Error(ErrorCode::cannot_open, where, std::generic_category().message(errno));
    return static_cast<std::size_t>(file->gcount());
  };
}

/// All records of a table. **Throws** as `CsvReader`.
[[nodiscard]] inline std::vector<CsvRecord> parse_csv(std::string_view text, std::string_view where) {
  CsvReader reader(csv_source(text), where);
  std::vector<CsvRecord> records;
  while (const CsvRecord* record = reader.next()) records.push_back(*record);
  return records;
}

}  // namespace detail
}  // namespace data
}  // namespace v1
}  // namespace faultline
