// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// libFuzzer target of the IDX reader, plain and gzip: any bytes give an array whose elements fit its shape, or an
// Error.
// Build: clang++ -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -Iinclude
// tests/fuzz/idx_fuzz.cpp -o idx_fuzz -lz
// Run: ./idx_fuzz -max_total_time=60 -max_len=4096 corpus/
// tests/fuzz/idx_corpus/
#include <faultline/data/idx.hpp>

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace faultline;
  using namespace faultline::data;
  try {
    const IdxArray array = decode_idx({reinterpret_cast<const std::byte*>(data), size});
    std::int64_t elements = 1;
    for (const std::int64_t extent : array.shape) elements *= extent;
    if (array.shape.empty() || static_cast<std::size_t>(elements) != array.values.size()) std::abort();
  } catch (const Error& error) {
    if (error.family() != 3) std::abort();
  }
  return 0;
}
