// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a PNG file is read through.

#include <faultline/data/png.hpp>

#include <faultline/core/atomic_file.hpp>

#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <string>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace data {
namespace detail {

/// Frees what libpng allocated, whichever way a function is left.
struct PngImage {
  png_image image{};
  PngImage() { image.version = PNG_IMAGE_VERSION; }
  ~PngImage() { png_image_free(&image); }
  PngImage(const PngImage&) = delete;
  PngImage& operator=(const PngImage&) = delete;
};

inline constexpr std::array<std::byte, 8> png_signature = {std::byte{0x89}, std::byte{'P'},  std::byte{'N'},
                                                           std::byte{'G'},  std::byte{'\r'}, std::byte{'\n'},
                                                           std::byte{0x1a}, std::byte{'\n'}};

[[nodiscard]] inline std::uint32_t big_endian(const std::byte* p) noexcept {
  return (std::to_integer<std::uint32_t>(p[0]) << 24) | (std::to_integer<std::uint32_t>(p[1]) << 16) |
         (std::to_integer<std::uint32_t>(p[2]) << 8) | std::to_integer<std::uint32_t>(p[3]);
}

/// What the header chunk states. Colour types are sums of 1 (palette), 2 (colour) and 4 (alpha).
struct PngHeader {
  std::int64_t width = 0;
  std::int64_t height = 0;
  int depth = 0;
  int colour_type = 0;

  [[nodiscard]] bool palette() const noexcept { return (colour_type & 1) != 0; }
  [[nodiscard]] bool colour() const noexcept { return (colour_type & 2) != 0; }
  [[nodiscard]] bool alpha() const noexcept { return (colour_type & 4) != 0; }
  /// Samples of a pixel as stored: one index, or its channels.
  [[nodiscard]] int samples() const noexcept { return palette() ? 1 : (colour() ? 3 : 1) + (alpha() ? 1 : 0); }
  /// Whether the PNG specification (table 11.1) has this colour type with this depth.
  [[nodiscard]] bool exists() const noexcept {
    switch (colour_type) {
      case 0: return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
      case 3: return depth == 1 || depth == 2 || depth == 4 || depth == 8;
      case 2:
      case 4:
      case 6: return depth == 8 || depth == 16;
      default: return false;
    }
  }
};

/// The chunks that say what the pixels are, in their order, and which colours are transparent.
struct PngChunks {
  PngHeader header;
  std::vector<std::span<const std::byte>> pieces;  ///< signature, then whole critical chunks
  std::span<const std::byte> transparency;         ///< what tRNS holds; empty when there is none that counts
};

/// Walks the chunks from IHDR to IEND and keeps those that the pixels depend on: the critical ones and a tRNS that
/// is where PNG lets it be and has the length that it must have; their checksums must be right. All others (colour
/// profiles, times, texts, whatever will be invented) say how to show a picture, and are left out unread, as are bytes
/// after IEND. libpng gets the critical chunks only: it would convert by some of the others and fail at some.
inline PngChunks pixel_chunks(std::span<const std::byte> bytes, const std::string& name) {
  const auto refuse = [&](ErrorCode code, const std::string& what) {
    return Error(code, "read_png", "'" + name + "' " + what);
  };
  const auto present = bytes.first(std::min(bytes.size(), png_signature.size()));
  if (!std::equal(present.begin(), present.end(), png_signature.begin())) {
    std::string begins;
    for (const std::byte b : bytes.first(std::min<std::size_t>(bytes.size(), 4))) {
      begins += std::string(" ") + "0123456789abcdef"[std::to_integer<int>(b) >> 4] +
                "0123456789abcdef"[std::to_integer<int>(b) & 15];
    }
    throw refuse(ErrorCode::bad_magic, "is no PNG file, it begins with the bytes" + begins +
                                           "; convert it, a new name does not change what it is");
  }
  if (bytes.size() < png_signature.size()) throw refuse(ErrorCode::truncated, "ends within its signature");
  PngChunks chunks;
  chunks.pieces.push_back(bytes.first(png_signature.size()));
  std::span<const std::byte> rest = bytes.subspan(png_signature.size());
  bool palette = false, data = false;  // whether there was one
  const auto transparency_counts = [&](std::size_t length) {
    if (data || chunks.header.alpha() || !chunks.transparency.empty()) return false;
    if (chunks.header.palette()) return palette;  // one opacity a colour; what is beyond the palette belongs to none
    return length == (chunks.header.colour() ? 6u : 2u);
  };
  for (bool first = true;; first = false) {
    if (rest.size() < 12) throw refuse(ErrorCode::truncated, "ends before its last chunk");
    const std::size_t length = big_endian(rest.data());
    if (length > rest.size() - 12)
      throw refuse(ErrorCode::truncated, "ends within a chunk of " + std::to_string(length) + " bytes");
    const auto checked = rest.subspan(4, 4 + length);
    const std::string type(reinterpret_cast<const char*>(checked.data()), 4);
    if (first && (type != "IHDR" || length != 13))
      throw refuse(ErrorCode::malformed_header, "does not begin with its header chunk");
    const bool critical = (std::to_integer<unsigned>(checked[0]) & 0x20u) == 0;  // a capital letter
    if (critical || (type == "tRNS" && transparency_counts(length))) {
      const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(checked.data()), checked.size());
      if (crc != big_endian(rest.data() + 8 + length)) {
        throw refuse(ErrorCode::corrupt_compression,
                     "is damaged: the checksum of a chunk that its pixels depend on is wrong, at byte " +
                         std::to_string(rest.data() - bytes.data()));
      }
      if (first) {
        const std::byte* const stated = checked.data() + 4;
        chunks.header = {big_endian(stated), big_endian(stated + 4), std::to_integer<int>(stated[8]),
                         std::to_integer<int>(stated[9])};
      }
      palette = palette || type == "PLTE";
      data = data || type == "IDAT";
      // A palette beside stored colours only suggests some for poorer screens.
      const bool suggestion = type == "PLTE" && !chunks.header.palette();
      if (critical && !suggestion) chunks.pieces.push_back(rest.first(12 + length));
      if (!critical) chunks.transparency = checked.subspan(4);
    }
    rest = rest.subspan(12 + length);
    if (type == "IEND") return chunks;
  }
}

