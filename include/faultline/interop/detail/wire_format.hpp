// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The wire format of protocol buffers (https://protobuf.dev/programming-guides/encoding): fields of a message as they
// lie there, and new ones. Enough to read a few fields of a large message and to copy the others as they are.

#include <faultline/config.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace faultline {
inline namespace v1 {
namespace detail {

/// How a field is stored.
enum class WireType : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

/// One field of a message.
struct WireField {
  std::uint64_t number = 0;
  WireType type = WireType::varint;
  std::uint64_t value = 0;     ///< of a varint
  std::string_view bytes;      ///< contents of a block, or of a number of fixed size
  std::string_view as_stored;  ///< key and contents
};

/// Takes an integer off the front; nothing where there is none.
inline std::optional<std::uint64_t> take_varint(std::string_view& rest) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < rest.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(rest[i]);
    value |= static_cast<std::uint64_t>(byte & 127u) << (7 * i);
    if (byte < 128) {
      rest.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

/// Takes a field off the front; nothing where there is none.
inline std::optional<WireField> take_field(std::string_view& rest) {
  const std::string_view begin = rest;
  const auto key = take_varint(rest);
  if (!key || *key >> 3 == 0) return std::nullopt;
  WireField field;
  field.number = *key >> 3;
  field.type = static_cast<WireType>(*key & 7u);
  std::uint64_t length = 0;
  switch (*key & 7u) {
    case 0:
    case 2: {
      const auto value = take_varint(rest);
      if (!value) return std::nullopt;
      (field.type == WireType::varint ? field.value : length) = *value;
      break;
    }
    case 1: length = 8; break;
    case 5: length = 4; break;
    default: return std::nullopt;
  }
  if (length > rest.size()) return std::nullopt;
  field.bytes = rest.substr(0, static_cast<std::size_t>(length));
  rest.remove_prefix(field.bytes.size());
  field.as_stored = begin.substr(0, begin.size() - rest.size());
  return field;
}

/// Calls visit(field) for every field of a message; false when the message breaks off or is none.
template <class Visit>
[[nodiscard]] bool each_field(std::string_view message, const Visit& visit) {
  while (!message.empty()) {
    const auto field = take_field(message);
    if (!field) return false;
    visit(*field);
  }
  return true;
}

inline void append_varint(std::string& message, std::uint64_t value) {
  for (; value > 127; value >>= 7) message += static_cast<char>((value & 127u) | 128u);
  message += static_cast<char>(value);
}

inline void append_number(std::string& message, std::uint64_t field, std::uint64_t value) {
  append_varint(message, field << 3);
  append_varint(message, value);
}

inline void append_block(std::string& message, std::uint64_t field, std::string_view contents) {
  append_varint(message, (field << 3) | 2u);
  append_varint(message, contents.size());
  message += contents;
}

inline void append_float(std::string& message, std::uint64_t field, float value) {
  append_varint(message, (field << 3) | 5u);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  message.append(bytes, sizeof value);
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
