// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The worlds of conditions.md: level 0 with something to find, level 3 with nothing. A new one is one entry here.

#include "worlds.hpp"

#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace worlds {

namespace detail {

inline double logistic(double t) { return 1.0 / (1.0 + std::exp(-t)); }

/// Makes the first factors after factor 0 correlated with it.
inline std::function<void(std::span<double>)> proxies(double correlation, std::size_t count) {
  return [=](std::span<double> u) {
    for (std::size_t j = 1; j <= count; ++j)
      u[j] = correlation * u[0] + std::sqrt(1.0 - correlation * correlation) * u[j];
  };
}

}  // namespace detail

/// Worlds with something to find.
inline std::vector<World> with_causes() {
  using detail::logistic, detail::proxies;
  using Shape = fl::analysis::ConditionShape;
  const auto above = [](std::size_t j, double level) {
    return [=](Factors u, std::int64_t) { return u[j] > level ? 1.0 : 0.0; };
  };
  const auto one = [](const std::string& name) { return std::vector<Planted>{{{name}}}; };
  const std::string unnamed = "direction";
  std::vector<World> list;
  const auto add = [&](World world) { list.push_back(std::move(world)); };

  add({.name = "threshold",
       .measures = factor_measures(6),
       .risk = above(0, 1.5),
       .planted = one("u0"),
       .fraction = 1.0,
       .threshold = 1.5,
       .shape = Shape::one_sided});
  add({.name = "noisy threshold",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return u[0] > 1.3 ? 0.7 : 0.03; },
       .planted = one("u0"),
       .fraction = 0.684,
       .shape = Shape::one_sided});
  add({.name = "smooth risk",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return 1.0 / (1.0 + std::exp(3.0 - 1.2 * u[0])); },
       .planted = one("u0"),
       .shape = Shape::one_sided});
  add({.name = "band",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return u[0] > 0.6 && u[0] < 1.2 ? 1.0 : 0.0; },
       .planted = one("u0"),
       .fraction = 1.0,
       .shape = Shape::band});
  add({.name = "two-sided",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return std::abs(u[0]) > 1.8 ? 1.0 : 0.0; },
       .planted = one("u0"),
       .fraction = 1.0,
       .shape = Shape::two_sided});
  add({.name = "uneven two-sided",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return u[0] > 1.5 || u[0] < -2.1 ? 1.0 : 0.0; },
       .planted = one("u0"),
       .fraction = 1.0});
  add({.name = "centre",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return std::abs(u[0]) < 0.1 ? 1.0 : 0.0; },
       .planted = one("u0"),
       .fraction = 1.0,
       .shape = Shape::band});
  add({.name = "XOR",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return u[0] * u[1] < -0.8 ? 0.9 : 0.02; },
       .planted = one("u0 x u1"),
       .fraction = 0.856,
       .shape = Shape::pair});
  add({.name = "XOR without main effects",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return u[0] * u[1] < 0.0 ? 0.15 : 0.03; },
       .planted = one("u0 x u1"),
       .shape = Shape::pair});
  add({.name = "AND",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return u[0] > 0.7 && u[1] > 0.7 ? 0.9 : 0.0; },
       .planted = {{{"u0"}}, {{"u1"}}},
       .allowed = {"u0 x u1"},
       .fraction = 1.0});
  add({.name = "one class of 10",
       .classes = 10,
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t c) { return c == 3 && u[0] > 0.8 ? 1.0 : 0.01; },
       .planted = one("u0 in class 3"),
       .fraction = 0.677});
  add({.name = "one class of 100",
       .classes = 100,
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t c) { return c == 3 && u[0] > 0.5 ? 1.0 : 0.01; },
       .planted = one("u0 in class 3"),
       .fraction = 0.234});
  add({.name = "proxy, both measured",
       .relate = proxies(0.8, 1),
       .measures = factor_measures(6, 0.1),
       .risk = above(0, 1.4),
       .planted = one("u0"),
       .fraction = 1.0,
       .threshold = 1.4});
  World proxy{.name = "proxy, cause measured with noise",
              .relate = proxies(0.8, 1),
              .measures = factor_measures(6, 0.1),
              .risk = above(0, 1.4),
              .planted = one("u0"),
              .fraction = 1.0,
              .threshold = 1.4};
  proxy.measures[0].noise = 0.8;
  add(proxy);
  proxy.name = "proxy measured with noise";
  proxy.measures = factor_measures(6, 0.1);
  proxy.measures[1].noise = 0.8;
  add(proxy);
  add({.name = "oblique over four",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return u[0] + u[1] + u[2] + u[3] > 3.0 ? 1.0 : 0.0; },
       .planted = {{{"u0 + u1 + u2 + u3", unnamed}}},
       .fraction = 1.0});
  add({.name = "four causes",
       .factors = 8,
       .measures = factor_measures(8),
       .risk = [](Factors u, std::int64_t) { return u[0] > 1.8 || u[1] > 1.8 || u[2] > 1.8 || u[3] > 1.8 ? 1.0 : 0.0; },
       .planted = {{{"u0"}}, {{"u1"}}, {{"u2"}}, {{"u3"}}},
       .fraction = 1.0});
  const auto any_of_ten = [](double level) {
    return [=](Factors u, std::int64_t) {
      for (std::size_t j = 0; j < 10; ++j)
        if (u[j] > level) return 1.0;
      return 0.0;
    };
  };
  World ten{.name = "ten causes", .factors = 12, .measures = factor_measures(12), .risk = any_of_ten(2.0)};
  for (int j = 0; j < 10; ++j) ten.planted.push_back({{"u" + std::to_string(j)}});
  add(ten);
  ten.name = "ten causes, 286 failures";
  ten.risk = any_of_ten(2.76);
  add(ten);
  add({.name = "rare",
       .samples = 40'000,
       .measures = factor_measures(6),
       .risk = above(0, 2.576),
       .planted = one("u0"),
       .fraction = 1.0,
       .threshold = 2.576});
  add({.name = "heavy tails",
       .tails = Tails::laplace,
       .measures = factor_measures(6),
       .risk = above(0, 1.7),
       .planted = one("u0"),
       .fraction = 1.0,
       .threshold = 1.7});
  World crooked{.name = "decides everything, not linear",
                .measures = factor_measures(6),
                .risk = [](Factors u, std::int64_t) { return std::abs(u[0]) > 1.7 ? 1.0 : 0.0; },
                .planted = one("size"),
                .allowed = {}};
  crooked.measures[0] = {"size", [](Factors u) { return std::abs(u[0]); }, 0.0};
  add(crooked);
  add({.name = "tiny spread",
       .first_spread = 1e-3,
       .measures = factor_measures(6),
       .risk = above(0, 1.5),
       .planted = one("u0"),
       .fraction = 1.0,
       .threshold = 1.5});
  add({.name = "w of one dimension",
       .factors = 1,
       .measures = factor_measures(1),
       .risk = above(0, 1.5),
       .planted = one("u0"),
       .fraction = 1.0,
       .threshold = 1.5});
  add({.name = "w of two dimensions",
       .factors = 2,
       .measures = factor_measures(2),
       .risk = above(0, 1.5),
       .planted = one("u0"),
       .fraction = 1.0,
       .threshold = 1.5});
  add({.name = "w of four dimensions",
       .factors = 4,
       .measures = factor_measures(4),
       .risk = above(0, 1.5),
       .planted = one("u0"),
       .fraction = 1.0,
       .threshold = 1.5});

  // nothing that is measured decides: factors 0 to 2 have no property
  std::vector<Measure> others = factor_measures(8);
  others.erase(others.begin(), others.begin() + 3);
  add({.name = "unmeasured threshold",
       .factors = 8,
       .measures = others,
       .risk = above(0, 1.5),
       .planted = one(unnamed),
       .fraction = 1.0});
  add({.name = "unmeasured two-sided",
       .factors = 8,
       .measures = others,
       .risk = [](Factors u, std::int64_t) { return std::abs(u[0]) > 1.8 ? 1.0 : 0.0; },
       .planted = one(unnamed),
       .fraction = 1.0});
  add({.name = "unmeasured XOR",
       .factors = 8,
       .measures = others,
       .risk = [](Factors u, std::int64_t) { return u[0] * u[1] < -0.8 ? 0.9 : 0.02; },
       .planted = one(unnamed)});
  add({.name = "unmeasured distance",
       .factors = 8,
       .measures = others,
       .risk = [](Factors u, std::int64_t) { return u[0] * u[0] + u[1] * u[1] + u[2] * u[2] > 6.5 ? 1.0 : 0.0; },
       .planted = one(unnamed)});
  add({.name = "unmeasured in one class of 10",
       .factors = 8,
       .classes = 10,
       .measures = others,
       .risk = [](Factors u, std::int64_t c) { return c == 3 && u[0] > 0.5 ? 1.0 : 0.01; },
       .planted = one("direction in class 3"),
       .fraction = 0.753});
  add({.name = "outcome by variance",
       .factors = 8,
       .measures = others,
       .risk = [](Factors u, std::int64_t) { return u[0] * u[0] > 2.0 ? 0.3 : 0.03; },
       .planted = one(unnamed),
       .fraction = 0.586});

  // relations between factors
  add({.name = "two proxies",
       .relate = proxies(0.7, 2),
       .measures = factor_measures(6, 0.1),
       .risk = above(0, 1.4),
       .planted = one("u0"),
       .fraction = 1.0,
       .threshold = 1.4});
  add({.name = "correlated pairs",
       .relate =
           [](std::span<double> u) {
             for (const std::size_t j : {0u, 2u, 4u}) u[j + 1] = 0.6 * u[j] + 0.8 * u[j + 1];
           },
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return u[0] > 1.8 || u[2] > 1.8 ? 1.0 : 0.0; },
       .planted = {{{"u0"}}, {{"u2"}}},
       .fraction = 1.0});
  add({.name = "interaction with main effects",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return logistic(-4.0 + u[0] + u[1] + 1.2 * u[0] * u[1]); },
       .planted = {{{"u0"}}, {{"u1"}}},
       .allowed = {"u0 x u1"}});

  // failures that are rare
  add({.name = "one in a hundred",
       .measures = factor_measures(6),
       .risk = above(0, 2.326),
       .planted = one("u0"),
       .fraction = 1.0,
       .threshold = 2.326});
  add({.name = "one in a hundred, noisy",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return u[0] > 2.0 ? 0.3 : 0.004; },
       .planted = one("u0"),
       .fraction = 0.627});
  add({.name = "one in a hundred, two causes",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return u[0] > 2.5 || u[1] > 2.5 ? 1.0 : 0.0; },
       .planted = {{{"u0"}}, {{"u1"}}},
       .fraction = 1.0});

  // latents that are not normal
  const auto shaped = [&](const char* name, Tails tails, double bend, double level) {
    add({.name = name,
         .tails = tails,
         .bend = bend,
         .measures = factor_measures(6),
         .risk = above(0, level),
         .planted = one("u0"),
         .fraction = 1.0,
         .threshold = level});
  };
  shaped("uniform factors", Tails::uniform, 0.0, 1.4);
  shaped("skewed factors", Tails::skewed, 0.0, 1.5);
  shaped("bimodal factors", Tails::bimodal, 0.0, 1.2);
  shaped("bent w", Tails::normal, 0.4, 1.5);
  list.back().is_limit = true;  // moves are straight: see docs/explanation/limits.md

  // properties as they happen to be
  World with{.name = "a constant property",
             .measures = factor_measures(6),
             .risk = above(0, 1.5),
             .planted = one("u0"),
             .fraction = 1.0,
             .threshold = 1.5};
  with.measures.push_back({"flat", [](Factors) { return 3.0; }, 0.0});
  add(with);
  with.name = "a property twice";
  with.measures = factor_measures(6, 0.0);
  with.measures.push_back({"u0 again", with.measures[0].value, 0.0});
  with.planted = {{{"u0", "u0 again", "u0 + u0 again"}}};
  add(with);
  with.name = "a property that is the outcome";
  with.measures = factor_measures(6);
  with.measures.push_back({"outcome", [](Factors u) { return u[0] > 1.5 ? 1.0 : 0.0; }, 0.0});
  with.planted = {{{"u0", "outcome", "u0 + outcome"}}};
  with.threshold = std::nullopt;
  add(with);

  // a judge that cannot read some images: what fails there is the generator's
  World partly{.name = "unreadable elsewhere",
               .measures = factor_measures(6),
               .risk = above(0, 1.5),
               .unreadable = [](Factors u, std::int64_t) { return u[1] > 1.2 ? 1.0 : 0.0; },
               .planted = one("u0"),
               .fraction = 1.0,
               .threshold = 1.5,
               .generators = "u1"};
  add(partly);
  partly.name = "unreadable along a correlated factor";
  partly.relate = proxies(0.5, 1);
  add(partly);
  partly.name = "unreadable at the other end";
  partly.generators = std::nullopt;  // the same property, which is listed once: as the cause
  partly.relate = nullptr;
  partly.unreadable = [](Factors u, std::int64_t) { return u[0] < -1.5 ? 1.0 : 0.0; };
  add(partly);
  return list;
}

