// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// libFuzzer target of the reader of score tables: any text gives a whole table or an Error, whatever the pieces it
// arrives in, and a table finds images that are called so.
// Build: clang++ -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
// -Iinclude tests/fuzz/score_table_fuzz.cpp -o score_table_fuzz -lz -ltbb
// Run: ./score_table_fuzz -max_total_time=60 -max_len=4096 -dict=tests/fuzz/score_table.dict corpus/
// tests/fuzz/score_table_corpus/
#include <faultline/data/score_table.hpp>

#include <faultline/data/detail/score_rows.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <set>

namespace {

using namespace faultline;

void require(bool condition) {
  if (!condition) std::abort();
}

/// The table, or nothing where it is refused.
template <class Read>
std::optional<ScoreTable> table_of(const Read& read) {
  try {
    return read();
  } catch (const Error& error) {
    require(error.family() == 3 || error.family() == 2 || error.code() == ErrorCode::label_out_of_range);
  }
  return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const Scores kind : {Scores::logits, Scores::probabilities}) {
    const ScoreTableOptions options{.scores = kind, .max_bytes = 1 << 20};
    const auto table = table_of([&] { return parse_score_table(text, options); });
    const auto slow = table_of([&] {
      return data::detail::read_scores(
          [rest = text](std::span<char> out) mutable {
            const std::size_t count = std::min<std::size_t>({1, out.size(), rest.size()});
            std::copy_n(rest.begin(), count, out.begin());
            rest.remove_prefix(count);
            return count;
          },
          options, "one byte at a time");
    });
    require(table.has_value() == slow.has_value());
    if (!table) continue;
    require(table->scores == slow->scores && table->images == slow->images && table->labels == slow->labels);
    require(table->size() > 0 && table->classes() > 1);
    require(table->images.size() == static_cast<std::size_t>(table->size()));
    require(table->labels.empty() || table->labels.size() == table->images.size());
    require(table->class_names.empty() || table->class_names.size() == static_cast<std::size_t>(table->classes()));
    for (const float value : table->scores.values()) require(std::isfinite(value));
    for (const std::int64_t label : table->labels) require(label >= 0 && label < table->classes());
    require(std::set<std::string>(table->images.begin(), table->images.end()).size() == table->images.size());

    LabelledImages images{.count = table->size(), .height = 1, .width = 1, .classes = 0};
    images.names = table->images;
    std::reverse(images.names.begin(), images.names.end());
    if (table->labels.empty()) images.labels.assign(images.names.size(), 1);
    const auto matched = table_of([&] { return match_scores(*table, images); });
    require(matched.has_value() && matched->images == images.names);
    require(matched->scores(0, 0) == table->scores(table->size() - 1, 0));
  }
  return 0;
}
