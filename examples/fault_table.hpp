// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What runs on classifiers with known faults say, put together, and whether it is as conditions.md demands.

#include "planted_faults.hpp"

#include <faultline/analysis/labelled_conditions.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/data/corruptions.hpp>
#include <faultline/render/drawing.hpp>
#include <faultline/statistics/binomial.hpp>
#include <faultline/statistics/rank_agreement.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace faults {

namespace fl = faultline;

template <class Value>
nlohmann::ordered_json or_null(const std::optional<Value>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

inline std::string number(std::optional<double> value, const char* format) {
  char text[32] = "-";
  if (value) std::snprintf(text, sizeof text, format, *value);
  return text;
}

/// Level 1: at which place of the causes a property comes, and where images flip along it.
struct Level {
  std::optional<std::int64_t> place = std::nullopt;  ///< 1: first
  std::optional<double> flip = std::nullopt;         ///< median of the property on images that flip
  double level = 0.0;

  [[nodiscard]] std::optional<double> error() const {
    return flip ? std::optional(std::abs(*flip / level - 1.0)) : std::nullopt;
  }
  [[nodiscard]] bool is_good() const { return place == 1 && error().value_or(1.0) <= 0.1; }
};

inline Level level_of(const fl::FailureReport& report, const std::string& property, double level) {
  Level row{.level = level};
  for (std::size_t k = 0; k < report.findings.size() && !row.place; ++k) {
    const fl::Finding& cause = report.findings[k];
    if (cause.condition.properties != std::vector{property} || cause.condition.class_label) continue;
    row.place = static_cast<std::int64_t>(k + 1);
    if (!cause.threshold.at_flip.empty()) row.flip = cause.threshold.at_flip.front().median;
  }
  return row;
}

/// What a report says failures go with, causes first.
struct Named {
  double rate = 0.0;
  std::vector<std::string> names = {};  ///< of properties and their classes
  std::string text = {};                ///< for people

  /// Whether one of the names is among the first three.
  [[nodiscard]] bool hears(const std::vector<std::string>& expected) const {
    const auto end = names.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(3, names.size()));
    return std::any_of(expected.begin(), expected.end(), [&](const std::string& name) {
      return std::any_of(names.begin(), end, [&](const std::string& said) { return said.rfind(name, 0) == 0; });
    });
  }
};

inline Named named(const fl::FailureReport& report) {
  Named result{.rate = report.failure_rate.estimate};
  const auto add = [&](const std::vector<fl::Finding>& list, const char* what) {
    for (const fl::Finding& finding : list) {
      if (finding.condition.is_minor) continue;
      result.names.push_back(finding.title);
      result.text += (result.text.empty() ? "" : ", ") + finding.title;
      const auto& share = finding.attributable;
      char gone[64];
      std::snprintf(gone, sizeof gone, " %.0f %% (%.0f to %.0f)", 100.0 * share.fraction.value_or(0.0),
                    100.0 * share.lower.value_or(0.0), 100.0 * share.upper.value_or(0.0));
      result.text += share.fraction ? gone : what;
    }
  };
  add(report.findings, "");
  add(report.undecided, " (undecided)");
  add(report.not_movable, " (not movable)");
  add(report.associated, " (associated)");
  if (result.text.empty()) result.text = "nothing";
  return result;
}

inline Named named(const fl::analysis::LabelledConditions& found) {
  Named result{.rate = found.failure_rate.estimate};
  for (const auto& condition : found.conditions) {
    result.names.push_back(condition.name);
    char share[32];
    std::snprintf(share, sizeof share, " (D2 %.2f)", condition.share);
    result.text += (result.text.empty() ? "" : ", ") + condition.name + share;
  }
  if (result.text.empty()) result.text = "nothing";
  return result;
}

/// Names of which one must be among the first three where a fault is trained in; none where nothing is to be named.
inline std::vector<std::string> names_of(program::Fault fault) {
  switch (fault) {
    case program::Fault::noise: return {"noise level"};
    case program::Fault::blur: return {"blur"};
    case program::Fault::thin_strokes: return {"stroke thickness", "ink area"};  // a thin stroke has little ink
    case program::Fault::patch: return {"corner brightness"};
    case program::Fault::noisy_labels: return {"slant"};
    default: return {};
  }
}

/// Level 4: failure rates of real images in cells of blur and noise severity, and what was predicted for them.
class Severities {
 public:
  void add(const fl::data::CorruptionDraw& draw, bool failed, double predicted) {
    Cell& cell = cells_[static_cast<std::size_t>(draw.blur_severity)][static_cast<std::size_t>(draw.noise_severity)];
    ++cell.images;
    cell.failures += failed ? 1 : 0;
    cell.predicted += predicted;
  }

