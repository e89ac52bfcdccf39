// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/core/describe.hpp>

#include <support/catch2.hpp>

#include <limits>
#include <string>

namespace fl = faultline;

namespace elsewhere {

enum class Colour { red, green };

struct Part {
  double size = 0.0;
  std::optional<double> weight = std::nullopt;
};
FAULTLINE_MEMBERS(Part, size, weight)

struct Whole {
  std::string name;
  Colour colour = Colour::red;
  std::vector<Part> parts = {};
  std::optional<Part> spare = std::nullopt;
  std::vector<std::vector<double>> table = {};
};
FAULTLINE_MEMBERS(Whole, name, colour, parts, spare, table)

struct Some {
  int told = 0;
  int untold = 0;
};
FAULTLINE_SOME_MEMBERS(Some, told)

}  // namespace elsewhere

TEST_CASE("a description names every member in its order, with where it is") {
  std::vector<std::string> names;
  describe(std::type_identity<elsewhere::Whole>{}, [&](std::string_view name, auto) { names.emplace_back(name); });
  CHECK(names == std::vector<std::string>{"name", "colour", "parts", "spare", "table"});
  elsewhere::Part part{2.0, 3.0};
  double sum = 0.0;
  describe(std::type_identity<elsewhere::Part>{}, [&](std::string_view, auto member) {
    if constexpr (std::is_same_v<decltype(part.*member), double&>) sum += part.*member;
    else sum += 10 * *(part.*member);
  });
  CHECK(sum == 32.0);
  STATIC_REQUIRE(fl::core::count_members<elsewhere::Whole>() == 5);
  STATIC_REQUIRE(fl::Described<elsewhere::Part>);
  STATIC_REQUIRE(fl::Described<elsewhere::Some>);
  STATIC_REQUIRE_FALSE(fl::Described<double>);
  STATIC_REQUIRE_FALSE(fl::Described<std::vector<elsewhere::Part>>);
  STATIC_REQUIRE(fl::core::count_members<elsewhere::Some>() == 1);
  STATIC_REQUIRE_FALSE(fl::core::null_is_infinite<elsewhere::Part>);
}

TEST_CASE("described structures are equal when every member is, at any depth") {
  const elsewhere::Whole one{"a", elsewhere::Colour::green, {{1.0, 2.0}, {}}, elsewhere::Part{}, {{1.0}, {}}};
  elsewhere::Whole other = one;
  CHECK(one == other);
  CHECK_FALSE(one != other);
  const auto differs = [&](const auto& change) {
    other = one;
    change(other);
    return one != other && other != one && other == other;
  };
  CHECK(differs([](auto& x) { x.name = "b"; }));
  CHECK(differs([](auto& x) { x.colour = elsewhere::Colour::red; }));
  CHECK(differs([](auto& x) { x.parts.pop_back(); }));
  CHECK(differs([](auto& x) { x.parts[1].size = 1e-300; }));
  CHECK(differs([](auto& x) { x.parts[0].weight.reset(); }));
  CHECK(differs([](auto& x) { x.spare.reset(); }));
  CHECK(differs([](auto& x) { x.spare->weight = 0.0; }));
  CHECK(differs([](auto& x) { x.table[1].push_back(0.0); }));
  CHECK(differs([](auto& x) { x.table[0][0] = std::numeric_limits<double>::quiet_NaN(); }));  // and equals itself
}

TEST_CASE("an enumerator is found by its name") {
  CHECK(fl::core::enumerator_from<elsewhere::Colour>("green") == elsewhere::Colour::green);
  CHECK(fl::core::enumerator_from<elsewhere::Colour>("gree") == std::nullopt);
  CHECK(fl::core::enumerator_from<elsewhere::Colour>("") == std::nullopt);
  for (const elsewhere::Colour colour : {elsewhere::Colour::red, elsewhere::Colour::green})
    CHECK(fl::core::enumerator_from<elsewhere::Colour>(fl::core::enumerator_of(colour)) == colour);
}
