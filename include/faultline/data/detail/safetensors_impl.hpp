// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of data/safetensors.hpp.

#include <faultline/data/safetensors.hpp>

#include <faultline/core/atomic_file.hpp>
#include <faultline/core/sha256.hpp>
#include <faultline/data/detail/safetensors_header.hpp>

#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

static_assert(std::endian::native == std::endian::little,
              "safetensors files are little endian, and so must the machine be");

namespace faultline {
inline namespace v1 {
namespace data {

inline constexpr std::size_t digest_characters = 64;
inline constexpr std::string_view digest_marker = "\"sha256\":\"";

/// Product of the dimensions, or nothing when it (or one of its partial products) exceeds 63 bits.
inline std::optional<std::int64_t> checked_product(std::span<const std::int64_t> shape) {
  std::int64_t product = 1;
  for (const std::int64_t extent : shape) {
    if (extent < 0 || (extent > 0 && product > std::numeric_limits<std::int64_t>::max() / extent)) return std::nullopt;
    product *= extent;
  }
  return product;
}

inline std::string shape_text(std::span<const std::int64_t> shape, const char* separator = ", ") {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : separator) + std::to_string(shape[i]);
  return text + "]";
}

/// A JSON string. Not through a JSON document, whose destructor aborts when memory ran out while it was filled.
inline std::string json_text(std::string_view plain) {
  std::string text = "\"";
  for (const char c : plain) {
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      text += std::string("\\u00") + "0123456789abcdef"[c >> 4] + "0123456789abcdef"[c & 15];
    } else {
      text += c;
    }
  }
  return text + "\"";
}

/// The digest as the format defines it; `header` already has zeros in place of the digest.
inline std::string container_digest(std::string_view header, std::span<const std::byte> data) {
  core::Sha256 hash;
  hash.update(std::as_bytes(std::span(header.data(), header.size())));
  hash.update(data);
  return hash.hex();
}

inline void require_finite(std::span<const float> values, const std::string& tensor, std::string_view file) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      throw Error(ErrorCode::non_finite_weight, "safetensors",
                  "element " + std::to_string(i) + " of tensor '" + tensor + "' in '" + std::string(file) +
                      "' is NaN or infinite");
    }
  }
}

inline void require_writable(const std::string& name, const TensorData& tensor) {
  const bool is_f32 = tensor.type == ElementType::f32;
  const std::size_t held = is_f32 ? tensor.values.size() : tensor.integers.size();
  const std::size_t strangers = is_f32 ? tensor.integers.size() : tensor.values.size();
  const auto elements = checked_product(tensor.shape);
  if (!elements || static_cast<std::size_t>(*elements) != held || strangers != 0) {
    throw Error(ErrorCode::shape_mismatch, "write_safetensors",
                "tensor '" + name + "' of shape " + shape_text(tensor.shape) + " holds " + std::to_string(held) +
                    " elements of its type and " + std::to_string(strangers) + " of the other");
  }
  if (name == "__metadata__")
    throw Error(ErrorCode::invalid_argument, "write_safetensors", "a tensor cannot be called '__metadata__'");
  require_finite(tensor.values, name, "the tensors to write");
}

inline bool claims_our_format(const std::map<std::string, std::string>& metadata) {
  const auto format = metadata.find("format");
  return format != metadata.end() && format->second.rfind("faultline.", 0) == 0;
}

inline void require_digest(const std::map<std::string, std::string>& metadata, std::string header,
                           std::span<const std::byte> data, const std::string& name) {
  const auto refuse = [&](const std::string& what) {
    return Error(ErrorCode::digest_mismatch, "read_safetensors", "'" + name + "' " + what);
  };
  const auto stored = metadata.find("sha256");
  if (stored == metadata.end()) {
    if (claims_our_format(metadata))
      throw refuse("carries no sha256 in its metadata; write it again with write_safetensors");
    return;  // another program's file
  }
  // The digest has to be in the header literally, or it would be unclear which characters it leaves out. Where it is
  // there twice it cannot match: it would have to hash itself.
  const std::size_t position = header.find(stored->second);
  if (stored->second.size() != digest_characters || position == std::string::npos) {
    throw refuse("has a sha256 entry that is not 64 hexadecimal digits");
  }
  header.replace(position, digest_characters, digest_characters, '0');
  const std::string found = container_digest(header, data);
  if (found != stored->second)
    throw refuse("is damaged: its contents have the SHA-256 " + found + ", stored is " + stored->second +
                 "; fetch it again");
}