  /// Spearman's, of predicted and real rates over the cells.
  [[nodiscard]] double correlation() const {
    std::vector<double> real, predicted;
    for (const auto& row : cells_)
      for (const Cell& cell : row)
        if (cell.images > 0) real.push_back(cell.rate()), predicted.push_back(cell.prediction());
    return fl::statistics::spearman_rho(predicted, real);
  }

  /// Whether blur and noise come in the same order by the failures that go without them: in the report, and on real
  /// images of severity 0 of one of them.
  [[nodiscard]] bool has_order_of(const fl::FailureReport& report) const {
    const auto share = [&](const std::string& name) -> std::optional<double> {
      for (const fl::Finding& cause : report.findings)
        if (cause.condition.properties == std::vector{name} && !cause.condition.class_label)
          return cause.attributable.fraction;
      return std::nullopt;
    };
    const auto blur = share("blur"), noise = share("noise level");
    return blur && noise && (*blur > *noise) == (gone(true) > gone(false));
  }

  [[nodiscard]] std::string text() const {
    std::string out =
        "level 4: failure rate in % of real images, 95 % interval, and as predicted from generated ones\n"
        "blur     noise 0                  noise 1                  noise 2                  noise 3\n";
    for (std::size_t b = 0; b < cells_.size(); ++b) {
      out += std::to_string(b) + "    ";
      for (const Cell& cell : cells_[b]) {
        char text[64];
        const auto interval = cell.interval();
        std::snprintf(text, sizeof text, "%5.1f (%4.1f-%4.1f) %5.1f    ", 100.0 * cell.rate(), 100.0 * interval.lower,
                      100.0 * interval.upper, 100.0 * cell.prediction());
        out += text;
      }
      out += "\n";
    }
    return out;
  }

  [[nodiscard]] nlohmann::ordered_json json() const {
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    for (std::size_t b = 0; b < cells_.size(); ++b)
      for (std::size_t n = 0; n < cells_[b].size(); ++n)
        rows.push_back({{"blur", b},
                        {"noise", n},
                        {"images", cells_[b][n].images},
                        {"rate", cells_[b][n].rate()},
                        {"predicted", cells_[b][n].prediction()}});
    return {{"cells", rows}};
  }

  /// Failure rate against the severity of noise, one pair of curves for each severity of blur.
  [[nodiscard]] fl::Drawing drawing() const {
    namespace palette = fl::render::palette;
    fl::Drawing picture(760, 440,
                        "Failure rate of real images at known severities, and as generated images predict it");
    constexpr double left = 70, right = 560, top = 66, bottom = 380;
    const auto x_of = [](double noise) { return left + (right - left) * (noise + 0.15) / 3.3; };
    const auto y_of = [](double rate) { return bottom - (bottom - top) * rate; };
    const auto label = [&](double x, double y, const std::string& text, fl::render::TextStyle style = {},
                           fl::render::Turn turn = fl::render::Turn::none) { picture.text(x, y, text, style, turn); };
    for (int tick = 0; tick <= 10; tick += 2) {
      picture.line(left, y_of(0.1 * tick), right, y_of(0.1 * tick), {palette::faint});
      label(left - 8, y_of(0.1 * tick) + 4, std::to_string(10 * tick) + " %", {.align = fl::render::Align::right});
    }
    for (int noise = 0; noise < 4; ++noise)
      label(x_of(noise), bottom + 20, std::to_string(noise), {.align = fl::render::Align::centre});
    label(0.5 * (left + right), bottom + 42, "severity of noise (0: none)", {.align = fl::render::Align::centre});
    label(16, 0.5 * (top + bottom), "failure rate", {.align = fl::render::Align::centre}, fl::render::Turn::upwards);
    const fl::render::Colour colours[] = {palette::success, palette::judge, palette::accent, palette::failure};
    for (std::size_t b = 0; b < cells_.size(); ++b) {
      std::vector<std::pair<double, double>> real, predicted;
      for (std::size_t n = 0; n < cells_[b].size(); ++n) {
        const Cell& cell = cells_[b][n];
        const double x = x_of(static_cast<double>(n));
        real.emplace_back(x, y_of(cell.rate()));
        predicted.emplace_back(x, y_of(cell.prediction()));
        const auto interval = cell.interval();
        picture.line(x, y_of(interval.lower), x, y_of(interval.upper), {colours[b], 2.0});
        picture.mark(x, real.back().second, fl::render::Mark::disc, 4.0, colours[b]);
        picture.mark(x, predicted.back().second, fl::render::Mark::triangle, 4.5, colours[b]);
      }
      picture.polyline(real, {colours[b], 2.0});
      picture.polyline(predicted, {colours[b], 1.5, 5.0});
      const double y = top + 20 + 24 * static_cast<double>(b);
      picture.line(right + 24, y - 4, right + 52, y - 4, {colours[b], 3.0});
      label(right + 60, y, b == 0 ? "no blur" : "blur of severity " + std::to_string(b));
    }
    picture.line(left, 28, left + 28, 28, {palette::ink, 2.0});
    picture.mark(left + 14, 28, fl::render::Mark::disc, 4.0, palette::ink);
    label(left + 36, 32, "real images, with 95 % intervals");
    picture.line(left + 270, 28, left + 298, 28, {palette::ink, 1.5, 5.0});
    picture.mark(left + 284, 28, fl::render::Mark::triangle, 4.5, palette::ink);
    label(left + 306, 32, "predicted from generated images");
    return picture;
  }

