// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/data/safetensors.hpp>

#include <data/malformed.hpp>
#include <support/catch2.hpp>

#include <csignal>
#include <limits>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fl = faultline;
using namespace faultline_tests;
using fl::ErrorCode;
using fl::Integrity;

namespace {

fl::data::TensorFile small_file() {
  fl::data::TensorFile file;
  file.metadata = {{"format", "faultline.test/1"}, {"config", R"({"classes": 2, "text": "\u00e4 \" \\ \n"})"}};
  file.tensors["scale"] = {.shape = {}, .values = {0.5f}};
  file.tensors["weight"] = {.shape = {2, 3}, .values = {1, -2, 3, -4, 5, 1e-30f}};
  file.tensors["labels"] = {
      .shape = {2}, .integers = {7, -(std::int64_t{1} << 40)}, .type = fl::data::ElementType::i64};
  file.tensors["nothing"] = {.shape = {4, 0}};
  return file;
}

}  // namespace

TEST_CASE("What is written is what is read, with the digest added", "[safetensors]") {
  const TemporaryDirectory directory;
  const fl::data::TensorFile file = small_file();
  const std::string digest = fl::data::write_safetensors(directory / "a.safetensors", file);
  fl::data::TensorFile read = fl::data::read_safetensors(directory / "a.safetensors");
  CHECK(read.tensors == file.tensors);
  CHECK(read.metadata.at("sha256") == digest);
  read.metadata.erase("sha256");
  CHECK(read.metadata == file.metadata);
  CHECK(read.at("weight").values[1] == -2.0f);
  CHECK(error_code([&] { (void)read.at("absent"); }) == ErrorCode::missing_tensor);
  CHECK(directory.names() == std::vector<std::string>{"a.safetensors"});
}

TEST_CASE("Equal contents give equal bytes and a digest that was there before changes nothing", "[safetensors]") {
  fl::data::TensorFile file = small_file();
  const auto bytes = fl::data::encode_safetensors(file);
  CHECK(fl::data::encode_safetensors(file) == bytes);
  file.metadata["sha256"] = "stale";
  CHECK(fl::data::encode_safetensors(file) == bytes);
  CHECK(fl::data::encode_safetensors(fl::data::decode_safetensors(bytes)) == bytes);
  CHECK(bytes.size() % 4 == 0);
}

// Made by hand; the digest is what sha256sum prints for the header with zeros in place of the digest, followed by the
// four data bytes:
//   (printf
//   '{"__metadata__":{"format":"faultline.test/1","sha256":"%064d"},"x":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}'
//   0; printf '\0\0\200\77') | sha256sum
TEST_CASE("The digest is the one that the format defines", "[safetensors]") {
  const std::string header =
      R"({"__metadata__":{"format":"faultline.test/1","sha256":"GOLDEN"},"x":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})";
  const std::string digest = "3b4ca97660b0b768b500aff629589d65387fee36a4a06162971a59da1a3952d2";
  std::string text = header;
  text.replace(text.find("GOLDEN"), 6, digest);
  const fl::data::TensorFile file = fl::data::decode_safetensors(raw_safetensors(text, floats({1.0f})));
  CHECK(file.at("x").values == std::vector<float>{1.0f});
  CHECK(file.metadata.at("sha256") == digest);
}

TEST_CASE("Padding after the header counts into the digest and does not disturb", "[safetensors]") {
  const std::string header = R"({"__metadata__":{"format":"faultline.test/1","sha256":")" + std::string(64, '0') +
                             R"("},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}      )";
  CHECK(fl::data::decode_safetensors(sealed_safetensors(header, floats({1.0f}))).tensors.size() == 1);
}

TEST_CASE("Every flipped bit of a weights file is noticed", "[safetensors]") {
  std::vector<std::byte> bytes = fl::data::encode_safetensors(small_file());
  REQUIRE(bytes.size() < 1000);
  std::size_t unnoticed = 0;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    const auto code =
        error_code([&] { fl::data::require_format(fl::data::decode_safetensors(bytes), "faultline.test/1"); });
    if (!code || static_cast<int>(*code) / 100 != 3) ++unnoticed;
    bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
  }
  CHECK(unnoticed == 0);
  CHECK_NOTHROW(fl::data::decode_safetensors(bytes));
}

TEST_CASE("Every file that is cut short or has one byte more is refused", "[safetensors]") {
  const std::vector<std::byte> bytes = fl::data::encode_safetensors(small_file());
  std::size_t otherwise = 0;
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    otherwise +=
        error_code([&] { (void)fl::data::decode_safetensors(std::span(bytes).first(length)); }) == ErrorCode::truncated
            ? 0
            : 1;
  }
  CHECK(otherwise == 0);
  auto longer = bytes;
  longer.push_back(std::byte{0});
  CHECK(error_code([&] { (void)fl::data::decode_safetensors(longer); }) == ErrorCode::oversized);
}

TEST_CASE("A damaged file is read when the caller says so, but never one that contradicts itself", "[safetensors]") {
  auto bytes = fl::data::encode_safetensors(small_file());
  bytes.back() ^= std::byte{1};
  CHECK(error_code([&] { (void)fl::data::decode_safetensors(bytes); }) == ErrorCode::digest_mismatch);
  CHECK_NOTHROW(fl::data::decode_safetensors(bytes, {}, Integrity::unchecked));
  bytes.pop_back();
  CHECK(error_code([&] { (void)fl::data::decode_safetensors(bytes, {}, Integrity::unchecked); }) ==
        ErrorCode::truncated);
}

