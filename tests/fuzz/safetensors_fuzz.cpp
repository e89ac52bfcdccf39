// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// libFuzzer target of the safetensors reader: any bytes give a file or an Error, and what was read survives writing and
// reading again.
// Build: clang++ -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
// -Iinclude tests/fuzz/safetensors_fuzz.cpp -o safetensors_fuzz
// Run: ./safetensors_fuzz -max_total_time=60
// -max_len=4096 -dict=tests/fuzz/safetensors.dict corpus/ tests/fuzz/safetensors_corpus/
#include <faultline/data/safetensors.hpp>

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace faultline;
  using namespace faultline::data;
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  for (const Integrity integrity : {Integrity::checked, Integrity::unchecked}) {
    try {
      const TensorFile file = decode_safetensors(bytes, {}, integrity);
      TensorFile again = decode_safetensors(encode_safetensors(file));
      again.metadata.erase("sha256");
      TensorFile expected = file;
      expected.metadata.erase("sha256");
      if (again.tensors != expected.tensors || again.metadata != expected.metadata) std::abort();
    } catch (const Error& error) {
      if (error.family() != 3) std::abort();
    }
  }
  return 0;
}
