// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/paper_json.hpp: one `json_of` per structure that a FailureReport does not have, each listing
// its members in their order.

#include <faultline/data/npy.hpp>
#include <faultline/render/json_report.hpp>
#include <faultline/render/paper_json.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail::render {

/// Of each structure of the paper's report; those of a FailureReport are inherited.
struct PaperJson : ReportJson {
  using ReportJson::json_of;

  // Again, because the inherited ones see the inherited overloads only.
  static Json json_of(int value) { return value; }
  template <class T>
  static Json json_of(const std::optional<T>& value) {
    return value ? json_of(*value) : Json(nullptr);
  }
  template <class T>
  static Json json_of(const std::vector<T>& values) {
    Json out = Json::array();
    for (const T& value : values) out.push_back(json_of(value));
    return out;
  }

  static Json json_of(const ChannelContrast& x) {
    return {{"contrast", json_of(x.contrast)},
            {"lower", json_of(x.lower)},
            {"probability_contrast", json_of(x.probability_contrast)}};
  }
  static Json json_of(const PaperChannel& x) {
    return {{"ranked", json_of(x.ranked)}, {"theta", json_of(x.theta)}, {"effect", json_of(x.effect)}};
  }
  static Json json_of(const PaperDistance& x) {
    return {{"status", name_of(x.status)}, {"sigmas", json_of(x.sigmas)}, {"probability", json_of(x.probability)}};
  }
  static Json json_of(const CornerCase& x) {  // without the images
    return {{"class_label", x.class_label}, {"channels", json_of(x.channels)},
            {"signs", json_of(x.signs)},    {"sigmas", json_of(x.sigmas)},
            {"failed", x.failed},           {"probability", json_of(x.probability)},
            {"prediction", x.prediction}};
  }
  static Json json_of(const PaperClass& x) {
    return {{"class_label", x.class_label},
            {"status", name_of(x.status)},
            {"note", x.note},
            {"failures", x.failures},
            {"successes", x.successes},
            {"probability", json_of(x.probability)},
            {"distances", json_of(x.distances)},
            {"together", json_of(x.together)},
            {"corner_cases", json_of(x.corner_cases)}};
  }
  static Json json_of(const AttFindPick& x) {
    return {{"channel", json_of(x.channel)},
            {"layer_name", x.layer_name},
            {"sign", x.sign},
            {"effect", json_of(x.effect)},
            {"explained", x.explained}};
  }
  static Json json_of(const AttFindResult& x) {
    return {{"images", x.images},
            {"cost", x.cost},
            {"channels", json_of(x.channels)},
            {"effect_smallest", json_of(x.effect_smallest)},
            {"effect_largest", json_of(x.effect_largest)},
            {"flipped_smallest", json_of(x.flipped_smallest)},
            {"flipped_largest", json_of(x.flipped_largest)},
            {"cover", json_of(x.cover)},
            {"unexplained", x.unexplained}};
  }
  static Json json_of(const RankingAgreement& x) {
    return {{"first", x.first},       {"second", x.second},
            {"channels", x.channels}, {"jaccard", json_of(x.jaccard)},
            {"tau", json_of(x.tau)},  {"same_sign", json_of(x.same_sign)}};
  }
  static Json json_of(const PropertySpread& x) {
    return {{"name", x.name},
            {"by_class", json_of(x.by_class)},
            {"common", json_of(x.common)},
            {"error", json_of(x.error)},
            {"spread", json_of(x.spread)}};
  }
  static Json json_of(const PaperReport& x) {
    return {{"schema", x.schema},
            {"note", x.note},
            {"failure_rate", json_of(x.failure_rate)},
            {"top", json_of(x.top)},
            {"top_by_gradient", json_of(x.top_by_gradient)},
            {"together", json_of(x.together)},
            {"random_contrasts", json_of(x.random_contrasts)},
            {"contrast_codes", x.contrast_codes},
            {"classes", json_of(x.classes)},
            {"attfind", json_of(x.attfind)},
            {"agreement", json_of(x.agreement)},
            {"properties", json_of(x.properties)},
            {"layers", json_of(x.layers)},
            {"class_names", json_of(x.class_names)},
            {"cost", json_of(x.cost)},
            {"provenance", json_of(x.provenance)}};
  }
};

}  // namespace detail::render

inline std::string to_json(const PaperReport& report) {
  return detail::render::PaperJson::json_of(report).dump(1, ' ', false,
                                                         detail::render::Json::error_handler_t::replace) +
         "\n";
}

inline void write_json(const PaperReport& report, const std::filesystem::path& path) {
  write_file_atomically(path, to_json(report));
}

inline void write_corner_cases(const PaperReport& report, const std::filesystem::path& path) {
  std::vector<float> values;
  ImageShape shape;
  std::int64_t cases = 0;
  for (const PaperClass& one : report.classes) {
    for (const CornerCase& found : one.corner_cases) {
      shape = found.images.shape();
      values.insert(values.end(), found.images.data(), found.images.data() + found.images.count() * shape.elements());
      ++cases;
    }
  }
  if (cases > 0) write_npy(path, {cases, 2, shape.channels, shape.height, shape.width}, std::span<const float>(values));
}

}  // namespace v1
}  // namespace faultline
