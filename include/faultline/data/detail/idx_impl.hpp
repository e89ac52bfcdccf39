// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of data/idx.hpp.

#include <faultline/data/idx.hpp>

#include <faultline/core/atomic_file.hpp>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>

namespace faultline {
inline namespace v1 {
namespace data {
namespace detail {

/// Hands out unpacked bytes in order, from plain or gzip-compressed memory. As RFC 1952 and gzip have it, members that
/// follow each other are one stream, and zeros after the last are padding.
class IdxSource {
 public:
  IdxSource(std::span<const std::byte> bytes, std::string_view name) : rest_(bytes), name_(name) {
    if (!begins_member()) return;
    inflater_ = std::make_unique<z_stream>();
    if (inflateInit2(inflater_.get(), 15 + 16) != Z_OK)
      throw Error(ErrorCode::corrupt_compression, "read_idx", "could not start zlib for '" + name_ + "'");
  }
  ~IdxSource() {
    if (inflater_) inflateEnd(inflater_.get());
  }
  IdxSource(const IdxSource&) = delete;
  IdxSource& operator=(const IdxSource&) = delete;

  /// Fills as much of `out` as there is and returns how much that was.
  std::size_t take(std::span<std::uint8_t> out) {
    if (inflater_) return inflate_into(out);
    const std::size_t count = std::min(out.size(), rest_.size());
    if (count > 0) std::memcpy(out.data(), rest_.data(), count);
    rest_ = rest_.subspan(count);
    return count;
  }

  /// How many stored bytes follow that belong to nothing; call at the end.
  [[nodiscard]] std::size_t leftover() const noexcept { return rest_.size(); }

 private:
  [[nodiscard]] bool begins_member() const noexcept {
    return rest_.size() >= 2 && rest_[0] == std::byte{0x1f} && rest_[1] == std::byte{0x8b};
  }

  void end_member() {
    if (begins_member()) {
      if (inflateReset(inflater_.get()) != Z_OK)
        throw Error(ErrorCode::corrupt_compression, "read_idx",
                    "zlib could not go on to the next gzip member of '" + name_ + "'");
      return;
    }
    ended_ = true;
    if (std::all_of(rest_.begin(), rest_.end(), [](std::byte b) { return b == std::byte{0}; })) rest_ = {};
  }

  std::size_t inflate_into(std::span<std::uint8_t> out) {
    std::size_t filled = 0;
    while (filled < out.size() && !ended_) {
      const std::size_t offered = std::min<std::size_t>(rest_.size(), std::size_t{1} << 30);
      const std::size_t room = std::min<std::size_t>(out.size() - filled, std::size_t{1} << 30);
      // zlib does not write through next_in, it only lacks the const.
      inflater_->next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(rest_.data()));
      inflater_->avail_in = static_cast<uInt>(offered);
      inflater_->next_out = out.data() + filled;
      inflater_->avail_out = static_cast<uInt>(room);
      const int status = inflate(inflater_.get(), Z_NO_FLUSH);
      rest_ = rest_.subspan(offered - inflater_->avail_in);
      filled += room - inflater_->avail_out;
      if (status == Z_STREAM_END) {
        end_member();
      } else if (status == Z_BUF_ERROR && rest_.empty()) {
        throw Error(ErrorCode::truncated, "read_idx", "the gzip stream of '" + name_ + "' breaks off");
      } else if (status != Z_OK) {
        throw Error(ErrorCode::corrupt_compression, "read_idx",
                    "the gzip stream of '" + name_ + "' is damaged (" +
                        (inflater_->msg != nullptr ? inflater_->msg : "no reason given") + ")");
      }
    }
    return filled;
  }

  std::span<const std::byte> rest_;
  std::string name_;
  std::unique_ptr<z_stream> inflater_;
  bool ended_ = false;
};

}  // namespace detail

FAULTLINE_INLINE IdxArray decode_idx(std::span<const std::byte> bytes, const IdxLimits& limits,
                                     std::string_view file_name) {
  const std::string name(file_name);
  const auto refuse = [&](ErrorCode code, const std::string& what) {
    return Error(code, "read_idx", "'" + name + "' " + what);
  };
  detail::IdxSource source(bytes, name);
  std::array<std::uint8_t, 4> word{};
  if (source.take(word) < word.size()) throw refuse(ErrorCode::truncated, "ends within its first four bytes");
  if (word[0] != 0 || word[1] != 0 || word[2] != 8) {
    throw refuse(ErrorCode::bad_magic,
                 "is no IDX file of unsigned bytes: expected it to begin with the bytes 0, 0, 8, got " +
                     std::to_string(word[0]) + ", " + std::to_string(word[1]) + ", " + std::to_string(word[2]));
  }
  const int rank = word[3];
  if (rank == 0) throw refuse(ErrorCode::malformed_header, "states no dimension");
  if (rank > limits.max_rank)
    throw refuse(ErrorCode::oversized,
                 "states " + std::to_string(rank) + " dimensions, allowed are " + std::to_string(limits.max_rank));

  IdxArray array;
  std::int64_t elements = 1;
  for (int axis = 0; axis < rank; ++axis) {
    if (source.take(word) < word.size()) throw refuse(ErrorCode::truncated, "ends within its dimensions");
    const std::int64_t extent = (std::int64_t{word[0]} << 24) | (std::int64_t{word[1]} << 16) |
                                (std::int64_t{word[2]} << 8) | std::int64_t{word[3]};
    array.shape.push_back(extent);
    if (extent > 0 && elements > limits.max_elements / extent)
      throw refuse(ErrorCode::oversized,
                   "states more than " + std::to_string(limits.max_elements) + " elements; IdxLimits can be raised");
    elements *= extent;
  }

  // Memory follows the bytes that arrive, not the number that the header claims.
  const auto wanted = static_cast<std::size_t>(elements);
  std::size_t filled = 0;
  while (filled < wanted) {
    array.values.resize(std::min(wanted, std::max({2 * filled, bytes.size(), std::size_t{4096}})));
    const std::size_t got = source.take(std::span(array.values).subspan(filled));
    filled += got;
    if (filled < array.values.size())
      throw refuse(ErrorCode::truncated,
                   "has " + std::to_string(filled) + " of " + std::to_string(wanted) + " elements");
  }
  std::uint8_t beyond = 0;
  if (source.take({&beyond, 1}) > 0) throw refuse(ErrorCode::oversized, "has bytes after its last element");
  if (source.leftover() > 0)
    throw refuse(ErrorCode::oversized, "has " + std::to_string(source.leftover()) +
                                           " bytes after its gzip stream that are neither a further member nor zeros");
  return array;
}

FAULTLINE_INLINE IdxArray read_idx(const std::filesystem::path& path, const IdxLimits& limits) {
  return decode_idx(core::read_file(path, limits.max_file_bytes), limits, path.string());
}

}  // namespace data
}  // namespace v1
}  // namespace faultline
