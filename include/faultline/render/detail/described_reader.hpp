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
using data::JsonPlace;

/// The text of a report's file. **Throws** `cannot_open`; `oversized` above 64 MB.
[[nodiscard]] inline std::string report_text(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = core::read_file(path, std::int64_t{64} << 20);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// How many classes a report says there are: a number, or one entry for each.
[[nodiscard]] inline std::int64_t stated_classes(const nlohmann::json& json, std::string_view where) {
  const auto found = json.find("classes");
  if (found != json.end() && found->is_number_integer()) {
    const auto count = found->get<std::int64_t>();
    if (count < 1 || count > limits::classes)
      throw Error(ErrorCode::malformed_header, where, "'classes' must be a whole number in its range");
    return count;
  }
  const bool listed = found != json.end() && found->is_array() && !found->empty();
  return listed ? static_cast<std::int64_t>(found->size()) : limits::classes;
}

/// Whether a JSON text names an earlier version of the same format: "faultline.report/1" where "faultline.report/2" is
/// expected.
[[nodiscard]] inline bool is_older(const nlohmann::json& json, const std::string& schema) {
  if (!json.is_object() || !json.contains("schema") || !json["schema"].is_string()) return false;
  const auto& given = json["schema"].get_ref<const std::string&>();
  const std::size_t number = schema.rfind('/') + 1;
  const auto version = [number](const std::string& name) {
    const bool counts = name.size() > number && name.size() < number + 10 &&
                        name.find_first_not_of("0123456789", number) == std::string::npos;
    return counts ? std::stoi(name.substr(number)) : 0;
  };
  return given.compare(0, number, schema, 0, number) == 0 && version(given) > 0 && version(given) < version(schema);
}

/// A structure with a `schema` out of a JSON text. **Throws** `foreign_format` for another schema, `malformed_header`.
template <Described T>
[[nodiscard]] T read_described(std::string_view text, std::string_view where, std::string_view expected) {
  const nlohmann::json json = data::parse_strict_json(text, where);
  T report;
  if (is_older(json, report.schema))
    throw Error(ErrorCode::foreign_format, where,
                "this report is of the earlier schema " + json["schema"].get<std::string>() +
                    ", in which names and numbers mean something else than in " + report.schema +
                    ": make it again with this version");
  if (!json.is_object() || !json.contains("schema") || json["schema"] != report.schema)
    throw Error(ErrorCode::foreign_format, where,
                "this is not a report of the schema " + report.schema + "; give the " + std::string(expected));
  DescribedReader(where, stated_classes(json, where)).read(json, {}, report);
  return report;
}

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
