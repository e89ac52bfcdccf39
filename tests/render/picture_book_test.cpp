// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/detail/picture_book.hpp>
#include <faultline/concepts/failure_criterion.hpp>

#include <render/example_report.hpp>
#include <support/catch2.hpp>

namespace fl = faultline;
using namespace fl::detail::render;

namespace {

/// A world in which sample i flips at threshold(move): records every move it is asked for.
struct FakeStudio {
  std::vector<Move> moves;
  std::function<bool(const Move&)> fails;
  Studio studio() {
    return {[this](const std::vector<Move>& asked) {
              std::vector<Shown> shown;
              for (const Move& move : asked) {
                moves.push_back(move);
                const bool failed = fails(move);
                shown.push_back({fl::Picture{4, 4, 1, std::vector<std::uint8_t>(16, 0)}, failed ? 0.2 : 0.9,
                                 move.label + (failed ? 1 : 0), failed});
              }
              return shown;
            },
            [](std::int64_t first, std::int64_t count) {
              std::vector<std::int64_t> labels;
              for (std::int64_t i = 0; i < count; ++i) labels.push_back((first + i) % 4);
              return labels;
            }};
  }
};

fl::FailureReport report() { return render_test::example_report(render_test::example_generator()); }

}  // namespace

TEST_CASE("examples stand for the whole: near the median distance, classes first") {
  fl::Finding finding;
  finding.threshold.flip.emplace();
  finding.threshold.flip->sigmas = 3;
  finding.examples = {
      {1, 0, 0.9, 9.0}, {2, 0, 0.9, 3.1}, {3, 1, 0.9, 6.0}, {4, 0, 0.9, 2.9}, {5, 1, 0.9, std::nullopt}};
  const auto indices = [&](std::int64_t count) {
    std::vector<std::int64_t> list;
    for (const auto& code : typical_examples(finding, count)) list.push_back(code.index);
    return list;
  };
  CHECK(indices(2) == std::vector<std::int64_t>{2, 3});
  CHECK(indices(4) == std::vector<std::int64_t>{2, 3, 4, 5});
  CHECK(indices(9).size() == 5);
  CHECK(indices(0).empty());
}

TEST_CASE("the shifts of a finding's sheet go from minus two past the flip, through zero") {
  for (const double median : {0.3, 1.0, 1.6, 2.9, 5.0, 8.0, 40.0, std::numeric_limits<double>::infinity()}) {
    fl::Finding finding;
    finding.threshold.flip.emplace();
    finding.threshold.flip->sigmas = median;
    const auto shifts = sheet_shifts(finding);
    CHECK(shifts.size() <= 10);
    CHECK(shifts.size() >= 5);
    CHECK(shifts.front() <= -1.5);
    CHECK(std::count(shifts.begin(), shifts.end(), 0.0) == 1);
    CHECK(std::is_sorted(shifts.begin(), shifts.end()));
    if (median < 8) CHECK(shifts.back() >= 1.5 * median);
  }
  CHECK(sheet_shifts({}).back() >= 6);
}

TEST_CASE("the degradation grid moves each code by shares of its own distance") {
  const fl::FailureReport r = report();
  FakeStudio fake;
  fake.fails = [](const Move& move) { return move.shift > 1.5; };
  const auto sheet = findings_grid(r, fake.studio(), {.columns = 4});
  REQUIRE(sheet);
  REQUIRE(fake.moves.size() == 7 * 4);
  for (std::size_t c = 0; c < 4; ++c) {
    const Move& whole = fake.moves[5 * 4 + c];  // the row of 100 %
    CHECK(whole.direction == &r.findings[c / 2].direction.w);
    for (std::size_t row = 0; row < 7; ++row)
      CHECK(fake.moves[row * 4 + c].shift == Approx(grid_shares[row] * whole.shift));
    double expected = 2.9;  // the second finding's codes never flip: its median distance
    if (c < 2)
      for (const auto& code : r.findings[0].examples)
        if (code.index == whole.index) expected = *code.flip;
    CHECK(whole.shift == Approx(expected));
  }
  CHECK(fake.moves[0].label != fake.moves[1].label);
  fl::FailureReport only_suspects = r;
  only_suspects.findings.clear();
  fake.moves.clear();
  REQUIRE(findings_grid(only_suspects, fake.studio(), {.columns = 4}));
  CHECK(fake.moves.front().direction == &only_suspects.generator_suspect[0].direction.w);
  CHECK_FALSE(findings_grid(fl::FailureReport{}, fake.studio(), {}));
}

