// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/core/atomic_file.hpp>
#include <faultline/data/png.hpp>

#include <data/malformed.hpp>
#include <support/catch2.hpp>

namespace fl = faultline;
using namespace faultline_tests;
using fl::ErrorCode;

namespace {

fl::Picture pattern(std::int64_t height, std::int64_t width, int channels) {
  fl::Picture picture{height, width, channels,
                      std::vector<std::uint8_t>(static_cast<std::size_t>(height * width * channels))};
  for (std::size_t i = 0; i < picture.pixels.size(); ++i)
    picture.pixels[i] = static_cast<std::uint8_t>((i * 2654435761u) >> 24);
  return picture;
}

}  // namespace

TEST_CASE("A picture that is written is read back, grey and colour, at odd sizes", "[png]") {
  const TemporaryDirectory directory;
  for (const int channels : {1, 3}) {
    for (const auto& [height, width] :
         {std::pair<std::int64_t, std::int64_t>{1, 1}, {1, 9}, {7, 1}, {31, 33}, {200, 300}}) {
      const fl::Picture picture = pattern(height, width, channels);
      fl::write_png(directory / "a.png", picture);
      CHECK(fl::read_png(directory / "a.png") == picture);
      CHECK(fl::data::encode_png(picture) == fl::core::read_file(directory / "a.png"));
    }
  }
  CHECK(directory.names() == std::vector<std::string>{"a.png"});
  CHECK(error_code([&] { (void)fl::read_png(directory / "b.png"); }) == ErrorCode::cannot_open);
  CHECK(error_code([&] { (void)fl::read_png(directory / "a.png", {.max_pixels = 59'999}); }) == ErrorCode::oversized);
  CHECK(error_code([&] { (void)fl::read_png(directory / "a.png", {.max_file_bytes = 100}); }) == ErrorCode::oversized);
}

TEST_CASE("A picture that contradicts itself is not written", "[png]") {
  CHECK(error_code([] {
          (void)fl::data::encode_png({.height = 2, .width = 2, .pixels = {1, 2, 3}});
        }) == ErrorCode::shape_mismatch);
  CHECK(error_code([] {
          (void)fl::data::encode_png({.height = 1, .width = 1, .channels = 2, .pixels = {1, 2}});
        }) == ErrorCode::shape_mismatch);
  CHECK(error_code([] { (void)fl::data::encode_png({.height = 0, .width = 2, .pixels = {}}); }) ==
        ErrorCode::shape_mismatch);
  CHECK(error_code([] { (void)fl::data::encode_png({.height = -1, .width = -1, .pixels = {1}}); }) ==
        ErrorCode::shape_mismatch);
  CHECK(error_code([] { (void)fl::data::encode_png({.height = 1, .width = 1'000'001, .pixels = {}}); }) ==
        ErrorCode::oversized);
  // 2^32 pixels, which 32 bits count as none
  CHECK(error_code([] { (void)fl::data::encode_png({.height = 65'536, .width = 65'536, .pixels = {}}); }) ==
        ErrorCode::oversized);
  CHECK(error_code([] { (void)fl::data::encode_png({.height = 1'000'000, .width = 1'000'000, .pixels = {}}); }) ==
        ErrorCode::oversized);
}

TEST_CASE("Every flipped bit of a picture file is noticed or changes no pixel", "[png]") {
  const fl::Picture picture = pattern(5, 7, 3);
  std::vector<std::byte> bytes = fl::data::encode_png(picture);
  std::size_t unnoticed = 0, harmless = 0;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    fl::Picture read;
    const auto code = error_code([&] { read = fl::data::decode_png(bytes); });
    if (!code && read == picture) ++harmless;
    else if (!code || static_cast<int>(*code) / 100 != 3) ++unnoticed;
    bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
  }
  CHECK(unnoticed == 0);
  CHECK(harmless < 8 * (13 + 16 + 44));  // what libpng's writer adds about colours: at most sRGB, gAMA and cHRM
}

TEST_CASE("Every picture file that is cut short is truncated and nothing else", "[png]") {
  const std::vector<std::byte> bytes = fl::data::encode_png(pattern(3, 3, 1));
  std::size_t otherwise = 0;
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    otherwise +=
        error_code([&] { (void)fl::data::decode_png(std::span(bytes).first(length)); }) == ErrorCode::truncated ? 0 : 1;
  }
  CHECK(otherwise == 0);
}

namespace {

std::string chunk(const std::string& type, const std::string& data) {
  const std::string checked = type + data;
  const auto crc = static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size())));
  const auto number = [](std::uint32_t value) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>((value >> shift) & 255u);
    return text;
  };
  return number(static_cast<std::uint32_t>(data.size())) + checked + number(crc);
}

