// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/core/atomic_file.hpp>
#include <faultline/data/idx.hpp>

#include <data/malformed.hpp>
#include <support/catch2.hpp>

namespace fl = faultline;
using namespace faultline_tests;
using fl::ErrorCode;

TEST_CASE("IDX files of one to four dimensions are read, plain and packed, whatever their name", "[idx]") {
  const TemporaryDirectory directory;
  const std::string elements = "the quick brown fox jump";  // 24
  for (const auto& extents : {std::initializer_list<std::uint32_t>{24}, {4, 6}, {2, 3, 4}, {2, 3, 2, 2}}) {
    const std::string file = idx_header(extents) + elements;
    fl::core::write_file_atomically(directory / "plain.gz", file);
    fl::core::write_file_atomically(directory / "packed", gzip(file));
    for (const char* name : {"plain.gz", "packed"}) {
      const fl::data::IdxArray array = fl::data::read_idx(directory / name);
      CHECK(array.shape == std::vector<std::int64_t>(extents.begin(), extents.end()));
      CHECK(std::string(array.values.begin(), array.values.end()) == elements);
    }
  }
  CHECK(fl::data::decode_idx(bytes_of(idx_header({0, 3}))).values.empty());
  CHECK(error_code([&] { (void)fl::data::read_idx(directory / "absent"); }) == ErrorCode::cannot_open);
  CHECK(error_code([&] { (void)fl::data::read_idx(directory / "packed", {.max_file_bytes = 10}); }) ==
        ErrorCode::oversized);
}

