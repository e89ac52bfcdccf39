// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Reads a replay line as a compiler would: calls, designated initialisers, values. Enough to run the line again.

#include <faultline/analysis/problem/options.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/core/number_text.hpp>

#include <cctype>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace replay_parser {

namespace fl = faultline;

inline std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \n");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \n") - first + 1);
}

/// The line without comments.
inline std::string without_comments(const std::string& line) {
  std::string code;
  for (std::size_t i = 0; i < line.size();) {
    if (line.compare(i, 2, "/*") == 0) i = line.find("*/", i) + 2;
    else if (line.compare(i, 2, "//") == 0) break;
    else code += line[i++];
  }
  return code;
}

/// What stands between commas outside of brackets.
inline std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (const char c : text) {
    if (c == '(' || c == '{') ++depth;
    if (c == ')' || c == '}') --depth;
    if (depth < 0) throw std::runtime_error("a bracket too many: " + text);
    if (c == ',' && depth == 0) parts.emplace_back();
    else parts.back() += c;
  }
  if (depth != 0) throw std::runtime_error("a bracket is not closed: " + text);
  for (std::string& part : parts) part = trimmed(part);
  if (parts.size() == 1 && parts[0].empty()) parts.clear();
  return parts;
}

/// The contents of `name{...}`, or of `name(...)`, which must be all of the text.
inline std::string inside(const std::string& text, const std::string& name, char open, char close) {
  if (text.rfind(name + open, 0) != 0 || text.back() != close)
    throw std::runtime_error("expected " + name + open + "..." + close + ", got " + text);
  return text.substr(name.size() + 1, text.size() - name.size() - 2);
}

/// Designated initialisers, in the order that C++ demands being the caller's affair.
inline std::map<std::string, std::string> initialisers(const std::string& text) {
  std::map<std::string, std::string> values;
  for (const std::string& part : split(text)) {
    const auto equals = part.find(" = ");
    if (part.front() != '.' || equals == std::string::npos)
      throw std::runtime_error("no designated initialiser: " + part);
    if (!values.emplace(part.substr(1, equals - 1), part.substr(equals + 3)).second)
      throw std::runtime_error("given twice: " + part);
  }
  return values;
}

/// Takes one value out of the initialisers; untouched when it is not there.
template <class T>
void take(std::map<std::string, std::string>& values, const std::string& name, T& member) {
  const auto at = values.find(name);
  if (at == values.end()) return;
  const std::string text = at->second;
  values.erase(at);
  if constexpr (std::is_same_v<T, bool>) member = text == "true";
  else if constexpr (std::is_same_v<T, double>) member = fl::number_from(text).value();
  else if constexpr (std::is_same_v<T, std::int64_t>) member = std::stoll(text);
  else if constexpr (std::is_same_v<T, std::optional<std::int64_t>>) member = std::stoll(text);
  else if constexpr (std::is_same_v<T, fl::Noise>)
    member = text == "fl::Noise::none"     ? fl::Noise::none
             : text == "fl::Noise::random" ? fl::Noise::random
                                           : fl::Noise::constant;
  else if constexpr (std::is_same_v<T, fl::LabelPolicy>) {
    if (text == "fl::LabelPolicy::uniform()") member = fl::LabelPolicy::uniform();
    else if (text.rfind("fl::LabelPolicy::fixed", 0) == 0)
      member = fl::LabelPolicy::fixed(std::stoll(inside(text, "fl::LabelPolicy::fixed", '(', ')')));
    else {
      std::vector<std::int64_t> labels;
      for (const std::string& label : split(inside(inside(text, "fl::LabelPolicy::given", '(', ')'), "", '{', '}')))
        labels.push_back(std::stoll(label));
      member = fl::LabelPolicy::given(labels);
    }
  } else static_assert(std::is_same_v<T, bool>, "no reader for this type");
}

/// The numbers of the method.
inline void take_method(const std::string& text, fl::MethodOptions& method) {
  auto values = initialisers(inside(text, "", '{', '}'));
  method = fl::MethodOptions{};  // as braces start, whatever stood there
  for_each_number(method, [&](const char* name, const auto& member) {
    take(values, name, const_cast<std::remove_cvref_t<decltype(member)>&>(member));
  });
  if (values.count("properties") != 0 && values["properties"] == "{}")
    method.properties.clear(), values.erase("properties");
  if (values.count("budget") != 0) {
    auto budget = initialisers(inside(values["budget"], "", '{', '}'));
    take(budget, "seconds", method.budget.seconds);
    take(budget, "images", method.budget.images);
    if (budget.empty()) values.erase("budget");
  }
  if (!values.empty()) throw std::runtime_error("not understood: " + values.begin()->first);
}

/// The criterion, the last argument when there are four.
inline fl::CriterionFunction criterion_of(const std::vector<std::string>& arguments) {
  if (arguments.size() < 4) return fl::Misclassified{};
  return fl::criterion_from(arguments[3]).value();
}

}  // namespace replay_parser
