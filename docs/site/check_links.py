#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_links.py FOLDER: every link and anchor between the pages of a site leads somewhere, and a browser fetches nothing from elsewhere.

Prints a line for each that does not; exit code 1 then. Links to other sites, which a reader may follow, are not tried.
"""
import html.parser
import pathlib
import re
import sys
import urllib.parse

# What a browser loads by itself, by tag: its attribute.
LOADED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "embed": "src", "link": "href", "object": "data", "video": "src", "audio": "src"}
# (a <link> that only names a page loads nothing)
NAMING = {"canonical", "prev", "next", "alternate", "author", "license"}
# Doxygen's own sheets name pictures that it writes elsewhere or not at all; of them only what would be fetched from elsewhere counts.
DOXYGEN_SHEETS = {"doxygen.css", "navtree.css", "search.css", "tabs.css"}
STYLE_URL = re.compile(r"(?:@import\s*(?:url\()?|url\()\s*['\"]?([^'\")\s;]+)")


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.ids, self.links, self.loaded, self.in_style = set(), [], [], False

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.in_style = tag == "style"
        if values.get("id"):
            self.ids.add(values["id"])
        if tag == "a":
            if values.get("name"):
                self.ids.add(values["name"])
            if values.get("href") is not None:
                self.links.append(values["href"])
        elif tag == "area" and values.get("href"):
            self.links.append(values["href"])
        if tag in LOADED and values.get(LOADED[tag]) and not (tag == "link" and NAMING & set((values.get("rel") or "").split())):
            self.loaded.append(values[LOADED[tag]])
        if values.get("style"):
            self.loaded += STYLE_URL.findall(values["style"])
        if "mermaid" in (values.get("class") or "").split():
            self.loaded.append("https://unpkg.com/ (a diagram's script)")

    def handle_endtag(self, tag):
        if tag == "style":
            self.in_style = False

    def handle_data(self, data):
        if self.in_style:
            self.loaded += STYLE_URL.findall(data)


def read(path):
    page = Page()
    page.feed(path.read_text(errors="replace"))
    return page


def check(folder):
    """The complaints about a folder of pages, how many pages it has, and how many links were followed."""
    folder = folder.resolve()
    pages = {path: read(path) for path in sorted(folder.rglob("*.html"))}
    complaints, followed = [], 0

    def target(place, link):
        url = urllib.parse.urlsplit(link)
        path = urllib.parse.unquote(url.path)
        if not path:
            return place, url.fragment
        whole = folder / path.lstrip("/") if path.startswith("/") else place.parent / path
        whole = whole.resolve()
        return (whole / "index.html" if whole.is_dir() else whole), url.fragment

    for place, page in pages.items():
        name = place.relative_to(folder)
        for link in page.links + page.loaded:
            if re.match(r"(https?:)?//", link):
                if link in page.loaded:
                    complaints.append(f"{name}: fetches {link}")
                continue
            if re.match(r"[a-z][a-z0-9+.-]*:", link):  # data:, mailto:, javascript:
                continue
            followed += 1
            whole, anchor = target(place, link)
            if not whole.is_relative_to(folder) or not whole.exists():
                complaints.append(f"{name}: {link} is not there")
            elif anchor and whole in pages and urllib.parse.unquote(anchor) not in pages[whole].ids:
                if not (urllib.parse.unquote(anchor) == "__skip" or anchor == "top"):
                    complaints.append(f"{name}: {link}: the page is there, the anchor is not")
    for sheet in sorted(folder.rglob("*.css")):
        for link in STYLE_URL.findall(sheet.read_text(errors="replace")):
            if re.match(r"(https?:)?//", link):
                complaints.append(f"{sheet.relative_to(folder)}: fetches {link}")
            elif sheet.name not in DOXYGEN_SHEETS and not link.startswith(("data:", "#")) and not (sheet.parent / urllib.parse.unquote(link.split("#")[0].split("?")[0])).exists():
                complaints.append(f"{sheet.relative_to(folder)}: {link} is not there")
    return complaints, len(pages), followed


if __name__ == "__main__":
    if len(sys.argv) != 2 or not pathlib.Path(sys.argv[1]).is_dir():
        sys.exit("usage: check_links.py FOLDER")
    found, count, links = check(pathlib.Path(sys.argv[1]))
    print("\n".join(found) or f"{count} pages, {links} links")
    sys.exit(1 if found else 0)
