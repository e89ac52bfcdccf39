// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a session of single-channel edits holds of its start latents, and how an edit is made from it.

#include <faultline/concepts/style_edits.hpp>
#include <faultline/stylegan2/detail/cpu_engine.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2::detail {

/// Start latents, their pass through the network, and edits of them (see `SynthesisEdits` for the formula).
class EditPasses {
 public:
  EditPasses(std::shared_ptr<CpuEngine> engine, const Matrix<float>& s)
      : engine_(std::move(engine)),
        s_(s),
        layers_(synthesis_layers(engine_->model.config)),
        noise_(noise_images(engine_->model.config, engine_->model.weights, s.rows(), SynthesisOptions{})),
        kept_(cpu::KeptPass::whole(weights(), s.rows())),
        start_(s.rows(), {weights().convolutions.back().colours, weights().convolutions.back().side,
                          weights().convolutions.back().side}) {
    const std::int64_t pixels = start_.shape().elements();
    cpu::for_each_group(
        weights(), engine_->synthesis->pool, s_.rows(), noise_,
        [&](cpu::GroupRun& group, std::ptrdiff_t first) {
          group(s_.data() + first * s_.cols(), s_.cols(), start_.data() + first * pixels);
        },
        &kept_);
    whole_ = static_cast<double>(synthesis_macs(engine_->model.config));
    double rest = whole_;
    std::size_t convolution = 0;
    for (std::size_t index = 0; index < layers_.size(); ++index) {
      rest -= static_cast<double>(layer_macs(layers_[index]));
      held_.push_back(hold(index, convolution, rest));
      if (layers_[index].kind != SynthesisLayer::Kind::to_rgb) ++convolution;
    }
    cost_.passes = static_cast<double>(s_.rows());
  }

