// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/html_report.hpp>
#include <faultline/render/report_labels.hpp>

#include <render/page_checks.hpp>
#include <support/catch2.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace fl = faultline;
using render_test::check_page;
using render_test::dot;
using render_test::filled;
using render_test::occurrences;

TEST_CASE("the page of a filled report is sound, closed in itself and complete") {
  const fl::FailureReport report = filled();
  std::vector<fl::render::ReportPicture> pictures;
  for (const char* name : {"degradation", "finding-1", "finding-1-classes", "finding-2", "finding-3", "paper-top",
                           "failures", "of nobody"})
    pictures.push_back(dot(name));
  const std::string page = fl::render::html_report(report, pictures);
  check_page(page);
  CHECK(page == fl::render::html_report(report, pictures));
  CHECK(occurrences(page, "<img ") == 7);
  // Classes; three of all causes; four, one response each and two of the pair; one of each other list that has a
  // property, two that cannot be moved; the map; two on real images.
  CHECK(occurrences(page, "<svg ") == 1 + 3 + 3 * 4 + 4 + 1 + 2 + 1 + 1 + 2);
  for (const char* part : {"3 causes of failure",
                           "6.7\u00A0%",
                           "93\u00A0% the classifier&#39;s",
                           "88\u00A0% on the causes",
                           "56\u00A0%",
                           "slant in class horse &amp; cart",
                           "Associated, but no causes",
                           "mean intensity",
                           "Undecided",
                           "slant + blur",
                           "Not movable by this generator",
                           "stroke &lt;i&gt;width&lt;/i&gt;",
                           "The generator&#39;s",
                           "How much of each property the classifier withstands",
                           ">less</td>",
                           "not reached by any latent",
                           "The paper's top channels",
                           "How to repeat",
                           "What the words mean",
                           ".samples = 4000, .seed = 7",
                           "flips only on unusual images",
                           "comes back: not monotone",
                           "unstable: found again in 35\u00A0%",
                           "both ends fail",
                           "fails when one is high and the other low",
                           "more of it fails",
                           "Towards the other end",
                           "nothing: with it at its usual level there would be 5\u00A0% more failures",
                           "cat (on 31.0\u00A0% more of the images)",
                           "need both, and either at its usual level takes them away",
                           "Class 3 is nearly always answered 0",
                           "Class 1 always fails",
                           "(3 is a class with a very long name indeed, 0 is cat)",
                           "(1 is &lt;b&gt;dog&lt;/b&gt;)",
                           "noise level 0.0342 (0.0310 to 0.0377)",
                           "&quot;stroke thickness&quot; is poorly predicted"}) {
    INFO(part);
    CHECK(page.find(part) != std::string::npos);
  }
  CHECK(page.find(report.provenance.generator_digest) != std::string::npos);
}

