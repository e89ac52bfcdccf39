// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Mapping network and affine layers for CpuBackend: their gains folded into packed matrices, every row computed alone,
// so that w and s do not depend on the batch.

#include <faultline/core/matrix.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/stylegan2/detail/cpu_weights.hpp>

#include <span>

namespace faultline {
inline namespace v1 {
namespace stylegan2::detail::cpu {

/// A fully connected layer with equalised learning rate, x (V · m/√in)ᵀ + v · m, optionally with √2 · lrelu behind it.
class Linear {
 public:
  Linear(const Kernels& kernels, const WeightArray& weight, const WeightArray& bias, double multiplier, bool leaky)
      : outs_(weight.size(0)), leaky_(leaky) {
    const std::int64_t ins = weight.size(1);
    const double gain = multiplier / std::sqrt(static_cast<double>(ins));
    const float* const w = weight.data();
    product_ = Product(kernels, outs_, ins, [&](std::ptrdiff_t o, std::ptrdiff_t i) {
      return static_cast<float>(static_cast<double>(w[o * ins + i]) * gain);
    });
    for (const float value : bias.values) bias_.push_back(static_cast<float>(static_cast<double>(value) * multiplier));
  }

  [[nodiscard]] std::ptrdiff_t in() const noexcept { return product_.in(); }  ///< padded
  [[nodiscard]] std::ptrdiff_t outs() const noexcept { return outs_; }

  /// x `[rows][in()]`, zero beyond the inputs -> out, rows `out_step` apart, `outs()` columns of each.
  void operator()(const Buffer<float>& x, std::ptrdiff_t rows, float* out, std::ptrdiff_t out_step) const {
    Buffer<float> raw(static_cast<std::size_t>(rows * product_.out()));
    product_(x.data(), product_.in(), rows, raw.data(), product_.out());
    for (std::ptrdiff_t r = 0; r < rows; ++r)
      for (std::ptrdiff_t o = 0; o < outs_; ++o) {
        const float value = raw.data()[r * product_.out() + o] + bias_[static_cast<std::size_t>(o)];
        out[r * out_step + o] = leaky_ ? (value > 0.0f ? value : value * static_cast<float>(leaky_slope)) *
                                             static_cast<float>(std::numbers::sqrt2)
                                       : value;
      }
  }

 private:
  Product product_;
  std::vector<float> bias_;
  std::ptrdiff_t outs_;
  bool leaky_;
};

/// x · (mean x² + 1e-8)^(-1/2) of `count` values, in place.
inline void normalize_row(float* row, std::ptrdiff_t count) {
  double sum = 0.0;
  for (std::ptrdiff_t i = 0; i < count; ++i) sum += static_cast<double>(row[i]) * static_cast<double>(row[i]);
  const double scale = 1.0 / std::sqrt(sum / static_cast<double>(count) + normalization_epsilon);
  for (std::ptrdiff_t i = 0; i < count; ++i) row[i] = static_cast<float>(static_cast<double>(row[i]) * scale);
}

/// Everything before the synthesis network.
class Mapping {
 public:
  Mapping(const Kernels& kernels, const GeneratorConfig& config, const Weights& weights) : config_(config) {
    if (config.c_dim > 0)
      embedding_.emplace_back(kernels, weights["mapping.embed.weight"], weights["mapping.embed.bias"], 1.0, false);
    for (std::int64_t i = 0; i < config.mapping_layers; ++i) {
      const std::string name = "mapping.fc" + std::to_string(i);
      trunk_.emplace_back(kernels, weights[name + ".weight"], weights[name + ".bias"], config.mapping_lr_multiplier,
                          true);
    }
    for (const SynthesisLayer& layer : synthesis_layers(config)) {
      const std::string name = "synthesis." + layer.name + ".affine";
      affine_.emplace_back(kernels, weights[name + ".weight"], weights[name + ".bias"], 1.0, false);
      slots_.push_back(layer.slot);
      dimension_ += layer.in;
    }
  }

  /// z `[N, z_dim]`, one label per row (none when unconditional) -> w `[N, w_dim]`.
  [[nodiscard]] Matrix<float> map(const Matrix<float>& z, std::span<const std::int64_t> labels) const {
    const std::int64_t count = z.rows();
    const std::ptrdiff_t embedded = embedding_.empty() ? 0 : embedding_.front().outs(),
                         width = config_.z_dim + embedded;
    const std::ptrdiff_t last = trunk_.empty() ? width : trunk_.back().outs();
    Matrix<float> w(count, last);
    each_rows(count, [&](std::ptrdiff_t first, std::ptrdiff_t rows) {
      Buffer<float> h(static_cast<std::size_t>(rows * padded(width)));
      const std::ptrdiff_t step = padded(width);
      if (!embedding_.empty()) {
        const Linear& embedding = embedding_.front();
        Buffer<float> one_hot(static_cast<std::size_t>(rows * embedding.in()));
        for (std::ptrdiff_t r = 0; r < rows; ++r)
          one_hot.data()[r * embedding.in() + labels[static_cast<std::size_t>(first + r)]] = 1.0f;
        embedding(one_hot, rows, h.data() + config_.z_dim, step);
      }
      for (std::ptrdiff_t r = 0; r < rows; ++r) {
        if (config_.z_dim > 0) {
          std::copy_n(z.data() + (first + r) * config_.z_dim, config_.z_dim, h.data() + r * step);
          normalize_row(h.data() + r * step, config_.z_dim);
        }
        if (embedded > 0) normalize_row(h.data() + r * step + config_.z_dim, embedded);
      }
      std::ptrdiff_t columns = width;
      for (const Linear& layer : trunk_) {
        Buffer<float> next(static_cast<std::size_t>(rows * padded(layer.outs())));
        layer(h, rows, next.data(), padded(layer.outs()));
        h = std::move(next);
        columns = layer.outs();
      }
      for (std::ptrdiff_t r = 0; r < rows; ++r)
        std::copy_n(h.data() + r * padded(columns), columns, w.data() + (first + r) * last);
    });
    return w;
  }

  /// w `[N, w_dim]`, or one for each slot in a row, `[N, num_ws · w_dim]` -> styles `[N, D]`.
  [[nodiscard]] Matrix<float> styles(const Matrix<float>& w) const {
    const bool layered = w.cols() != config_.w_dim;
    const std::ptrdiff_t step = w.cols();
    Matrix<float> s(w.rows(), dimension_);
    each_rows(w.rows(), [&](std::ptrdiff_t first, std::ptrdiff_t rows) {
      Buffer<float> x;
      std::int64_t held = -1;
      std::ptrdiff_t offset = 0;
      for (std::size_t l = 0; l < affine_.size(); ++l) {
        const std::int64_t slot = layered ? slots_[l] : 0;
        if (slot != held)
          x = padded_rows(w.data() + first * step + slot * config_.w_dim, rows, step, config_.w_dim, affine_[l].in());
        held = slot;
        affine_[l](x, rows, s.data() + first * dimension_ + offset, dimension_);
        offset += affine_[l].outs();
      }
    });
    return s;
  }

 private:
  template <class Task>
  static void each_rows(std::int64_t count, const Task& task) {
    constexpr std::int64_t chunk = 32;
    parallel_for_blocks(count, chunk, 0, [&](std::int64_t first, std::int64_t last) { task(first, last - first); });
  }

  GeneratorConfig config_;
  std::vector<Linear> embedding_, trunk_, affine_;
  std::vector<std::int64_t> slots_;
  std::ptrdiff_t dimension_ = 0;
};

}  // namespace stylegan2::detail::cpu
}  // namespace v1
}  // namespace faultline
