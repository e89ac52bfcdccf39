// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Safetensors files with a SHA-256 inside: how generators, discriminators, classifiers and checkpoints are stored.
// Opening one never runs code.

#include <faultline/error.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {

/// What one element of a stored tensor is. Other types of the safetensors format are refused.
enum class ElementType {
  f32,  ///< float, in `TensorData::values`
  i64,  ///< 64-bit integer, in `TensorData::integers`
};

/// One tensor: row-major, its elements in `values` or in `integers` as `type` says. An empty `shape` is a single
/// number.
struct TensorData {
  std::vector<std::int64_t> shape = {};
  std::vector<float> values = {};
  std::vector<std::int64_t> integers = {};
  ElementType type = ElementType::f32;

  friend bool operator==(const TensorData&, const TensorData&) = default;
};

/// Contents of a safetensors file. After reading, `metadata["sha256"]` is the file's digest; before writing it need not
/// be there.
struct TensorFile {
  std::map<std::string, std::string> metadata = {};
  std::map<std::string, TensorData> tensors = {};

  /// The named tensor. **Throws** `missing_tensor`.
  [[nodiscard]] const TensorData& at(const std::string& name) const {
    const auto found = tensors.find(name);
    if (found == tensors.end())
      throw Error(ErrorCode::missing_tensor, "TensorFile",
                  "expected a tensor '" + name + "', the file has none of that name");
    return found->second;
  }
};

/// Whether the digest inside a file must match its contents. Everything else is checked in any case.
enum class Integrity { checked, unchecked };

/// What a reader accepts before it takes memory.
struct SafetensorsLimits {
  std::int64_t max_file_bytes = std::int64_t{1} << 32;
  std::int64_t max_header_bytes = std::int64_t{16} << 20;
  std::int64_t max_tensors = 65'536;
  std::int64_t max_rank = 8;
};

/// Reads a safetensors file and refuses everything that is not exactly one.
///
/// A file of this library (its `format` begins with `faultline.`) must carry a digest and match it, unless `unchecked`;
/// a file of another program may come without one. Which program's file it is, is the caller's question:
/// `require_format`.
/// **Throws** `cannot_open`; `bad_magic` when it does not begin as the format does; `truncated`; `oversized` for bytes
/// after the last tensor, for sizes beyond `limits` and for shapes whose product overflows; `malformed_header` for
/// broken JSON, duplicate or unknown keys, holes, overlaps and shapes that contradict their bytes; `digest_mismatch`;
/// `non_finite_weight` naming tensor and element; for an element type other than F32 and I64 `wrong_tensor_shape`, or
/// `foreign_format` in another program's file.
/// **Cost**: twice the file in memory, never more, whatever the header claims.
/// Example: `TensorFile file = read_safetensors("digits.safetensors"); const TensorData& w_avg =
/// file.at("mapping.w_avg");`
[[nodiscard]] TensorFile read_safetensors(const std::filesystem::path& path, const SafetensorsLimits& limits = {},
                                          Integrity integrity = Integrity::checked);

/// The same from memory; `name` stands for the file in messages.
[[nodiscard]] TensorFile decode_safetensors(std::span<const std::byte> bytes, const SafetensorsLimits& limits = {},
                                            Integrity integrity = Integrity::checked, std::string_view name = "memory");

/// Writes `file` with its digest, all or nothing (`AtomicFile`), and returns the digest. The same contents give the
/// same bytes.
///
/// **Throws** `shape_mismatch` when a shape does not fit its elements; `non_finite_weight`; `invalid_argument` for a
/// tensor called `__metadata__`, text that is not UTF-8 and anything beyond the default limits of a reader;
/// `cannot_write`, `not_durable`.
/// **Formula**: `sha256` is the hex digest of the JSON header (padding included, the 8-byte length excluded) with its
/// 64 digest characters replaced by `0`, followed by the data bytes.
/// Example: `write_safetensors("model.safetensors", {.metadata = {{"format", "faultline.classifier/1"}}, .tensors =
/// {{"fc.bias", {.shape = {2}, .values = {0, 1}}}}});`
std::string write_safetensors(const std::filesystem::path& path, const TensorFile& file);

/// The bytes that `write_safetensors` stores.
[[nodiscard]] std::vector<std::byte> encode_safetensors(const TensorFile& file);

/// Refuses a file of another program, version or kind, and metadata keys that the format does not know.
///
/// **Throws** `foreign_format` when `metadata["format"]` is not `format`; `malformed_header` for a key that is not in
/// `known_keys` (`format` and `sha256` always are).
/// Example: `require_format(file, "faultline.stylegan2/1");`
void require_format(const TensorFile& file, std::string_view format,
                    std::initializer_list<std::string_view> known_keys = {"config", "provenance", "extra"});

}  // namespace data

using data::Integrity;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/data/detail/safetensors_impl.hpp>
#endif
