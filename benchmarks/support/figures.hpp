// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a benchmark prints: one JSON object with the figures it measured, each beside the bar it has to reach.

#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// One measured figure. `id` is its row in the table (support/print_table.cpp); a figure that could not be measured is
/// a NaN and counts as short, unless its bar is a NaN too: then there is nothing to reach at this size.
struct Figure {
  std::string id;
  double measured = std::nan("");
  double bar = 0.0;
  bool at_most = false;  ///< whether the bar is the largest value that passes, not the smallest
  std::string unit = {};
  std::string note = {};  ///< for example how it was measured, or why it was not
};

inline std::string number(double value) {
  if (!std::isfinite(value)) return "null";
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

/// Prints `{"benchmark": name, "rows": [...], more}`; `more` holds further members without braces, or nothing. Names
/// and notes must not need escapes.
inline void print(std::string_view name, const std::vector<Figure>& figures, const std::string& more = {}) {
  std::string text = "{\"benchmark\": \"" + std::string(name) + "\", \"rows\": [";
  for (std::size_t i = 0; i < figures.size(); ++i) {
    const Figure& f = figures[i];
    text += (i == 0 ? "" : ", ") + ("{\"id\": \"" + f.id) + "\", \"measured\": " + number(f.measured) +
            ", \"bar\": " + number(f.bar) + ", \"at_most\": " + (f.at_most ? "true" : "false") + ", \"unit\": \"" +
            f.unit + "\", \"note\": \"" + f.note + "\"}";
  }
  std::printf("%s]%s%s}\n", text.c_str(), more.empty() ? "" : ", ", more.c_str());
}

/// Whether `--quick` is among the arguments: fewer repetitions and smaller runs, for a look and not for the record.
inline bool quick(int argc, char** argv) {
  for (int i = 1; i < argc; ++i)
    if (std::string_view(argv[i]) == "--quick") return true;
  return false;
}

}  // namespace bench
