// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The child's side of the protocol, spoken to by hand: what it says, and what it refuses.

#include <faultline/classify/make_classifier.hpp>
#include <faultline/interop/serve_classifier.hpp>

#include <support/catch2.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace fl = faultline;
using fl::ErrorCode;

namespace {

/// A pipe that closes itself.
struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() { REQUIRE(::pipe(ends.data()) == 0); }
  ~Pipe() { close_writer(), ::close(ends[0]); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_writer() {
    if (ends[1] >= 0) ::close(ends[1]);
    ends[1] = -1;
  }
};

std::string numbers(std::initializer_list<std::uint32_t> values) {
  std::string bytes;
  for (const std::uint32_t value : values) bytes.append(reinterpret_cast<const char*>(&value), 4);
  return bytes;
}
std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), 4 * values.size()};
}

/// Means of the images as scores of two classes, each a multiple of its number.
auto means(fl::Scores scores = fl::Scores::logits) {
  return fl::make_classifier(
      [](fl::ImageView images, fl::ScoreMatrix& out) {
        out.resize(images.count(), 2);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          float sum = 0.0f;
          for (const float value : images.image(i)) sum += value;
          out(i, 0) = sum, out(i, 1) = 2.0f * sum;
        }
      },
      {.classes = 2, .scores = scores, .digest = "d1"});
}

/// What a served classifier answers to these bytes, and how it ended.
std::pair<std::string, ErrorCode> served(auto& classifier, const std::string& bytes) {
  Pipe input, output;
  REQUIRE(::write(input.ends[1], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  input.close_writer();
  ErrorCode code{0};
  try {
    fl::serve_classifier(classifier, input.ends[0], output.ends[1]);
  } catch (const fl::Error& error) {
    code = error.code();
  }
  output.close_writer();
  std::string said(4096, '\0');
  const ssize_t count = ::read(output.ends[0], said.data(), said.size());
  said.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return {said, code};
}

const std::string hello = "FLTH" + numbers({1, 2, 1, 2}) + "d1";

}  // namespace

TEST_CASE("a served classifier says hello and answers every batch with its own scores") {
  auto classifier = means();
  const std::string first = "FLTB" + numbers({1, 2, 1, 1, 2}) + floats({1, 2, 3, 4}),
                    second = "FLTB" + numbers({1, 1, 3, 1, 1}) + floats({5, 6, 7});
  const auto [said, code] = served(classifier, first + second);
  CHECK(code == ErrorCode{0});
  CHECK(said == hello + "FLTS" + numbers({2, 2}) + floats({3, 6, 7, 14}) + "FLTS" + numbers({1, 2}) + floats({18, 36}));
}

TEST_CASE("what is no frame ends the service by name") {
  auto classifier = means();
  const std::string head = "FLTB" + numbers({1, 2, 1, 1, 2});
  CHECK(served(classifier, "").second == ErrorCode{0});
  CHECK(served(classifier, "hello, is anybody there?").second == ErrorCode::malformed_header);
  CHECK(served(classifier, "FLTB" + numbers({2, 1, 1, 1, 1}) + floats({1})).second == ErrorCode::malformed_header);
  CHECK(served(classifier, head.substr(0, 10)).second == ErrorCode::truncated);
  CHECK(served(classifier, head).second == ErrorCode::truncated);
  CHECK(served(classifier, head + floats({1, 2, 3})).second == ErrorCode::truncated);
  auto narrow = fl::make_classifier(
      [](fl::ImageView images) { return std::vector<float>(static_cast<std::size_t>(images.count()), 0.0f); },
      {.classes = 2, .scores = fl::Scores::logits});
  CHECK(served(narrow, head + floats({1, 2, 3, 4})).second != ErrorCode{0});
}
