// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Edits as values, and as rows of a generator's batch.

#include <faultline/analysis/problem/answer_edits.hpp>

#include <support/catch2.hpp>

#include <cstdint>
#include <vector>

namespace fl = faultline;

TEST_CASE("an edit owns its numbers, and copies of it differ by their amount alone", "[analysis][edit]") {
  fl::Edit step;
  {
    std::vector<double> gone = {1.0, -2.0};
    step = fl::Edit::in_w(gone, 0.5);
    gone = {7.0, 7.0};
  }
  const fl::Edit twice = step.at(2.0);
  CHECK(step.amount() == 0.5);
  CHECK(twice.amount() == 2.0);
  CHECK(twice.step().data() == step.step().data());
  CHECK(std::vector<double>(step.step().begin(), step.step().end()) == std::vector<double>{1.0, -2.0});
  CHECK(step.channels().empty());

  const fl::Edit channels = fl::Edit::of_channels({5, 3}, {0.5, -0.25});
  CHECK(channels.step().empty());
  CHECK(channels.channels()[1] == 3);
  CHECK(channels.shifts()[1] == -0.25);
  CHECK(fl::Edit().step().empty());
  CHECK(fl::Edit().channels().empty());
  try {
    (void)fl::Edit::of_channels({1, 2}, {0.5});
    FAIL("two channels with one shift");
  } catch (const fl::Error& error) {
    CHECK(error.code() == fl::ErrorCode::shape_mismatch);
  }
}

TEST_CASE("edits of all kinds are laid out as rows of one batch", "[analysis][edit]") {
  const std::vector<float> a = {1.0f, 2.0f}, b = {-1.0f, 0.5f};
  const std::vector<double> step = {0.25, 1.0};
  const std::vector<fl::analysis::EditedLatent> edits = {{{a, 3}},
                                                         {{b, 1}, fl::Edit::in_w(step, -2.0)},
                                                         {{a, 3}, fl::Edit::of_channel(9, 0.5, 3.0)},
                                                         {{b, 0}, fl::Edit::of_channels({9, 4}, {1.0, -0.5}, 2.0)}};
  const fl::analysis::EditBatch batch = fl::analysis::lay_out(edits);
  CHECK(batch.label == std::vector<std::int64_t>{3, 1, 3, 0});
  CHECK(batch.channels == std::vector<std::int64_t>{4, 9});
  const auto row = [](const fl::Matrix<float>& matrix, std::int64_t i) {
    return std::vector<float>(matrix.row_span(i).begin(), matrix.row_span(i).end());
  };
  CHECK(row(batch.w, 0) == a);
  CHECK(row(batch.w, 1) == std::vector<float>{-1.5f, -1.5f});
  CHECK(row(batch.w, 2) == a);
  CHECK(row(batch.shifts, 0) == std::vector<float>{0.0f, 0.0f});
  CHECK(row(batch.shifts, 1) == std::vector<float>{0.0f, 0.0f});
  CHECK(row(batch.shifts, 2) == std::vector<float>{0.0f, 1.5f});
  CHECK(row(batch.shifts, 3) == std::vector<float>{-1.0f, 2.0f});
  CHECK(fl::analysis::lay_out({}).w.rows() == 0);

  const std::vector<float> longer = {1.0f, 2.0f, 3.0f};
  for (const std::vector<fl::analysis::EditedLatent>& bad :
       {std::vector<fl::analysis::EditedLatent>{{{a, 0}}, {{longer, 0}}},
        std::vector<fl::analysis::EditedLatent>{{{longer, 0}, fl::Edit::in_w(step)}}}) {
    try {
      (void)fl::analysis::lay_out(bad);
      FAIL("lengths that differ");
    } catch (const fl::Error& error) {
      CHECK(error.code() == fl::ErrorCode::shape_mismatch);
    }
  }
}

TEST_CASE("many images are answered in blocks that cover every edit once", "[analysis][edit]") {
  const std::vector<float> w = {0.0f};
  std::vector<fl::analysis::EditedLatent> edits;
  for (int i = 0; i < 600; ++i) edits.push_back({{w, i}});
  std::size_t most = 0;
  const fl::analysis::AnswerEdits answer = [&](std::span<const fl::analysis::EditedLatent> part,
                                               const fl::analysis::WantedAnswers& wanted) {
    CHECK(wanted.images);
    most = std::max(most, part.size());
    fl::analysis::EditAnswers answers;
    answers.classifiers.resize(1);
    for (const fl::analysis::EditedLatent& edited : part)
      answers.classifiers[0].prediction.push_back(edited.start.label);
    return answers;
  };
  std::vector<std::int64_t> seen;
  fl::analysis::answer_in_blocks(answer, edits, {.images = true},
                                 [&](std::size_t first, const fl::analysis::EditAnswers& answers) {
                                   CHECK(first == seen.size());
                                   for (const std::int64_t label : answers.first().prediction) seen.push_back(label);
                                 });
  CHECK(most == fl::analysis::answer_block);
  REQUIRE(seen.size() == 600);
  for (std::size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == static_cast<std::int64_t>(i));
}
