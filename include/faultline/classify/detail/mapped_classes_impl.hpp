// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of classify/mapped_classes.hpp.

#include <faultline/classify/mapped_classes.hpp>

#include <faultline/error.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

FAULTLINE_INLINE ClassMap::ClassMap(std::vector<std::vector<std::int64_t>> meanings) : meanings_(std::move(meanings)) {
  constexpr const char* where = "ClassMap";
  if (meanings_.empty()) throw Error(ErrorCode::invalid_argument, where, "there is no class");
  std::set<std::int64_t> used;
  for (std::size_t k = 0; k < meanings_.size(); ++k) {
    if (meanings_[k].empty())
      throw Error(ErrorCode::invalid_argument, where,
                  "class " + std::to_string(k) + " means no class of the classifier");
    for (const std::int64_t own : meanings_[k])
      if (own < 0 || !used.insert(own).second)
        throw Error(ErrorCode::invalid_argument, where,
                    "class " + std::to_string(own) + " of the classifier is " +
                        (own < 0 ? "negative" : "meant by two classes, or twice by one"));
  }
}

FAULTLINE_INLINE ClassMap ClassMap::from_text(std::string_view text) {
  std::vector<std::vector<std::int64_t>> meanings(1);
  const auto cannot = [&](std::size_t at) {
    return Error(ErrorCode::invalid_argument, "ClassMap",
                 "cannot read \"" + std::string(text) + "\" from character " + std::to_string(at + 1) +
                     " on; write one number for each class, \"3, 1, 0\", or several joined by +");
  };
  std::size_t at = 0;
  const auto skip_spaces = [&] {
    while (at < text.size() && text[at] == ' ') ++at;
  };
  for (;;) {
    skip_spaces();
    std::int64_t own = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), own);
    if (error != std::errc() || own < 0) throw cannot(at);
    meanings.back().push_back(own);
    at = static_cast<std::size_t>(end - text.data());
    skip_spaces();
    if (at == text.size()) return ClassMap(std::move(meanings));
    if (text[at] == ',') meanings.emplace_back();
    else if (text[at] != '+') throw cannot(at);
    ++at;
  }
}

FAULTLINE_INLINE std::string ClassMap::text() const {
  std::string text;
  for (const std::vector<std::int64_t>& meaning : meanings_) {
    if (!text.empty()) text += ", ";
    for (std::size_t i = 0; i < meaning.size(); ++i) text += (i == 0 ? "" : "+") + std::to_string(meaning[i]);
  }
  return text;
}

namespace classify {
namespace detail {

/// Probabilities of a row of scores; of a single one, those of two classes.
[[nodiscard]] inline std::vector<double> row_probabilities(std::span<const float> row, Scores kind) {
  if (row.size() == 1) {
    const auto x = static_cast<double>(row[0]);
    const double second = kind == Scores::logits ? 1.0 / (1.0 + std::exp(-x)) : x;
    return {1.0 - second, second};
  }
  std::vector<double> p(row.begin(), row.end());
  if (kind != Scores::logits) return p;
  const double highest = *std::max_element(p.begin(), p.end());
  double sum = 0.0;
  for (double& value : p) sum += value = std::exp(value - highest);
  for (double& value : p) value /= sum;
  return p;
}

}  // namespace detail

FAULTLINE_INLINE std::int64_t mapped_classes(std::int64_t classes, const ClassMap& map) {
  const std::int64_t own = classes == 1 ? 2 : classes;  // one column is two classes
  if (map.is_identity()) return own;
  std::int64_t meant = 0;
  for (const std::vector<std::int64_t>& meaning : map.meanings())
    for (const std::int64_t c : meaning) {
      if (c >= own)
        throw Error(ErrorCode::invalid_argument, "ClassMap",
                    "class " + std::to_string(c) + " is no class of the classifier, which has " + std::to_string(own));
      ++meant;
    }
  return static_cast<std::int64_t>(map.meanings().size()) + (meant < own ? 1 : 0);
}

FAULTLINE_INLINE void check_mapped_shape(const ScoreMatrix& scores, std::int64_t images, std::int64_t classes,
                                         const std::string& name) {
  const std::string where = "classifier \"" + name + "\"";
  if (scores.rows() != images || scores.cols() != classes)
    throw Error(ErrorCode::wrong_score_shape, where,
                "expected scores [" + std::to_string(images) + ", " + std::to_string(classes) + "], got [" +
                    std::to_string(scores.rows()) + ", " + std::to_string(scores.cols()) + "]");
  for (std::int64_t i = 0; i < scores.rows(); ++i)
    for (const float score : scores.row_span(i))
      if (!std::isfinite(score))
        throw Error(ErrorCode::non_finite_scores, where, "a score of row " + std::to_string(i) + " is not finite");
}

FAULTLINE_INLINE ScoreMatrix mapped_scores(const ScoreMatrix& scores, Scores kind, const ClassMap& map) {
  ScoreMatrix mapped;
  mapped.resize(scores.rows(), mapped_classes(scores.cols(), map));
  for (std::int64_t i = 0; i < scores.rows(); ++i) {
    const std::vector<double> p = detail::row_probabilities(scores.row_span(i), kind);
    std::vector<double> sums(static_cast<std::size_t>(mapped.cols()), 0.0);
    if (map.is_identity()) {
      sums = p;
    } else {
      double meant = 0.0, all = 0.0;
      for (const double value : p) all += value;
      for (std::size_t k = 0; k < map.meanings().size(); ++k)
        for (const std::int64_t c : map.meanings()[k]) {
          sums[k] += p[static_cast<std::size_t>(c)];
          meant += p[static_cast<std::size_t>(c)];
        }
      if (sums.size() > map.meanings().size()) sums.back() = std::max(0.0, all - meant);
    }
    for (std::size_t k = 0; k < sums.size(); ++k) mapped(i, static_cast<std::int64_t>(k)) = static_cast<float>(sums[k]);
  }
  return mapped;
}

}  // namespace classify
}  // namespace v1
}  // namespace faultline