std::string zlib_packed(const std::string& text) {
  uLongf size = compressBound(static_cast<uLong>(text.size()));
  std::string packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
           static_cast<uLong>(text.size()));
  packed.resize(size);
  return packed;
}

const std::string signature("\x89PNG\r\n\x1a\n", 8);

std::string header_chunk(std::uint32_t width, std::uint32_t height, int depth = 8, int colour = 0, int compression = 0,
                         int filter = 0, int interlace = 0) {
  const std::string sizes = idx_header({width, height}).substr(4);
  return chunk("IHDR",
               sizes + std::string{static_cast<char>(depth), static_cast<char>(colour), static_cast<char>(compression),
                                   static_cast<char>(filter), static_cast<char>(interlace)});
}

/// A picture with the given header and scan lines.
Bytes picture(const std::string& header, const std::string& lines) {
  return bytes_of(signature + header + chunk("IDAT", zlib_packed(lines)) + chunk("IEND", ""));
}

}  // namespace

TEST_CASE("Palettes and few bits per pixel are expanded", "[png]") {
  const fl::Picture bits = fl::data::decode_png(picture(header_chunk(4, 1, 1), std::string("\0\xa0", 2)));
  CHECK(bits.pixels == std::vector<std::uint8_t>{255, 0, 255, 0});
  const std::string palette = chunk("PLTE", std::string("\1\2\3\xff\0\x10", 6));
  const fl::Picture coloured =
      fl::data::decode_png(bytes_of(signature + header_chunk(2, 1, 8, 3) + palette +
                                    chunk("IDAT", zlib_packed(std::string("\0\1\0", 3))) + chunk("IEND", "")));
  CHECK(coloured.channels == 3);
  CHECK(coloured.pixels == std::vector<std::uint8_t>{255, 0, 16, 1, 2, 3});
}

namespace {

const std::string iend = chunk("IEND", "");

/// A picture of the given header with chunks before its data.
Bytes picture_with(const std::string& header, const std::string& before, const std::string& lines) {
  return bytes_of(signature + header + before + chunk("IDAT", zlib_packed(lines)) + iend);
}

std::string big_endian_text(std::uint32_t value) { return idx_header({value}).substr(4); }

using Pixels = std::vector<std::uint8_t>;

}  // namespace

TEST_CASE("Every depth and colour type gives the stored values", "[png]") {
  struct Case {
    std::string name;
    int depth, colour_type;
    std::uint32_t width;
    std::string line;  // one row without its filter byte
    int channels;
    Pixels pixels;
  };
  const std::string palette = chunk("PLTE", std::string("\0\0\0\1\2\3\xff\0\x10\x7f\x80\x81", 12));
  const std::vector<Case> cases = {
      {"grey, 1 bit", 1, 0, 10, "\xa5\x40", 1, {255, 0, 255, 0, 0, 255, 0, 255, 0, 255}},
      {"grey, 2 bits", 2, 0, 5, "\x1b\x40", 1, {0, 85, 170, 255, 85}},
      {"grey, 4 bits", 4, 0, 3, std::string("\x0f\x70", 2), 1, {0, 255, 119}},
      {"grey, 8 bits", 8, 0, 4, std::string("\0\1\x7f\xff", 4), 1, {0, 1, 127, 255}},
      {"colour", 8, 2, 2, std::string("\0\1\2\xfd\xfe\xff", 6), 3, {0, 1, 2, 253, 254, 255}},
      {"palette, 1 bit", 1, 3, 3, "\x40", 3, {0, 0, 0, 1, 2, 3, 0, 0, 0}},
      {"palette, 2 bits", 2, 3, 4, "\x1b", 3, {0, 0, 0, 1, 2, 3, 255, 0, 16, 127, 128, 129}},
      {"palette, 4 bits", 4, 3, 2, "\x31", 3, {127, 128, 129, 1, 2, 3}},
      {"palette, 8 bits", 8, 3, 2, "\2\1", 3, {255, 0, 16, 1, 2, 3}},
      {"grey with opaque alpha", 8, 4, 3, "\1\xff\2\xff\3\xff", 1, {1, 2, 3}},
      {"colour with opaque alpha", 8, 6, 2, "\1\2\3\xff\4\5\6\xff", 3, {1, 2, 3, 4, 5, 6}},
  };
  for (const Case& one : cases) {
    INFO(one.name);
    const std::string before = one.colour_type == 3 ? palette : "";
    const fl::Picture plain = fl::data::decode_png(
        picture_with(header_chunk(one.width, 1, one.depth, one.colour_type), before, std::string(1, '\0') + one.line));
    CHECK(plain.channels == one.channels);
    CHECK(plain.pixels == one.pixels);
    // Twice the row, the second one stored as the difference to the first.
    Pixels twice = one.pixels;
    twice.insert(twice.end(), one.pixels.begin(), one.pixels.end());
    const std::string lines = std::string(1, '\0') + one.line + "\2" + std::string(one.line.size(), '\0');
    CHECK(fl::data::decode_png(picture_with(header_chunk(one.width, 2, one.depth, one.colour_type), before, lines))
              .pixels == twice);
  }
  // Adam7, 3x3: passes 1, 4, 5, 6, 7 have pixels (2 and 3 begin at 4), here numbered in reading order.
  const std::string passes = std::string("\0\1\0\3\0\7\x09\0\2\0\x08\0\4\5\6", 15);
  const fl::Picture interlaced = fl::data::decode_png(picture_with(header_chunk(3, 3, 8, 0, 0, 0, 1), "", passes));
  CHECK(interlaced.pixels == Pixels{1, 2, 3, 4, 5, 6, 7, 8, 9});
}

