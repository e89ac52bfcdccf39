// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gives every seed of a corpus to a fuzz target, whole, cut short at each of its first bytes and with each of them
// changed: what libFuzzer would begin with, on compilers that have none.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  std::size_t inputs = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      std::ifstream file(entry.path(), std::ios::binary);
      std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
      LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
      ++inputs;
      for (std::size_t k = 0; k < bytes.size() && k < 512; ++k) {
        LLVMFuzzerTestOneInput(bytes.data(), k);
        bytes[k] ^= 0xff;
        LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
        bytes[k] ^= 0xff;
      }
    }
  }
  std::printf("%zu seeds\n", inputs);
  return inputs == 0 ? 1 : 0;
}
