// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tables of scores: what they hold, every way in which one can be wrong, and how they find their images.
#include <faultline/core/atomic_file.hpp>
#include <faultline/data/score_table.hpp>

#include <data/malformed.hpp>
#include <support/catch2.hpp>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace fl = faultline;
using namespace faultline_tests;
using fl::ErrorCode;

namespace {

constexpr fl::ScoreTableOptions logits{.scores = fl::Scores::logits};
constexpr fl::ScoreTableOptions probabilities{.scores = fl::Scores::probabilities};

constexpr const char* plain =
    "image,label,score_0,score_1,score_2\na.png,2,0.5,-1e3,3\nb/c.png,0,7,+0.25,-0.5\nd.png,1,0,1,2\n";

fl::ScoreTable parse(const std::string& text, const fl::ScoreTableOptions& options = logits) {
  return fl::parse_score_table(text, options, "scores.csv");
}

std::vector<float> row(const fl::ScoreTable& table, std::int64_t i) {
  const auto values = table.scores.row_span(i);
  return {values.begin(), values.end()};
}

struct Wrong {
  std::string text;
  ErrorCode code;
  std::string says;  ///< a part of the message
};

void check_refused(const std::vector<Wrong>& all, const fl::ScoreTableOptions& options) {
  for (const Wrong& wrong : all) {
    INFO(wrong.text);
    CHECK(error_code([&] { (void)parse(wrong.text, options); }) == wrong.code);
    const std::string message = error_text([&] { (void)parse(wrong.text, options); });
    INFO(message);
    CHECK(message.find(wrong.says) != std::string::npos);
    CHECK(message.find("'scores.csv'") != std::string::npos);
  }
}

bool says(const std::string& message, const std::string& part) {
  INFO(message);
  return message.find(part) != std::string::npos;
}

/// Grey images of one pixel.
fl::LabelledImages images_of(std::vector<std::string> names, std::vector<std::uint8_t> labels, std::int64_t classes) {
  fl::LabelledImages images{.count = static_cast<std::int64_t>(names.empty() ? labels.size() : names.size()),
                            .height = 1,
                            .width = 1,
                            .classes = classes};
  images.pixels.resize(static_cast<std::size_t>(images.count));
  images.labels = std::move(labels);
  images.names = std::move(names);
  return images;
}

}  // namespace

TEST_CASE("A table of scores is read whatever wrote it", "[score_table]") {
  const fl::ScoreTable table = parse(plain);
  CHECK(table.images == std::vector<std::string>{"a.png", "b/c.png", "d.png"});
  CHECK(table.labels == std::vector<std::int64_t>{2, 0, 1});
  CHECK(table.class_names.empty());
  CHECK(table.kind == fl::Scores::logits);
  CHECK(row(table, 0) == std::vector<float>{0.5f, -1000.0f, 3.0f});
  CHECK(row(table, 1) == std::vector<float>{7.0f, 0.25f, -0.5f});

  const std::vector<std::string> same = {
      "\xef\xbb\xbfImage,LABEL,0,1,2\r\na.png,2,0.5,-1e3,3\r\nb/c.png,0,7,0.25,-.5\r\nd.png,1,0,1,2",
      "image , label\t, score_0,score_1,score_2\n\n\"a.png\",\"2\", 0.5,\t-1000 "
      ",3\n\n./b/../b/c.png,0,7,0.25,-0.5\n\r\nd.png,1,"
      "0,1,2\n\n",
      "score_2,image,score_0,label,score_1\r3,a.png,0.5,2,-1000\r-0.5,b/c.png,7,0,0.25\r2,d.png,0,1,1\r",
  };
  for (const std::string& text : same) {
    INFO(text);
    const fl::ScoreTable other = parse(text);
    CHECK(other.images == table.images);
    CHECK(other.labels == table.labels);
    CHECK(other.scores == table.scores);
  }

  const fl::ScoreTable named = parse("image,label,cat,dog\n0,dog,1,2\n1,0,3,4\n\"x,y \"\"z\"\"\",1,5,6\n");
  CHECK(named.class_names == std::vector<std::string>{"cat", "dog"});
  CHECK(named.labels == std::vector<std::int64_t>{1, 0, 1});
  CHECK(named.images == std::vector<std::string>{"0", "1", "x,y \"z\""});
  CHECK(parse("image,score_cat,score_dog\n0,1,2\n").class_names == named.class_names);
  CHECK(parse("image,score_cat,score_dog\n0,1,2\n").labels.empty());
  // A name that looks like a number is a name beside others that do not
  CHECK(parse("image,label,1,dog\n0,1,1,2\n").labels == std::vector<std::int64_t>{0});

  const fl::ScoreTable shares = parse("image,0,1\n0,0.25,0.75\n1,1,0\n", probabilities);
  CHECK(row(shares, 0) == std::vector<float>{0.25f, 0.75f});
  CHECK(shares.kind == fl::Scores::probabilities);
}

