// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/data/npy.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <cstring>

namespace fl = faultline;
using namespace faultline_tests;
using fl::ErrorCode;

namespace {

/// Takes a file of NPY version 1.0 apart, as its specification describes it: magic, version, header length, header,
/// data.
struct Npy {
  std::string header, data;
  explicit Npy(const std::filesystem::path& path) {
    const std::string text = text_of(path);
    REQUIRE(text.size() >= 10);
    REQUIRE(text.substr(0, 8) == std::string("\x93NUMPY\1\0", 8));
    const std::size_t length = static_cast<unsigned char>(text[8]) + 256u * static_cast<unsigned char>(text[9]);
    CHECK((10 + length) % 16 == 0);
    REQUIRE(text.size() >= 10 + length);
    header = text.substr(10, length);
    CHECK(header.back() == '\n');
    data = text.substr(10 + length);
  }
  [[nodiscard]] bool says(const std::string& piece) const { return header.find(piece) != std::string::npos; }
};

template <class T>
void check_array(const std::filesystem::path& path, const std::vector<std::int64_t>& shape,
                 const std::vector<T>& values, const std::string& type, const std::string& shape_text) {
  fl::data::write_npy(path, shape, std::span<const T>(values));
  const Npy file(path);
  INFO(file.header);
  CHECK(file.says("'descr': '" + type + "'"));
  CHECK(file.says("'fortran_order': False"));
  CHECK(file.says("'shape': " + shape_text));
  CHECK(file.data == std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
}

}  // namespace

TEST_CASE("Arrays of every element type and rank become NPY files", "[npy]") {
  const TemporaryDirectory directory;
  check_array<float>(directory / "a.npy", {2, 3}, {1, 2, 3, -4, 5, 6}, "<f4", "(2, 3)");
  check_array<double>(directory / "a.npy", {}, {0.1}, "<f8", "()");
  check_array<std::int64_t>(directory / "a.npy", {2}, {-1, std::int64_t{1} << 40}, "<i8", "(2,)");
  check_array<std::uint8_t>(directory / "a.npy", {1, 2, 1, 2}, {0, 255, 7, 8}, "|u1", "(1, 2, 1, 2)");
  check_array<float>(directory / "a.npy", {0, 3}, {}, "<f4", "(0, 3)");
  CHECK(directory.names() == std::vector<std::string>{"a.npy"});
}

TEST_CASE("A shape that does not fit its values is refused and nothing is written", "[npy]") {
  const TemporaryDirectory directory;
  const std::vector<float> values(6);
  for (const auto& shape : std::vector<std::vector<std::int64_t>>{{7},
                                                                  {},
                                                                  {2, 4},
                                                                  {-1},
                                                                  {-2, -3},
                                                                  {std::int64_t{1} << 62, 4, 6},
                                                                  {std::int64_t{1} << 62, std::int64_t{1} << 62}}) {
    CHECK(error_code([&] { fl::data::write_npy(directory / "a.npy", shape, std::span<const float>(values)); }) ==
          ErrorCode::shape_mismatch);
  }
  CHECK(directory.names().empty());
  CHECK(error_code([&] { fl::data::write_npy(directory / "absent" / "a.npy", {6}, std::span<const float>(values)); }) ==
        ErrorCode::cannot_write);
}
