#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""pages_test.py SITE: a site that was built has what its readers come for. Exit code 77 where none was built."""
import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "docs/site"))
import check_links  # noqa: E402

site = pathlib.Path(sys.argv[1])
if not (site / "index.html").is_file():
    print(f"no site in {site}")
    sys.exit(77)
failures = []


def expect(holds, what):
    if not holds:
        failures.append(what)


complaints, pages, links = check_links.check(site)
failures += complaints
expect(pages > 500 and links > 20000, f"only {pages} pages with {links} links")

# The entry page of the API leads to the entities themselves, not only to their headers.
entry = (site / "reference/api.html").read_text()
for name in ("Generator", "AnalyticGenerator", "StyleSpaceSampler", "FailureAnalyzer", "FailureReport", "Finding", "DirectionRenderer", "GateSuite",
             "MethodOptions", "ChildProcessClassifier", "Projector", "Error"):
    expect(re.search(rf'href="\.\./api/(class|struct)faultline[^"]*_1_1{name}\.html"', entry), f"the API's entry page does not lead to {name}")
for name in ("Classifier", "StyleGenerator", "FailureCriterion"):
    expect(f'href="../api/conceptfaultline_1_1{name}.html"' in entry, f"the API's entry page does not lead to the concept {name}")
for name in ("characterize", "make_classifier", "load_classifier", "gate", "compare", "read_report", "scan"):
    expect(re.search(rf'href="\.\./api/[^"#]+#[^"]+"[^>]*><code>{name}</code>', entry), f"the API's entry page does not lead to {name}()")

# Their blocks are there: what a class does, what it throws, a member.
page = (site / "api/classfaultline_1_1render_1_1DirectionRenderer.html").read_text()
expect("write_report" in page, "DirectionRenderer has no write_report")
expect("v1" not in re.sub(r"<[^>]*>", "", page), "the inline namespace is shown")
for header in (site / "api").glob("*detail*"):
    expect(False, f"{header.name}: what is nobody's to use is shown")

index = (site / "search/search_index.json").read_text()
for word in ("attributable fraction", "F203", "FailureRateBelow"):
    expect(word in index, f"the search does not know {word}")
gallery = (site / "gallery.html").read_text()
expect("<!-- report" not in gallery and gallery.count("<h2") == 3, "the gallery does not have three reports")
for name in ("tutorial/quickstart", "how-to/gates", "reference/glossary", "reference/versioning", "explanation/method", "CHANGELOG"):
    expect((site / f"{name}.html").is_file(), f"{name} is missing")

print("\n".join(failures) or f"{pages} pages, {links} links")
sys.exit(1 if failures else 0)
