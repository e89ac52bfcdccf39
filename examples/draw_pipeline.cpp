// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One sample on its way through the library, from its latent to the report, as a picture: what README begins with.
//
//   draw_pipeline --generator digits.safetensors --classifier clean.safetensors --report report/report.json --out
//   pipeline
//
// test: --help
// test(2): --generator @assets@/digits.safetensors
// test: --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --report @characterize.5@/report/report.json --out @out@/pipeline

#include "options.hpp"

#include <faultline/faultline.hpp>
#include <faultline/render/drawing.hpp>
#include <faultline/render/sheet.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace fl = faultline;
using fl::render::Align;
using fl::render::Drawing;
namespace palette = fl::render::palette;

namespace {

struct Arguments {
  std::string generator, classifier, report, out = "pipeline";
};

constexpr double box_width = 266, box_height = 236, gap = 34, margin = 16, inset = 20, picture_top = 66;

/// A station of the way: what there is, who makes it, and one sentence.
struct Station {
  std::string name, maker, sentence;
  std::function<void(Drawing&, double x, double y)> picture;  ///< into 226 x 116 pixels
};

void bars(Drawing& drawing, double x, double y, std::span<const float> values, fl::render::Colour colour) {
  float largest = 1e-6f;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  const double step = 226.0 / static_cast<double>(values.size());
  drawing.line(x, y + 58, x + 226, y + 58, {.colour = palette::faint});
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double height = 54.0 * static_cast<double>(std::abs(values[i]) / largest);
    drawing.rectangle(x + step * static_cast<double>(i), values[i] > 0.0f ? y + 58 - height : y + 58,
                      std::max(1.0, step - 1.5), std::max(1.0, height), colour);
  }
}

/// One image with its answer below it; a failure has a frame.
void image(Drawing& drawing, double x, double y, const fl::Picture& picture, const std::string& text, bool failed) {
  drawing.picture(x, y, picture);
  const auto side = static_cast<double>(picture.width);
  if (failed) drawing.frame(x, y, side, static_cast<double>(picture.height), 3, palette::failure);
  drawing.text(x + side / 2, y + static_cast<double>(picture.height) + 18, text,
               {.height = 9, .colour = failed ? palette::failure : palette::quiet, .align = Align::centre});
}