  [[nodiscard]] ImageBatch images(std::span<const StyleEdit> edits) {
    faultline::detail::check_edits("SynthesisEdits", edits, s_.rows(), layout().dimension());
    cost_.images += static_cast<std::int64_t>(edits.size());
    ++cost_.calls;
    ImageBatch images(static_cast<std::int64_t>(edits.size()), start_.shape());
    std::vector<std::vector<std::int64_t>> places(layers_.size());
    for (std::size_t i = 0; i < edits.size(); ++i)
      places[static_cast<std::size_t>(layout().locate(edits[i].channel).layer)].push_back(static_cast<std::int64_t>(i));
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
      if (places[layer].empty()) continue;
      if (layers_[layer].kind == SynthesisLayer::Kind::to_rgb) edit_colours(layer, edits, places[layer], images);
      else edit_convolution(layer, edits, places[layer], images);
    }
    return images;
  }

  [[nodiscard]] const ImageBatch& start_images() const noexcept { return start_; }
  [[nodiscard]] const EditCost& cost() const noexcept { return cost_; }
  [[nodiscard]] double passes_of(std::int64_t channel) const {
    const Held& held = held_[static_cast<std::size_t>(layout().locate(channel).layer)];
    return std::min(1.0, (held.update + held.rest) / whole_);
  }
  [[nodiscard]] const StyleLayout& layout() const noexcept { return engine_->layout; }

 private:
  /// What is known of one layer beside the pass.
  struct Held {
    std::size_t convolution = 0;  ///< its number, or, for a ToRGB, that of the convolution before it
    std::vector<double> norms;    ///< `[N][out]`, Σ_i s_i² Wsq
    std::vector<double> squares;  ///< `[in][out]`, Wsq
    double update = 0.0;          ///< multiplications of one single-channel update
    double rest = 0.0;            ///< multiplications of all later layers
  };

  [[nodiscard]] const cpu::SynthesisWeights& weights() const noexcept { return engine_->synthesis->weights; }
  [[nodiscard]] const float* array(std::size_t layer, const char* part) const {
    return engine_->model.weights["synthesis." + layers_[layer].name + "." + part].data();
  }

  [[nodiscard]] Held hold(std::size_t index, std::size_t convolution, double rest) const {
    const SynthesisLayer& layer = layers_[index];
    Held held;
    held.rest = rest;
    if (layer.kind == SynthesisLayer::Kind::to_rgb) {
      held.convolution = convolution - 1;
      held.rest = 0.0;
      held.update = static_cast<double>(layer.out * layer.resolution * layer.resolution);
      for (std::int64_t side = 2 * layer.resolution; side <= engine_->model.config.img_resolution; side *= 2)
        held.update += 3.0 * static_cast<double>(layer.out * side * side);
      return held;
    }
    held.convolution = convolution;
    const bool up = layer.kind == SynthesisLayer::Kind::upsampling_conv;
    const std::int64_t side_in = up ? layer.resolution / 2 : layer.resolution;
    held.update = (up ? 36.0 : 9.0) * static_cast<double>(layer.out * side_in * side_in);
    const float* const w = array(index, "weight");
    held.squares.resize(static_cast<std::size_t>(layer.in * layer.out));
    for (std::int64_t o = 0; o < layer.out; ++o)
      for (std::int64_t i = 0; i < layer.in; ++i) {
        double sum = 0.0;
        for (std::int64_t k = 0; k < 9; ++k) {
          const auto value = static_cast<double>(w[(o * layer.in + i) * 9 + k]);
          sum += value * value;
        }
        held.squares[static_cast<std::size_t>(i * layer.out + o)] = sum;
      }
    held.norms.resize(static_cast<std::size_t>(s_.rows() * layer.out));
    for (std::int64_t n = 0; n < s_.rows(); ++n)  // |demodulated weight|² = Σ s_i² |w_i|²
      for (std::int64_t i = 0; i < layer.in; ++i) {
        const auto style = static_cast<double>(s_(n, layout().layers()[index].offset + i));
        for (std::int64_t o = 0; o < layer.out; ++o)
          held.norms[static_cast<std::size_t>(n * layer.out + o)] +=
              style * style * held.squares[static_cast<std::size_t>(i * layer.out + o)];
      }
    return held;
  }

  /// Channel c of what a layer takes, of one start latent, `[side²]`.
  [[nodiscard]] std::vector<float> input_channel(std::size_t layer, std::int64_t row, std::int64_t channel) const {
    const std::size_t source = held_[layer].convolution;
    if (layers_[layer].kind != SynthesisLayer::Kind::to_rgb && source == 0) {  // the learned constant
      const float* const constant = engine_->model.weights["synthesis.b4.const"].data();
      return {constant + channel * 16, constant + (channel + 1) * 16};
    }
    const std::size_t from = layers_[layer].kind == SynthesisLayer::Kind::to_rgb ? source : source - 1;
    const cpu::Convolution& conv = weights().convolutions[from];
    const std::ptrdiff_t plane = conv.side * conv.side;
    std::vector<float> x(static_cast<std::size_t>(plane));
    const float* const y = kept_.y[from].data() + row * plane * conv.out + channel;
    for (std::ptrdiff_t p = 0; p < plane; ++p) x[static_cast<std::size_t>(p)] = y[p * conv.out];
    return x;
  }

  /// The response of a convolution to channel c of one start latent alone, in the units of the kept responses,
  /// `[side²][out]`.
  ///
  /// An upsampling convolution equals four 3x3 correlations at the low resolution, one for each position of an output
  /// pixel within its input pixel: K_pq = A_p W A_qᵀ, where A_p composes zero insertion and one axis of the filter [1,
  /// 3, 3, 1] / 4.
  [[nodiscard]] cpu::Buffer<float> single_response(std::size_t layer, std::int64_t row, std::int64_t channel) const {
    constexpr double compose[2][3][3] = {{{0.0, 0.25, 0.75}, {0.75, 0.75, 0.25}, {0.25, 0.0, 0.0}},
                                         {{0.0, 0.0, 0.25}, {0.25, 0.75, 0.75}, {0.75, 0.25, 0.0}}};
    const cpu::Convolution& conv = weights().convolutions[held_[layer].convolution];
    const float* const w = array(layer, "weight");
    const std::int64_t in = layers_[layer].in;
    const std::ptrdiff_t side = conv.side_in, pixels = side * side;
    const std::vector<float> x = input_channel(layer, row, channel);
    // The neighbourhoods of all pixels, nine taps each, zeros outside.
    cpu::Buffer<float> taps(static_cast<std::size_t>(pixels * kernels::group));
    for (std::ptrdiff_t p = 0; p < pixels; ++p)
      for (std::ptrdiff_t k = 0; k < 9; ++k) {
        const std::ptrdiff_t r = p / side + k / 3 - 1, c = p % side + k % 3 - 1;
        if (r >= 0 && r < side && c >= 0 && c < side)
          taps.data()[p * kernels::group + k] = x[static_cast<std::size_t>(r * side + c)];
      }
    cpu::Buffer<float> response(static_cast<std::size_t>(conv.side * conv.side * conv.out));
    for (std::ptrdiff_t phase = 0; phase < (conv.up ? 4 : 1); ++phase) {
      const cpu::Product product(*weights().kernels, conv.outs, 9, [&](std::ptrdiff_t o, std::ptrdiff_t k) {
        const float* const kernel = w + (o * in + channel) * 9;
        if (!conv.up) return kernel[k];
        double sum = 0.0;
        for (std::ptrdiff_t t = 0; t < 9; ++t)
          sum += compose[phase / 2][k / 3][t / 3] * compose[phase % 2][k % 3][t % 3] * static_cast<double>(kernel[t]);
        return static_cast<float>(16.0 * sum);  // (kept responses are filtered by [1, 3, 3, 1] without its 1/4)
      });
      if (!conv.up) {
        product(taps.data(), kernels::group, pixels, response.data(), conv.out);
        continue;
      }
      for (std::ptrdiff_t r = 0; r < side; ++r)
        product(taps.data() + r * side * kernels::group, kernels::group, side,
                response.data() + ((2 * r + phase / 2) * conv.side + phase % 2) * conv.out, 2 * conv.out);
    }
    return response;
  }

  void edit_convolution(std::size_t layer, std::span<const StyleEdit> edits, const std::vector<std::int64_t>& places,
                        ImageBatch& images) {
    const Held& held = held_[layer];
    const cpu::Convolution& conv = weights().convolutions[held.convolution];
    const std::int64_t offset = layout().layers()[layer].offset, out = layers_[layer].out;
    const std::ptrdiff_t plane = conv.side * conv.side, elements = plane * conv.out;
    const auto count = static_cast<std::int64_t>(places.size());
    const auto edit_of = [&](std::int64_t i) -> const StyleEdit& {
      return edits[static_cast<std::size_t>(places[static_cast<std::size_t>(i)])];
    };
    // Edits of one channel of one latent that follow each other share its response.
    std::vector<std::int64_t> sources, starts;
    for (std::int64_t i = 0; i < count; ++i) {
      const bool same = i > 0 && edit_of(i).row == edit_of(i - 1).row && edit_of(i).channel == edit_of(i - 1).channel;
      if (!same) starts.push_back(i);
      sources.push_back(static_cast<std::int64_t>(starts.size()) - 1);
    }
    cost_.passes +=
        (static_cast<double>(starts.size()) * held.update + static_cast<double>(count) * held.rest) / whole_;

    const bool colours_next = conv.colours > 0;
    const std::ptrdiff_t colours = start_.shape().channels;
    constexpr std::int64_t most = 64;  // edits whose activations are held at a time
    for (std::int64_t first = 0; first < count; first += most) {
      const std::int64_t rows = std::min(most, count - first);
      const std::int64_t first_source = sources[static_cast<std::size_t>(first)],
                         last_source = sources[static_cast<std::size_t>(first + rows - 1)];
      std::vector<cpu::Buffer<float>> responses(static_cast<std::size_t>(last_source - first_source + 1));
      parallel_for(static_cast<std::int64_t>(responses.size()), 0, [&](std::int64_t j) {
        const StyleEdit& edit = edit_of(starts[static_cast<std::size_t>(first_source + j)]);
        responses[static_cast<std::size_t>(j)] = single_response(layer, edit.row, edit.channel - offset);
      });
      cpu::Buffer<float> x(static_cast<std::size_t>(rows * elements));
      Matrix<float> styles(rows, s_.cols());
      const std::ptrdiff_t painted_side = conv.side / 2,
                           painted = held.convolution > 0 ? painted_side * painted_side : 0;
      std::vector<float> image(static_cast<std::size_t>(rows * colours * painted));
      parallel_for(rows, 0, [&](std::int64_t i) {
        const StyleEdit& edit = edit_of(first + i);
        styles.row(i) = s_.row(edit.row);
        const auto shift = static_cast<double>(edit.shift);
        const auto style = static_cast<double>(s_(edit.row, edit.channel));
        cpu::Buffer<float> demodulation(static_cast<std::size_t>(conv.out));
        for (std::int64_t o = 0; o < out; ++o) {
          const double norm = held.norms[static_cast<std::size_t>(edit.row * out + o)] +
                              (2.0 * style * shift + shift * shift) *
                                  held.squares[static_cast<std::size_t>((edit.channel - offset) * out + o)];
          demodulation.data()[o] = static_cast<float>(static_cast<double>(conv.gain) /
                                                      std::sqrt(std::max(norm, 0.0) + normalization_epsilon));
        }
        const float* const update =
            responses[static_cast<std::size_t>(sources[static_cast<std::size_t>(first + i)] - first_source)].data();
        const float* const raw = kept_.raw[held.convolution].data() + edit.row * elements;
        cpu::Buffer<float> edited(static_cast<std::size_t>(elements));
        for (std::ptrdiff_t p = 0; p < elements; ++p) edited.data()[p] = raw[p] + edit.shift * update[p];
        cpu::EpilogueRow row{};
        row.width = conv.out;
        row.pixels = conv.side;
        row.demodulation = demodulation.data();
        row.bias = conv.bias.data();
        row.noise_gain = conv.noise_gain;
        row.clamp = weights().clamp;
        row.out_step = conv.out;
        for (std::ptrdiff_t y = 0; y < conv.side; ++y) {
          row.u = edited.data() + y * conv.side * conv.out;
          row.noise = noise_.row(held.convolution, edit.row, y * conv.side);
          row.kept = x.data() + i * elements + y * conv.side * conv.out;
          weights().kernels->finish(row);
        }
        if (painted > 0)
          std::copy_n(kept_.images[(held.convolution - 1) / 2].data() + edit.row * colours * painted, colours * painted,
                      image.data() + i * colours * painted);
      });
      ImageBatch part(rows, start_.shape());
      const std::int64_t pixels = part.shape().elements();
      cpu::for_each_group(
          weights(), engine_->synthesis->pool, rows, noise_, [&](cpu::GroupRun& group, std::ptrdiff_t begin) {
            group.resume(styles.data() + begin * styles.cols(), styles.cols(), held.convolution + 1, colours_next,
                         x.data() + begin * elements, painted > 0 ? image.data() + begin * colours * painted : nullptr,
                         part.data() + begin * pixels);
          });
      for (std::int64_t i = 0; i < rows; ++i)
        std::copy_n(part.image(i).data(), pixels, images.image(places[static_cast<std::size_t>(first + i)]).data());
    }
  }

  void edit_colours(std::size_t layer, std::span<const StyleEdit> edits, const std::vector<std::int64_t>& places,
                    ImageBatch& images) {
    const Held& held = held_[layer];
    const std::int64_t offset = layout().layers()[layer].offset, in = layers_[layer].in;
    const float* const w = array(layer, "weight");
    const std::ptrdiff_t colours = start_.shape().channels, side = layers_[layer].resolution, plane = side * side;
    const float clamp = weights().clamp;
    const std::vector<cpu::Buffer<float>>& before = kept_.colours;
    cost_.passes += static_cast<double>(places.size()) * held.update / whole_;
    parallel_for(static_cast<std::int64_t>(places.size()), 0, [&](std::int64_t j) {
      const std::int64_t place = places[static_cast<std::size_t>(j)];
      const StyleEdit& edit = edits[static_cast<std::size_t>(place)];
      const std::int64_t channel = edit.channel - offset;
      const std::vector<float> x = input_channel(layer, edit.row, channel);
      const std::span<float> image = images.image(place);
      const std::span<const float> start = std::as_const(start_).image(edit.row);
      for (std::ptrdiff_t k = 0; k < colours; ++k) {
        const auto weight = static_cast<float>(static_cast<double>(w[k * in + channel]) /
                                               std::sqrt(static_cast<double>(in)) * static_cast<double>(edit.shift));
        const float* const sum = before[held.convolution / 2].data() + (edit.row * colours + k) * plane;
        std::vector<float> difference(static_cast<std::size_t>(plane)), wider, line;
        for (std::ptrdiff_t p = 0; p < plane; ++p) {
          const float added = weight * x[static_cast<std::size_t>(p)];
          difference[static_cast<std::size_t>(p)] =
              std::isinf(clamp) ? added : std::clamp(sum[p] + added, -clamp, clamp) - std::clamp(sum[p], -clamp, clamp);
        }
        for (std::ptrdiff_t n = side; n < start_.shape().width; n *= 2) {
          wider.resize(difference.size() * 4);
          cpu::upsample_plane(difference.data(), n, wider.data(), line);
          std::swap(difference, wider);
        }
        const auto first = static_cast<std::size_t>(k) * difference.size();
        for (std::size_t p = 0; p < difference.size(); ++p) image[first + p] = start[first + p] + difference[p];
      }
    });
  }

  std::shared_ptr<CpuEngine> engine_;
  Matrix<float> s_;
  std::vector<SynthesisLayer> layers_;
  NoiseImages noise_;
  cpu::KeptPass kept_;
  ImageBatch start_;
  std::vector<Held> held_;
  double whole_ = 1.0;  ///< multiplications of one synthesis
  EditCost cost_;
};

}  // namespace stylegan2::detail
}  // namespace v1
}  // namespace faultline