TEST_CASE("the first screen says how often, whose fault, on what, how sure, and what is not known") {
  const std::string page = fl::render::html_report(filled(), {});
  const std::string first = page.substr(page.find("<section class=\"verdict"), page.find("<section class=\"warnings"));
  const std::string screen = first.substr(0, first.find("</section>"));
  for (const char* part :
       {"6.1\u00A0% to 7.2\u00A0%; 534 of 8\u00A0000 generated images", "90\u00A0% to 95\u00A0% of the failures",
        "On the other 7\u00A0% it cannot either", "83\u00A0% to 92\u00A0% of the failures would not occur",
        "71\u00A0% of the way", "With noise level at its usual level, 62 %", "found again in 95\u00A0% of the searches",
        "by chance alone p 0.0012", "What is not known",
        "undecided; more moved images would tell: slant + blur (about 9\u00A0200).",
        "cannot be tried, because this generator does not change them by themselves: stroke",
        "where the answer flips along slant in class horse &amp; cart: the judge reads",
        "48\u00A0% (30\u00A0% to 66\u00A0%) of them", "What the failures in a further 15\u00A0% of the way go with",
        "become unreadable: blur."}) {
    INFO(part);
    CHECK(screen.find(part) != std::string::npos);
  }
  CHECK(screen.find("in class 2") == std::string::npos);
  CHECK(screen.find("With slant in class horse &amp; cart moved the failure rate changes") != std::string::npos);
  CHECK(screen.find("No judge") == std::string::npos);
  CHECK(screen.find("Would have been found") == std::string::npos);  // something was

  fl::FailureReport unjudged = filled();
  unjudged.blame.reset();
  unjudged.validity_checked = false;
  unjudged.ceiling.reset();
  unjudged.findings.resize(1);
  unjudged.undecided.clear();
  unjudged.not_movable.clear();
  unjudged.generators.clear();
  const std::string other = fl::render::html_report(unjudged, {});
  check_page(other);
  CHECK(other.find("not checked") != std::string::npos);
  CHECK(other.find("no judge was given") != std::string::npos);
  CHECK(other.find("88\u00A0% on the cause<") != std::string::npos);  // whether or not a ceiling was measured
  CHECK(other.find("undecided; more moved images") == std::string::npos);
  unjudged.failure_rate = {0, 0, 0.0004, 0, 8000, 0.95};
  unjudged.findings.clear();
  CHECK(fl::render::html_report(unjudged, {}).find("Whose fault") == std::string::npos);
}

TEST_CASE("a run that its budget cut short says so on the first screen") {
  fl::FailureReport report = filled();
  CHECK(fl::render::html_report(report, {}).find("cut short by its budget") == std::string::npos);
  report.cut_short = true;
  report.warnings = {"The budget ended the sampling at 10 of 20 samples per split."};
  const std::string page = fl::render::html_report(report, {});
  const auto said = page.find("cut short by its budget"), numbers = page.find("<div class=\"tiles\">");
  REQUIRE(said != std::string::npos);
  CHECK(said < numbers);
  CHECK(page.find("10 of 20 samples per split") != std::string::npos);
}

TEST_CASE("the page shows the causes on real images, where some were given") {
  fl::FailureReport report = filled();
  const std::string page = fl::render::html_report(report, {});
  CHECK(page.find("<h2>On real images</h2>") != std::string::npos);
  CHECK(page.find("0.94") != std::string::npos);
  CHECK(page.find("+2.0") != std::string::npos);  // real minus generated at the flip, in points
  report.real_images.clear();
  CHECK(fl::render::html_report(report, {}).find("On real images") == std::string::npos);
}

TEST_CASE("the page reads well when nothing was found") {
  fl::FailureReport report = filled();
  report.verdict = fl::Verdict::none_found;
  report.reason = "Nothing was confirmed.";
  for (auto* list : {&report.findings, &report.associated, &report.undecided, &report.not_movable, &report.generators})
    list->clear();
  report.interactions.clear();
  report.attributable_together = {};
  report.explained.reset();
  const std::string page = fl::render::html_report(report, {dot("failures")});
  check_page(page);
  CHECK(page.find("No condition of failure found") != std::string::npos);
  CHECK(page.find("+17 points") != std::string::npos);
  CHECK(page.find("reported as a cause with probability 0.8") != std::string::npos);
  CHECK(page.find("<b>nothing</b>") != std::string::npos);
  CHECK(page.find("What the failures in a further 71\u00A0% of the way go with") != std::string::npos);
  report.ceiling->estimate = 0.05;
  CHECK(fl::render::html_report(report, {}).find("What is not known") == std::string::npos);
  for (const char* absent : {"Causes of failure</h2>", "id=\"others\"", "id=\"interactions\""})
    CHECK(page.find(absent) == std::string::npos);
}

