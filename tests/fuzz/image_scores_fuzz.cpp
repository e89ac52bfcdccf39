// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// libFuzzer target of the reader of scores by image: any text gives a whole table or an Error, and what was read makes
// a table that reads the same.
// Build: clang++ -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
// -Iinclude tests/fuzz/image_scores_fuzz.cpp -o image_scores_fuzz -lz -ltbb
// Run: ./image_scores_fuzz -max_total_time=60 -max_len=4096 -dict=tests/fuzz/image_scores.dict corpus/
// tests/fuzz/image_scores_corpus/
#include <faultline/core/number_text.hpp>
#include <faultline/data/image_scores.hpp>
#include <faultline/error.hpp>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace {

using namespace faultline;

void require(bool condition) {
  if (!condition) std::abort();
}

std::optional<data::ImageScores> table_of(std::string_view text) {
  try {
    return data::parse_image_scores(text, {.max_bytes = 1 << 20});
  } catch (const Error& error) {
    require(error.family() == 3 || error.family() == 2);
  }
  return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto table = table_of({reinterpret_cast<const char*>(data), size});
  if (!table) return 0;
  require(table->classes > 0 && table->kind != Scores::undeclared && table->digest.size() == 64);
  require(static_cast<std::size_t>(table->size()) == table->rows.size());
  std::string text = data::image_scores_header(table->classes, table->kind);
  for (const auto& [digest, row] : table->rows) {
    require(digest.size() == 64 && row >= 0 && row < table->size() && table->find(digest) == row);
    text += digest;
    for (const float score : table->scores.row_span(row)) {
      require(std::isfinite(score));
      text += "," + number_text(static_cast<double>(score));
    }
    text += "\n";
  }
  for (const auto& block : table->blocks)
    for (const std::string& digest : block.digests) require(table->find(digest).has_value());
  const auto again = table_of(text);
  require(again && again->size() == table->size());
  for (const auto& [digest, row] : table->rows)
    for (std::int64_t k = 0; k < table->classes; ++k)
      require(again->scores(*again->find(digest), k) == table->scores(row, k));
  return 0;
}