int draw(const Arguments& arguments) {
  const auto generator = fl::Generator<fl::CpuBackend>::load(arguments.generator);
  fl::AnyClassifier classifier(fl::load_classifier(arguments.classifier));
  const fl::FailureReport report = fl::read_report(arguments.report);
  if (report.findings.empty() || report.findings[0].examples.empty() || report.findings[0].response.empty())
    throw fl::Error(fl::ErrorCode::empty_input, "draw_pipeline", "the report has no cause with examples to draw");
  const fl::Finding& cause = report.findings[0];
  const fl::DirectionRenderer renderer(generator, classifier);
  const auto flipping = fl::render::typical_examples(cause, 1).front();
  const auto example = std::ranges::find(cause.examples, flipping.index, &fl::analysis::ExampleLatent::index);
  const double flip = flipping.flip.value_or(2.0);
  const auto frames =
      renderer.frames(report, cause, {.example = example - cause.examples.begin(), .shifts = {-1.0, 0.0, flip}});
  const fl::StyleSpaceSampler sampler(generator, fl::analysis::sampler_options(report.provenance));
  const auto sample = sampler.sample(flipping.index, 1);
  const std::string label = fl::render::class_name(report, flipping.label);
  const auto picture = [](const fl::ImageBatch& images, std::int64_t size) {
    return fl::render::to_picture(images.image(0), images.shape(), size);
  };
  const auto small = [](double value) { return fl::rounded_text(value, 2); };

  const std::vector<Station> stations = {
      {"1  latent", "StyleSpaceSampler", "what the generator starts from",
       [&](Drawing& d, double x, double y) { bars(d, x, y, sample.w.row_span(0).first(24), palette::judge); }},
      {"2  style", "Generator::styles", "channels that change one thing each",
       [&](Drawing& d, double x, double y) {
         std::vector<float> scaled;
         for (const float value : sample.s.row_span(0).first(48)) scaled.push_back(value - 1.0f);
         bars(d, x, y, scaled, palette::accent);
       }},
      {"3  image", "Generator::synthesize", "of a class that is known: " + label,
       [&](Drawing& d, double x, double y) { d.picture(x + 61, y + 6, picture(frames[1].image, 96)); }},
      {"4  score", "your classifier", "p of the right class, and the answer",
       [&](Drawing& d, double x, double y) {
         const double p = frames[1].probability;
         d.text(x + 113, y + 44, "p = " + fl::fixed_text(p, 2), {.height = 17, .bold = true, .align = Align::centre});
         d.rectangle(x + 13, y + 62, 200, 12, palette::faint);
         d.rectangle(x + 13, y + 62, 200 * p, 12, palette::success);
         d.text(x + 113, y + 102, "reads " + fl::render::class_name(report, frames[1].prediction) + ": right",
                {.height = 10, .align = Align::centre});
       }},
      {"5  condition", "FailureAnalyzer", "where failures gather: " + cause.title,
       [&](Drawing& d, double x, double y) {
         const fl::ResponseCurve& curve = cause.response[0];
         double highest = 0.01;
         for (const auto& bin : curve.bins) highest = std::max(highest, bin.rate.estimate);
         const double step = 226.0 / static_cast<double>(curve.bins.size());
         for (std::size_t i = 0; i < curve.bins.size(); ++i) {
           const double height = 88 * curve.bins[i].rate.estimate / highest;
           d.rectangle(x + step * static_cast<double>(i), y + 96 - height, step - 3, std::max(1.0, height),
                       palette::failure);
         }
         d.line(x, y + 96, x + 226, y + 96);
         d.text(x, y + 112, small(curve.bins.front().lower), {.height = 8, .colour = palette::quiet});
         d.text(x + 113, y + 112, curve.unit.empty() ? curve.property : curve.property + ", " + curve.unit,
                {.height = 8, .colour = palette::quiet, .align = Align::centre});
         d.text(x + 226, y + 112, small(curve.bins.back().upper),
                {.height = 8, .colour = palette::quiet, .align = Align::right});
         d.text(x, y + 8, "failure rate up to " + small(100 * highest) + " %", {.height = 8, .colour = palette::quiet});
       }},
      {"6  cause", "FailureAnalyzer", "moved on purpose, the rest held",
       [&](Drawing& d, double x, double y) {
         image(d, x + 8, y + 4, picture(frames[0].image, 96), "less " + cause.title, frames[0].failed);
         image(d, x + 122, y + 4, picture(frames[2].image, 96), "more " + cause.title, frames[2].failed);
       }},
      {"7  distance", "FailureAnalyzer", "how far a sample is from failure",
       [&](Drawing& d, double x, double y) {
         const auto& all = cause.threshold.flip;
         d.line(x + 10, y + 60, x + 216, y + 60, {.colour = palette::quiet, .width = 2});
         d.mark(x + 10, y + 60, fl::render::Mark::disc, 6, palette::success);
         d.mark(x + 216, y + 60, fl::render::Mark::cross, 8, palette::failure);
         d.text(x + 113, y + 44, all ? small(all->sigmas) + " sd" : "beyond range",
                {.height = 17, .bold = true, .align = Align::centre});
         d.text(x + 113, y + 88, "median over " + std::to_string(all ? all->latents : 0) + " samples",
                {.height = 9, .colour = palette::quiet, .align = Align::centre});
         if (!cause.threshold.at_flip.empty())
           d.text(x + 113, y + 106,
                  "images flip at " + small(cause.threshold.at_flip[0].median) + " " + cause.threshold.at_flip[0].unit,
                  {.height = 9, .colour = palette::quiet, .align = Align::centre});
       }},
      {"8  report", "DirectionRenderer, testing::gate", "a page for people, a verdict for builds",
       [&](Drawing& d, double x, double y) {
         d.frame(x + 20, y + 2, 186, 110, 1, palette::faint);
         d.rectangle(x + 20, y + 2, 186, 20, palette::wash);
         d.text(x + 28, y + 16, "Causes of failure", {.height = 9, .bold = true});
         double line = y + 42;
         for (const fl::Finding& finding : report.findings) {
           if (line > y + 100) break;
           const double share = std::clamp(finding.attributable.fraction.value_or(0.0), 0.0, 1.0);
           d.text(x + 28, line, finding.title, {.height = 9});
           d.rectangle(x + 110, line - 9, 88 * share, 10, palette::failure);
           line += 24;
         }
       }}};

  const double width = 4 * box_width + 3 * gap + 2 * margin, height = 2 * box_height + gap + 2 * margin;
  Drawing drawing(static_cast<std::int64_t>(width), static_cast<std::int64_t>(height),
                  "The way of a sample: latent, style, image, score, condition, cause, distance, report");
  for (std::size_t i = 0; i < stations.size(); ++i) {
    const double x = margin + (box_width + gap) * static_cast<double>(i % 4),
                 y = margin + (box_height + gap) * static_cast<double>(i / 4);
    drawing.rectangle(x, y, box_width, box_height, palette::paper);
    drawing.frame(x + 1, y + 1, box_width - 2, box_height - 2, 1, palette::faint);
    drawing.text(x + inset, y + 28, stations[i].name, {.height = 13, .bold = true});
    drawing.text(x + inset, y + 48, stations[i].maker, {.height = 9, .colour = palette::success});
    stations[i].picture(drawing, x + inset, y + picture_top);
    drawing.text(x + inset, y + box_height - 16, stations[i].sentence, {.height = 9, .colour = palette::ink});
    if (i % 4 < 3) {
      const double middle = y + box_height / 2;
      drawing.line(x + box_width + 7, middle, x + box_width + gap - 8, middle, {.colour = palette::quiet, .width = 2});
      drawing.polyline({{x + box_width + gap - 15, middle - 6},
                        {x + box_width + gap - 7, middle},
                        {x + box_width + gap - 15, middle + 6}},
                       {.colour = palette::quiet, .width = 2});
    }
  }
  fl::write_drawing(drawing, arguments.out);
  std::printf("%s.png and %s.svg\n", arguments.out.c_str(), arguments.out.c_str());
  return 0;
}

int answer(int argc, char** argv) {
  Arguments arguments;
  CLI::App app(
      "Draws the way of one sample through the library, as PNG and SVG.\n"
      "Exit codes: 0 done, 2 usage, 3 bad input, 5 internal error.");
  app.add_option("--generator", arguments.generator, "generator file of the report")->required();
  app.add_option("--classifier", arguments.classifier, "classifier file of the report")->required();
  app.add_option("--report", arguments.report, "report.json with a cause")->required();
  app.add_option("--out", arguments.out, "path of the pictures, without extension")->capture_default_str();
  if (const auto code = program::parse(app, argc, argv)) return *code;
  return draw(arguments);
}

}  // namespace

int main(int argc, char** argv) {
  return program::run("draw_pipeline", [&] { return answer(argc, argv); });
}