TEST_CASE("when no condition is known to be a cause the page says why of each, and what moving them did") {
  fl::FailureReport report = filled();
  report.verdict = fl::Verdict::systematic_without_cause;
  report.findings.clear();
  report.attributable_together = {};
  const std::string page = fl::render::html_report(report, {dot("degradation"), dot("finding-1")});
  check_page(page);
  CHECK(page.find("Failures are systematic, but no cause is known") != std::string::npos);
  CHECK(occurrences(page, "<img ") == 0);
  CHECK(occurrences(page, "<svg ") == 1 + 1 + 1 + 2 + 1 + 1 + 2);  // classes, edits, the others' responses, map
  CHECK(page.find("On what") == std::string::npos);
  CHECK(page.find("+3.0 (−1.0 to +7.0)") != std::string::npos);
  CHECK(occurrences(page, ">not moved</td>") == 2);
  const std::size_t moved = page.find("Moved on purpose");
  CHECK(moved > page.find("id=\"others\""));
  CHECK(moved < page.find("id=\"generators\""));
}

TEST_CASE("conditions are called by their title, with the class by its name") {
  fl::FailureReport report = filled();
  fl::Finding& finding = report.findings[1];
  CHECK(fl::render::title_of(report, finding) == "slant in class horse & cart");
  finding.title = "slant in class 2 (3)";
  CHECK(fl::render::title_of(report, finding) == "slant in class horse & cart (3)");
  finding.title = "ink in class 2 of letters in class 2";  // a property may be called so: only the last is the class
  CHECK(fl::render::title_of(report, finding) == "ink in class 2 of letters in class horse & cart");
  finding.title = "slant";
  CHECK(fl::render::title_of(report, finding) == "slant");
  finding.condition.class_label.reset();
  finding.title = "slant in class 2";
  CHECK(fl::render::title_of(report, finding) == "slant in class 2");
  finding.title = "";
  finding.direction.name = "unnamed direction 3";
  CHECK(fl::render::title_of(report, finding) == "unnamed direction 3");
  CHECK(fl::render::title_of(report, fl::Finding{}) == "unnamed direction");
  finding.title = "slant in class 2";
  finding.condition.class_label = 2;
  finding.headline = "slant in class 2, and again: slant in class 2.";
  CHECK(fl::render::headline_of(report, finding) ==
        "slant in class horse & cart, and again: slant in class horse & cart.");
  finding.headline = "";
  CHECK(fl::render::headline_of(report, finding).empty());
  report.class_names.clear();
  finding.headline = "slant in class 2.";
  CHECK(fl::render::headline_of(report, finding) == "slant in class 2.");
  CHECK(fl::render::title_of(report, finding) == "slant in class 2");
}