TEST_CASE("flips along single channels are found to a hundredth, and those that never come are said") {
  const double truth[] = {0.31, 1.25, 4.4, 9.99, 12.0};
  std::vector<GridColumn> columns;
  std::vector<double> sigmas;
  for (int c = 0; c < 5; ++c) {
    columns.push_back({});
    columns.back().move = {c, 0, c % 2 ? -1.0 : 1.0, nullptr, c};
    sigmas.push_back(0.5 + c);
  }
  FakeStudio fake;
  fake.fails = [&](const Move& move) {
    return std::abs(move.shift) / sigmas[static_cast<std::size_t>(move.channel)] >= truth[move.channel] &&
           (move.shift > 0) == (move.channel % 2 == 0);
  };
  const auto found = channel_flips(columns, sigmas, fake.studio());
  for (std::size_t c = 0; c < 4; ++c) {
    REQUIRE(found[c]);
    CHECK(*found[c] >= truth[c]);
    CHECK(*found[c] <= truth[c] + 0.01);
  }
  CHECK_FALSE(found[4]);
}

TEST_CASE("the paper's channels all start from one code that passes") {
  fl::FailureReport r = report();
  FakeStudio fake;
  fake.fails = [&](const Move& move) {
    return move.channel == r.paper_top[0].channel.flat ? move.shift > 1 : move.index < fl::intervention_first + 5;
  };
  SECTION("an example of a finding") {
    REQUIRE(paper_grid(r, fake.studio(), {}));
    for (const Move& move : fake.moves) CHECK(move.index == typical_examples(r.findings[0], 1)[0].index);
  }
  SECTION("or the first sample that passes") {
    r.findings.clear();
    r.generator_suspect.clear();
    REQUIRE(paper_grid(r, fake.studio(), {}));
    CHECK(fake.moves.back().index == fl::intervention_first + 5);
    std::set<std::int64_t> channels;
    for (const Move& move : fake.moves)
      if (move.channel >= 0) channels.insert(move.channel);
    CHECK(channels.size() == 10);
  }
  SECTION("or there is no sheet when nothing passes") {
    r.findings.clear();
    r.generator_suspect.clear();
    fake.fails = [](const Move&) { return true; };
    CHECK_FALSE(paper_grid(r, fake.studio(), {}));
  }
}

TEST_CASE("a finding has a sheet with one row per class, by label, each the most typical of its class") {
  fl::FailureReport r = report();
  FakeStudio fake;
  fake.fails = [](const Move& move) { return move.shift > 1.5; };
  fl::Finding& finding = r.findings[0];
  finding.threshold.flip->sigmas = 3;
  finding.examples = {
      {1, 2, 0.9, 9.0}, {2, 0, 0.9, 3.1}, {3, 2, 0.9, 3.2}, {4, 0, 0.9, 2.0}, {5, 3, 0.9, std::nullopt}};
  const auto sheet = class_sheet(r, fake.studio(), {}, finding, "finding-1");
  REQUIRE(sheet);
  CHECK(sheet->name == "finding-1-classes");
  const std::size_t columns = sheet_shifts(finding).size();
  REQUIRE(fake.moves.size() == 3 * columns);
  CHECK(fake.moves[0].index == 2);
  CHECK(fake.moves[columns].index == 3);
  CHECK(fake.moves[2 * columns].index == 5);
  finding.examples.resize(1);
  CHECK_FALSE(class_sheet(r, fake.studio(), {}, finding, "finding-1"));
  CHECK_FALSE(class_sheet(r, fake.studio(), {}, r.findings[1], "finding-2"));  // belongs to one class
}

TEST_CASE("plain failures are shown as they come, and the search for them ends") {
  fl::FailureReport r = report();
  FakeStudio fake;
  fake.fails = [](const Move& move) { return move.index % 3 == 0; };
  REQUIRE(failures_sheet(r, fake.studio(), {.failures = 24}));
  CHECK(fake.moves.size() == 128);
  for (const Move& move : fake.moves) CHECK(move.shift == 0);
  fake.moves.clear();
  fake.fails = [](const Move&) { return false; };
  CHECK_FALSE(failures_sheet(r, fake.studio(), {}));
  CHECK(fake.moves.size() == 1024);
  fake.moves.clear();
  CHECK_FALSE(failures_sheet(r, fake.studio(), {.failures = 0}));
  CHECK(fake.moves.empty());
}

TEST_CASE("sheets say so when their marks cannot follow the report's criterion") {
  fl::FailureReport r = report();
  CHECK(criterion_note(r, {}).empty());
  r.provenance.criterion = "margin below 0.2";
  r.provenance.criterion_expression = "fl::MarginBelow{.m = 0.2}";
  CHECK(criterion_note(r, {}).empty());  // a shipped one follows from the report
  r.provenance.criterion_expression = "";
  CHECK(criterion_note(r, {}).find("margin below 0.2") != std::string::npos);
  CHECK(criterion_note(r, {.criterion = fl::MarginBelow{0.2}}).empty());
}
