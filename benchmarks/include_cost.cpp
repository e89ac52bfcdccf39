// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Claim: a test file that includes testing.hpp costs at most 2.5 CPU seconds, one that includes core.hpp at most 6.
// Compiles each door alone without optimisation, three times, and prints the least CPU time of the compiler as JSON.

#include <program.hpp>
#include <support/figures.hpp>
#include <support/rounds.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

/// CPU seconds to compile `text`, or a negative number when it does not compile.
double compile_cost(const std::string& text) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path();
  const std::string source = (folder / "faultline_include_cost.cpp").string();
  const std::string object = (folder / "faultline_include_cost.o").string();
  std::ofstream(source) << text;
  const std::string command = std::string(FAULTLINE_COMPILE_COMMAND) + " -O0 -c '" + source + "' -o '" + object + "'";
  double least = -1.0;
  for (int run = 0; run < 3; ++run) {
    const double before = bench::processor_seconds(RUSAGE_CHILDREN);
    if (std::system(command.c_str()) != 0) return -1.0;
    const double cost = bench::processor_seconds(RUSAGE_CHILDREN) - before;
    least = run == 0 ? cost : std::min(least, cost);
  }
  std::filesystem::remove(source);
  std::filesystem::remove(object);
  return least;
}

}  // namespace

static int benchmark() {
  const double empty = compile_cost("int main() {}\n");
  const double testing = compile_cost("#include <faultline/testing.hpp>\n");
  const double core = compile_cost("#include <faultline/core.hpp>\n");
  const auto known = [](double cost) { return cost < 0.0 ? std::nan("") : cost; };
  bench::print(
      "include_cost",
      {{"include.testing", known(testing), 2.5, true, "CPU s"}, {"include.core", known(core), 6.0, true, "CPU s"}},
      "\"empty\": " + bench::number(known(empty)));
  return empty < 0 || testing < 0 || core < 0 ? 1 : 0;
}

int main() { return program::run("include_cost", benchmark); }
