// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the sections of the page are built from: style sheet, tables, figures.

#include <faultline/analysis/finding.hpp>
#include <faultline/render/detail/text.hpp>
#include <faultline/render/drawing.hpp>
#include <faultline/render/report_picture.hpp>

#include <cmath>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

inline constexpr std::string_view page_style = R"css(
:root{color-scheme:light}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:#f6f7f9;color:#212529;font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif}
main,.bar{max-width:1240px;margin:0 auto;padding:0 24px}
header{background:#fff;border-bottom:1px solid #dee2e6}
header .bar{padding-top:26px;padding-bottom:14px}
h1{font-size:29px;line-height:1.2;margin:0 0 4px;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:22px;margin:0 0 10px;line-height:1.25}
h3{font-size:19px;margin:0 0 6px;line-height:1.3;overflow-wrap:anywhere}
h4{font-size:15px;margin:22px 0 6px}
p{margin:0 0 12px;max-width:78ch}
a{color:#005a8c}
.quiet{color:#56606a}
.small{font-size:14px}
nav{margin-top:12px;font-size:14px;line-height:1.9}
nav a{margin-right:16px;white-space:nowrap}
section{background:#fff;border:1px solid #dee2e6;border-radius:8px;padding:22px 26px;margin:20px 0}
section.finding{border-left:5px solid #d55e00}
.verdict{border-left:8px solid #0072b2}
.verdict.causes{border-left-color:#d55e00}
.verdict.few{border-left-color:#868e96}
.verdict h2{font-size:25px}
.verdict ol{margin:12px 0 0;padding-left:24px;max-width:90ch}
.verdict li{margin:5px 0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(225px,1fr));gap:14px;margin:16px 0 4px}
.tile{background:#f6f7f9;border-radius:6px;padding:12px 16px}
.tile b{display:block;font-size:27px;line-height:1.25;font-weight:650}
.tile span{display:block;font-size:14px;color:#56606a;line-height:1.4}
.tile .what{color:#212529;font-weight:600}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px;margin:6px 0 4px}
th,td{padding:6px 10px;text-align:left;border-bottom:1px solid #e6e9ec;vertical-align:top}
th{font-weight:600;border-bottom:2px solid #adb5bd;vertical-align:bottom;line-height:1.3}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
td.n b{white-space:nowrap}
td .quiet{font-size:13px}
td.name{overflow-wrap:break-word;min-width:96px}
td.n .quiet{white-space:nowrap}
caption{caption-side:bottom;text-align:left;color:#56606a;padding-top:8px;font-size:14px}
figure{margin:16px 0 8px}
figure img,figure svg{max-width:100%;height:auto;display:block}
figcaption{font-size:14px;color:#56606a;margin-top:6px;max-width:90ch}
.pair{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:8px 26px}
.pair figure{margin:8px 0}
.chip{display:inline-block;font-size:12.5px;font-weight:600;border:1px solid #adb5bd;border-radius:11px;padding:0 9px;margin-left:8px;color:#343a40;background:#fff;vertical-align:2px;white-space:nowrap}
.chip.warn{border-color:#a34700;color:#a34700}
.warnings{border-left:5px solid #e69f00}
.warnings ul{margin:0;padding-left:20px}
dl.facts{display:grid;grid-template-columns:minmax(170px,max-content) 1fr;gap:5px 18px;margin:8px 0;font-size:15px}
dl.facts dt{color:#56606a}
dl.facts dd{margin:0;overflow-wrap:anywhere}
dl.words dt{font-weight:600;margin-top:10px}
dl.words dd{margin:0;max-width:88ch}
pre{background:#f1f3f5;border-radius:6px;padding:12px 14px;overflow-x:auto;font:14px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre-wrap;overflow-wrap:anywhere;margin:6px 0 14px}
footer{color:#56606a;font-size:14px;padding:4px 0 40px}
@media (max-width:860px){.pair{grid-template-columns:minmax(0,1fr)}section{padding:18px 16px}main,.bar{padding:0 12px}}
@media print{body{background:#fff;font-size:11pt}section{border:0;border-radius:0;padding:0;margin:18px 0}nav{display:none}main,.bar{max-width:none;padding:0}figure,tr,.tile{break-inside:avoid}h2,h3,h4{break-after:avoid}.scroll{overflow:visible}.tile{border:1px solid #dee2e6}}
)css";

/// Escaped text.
inline std::string html(std::string_view text) { return escape(valid_utf8(text)); }

/// One column of a table: its heading and whether it holds numbers.
struct HtmlColumn {
  const char* heading;
  bool numeric = false;
};

/// A table with ready-made HTML cells.
class HtmlTable {
 public:
  explicit HtmlTable(std::vector<HtmlColumn> columns, std::string_view caption = "") : columns_(std::move(columns)) {
    out_ = "<div class=\"scroll\"><table>";
    if (!caption.empty()) out_ += "<caption>" + html(caption) + "</caption>";
    out_ += "<thead><tr>";
    for (const HtmlColumn& column : columns_)
      out_ +=
          std::string("<th scope=\"col\"") + (column.numeric ? " class=\"n\">" : ">") + html(column.heading) + "</th>";
    out_ += "</tr></thead><tbody>\n";
  }
  void row(const std::vector<std::string>& cells) {
    out_ += "<tr>";
    for (std::size_t i = 0; i < cells.size(); ++i)
      out_ += std::string("<td") + (i < columns_.size() && columns_[i].numeric ? " class=\"n\">" : " class=\"name\">") +
              cells[i] + "</td>";
    out_ += "</tr>\n";
  }
  [[nodiscard]] std::string finish() && { return std::move(out_) + "</tbody></table></div>\n"; }

 private:
  std::vector<HtmlColumn> columns_;
  std::string out_;
};

/// A chart, if there is one.
inline std::string chart_figure(const std::optional<Drawing>& chart, std::string_view caption) {
  return !chart ? std::string()
                : "<figure>" + chart->svg() + "<figcaption>" + html(caption) + "</figcaption></figure>\n";
}

/// A picture, if it is there.
inline std::string picture_figure(const std::vector<ReportPicture>& pictures, std::string_view name,
                                  std::string_view caption) {
  for (const ReportPicture& picture : pictures) {
    if (picture.name != name) continue;
    if (!picture.link.empty())
      return "<figure><p>Beside this page, to keep it small: <a href=\"" + html(picture.link) + "\">" +
             html(picture.link) + "</a></p><figcaption>" + html(caption) + "</figcaption></figure>\n";
    return "<figure><img src=\"data:image/png;base64," + base64(picture.png) + "\" width=\"" +
           std::to_string(picture.width) + "\" height=\"" + std::to_string(picture.height) + "\" alt=\"" +
           html(picture.alt) + "\"><figcaption>" + html(caption) + "</figcaption></figure>\n";
  }
  return {};
}

/// A large number with what it is and what qualifies it.
inline std::string tile(std::string_view what, const std::string& value, std::string_view detail) {
  return "<div class=\"tile\"><span class=\"what\">" + html(what) + "</span><b>" + html(value) + "</b><span>" +
         html(detail) + "</span></div>";
}

/// A list of facts: name and value, both plain text.
inline std::string facts(const std::vector<std::pair<std::string, std::string>>& list) {
  std::string out = "<dl class=\"facts\">";
  for (const auto& [name, value] : list) out += "<dt>" + html(name) + "</dt><dd>" + html(value) + "</dd>";
  return out + "</dl>\n";
}

/// "2.92 sd (2.70 to 3.10)".
inline std::string interval_text(const Crossing& crossing) {
  if (!std::isfinite(crossing.sigmas))
    return "beyond range (only " + percent(crossing.crossed_share, 0) + " of the latents get there)";
  return shown(crossing.sigmas, 2) + "\u00A0sd (" + shown(crossing.lower, 2) + " to " + shown(crossing.upper, 2) + ")";
}

inline std::string interval_text(const std::optional<Crossing>& crossing) {
  return crossing ? interval_text(*crossing) : std::string("not reached by any latent");
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