 private:
  struct Cell {
    std::int64_t images = 0, failures = 0;
    double predicted = 0.0;  // sum
    [[nodiscard]] double rate() const {
      return static_cast<double>(failures) / static_cast<double>(std::max<std::int64_t>(1, images));
    }
    [[nodiscard]] double prediction() const {
      return predicted / static_cast<double>(std::max<std::int64_t>(1, images));
    }
    [[nodiscard]] fl::statistics::Interval interval() const {
      return fl::statistics::clopper_pearson(failures, images);
    }
  };

  /// Share of the failures that go without blur, or without noise: the other one's mix kept.
  [[nodiscard]] double gone(bool blur) const {
    double with = 0.0, without = 0.0, images = 0.0;
    for (std::size_t b = 0; b < cells_.size(); ++b)
      for (std::size_t n = 0; n < cells_[b].size(); ++n) {
        const auto count = static_cast<double>(cells_[b][n].images);
        with += count * cells_[b][n].rate();
        without += count * (blur ? cells_[0][n] : cells_[b][0]).rate();
        images += count;
      }
    return images > 0.0 && with > 0.0 ? 1.0 - without / with : 0.0;
  }

  std::array<std::array<Cell, 4>, 4> cells_ = {};
};

/// Level 5: whether reports of several seeds say the same.
struct Agreement {
  bool same_causes = true;
  std::int64_t pairs = 0;  ///< of seeds, for each cause that both have
  std::int64_t agree = 0;  ///< the 95 % interval of the difference of their headline numbers holds 0
  /// Each number lies in the other's interval: expected of .83 of the pairs where intervals are exact, as a difference
  /// of two numbers has twice the variance of one
  std::int64_t inside = 0;

  [[nodiscard]] bool is_good() const { return same_causes && 10 * agree >= 9 * pairs; }
};

/// Whether two numbers differ by no more than their intervals say they may.
inline bool do_agree(const fl::analysis::Attributable& a, const fl::analysis::Attributable& b) {
  if (*a.fraction < *b.fraction) return do_agree(b, a);
  const double down = *a.fraction - *a.lower, up = *b.upper - *b.fraction;
  return *a.fraction - *b.fraction <= std::sqrt(down * down + up * up);
}

inline Agreement agreement_of(const std::vector<fl::FailureReport>& reports) {
  Agreement result;
  const auto titles = [](const fl::FailureReport& report) {
    std::vector<std::string> list;
    for (const fl::Finding& cause : report.findings) list.push_back(cause.title);
    std::sort(list.begin(), list.end());
    return list;
  };
  for (std::size_t a = 0; a < reports.size(); ++a) {
    result.same_causes = result.same_causes && titles(reports[a]) == titles(reports.front());
    for (std::size_t b = a + 1; b < reports.size(); ++b)
      for (const fl::Finding& x : reports[a].findings)
        for (const fl::Finding& y : reports[b].findings) {
          const auto &first = x.attributable, &second = y.attributable;
          if (x.title != y.title || !first.fraction || !second.fraction) continue;
          ++result.pairs;
          result.agree += do_agree(first, second) ? 1 : 0;
          const bool both = *first.fraction >= *second.lower && *first.fraction <= *second.upper &&
                            *second.fraction >= *first.lower && *second.fraction <= *first.upper;
          result.inside += both ? 1 : 0;
        }
  }
  return result;
}

}  // namespace faults
