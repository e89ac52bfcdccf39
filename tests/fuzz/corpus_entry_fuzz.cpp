// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// libFuzzer target of the reader of failure corpora: any bytes give an entry that reads back from its own text as it
// is, or an Error.
// Build: clang++ -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -Iinclude
// -I/usr/include/eigen3 tests/fuzz/corpus_entry_fuzz.cpp -lpng -lz -o corpus_entry_fuzz
#include <faultline/error.hpp>
#include <faultline/testing/corpus_entry.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace faultline;
  try {
    const auto entry = testing::parse_corpus_entry({reinterpret_cast<const char*>(data), size}, "fuzz");
    if (!(testing::parse_corpus_entry(testing::corpus_entry_text(entry), "again") == entry)) std::abort();
  } catch (const Error& error) {
    if (error.family() != 3) std::abort();
  }
  return 0;
}
