// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Prints the figures in the JSON files of the benchmarks as one table, with `pass` or `short` for each, and exits 1
// when one is short or missing. A figure without a bar (a run of another size than the bar is for) is only shown.
// Usage: print_table FILE...

#include <program.hpp>

#include <nlohmann/json.hpp>

#include <cstdio>
#include <exception>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace {

/// Rows in the order of the table: id of a figure, and what it is.
const std::vector<std::pair<std::string, std::string>> rows = {
    {"synthesis.fp32.share.64", "synthesis of 32x32, width 64, float32"},
    {"synthesis.fp32.share.128", "synthesis of 32x32, width 128, float32"},
    {"synthesis.fp32.share.512", "synthesis of 32x32, width 512, float32"},
    {"synthesis.avx2.share.64", "synthesis of 32x32, width 64, kernels for AVX2"},
    {"synthesis.avx2.share.128", "synthesis of 32x32, width 128, kernels for AVX2"},
    {"synthesis.avx2.share.512", "synthesis of 32x32, width 512, kernels for AVX2"},
    {"synthesis.bf16.share.64", "synthesis of 32x32, width 64, bfloat16"},
    {"synthesis.bf16.share.128", "synthesis of 32x32, width 128, bfloat16"},
    {"synthesis.bf16.share.512", "synthesis of 32x32, width 512, bfloat16"},
    {"synthesis.fp32.ratio.64", "float32 against grouped convolutions, width 64"},
    {"synthesis.fp32.ratio.128", "float32 against grouped convolutions, width 128"},
    {"synthesis.fp32.ratio.512", "float32 against grouped convolutions, width 512"},
    {"synthesis.bf16.ratio.64", "bfloat16 against grouped convolutions, width 64"},
    {"synthesis.bf16.ratio.128", "bfloat16 against grouped convolutions, width 128"},
    {"synthesis.bf16.ratio.512", "bfloat16 against grouped convolutions, width 512"},
    {"training.digits", "training step of the preset digits"},
    {"latency.64", "one image, width 64"},
    {"characterize", "characterize, 10 000 + 10 000 samples, all defaults"},
    {"neighbour.wall", "characterize while another process keeps one of two cores busy: time over alone"},
    {"neighbour.processor",
     "characterize while another process keeps one of two cores busy: processor time over alone"},
    {"smoke", "smoke characterisation, 1 000 samples, from process start"},
    {"scan.passes", "effect of all channels on 64 latents: fewer generator passes"},
    {"scan.time", "effect of all channels on 64 latents: less time"},
    {"scan.recall", "effect of all channels on 64 latents: recall of the true top 20"},
    {"conditions.many_classes", "conditions among 100 classes and 30 properties on 10 000 samples, seconds"},
    {"opencv.share_of_direct", "an ONNX classifier of 28x28 images, against calling OpenCV directly"},
    {"child.batch", "a batch of 64 images of 28x28 to a child process and back"},
    {"first.sample", "from the start of a program to its first sample"},
    {"memory", "run over 1 000 000 samples, peak memory"},
    {"include.testing.compiled", "compiling a file that includes testing.hpp, compiled form"},
    {"include.testing", "the same, headers alone"},
    {"include.core.compiled", "compiling a file that includes core.hpp, compiled form"},
    {"compile.readme.compiled", "compiling README's first program, compiled form"},
    {"compile.readme", "the same, headers alone"},
    {"compile.lambda_classifier", "compiling a whole program against the compiled form"},
    {"compile.lambda_classifier.memory", "its memory"},
};

std::string amount(double value, const std::string& unit) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3g %s", value, unit.c_str());
  return text;
}

}  // namespace

static int benchmark(int argc, char** argv) try {
  std::map<std::string, nlohmann::json> measured;
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i]);
    const nlohmann::json json = nlohmann::json::parse(file);
    if (!json.contains("rows")) continue;
    for (const auto& row : json["rows"]) measured[row.at("id").get<std::string>()] = row;
  }
  auto order = rows;
  for (const auto& [id, row] : measured) {  // a figure that the list above does not know comes last
    bool listed = false;
    for (const auto& known : rows) listed = listed || known.first == id;
    if (!listed) order.emplace_back(id, id);
  }
  int missing = 0;
  std::printf("| what | measured | bar | |\n|---|---|---|---|\n");
  for (const auto& [id, what] : order) {
    const auto found = measured.find(id);
    if (found == measured.end()) {
      std::printf("| %s | not measured | | short |\n", what.c_str());
      ++missing;
      continue;
    }
    const nlohmann::json& row = found->second;
    const bool at_most = row.at("at_most").get<bool>();
    const std::string unit = row.at("unit").get<std::string>(), note = row.at("note").get<std::string>();
    const bool known = row.at("measured").is_number();
    const double value = known ? row.at("measured").get<double>() : 0.0;
    if (!row.at("bar").is_number()) {
      std::printf("| %s%s | %s | none at this size | |\n", what.c_str(),
                  note.empty() ? "" : (" (" + note + ")").c_str(),
                  known ? amount(value, unit).c_str() : "not measured");
      continue;
    }
    const double bar = row.at("bar").get<double>();
    const bool pass = known && (at_most ? value <= bar : value >= bar);
    missing += pass ? 0 : 1;
    std::printf("| %s%s | %s | %s %s | %s |\n", what.c_str(), note.empty() ? "" : (" (" + note + ")").c_str(),
                known ? amount(value, unit).c_str() : "not measured", at_most ? "at most" : "at least",
                amount(bar, unit).c_str(), pass ? "pass" : "short");
  }
  return missing == 0 ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "print_table: %s\n", error.what());
  return 2;
}

int main(int argc, char** argv) {
  return program::run("print_table", [&] { return benchmark(argc, argv); });
}