TEST_CASE("A score table that is wrong is refused with its line", "[score_table]") {
  const ErrorCode malformed = ErrorCode::malformed_header;
  check_refused(
      {{"", ErrorCode::truncated, "empty file"},
       {"\n\r\n \n", ErrorCode::truncated, "empty file"},
       {"image,0,1\n", ErrorCode::truncated, "got none"},
       {"a.png,0.5,0.5\nb.png,1,2\n", malformed, "line 1: expected a header"},
       {"file,0,1\na,1,2\n", malformed, "'image'"},
       {"image,label,0\na,0,1\n", malformed, "at least two classes"},
       {"image,label\na,0\n", malformed, "at least two classes"},
       {"image,image,0,1\na,b,1,2\n", malformed, "twice"},
       {"image,label,Label,0,1\na,0,0,1,2\n", malformed, "twice"},
       {"image,cat,cat\na,1,2\n", malformed, "'cat' is there twice"},
       {"image,cat,\na,1,2\n", malformed, "an empty one"},
       {"image,0,2\na,1,2\n", malformed, "numbered from 0 to 1"},
       {"image,1,01\na,1,2\n", malformed, "numbered from 0 to 1"},
       {"image,0,1\na,1,2\nb,1\n", malformed, "line 3: expected 3 fields as in the header, got 2"},
       {"image,0,1\na,1,2,\n", malformed, "line 2: expected 3 fields as in the header, got 4"},
       {"image,0,1\n,1,2\n", malformed, "line 2: expected the name"},
       {"image,0,1\na,1,\n", malformed, "line 2: expected a number in column 3, got ''"},
       {"image,0,1\na,1,two\n", malformed, "got 'two'"},
       {"image,0,1\na,1,0x2\n", malformed, "got '0x2'"},
       {"image,0,1\na,1,++2\n", malformed, "got '++2'"},
       {"image,0,1\na,1,1e999\n", malformed, "got '1e999'"},
       {"image,0,1\n\na,\"1,2\nb,1,2\n", malformed, "line 3: a double quote is not closed"},
       {"image,0,1\na,\"1\"2,3\n", malformed, "line 2"},
       {std::string("\xff\xfei\0m\0", 6), malformed, "UTF-16"},
       {std::string("image,0,1\na,1,2\0\n", 17), malformed, "zero bytes"},
       {"image,label,0,1\na,x,1,2\n", malformed, "line 2: expected a whole number from 0 to 1 as label, got 'x'"},
       {"image,label,0,1\na,,1,2\n", malformed, "as label, got ''"},
       {"image,label,0,1\na,2,1,2\n", ErrorCode::label_out_of_range, "from 0 to 1, got '2'"},
       {"image,label,0,1\na,-1,1,2\n", ErrorCode::label_out_of_range, "got '-1'"},
       {"image,label,0,1\na,99999999999999999999,1,2\n", ErrorCode::label_out_of_range, "got '99999999999999999999'"},
       {"image,0,1\na,1,2\nb,3,4\n./a,5,6\nb,7,8\n", ErrorCode::inconsistent_files, "line 4 scores 'a', which line 2"},
       {"image,0,1\na,1,nan\n", ErrorCode::non_finite_scores, "class 1 of line 2 ('a')"},
       {"image,0,1\na,1,2\nb,-inf,2\n", ErrorCode::non_finite_scores, "class 0 of line 3 ('b')"},
       {"image,0,1\na,1e39,2\n", ErrorCode::non_finite_scores, "infinite"},
       {"image,0,1\na,.25,.75\nb,.5,.5\n", ErrorCode::not_logits, "declare probabilities"}},
      logits);
  check_refused({{"image,0,1\na,.5,.5\nb,.5,.6\n", ErrorCode::not_probabilities, "line 3 ('b')"},
                 {"image,0,1\na,-.5,1.5\n", ErrorCode::not_probabilities, "line 2 ('a')"}},
                probabilities);
  check_refused({{plain, ErrorCode::scores_undeclared, "logits or probabilities"}}, {});
  check_refused({{plain, ErrorCode::oversized, "more than 20 bytes"}}, {.scores = fl::Scores::logits, .max_bytes = 20});
  CHECK(error_code([] { (void)parse(plain, {.scores = fl::Scores::logits, .probability_tolerance = 1.0}); }) ==
        ErrorCode::invalid_argument);
  // Logits of zeros and ones are no softmax, and one row that is none tells that the others are none
  CHECK(parse("image,0,1\na,0,1\nb,1,0\n").size() == 2);
  CHECK(parse("image,0,1\na,.25,.75\nb,.25,.5\n").size() == 2);
}