TEST_CASE("the page reads well when there are too few failures, and for a report without anything") {
  fl::FailureReport report;
  report.verdict = fl::Verdict::too_few_failures;
  report.reason = "3 failures in 20 000 samples.";
  report.samples_needed = 340'000;
  report.failure_rate = {0.00015, 0.00003, 0.0004, 3, 20'000, 0.95};
  const std::string page = fl::render::html_report(report, {});
  check_page(page);
  CHECK(page.find("Too few failures to look for conditions") != std::string::npos);
  CHECK(page.find("340\u00A0000") != std::string::npos);
  check_page(fl::render::html_report({}, {}));
}

TEST_CASE("a page says of each cause how common it is and shows its classes, the skipped ones among them") {
  const std::string page = fl::render::html_report(filled(), {}, {});
  check_page(page);
  CHECK(occurrences(page, "<h4>In each class</h4>") == 3);
  CHECK(page.find("All classes share 94\u00A0% (88\u00A0% to 99\u00A0%) of the difference") != std::string::npos);
  CHECK(page.find("+1.02 <span class=\"quiet\">(0.12)</span>") != std::string::npos);
  CHECK(page.find("<td class=\"n\">+55</td>") != std::string::npos);
  CHECK(page.find("skipped: fewer than two failures or passes") != std::string::npos);
  CHECK(page.find("a class with a very long name indeed (50\u00A0% of what it explains), cat (30\u00A0%)") !=
        std::string::npos);
  fl::FailureReport bare = filled();
  for (fl::Finding& finding : bare.findings) finding.class_split = {}, finding.condition.classes.clear();
  bare.class_rankings.clear();
  bare.confusion = {};
  const std::string plain = fl::render::html_report(bare, {}, {});
  check_page(plain);
  CHECK(occurrences(plain, "<h4>In each class</h4>") == 0);
  CHECK(occurrences(plain, "<h4>Channels per class</h4>") == 0);
  CHECK(occurrences(plain, "Mostly in class") == 0);
  CHECK(occurrences(plain, "Answered as") == 0);
  CHECK(occurrences(page, "Answered as") == 1);
}

namespace {

/// Two start latents at five shifts, wrong from +1 on.
fl::render::Sweep example_sweep() {
  fl::render::Sweep sweep{.name = "finding-1",
                          .height = 1,
                          .width = 1,
                          .property = "noise <level>",
                          .unit = "px",
                          .shifts = {-1.0, -0.5, 0.0, 0.5, 1.0},
                          .labels = {0, 1},
                          .frames = {}};
  for (const double shift : sweep.shifts) {
    auto& frame = sweep.frames.emplace_back();
    for (const std::int64_t label : sweep.labels)
      frame.push_back({dot("x").png, 0.5 - 0.25 * shift, shift >= 1.0 ? 3 : label, shift >= 1.0, 2.0 + shift});
  }
  return sweep;
}

}  // namespace

TEST_CASE("a cause has a slider of radio buttons, each of which shows one frame, without a script") {
  const fl::FailureReport report = filled();
  const std::string page = fl::render::html_report(report, {dot("finding-1")}, {}, {example_sweep()});
  check_page(page);
  CHECK(occurrences(page, "<input type=\"radio\" name=\"sweep-finding-1\"") == 5);
  CHECK(occurrences(page, "<div class=\"frame\">") == 5);
  CHECK(occurrences(page, " checked=\"\">") == 1);
  CHECK(page.find("class=\"zero\" checked=\"\">") != std::string::npos);  // the start is what is seen first
  for (const char* part :
       {"At the start: noise &lt;level&gt; 2.00\u00A0px, probability of the right class 0.50 (means of these images); "
        "0 "
        "of 2 fail",
        "At +1\u00A0sd: noise &lt;level&gt; 3.00\u00A0px, probability of the right class 0.25 (means of these images); "
        "2 "
        "of 2 fail",
        "title=\"−0.5\u00A0sd\"", "role=\"group\"", "width:25%",
        ".sweep>input:nth-of-type(5):checked~.frames>.frame:nth-child(5){display:block}", "@media print{.sweep"}) {
    INFO(part);
    CHECK(page.find(part) != std::string::npos);
  }
  CHECK(page.find(".frame:nth-child(6)") == std::string::npos);
  CHECK(occurrences(page, "<li class=\"fails\">") == 2);
  // in print and without style the sheet stands there as well
  CHECK(occurrences(page, dot("finding-1").name + "\"") >= 1);
  // none for other causes, and no trace on a page without
  CHECK(page.find("sweep-finding-2") == std::string::npos);
  CHECK(fl::render::html_report(report, {dot("finding-1")}).find("sweep") == std::string::npos);
  // a page of a file may hold more frames than a slider has positions, or none
  fl::render::Sweep long_one = example_sweep(), empty = example_sweep();
  for (int i = 0; i < 40; ++i) {
    long_one.shifts.push_back(2.0 + i);
    long_one.frames.push_back(long_one.frames.back());
  }
  empty.shifts.clear();
  empty.frames.clear();
  const std::string cut = fl::render::html_report(report, {}, {}, {long_one});
  check_page(cut);
  CHECK(occurrences(cut, "<div class=\"frame\">") == 25);
  check_page(fl::render::html_report(report, {}, {}, {empty}));
}
