// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/detail/report_sheets.hpp>
#include <faultline/concepts/failure_criterion.hpp>

#include <render/example_report.hpp>
#include <support/catch2.hpp>

#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace fl = faultline;
using namespace fl::render;
using namespace fl::render::detail;

namespace {

/// An edited sample that was asked for.
struct Asked {
  std::int64_t index = 0;
  std::int64_t label = 0;
  fl::Edit edit;
  [[nodiscard]] double amount() const { return edit.amount(); }
  [[nodiscard]] std::int64_t channel() const { return edit.channels().empty() ? -1 : edit.channels()[0]; }
};

std::vector<double> step_of(const Asked& one) { return {one.edit.step().begin(), one.edit.step().end()}; }

/// A world in which an edited sample fails by a rule: records every one that it is asked for.
struct FakeModels {
  std::vector<Asked> asked;
  std::function<bool(const Asked&)> fails;
  std::map<std::int64_t, std::vector<float>> latents;  // they hold the index alone, in two halves

  RenderBackend backend() {
    return {64,
            [](std::int64_t first, std::int64_t count) {
              std::vector<std::int64_t> labels;
              for (std::int64_t i = 0; i < count; ++i) labels.push_back((first + i) % 4);
              return labels;
            },
            [this](std::span<const EditedSample> samples) {
              std::vector<fl::analysis::StartLatent> starts;
              for (const EditedSample& sample : samples) {
                auto& w = latents[sample.index];
                w = {static_cast<float>(sample.index >> 20), static_cast<float>(sample.index & 0xfffff)};
                starts.push_back({w, sample.label});
              }
              return starts;
            },
            [this](std::span<const fl::analysis::EditedLatent> edits, const fl::analysis::WantedAnswers& wanted) {
              fl::analysis::EditAnswers answers;
              fl::analysis::ClassifierAnswers& own = answers.classifiers.emplace_back();
              for (const auto& [start, edit] : edits) {
                const auto index =
                    (static_cast<std::int64_t>(start.w[0]) << 20) + static_cast<std::int64_t>(start.w[1]);
                asked.push_back({index, start.label, edit});
                const bool failed = fails(asked.back());
                own.failed.push_back(failed ? 1 : 0);
                own.prediction.push_back(start.label + (failed ? 1 : 0));
                own.probability.push_back(failed ? 0.2f : 0.9f);
                own.log_odds.push_back(failed ? -1.4f : 2.2f);
              }
              if (wanted.images) answers.images = fl::ImageBatch(static_cast<std::int64_t>(edits.size()), {1, 4, 4});
              return answers;
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
    for (const auto& example : typical_examples(finding, count)) list.push_back(example.index);
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
    CHECK(shifts.size() <= 9);
    CHECK(shifts.size() >= 5);
    CHECK(shifts.front() <= -1.5);
    CHECK(std::count(shifts.begin(), shifts.end(), 0.0) == 1);
    CHECK(std::is_sorted(shifts.begin(), shifts.end()));
    if (median < 8) CHECK(shifts.back() >= 1.5 * median);
  }
  CHECK(sheet_shifts({}).back() >= 6);
  for (const double right : {0.5, 2.9, 12.0})
    for (const double left : {0.5, 3.4, 12.0, std::numeric_limits<double>::infinity()}) {
      fl::Finding finding;  // both ends fail
      finding.threshold.flip.emplace().sigmas = right;
      finding.other_end.emplace().flip.emplace().sigmas = left;
      const auto shifts = sheet_shifts(finding);
      CHECK(shifts.size() >= 5);
      CHECK(shifts.size() <= 9);
      CHECK(std::count(shifts.begin(), shifts.end(), 0.0) == 1);
      CHECK(std::is_sorted(shifts.begin(), shifts.end()));
      CHECK(shifts.back() >= std::min(1.5 * right, 12.0));
      if (std::isfinite(left)) CHECK(shifts.front() <= -std::min(1.5 * left, 12.0));
      if (!std::isfinite(left)) CHECK(shifts.front() <= -1.5 * std::min(right, 8.0));
    }
}

TEST_CASE("the degradation grid moves each latent by shares of its own distance") {
  const fl::FailureReport r = report();
  FakeModels fake;
  fake.fails = [](const Asked& one) { return one.amount() > 1.5; };
  const auto sheet = findings_grid(r, fake.backend(), {.columns = 6});
  REQUIRE(sheet);
  REQUIRE(fake.asked.size() == 7 * 6);
  for (std::size_t c = 0; c < 6; ++c) {
    const Asked& whole = fake.asked[5 * 6 + c];  // the row of 100 %
    CHECK(step_of(whole) == r.findings[c / 2].direction.w);
    for (std::size_t row = 0; row < 7; ++row)
      CHECK(fake.asked[row * 6 + c].amount() == Approx(grid_shares[row] * whole.amount()));
    double expected = c < 4 ? 2.9 : 4.0;  // latents that never flip: the median of the cause, or 4 sd without one
    if (c < 2)
      for (const auto& example : r.findings[0].examples)
        if (example.index == whole.index) expected = *example.flip;
    CHECK(whole.amount() == Approx(expected));
  }
  CHECK(fake.asked[0].label != fake.asked[1].label);
  fl::FailureReport unmovable = r;
  unmovable.findings[0].direction.w.clear();
  fake.asked.clear();
  REQUIRE(findings_grid(unmovable, fake.backend(), {.columns = 6}));
  CHECK(fake.asked.size() == 7 * 4);
  CHECK(step_of(fake.asked.front()) == r.findings[1].direction.w);
  unmovable.findings.resize(1);
  CHECK_FALSE(findings_grid(unmovable, fake.backend(), {.columns = 6}));
  CHECK_FALSE(sheet_along(unmovable, fake.backend(), {}, unmovable.findings[0], unmovable.findings[0].examples, false));
  CHECK_FALSE(class_sheet(unmovable, fake.backend(), {}, unmovable.findings[0], "finding-1"));
  CHECK_FALSE(findings_grid(fl::FailureReport{}, fake.backend(), {}));
}

TEST_CASE("flips along single channels are found to a hundredth, and those that never come are said") {
  const double truth[] = {0.31, 1.25, 4.4, 9.99, 12.0};
  std::vector<GridColumn> columns;
  for (int c = 0; c < 5; ++c) {
    columns.push_back({});
    columns.back().sample = {c, 0, fl::Edit::of_channel(c, (c % 2 ? -1.0 : 1.0) * (0.5 + c))};
  }
  FakeModels fake;
  fake.fails = [&](const Asked& one) {
    const double shift = one.edit.shifts()[0];
    return one.amount() >= truth[one.channel()] && (shift > 0) == (one.channel() % 2 == 0) &&
           std::abs(shift) == 0.5 + static_cast<double>(one.channel());
  };
  const auto found = flips_of(columns, fake.backend());
  for (std::size_t c = 0; c < 4; ++c) {
    REQUIRE(found[c]);
    CHECK(*found[c] >= truth[c]);
    CHECK(*found[c] <= truth[c] + 0.01);
  }
  CHECK_FALSE(found[4]);
}

TEST_CASE("the paper's channels all start from one latent that passes") {
  fl::FailureReport r = report();
  FakeModels fake;
  fake.fails = [&](const Asked& one) {
    return one.channel() == r.paper_top[0].channel.flat ? one.amount() > 1
                                                        : one.index < fl::core::intervention_first + 5;
  };
  SECTION("an example of a finding") {
    REQUIRE(paper_grid(r, fake.backend(), {}));
    for (const Asked& one : fake.asked) CHECK(one.index == typical_examples(r.findings[0], 1)[0].index);
  }
  SECTION("or the first sample that passes") {
    r.findings.clear();
    REQUIRE(paper_grid(r, fake.backend(), {}));
    CHECK(fake.asked.back().index == fl::core::intervention_first + 5);
    std::set<std::int64_t> channels;
    for (const Asked& one : fake.asked)
      if (one.channel() >= 0) channels.insert(one.channel());
    CHECK(channels.size() == 10);
  }
  SECTION("or there is no sheet when nothing passes") {
    r.findings.clear();
    fake.fails = [](const Asked&) { return true; };
    CHECK_FALSE(paper_grid(r, fake.backend(), {}));
  }
}

TEST_CASE("a finding has a sheet with one row per class, by label, each the most typical of its class") {
  fl::FailureReport r = report();
  FakeModels fake;
  fake.fails = [](const Asked& one) { return one.amount() > 1.5; };
  fl::Finding& finding = r.findings[0];
  finding.threshold.flip->sigmas = 3;
  finding.examples = {
      {1, 2, 0.9, 9.0}, {2, 0, 0.9, 3.1}, {3, 2, 0.9, 3.2}, {4, 0, 0.9, 2.0}, {5, 3, 0.9, std::nullopt}};
  const auto sheet = class_sheet(r, fake.backend(), {}, finding, "finding-1");
  REQUIRE(sheet);
  CHECK(sheet->name == "finding-1-classes");
  const std::size_t columns = sheet_shifts(finding).size();
  REQUIRE(fake.asked.size() == 3 * columns);
  CHECK(fake.asked[0].index == 2);
  CHECK(fake.asked[columns].index == 3);
  CHECK(fake.asked[2 * columns].index == 5);
  finding.examples.resize(1);
  CHECK_FALSE(class_sheet(r, fake.backend(), {}, finding, "finding-1"));
  CHECK_FALSE(class_sheet(r, fake.backend(), {}, r.findings[1], "finding-2"));  // belongs to one class
}

TEST_CASE("a sheet says where failure lies, and writes the property beside every image") {
  fl::FailureReport r = report();
  FakeModels fake;
  fake.fails = [](const Asked& one) { return one.amount() > 1.5; };
  RenderBackend backend = fake.backend();
  backend.property_names = {"blur", "noise level"};
  const auto answer = backend.answer;
  backend.answer = [answer](const auto& edits, const fl::analysis::WantedAnswers& wanted) {
    fl::analysis::EditAnswers answers = answer(edits, wanted);
    answers.properties = fl::Matrix<float>(static_cast<std::int64_t>(edits.size()), 2, 0.03421f);
    return answers;
  };
  fl::Finding finding = r.findings[0];
  using Shape = fl::analysis::ConditionShape;
  for (const auto& [shape, words] : {std::pair{Shape::one_sided, "failure lies to the right."},
                                     {Shape::two_sided, "failure lies to the right and to the left."},
                                     {Shape::pair, "failure lies to the right and to the left."},
                                     {Shape::band, "failure lies between the ends."},
                                     {Shape::subspace, "failure may lie at either end."}}) {
    finding.condition.shape = shape;
    const auto sheet = sheet_along(r, backend, {}, finding, finding.examples, false);
    REQUIRE(sheet);
    CHECK(sheet->explanation.find(words) != std::string::npos);
    CHECK(sheet->title == "Along \"noise level\"");
    for (const SheetCell& cell : sheet->cells) CHECK(cell.caption == "noise level 0.0342");
  }
  finding.condition.properties = {"loops"};  // of a user; then the one that moves most
  CHECK(sheet_along(r, backend, {}, finding, finding.examples, false)->cells[0].caption == "noise level 0.0342");
  // a name that leaves no room for its value is said once
  r.property_names = backend.property_names = {"blur", "distance of the outermost pixels"};
  r.property_units = {"px", "px"};
  finding.condition.properties = {"distance of the outermost pixels"};
  const auto narrow = sheet_along(r, backend, {}, finding, finding.examples, false);
  CHECK(narrow->cells[0].caption == "0.0342\u00A0px");
  CHECK(narrow->explanation.find("The number above it is its distance of the outermost pixels.") != std::string::npos);
  finding.condition.properties = {};
  finding.side_effects.clear();
  CHECK(sheet_along(r, backend, {}, finding, finding.examples, false)->cells[0].caption.empty());
}

TEST_CASE("plain failures are shown as they come, and the search for them ends") {
  fl::FailureReport r = report();
  FakeModels fake;
  fake.fails = [](const Asked& one) { return one.index % 3 == 0; };
  REQUIRE(failures_sheet(r, fake.backend(), {.failures = 24}));
  CHECK(fake.asked.size() == 128);
  for (const Asked& one : fake.asked) CHECK(one.amount() == 0);
  fake.asked.clear();
  fake.fails = [](const Asked&) { return false; };
  CHECK_FALSE(failures_sheet(r, fake.backend(), {}));
  CHECK(fake.asked.size() == 1024);
  fake.asked.clear();
  CHECK_FALSE(failures_sheet(r, fake.backend(), {.failures = 0}));
  CHECK(fake.asked.empty());
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
