// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// libFuzzer target of the reader of reports, of each of the three kinds: any bytes give a report that reads back from
// its own JSON as it is, or an Error; and what is read as a characterisation has a page and a table.
// Build: clang++ -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined
// -fno-sanitize-recover=all -Iinclude -I/usr/include/eigen3 tests/fuzz/report_fuzz.cpp -o report_fuzz
// Run: // ./report_fuzz -max_total_time=60 -max_len=8192 -dict=tests/fuzz/report.dict corpus/ tests/fuzz/report_corpus/
#include <faultline/render/comparison_report.hpp>
#include <faultline/render/directions_csv.hpp>
#include <faultline/render/html_report.hpp>
#include <faultline/render/json_report.hpp>
#include <faultline/render/paper_json.hpp>
#include <faultline/render/read_report.hpp>

#include <cstdlib>
#include <string_view>

namespace {

template <class Parse, class Use>
void try_text(std::string_view text, Parse parse, Use use) {
  using namespace faultline;
  using namespace faultline::render;
  try {
    const auto report = parse(text, "fuzz");
    if (!(parse(to_json(report), "again") == report)) std::abort();
    use(report);
  } catch (const Error& error) {
    if (error.family() != 3) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace faultline;
  using namespace faultline::render;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto nothing = [](const auto&) {};
  try_text(
      text, [](std::string_view bytes, const char* name) { return parse_report(bytes, name); },
      [](const FailureReport& report) {
        if (html_report(report, {}).empty() || directions_csv(report).empty()) std::abort();
      });
  try_text(
      text, [](std::string_view bytes, const char* name) { return parse_paper_report(bytes, name); }, nothing);
  try_text(
      text, [](std::string_view bytes, const char* name) { return parse_comparison(bytes, name); }, nothing);
  return 0;
}