TEST_CASE("A table of scores is read from its file as from memory", "[score_table]") {
  const TemporaryDirectory folder;
  std::string text = "image,label,score_0,score_1\n";  // longer than a buffer
  for (int i = 0; i < 20'000; ++i)
    text += "\"picture, " + std::to_string(i) + "\"," + std::to_string(i % 2) + "," + std::to_string(i) + ".5,-1\r\n";
  REQUIRE(text.size() > 3 * 65'536);
  fl::core::write_file_atomically(folder / "scores.csv", text);
  const fl::ScoreTable stored = fl::read_score_table(folder / "scores.csv", logits), memory = parse(text);
  CHECK(stored.size() == 20'000);
  CHECK(stored.images == memory.images);
  CHECK(stored.labels == memory.labels);
  CHECK(stored.scores == memory.scores);
  CHECK(stored.scores(19'999, 0) == 19'999.5f);
  CHECK(stored.images.back() == "picture, 19999");

  CHECK(error_code([&] {
          (void)fl::read_score_table(folder / "scores.csv", {.scores = fl::Scores::logits, .max_bytes = 1'000});
        }) == ErrorCode::oversized);
  CHECK(error_code([&] { (void)fl::read_score_table(folder / "none.csv", logits); }) == ErrorCode::cannot_open);
  CHECK(error_code([&] { (void)fl::read_score_table(folder.path(), logits); }) == ErrorCode::cannot_open);
}

TEST_CASE("Scores find their images by name or by position", "[score_table]") {
  const fl::LabelledImages named = images_of({"b.png", "sub/a.png", "7"}, {0, 1, 1}, 2);  // in an order of their own
  const fl::ScoreTable by_name =
      fl::match_scores(parse("image,label,0,1\n7,1,5,6\nb.png,0,1,2\nsub/a.png,1,3,4\n"), named);
  CHECK(by_name.images == named.names);
  CHECK(row(by_name, 0) == std::vector<float>{1, 2});
  CHECK(row(by_name, 1) == std::vector<float>{3, 4});
  CHECK(row(by_name, 2) == std::vector<float>{5, 6});
  CHECK(by_name.labels == std::vector<std::int64_t>{0, 1, 1});

  const auto numbers = [] { return parse("image,0,1\n2,5,6\n0,1,2\n1,3,4\n"); };
  CHECK(fl::match_scores(numbers(), named).scores == by_name.scores);  // no picture is called 0, 1 or 2
  CHECK(fl::match_scores(numbers(), images_of({}, {0, 1, 1}, 2)).scores == by_name.scores);
  CHECK(fl::match_scores(parse("image,label,0,1\n2,1,5,6\n0,1,1,2\n1,0,3,4\n"), images_of({"x", "y", "z"}, {}, 0))
            .labels == std::vector<std::int64_t>{1, 0, 1});

  const auto refusal = [](const std::string& text, const fl::LabelledImages& images) {
    CHECK(error_code([&] { (void)fl::match_scores(parse(text), images); }) == ErrorCode::inconsistent_files);
    return error_text([&] { (void)fl::match_scores(parse(text), images); });
  };
  CHECK(
      says(refusal("image,0,1\nb.png,1,2\n7,1,2\n", named), "1 of 3 images have no scores, the first is 'sub/a.png'"));
  CHECK(says(refusal("image,0,1\nb.png,1,2\n7,1,2\nsub/a.png,1,2\nextra.png,1,2\n", named), "'extra.png'"));
  CHECK(says(refusal("image,0,1\nb.png,1,2\n7,1,2\nsub\\a.png,1,2\n", named), "paths are written with '/'"));
  CHECK(says(refusal("image,0,1\n0,1,2\n1,1,2\n3,1,2\n", named), "positions from 0 to 2"));
  CHECK(says(refusal("image,0,1\n0,1,2\n00,1,2\n1,1,2\n", named), "two rows score one image"));
  CHECK(says(refusal("image,label,0,1\n0,0,1,2\n1,0,1,2\n2,1,1,2\n", named),
             "gives 'sub/a.png' the label 0, the images give it 1"));
  CHECK(says(refusal("image,0,1\n0,1,2\n1,1,2\n2,1,2\n", images_of({"x", "y", "z"}, {}, 0)), "labels"));
  CHECK(says(refusal("image,0,1\n0,1,2\n1,1,2\n2,1,2\n", images_of({}, {0, 1, 2}, 3)), "3 classes"));
}

TEST_CASE("Classes of scores and of images meet by name where both have names", "[score_table]") {
  fl::LabelledImages images = images_of({"x", "y"}, {0, 1}, 2);
  images.class_names = {"cat", "dog"};
  const fl::ScoreTable table = fl::match_scores(parse("image,label,bird,dog,cat\nx,cat,1,2,3\ny,dog,4,5,6\n"), images);
  CHECK(table.class_names == std::vector<std::string>{"cat", "dog", "bird"});
  CHECK(row(table, 0) == std::vector<float>{3, 2, 1});
  CHECK(row(table, 1) == std::vector<float>{6, 5, 4});
  CHECK(table.labels == std::vector<std::int64_t>{0, 1});

  const fl::ScoreTable numbered = fl::match_scores(parse("image,1,0\nx,2,3\ny,5,6\n"), images);
  CHECK(numbered.class_names == images.class_names);
  CHECK(row(numbered, 0) == std::vector<float>{3, 2});
  CHECK(error_code([&] { (void)fl::match_scores(parse("image,cat,bird\nx,2,3\ny,5,6\n"), images); }) ==
        ErrorCode::inconsistent_files);
}
