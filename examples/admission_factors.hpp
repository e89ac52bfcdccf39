// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Known factors of pictures, as examples/worlds/draw_letters.py writes them, beside what the properties measure.

#include <faultline/data/mnist.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/rank_agreement.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace admission {

namespace fl = faultline;

/// One numeric column of factors.csv, a value for each image.
struct Factor {
  std::string name;
  std::vector<double> values;
};

inline std::vector<std::string> cells(std::string line) {
  if (!line.empty() && line.back() == '\r') line.pop_back();
  std::vector<std::string> all(1);
  for (const char c : line) {
    if (c == ',') all.emplace_back();
    else all.back() += c;
  }
  return all;
}

/// The numeric columns of a table whose column `file` names the pictures: for the first `count` images, those that vary
/// within a class.
inline std::vector<Factor> read_factors(const std::filesystem::path& path, const fl::LabelledImages& images,
                                        std::int64_t count) {
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line))
    throw fl::Error(fl::ErrorCode::cannot_open, "property_admission", "cannot read \"" + path.string() + "\"");
  const std::vector<std::string> names = cells(line);
  const auto key = static_cast<std::size_t>(std::find(names.begin(), names.end(), "file") - names.begin());
  std::map<std::string, std::vector<std::string>> rows;
  for (std::int64_t number = 2; std::getline(file, line); ++number) {
    std::vector<std::string> row = cells(line);
    if (row.size() != names.size() || key == names.size())
      throw fl::Error(fl::ErrorCode::malformed_header, "property_admission",
                      path.string() + ", line " + std::to_string(number) + ": expected " +
                          std::to_string(names.size()) + " fields, one of them \"file\", got " +
                          std::to_string(row.size()));
    rows.insert_or_assign(row[key], row);
  }
  std::vector<Factor> factors;
  for (std::size_t column = 0; column < names.size(); ++column) {
    Factor factor{names[column], {}};
    std::map<std::int64_t, double> first;  // of each class
    bool numeric = true, varies = false;
    for (std::int64_t i = 0; i < count && numeric; ++i) {
      const std::string& name = images.names[static_cast<std::size_t>(i)];
      const auto row = rows.find(name);
      if (row == rows.end())
        throw fl::Error(fl::ErrorCode::inconsistent_files, "property_admission",
                        path.string() + " has no row for \"" + name + "\"");
      const std::string& cell = row->second[column];
      double value = 0.0;
      const auto [end, problem] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
      numeric = problem == std::errc{} && end == cell.data() + cell.size() && std::isfinite(value);
      factor.values.push_back(value);
      varies = varies || first.try_emplace(images.label(i), value).first->second != value;
    }
    if (numeric && varies) factors.push_back(std::move(factor));
  }
  return factors;
}

/// Spearman's rank correlation in each class, averaged over the images.
inline double correlation_within_classes(const std::vector<double>& x, const std::vector<double>& y,
                                         const std::vector<std::int64_t>& labels) {
  std::map<std::int64_t, std::pair<std::vector<double>, std::vector<double>>> classes;
  for (std::size_t i = 0; i < x.size(); ++i) {
    classes[labels[i]].first.push_back(x[i]);
    classes[labels[i]].second.push_back(y[i]);
  }
  double sum = 0.0, count = 0.0;
  for (const auto& [label, values] : classes) {
    const double rho = fl::statistics::spearman_rho(values.first, values.second);
    if (std::isnan(rho)) continue;  // one value only
    sum += rho * static_cast<double>(values.first.size());
    count += static_cast<double>(values.first.size());
  }
  return count > 0.0 ? sum / count : 0.0;
}

/// What a property and a factor have in common.
struct SameThing {
  std::string_view property, factor;
  double sign = 1.0;              ///< of the correlation
  std::string_view implied = {};  ///< a factor that moves the property by what it means
};

inline constexpr SameThing same_things[] = {
    {"blur", "blur"},
    {"noise level", "noise"},
    {"stroke thickness", "weight", 1.0, "height"},  // weight is in parts of the height
    {"slant", "slant", 1.0, "rotation"},            // turned letters lean
    {"height", "height"},
    {"horizontal position", "x"},
    {"vertical position", "y", -1.0},  // y points downwards
};

/// A row for each property, a column for each factor: correlations within classes.
inline void print_factors(const std::vector<Factor>& factors, const std::vector<std::string>& properties,
                          const std::vector<std::vector<double>>& values, const std::vector<std::int64_t>& labels) {
  std::printf(
      "\nRank correlation within classes with the factors that the pictures were made from:\n\n%-20s %6s %6s  %-10s",
      "", "", "", "");
  const auto split = [](const std::string& name) {
    const std::size_t at = name.find('_');
    return at == std::string::npos ? std::pair(std::string(), name)
                                   : std::pair(name.substr(0, at), name.substr(at + 1));
  };
  for (const Factor& factor : factors) std::printf("%11.11s", split(factor.name).first.c_str());
  std::printf("\n%-20s %6s %6s  %-10s", "property", "own", "other", "");
  for (const Factor& factor : factors) std::printf("%11.11s", split(factor.name).second.c_str());
  std::printf("\n");
  std::string wrong;
  for (std::size_t p = 0; p < properties.size(); ++p) {
    const SameThing* same = nullptr;
    for (const SameThing& candidate : same_things)
      if (candidate.property == properties[p] &&
          std::any_of(factors.begin(), factors.end(), [&](const Factor& f) { return f.name == candidate.factor; }))
        same = &candidate;
    double own = 0.0, other = 0.0;
    std::string row, followed;
    for (const Factor& factor : factors) {
      const double rho = correlation_within_classes(values[p], factor.values, labels);
      const char mark = same == nullptr                ? ' '
                        : factor.name == same->factor  ? '*'
                        : factor.name == same->implied ? '+'
                                                       : ' ';
      if (mark == '*') own = rho * same->sign;
      if (mark == ' ' && std::abs(rho) > std::abs(other)) other = rho, followed = factor.name;
      char cell[32];
      std::snprintf(cell, sizeof cell, "%10.2f%c", rho, mark);
      row += cell;
    }
    if (same == nullptr) {
      std::printf("%-20s %6s %6s  %-10s%s\n", properties[p].c_str(), "", "", "", row.c_str());
      continue;
    }
    const bool follows = own > std::abs(other);
    std::printf("%-20s %6.2f %6.2f  %-10s%s\n", properties[p].c_str(), own, std::abs(other), follows ? "" : "NOT FIRST",
                row.c_str());
    if (follows) continue;
    char line[256];
    std::snprintf(line, sizeof line, "%s follows \"%s\" (%.2f) more than its own factor \"%s\" (%.2f)\n",
                  properties[p].c_str(), followed.c_str(), other, std::string(same->factor).c_str(), own);
    wrong += line;
  }
  std::printf(
      "* its own factor, own has the sign that is expected; + moves with it by definition; other: largest over the "
      "rest.\n");
  std::fputs(wrong.c_str(), stdout);
}

}  // namespace admission
