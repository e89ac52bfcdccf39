// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the calls of a generator take and return where everything lies in host memory: matrices and image batches.

#include <faultline/concepts/generator_options.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/stylegan2/config.hpp>
#include <faultline/stylegan2/noise.hpp>
#include <faultline/stylegan2/synthesis_edits.hpp>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {

/// The array types of `Generator<Backend>` for backends on host memory, and its calls on them: checks of shapes,
/// truncation, and the way to and from the host, which is none.
struct HostArrays {
  using latent_type = Matrix<float>;             ///< `[N, z_dim]`, `[N, w_dim]`, `[N, num_ws · w_dim]`
  using style_type = Matrix<float>;              ///< `[N, D]`
  using label_type = std::vector<std::int64_t>;  ///< `[N]`, empty when unconditional
  using image_type = ImageBatch;                 ///< `[N, C, R, R]`
  using edits_type = SynthesisEdits;

  template <class Call>
  static decltype(auto) call(const char*, Call&& body) {
    return std::forward<Call>(body)();
  }

  template <class Backend>
  static Matrix<float> map(const char* where, const Backend& backend, const Matrix<float>& z,
                           const std::vector<std::int64_t>& labels, const MapOptions& options) {
    const GeneratorConfig& config = backend.model().config;
    require_columns(where, "z", z, {config.z_dim});
    const std::size_t wanted = config.c_dim > 0 ? static_cast<std::size_t>(z.rows()) : 0;
    if (labels.size() != wanted)
      throw Error(ErrorCode::shape_mismatch, where,
                  (wanted == 0 ? std::string("expected no labels (the generator is unconditional)")
                               : "expected one label per row, " + std::to_string(wanted)) +
                      ", got " + std::to_string(labels.size()));
    check_labels(where, config, labels);
    Matrix<float> w = backend.mapping(z, labels);
    if (options.truncation == 1.0 && !options.cutoff) return w;
    const float* average = backend.model().weights["mapping.w_avg"].data();
    Matrix<float> truncated = w;
    if (options.truncation != 1.0)
      for (std::int64_t i = 0; i < w.rows(); ++i)
        for (std::int64_t k = 0; k < config.w_dim; ++k)
          truncated(i, k) = (w(i, k) - average[k]) * static_cast<float>(options.truncation) + average[k];
    if (!options.cutoff) return truncated;
    Matrix<float> slots(w.rows(), config.num_ws() * config.w_dim);
    for (std::int64_t i = 0; i < w.rows(); ++i)
      for (std::int64_t slot = 0; slot < config.num_ws(); ++slot)
        std::ranges::copy((slot < *options.cutoff ? truncated : w).row_span(i),
                          slots.row_span(i).begin() + slot * config.w_dim);
    return slots;
  }

  template <class Backend>
  static Matrix<float> styles(const char* where, const Backend& backend, const Matrix<float>& w) {
    const GeneratorConfig& config = backend.model().config;
    require_columns(where, "w", w, {config.w_dim, config.num_ws() * config.w_dim});
    return backend.styles(w);
  }

  static void require_styles(const char* where, const StyleLayout& layout, const Matrix<float>& s) {
    require_columns(where, "styles", s, {layout.dimension()});
  }
  [[nodiscard]] static std::int64_t rows(const Matrix<float>& s) noexcept { return s.rows(); }

  [[nodiscard]] static Matrix<float> shift(const Matrix<float>& s, std::span<const std::int64_t> channels,
                                           const Matrix<float>& shifts) {
    Matrix<float> shifted = s;
    for (std::int64_t i = 0; i < shifts.rows(); ++i)
      for (std::size_t j = 0; j < channels.size(); ++j)
        shifted(i, channels[j]) += shifts(i, static_cast<std::int64_t>(j));
    return shifted;
  }

  template <class Backend>
  static ImageBatch synthesize(const Backend& backend, const Matrix<float>& s, const SynthesisOptions& options) {
    return backend.synthesis(s, noise_images(backend.model().config, backend.model().weights, s.rows(), options));
  }

  template <class Backend>
  static Matrix<float> pullback(const Backend& backend, const Matrix<float>& s, const ImageBatch& image_gradient) {
    return backend.pullback(s, noise_images(backend.model().config, backend.model().weights, s.rows(), {}),
                            image_gradient);
  }

  template <class Backend>
  static SynthesisEdits begin_edits(const Backend& backend, const Matrix<float>& s) {
    return backend.begin_edits(s);
  }

  template <class Backend>
  static Matrix<float> from_rows(const Backend&, const Matrix<float>& rows) {
    return rows;
  }
  static std::vector<std::int64_t> from_labels(std::span<const std::int64_t> labels) {
    return {labels.begin(), labels.end()};
  }
  static Matrix<float> to_rows(const Matrix<float>& rows) { return rows; }
  static ImageBatch to_images(const ImageShape&, const ImageBatch& images) { return images; }
  /// `[1, w_dim]`
  static Matrix<float> from_vector(const std::vector<float>& values) {
    Matrix<float> row(1, static_cast<std::int64_t>(values.size()));
    std::copy(values.begin(), values.end(), row.data());
    return row;
  }

  /// Throws label_out_of_range.
  static void check_labels(const char* where, const GeneratorConfig& config, std::span<const std::int64_t> labels) {
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (labels[i] < 0 || labels[i] >= config.c_dim)
        throw Error(ErrorCode::label_out_of_range, where,
                    "label " + std::to_string(labels[i]) + " of row " + std::to_string(i) + " is not in [0, " +
                        std::to_string(config.c_dim) + ")");
  }

 private:
  static void require_columns(const char* where, const char* what, const Matrix<float>& rows,
                              std::initializer_list<std::int64_t> allowed) {
    if (std::find(allowed.begin(), allowed.end(), rows.cols()) == allowed.end()) {
      std::string columns;
      for (const std::int64_t count : allowed) columns += (columns.empty() ? "" : " or ") + std::to_string(count);
      throw Error(ErrorCode::shape_mismatch, where,
                  std::string("expected ") + what + " of " + columns + " columns, got [" + std::to_string(rows.rows()) +
                      ", " + std::to_string(rows.cols()) + "]");
    }
    if (rows.rows() == 0) throw Error(ErrorCode::empty_input, where, "expected at least one row, got none");
  }
};

}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