/// Checks that the tensors tile the data bytes without hole or overlap, and each shape against its bytes.
inline void require_layout(const detail::SafetensorsHeader& header, std::int64_t data_bytes,
                           const SafetensorsLimits& limits, const std::string& name) {
  const auto refuse = [&](ErrorCode code, const std::string& what) {
    return Error(code, "read_safetensors", "'" + name + "': " + what);
  };
  std::vector<std::pair<std::vector<std::int64_t>, const std::string*>> order;
  for (const auto& [tensor, entry] : header.tensors) {
    const std::int64_t width = entry.type == "F32" ? 4 : entry.type == "I64" ? 8 : 0;
    if (width == 0) {
      throw refuse(
          claims_our_format(header.metadata) ? ErrorCode::wrong_tensor_shape : ErrorCode::foreign_format,
          "tensor '" + tensor + "' has element type '" + entry.type + "', expected F32 or I64; convert the file first");
    }
    const auto elements = checked_product(entry.shape);
    if (!elements || *elements > limits.max_file_bytes / width)
      throw refuse(ErrorCode::oversized, "tensor '" + tensor + "' states the shape " + shape_text(entry.shape));
    if (entry.offsets[1] < entry.offsets[0] || entry.offsets[1] - entry.offsets[0] != *elements * width) {
      throw refuse(ErrorCode::malformed_header, "tensor '" + tensor + "' of shape " + shape_text(entry.shape) +
                                                    " does not fit its data_offsets " + shape_text(entry.offsets));
    }
    order.emplace_back(entry.offsets, &tensor);
  }
  std::sort(order.begin(), order.end());
  std::int64_t end = 0;
  for (const auto& [offsets, tensor] : order) {
    if (offsets[0] != end) {
      throw refuse(ErrorCode::malformed_header, std::string(offsets[0] < end ? "overlap" : "hole") +
                                                    " before tensor '" + *tensor + "' at data byte " +
                                                    std::to_string(offsets[0]));
    }
    end = offsets[1];
  }
  if (data_bytes != end) {
    throw refuse(
        data_bytes < end ? ErrorCode::truncated : ErrorCode::oversized,
        "the tensors take " + std::to_string(end) + " bytes, the file has " + std::to_string(data_bytes) + " for them");
  }
}

FAULTLINE_INLINE TensorFile decode_safetensors(std::span<const std::byte> bytes, const SafetensorsLimits& limits,
                                               Integrity integrity, std::string_view file_name) {
  const std::string name(file_name);
  const auto refuse = [&](ErrorCode code, const std::string& what) {
    return Error(code, "read_safetensors", "'" + name + "' " + what);
  };
  if (static_cast<std::int64_t>(bytes.size()) > limits.max_file_bytes)
    throw refuse(ErrorCode::oversized, "has more than " + std::to_string(limits.max_file_bytes) + " bytes");
  if (bytes.size() > 8 && bytes[8] != std::byte{'{'})
    throw refuse(ErrorCode::bad_magic, "is no safetensors file: byte 8 is not '{'");
  if (bytes.size() < 10)
    throw refuse(ErrorCode::truncated,
                 "has " + std::to_string(bytes.size()) + " bytes, fewer than the smallest safetensors file");
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), sizeof header_bytes);
  if (header_bytes > static_cast<std::uint64_t>(limits.max_header_bytes))
    throw refuse(ErrorCode::oversized, "states a header of " + std::to_string(header_bytes) + " bytes");
  if (header_bytes > bytes.size() - 8)
    throw refuse(ErrorCode::truncated, "ends within its header of " + std::to_string(header_bytes) + " bytes");

  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + 8, static_cast<std::size_t>(header_bytes));
  const std::span<const std::byte> data = bytes.subspan(8 + static_cast<std::size_t>(header_bytes));
  detail::SafetensorsHeader header = detail::SafetensorsHeaderReader(limits, name).read(text);
  require_layout(header, static_cast<std::int64_t>(data.size()), limits, name);
  if (integrity == Integrity::checked) require_digest(header.metadata, std::string(text), data, name);

  TensorFile file;
  file.metadata = std::move(header.metadata);
  for (auto& [tensor, entry] : header.tensors) {
    TensorData& target = file.tensors[tensor];
    target.type = entry.type == "F32" ? ElementType::f32 : ElementType::i64;
    target.shape = std::move(entry.shape);
    const auto source = data.subspan(static_cast<std::size_t>(entry.offsets[0]),
                                     static_cast<std::size_t>(entry.offsets[1] - entry.offsets[0]));
    const auto copy_to = [&](auto& elements) {
      elements.resize(source.size() / sizeof elements[0]);
      if (!source.empty()) std::memcpy(elements.data(), source.data(), source.size());
    };
    if (target.type == ElementType::f32) {
      copy_to(target.values);
      require_finite(target.values, tensor, name);
    } else {
      copy_to(target.integers);
    }
  }
  return file;
}

