// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tables of scores by what an image contains.

#include <faultline/data/image_scores.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace fl = faultline;
using namespace faultline_tests;
using fl::ErrorCode;

TEST_CASE("a table is read strictly, and what is wrong has its line and column") {
  const std::string a(64, 'a'), b(64, 'b'), columns = "digest,score_0,score_1\n",
                                            logits = "# faultline.scores/1 classes=2 scores=logits\n" + columns,
                                            shares = "# faultline.scores/1 classes=2 scores=probabilities\n" + columns;
  const auto complaint = [](const std::string& text) {
    return error_text([&] { (void)fl::data::parse_image_scores(text); });
  };
  const auto refuses = [&](const std::string& text, const std::string& code, const std::string& part) {
    INFO(text);
    CHECK_THAT(complaint(text), ContainsSubstring("[" + code + "]") && ContainsSubstring(part));
  };
  CHECK(complaint(logits).empty());
  CHECK(complaint("\xef\xbb\xbf" + logits + "\r\n" + a + ", 1 ,\"-2.5\"\r\n\n").empty());
  CHECK(complaint(logits + a + ",1,2\n" + logits + a + ",1,2\n" + b + ",-3,4\n").empty());
  const auto table = fl::data::parse_image_scores(logits + a + ",1,2\n" + a + ",1.0,2\n" + b + ",-3,4\n");
  CHECK(table.size() == 2);
  CHECK(table.find(b) == std::optional<std::int64_t>(1));
  CHECK(table.find(std::string(64, 'c')) == std::nullopt);

  refuses("", "F302", "is empty");
  refuses("# faultline.scores/1 classes=2 scores=logits\n", "F302", "line 1: expected the names of the columns");
  refuses(logits + a + ",1,2", "F302", "line 3: the last line has no line end");
  refuses(columns, "F304", "line 1: expected \"# faultline.scores/1");
  refuses("# faultline.scores/2 classes=2 scores=logits\n" + columns, "F310", "expected faultline.scores/1");
  refuses("# faultline.scores/1 scores=logits\n" + columns, "F304", "does not state classes=");
  refuses("# faultline.scores/1 classes=2\n" + columns, "F304", "does not state scores=");
  refuses("# faultline.scores/1 classes=2 classes=2 scores=logits\n" + columns, "F304", "classes= is there twice");
  refuses("# faultline.scores/1 classes=2 scores=logits size=3\n" + columns, "F304", "got 'size=3'");
  refuses("# faultline.scores/1 classes=0 scores=logits\n" + columns, "F304", "whole number from 1 to");
  refuses("# faultline.scores/1 classes=2x scores=logits\n" + columns, "F304", "whole number from 1 to");
  refuses("# faultline.scores/1 classes=2 scores=undeclared\n" + columns, "F304", "expected scores=logits");
  refuses("# faultline.scores/1 classes=2 scores=logits model=a/b\n" + columns, "F304", "line 1: expected model=");
  refuses("# faultline.scores/1 classes=2 scores=logits images=abc\n" + columns, "F304", "after images=");
  refuses("# faultline.scores/1 classes=2 scores=logits\n" + logits, "F304",
          "line 2: expected the names of the columns");
  refuses("# faultline.scores/1 classes=3 scores=logits\n" + columns, "F304", "line 2: has 3 columns, expected 4");
  refuses("# faultline.scores/1 classes=2 scores=logits\ndigest,score_1,score_0\n", "F304", "line 2, column 2: ");
  refuses(logits + a + ",1\n", "F304", "line 3: has 2 columns, expected 3");
  refuses(logits + a + ",1,2,3\n", "F304", "line 3: has 4 columns, expected 3");
  refuses(logits + "abc,1,2\n", "F304", "line 3, column 1: expected 64 hexadecimal digits");
  refuses(logits + std::string(64, 'A') + ",1,2\n", "F304", "line 3, column 1: ");
  refuses(logits + a + ",1,two\n", "F304", "line 3, column 3: expected a number, got 'two'");
  refuses(logits + a + ",1,\n", "F304", "line 3, column 3: ");
  refuses(logits + a + ",nan,2\n", "F204", "line 3, column 2: ");
  refuses(logits + a + ",1,1e39\n", "F204", "line 3, column 3: ");
  refuses(logits + a + ",1,2\n" + b + ",1,2\n" + a + ",1,3\n", "F313",
          "line 5, column 3: scores the image aaaaaaaaaaaa...");
  refuses(logits + "# faultline.scores/1 classes=3 scores=logits\n", "F313",
          "line 3: states 3 classes, expected 2 as before");
  refuses(logits + "# faultline.scores/1 classes=2 scores=probabilities\n", "F313", "expected logits as before");
  refuses("# faultline.scores/1 classes=2 scores=logits model=a\n" + columns +
              "# faultline.scores/1 classes=2 scores=logits model=b\n",
          "F313", "line 3: is about the model 'b'");
  refuses(shares + a + ",0.5,0.6\n", "F205", "line 3");
  refuses(logits + a + ",0.25,0.75\n" + b + ",0.5,0.5\n", "F208", "probabilities already");
  CHECK(error_code([&] { (void)fl::data::parse_image_scores(logits, {.max_bytes = 20}); }) == ErrorCode::oversized);
  CHECK(error_code([] { (void)fl::data::read_image_scores("/nowhere/at/all.csv"); }) == ErrorCode::cannot_open);
}
