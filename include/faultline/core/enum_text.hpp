// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Enumerators as text, so that a failing comparison prints `none_found` and not a number; read from the compiler, so
// that none is forgotten.

#include <faultline/config.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace core {

/// An `enum class`, whose values do not turn into numbers by themselves.
template <class E>
concept ScopedEnum = std::is_enum_v<E> && !std::is_convertible_v<E, std::underlying_type_t<E>>;

namespace detail {

// GCC writes `value = faultline::v1::Verdict::none_found;`, clang ends it with `]`; what is no enumerator is written as
// a cast.
template <auto value>
[[nodiscard]] constexpr std::string_view enumerator() noexcept {
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("value = ") + 8);
  text = text.substr(0, text.find_first_of(";]"));
  if (text.find('(') != std::string_view::npos) return {};
  return text.substr(text.rfind(':') + 1);
}

inline constexpr std::size_t enumerators_named = 32;

template <ScopedEnum E, std::size_t... i>
[[nodiscard]] constexpr auto enumerators(std::index_sequence<i...>) noexcept {
  return std::array<std::string_view, sizeof...(i)>{enumerator<static_cast<E>(i)>()...};
}

}  // namespace detail

/// The name of an enumerator; empty for a value that has none, and for values above 31.
///
/// Example: `enumerator_of(Verdict::none_found)` is `"none_found"`.
template <ScopedEnum E>
[[nodiscard]] constexpr std::string_view enumerator_of(E value) noexcept {
  constexpr auto names = detail::enumerators<E>(std::make_index_sequence<detail::enumerators_named>());
  const auto index = static_cast<std::size_t>(value);
  return index < names.size() ? names[index] : std::string_view();
}

/// The enumerator of that name; empty when none has it.
///
/// Example: `enumerator_from<Verdict>("none_found")` is `Verdict::none_found`.
template <ScopedEnum E>
[[nodiscard]] constexpr std::optional<E> enumerator_from(std::string_view name) noexcept {
  constexpr auto names = detail::enumerators<E>(std::make_index_sequence<detail::enumerators_named>());
  for (std::size_t i = 0; i < names.size() && !name.empty(); ++i)
    if (names[i] == name) return static_cast<E>(i);
  return std::nullopt;
}

/// Writes the name, or the number of a value without one. Test frameworks find it through the enumeration's namespace.
template <ScopedEnum E, class Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, E value) {
  const std::string_view name = enumerator_of(value);
  if (name.empty()) return out << static_cast<long long>(value);
  return out << name;
}

}  // namespace core

// An enumeration is printed through its own namespace.
using core::operator<<;
namespace classify {
using core::operator<<;
}  // namespace classify
namespace data {
using core::operator<<;
}  // namespace data
namespace statistics {
using core::operator<<;
}  // namespace statistics
namespace sampling {
using core::operator<<;
}  // namespace sampling
namespace analysis {
using core::operator<<;
}  // namespace analysis
namespace paper {
using core::operator<<;
}  // namespace paper
namespace render {
using core::operator<<;
}  // namespace render
namespace testing {
using core::operator<<;
}  // namespace testing
namespace stylegan2 {
using core::operator<<;
}  // namespace stylegan2
namespace training {
using core::operator<<;
}  // namespace training

}  // namespace v1
}  // namespace faultline
