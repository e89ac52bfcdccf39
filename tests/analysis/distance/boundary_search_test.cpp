// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The search for the first change of a decision, on curves whose boundaries are known.

#include <faultline/analysis/distance/paper_search.hpp>
#include <faultline/analysis/distance/boundary_search.hpp>

#include <support/catch2.hpp>

#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

namespace fl = faultline;
namespace fd = faultline::analysis;

namespace {

/// Answers that depend on the amount of the edit alone; classifier c sees curve c of the start's label.
struct Curves {
  std::vector<std::vector<std::function<double(double)>>> probability;  // [label][classifier]
  std::int64_t calls = 0, images = 0;
  std::vector<double> amounts = {};

  fl::analysis::AnswerEdits answer() {
    return [this](std::span<const fl::analysis::EditedLatent> edits, const fl::analysis::WantedAnswers&) {
      ++calls;
      images += static_cast<std::int64_t>(edits.size());
      fl::analysis::EditAnswers answers;
      answers.classifiers.resize(probability.front().size());
      for (const auto& [start, edit] : edits) {
        amounts.push_back(edit.amount());
        for (std::size_t c = 0; c < answers.classifiers.size(); ++c) {
          const double p = probability[static_cast<std::size_t>(start.label)][c](edit.amount());
          answers.classifiers[c].failed.push_back(p < 0.5 ? 1 : 0);
          answers.classifiers[c].probability.push_back(static_cast<float>(p));
          answers.classifiers[c].log_odds.push_back(static_cast<float>(std::log(p / (1.0 - p))));
        }
      }
      return answers;
    };
  }
};

std::function<double(double)> falls_at(double boundary, double slope = 3.0) {
  return [=](double t) { return 1.0 / (1.0 + std::exp(slope * (t - boundary))); };
}

const std::vector<float> w = {0.0f};

fd::EditPath path(std::int64_t label, double way = 1.0) { return {{w, label}, fl::Edit::of_channel(0, 1.0), 0.0, way}; }

}  // namespace

TEST_CASE("every decision of every path gets its own boundary, and paths share the questions", "[analysis][search]") {
  Curves curves{{{falls_at(0.3), falls_at(4.4)}, {falls_at(9.99), falls_at(12.0)}}};
  std::vector<fd::BoundarySearch> searches;
  for (std::int64_t label = 0; label < 2; ++label)
    searches.push_back(
        {path(label), {{fd::until_failure, 0}, {fd::until_failure, 1}, {fd::until_even_odds, 0}}, {1.0, 1.0, 1.0}});
  std::int64_t steps = 0;
  fd::search_boundaries(curves.answer(), fd::pointers_to(searches), {fd::even_grid(1.25, 8), 0.01}, [&] { ++steps; });
  const auto check = [](const fd::CrossingSearch& found, double truth) {
    REQUIRE(found.crossed());
    CHECK(found.far_end() >= truth - 1e-6);
    CHECK(found.far_end() <= truth + 0.01 + 1e-6);
  };
  check(searches[0].found[0], 0.3);
  check(searches[0].found[1], 4.4);
  check(searches[0].found[2], 0.3);
  check(searches[1].found[0], 9.99);
  CHECK_FALSE(searches[1].found[1].crossed());
  CHECK(curves.calls <= 8);  // the grid and seven rounds, whatever the number of paths
  CHECK(curves.calls == steps);
  CHECK(curves.images <= 2 * 8 + 5 * 7);
  REQUIRE(searches[1].grid.size() == 8);
  CHECK(searches[1].grid[3].size() == 2);
  CHECK(searches[1].grid[3][1].probability == Approx(falls_at(12.0)(5.0)));
}

TEST_CASE("a decision that has changed at the start is not searched, and one that changes back counts its first change",
          "[analysis][search]") {
  Curves curves{{{[](double t) { return std::abs(t - 2.0) < 0.5 ? 0.1 : 0.9; }}}};
  std::vector<fd::BoundarySearch> searches = {{path(0), {{fd::until_failure}}, {1.0}},
                                              {path(0), {{fd::until_failure}}, {-1.0}}};
  fd::search_boundaries(curves.answer(), fd::pointers_to(searches), {fd::even_grid(0.25, 16), 1.0 / 256.0});
  CHECK(searches[0].found[0].far_end() == Approx(1.5).margin(1.0 / 256.0));
  CHECK(searches[0].found[0].far_end() > 1.5);
  CHECK_FALSE(searches[1].found[0].crossed());
}

TEST_CASE("a path may be followed backwards, until a failure is none any more", "[analysis][search]") {
  Curves curves{{{falls_at(-1.3)}}};
  std::vector<fd::BoundarySearch> searches = {{path(0, -1.0), {{fd::until_success}}, {1.0}}};
  fd::search_boundaries(curves.answer(), fd::pointers_to(searches), {fd::even_grid(0.25, 32), 1.0 / 256.0});
  REQUIRE(searches[0].found[0].crossed());
  CHECK(searches[0].found[0].far_end() >= 1.3);
  CHECK(searches[0].found[0].far_end() <= 1.3 + 1.0 / 256.0);
  for (const double amount : curves.amounts) CHECK(amount <= 0.0);
}

TEST_CASE("a grid in blocks is asked no further than the first change, and is the result without a tolerance",
          "[analysis][search]") {
  Curves curves{{{falls_at(2.2)}, {falls_at(5.1)}, {falls_at(-1.0)}, {falls_at(90.0)}}};
  std::vector<fd::BoundarySearch> searches;
  for (std::int64_t label = 0; label < 4; ++label) searches.push_back({path(label), {{fd::until_failure}}, {1.0}});
  fd::search_boundaries(curves.answer(), fd::pointers_to(searches), {.grid = {{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9}}});
  CHECK(searches[0].found[0].far_end() == 3.0);
  CHECK(searches[1].found[0].far_end() == 6.0);
  CHECK(searches[2].found[0].far_end() == 0.0);
  CHECK_FALSE(searches[3].found[0].crossed());
  CHECK(curves.calls == 3);
  CHECK(curves.images == 4 * 4 + 2 * 4 + 2);
}

TEST_CASE("the paper's search ends where its walk by steps of 5 and of .01 ends", "[analysis][search]") {
  const std::vector<double> truths = {0.7, 4.996, 5.0, 7.3, 12.34, 33.0, 61.7, 98.2, 120.0};
  Curves curves;
  for (const double truth : truths) curves.probability.push_back({falls_at(truth, 0.9)});
  curves.probability.push_back({[](double) { return 0.4; }});
  std::vector<fd::PaperSearch> searches;
  for (std::size_t i = 0; i < curves.probability.size(); ++i) searches.push_back({path(static_cast<std::int64_t>(i))});
  fd::begin_paper_search(curves.answer(), searches, true);
  fd::paper_search(curves.answer(), searches);
  for (std::size_t i = 0; i < truths.size(); ++i) {
    const auto p = [&](double t) { return static_cast<double>(static_cast<float>(curves.probability[i][0](t))); };
    double walked = 0.0;
    while (p(walked) > 0.5 && walked <= 100.0) walked += 5.0;
    if (walked > 100.0) {
      CHECK_FALSE(searches[i].sigmas);
      continue;
    }
    int back = 0;
    while (p(walked - 0.01 * back) < 0.495) ++back;
    REQUIRE(searches[i].sigmas);
    CHECK(*searches[i].sigmas == Approx(walked - 0.01 * back).margin(1e-9));
  }
  CHECK(searches.back().sigmas == 0.0);
  CHECK(curves.images <= static_cast<std::int64_t>(searches.size()) * (3 + 18 + 21));
}
