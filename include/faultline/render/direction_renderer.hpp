// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// DirectionRenderer: a report as files that people look at.

#include <faultline/render/detail/report_files.hpp>
#include <faultline/render/detail/sample_studio.hpp>
#include <faultline/render/render_options.hpp>

#include <filesystem>
#include <string>
#include <utility>

namespace faultline {
inline namespace v1 {

/// Draws the sheets of a report with the models it is about, which are borrowed, and writes everything into a folder.
///
/// Start codes are re-created from the report's provenance (its sampler options, whole), so a report needs no stored
/// images.
/// **Throws** `invalid_argument` for options out of range, `incompatible_models` when generator and classifier do not
/// fit together.
/// Example: `DirectionRenderer(generator, mine).write_report(report, "out/");`
template <StyleGenerator G, Classifier C>
class DirectionRenderer {
 public:
  DirectionRenderer(const G& generator, C& classifier, RenderOptions options = {})
      : generator_(&generator), classifier_(&classifier), options_(std::move(options)) {
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

  /// Writes report.json, directions.csv, sheets/*.png, charts/*.svg and, last, the self-contained report.html below
  /// `directory`, which is created if need be.
  ///
  /// Everything is drawn before anything is written; each file is written all or nothing, and when one fails the files
  /// that this call has added are removed again. Pictures that an earlier report left under the same folder are removed
  /// when this one does not have them. Same report and models, same bytes.
  /// **Throws** `incompatible_models` when the report is of another generator (by digest) or its examples do not follow
  /// from its seed; `shape_mismatch` when its directions do not fit; `cannot_write`, `not_durable`; F2xx when the
  /// classifier misbehaves.
  /// **Cost**: about 100 images per finding and 250 more, and up to 1024 in search of failures to show.
  void write_report(const FailureReport& report, const std::filesystem::path& directory) const {
    if (const std::string digest = generator_->digest(); report.provenance.generator_digest != digest)
      throw Error(ErrorCode::incompatible_models, "DirectionRenderer::write_report",
                  "the report is about generator " + report.provenance.generator_digest + ", this one is " + digest +
                      "; render it with the generator that it was made with");
    detail::render::SampleStudio<G, C> studio(*generator_, *classifier_, report, options_);
    const auto sheets = detail::render::draw_sheets(report, studio.studio(), options_);
    report_progress(options_.progress, "writing the report", 0, 1);
    detail::render::write_report_files(detail::render::report_files(report, sheets, options_), directory);
    report_progress(options_.progress, "writing the report", 1, 1);
  }

 private:
  const G* generator_;
  C* classifier_;
  RenderOptions options_;
};

}  // namespace v1
}  // namespace faultline