/// Worlds in which no condition is to be found: whatever goes with failures is chance, the class, or the generator's.
inline std::vector<World> controls() {
  std::vector<World> list;
  const auto add = [&](const char* name, std::int64_t classes, std::function<double(Factors, std::int64_t)> risk,
                       std::function<double(Factors, std::int64_t)> unreadable = nullptr) {
    list.push_back({.name = name,
                    .level = 3,
                    .classes = classes,
                    .measures = factor_measures(6),
                    .risk = std::move(risk),
                    .unreadable = std::move(unreadable)});
    return &list.back();
  };
  const auto at_random = [](double rate) { return [=](Factors, std::int64_t) { return rate; }; };
  add("null, random errors", 4, at_random(0.07));
  add("null, by class", 10, [](Factors, std::int64_t c) { return 0.02 * static_cast<double>(1 + c); });
  add("null, rare", 4, at_random(0.01));
  add("null, perfect", 4, at_random(0.0));
  add("null, constant answers", 4, [](Factors, std::int64_t c) { return c == 0 ? 0.0 : 1.0; })->answer =
      [](std::int64_t) { return std::int64_t{0}; };
  list.back().class_findings = {"class 1 is answered as 0", "class 2 is answered as 0", "class 3 is answered as 0"};
  add("null, one class always wrong", 4, [](Factors, std::int64_t c) {
    return c == 2 ? 1.0 : 0.03;
  })->class_findings = {"class 2 is answered as 3"};
  add("null, two labels swapped", 4, [](Factors, std::int64_t c) { return c == 1 || c == 3 ? 1.0 : 0.02; })->answer =
      [](std::int64_t c) { return c == 1 || c == 3 ? 4 - c : (c + 1) % 4; };
  list.back().class_findings = {"class 1 and 3 are swapped"};
  add("null, leak at random", 4, at_random(0.05), at_random(0.1));
  add("null, leak where a factor is high", 4, at_random(0.05), [](Factors u, std::int64_t) {
    return u[1] > 1.2 ? 1.0 : 0.0;
  })->generators = "u1";
  add("null, leak more often where a factor is high", 4, at_random(0.05), [](Factors u, std::int64_t) {
    return u[1] > 1.0 ? 0.7 : 0.02;
  })->generators = "u1";
  return list;
}

