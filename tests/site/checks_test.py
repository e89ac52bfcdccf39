#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The site's checks refuse what they are there for, each planted fault by itself, and accept the same pages without it."""
import importlib.machinery
import importlib.util
import pathlib
import sys
import tempfile

SITE = pathlib.Path(__file__).resolve().parents[2] / "docs/site"
sys.dont_write_bytecode = True
sys.path.insert(0, str(SITE))
import check_links  # noqa: E402

loader = importlib.machinery.SourceFileLoader("build_site", str(SITE / "build_site"))
build_site = importlib.util.module_from_spec(importlib.util.spec_from_loader("build_site", loader))
loader.exec_module(build_site)
failures = []


def expect(holds, what):
    if not holds:
        failures.append(what)


GOOD = '<h1 id="top-of-it">A</h1><a href="b/c.html#there">c</a><a href="https://example.org/">out</a><img src="data:image/png;base64,AA"><a href="#top-of-it">up</a>'
FAULTS = {
    '<a href="b/d.html">d</a>': "b/d.html is not there",
    '<a href="b/c.html#nowhere">c</a>': "the anchor is not",
    '<a href="#nowhere">here</a>': "the anchor is not",
    '<a href="../outside.html">o</a>': "is not there",
    '<img src="missing.png">': "missing.png is not there",
    '<script src="https://example.org/a.js"></script>': "fetches https://example.org/a.js",
    '<link rel="stylesheet" href="//example.org/a.css">': "fetches //example.org/a.css",
    '<style>@import url("https://example.org/font.css");</style>': "fetches https://example.org/font.css",
    '<p style="background: url(https://example.org/a.png)">': "fetches https://example.org/a.png",
    '<pre class="mermaid">graph</pre>': "fetches https://unpkg.com/",
}
for fault, complaint in [("", None), *FAULTS.items()]:
    with tempfile.TemporaryDirectory() as folder:
        site = pathlib.Path(folder, "site")
        (site / "b").mkdir(parents=True)
        pathlib.Path(folder, "outside.html").write_text("<p>")
        (site / "b/c.html").write_text('<p id="there">')
        (site / "index.html").write_text(GOOD + fault)
        found, pages, links = check_links.check(site)
        if complaint is None:
            expect(not found and pages == 2 and links == 2, f"without a fault: {found}, {pages} pages, {links} links")
        else:
            expect(len(found) == 1 and complaint in found[0], f"{fault}: {found}")
for sheet, style, complaint in (
    ("a.css", "url(here.png)", None),
    ("a.css", "url(gone.png)", "gone.png is not there"),
    ("a.css", "url(http://example.org/f.woff)", "fetches http"),
    ("doxygen.css", "url(gone.png)", None),
    ("doxygen.css", "url(http://example.org/f.woff)", "fetches http"),
):
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "here.png").write_text("")
        pathlib.Path(folder, sheet).write_text(f"p {{ background: {style} }}")
        found = check_links.check(pathlib.Path(folder))[0]
        expect(not found if complaint is None else len(found) == 1 and complaint in found[0], f"{sheet}: {style}: {found}")

# Links of the pages of the repository.
headers = {"include/faultline/error.hpp": "error_8hpp.html"}
entities = {"faultline::Error": "classfaultline_1_1Error.html"}
pages = build_site.Pages(pathlib.Path("unused"), headers, entities, None)
page = "docs/reference/errors.md"
pages.page_of(page)
for text, link, expected in (
    ("[`Error`](", "../../include/faultline/error.hpp", "../api/classfaultline_1_1Error.html"),
    ("[the header](", "../../include/faultline/error.hpp", "../api/error_8hpp.html"),
    ("[x](", "../how-to/gates.md#suites", "../how-to/gates.md#suites"),
    ("[x](", "../../README.md#in-your-project", "../readme.md#in-your-project"),
    ("[x](", "../../examples/01_lambda_classifier.cpp", "../examples/01_lambda_classifier.cpp.md"),
    ("[x](", "../../examples/team/", "../examples/team/index.md"),
    ("[x](", "report.schema.json", "report.schema.json"),
    ("[x](", "https://example.org", "https://example.org"),
):
    got = pages.resolve(page, text, link)
    expect(got == expected and not pages.broken, f"{link} became {got}, expected {expected}; {pages.broken}")
pages.resolve(page, "[x](", "../how-to/no_such_page.md")
expect(pages.broken == ["docs/reference/errors.md: ../how-to/no_such_page.md is not there"], f"a link to nothing: {pages.broken}")

# What readers of Markdown disagree about.
turned = build_site.for_python_markdown("Text:\n- a\n  - b\n\n```\n- code\n  - code\n```\n<!-- given:\n#include <x>\n-->\nend\n")
expect(turned == "Text:\n\n- a\n    - b\n\n```\n- code\n  - code\n```\nend\n", f"lists: {turned!r}")

print("\n".join(failures) or "every planted fault is found")
sys.exit(1 if failures else 0)