TEST_CASE("Chunks that say how to show a picture change no pixel, be they odd or damaged", "[png]") {
  const std::string lines = std::string("\0\x01\x40\x80\xc0\0\xff\x7f\x3f\x02", 10);
  const Pixels stored = {0x01, 0x40, 0x80, 0xc0, 0xff, 0x7f, 0x3f, 0x02};
  const std::string wrong_profile = chunk("iCCP", std::string("odd\0\0", 5) + zlib_packed("not a profile"));
  std::string gamma = chunk("gAMA", big_endian_text(100'000));
  const std::vector<std::pair<std::string, std::string>> chunks = {
      {"linear gamma", gamma},
      {"gamma of zero", chunk("gAMA", big_endian_text(0))},
      {"sRGB", chunk("sRGB", std::string(1, '\0'))},
      {"sRGB with an unknown intent, and gamma", chunk("sRGB", "\x09") + gamma},
      {"profile that is none", wrong_profile},
      {"profile that is no zlib stream", chunk("iCCP", std::string("odd\0\0garbage", 12))},
      {"time of a thirteenth month", chunk("tIME", std::string("\x07\xe7\x0d\x20\x19\x3d\x3d", 7))},
      {"time of two bytes", chunk("tIME", "ab")},
      {"chromaticities beyond sense", chunk("cHRM", std::string(32, '\xff'))},
      {"significant bits", chunk("sBIT", "\3")},
      {"significant bits beyond the depth", chunk("sBIT", "\x09")},
      {"background", chunk("bKGD", std::string("\0\x20", 2))},
      {"physical size zero", chunk("pHYs", std::string(9, '\0'))},
      {"text without a key", chunk("tEXt", "")},
      {"two times", chunk("tIME", "ab") + chunk("tIME", "abcdefg")},
      {"suggested palette of two thirds of a colour", chunk("PLTE", "ab")},
      {"an animation's control", chunk("acTL", big_endian_text(2) + big_endian_text(0))},
      {"a chunk nobody knows", chunk("abCd", "whatever")},
      {"a gamma with a wrong checksum", with_byte(gamma, gamma.size() - 1, 1)},
      {"a profile with a changed byte", with_byte(wrong_profile, 12, 4)},
  };
  for (const auto& [name, before] : chunks) {
    INFO(name);
    for (const int type : {0, 2}) {  // 4x2 grey, and the same bytes as colour
      fl::Picture read;
      if (type == 0) read = fl::data::decode_png(picture_with(header_chunk(4, 2), before, lines));
      else
        read = fl::data::decode_png(
            picture_with(header_chunk(1, 2, 8, 2), before, std::string("\0\x01\x40\x80\0\xc0\xff\x7f", 8)));
      CHECK(read.pixels == (type == 0 ? stored : Pixels{0x01, 0x40, 0x80, 0xc0, 0xff, 0x7f}));
    }
    CHECK(fl::data::decode_png(
              bytes_of(signature + header_chunk(4, 2) + chunk("IDAT", zlib_packed(lines)) + before + iend))
              .pixels == stored);
  }
}

TEST_CASE("What stands beside or after sound pixels does not make a picture damaged", "[png]") {
  const std::string ihdr = header_chunk(2, 2);
  const std::string lines("\0ab\0cd", 6);
  const std::string packed = zlib_packed(lines);
  const std::string idat = chunk("IDAT", packed);
  const std::string good = signature + ihdr + idat + iend;
  std::string single_bytes, with_empty, apart;
  for (const char byte : packed) {
    const std::string one = chunk("IDAT", std::string(1, byte));
    single_bytes += one;
    with_empty += chunk("IDAT", "") + one;
    apart += one + chunk("tEXt", std::string("k\0v", 3));
  }
  const std::string rows = signature + ihdr;
  const auto transparent = [](const std::string& colours) { return chunk("tRNS", colours); };
  const std::string z("\0z", 2);
  const std::string a("\0a", 2);  // a colour that the picture has
  const std::vector<std::pair<std::string, std::string>> files = {
      {"two bytes after the stream", rows + chunk("IDAT", packed + "zz") + iend},
      {"many bytes after the stream", rows + chunk("IDAT", packed + std::string(100'000, 'z')) + iend},
      {"megabytes after the stream", rows + chunk("IDAT", packed + std::string(9 << 20, 'z')) + iend},
      {"a chunk of bytes after the stream", rows + idat + chunk("IDAT", "zz") + iend},
      {"a second stream", rows + idat + idat + iend},
      {"a second stream behind a text", rows + idat + chunk("tEXt", std::string("k\0v", 3)) + idat + iend},
      {"empty data chunks behind the stream", rows + idat + chunk("IDAT", "") + chunk("IDAT", "") + iend},
      {"a byte more than the rows take", rows + chunk("IDAT", zlib_packed(lines + "z")) + iend},
      {"more rows than stated", rows + chunk("IDAT", zlib_packed(lines + lines)) + iend},
      {"far more rows than stated", rows + chunk("IDAT", zlib_packed(lines + std::string(1 << 20, 'z')) + "zz") + iend},
      {"data chunks of one byte", rows + single_bytes + iend},
      {"data chunks of one byte, and empty ones", rows + with_empty + iend},
      {"data chunks with a text between them", rows + apart + iend},
      {"a byte after the end", good + "z"},
      {"zeros after the end", good + std::string(4096, '\0')},
      {"a picture after the end", good + good},
      {"half a chunk after the end", good + idat.substr(0, 9)},
      {"an end with something in it", rows + idat + chunk("IEND", "z")},
      {"two lists of transparent colours", rows + transparent(z) + transparent(a) + idat + iend},
      {"a list of transparent colours after the data", rows + idat + transparent(a) + iend},
      {"no transparent colours", rows + transparent("") + idat + iend},
      {"a transparent colour of one byte", rows + transparent("a") + idat + iend},
      {"a transparent colour of three bytes", rows + transparent(a + "z") + idat + iend},
      {"a transparent colour of red, green and blue in grey", rows + transparent(a + a + a) + idat + iend},
      {"a transparent colour of more bits than the picture has", rows + transparent("\xffz") + idat + iend},
      {"transparent colours of wrong length and checksum", rows + with_byte(transparent("a"), 9, 1) + idat + iend},
      {"a chunk whose reserved bit is set", rows + chunk("tesT", "z") + idat + iend},
      {"a chunk whose name is no word", rows + chunk(std::string("\x7f\0\1\xff", 4), "z") + idat + iend},
      {"a text of a megabyte", rows + chunk("tEXt", std::string("k\0", 2) + std::string(1 << 20, 'z')) + idat + iend},
      {"a suggested palette", rows + chunk("hIST", "z") + chunk("sPLT", "z") + chunk("PLTE", "") + idat + iend},
      {"an animation", rows + chunk("acTL", "z") + idat + chunk("fcTL", "z") + chunk("fdAT", "z") + iend},
  };
  for (const auto& [name, file] : files) {
    INFO(name);
    fl::Picture read;
    CHECK(error_text([&] { read = fl::data::decode_png(bytes_of(file)); }) == "");
    CHECK(read.pixels == Pixels{'a', 'b', 'c', 'd'});
  }

  const std::string colours = chunk("PLTE", "abcdef");
  const std::string indices = chunk("IDAT", zlib_packed(std::string("\0\0\1", 3)));
  const std::vector<std::pair<std::string, std::string>> chunks = {
      {"no opacities", colours + transparent("") + indices},
      {"more opacities than colours", colours + transparent("\xff\xff\xff\xff") + indices},
      {"opacities of colours that are not there", colours + transparent(std::string("\xff\xff\0\0", 4)) + indices},
      {"three hundred opacities", colours + transparent(std::string(300, '\xff')) + indices},
      {"opacities before the palette", transparent(std::string(2, '\0')) + colours + indices},
      {"opacities after the data", colours + indices + transparent(std::string(2, '\0'))},
      {"two lists of opacities", colours + transparent("\xff\xff") + transparent(std::string(2, '\0')) + indices},
      {"no opacities, then some", colours + transparent("") + transparent("\xff\xff\xff") + indices},
  };
  for (const auto& [name, between] : chunks) {
    INFO(name);
    fl::Picture read;
    const std::string file = signature + header_chunk(2, 1, 8, 3) + between + iend;
    CHECK(error_text([&] { read = fl::data::decode_png(bytes_of(file)); }) == "");
    CHECK(read.pixels == Pixels{'a', 'b', 'c', 'd', 'e', 'f'});
  }
  const std::string three_colours = signature + header_chunk(1, 1, 1, 3) + chunk("PLTE", "abcdefghi");
  const std::string bit = chunk("IDAT", zlib_packed(std::string("\0\x80", 2)));
  const std::string opaque = transparent("\xff\xff\xff");
  CHECK(fl::data::decode_png(bytes_of(three_colours + opaque + bit + iend)).pixels == Pixels{'d', 'e', 'f'});
  const std::string with_alpha = signature + header_chunk(1, 1, 8, 4) + with_byte(transparent(a), 9, 1);
  const std::string grey_and_alpha = chunk("IDAT", zlib_packed(std::string("\0a\xff", 3)));
  CHECK(fl::data::decode_png(bytes_of(with_alpha + grey_and_alpha + iend)).pixels == Pixels{'a'});
}

TEST_CASE("A pixel stream that states a smaller window than it uses is read", "[png]") {
  fl::Picture twice = pattern(10, 100, 1);
  twice.pixels.resize(2000);
  std::copy_n(twice.pixels.begin(), 1000, twice.pixels.begin() + 1000);
  std::string lines;
  for (std::size_t y = 0; y < 20; ++y) {
    lines += '\0';
    for (std::size_t x = 0; x < 100; ++x) lines += static_cast<char>(twice.pixels[100 * y + x]);
  }
  std::string packed = zlib_packed(lines);
  REQUIRE(packed.size() < 1500);  // the second ten rows are copies from a thousand bytes before
  packed[0] = 0x08;               // deflate with a window of 256 bytes
  packed[1] = 0x1d;               // makes the two a multiple of 31
  const Bytes file = bytes_of(signature + header_chunk(100, 20) + chunk("IDAT", packed) + iend);
  CHECK(fl::data::decode_png(file).pixels == twice.pixels);
}

TEST_CASE("A colour beyond the palette is named with its position", "[png]") {
  const auto file = picture_with(header_chunk(3, 1, 4, 3), chunk("PLTE", "abcdef"), std::string("\0\x10\x20", 3));
  CHECK(error_text([&] {
          (void)fl::data::decode_png(file);
        }).find("colour 2 at row 0, column 2, but its palette has 2") != std::string::npos);
}

TEST_CASE("Transparency that no pixel uses is accepted, any other is refused with its position", "[png]") {
  const std::string grey = std::string("\0ab\0cd", 6);
  const auto transparent = [](const std::string& colour) { return chunk("tRNS", colour); };
  CHECK(fl::data::decode_png(picture_with(header_chunk(2, 2), transparent(std::string("\0z", 2)), grey)).pixels ==
        Pixels{'a', 'b', 'c', 'd'});
  const std::string palette = chunk("PLTE", "abcdefghi");
  CHECK(fl::data::decode_png(
            picture_with(header_chunk(2, 1, 8, 3), palette + transparent("\xff\xff"), std::string("\0\2\1", 3)))
            .pixels == Pixels{'g', 'h', 'i', 'd', 'e', 'f'});
  CHECK(fl::data::decode_png(picture_with(header_chunk(2, 1, 8, 3), palette + transparent(std::string("\0", 1)),
                                          std::string("\0\2\1", 3)))
            .pixels == Pixels{'g', 'h', 'i', 'd', 'e', 'f'});
  CHECK(fl::data::decode_png(
            picture_with(header_chunk(1, 1, 8, 2), transparent(std::string("\0a\0b\0d", 6)), std::string("\0abc", 4)))
            .pixels == Pixels{'a', 'b', 'c'});
  const std::vector<std::pair<Bytes, std::string>> refused = {
      {picture_with(header_chunk(2, 2), transparent(std::string("\0c", 2)), grey), "row 1, column 0"},
      {picture_with(header_chunk(2, 2), transparent("") + transparent(std::string("\0c", 2)), grey), "row 1, column 0"},
      {picture_with(header_chunk(2, 2),
                    transparent("\xff"
                                "c"),
                    grey),
       "row 1, column 0"},
      {picture_with(header_chunk(2, 1, 2, 0), transparent(std::string("\0\2", 2)), std::string("\0\x60", 2)),
       "row 0, column 1"},
      {picture_with(header_chunk(2, 1, 8, 3), palette + transparent(std::string("\xff\xff\0\xff\xff", 5)),
                    std::string("\0\1\2", 3)),
       "row 0, column 1"},
      {picture_with(header_chunk(2, 2, 1, 0), transparent(std::string("\0\1", 2)), std::string("\0\0\0\x40", 4)),
       "row 1, column 1"},
      {picture_with(header_chunk(2, 1, 8, 3), palette + transparent("\xff\xfe"), std::string("\0\2\1", 3)),
       "row 0, column 1"},
      {picture_with(header_chunk(1, 1, 8, 2), transparent(std::string("\0a\0b\0c", 6)), std::string("\0abc", 4)),
       "row 0, column 0"},
      {picture_with(header_chunk(2, 2, 8, 4), "",
                    std::string("\0a\xff"
                                "b\xff\0c\xff"
                                "d\0",
                                10)),
       "row 1, column 1"},
      {picture_with(header_chunk(1, 2, 8, 6), "", std::string("\0abc\xff\0abc\xfe", 10)), "row 1, column 0"},
  };
  for (const auto& one : refused) {
    const auto& bytes = one.first;
    const auto& position = one.second;
    INFO(position);
    CHECK(error_code([&] { (void)fl::data::decode_png(bytes); }) == ErrorCode::foreign_format);
    CHECK(error_text([&] {
            (void)fl::data::decode_png(bytes, {}, "pets/a.png");
          }).find("'pets/a.png' is transparent at " + position) != std::string::npos);
  }
}

TEST_CASE("What a file called PNG begins with is said when it is none", "[png]") {
  CHECK(error_text([] {
          (void)fl::data::decode_png(bytes_of("\xff\xd8\xff\xe0 and so on"), {}, "a.png");
        }).find("'a.png' is no PNG file, it begins with the bytes ff d8 ff e0") != std::string::npos);
  CHECK(error_text([] {
          (void)fl::data::decode_png(bytes_of("<"), {}, "a.png");
        }).find("'a.png' is no PNG file, it begins with the bytes 3c") != std::string::npos);
}

TEST_CASE("Long thin pictures beyond a million pixels a side are read, the limit is theirs and not that of libpng",
          "[png]") {
  const std::string line(1'200'000, 'x');
  const fl::Picture wide =
      fl::data::decode_png(picture_with(header_chunk(1'200'000, 1), "", std::string(1, '\0') + line));
  CHECK(wide.width == 1'200'000);
  CHECK(wide.pixels == Pixels(line.begin(), line.end()));
  CHECK(error_text([&] {
          (void)fl::data::decode_png(picture_with(header_chunk(1'200'000, 1), "", std::string(1, '\0') + line),
                                     {.max_pixels = 1'199'999});
        }).find("allowed are 1199999") != std::string::npos);
}

TEST_CASE("Malformed PNG files are refused, each for its own reason", "[malformed]") {
  const auto cut = ErrorCode::truncated;
  const auto large = ErrorCode::oversized;
  const auto corrupt = ErrorCode::corrupt_compression;
  const std::string lines("\0ab\0cd", 6);
  const std::string ihdr = header_chunk(2, 2);
  const std::string idat = chunk("IDAT", zlib_packed(lines));
  const std::string good = signature + ihdr + idat + iend;
  REQUIRE(fl::data::decode_png(bytes_of(good)).pixels == std::vector<std::uint8_t>{'a', 'b', 'c', 'd'});
  REQUIRE(
      fl::data::decode_png(bytes_of(signature + ihdr + chunk("tEXt", std::string("k\0v", 3)) + idat + iend)).width ==
      2);
  const auto rot_of = [](const std::string& text) {
    const std::string packed = zlib_packed(text);
    return with_byte(packed, packed.size() - 1, 1);
  };
  const std::string rot = rot_of(lines);
  const std::string unchecked = rot.substr(0, rot.size() - 4);
  const std::string indexed = signature + header_chunk(2, 2, 8, 3);
  const auto stream = [&](const std::string& packed) {
    return bytes_of(signature + ihdr + chunk("IDAT", packed) + iend);
  };
  check_all(
      {
          {"empty", {}, cut},
          {"half a signature", bytes_of(good.substr(0, 4)), cut},
          {"only a signature", bytes_of(signature), cut},
          {"signature with a changed line end", bytes_of(with_byte(good, 5, 7)), ErrorCode::bad_magic},
          {"a JPEG file", bytes_of("\xff\xd8\xff\xe0 and so on"), ErrorCode::bad_magic},
          {"a text file", bytes_of("no picture"), ErrorCode::bad_magic},
          {"header cut", bytes_of(good.substr(0, 20)), cut},
          {"data cut", bytes_of(good.substr(0, good.size() - 20)), cut},
          {"end chunk missing", bytes_of(signature + ihdr + idat), cut},
          {"last byte missing", bytes_of(good.substr(0, good.size() - 1)), cut},
          {"header CRC wrong", bytes_of(with_byte(good, 8 + 8 + 13, 1)), corrupt},
          {"data CRC wrong", bytes_of(with_byte(good, 8 + ihdr.size() + idat.size() - 1, 1)), corrupt},
          {"end CRC wrong", bytes_of(with_byte(good, good.size() - 1, 1)), corrupt},
          {"CRC of a list of transparent colours wrong",
           bytes_of(signature + ihdr + with_byte(chunk("tRNS", std::string("\0z", 2)), 9, 1) + idat + iend), corrupt},
          {"Adler checksum of the pixels wrong", bytes_of(signature + ihdr + chunk("IDAT", rot) + iend), corrupt},
          {"pixels are no zlib stream", bytes_of(signature + ihdr + chunk("IDAT", "garbage!") + iend), corrupt},
          {"pixel stream cut inside a sound chunk",
           bytes_of(signature + ihdr + chunk("IDAT", zlib_packed(lines).substr(0, 5)) + iend), corrupt},
          {"fewer lines than stated", picture(ihdr, lines.substr(0, 3)), corrupt},
          {"more lines than stated, with a wrong checksum", stream(rot_of(lines + lines)), corrupt},
          {"more lines than stated, cut", stream(zlib_packed(lines + lines).substr(0, 10)), corrupt},
          {"bytes after a stream of too few lines", stream(zlib_packed(lines.substr(0, 3)) + "zz"), corrupt},
          {"bytes after a stream with a wrong checksum", stream(rot + "zz"), corrupt},
          {"stream without its checksum", stream(unchecked), corrupt},
          {"stream without its checksum, then another", stream(unchecked + zlib_packed(lines)), corrupt},
          {"stream that asks for a dictionary", stream("\x78\x20" + zlib_packed(lines).substr(2)), corrupt},
          {"stream that states a window of 64 kB", stream(with_byte(zlib_packed(lines), 0, 0xf0)), corrupt},
          {"palette after the pixels", bytes_of(indexed + idat + chunk("PLTE", std::string(768, 'x')) + iend), corrupt},
          {"palette without colours", bytes_of(indexed + chunk("PLTE", "") + idat + iend), corrupt},
          {"palette of 257 colours", bytes_of(indexed + chunk("PLTE", std::string(771, 'x')) + idat + iend), corrupt},
          {"unknown filter", picture(ihdr, std::string("\7ab\0cd", 6)), corrupt},
          {"no data chunk", bytes_of(signature + ihdr + iend), corrupt},
          {"no header chunk", bytes_of(signature + idat + iend), ErrorCode::malformed_header},
          {"text before the header", bytes_of(signature + chunk("tEXt", std::string("k\0v", 3)) + ihdr + idat + iend),
           ErrorCode::malformed_header},
          {"short header", bytes_of(signature + chunk("IHDR", "abcd") + idat + iend), ErrorCode::malformed_header},
          {"long header", bytes_of(signature + chunk("IHDR", std::string(14, '\1')) + idat + iend),
           ErrorCode::malformed_header},
          {"two headers", bytes_of(signature + ihdr + ihdr + idat + iend), corrupt},
          {"unknown critical chunk", bytes_of(signature + ihdr + chunk("ABCD", "") + idat + iend), corrupt},
          {"chunk longer than the file",
           bytes_of(signature + std::string("\x7f\xff\xff\xff", 4) + ihdr.substr(4) + idat + iend), cut},
          {"chunk length of 2^32 - 1",
           bytes_of(signature + std::string("\xff\xff\xff\xff", 4) + ihdr.substr(4) + idat + iend), cut},
          {"width zero", picture(header_chunk(0, 2), lines), ErrorCode::malformed_header},
          {"height zero", picture(header_chunk(2, 0), lines), ErrorCode::malformed_header},
          {"width above 2^31", picture(header_chunk(0x80000001u, 2), lines), large},
          {"four billion by four billion", picture(header_chunk(0xffffffffu, 0xffffffffu), lines), large},
          {"65 megapixels", picture(header_chunk(1 << 20, 65), lines), large},
          {"60 megapixels in a hundred bytes", picture(header_chunk(7680, 8192), lines), cut},
          {"one pixel wide, 60 million high", picture(header_chunk(1, 60'000'000), lines), cut},
          {"depth 3", picture(header_chunk(2, 2, 3), lines), ErrorCode::malformed_header},
          {"depth 0", picture(header_chunk(2, 2, 0), lines), ErrorCode::malformed_header},
          {"colour type 5", picture(header_chunk(2, 2, 8, 5), lines), ErrorCode::malformed_header},
          {"unknown compression", picture(header_chunk(2, 2, 8, 0, 1), lines), corrupt},
          {"unknown filter method", picture(header_chunk(2, 2, 8, 0, 0, 1), lines), corrupt},
          {"unknown interlacing", picture(header_chunk(2, 2, 8, 0, 0, 0, 2), lines), corrupt},
          {"colour with four bits", picture(header_chunk(2, 2, 4, 2), lines), ErrorCode::malformed_header},
          {"palette with 16 bits", picture(header_chunk(2, 2, 16, 3), lines), ErrorCode::malformed_header},
          {"palette entry that is not there",
           bytes_of(signature + header_chunk(1, 1, 8, 3) + chunk("PLTE", "abc") +
                    chunk("IDAT", zlib_packed(std::string("\0\1", 2))) + iend),
           corrupt},
          {"palette of two thirds of a colour",
           bytes_of(signature + header_chunk(1, 1, 8, 3) + chunk("PLTE", "ab") +
                    chunk("IDAT", zlib_packed(std::string("\0\0", 2))) + iend),
           corrupt},
          {"two palettes",
           bytes_of(signature + header_chunk(1, 1, 8, 3) + chunk("PLTE", "abc") + chunk("PLTE", "abc") +
                    chunk("IDAT", zlib_packed(std::string("\0\0", 2))) + iend),
           corrupt},
          {"second data chunk with a wrong CRC",
           bytes_of(signature + ihdr + idat + with_byte(chunk("IDAT", "ab"), 13, 1) + iend), corrupt},
          {"palette missing", picture(header_chunk(2, 2, 8, 3), lines), corrupt},
          {"16 bits per channel", picture(header_chunk(1, 2, 16), lines), ErrorCode::foreign_format},
          {"16 bits per channel with alpha", picture(header_chunk(1, 1, 16, 6), std::string("\0aabbccdd", 9)),
           ErrorCode::foreign_format},
          {"transparent colour", bytes_of(signature + ihdr + chunk("tRNS", std::string("\0a", 2)) + idat + iend),
           ErrorCode::foreign_format},
      },
      [](const Bytes& bytes) { (void)fl::data::decode_png(bytes); });
}