/// Worlds with many dimensions that nothing reads; a run takes seconds.
inline std::vector<World> wide_worlds() {
  std::vector<World> list;
  const auto above = [](Factors u, std::int64_t) { return u[0] > 1.5 ? 1.0 : 0.0; };
  World wide{.name = "w of 512 dimensions",
             .factors = 512,
             .read = 10,
             .measures = factor_measures(10),
             .risk = above,
             .planted = {{{"u0"}}},
             .fraction = 1.0,
             .threshold = 1.5};
  list.push_back(wide);
  wide.name = "w of 512 dimensions, two causes";
  wide.risk = [](Factors u, std::int64_t) { return u[0] > 1.8 || std::abs(u[1]) > 2.1 ? 1.0 : 0.0; };
  wide.planted = {{{"u0"}}, {{"u1"}}};
  wide.threshold = std::nullopt;
  list.push_back(wide);
  wide.name = "null, w of 512 dimensions";
  wide.level = 3;
  wide.risk = [](Factors, std::int64_t) { return 0.07; };
  wide.planted.clear();
  wide.fraction = std::nullopt;
  list.push_back(wide);
  wide.name = "w of 128 dimensions, unmeasured threshold";
  wide.factors = 128;  // a direction is sought again on every fold of every half-sample
  wide.risk = above;
  wide.level = 0;
  wide.fraction = 1.0;
  wide.measures.erase(wide.measures.begin());
  wide.planted = {{{"direction"}}};
  list.push_back(wide);
  return list;
}

/// Every world.
inline std::vector<World> all() {
  std::vector<World> list = with_causes();
  for (const auto& more : {controls(), wide_worlds()}) list.insert(list.end(), more.begin(), more.end());
  return list;
}

}  // namespace worlds
