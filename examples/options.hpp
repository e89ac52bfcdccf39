// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Numbers among the options of a command line, each with its range, which --help shows and a value outside is refused
// with.

#include "program.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace program {

inline constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                              most = std::numeric_limits<std::int64_t>::max();

/// A number that `take` is called with.
template <class Number>
CLI::Option* option(CLI::App& app, const std::string& name, std::function<void(Number)> take,
                    std::type_identity_t<Number> lower, std::type_identity_t<Number> upper, const std::string& text) {
  const bool any =
      std::is_integral_v<Number> && lower == static_cast<Number>(least) && upper == static_cast<Number>(most);
  return app
      .add_option_function<std::string>(
          name, [=](const std::string& word) { take(number<Number>(name, word, lower, upper)); }, text)
      ->type_name(
          (std::is_integral_v<Number> ? "INT" : "NUMBER") +
          (any ? std::string() : " in [" + fl::core::range_text(lower) + ", " + fl::core::range_text(upper) + "]"));
}

/// A number with a default, which --help shows.
template <class Number>
requires std::same_as<Number, std::int64_t> || std::same_as<Number, double> CLI::Option* option(
    CLI::App& app, const std::string& name, Number& value, std::type_identity_t<Number> lower,
    std::type_identity_t<Number> upper, const std::string& text) {
  return option<Number>(app, name, std::function<void(Number)>([&value](Number given) { value = given; }), lower, upper,
                        text)
      ->default_str(fl::core::range_text(value));
}

/// A number that need not be given.
inline CLI::Option* option(CLI::App& app, const std::string& name, std::optional<std::int64_t>& value,
                           std::int64_t lower, std::int64_t upper, const std::string& text) {
  return option<std::int64_t>(app, name,
                              std::function<void(std::int64_t)>([&value](std::int64_t given) { value = given; }), lower,
                              upper, text);
}

/// Several numbers.
inline CLI::Option* option(CLI::App& app, const std::string& name, std::vector<std::int64_t>& values,
                           std::int64_t lower, std::int64_t upper, const std::string& text) {
  return app
      .add_option_function<std::vector<std::string>>(
          name,
          [&values, name, lower, upper](const std::vector<std::string>& words) {
            for (const std::string& word : words) values.push_back(number<std::int64_t>(name, word, lower, upper));
          },
          text)
      ->type_name("INT ...");
}

/// Reads the command line; an exit code where the program ends with that: after --help, or with a sentence on what is
/// wrong.
inline std::optional<int> parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    // what was not recognised says more than what is therefore missing
    std::vector<std::string> unknown = app.remaining(true);
    if (unknown.empty()) return app.exit(error) == 0 ? 0 : 2;
    std::reverse(unknown.begin(), unknown.end());  // (the error takes them from the last to the first)
    return app.exit(CLI::ExtrasError(app.get_name(), unknown)) == 0 ? 0 : 2;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return std::nullopt;
}

}  // namespace program
