// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A strict little reader of markup: complains about anything that an XML reader (or, for the void elements of HTML, a
// careful HTML author) would not let pass.

#include <set>
#include <string>
#include <vector>

namespace render_test {

struct Markup {
  std::string complaint;                ///< the first thing that is wrong, or empty
  std::vector<std::string> tags;        ///< names of the opened elements, in order
  std::vector<std::string> attributes;  ///< name=value of all attributes
  std::set<std::string> ids;
};

inline Markup read_markup(const std::string& text, bool html) {
  static const std::set<std::string> empty_in_html = {"meta", "img", "br", "link", "hr", "input"};
  Markup out;
  std::vector<std::string> open;
  const auto complain = [&](const std::string& what, std::size_t at) {
    if (out.complaint.empty()) out.complaint = what + " near: " + text.substr(at > 30 ? at - 30 : 0, 80);
  };
  for (std::size_t i = 0; i < text.size() && out.complaint.empty();) {
    if (text[i] == '&') {
      const std::size_t end = text.find(';', i);
      static const std::set<std::string> known = {"&amp", "&lt", "&gt", "&quot", "&#39"};
      if (end == std::string::npos || known.count(text.substr(i, end - i)) == 0)
        complain("an ampersand that is no entity", i);
      i = end == std::string::npos ? text.size() : end + 1;
      continue;
    }
    if (text[i] == '>') complain("a stray >", i);
    if (text[i] != '<') {
      ++i;
      continue;
    }
    if (html && text.compare(i, 9, "<!DOCTYPE") == 0) {
      i = text.find('>', i) + 1;
      continue;
    }
    const bool closing = text.compare(i, 2, "</") == 0;
    std::size_t at = i + (closing ? 2 : 1);
    std::string name;
    while (at < text.size() && std::isalnum(static_cast<unsigned char>(text[at]))) name += text[at++];
    if (name.empty()) complain("a < that opens nothing", i);
    bool self_closing = false;
    std::set<std::string> seen;
    while (out.complaint.empty()) {
      while (at < text.size() && (text[at] == ' ' || text[at] == '\n')) ++at;
      if (at >= text.size()) complain("an unfinished tag", i);
      else if (text[at] == '>') {
        ++at;
        break;
      } else if (text.compare(at, 2, "/>") == 0) {
        self_closing = true;
        at += 2;
        break;
      } else {
        std::string attribute;
        while (at < text.size() &&
               (std::isalnum(static_cast<unsigned char>(text[at])) || text[at] == '-' || text[at] == ':'))
          attribute += text[at++];
        if (attribute.empty() || text.compare(at, 2, "=\"") != 0) {
          complain("an attribute without a quoted value", at);
          break;
        }
        const std::size_t end = text.find('"', at + 2);
        if (end == std::string::npos) {
          complain("an unfinished value", at);
          break;
        }
        const std::string value = text.substr(at + 2, end - at - 2);
        if (value.find('<') != std::string::npos) complain("a < in a value", at);
        if (!seen.insert(attribute).second) complain("an attribute twice", at);
        if (attribute == "id" && !out.ids.insert(value).second) complain("an id twice", at);
        out.attributes.push_back(attribute + "=" + value);
        at = end + 1;
      }
    }
    if (closing) {
      if (open.empty() || open.back() != name) complain("</" + name + "> closes nothing", i);
      else open.pop_back();
    } else {
      out.tags.push_back(name);
      if (!self_closing && !(html && empty_in_html.count(name))) open.push_back(name);
      if (html && name == "style") at = text.find("</style>", at);
    }
    i = at;
  }
  if (out.complaint.empty() && !open.empty()) out.complaint = "<" + open.back() + "> is not closed";
  return out;
}

}  // namespace render_test