/// Whether the zlib stream in the data chunks comes to its end, and with the right checksum.
inline bool pixel_stream_is_whole(const PngChunks& chunks) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return false;
  std::array<Bytef, 16384> unpacked;
  int status = Z_BUF_ERROR;  // it needs more bytes
  for (const std::span<const std::byte> piece : chunks.pieces) {
    if (std::memcmp(piece.data() + 4, "IDAT", 4) != 0) continue;
    // zlib does not write through next_in, it only lacks the const.
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(piece.data() + 8));
    stream.avail_in = static_cast<uInt>(piece.size() - 12);
    do {
      stream.next_out = unpacked.data();
      stream.avail_out = static_cast<uInt>(unpacked.size());
      status = inflate(&stream, Z_NO_FLUSH);
    } while (status == Z_OK);
    if (status != Z_BUF_ERROR) break;
  }
  inflateEnd(&stream);
  return status == Z_STREAM_END;
}

/// What `read_png_rows` and the functions that libpng calls share. Plain data: libpng leaves them by longjmp.
struct PngJob {
  const std::span<const std::byte>* piece = nullptr;  ///< the next bytes come from here
  const std::span<const std::byte>* end = nullptr;
  std::size_t taken = 0;  ///< of the piece
  std::uint8_t* pixels = nullptr;
  std::size_t row_bytes = 0;
  int colours = 0;  ///< of the palette, when there is one
  std::array<png_color, 256> palette{};
  std::array<char, 160> complaint{};  ///< libpng's first; empty when there was none
  bool complete = false;              ///< whether all rows were read, be it with warnings
};

inline void keep_png_complaint(png_structp png, png_const_charp message) noexcept {
  auto* const job = static_cast<PngJob*>(png_get_error_ptr(png));
  if (job->complaint[0] == '\0') std::strncpy(job->complaint.data(), message, job->complaint.size() - 1);
}

[[noreturn]] inline void on_png_error(png_structp png, png_const_charp message) {
  keep_png_complaint(png, message);
  png_longjmp(png, 1);
}

inline void on_png_read(png_structp png, png_bytep out, std::size_t count) {
  auto* const job = static_cast<PngJob*>(png_get_io_ptr(png));
  while (count > 0) {
    if (job->piece == job->end) png_error(png, "the file ends too early");
    const std::size_t some = std::min(count, job->piece->size() - job->taken);
    std::memcpy(out, job->piece->data() + job->taken, some);
    out += some;
    count -= some;
    job->taken += some;
    if (job->taken == job->piece->size()) {
      ++job->piece;
      job->taken = 0;
    }
  }
}

/// Reads all rows as bytes: indices into the palette where there is one, else grey or RGB and then alpha where the file
/// has a channel of it. What libpng finds wrong first, be it a warning, is in `job.complaint`. Nothing with a
/// destructor lives here, because libpng returns to `setjmp` past every frame in between.
inline void read_png_rows(PngJob& job) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &job, on_png_error, keep_png_complaint);
  png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;
  if (info == nullptr) {
    png_destroy_read_struct(&png, nullptr, nullptr);
    std::strncpy(job.complaint.data(), "libpng has not enough memory", job.complaint.size() - 1);
    return;
  }
  if (setjmp(png_jmpbuf(png)) != 0) {
    png_destroy_read_struct(&png, &info, nullptr);
    return;
  }
  png_set_read_fn(png, &job, on_png_read);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // PngLimits has been asked already
  png_set_benign_errors(png, 1);                               // as warnings
#ifdef PNG_SET_OPTION_SUPPORTED
  png_set_option(png, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);  // some writers state too small a one
#endif
  png_set_check_for_invalid_index(png, 0);  // our own check names the pixel
  png_read_info(png, info);
  png_set_packing(png);  // an index a byte; libpng would turn one beyond the palette into black
  if (png_get_color_type(png, info) == PNG_COLOR_TYPE_PALETTE) {
    png_colorp colours = nullptr;
    if (png_get_PLTE(png, info, &colours, &job.colours) != 0) std::copy_n(colours, job.colours, job.palette.begin());
  } else {
    png_set_expand(png);  // few bits to eight
  }
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  if (png_get_rowbytes(png, info) != job.row_bytes) png_error(png, "its rows have another length than its header says");
  const png_uint_32 height = png_get_image_height(png, info);
  for (int pass = 0; pass < passes; ++pass)
    for (png_uint_32 y = 0; y < height; ++y) png_read_row(png, job.pixels + y * job.row_bytes, nullptr);
  png_read_end(png, nullptr);
  job.complete = true;
  png_destroy_read_struct(&png, &info, nullptr);
}

}  // namespace detail

}  // namespace data
}  // namespace v1
}  // namespace faultline
