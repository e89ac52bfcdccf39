// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/detail/page_budget.hpp>
#include <faultline/render/detail/report_files.hpp>

#include <render/page_checks.hpp>
#include <support/catch2.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace fl = faultline;
using fl::render::ReportPicture;
using fl::render::Sweep;
using fl::render::detail::embedded_bytes;
using fl::render::detail::fit_page;

namespace {

constexpr std::size_t causes = 12;

std::vector<ReportPicture> sheets_of(std::size_t bytes) {
  std::vector<ReportPicture> pictures{{"degradation", "", 1, 1, std::vector<std::byte>(bytes)}};
  for (std::size_t i = 1; i <= causes; ++i)
    for (const char* kind : {"", "-classes"})
      pictures.push_back({"finding-" + std::to_string(i) + kind, "", 1, 1, std::vector<std::byte>(bytes)});
  pictures.push_back({"paper-top", "", 1, 1, std::vector<std::byte>(bytes)});
  pictures.push_back({"failures", "", 1, 1, std::vector<std::byte>(bytes)});
  return pictures;
}

std::vector<Sweep> sweeps_of(std::size_t bytes, int parts = 4) {
  std::vector<Sweep> sweeps;
  for (std::size_t i = 1; i <= causes; ++i) {
    Sweep sweep{
        .name = "finding-" + std::to_string(i), .height = 1, .width = 1, .shifts = {}, .labels = {0}, .frames = {}};
    for (int k = -3 * parts; k <= 2 * parts; ++k) {
      sweep.shifts.push_back(static_cast<double>(k) / parts);
      sweep.frames.push_back({{std::vector<std::byte>(bytes), 0.5, 0, false, 1.0}});
    }
    sweeps.push_back(sweep);
  }
  return sweeps;
}

std::vector<std::string> linked(const std::vector<ReportPicture>& pictures) {
  std::vector<std::string> names;
  for (const ReportPicture& picture : pictures)
    if (!picture.link.empty()) names.push_back(picture.name);
  return names;
}

bool is_linked(const std::vector<ReportPicture>& pictures, const std::string& name) {
  const auto names = linked(pictures);
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

TEST_CASE("a page that is small enough keeps everything") {
  std::vector<ReportPicture> pictures = sheets_of(1'000);
  std::vector<Sweep> sweeps = sweeps_of(100);
  fit_page(pictures, sweeps, embedded_bytes(pictures, sweeps));
  CHECK(linked(pictures).empty());
  REQUIRE(sweeps.size() == causes);
  CHECK(sweeps.back().frames.size() == 21);
}

TEST_CASE("a page that is too large loses what matters least, of the last causes first") {
  const std::vector<ReportPicture> all = sheets_of(30'000);
  const std::vector<Sweep> sliders = sweeps_of(300);
  const std::size_t whole = embedded_bytes(all, sliders);

  std::vector<ReportPicture> pictures = all;
  std::vector<Sweep> sweeps = sliders;
  fit_page(pictures, sweeps, whole - 50'000);
  CHECK(linked(pictures) == std::vector<std::string>{"finding-11-classes", "finding-12-classes"});
  CHECK(pictures.back().link.empty());

  pictures = all, sweeps = sliders;
  fit_page(pictures, sweeps, whole - 12 * 40'000 - 50'000);
  CHECK(linked(pictures).size() == causes);  // every sheet by class
  CHECK(is_linked(pictures, "finding-1-classes"));
  CHECK(sweeps.front().frames.size() == 21);
  CHECK(sweeps.back().frames.size() == 11);

  pictures = all, sweeps = sliders;
  fit_page(pictures, sweeps, 350'000);
  CHECK(embedded_bytes(pictures, sweeps) <= 350'000);
  CHECK_FALSE(is_linked(pictures, "finding-1"));  // the first cause keeps its sheet
  CHECK_FALSE(is_linked(pictures, "failures"));
  CHECK(is_linked(pictures, "finding-12"));
  CHECK(is_linked(pictures, "paper-top"));
  CHECK(sweeps.size() == causes);

  pictures = all, sweeps = sliders;
  fit_page(pictures, sweeps, 0);
  CHECK(linked(pictures).size() == all.size());
  CHECK(sweeps.empty());
}

TEST_CASE("a slider that is thinned keeps its start and its ends") {
  for (const int parts : {1, 2, 3, 4, 5}) {
    std::vector<ReportPicture> none;
    std::vector<Sweep> sweeps = sweeps_of(1'000, parts);
    const std::vector<Sweep> before = sweeps;
    fit_page(none, sweeps, embedded_bytes(none, sweeps) - 1);
    const std::vector<double>&own = sweeps.back().shifts, &all = before.back().shifts;
    INFO(parts);
    CHECK(own.size() < all.size());
    CHECK(own.size() == sweeps.back().frames.size());
    CHECK(own.front() == all.front());
    CHECK(own.back() == all.back());
    CHECK(std::count(own.begin(), own.end(), 0.0) == 1);
    CHECK(sweeps.front().shifts == before.front().shifts);
  }
}

TEST_CASE("a page with many large causes stays below five million bytes, and names what lies beside it") {
  fl::FailureReport report = render_test::example_report(render_test::example_generator());
  while (report.findings.size() < causes) report.findings.push_back(report.findings.front());
  std::mt19937 random(1);
  std::vector<fl::render::detail::NamedSheet> sheets;
  for (const ReportPicture& picture : sheets_of(0)) {
    fl::data::Picture noise{.height = 300, .width = 300, .channels = 3};
    noise.pixels.resize(270'000);
    for (std::uint8_t& pixel : noise.pixels) pixel = static_cast<std::uint8_t>(random());
    sheets.push_back({picture.name, "a sheet", noise});
  }
  const auto files = fl::render::detail::report_files(report, sheets, {}, sweeps_of(9'000));
  const auto& page = files.back();
  REQUIRE(page.name == "report.html");
  CHECK(page.bytes.size() <= fl::render::detail::page_bytes);
  CHECK(page.bytes.size() > fl::render::detail::page_bytes / 2);
  const std::string text(reinterpret_cast<const char*>(page.bytes.data()), page.bytes.size());
  render_test::check_page(text);
  const std::string link = "<a href=\"sheets/finding-12-classes.png\">";
  CHECK(text.find(link) != std::string::npos);
  CHECK(std::any_of(files.begin(), files.end(),
                    [](const auto& file) { return file.name == "sheets/finding-12-classes.png"; }));
}