TEST_CASE("A NaN or infinite weight is refused when written and when read, and named", "[safetensors]") {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    fl::data::TensorFile file = small_file();
    file.tensors["weight"].values[4] = bad;
    CHECK(error_code([&] { (void)fl::data::encode_safetensors(file); }) == ErrorCode::non_finite_weight);
    const std::string header = R"({"__metadata__":{"format":"faultline.test/1","sha256":")" + std::string(64, '0') +
                               R"("},"bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
    const auto sealed = sealed_safetensors(header, floats({1.0f, bad}));
    for (const Integrity integrity : {Integrity::checked, Integrity::unchecked}) {
      CHECK(error_code([&] { (void)fl::data::decode_safetensors(sealed, {}, integrity); }) ==
            ErrorCode::non_finite_weight);
    }
    CHECK(error_text([&] { (void)fl::data::decode_safetensors(sealed); }).find("element 1 of tensor 'bias'") !=
          std::string::npos);
  }
}

TEST_CASE("Another program's file is readable as a file and refused by its format", "[safetensors]") {
  const std::string tensor = R"("model.fc.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})";
  for (const std::string& header :
       {"{" + tensor, R"({"__metadata__":{"format":"pt"},)" + tensor, R"({"__metadata__":{},)" + tensor}) {
    const fl::data::TensorFile file = fl::data::decode_safetensors(raw_safetensors(header, floats({1, 2})));
    CHECK(file.at("model.fc.weight").shape == std::vector<std::int64_t>{1, 2});
    CHECK(error_code([&] { fl::data::require_format(file, "faultline.stylegan2/1"); }) == ErrorCode::foreign_format);
    CHECK(error_text([&] { fl::data::require_format(file, "faultline.stylegan2/1"); }).find("faultline.stylegan2/1") !=
          std::string::npos);
  }
  // Half-precision weights of another program: not ours to read, and not called damage.
  const std::string half = R"({"__metadata__":{"format":"pt"},"w":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}})";
  CHECK(error_code([&] { (void)fl::data::decode_safetensors(raw_safetensors(half, "abcd")); }) ==
        ErrorCode::foreign_format);
}

TEST_CASE("A file of ours needs a digest, the right version and no unknown metadata", "[safetensors]") {
  const std::string header =
      R"({"__metadata__":{"format":"faultline.test/1"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  CHECK(error_code([&] { (void)fl::data::decode_safetensors(raw_safetensors(header, floats({1}))); }) ==
        ErrorCode::digest_mismatch);
  CHECK_NOTHROW(fl::data::decode_safetensors(raw_safetensors(header, floats({1})), {}, Integrity::unchecked));

  fl::data::TensorFile file = small_file();
  CHECK_NOTHROW(fl::data::require_format(file, "faultline.test/1"));
  CHECK(error_code([&] { fl::data::require_format(file, "faultline.test/2"); }) == ErrorCode::foreign_format);
  CHECK(error_code([&] { fl::data::require_format(file, "faultline.test"); }) == ErrorCode::foreign_format);
  file.metadata["extra"] = "{}";
  CHECK_NOTHROW(fl::data::require_format(file, "faultline.test/1"));
  CHECK(error_code([&] { fl::data::require_format(file, "faultline.test/1", {"config"}); }) ==
        ErrorCode::malformed_header);
  file.metadata["colour"] = "red";
  CHECK(error_code([&] { fl::data::require_format(file, "faultline.test/1"); }) == ErrorCode::malformed_header);
}

TEST_CASE("A writer refuses tensors that contradict themselves", "[safetensors]") {
  const auto refused = [](const fl::data::TensorData& tensor, const std::string& name = "x") {
    return error_code([&] { (void)fl::data::encode_safetensors({{}, {{name, tensor}}}); });
  };
  CHECK(refused({.shape = {2}, .values = {1}}) == ErrorCode::shape_mismatch);
  CHECK(refused({.shape = {-1}, .values = {}}) == ErrorCode::shape_mismatch);
  CHECK(refused({.shape = {}, .values = {}}) == ErrorCode::shape_mismatch);
  CHECK(refused({.shape = {1}, .values = {1}, .type = fl::data::ElementType::i64}) == ErrorCode::shape_mismatch);
  CHECK(refused({.shape = {1}, .values = {1}, .integers = {1}}) == ErrorCode::shape_mismatch);
  CHECK(refused({.shape = {std::int64_t{1} << 62, 4}, .values = {}}) == ErrorCode::shape_mismatch);
  CHECK(refused({.shape = {1}, .values = {1}}, "__metadata__") == ErrorCode::invalid_argument);
  CHECK(refused({.shape = {1}, .values = {1}}, "\xff\xfe") == ErrorCode::invalid_argument);
  CHECK(refused({.shape = {1}, .values = {1}}) == std::nullopt);
}

TEST_CASE("A full disk while writing weights leaves the old file and no temporary", "[safetensors]") {
  const TemporaryDirectory directory;
  const auto path = directory / "model.safetensors";
  const std::string digest = fl::data::write_safetensors(path, small_file());
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
    fl::data::TensorFile large = small_file();
    large.tensors["large"] = {.shape = {5000}, .values = std::vector<float>(5000, 1.0f)};
    const std::string text = error_text([&] { fl::data::write_safetensors(path, large); });
    _exit(text.rfind("[F402]", 0) == 0 && text.find(path.string()) != std::string::npos ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  CHECK(fl::data::read_safetensors(path).metadata.at("sha256") == digest);
  CHECK(directory.names() == std::vector<std::string>{"model.safetensors"});
}

TEST_CASE("Reading names the file that cannot be opened", "[safetensors]") {
  const auto read = [] { (void)fl::data::read_safetensors("no/such.safetensors"); };
  CHECK(error_code(read) == ErrorCode::cannot_open);
  CHECK(error_text(read).find("no/such.safetensors") != std::string::npos);
}