TEST_CASE("Members of a gzip file are one stream, wherever they meet, and zeros after the last are padding", "[idx]") {
  const std::string file = idx_header({2, 3}) + "abcdef";
  const std::string empty = gzip("");
  // bgzip's last member, an empty one
  const std::string block_end("\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0\x42\x43\x02\0\x1b\0\x03\0\0\0\0\0\0\0\0\0", 28);
  std::string bytewise;
  for (const char c : file) bytewise += gzip(std::string(1, c));
  std::vector<std::string> files = {bytewise,
                                    empty + gzip(file),
                                    gzip(file) + empty + empty,
                                    gzip(file) + block_end,
                                    gzip(file) + std::string(1, '\0'),
                                    bytewise + std::string(10'000, '\0')};
  for (std::size_t cut = 0; cut <= file.size(); ++cut)
    files.push_back(gzip(file.substr(0, cut)) + gzip(file.substr(cut)));
  for (const std::string& packed : files) {
    const fl::data::IdxArray array = fl::data::decode_idx(bytes_of(packed));
    CHECK(array.shape == std::vector<std::int64_t>{2, 3});
    CHECK(std::string(array.values.begin(), array.values.end()) == "abcdef");
  }
}

TEST_CASE("What an IDX file is instead, and what follows it, is said", "[idx]") {
  const auto text = [](const std::string& file) {
    return error_text([&] { (void)fl::data::decode_idx(bytes_of(file), {}, "labels.gz"); });
  };
  CHECK(text(idx_header({1}, -1, 0x0d) + "abcd")
            .find("'labels.gz' is no IDX file of unsigned bytes: expected it to begin with the bytes 0, 0, 8, got 0, "
                  "0, 13") != std::string::npos);
  CHECK(text(gzip(idx_header({1}) + "a") + "zz").find("'labels.gz' has 2 bytes after its gzip stream") !=
        std::string::npos);
}

TEST_CASE("A packed array larger than any buffer arrives whole", "[idx]") {
  std::string elements(3'000'000, '\0');
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = static_cast<char>((i * i) >> 7);
  const fl::data::IdxArray array = fl::data::decode_idx(bytes_of(gzip(idx_header({3000, 1000}) + elements)));
  CHECK(std::string(array.values.begin(), array.values.end()) == elements);
}

TEST_CASE("Malformed IDX files are refused, each for its own reason", "[malformed]") {
  const auto cut = ErrorCode::truncated;
  const auto large = ErrorCode::oversized;
  const auto corrupt = ErrorCode::corrupt_compression;
  const std::string good = idx_header({2, 3}) + "abcdef";
  const std::string packed = gzip(good);
  REQUIRE(fl::data::decode_idx(bytes_of(good)).shape == std::vector<std::int64_t>{2, 3});
  REQUIRE(fl::data::decode_idx(bytes_of(packed)).values.back() == 'f');
  std::vector<Malformed> files = {
      {"empty", {}, cut},
      {"three bytes", bytes_of(good.substr(0, 3)), cut},
      {"no dimensions follow", bytes_of(good.substr(0, 4)), cut},
      {"half a dimension", bytes_of(good.substr(0, 6)), cut},
      {"second dimension missing", bytes_of(good.substr(0, 8)), cut},
      {"no element follows", bytes_of(good.substr(0, 12)), cut},
      {"last element missing", bytes_of(good.substr(0, good.size() - 1)), cut},
      {"one byte more", bytes_of(good + "g"), large},
      {"two arrays", bytes_of(good + good), large},
      {"first byte not zero", bytes_of(with_byte(good, 0, 1)), ErrorCode::bad_magic},
      {"second byte not zero", bytes_of(with_byte(good, 1, 1)), ErrorCode::bad_magic},
      {"signed bytes", bytes_of(idx_header({2, 3}, -1, 9) + "abcdef"), ErrorCode::bad_magic},
      {"floats", bytes_of(idx_header({1}, -1, 0x0d) + "abcd"), ErrorCode::bad_magic},
      {"magic in little endian", bytes_of(std::string("\x03\x08\0\0", 4) + "abcdefgh"), ErrorCode::bad_magic},
      {"a PNG file", bytes_of("\x89PNG\r\n\x1a\n"), ErrorCode::bad_magic},
      {"a text file", bytes_of("label,pixels\n"), ErrorCode::bad_magic},
      {"a zip archive", bytes_of("PK\x03\x04...."), ErrorCode::bad_magic},
      {"no dimension at all", bytes_of(idx_header({})), ErrorCode::malformed_header},
      {"five dimensions", bytes_of(idx_header({1, 1, 1, 1, 1}) + "a"), large},
      {"255 dimensions", bytes_of(idx_header({}, 255)), large},
      {"four billion elements", bytes_of(idx_header({0xffffffffu}) + "abc"), large},
      {"product wraps 32 bits", bytes_of(idx_header({65536, 65536}) + "abc"), large},
      {"product wraps 64 bits", bytes_of(idx_header({0xffffffffu, 0xffffffffu, 0xffffffffu}) + "abc"), large},
      {"product wraps 64 bits to a small number", bytes_of(idx_header({0x80000000u, 0x80000000u, 4, 1}) + "a"), large},
      {"a gigabyte stated, three bytes there", bytes_of(idx_header({1u << 30}) + "abc"), cut},
      {"zero elements stated, one there", bytes_of(idx_header({0, 3}) + "a"), large},
      {"gzip: only the first two bytes", bytes_of(packed.substr(0, 2)), cut},
      {"gzip: header cut", bytes_of(packed.substr(0, 8)), cut},
      {"gzip: stream cut", bytes_of(packed.substr(0, packed.size() / 2)), cut},
      {"gzip: trailer missing", bytes_of(packed.substr(0, packed.size() - 8)), cut},
      {"gzip: last byte missing", bytes_of(packed.substr(0, packed.size() - 1)), cut},
      {"gzip: unknown method", bytes_of(with_byte(packed, 2, 1)), corrupt},
      {"gzip: reserved flag", bytes_of(with_byte(packed, 3, 0x80)), corrupt},
      {"gzip: CRC wrong", bytes_of(with_byte(packed, packed.size() - 8, 1)), corrupt},
      {"gzip: length wrong", bytes_of(with_byte(packed, packed.size() - 4, 1)), corrupt},
      {"gzip: bytes after the stream", bytes_of(packed + "z"), large},
      {"gzip: two arrays in two members", bytes_of(packed + packed), large},
      {"gzip: bytes after the padding", bytes_of(packed + std::string(512, '\0') + "z"), large},
      {"gzip: half a magic number after the stream", bytes_of(packed + "\x1f"), large},
      {"gzip: second member cut", bytes_of(gzip(good.substr(0, 9)) + gzip(good.substr(9)).substr(0, 15)), cut},
      {"gzip: second member only begun", bytes_of(packed + "\x1f\x8b"), cut},
      {"gzip: second member damaged",
       bytes_of(gzip(good.substr(0, 9)) + with_byte(gzip(good.substr(9)), gzip(good.substr(9)).size() - 8, 1)),
       corrupt},
      {"gzip: second member missing", bytes_of(gzip(good.substr(0, 13))), cut},
      {"zeros after a plain array", bytes_of(good + std::string(4, '\0')), large},
      {"gzip inside gzip", bytes_of(gzip(packed)), ErrorCode::bad_magic},
      {"gzip: empty contents", bytes_of(gzip("")), cut},
      {"gzip: a text inside", bytes_of(gzip("label,pixels")), ErrorCode::bad_magic},
      {"gzip: element missing inside", bytes_of(gzip(good.substr(0, good.size() - 1))), cut},
      {"gzip: one byte more inside", bytes_of(gzip(good + "g")), large},
      {"gzip: bomb behind a small array", bytes_of(gzip(good + std::string(10'000'000, 'b'))), large},
      {"gzip: a gigabyte stated, little inside", bytes_of(gzip(idx_header({1u << 30}) + "abc")), cut},
  };
  check_all(files, [](const Bytes& bytes) { (void)fl::data::decode_idx(bytes); });

  CHECK(error_code([&] { (void)fl::data::decode_idx(bytes_of(good), {.max_elements = 6}); }) == std::nullopt);
  CHECK(error_code([&] { (void)fl::data::decode_idx(bytes_of(good), {.max_elements = 5}); }) == ErrorCode::oversized);
  CHECK(error_code([&] { (void)fl::data::decode_idx(bytes_of(good), {.max_rank = 1}); }) == ErrorCode::oversized);
}
