// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// DirectionRenderer: the directions of a report as images, sheets, and files that people look at.

#include <faultline/render/detail/sheet_choices.hpp>
#include <faultline/classify/any_criterion.hpp>
#include <faultline/render/detail/edit_renderer.hpp>
#include <faultline/render/detail/report_files.hpp>
#include <faultline/render/direction_frames.hpp>
#include <faultline/render/render_options.hpp>
#include <faultline/render/sheet.hpp>

#include <memory>
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {

/// Renders the directions of a report with the models it is about, which are borrowed: the images along one of them
/// (`frames`), the sheet of one finding (`sheet`), or everything into a folder (`write_report`).
///
/// How the run drew its samples and judged them (seed, labels, truncation, noise, batch size, criterion, tolerance)
/// comes from the report's provenance, whole; start latents are drawn again from it, so a report needs no stored
/// images.
/// **Throws** `invalid_argument` for options out of range; in every call, `incompatible_models` when the report is of
/// another generator (by digest), its examples do not follow from its seed, or generator and classifier do not fit
/// together; `shape_mismatch` when its directions do not fit; F2xx when the classifier misbehaves.
/// Example: `DirectionRenderer(generator, mine).write_report(report, "out/");`
template <StyleGenerator G, Classifier C>
class DirectionRenderer {
 public:
  DirectionRenderer(const G& generator, C& classifier, RenderOptions options = {})
      : generator_(std::addressof(generator)),
        classifier_(classify::hold<typename G::image_type>(classifier)),
        options_(std::move(options)) {
    const auto require = [](bool ok, const std::string& message) {
      if (!ok) throw Error(ErrorCode::invalid_argument, "DirectionRenderer", message);
    };
    require(options_.columns >= 0 && options_.columns <= 40,
            "columns must lie in [0, 40], got " + std::to_string(options_.columns));
    require(options_.examples >= 0 && options_.examples <= 40,
            "examples must lie in [0, 40], got " + std::to_string(options_.examples));
    require(options_.failures >= 0 && options_.failures <= 400,
            "failures must lie in [0, 400], got " + std::to_string(options_.failures));
    require(options_.image_pixels >= 8 && options_.image_pixels <= 400,
            "image_pixels must lie in [8, 400], got " + std::to_string(options_.image_pixels));
  }
  DirectionRenderer(const G&&, C&, RenderOptions = {}) = delete;
  DirectionRenderer(const G&, C&&, RenderOptions = {}) = delete;
  DirectionRenderer(const G&&, C&&, RenderOptions = {}) = delete;

  /// One start latent of a finding at shifts along its direction, in their order: images, and what the classifier says.
  ///
  /// **Throws** `invalid_argument` when the finding lists no such example, has no direction, or a shift is not finite.
  /// **Cost**: one image per shift, as few as a batch. Example: `for (const DirectionFrame& frame :
  /// renderer.frames(report, report.findings[0], {.shifts = {0, 1, 2}}))
  /// ...`
  [[nodiscard]] std::vector<DirectionFrame> frames(const FailureReport& report, const Finding& finding,
                                                   const FrameOptions& options = {}) const {
    check_generator("DirectionRenderer::frames", report);
    const detail::RenderBackend backend = detail::make_render_backend(*generator_, *classifier_, report, options_);
    return detail::frames_along(backend, finding, options);
  }

  /// The sheet of one finding, as `write_report` draws it: typical start latents (`examples` of the options), a row
  /// each, along the direction. `draw_sheet` makes a picture of it.
  ///
  /// **Throws** `empty_input` when the finding lists no examples or has no direction, or the options ask for none.
  /// **Cost**: at most nine images per row. Example: `write_png("blur.png", draw_sheet(renderer.sheet(report,
  /// report.findings[0])));`
  [[nodiscard]] Sheet sheet(const FailureReport& report, const Finding& finding) const {
    check_generator("DirectionRenderer::sheet", report);
    const detail::RenderBackend backend = detail::make_render_backend(*generator_, *classifier_, report, options_);
    auto sheet =
        detail::sheet_along(report, backend, options_, finding, typical_examples(finding, options_.examples), false);
    if (!sheet)
      throw Error(ErrorCode::empty_input, "DirectionRenderer::sheet",
                  finding.direction.w.empty()
                      ? "the condition \"" + finding.title +
                            "\" has no direction: it is minor, or the generator does not move it"
                      : "there is no start latent to draw: the finding \"" + finding.title + "\" lists " +
                            std::to_string(finding.examples.size()) + " examples, the options ask for " +
                            std::to_string(options_.examples));
    return std::move(*sheet);
  }

  /// Writes report.json, directions.csv, sheets/*.png, charts as SVG and PNG and, last, the self-contained
  /// report.html below `directory`, which is created if need be.
  ///
  /// Everything is drawn before anything is written; each file is written all or nothing, and when one fails the files
  /// that this call has added are removed again. Pictures that an earlier report left under the same folder are removed
  /// when this one does not have them. Same report and models, same bytes.
  /// **Throws** `cannot_write`, `not_durable`. **Cost**: about 200 images per finding and 250 more, and up to 1024 in
  /// search of failures to show.
  void write_report(const FailureReport& report, const std::filesystem::path& directory) const {
    check_generator("DirectionRenderer::write_report", report);
    const detail::RenderBackend backend = detail::make_render_backend(*generator_, *classifier_, report, options_);
    const auto sheets = detail::draw_sheets(report, backend, options_);
    report_progress(options_.progress, "writing the report", 0, 1);
    const std::vector<Sweep> sweeps = detail::make_sweeps(report, backend, options_);
    detail::write_report_files(detail::report_files(report, sheets, options_, sweeps), directory);
    report_progress(options_.progress, "writing the report", 1, 1);
  }

 private:
  void check_generator(const char* where, const FailureReport& report) const {
    if (const std::string digest = generator_->digest(); report.provenance.generator_digest != digest)
      throw Error(ErrorCode::incompatible_models, where,
                  "the report is about generator " + report.provenance.generator_digest + ", this one is " + digest +
                      "; render it with the generator that it was made with");
  }

  using Held = classify::HeldClassifier<C, typename G::image_type>;

  const G* generator_;
  std::shared_ptr<Held> classifier_;
  RenderOptions options_;
};

}  // namespace render

using render::DirectionRenderer;

}  // namespace v1
}  // namespace faultline
