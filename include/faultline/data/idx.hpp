// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// IDX files of unsigned bytes, plain or gzip: the format of MNIST and its relatives (described on the MNIST page of
// LeCun, Cortes, Burges).

#include <faultline/error.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {

/// An array of bytes, row-major.
struct IdxArray {
  std::vector<std::int64_t> shape = {};
  std::vector<std::uint8_t> values = {};
};

/// What a reader accepts: the size of the file as stored, the size once unpacked, and the number of dimensions.
struct IdxLimits {
  std::int64_t max_file_bytes = std::int64_t{1} << 30;
  std::int64_t max_elements = std::int64_t{1} << 30;
  std::int64_t max_rank = 4;
};

/// Reads an IDX file of element type 0x08 (unsigned byte); gzip is recognised by its first two bytes, not by the name.
/// Its members may be several (as cat, pigz and bgzip leave them), and zeros may follow the last.
///
/// **Throws** `cannot_open`; `bad_magic` when it does not begin with 0, 0, 8, rank; `truncated`; `oversized` for bytes
/// after the last element or the gzip stream and for sizes beyond `limits`; `malformed_header` for rank 0;
/// `corrupt_compression` for a damaged gzip stream (its CRC is checked).
/// **Cost**: the stored and the unpacked bytes in memory; what a header merely claims takes none.
/// Example: `IdxArray images = read_idx("train-images-idx3-ubyte.gz");   // shape {60000, 28, 28}`
[[nodiscard]] IdxArray read_idx(const std::filesystem::path& path, const IdxLimits& limits = {});

/// The same from memory; `name` stands for the file in messages.
[[nodiscard]] IdxArray decode_idx(std::span<const std::byte> bytes, const IdxLimits& limits = {},
                                  std::string_view name = "memory");

}  // namespace data
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/data/detail/idx_impl.hpp>
#endif
