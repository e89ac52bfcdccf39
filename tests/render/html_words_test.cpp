// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The words of the pages and docs/reference/glossary.md are one text.

#include <faultline/render/detail/html_words.hpp>

#include <support/catch2.hpp>
#include <core/temporary_directory.hpp>

#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace faultline::render::detail;

/// The rows of the tables between two headings of the glossary.
std::vector<std::pair<std::string, std::string>> rows(const std::string& page, const std::string& from,
                                                      const std::string& to) {
  const std::size_t begin = page.find(from), end = to.empty() ? page.size() : page.find(to);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  std::vector<std::pair<std::string, std::string>> found;
  std::size_t line = page.find("\n|---", begin);
  while ((line = page.find("\n| ", line + 1)) < end) {
    const std::size_t bar = page.find(" | ", line + 3), stop = page.find(" |\n", line + 3);
    REQUIRE(bar < stop);
    found.emplace_back(page.substr(line + 3, bar - line - 3), page.substr(bar + 3, stop - bar - 3));
  }
  return found;
}

std::string glossary() {
  return faultline_tests::text_of(std::filesystem::path(__FILE__).parent_path() / "../../docs/reference/glossary.md");
}

}  // namespace

TEST_CASE("docs/reference/glossary.md has the words of the report pages, in their order and with their text") {
  const auto said = rows(glossary(), "\n## Words of the reports\n", "\n## Further words\n");
  std::vector<std::pair<std::string, std::string>> expected;
  for (const Word& word : page_words) expected.emplace_back(word.term, word.meaning);
  CHECK(said == expected);
}

TEST_CASE("no word of the glossary is explained twice") {
  std::set<std::string> terms;
  for (const Word& word : page_words) terms.emplace(word.term);
  const std::size_t of_reports = terms.size();
  CHECK(of_reports == page_words.size());
  const auto further = rows(glossary(), "\n## Further words\n", "");
  REQUIRE(further.size() > 5);
  for (const auto& row : further) terms.insert(row.first);
  CHECK(terms.size() == of_reports + further.size());
}

TEST_CASE("each page explains its own words and no other") {
  for (const WordPage page : {WordPage::report, WordPage::comparison, WordPage::conditions}) {
    const std::string section = words_section(page);
    for (const Word& word : page_words) {
      INFO(std::string(word.term));
      const bool explained =
          section.find("<dt>" + html(word.term) + "</dt><dd>" + html(word.meaning) + "</dd>") != std::string::npos;
      CHECK(explained == ((word.pages & static_cast<unsigned>(page)) != 0));
    }
  }
}
