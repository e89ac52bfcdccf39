// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Structures that name their members, once: JSON in both directions, the keys of the schemas and equality follow from
// that one list.

#include <faultline/config.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string_view>
#include <type_traits>
#include <vector>

namespace faultline {
inline namespace v1 {

namespace core {

struct IgnoreMember {
  template <class T, class M>
  constexpr void operator()(std::string_view, M T::*) const noexcept {}
};

}  // namespace core

/// A structure whose members are listed by `FAULTLINE_MEMBERS` beside it.
///
/// `describe(std::type_identity<T>{}, visit)` calls `visit(name, pointer to member)` for each in their order, as
/// `visit("estimate", &Rate::estimate)`.
template <class T>
concept Described = requires {
  describe(std::type_identity<T>{}, core::IgnoreMember{});
};

namespace core {

template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

/// The members of T that are listed.
template <Described T>
[[nodiscard]] constexpr std::size_t count_members() {
  std::size_t count = 0;
  describe(std::type_identity<T>{}, [&](std::string_view, auto) { ++count; });
  return count;
}

/// Equal as values: what is not a number equals what is not a number, so that every report equals itself.
template <class T>
[[nodiscard]] constexpr bool same_value(const T& a, const T& b) {
  if constexpr (std::floating_point<T>) return a == b || (a != a && b != b);
  else if constexpr (is_vector<T>)
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const auto& x, const auto& y) { return same_value(x, y); });
  else if constexpr (is_optional<T>) return a.has_value() == b.has_value() && (!a || same_value(*a, *b));
  else return a == b;
}

/// Equal in every listed member.
template <Described T>
[[nodiscard]] constexpr bool same_members(const T& a, const T& b) {
  bool same = true;
  describe(std::type_identity<T>{},
           [&](std::string_view, auto member) { same = same && same_value(a.*member, b.*member); });
  return same;
}

/// In distances, a number that is not finite lies beyond the searched range, which JSON has as null; everywhere else
/// null is a number that nobody knows.
template <Described T>
inline constexpr bool null_is_infinite = requires {
  null_means_infinite(std::type_identity<T>{});
};

}  // namespace core
}  // namespace v1
}  // namespace faultline

// The preprocessor reads a macro's result again as often as it is told to: 4^3 times, one per member.
#define FAULTLINE_DETAIL_AGAIN(...) \
  FAULTLINE_DETAIL_16(FAULTLINE_DETAIL_16(FAULTLINE_DETAIL_16(FAULTLINE_DETAIL_16(__VA_ARGS__))))
#define FAULTLINE_DETAIL_16(...) \
  FAULTLINE_DETAIL_4(FAULTLINE_DETAIL_4(FAULTLINE_DETAIL_4(FAULTLINE_DETAIL_4(__VA_ARGS__))))
#define FAULTLINE_DETAIL_4(...) \
  FAULTLINE_DETAIL_1(FAULTLINE_DETAIL_1(FAULTLINE_DETAIL_1(FAULTLINE_DETAIL_1(__VA_ARGS__))))
#define FAULTLINE_DETAIL_1(...) __VA_ARGS__
#define FAULTLINE_DETAIL_PARENTHESES ()
#define FAULTLINE_DETAIL_VISIT_NEXT() FAULTLINE_DETAIL_VISIT
#define FAULTLINE_DETAIL_VISIT(Type, member, ...) \
  visit(#member, &Type::member);                  \
  __VA_OPT__(FAULTLINE_DETAIL_VISIT_NEXT FAULTLINE_DETAIL_PARENTHESES(Type, __VA_ARGS__))

/// Lists some members of a structure, in their order, right after it and in its namespace; at most 64.
#define FAULTLINE_SOME_MEMBERS(Type, ...)                              \
  template <class Visitor>                                             \
  constexpr void describe(std::type_identity<Type>, Visitor&& visit) { \
    FAULTLINE_DETAIL_AGAIN(FAULTLINE_DETAIL_VISIT(Type, __VA_ARGS__))  \
  }

/// Lists all members of a structure, which gets its equality from them; a list that leaves one out does not compile.
///
/// Example: `FAULTLINE_MEMBERS(DetectableEffect, effect, auc)`
#define FAULTLINE_MEMBERS(Type, ...)                                                                \
  FAULTLINE_SOME_MEMBERS(Type, __VA_ARGS__)                                                         \
  inline void all_members_are_listed(Type& whole) { [[maybe_unused]] auto& [__VA_ARGS__] = whole; } \
  template <std::same_as<Type> Self>                                                                \
  [[nodiscard]] constexpr bool operator==(const Self& a, const Self& b) {                           \
    return ::faultline::core::same_members(a, b);                                                   \
  }