FAULTLINE_INLINE TensorFile read_safetensors(const std::filesystem::path& path, const SafetensorsLimits& limits,
                                             Integrity integrity) {
  return decode_safetensors(core::read_file(path, limits.max_file_bytes), limits, integrity, path.string());
}

FAULTLINE_INLINE std::vector<std::byte> encode_safetensors(const TensorFile& file) {
  std::map<std::string, std::string> metadata = file.metadata;
  metadata["sha256"] = std::string(digest_characters, '0');
  std::string text = "{\"__metadata__\":{";
  for (const auto& [key, value] : metadata)
    text += (text.back() == '{' ? "" : ",") + json_text(key) + ":" + json_text(value);
  text += "}";

  std::vector<std::byte> data;
  // Wide elements first, so that every tensor is aligned
  for (const ElementType type : {ElementType::i64, ElementType::f32}) {
    for (const auto& [name, tensor] : file.tensors) {
      if (tensor.type != type) continue;
      require_writable(name, tensor);
      const auto source = type == ElementType::f32 ? std::as_bytes(std::span(tensor.values))
                                                   : std::as_bytes(std::span(tensor.integers));
      const std::string end = std::to_string(data.size() + source.size());
      text += "," + json_text(name) + ":{\"dtype\":" + (type == ElementType::f32 ? "\"F32\"" : "\"I64\"") +
              ",\"shape\":" + shape_text(tensor.shape, ",") + ",\"data_offsets\":[" + std::to_string(data.size()) +
              "," + end + "]}";
      data.insert(data.end(), source.begin(), source.end());
    }
  }
  text += "}";
  text.resize((text.size() + 7) / 8 * 8, ' ');
  // What cannot be read must not be written: text that is not UTF-8, more than the default limits allow.
  try {
    (void)detail::SafetensorsHeaderReader({}, "the file to write").read(text);
  } catch (const Error& reason) {
    throw Error(ErrorCode::invalid_argument, "write_safetensors",
                std::string("names and metadata have to be UTF-8 and within the default limits: ") + reason.what());
  }
  // Quotes inside JSON texts are escaped, so this can only be the entry itself.
  const std::string digest = container_digest(text, data);
  text.replace(text.find(digest_marker) + digest_marker.size(), digest_characters, digest);

  const auto header_bytes = static_cast<std::uint64_t>(text.size());
  std::vector<std::byte> bytes;
  bytes.reserve(8 + text.size() + data.size());
  bytes.resize(8 + text.size());
  std::memcpy(bytes.data(), &header_bytes, 8);
  std::memcpy(bytes.data() + 8, text.data(), text.size());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

FAULTLINE_INLINE std::string write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  const std::vector<std::byte> bytes = encode_safetensors(file);
  core::write_file_atomically(path, bytes);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return std::string(text.substr(text.find(digest_marker) + digest_marker.size(), digest_characters));
}

FAULTLINE_INLINE void require_format(const TensorFile& file, std::string_view format,
                                     std::initializer_list<std::string_view> known_keys) {
  const auto found = file.metadata.find("format");
  if (found == file.metadata.end() || found->second != format) {
    throw Error(ErrorCode::foreign_format, "require_format",
                "expected a file of format '" + std::string(format) + "', got " +
                    (found == file.metadata.end() ? "one that states no format" : "'" + found->second + "'"));
  }
  for (const auto& [key, value] : file.metadata) {
    if (key != "format" && key != "sha256" &&
        std::find(known_keys.begin(), known_keys.end(), key) == known_keys.end()) {
      throw Error(ErrorCode::malformed_header, "require_format",
                  "unknown metadata entry '" + key + "' in a file of format '" + std::string(format) +
                      "'; additions belong into 'extra'");
    }
  }
}

}  // namespace data
}  // namespace v1
}  // namespace faultline
