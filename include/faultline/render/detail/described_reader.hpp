// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Reports out of JSON: their schema, and what their parts must agree in.

#include <faultline/analysis/report.hpp>
#include <faultline/core/atomic_file.hpp>
#include <faultline/core/describe.hpp>
#include <faultline/core/enum_text.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/data/described_reader.hpp>
#include <faultline/data/strict_json.hpp>
#include <faultline/render/detail/text.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

using data::DescribedReader;
using data::is_older;
using data::JsonPlace;
using data::read_described;
using data::report_text;

/// "findings[3]"
[[nodiscard]] inline std::string entry(const std::string& list, std::size_t index) {
  return list + "[" + std::to_string(index) + "]";
}

/// What the parts of every report must agree in, beyond their types.
struct ReportChecks {
  std::string_view where;

  void require(bool holds, const std::string& place, const char* what) const {
    if (!holds) throw Error(ErrorCode::malformed_header, where, "'" + place + "' " + what);
  }
  void names(std::int64_t classes, const std::vector<std::string>& names) const {
    require(static_cast<std::int64_t>(names.size()) <= classes, "class_names",
            "has more entries than there are classes");
  }
  /// What samples are drawn again from.
  void run(const Provenance& run) const {
    const auto in_range = [&](std::int64_t value, std::int64_t highest, const char* place) {
      require(value >= 1 && value <= highest, place, "must be a whole number in its range");
    };
    in_range(run.samples_per_split, std::int64_t{1} << 40, "provenance.samples_per_split");
    in_range(run.batch_size, std::int64_t{1} << 20, "provenance.batch_size");
    require(std::isfinite(run.truncation), "provenance.truncation", "must be a number");
    require(std::isfinite(run.alpha), "provenance.alpha", "must be a number");
  }
  /// `size` is the length of w that all directions share, 0 before the first; a condition that cannot be moved has
  /// none.
  void direction(const analysis::Direction& along, const std::string& place, std::size_t& size) const {
    if (along.w.empty() && along.whitened.empty() && along.parts.empty()) return;
    if (size == 0) size = along.w.size();
    require(size > 0 && along.w.size() == size, place + ".direction.w", "must be as long as every other direction");
    numbers(along.w, place + ".direction.w");
    numbers(along.whitened, place + ".direction.whitened");
    for (const std::vector<double>& part : along.parts) {
      require(part.size() == size, place + ".direction.parts", "must be as long as every other direction");
      numbers(part, place + ".direction.parts");
    }
  }

 private:
  void numbers(const std::vector<double>& values, const std::string& list) const {
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!std::isfinite(values[i])) require(false, entry(list, i), "must be a number");
  }
};

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
