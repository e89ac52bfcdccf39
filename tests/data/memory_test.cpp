// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What readers take from memory: never more than the file warrants, and nothing stays behind when an allocation fails.
// Replaces operator new for this program.
#include <faultline/data/idx.hpp>
#include <faultline/data/png.hpp>
#include <faultline/data/safetensors.hpp>
#include <faultline/data/score_table.hpp>

#include <data/malformed.hpp>
#include <support/catch2.hpp>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>

#include <malloc.h>

namespace fl = faultline;
using namespace faultline_tests;

namespace {

std::atomic<std::int64_t> live_bytes{0};
std::atomic<std::int64_t> peak_bytes{0};
std::atomic<std::int64_t> allocations_left{-1};  // the allocation after so many fails; negative: none does

void* allocate(std::size_t size) {
  if (allocations_left >= 0 && allocations_left-- == 0) throw std::bad_alloc();
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  live_bytes += static_cast<std::int64_t>(malloc_usable_size(memory));
  if (live_bytes > peak_bytes) peak_bytes = live_bytes.load();
  return memory;
}

void release(void* memory) noexcept {
  if (memory == nullptr) return;
  live_bytes -= static_cast<std::int64_t>(malloc_usable_size(memory));
  std::free(memory);
}

/// Largest amount of memory held at once during the call, beyond what was held before; errors of the library are part
/// of the game.
std::int64_t peak_of(const std::function<void()>& call) {
  const std::int64_t before = live_bytes;
  peak_bytes = before;
  try {
    call();
  } catch (const fl::Error&) {}
  return peak_bytes - before;
}

/// Lets the first, second, third ... allocation of the call fail until one run has none left to fail. Returns how many
/// failed, -1 when memory stayed behind.
int survive_every_failure(const std::function<void()>& call) {
  call();  // whatever is allocated once and kept is allocated now
  for (int n = 0;; ++n) {
    const std::int64_t before = live_bytes;
    bool failed = false;
    allocations_left = n;
    try {
      call();
    } catch (const std::bad_alloc&) {
      failed = true;
    } catch (
        const fl::Error&) {  // libpng and zlib report a lack of memory of their own; ours never becomes one of these
      allocations_left = -1;
      return -2;
    }
    allocations_left = -1;
    if (live_bytes != before) return -1;
    if (!failed) return n;
  }
}

fl::data::TensorFile small_file() {
  return {.metadata = {{"format", "faultline.test/1"}},
          .tensors = {{"a", {.shape = {2}, .values = {1, 2}}},
                      {"b", {.shape = {1}, .integers = {3}, .type = fl::data::ElementType::i64}}}};
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return allocate(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](std::size_t size, const std::nothrow_t& tag) noexcept { return operator new(size, tag); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { release(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { release(memory); }

TEST_CASE("A header that claims much takes no more memory than its file warrants", "[memory]") {
  const std::int64_t constant = 64 * 1024;  // messages, streams, tree nodes
  const auto tensors =
      raw_safetensors(R"({"x":{"dtype":"F32","shape":[268435456],"data_offsets":[0,1073741824]}})", "abcd");
  CHECK(peak_of([&] { (void)fl::data::decode_safetensors(tensors); }) < constant);
  const auto longest_header = raw_safetensors("{\"x\":", "", 16u << 20);
  CHECK(peak_of([&] { (void)fl::data::decode_safetensors(longest_header); }) < constant);

  std::string entries = "{";
  for (int i = 0; i < 20'000; ++i)
    entries += (i ? ",\"t" : "\"t") + std::to_string(i) + R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  const auto many = raw_safetensors(entries + "}", "");
  CHECK(peak_of([&] { (void)fl::data::decode_safetensors(many); }) < 20 * static_cast<std::int64_t>(many.size()));

  const auto idx = bytes_of(idx_header({1u << 30}) + "abc");
  CHECK(peak_of([&] { (void)fl::data::decode_idx(idx); }) < constant);
  const auto packed = bytes_of(gzip(idx_header({1u << 30}) + "abc"));
  CHECK(peak_of([&] { (void)fl::data::decode_idx(packed); }) < constant);
  const auto bomb = bytes_of(gzip(idx_header({3}) + "abc" + std::string(50'000'000, 'b')));
  CHECK(peak_of([&] { (void)fl::data::decode_idx(bomb); }) < constant);

  auto picture = fl::data::encode_png({.height = 1, .width = 1, .pixels = {0}});
  picture.resize(33);  // signature and header chunk; now state 60 megapixels and seal the chunk again
  for (const auto& [position, value] : {std::pair<std::size_t, int>{18, 0x1e}, {22, 0x20}})
    picture[position] = static_cast<std::byte>(value);
  const auto crc = static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(picture.data() + 12), 17));
  for (std::size_t i = 0; i < 4; ++i) picture[29 + i] = static_cast<std::byte>(crc >> (24 - 8 * i));
  const auto end = bytes_of(std::string("\0\0\0\0IEND\xae\x42\x60\x82", 12));
  picture.insert(picture.end(), end.begin(), end.end());
  CHECK(error_code([&] { (void)fl::data::decode_png(picture); }) == fl::ErrorCode::truncated);
  CHECK(peak_of([&] { (void)fl::data::decode_png(picture); }) < constant);
}

TEST_CASE("A sound file is read in about twice its size", "[memory]") {
  const fl::data::TensorFile file{
      .metadata = {{"format", "faultline.test/1"}},
      .tensors = {{"a", {.shape = {1'000'000}, .values = std::vector<float>(1'000'000, 1.5f)}}}};
  const auto bytes = fl::data::encode_safetensors(file);
  // Beside the bytes themselves
  CHECK(peak_of([&] { (void)fl::data::decode_safetensors(bytes); }) <
        static_cast<std::int64_t>(bytes.size()) * 11 / 10);
}

TEST_CASE("A table of scores takes memory for what it holds, whatever a quote or a line of commas claims", "[memory]") {
  const fl::ScoreTableOptions logits{.scores = fl::Scores::logits};
  const std::int64_t mebibyte = 1 << 20;
  const std::string open = "image,0,1\na,\"" + std::string(100'000'000, 'x'),
                    commas = "image,0,1\n" + std::string(15'000'000, ',');
  for (const std::string& text : {open, commas})
    CHECK(error_code([&] { (void)fl::parse_score_table(text, logits); }) == fl::ErrorCode::oversized);
  CHECK(peak_of([&] { (void)fl::parse_score_table(open, logits); }) < 64 * mebibyte);
  CHECK(peak_of([&] { (void)fl::parse_score_table(commas, logits); }) < 128 * mebibyte);

  std::string sound = "image,score_0,score_1,score_2,score_3,score_4,score_5,score_6,score_7,score_8,score_9\n";
  for (int i = 0; i < 20'000; ++i) sound += "a/picture-" + std::to_string(i) + ".png,1,2,3.5,4.5,5,6,7,8,9,-10\n";
  CHECK(fl::parse_score_table(sound, logits).size() == 20'000);
  CHECK(peak_of([&] { (void)fl::parse_score_table(sound, logits); }) < 5 * static_cast<std::int64_t>(sound.size()));
}

TEST_CASE("Whichever allocation fails, nothing stays behind", "[memory]") {
  const auto tensors = fl::data::encode_safetensors(small_file());
  CHECK(survive_every_failure([&] { (void)fl::data::decode_safetensors(tensors); }) > 10);
  CHECK(survive_every_failure([&] { (void)fl::data::encode_safetensors(small_file()); }) > 10);
  const auto idx = bytes_of(gzip(idx_header({3, 2}) + "abcdef"));
  CHECK(survive_every_failure([&] { (void)fl::data::decode_idx(idx); }) > 2);
  const fl::Picture picture{.height = 2, .width = 2, .pixels = {1, 2, 3, 4}};
  const auto png = fl::data::encode_png(picture);
  CHECK(survive_every_failure([&] { (void)fl::data::decode_png(png); }) > 0);
  CHECK(survive_every_failure([&] { (void)fl::data::encode_png(picture); }) > 0);

  const std::string table = "image,label,cat,dog\na-picture-of-a-cat.png,cat,1,2\nb.png,1,3,4\n";
  CHECK(survive_every_failure([&] { (void)fl::parse_score_table(table, {.scores = fl::Scores::logits}); }) > 5);

  const TemporaryDirectory directory;
  const auto path = directory / "a.safetensors";
  fl::data::write_safetensors(path, small_file());
  const auto replacement = [&] { fl::data::write_safetensors(path, small_file()); };
  CHECK(survive_every_failure(replacement) > 10);
  CHECK(survive_every_failure([&] { (void)fl::data::read_safetensors(path); }) > 10);
  CHECK(directory.names() == std::vector<std::string>{"a.safetensors"});
  CHECK(fl::data::read_safetensors(path).tensors == small_file().tensors);
}
