// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The truncation trick applied to untruncated latents on the host, layer by layer.

#include <faultline/concepts/style_generator.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

/// s of layer l = styles(w_avg + psi_l (w - w_avg)), psi_l being ψ or, behind the cutoff, 1.
///
/// Both the centre w_avg and which style layers the cutoff spares are asked of the generator itself: ψ = 0 maps
/// everything to w_avg, and a layer is truncated when its styles change with ψ. So no generator has to state them, and
/// the mixed layers of ToRGB cannot be got wrong.
class Truncation {
 public:
  template <StyleGenerator G>
  Truncation(const G& generator, double psi, std::optional<std::int64_t> cutoff)
      : strength_(psi), psi_(static_cast<std::size_t>(generator.layout().dimension()), psi) {
    Matrix<float> z(1, generator.latent_dim(), 1.0f);
    const std::vector<std::int64_t> label(generator.num_classes() == 0 ? 0 : 1, 0);
    const auto device_z = generator.latent_from_host(z);
    const auto device_label = generator.label_from_host(label);
    average_ = generator.latent_to_host(generator.map(device_z, device_label, MapOptions{.truncation = 0.0}));
    if (average_.rows() != 1 || average_.cols() != generator.w_dim())
      throw Error(ErrorCode::shape_mismatch, "StyleSpaceSampler",
                  "map(z, labels) without a cutoff must return one w of w_dim values per z");
    if (!cutoff) return;
    const auto with = [&](std::optional<std::int64_t> layers) {
      return generator.style_to_host(
          generator.styles(generator.map(device_z, device_label, MapOptions{.truncation = 0.0, .cutoff = layers})));
    };
    const Matrix<float> some = with(cutoff);
    const Matrix<float> all = with(std::nullopt);
    const Matrix<float> none =
        generator.style_to_host(generator.styles(generator.map(device_z, device_label, MapOptions{})));
    for (const StyleLayer& layer : generator.layout().layers()) {
      double to_all = 0.0;
      double to_none = 0.0;
      for (std::int64_t k = layer.offset; k < layer.offset + layer.width; ++k) {
        to_all += std::abs(static_cast<double>(some(0, k)) - static_cast<double>(all(0, k)));
        to_none += std::abs(static_cast<double>(some(0, k)) - static_cast<double>(none(0, k)));
      }
      if (to_none < to_all) std::fill_n(psi_.begin() + layer.offset, layer.width, 1.0);
    }
    spares_layers_ = true;
  }

  /// Factor of style channel k.
  [[nodiscard]] double psi(std::int64_t flat) const noexcept { return psi_[static_cast<std::size_t>(flat)]; }
  /// w_avg, `[1, w_dim]`.
  [[nodiscard]] const Matrix<float>& average() const noexcept { return average_; }

  /// Styles of untruncated host latents `[N, w_dim]`.
  template <StyleGenerator G>
  [[nodiscard]] typename G::style_type styles(const G& generator, const Matrix<float>& w) const {
    Matrix<float> truncated(w.rows(), w.cols());
    for (std::int64_t i = 0; i < w.rows(); ++i) {
      for (std::int64_t j = 0; j < w.cols(); ++j) {
        const double mean = static_cast<double>(average_(0, j));
        truncated(i, j) = static_cast<float>(mean + strength_ * (static_cast<double>(w(i, j)) - mean));
      }
    }
    auto s = generator.styles(generator.latent_from_host(truncated));
    if (!spares_layers_) return s;
    Matrix<float> mixed = generator.style_to_host(s);
    const Matrix<float> whole = generator.style_to_host(generator.styles(generator.latent_from_host(w)));
    for (std::int64_t i = 0; i < mixed.rows(); ++i)
      for (std::int64_t k = 0; k < mixed.cols(); ++k)
        if (psi_[static_cast<std::size_t>(k)] == 1.0) mixed(i, k) = whole(i, k);
    return generator.style_from_host(mixed);
  }

 private:
  double strength_;
  std::vector<double> psi_;
  Matrix<float> average_;
  bool spares_layers_ = false;
};

}  // namespace detail
}  // namespace v1
}  // namespace faultline
