// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Malformed files by name, each with the error that it has to get. None may be read, none may crash, none may be called
// something else.
#include <faultline/data/safetensors.hpp>

#include <data/malformed.hpp>
#include <support/catch2.hpp>

namespace fl = faultline;
using namespace faultline_tests;
using fl::ErrorCode;

namespace {

const std::string digits(64, '0');
const std::string eight = floats({1, 2});
const std::string x = R"("x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";

/// A header with one tensor entry as given.
Bytes entry(const std::string& text, const std::string& data = eight) {
  return raw_safetensors("{" + text + "}", data);
}
/// The entry of a tensor x with shape and offsets as given.
Bytes shaped(const std::string& shape, const std::string& offsets, const std::string& data = eight) {
  return entry(R"("x":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}", data);
}
Bytes two(const std::string& first, const std::string& second, const std::string& data) {
  return entry(R"("a":{"dtype":"F32","shape":[1],"data_offsets":)" + first +
                   R"(},"b":{"dtype":"F32","shape":[1],"data_offsets":)" + second + "}",
               data);
}
Bytes described(const std::string& metadata) { return entry(R"("__metadata__":)" + metadata + "," + x); }
Bytes ours(const std::string& metadata) {
  return sealed_safetensors(R"({"__metadata__":{"format":"faultline.test/1",)" + metadata + "}," + x + "}", eight);
}

std::string many_tensors(int count) {
  std::string header = "{";
  for (int i = 0; i < count; ++i)
    header += (i ? ",\"t" : "\"t") + std::to_string(i) + R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  return header + "}";
}

std::string repeated(const std::string& piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

}  // namespace

TEST_CASE("Malformed safetensors files are refused, each for its own reason", "[malformed]") {
  const auto bad = ErrorCode::malformed_header;
  const auto large = ErrorCode::oversized;
  const auto cut = ErrorCode::truncated;
  REQUIRE_NOTHROW(fl::data::decode_safetensors(entry(x)));  // the file that the others are broken copies of
  REQUIRE_NOTHROW(fl::data::decode_safetensors(ours("\"sha256\":\"" + digits + "\"")));
  check_all(
      {
          // container
          {"empty", {}, cut},
          {"one byte", bytes_of("x"), cut},
          {"half a length", bytes_of(std::string(4, '\0')), cut},
          {"only a length", raw_safetensors("", "", 2), cut},
          {"only a length and a brace", raw_safetensors("{", "", 2), cut},
          {"a text file", bytes_of("this is no tensor file"), ErrorCode::bad_magic},
          {"a PNG file", bytes_of("\x89PNG\r\n\x1a\nIHDR...."), ErrorCode::bad_magic},
          {"a zip archive", bytes_of("PK\x03\x04 archive/data.pkl"), ErrorCode::bad_magic},
          {"a pickle", bytes_of("\x80\x02}q\x01X\x05... state_dict"), ErrorCode::bad_magic},
          {"a gzip file", bytes_of("\x1f\x8b\x08 and so on, more"), ErrorCode::bad_magic},
          {"header begins with a space", raw_safetensors(" {" + x + "}", eight), ErrorCode::bad_magic},
          {"header begins with a byte order mark", raw_safetensors("\xef\xbb\xbf{" + x + "}", eight),
           ErrorCode::bad_magic},
          {"header is an array", raw_safetensors("[" + x + "]", eight), ErrorCode::bad_magic},
          {"header length zero", raw_safetensors("{" + x + "}", eight, 0), bad},
          {"header length one", raw_safetensors("{" + x + "}", eight, 1), bad},
          {"header length one short", raw_safetensors("{" + x + "}", eight, x.size() + 1), bad},
          {"header length one too many", raw_safetensors("{" + x + "}", eight, x.size() + 3), bad},
          {"header longer than the file", raw_safetensors("{" + x + "}", eight, 1000), cut},
          {"header length above the limit", raw_safetensors("{" + x + "}", eight, (16u << 20) + 1), large},
          {"header length of 2^63", raw_safetensors("{" + x + "}", eight, std::uint64_t{1} << 63), large},
          {"header length of 2^64 - 1", raw_safetensors("{" + x + "}", eight, ~std::uint64_t{0}), large},
          {"header length that wraps with its own 8 bytes",
           raw_safetensors("{" + x + "}", eight, ~std::uint64_t{0} - 7), large},
          {"data missing", entry(x, ""), cut},
          {"data one byte short", entry(x, eight.substr(1)), cut},
          {"data one byte long", entry(x, eight + "z"), large},
          {"bytes without a tensor", raw_safetensors("{}", "z"), large},
          {"two files one after the other", raw_safetensors("{" + x + "}", eight + eight), large},
          // JSON
          {"unclosed object", raw_safetensors("{" + x, eight), bad},
          {"closed twice", raw_safetensors("{" + x + "}}", eight), bad},
          {"text after the object", raw_safetensors("{" + x + "} true", eight), bad},
          {"second object", raw_safetensors("{" + x + "}{}", eight), bad},
          {"zero byte after the object", raw_safetensors("{" + x + "}" + std::string(1, '\0'), eight), bad},
          {"zero byte and a second header", raw_safetensors("{" + x + "}" + std::string(1, '\0') + "{}", eight), bad},
          {"trailing comma", entry(x + ","), bad},
          {"comment", entry("/* c */" + x), bad},
          {"single quotes", entry("'x':{}", ""), bad},
          {"unquoted key", entry("x:{}", ""), bad},
          {"invalid UTF-8 in a name", entry("\"\xff\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"), bad},
          {"overlong UTF-8 in a name", entry("\"\xc0\xaf\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"),
           bad},
          {"lone surrogate in a name", entry(R"("\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})"), bad},
          {"raw line break in a name", entry("\"x\ny\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"), bad},
          {"200 000 open brackets", entry("\"x\":" + std::string(200'000, '[')), bad},
          {"200 000 open braces", entry("\"x\":" + repeated("{\"y\":", 200'000)), bad},
          {"a megabyte of digits", shaped("[" + std::string(1 << 20, '9') + "]", "[0,8]"), bad},
          // entries
          {"duplicate tensor", entry(x + "," + x), bad},
          {"duplicate tensor spelled with an escape",
           entry(x + R"(,"\u0078":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})"), bad},
          {"duplicate metadata object", raw_safetensors(R"({"__metadata__":{},"__metadata__":{},)" + x + "}", eight),
           bad},
          {"duplicate dtype", entry(R"("x":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]})"), bad},
          {"duplicate shape", entry(R"("x":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]})"), bad},
          {"duplicate data_offsets",
           entry(R"("x":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"data_offsets":[0,8]})"), bad},
          {"unknown entry", entry(R"("x":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"strides":[1]})"), bad},
          {"no dtype", entry(R"("x":{"shape":[2],"data_offsets":[0,8]})"), bad},
          {"no shape", entry(R"("x":{"dtype":"F32","data_offsets":[0,8]})"), bad},
          {"no data_offsets", entry(R"("x":{"dtype":"F32","shape":[2]})"), bad},
          {"empty entry", entry(R"("x":{})"), bad},
          {"tensor is a text", entry(R"("x":"F32")"), bad},
          {"tensor is an array", entry(R"("x":["F32",[2],[0,8]])"), bad},
          {"tensor is null", entry(R"("x":null)"), bad},
          {"tensor is a number", entry(R"("x":8)"), bad},
          {"dtype is a number", entry(R"("x":{"dtype":32,"shape":[2],"data_offsets":[0,8]})"), bad},
          {"dtype is an array", entry(R"("x":{"dtype":["F32"],"shape":[2],"data_offsets":[0,8]})"), bad},
          {"dtype is null", entry(R"("x":{"dtype":null,"shape":[2],"data_offsets":[0,8]})"), bad},
          {"dtype is empty", entry(R"("x":{"dtype":"","shape":[2],"data_offsets":[0,8]})"), ErrorCode::foreign_format},
          {"dtype in lower case", entry(R"("x":{"dtype":"f32","shape":[2],"data_offsets":[0,8]})"),
           ErrorCode::foreign_format},
          {"dtype F64", entry(R"("x":{"dtype":"F64","shape":[1],"data_offsets":[0,8]})"), ErrorCode::foreign_format},
          {"dtype F16", entry(R"("x":{"dtype":"F16","shape":[4],"data_offsets":[0,8]})"), ErrorCode::foreign_format},
          {"dtype U8", entry(R"("x":{"dtype":"U8","shape":[8],"data_offsets":[0,8]})"), ErrorCode::foreign_format},
          {"dtype of a length that shifts the data", entry(R"("x":{"dtype":"I64","shape":[2],"data_offsets":[0,8]})"),
           bad},
          {"dtype F16 in a file of ours",
           sealed_safetensors(R"({"__metadata__":{"format":"faultline.test/1","sha256":")" + digits +
                                  R"("},"x":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}})",
                              eight),
           ErrorCode::wrong_tensor_shape},
          // shapes
          {"shape is a number", shaped("2", "[0,8]"), bad},
          {"shape is a text", shaped("\"2\"", "[0,8]"), bad},
          {"shape is an object", shaped("{}", "[0,8]"), bad},
          {"shape is null", shaped("null", "[0,8]"), bad},
          {"shape is nested", shaped("[[2]]", "[0,8]"), bad},
          {"shape holds a text", shaped("[\"2\"]", "[0,8]"), bad},
          {"shape holds an object", shaped("[{}]", "[0,8]"), bad},
          {"shape holds null", shaped("[null]", "[0,8]"), bad},
          {"shape holds true", shaped("[true]", "[0,8]"), bad},
          {"shape holds a fraction", shaped("[2.0]", "[0,8]"), bad},
          {"shape holds an exponent", shaped("[2e0]", "[0,8]"), bad},
          {"shape holds a negative number", shaped("[-2]", "[0,8]"), bad},
          {"shape holds minus zero", shaped("[-0]", "[0,0]", ""), bad},
          {"shape too small", shaped("[1]", "[0,8]"), bad},
          {"shape too large", shaped("[3]", "[0,8]"), bad},
          {"scalar shape of two elements", shaped("[]", "[0,8]"), bad},
          {"shape with a zero but data", shaped("[0,2]", "[0,8]"), bad},
          {"nine dimensions", shaped("[1,1,1,1,1,1,1,1,2]", "[0,8]"), large},
          {"a million dimensions", shaped("[1" + repeated(",1", 1'000'000) + "]", "[0,8]"), large},
          {"shape of 2^63", shaped("[9223372036854775808]", "[0,8]"), large},
          {"shape of 2^64", shaped("[18446744073709551616]", "[0,8]"), bad},
          {"product wraps to zero", shaped("[4294967296,4294967296]", "[0,0]", ""), large},
          {"product wraps to two", shaped("[2305843009213693953,8]", "[0,32]", repeated(eight, 4)), large},
          {"product wraps to a small number", shaped("[5404319552844595,1707,3]", "[0,8]"), large},
          {"bytes wrap to eight", shaped("[4611686018427387906]", "[0,8]"), large},
          {"product overflows before a zero", shaped("[4611686018427387904,4,0]", "[0,0]", ""), large},
          {"a terabyte in eight bytes", shaped("[274877906944]", "[0,8]"), large},
          // offsets
          {"offsets are a number", shaped("[2]", "8"), bad},
          {"offsets are a text", shaped("[2]", "\"0,8\""), bad},
          {"no offsets", shaped("[2]", "[]"), bad},
          {"one offset", shaped("[2]", "[8]"), bad},
          {"three offsets", shaped("[2]", "[0,8,8]"), large},
          {"offsets the wrong way round", shaped("[2]", "[8,0]"), bad},
          {"negative offset", shaped("[2]", "[-8,0]"), bad},
          {"fractional offset", shaped("[2]", "[0,8.5]"), bad},
          {"offset of 2^64 - 1", shaped("[2]", "[0,18446744073709551615]"), large},
          {"range wraps", shaped("[2]", "[9223372036854775800,9223372036854775807]"), bad},
          {"range beyond the file", shaped("[4]", "[0,16]"), cut},
          {"range far beyond the file", shaped("[268435456]", "[0,1073741824]"), cut},
          {"hole at the beginning", shaped("[1]", "[4,8]"), bad},
          {"hole in the middle", two("[0,4]", "[8,12]", eight + "abcd"), bad},
          {"bytes left at the end", shaped("[1]", "[0,4]"), large},
          {"the same bytes twice", two("[0,4]", "[0,4]", "abcd"), bad},
          {"overlap",
           entry(
               R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]})",
               eight + "abcd"),
           bad},
          {"one tensor inside another",
           entry(
               R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]})"),
           bad},
          {"empty tensor in the middle of another",
           entry(x + R"(,"y":{"dtype":"F32","shape":[0],"data_offsets":[4,4]})"), bad},
          {"empty tensor beyond the end", entry(x + R"(,"y":{"dtype":"F32","shape":[0],"data_offsets":[12,12]})"), bad},
          {"too many tensors", raw_safetensors(many_tensors(65'537), ""), large},
          // metadata
          {"metadata is a text", described("\"pt\""), bad},
          {"metadata is an array", described("[]"), bad},
          {"metadata is null", described("null"), bad},
          {"metadata holds a number", described(R"({"step":3})"), bad},
          {"metadata holds null", described(R"({"step":null})"), bad},
          {"metadata holds true", described(R"({"step":true})"), bad},
          {"metadata holds an object", described(R"({"config":{}})"), bad},
          {"metadata holds an array", described(R"({"config":[]})"), bad},
          {"duplicate metadata key", described(R"({"a":"1","a":"1"})"), bad},
          {"duplicate metadata key spelled with an escape", described(R"({"a":"1","\u0061":"2"})"), bad},
          // digest
          {"no digest in a file of ours", ours("\"config\":\"{}\""), ErrorCode::digest_mismatch},
          {"empty digest", ours("\"sha256\":\"\""), ErrorCode::digest_mismatch},
          {"short digest", ours("\"sha256\":\"" + std::string(63, 'a') + "\""), ErrorCode::digest_mismatch},
          {"long digest", ours("\"sha256\":\"" + std::string(65, 'a') + "\""), ErrorCode::digest_mismatch},
          {"digest of something else", ours("\"sha256\":\"" + std::string(64, 'a') + "\""), ErrorCode::digest_mismatch},
          {"digest that is only zeros",
           raw_safetensors(R"({"__metadata__":{"sha256":")" + digits + "\"}," + x + "}", eight),
           ErrorCode::digest_mismatch},
          {"digest spelled with an escape", ours(R"("sha256":"\u0061)" + std::string(63, 'a') + "\""),
           ErrorCode::digest_mismatch},
          {"digest twice in the header",
           ours("\"a\":\"" + std::string(64, 'b') + "\",\"sha256\":\"" + std::string(64, 'b') + "\""),
           ErrorCode::digest_mismatch},
          {"wrong digest in another program's file", described(R"({"sha256":")" + std::string(64, 'a') + "\"}"),
           ErrorCode::digest_mismatch},
      },
      [](const Bytes& bytes) { (void)fl::data::decode_safetensors(bytes); });
}

TEST_CASE("The limits of safetensors files can be set", "[malformed]") {
  const auto read = [](const Bytes& bytes, const fl::data::SafetensorsLimits& limits) {
    return error_code([&] { (void)fl::data::decode_safetensors(bytes, limits); });
  };
  CHECK(read(entry(x), {.max_file_bytes = static_cast<std::int64_t>(entry(x).size())}) == std::nullopt);
  CHECK(read(entry(x), {.max_file_bytes = static_cast<std::int64_t>(entry(x).size()) - 1}) == ErrorCode::oversized);
  CHECK(read(entry(x), {.max_header_bytes = 10}) == ErrorCode::oversized);
  CHECK(read(raw_safetensors(many_tensors(3), ""), {.max_tensors = 3}) == std::nullopt);
  CHECK(read(raw_safetensors(many_tensors(3), ""), {.max_tensors = 2}) == ErrorCode::oversized);
  CHECK(read(shaped("[1,2]", "[0,8]"), {.max_rank = 2}) == std::nullopt);
  CHECK(read(shaped("[1,2]", "[0,8]"), {.max_rank = 1}) == ErrorCode::oversized);
  CHECK(read(raw_safetensors(many_tensors(65'536), ""), {}) == std::nullopt);
}
