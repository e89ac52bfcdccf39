// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Runs packed synthesis weights: layer by layer for a group of images whose activations stay in the cache, one pass of
// arithmetic and one of everything else per layer.

#include <faultline/core/parallel_for.hpp>
#include <faultline/stylegan2/detail/cpu_weights.hpp>
#include <faultline/stylegan2/noise.hpp>

#include <cstring>
#include <memory>
#include <mutex>

namespace faultline {
inline namespace v1 {
namespace stylegan2::detail::cpu {

/// Memory for a group of images. The rings of zeros around the inputs are written once and stay.
class Workspace {
 public:
  Workspace(const SynthesisWeights& weights, std::ptrdiff_t images, std::size_t threads) : images_(images) {
    const auto floats = [&](std::ptrdiff_t per_image) {
      return Buffer<float>(static_cast<std::size_t>(images * per_image));
    };
    std::ptrdiff_t widest = 0, response = 0, row = 0, partial = 0, image = 0, tiles = 0, products = 0;
    for (const Convolution& conv : weights.convolutions) {
      styles.push_back(floats(conv.in));
      demodulation.push_back(floats(conv.out));
      rgb_weight.push_back(floats(conv.colours * conv.out));
      inputs.emplace_back(&conv == &weights.convolutions.front()
                              ? 0
                              : static_cast<std::size_t>(images * conv.input_elements()) *
                                    (weights.narrow ? sizeof(Bfloat16) : sizeof(float)));
      widest = std::max(widest, conv.in);
      response = std::max(response, conv.response_elements());
      row = std::max(row, (conv.response_side + 2) * conv.cut.tile);
      if (conv.winograd) {
        const std::ptrdiff_t count = conv.strip() * conv.side / 2;
        tiles = std::max(tiles, 16 * count * conv.in);
        products = std::max(products, 16 * count * conv.cut.tile);
        response = std::max(response, 2 * conv.side * conv.cut.tile);
      }
      partial = std::max(partial, conv.colours * conv.cut.tiles() * conv.side * conv.side);
      image = std::max(image, conv.colours * conv.side * conv.side);
    }
    squares = floats(widest);
    first_response = floats(16 * weights.convolutions.front().out);
    partial_rgb = floats(partial);
    coarse = floats(image);
    fine = floats(image);
    const auto plain = [](std::ptrdiff_t count) { return Buffer<float>(static_cast<std::size_t>(count)); };
    for (std::size_t t = 0; t < threads; ++t)
      scratch.push_back({plain(response), plain(row), plain(row), plain(tiles), plain(products)});
  }

  [[nodiscard]] std::ptrdiff_t images() const noexcept { return images_; }

  struct Scratch {
    Buffer<float> response, filtered, zeros, tiles, products;
  };
  std::vector<Buffer<float>> styles, demodulation, rgb_weight;  ///< per convolution
  /// Per convolution, with a ring of zeros; none for the first
  std::vector<Buffer<std::byte>> inputs;
  Buffer<float> squares, first_response, partial_rgb, coarse, fine;
  std::vector<Scratch> scratch;  ///< per thread

 private:
  std::ptrdiff_t images_;
};

/// Workspaces that wait for their next use, so that a small batch does not pay for fresh memory.
class WorkspacePool {
 public:
  std::unique_ptr<Workspace> take(const SynthesisWeights& weights, std::ptrdiff_t images, std::size_t threads) {
    {
      const std::lock_guard lock(mutex_);
      const auto fits = [&](const auto& space) {
        return space->images() >= images && space->scratch.size() >= threads;
      };
      if (const auto found = std::find_if(idle_.begin(), idle_.end(), fits); found != idle_.end()) {
        auto space = std::move(*found);
        idle_.erase(found);
        return space;
      }
    }
    return std::make_unique<Workspace>(weights, images, threads);
  }
  void put(std::unique_ptr<Workspace> space) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(space));
    if (idle_.size() > static_cast<std::size_t>(available_threads()) + 1) idle_.erase(idle_.begin());
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> idle_;
};

/// `[n, n]` to `[2n, 2n]`: ¼, ¾ per axis with zeros outside. `line` holds n + 2 floats.
inline void upsample_plane(const float* in, std::ptrdiff_t n, float* out, std::vector<float>& line) {
  line.assign(static_cast<std::size_t>(n + 2), 0.0f);
  for (std::ptrdiff_t y = 0; y < 2 * n; ++y) {
    const std::ptrdiff_t near = y / 2, far = y % 2 == 0 ? near - 1 : near + 1;
    const bool inside = far >= 0 && far < n;
    for (std::ptrdiff_t x = 0; x < n; ++x)
      line[static_cast<std::size_t>(x + 1)] = 0.75f * in[near * n + x] + (inside ? 0.25f * in[far * n + x] : 0.0f);
    for (std::ptrdiff_t x = 0; x < n; ++x) {
      const float* at = line.data() + x;
      out[y * 2 * n + 2 * x] = 0.25f * at[0] + 0.75f * at[1];
      out[y * 2 * n + 2 * x + 1] = 0.75f * at[1] + 0.25f * at[2];
    }
  }
}

/// What a pass leaves behind, for edits and gradients. Arrays that are empty receive nothing.
struct KeptPass {
  std::vector<Buffer<float>> y;        ///< per convolution, activations `[count][side²][out]`
  std::vector<Buffer<float>> raw;      ///< per convolution, responses before demodulation `[count][side²][out]`
  std::vector<Buffer<float>> colours;  ///< per ToRGB, before its clamp `[count][colours][side²]`
  std::vector<Buffer<float>> images;   ///< per ToRGB, the image after it `[count][colours][side²]`

  /// With room for all of it.
  static KeptPass whole(const SynthesisWeights& weights, std::ptrdiff_t count) {
    KeptPass kept = activations(weights, count);
    for (const Convolution& conv : weights.convolutions)
      kept.raw.emplace_back(static_cast<std::size_t>(count * conv.side * conv.side * conv.out));
    kept.images = kept.blank_colours(weights, count);
    return kept;
  }
  /// With room for what gradients need: activations, and the colours where they may be clamped.
  static KeptPass activations(const SynthesisWeights& weights, std::ptrdiff_t count) {
    KeptPass kept;
    for (const Convolution& conv : weights.convolutions)
      kept.y.emplace_back(static_cast<std::size_t>(count * conv.side * conv.side * conv.out));
    kept.colours = kept.blank_colours(weights, count);
    return kept;
  }

 private:
  static std::vector<Buffer<float>> blank_colours(const SynthesisWeights& weights, std::ptrdiff_t count) {
    std::vector<Buffer<float>> blank;
    for (const Convolution& conv : weights.convolutions)
      if (conv.colours > 0) blank.emplace_back(static_cast<std::size_t>(count * conv.colours * conv.side * conv.side));
    return blank;
  }
};

/// One group of images on its way through the network; `kept`, where given, receives what the pass leaves behind, from
/// its image `first_kept` on.
class GroupRun {
 public:
  GroupRun(const SynthesisWeights& weights, Workspace& space, const NoiseImages& noise, std::ptrdiff_t first_sample,
           std::ptrdiff_t count, bool parallel, KeptPass* kept = nullptr, std::ptrdiff_t first_kept = 0)
      : weights_(weights),
        space_(space),
        noise_(noise),
        first_sample_(first_sample),
        count_(count),
        parallel_(parallel),
        kept_(kept),
        first_kept_(first_kept) {}

  /// Styles of the group, rows `step` apart -> images `[count][colours][R][R]`.
  void operator()(const float* styles, std::ptrdiff_t step, float* images) {
    prepare(styles, step, 0);
    run_from(0, images);
  }

  /// The same from convolution `l` on, or, with `colours_first`, from the ToRGB before it on (l = number of
  /// convolutions: that ToRGB alone). x `[count][side²][padded channels]` is what comes next before its style, image
  /// `[count][colours][r²]` what is painted so far; it may be null before the first ToRGB.
  void resume(const float* styles, std::ptrdiff_t step, std::size_t l, bool colours_first, const float* x,
              const float* image, float* images) {
    const std::size_t source = colours_first ? l - 1 : l;  // whose size x has
    const Convolution& conv = weights_.convolutions[source];
    prepare(styles, step, source);
    const std::ptrdiff_t side = colours_first ? conv.side : conv.side_in, channels = colours_first ? conv.out : conv.in;
    const std::ptrdiff_t plane = side * side, colours = weights_.convolutions.back().colours;
    const std::ptrdiff_t painted =
        colours_first || (l < weights_.convolutions.size() && !weights_.convolutions[l].up) ? plane / 4 : plane;
    if (image) std::copy_n(image, count_ * colours * painted, space_.fine.data());
    if (colours_first) {
      for (std::ptrdiff_t i = 0; i < count_; ++i)
        for (std::ptrdiff_t k = 0; k < colours; ++k) {
          const float* const weight = space_.rgb_weight[source].data() + (i * colours + k) * conv.out;
          for (std::ptrdiff_t p = 0; p < plane; ++p) {
            float sum = 0.0f;
            for (std::ptrdiff_t c = 0; c < channels; ++c) sum += weight[c] * x[(i * plane + p) * channels + c];
            space_.partial_rgb.data()[(i * colours + k) * plane + p] = sum;
          }
        }
      add_colours(source, 1);
    }
    if (l < weights_.convolutions.size())
      for (std::ptrdiff_t i = 0; i < count_; ++i) take_input(l, i, x + i * channels * plane);
    run_from(l, images);
  }

 private:
  /// The activations of one image, `[side²][channels]`, as the scaled, padded input of convolution l.
  void take_input(std::size_t l, std::ptrdiff_t image, const float* x) {
    const Convolution& conv = weights_.convolutions[l];
    const std::ptrdiff_t side = conv.side_in, line = side + 2;
    const float* const style = space_.styles[l].data() + image * conv.in;
    for (std::ptrdiff_t y = 0; y < side; ++y)
      for (std::ptrdiff_t column = 0; column < side; ++column, x += conv.in) {
        const std::ptrdiff_t target = image * conv.input_elements() + ((y + 1) * line + column + 1) * conv.in;
        for (std::ptrdiff_t c = 0; c < conv.in; ++c) {
          const float value = x[c] * style[c];
          if (weights_.narrow) reinterpret_cast<Bfloat16*>(space_.inputs[l].data())[target + c] = narrowed(value);
          else reinterpret_cast<float*>(space_.inputs[l].data())[target + c] = value;
        }
      }
  }

  void run_from(std::size_t start, float* images) {
    for (std::size_t l = start; l < weights_.convolutions.size(); ++l) {
      const Convolution& conv = weights_.convolutions[l];
      if (l == 0) {
        each(weights_.first.tiles(), [&](std::ptrdiff_t tile, std::size_t) {
          weights_.first.tile(tile, space_.styles[0].data(), conv.in, count_, space_.first_response.data(),
                              16 * conv.out);
        });
        each(count_, [&](std::ptrdiff_t i, std::size_t) { finish_first(i); });
      } else if (conv.winograd) {
        each(conv.strips() * count_, [&](std::ptrdiff_t task, std::size_t thread) {
          convolve_tiles(l, task / conv.strips(), task % conv.strips(), space_.scratch[thread]);
        });
      } else {
        // All images of one tile before the next tile, so that its weights stay in the second-level cache.
        each(conv.cut.tiles() * count_, [&](std::ptrdiff_t task, std::size_t thread) {
          convolve(l, task % count_, task / count_, space_.scratch[thread]);
        });
      }
      if (conv.colours > 0) add_colours(l, l == 0 || conv.winograd ? 1 : conv.cut.tiles());
    }
    const Convolution& last = weights_.convolutions.back();
    std::copy_n(space_.fine.data(), count_ * last.colours * last.side * last.side, images);
  }

  template <class Task>
  void each(std::ptrdiff_t tasks, const Task& task) {
    if (!parallel_) {
      for (std::ptrdiff_t t = 0; t < tasks; ++t) task(t, 0);
      return;
    }
    parallel_for(tasks, static_cast<std::int64_t>(space_.scratch.size()),
                 [&](std::int64_t t, std::int64_t slot) { task(t, static_cast<std::size_t>(slot)); });
  }

  /// Styles in padded rows, demodulation and ToRGB weights of every image, from convolution `start` on.
  void prepare(const float* styles, std::ptrdiff_t step, std::size_t start) {
    for (std::size_t l = start; l < weights_.convolutions.size(); ++l) {
      const Convolution& conv = weights_.convolutions[l];
      float* const padded_styles = space_.styles[l].data();
      for (std::ptrdiff_t i = 0; i < count_; ++i) {
        const float* s = styles + i * step + conv.style_offset;
        std::copy_n(s, conv.style_width, padded_styles + i * conv.in);
        std::fill(padded_styles + i * conv.in + conv.style_width, padded_styles + (i + 1) * conv.in, 0.0f);
        for (std::ptrdiff_t c = 0; c < conv.in; ++c)
          space_.squares.data()[i * conv.in + c] = padded_styles[i * conv.in + c] * padded_styles[i * conv.in + c];
        const float* rgb_style = styles + i * step + conv.rgb_style_offset;
        for (std::ptrdiff_t k = 0; k < conv.colours; ++k) {
          float* target = space_.rgb_weight[l].data() + (i * conv.colours + k) * conv.out;
          for (std::ptrdiff_t c = 0; c < conv.out; ++c)
            target[c] = conv.rgb_weight.data()[k * conv.out + c] * (c < conv.outs ? rgb_style[c] : 0.0f);
        }
      }
      float* const d = space_.demodulation[l].data();
      conv.squares(space_.squares.data(), conv.in, count_, d, conv.out);
      for (std::ptrdiff_t i = 0; i < count_ * conv.out; ++i)
        d[i] = conv.gain / std::sqrt(d[i] + static_cast<float>(normalization_epsilon));
    }
  }

  /// The parts of an epilogue that are the same for every row of one image and tile.
  [[nodiscard]] EpilogueRow epilogue(std::size_t l, std::ptrdiff_t image, std::ptrdiff_t first_out,
                                     std::ptrdiff_t width) const {
    const Convolution& conv = weights_.convolutions[l];
    EpilogueRow row{};
    row.width = width;
    row.pixels = conv.side;
    row.filter = conv.up;
    row.demodulation = space_.demodulation[l].data() + image * conv.out + first_out;
    row.bias = conv.bias.data() + first_out;
    row.noise_gain = conv.noise_gain;
    row.clamp = weights_.clamp;
    row.narrow = weights_.narrow;
    row.style =
        l + 1 < weights_.convolutions.size() ? space_.styles[l + 1].data() + image * conv.out + first_out : nullptr;
    row.out_step = conv.out;
    row.rgb_weight = space_.rgb_weight[l].data() + image * conv.colours * conv.out + first_out;
    row.rgb_step = conv.out;
    row.colours = conv.colours;
    row.rgb_plane = conv.side * conv.side;
    return row;
  }

  /// Fills in what differs from row to row and runs the epilogue.
  void finish(EpilogueRow& row, std::size_t l, std::ptrdiff_t image, std::ptrdiff_t first_out, std::ptrdiff_t y,
              const float* u, float* rgb) {
    const Convolution& conv = weights_.convolutions[l];
    row.u = u;
    row.noise = noise_.row(l, first_sample_ + image, y * conv.side);
    row.rgb = rgb + y * conv.side;
    if (row.style) {
      const std::ptrdiff_t line = conv.side + 2;
      const std::ptrdiff_t element = image * line * line * conv.out + ((y + 1) * line + 1) * conv.out + first_out;
      row.out = space_.inputs[l + 1].data() +
                element * static_cast<std::ptrdiff_t>(weights_.narrow ? sizeof(Bfloat16) : sizeof(float));
    }
    if (kept_) {
      const std::ptrdiff_t place = ((first_kept_ + image) * conv.side + y) * conv.side * conv.out + first_out;
      row.kept = kept_->y.empty() ? nullptr : kept_->y[l].data() + place;
      row.raw = kept_->raw.empty() ? nullptr : kept_->raw[l].data() + place;
    }
    weights_.kernels->finish(row);
  }

  float* partial_rgb(std::size_t l, std::ptrdiff_t image, std::ptrdiff_t tile, std::ptrdiff_t tiles) {
    const Convolution& conv = weights_.convolutions[l];
    const std::ptrdiff_t plane = conv.colours * conv.side * conv.side;
    float* const rgb = space_.partial_rgb.data() + (image * tiles + tile) * plane;
    std::fill_n(rgb, plane, 0.0f);
    return rgb;
  }

  void finish_first(std::ptrdiff_t image) {
    const Convolution& conv = weights_.convolutions[0];
    EpilogueRow row = epilogue(0, image, 0, conv.out);
    float* const rgb = partial_rgb(0, image, 0, 1);
    for (std::ptrdiff_t y = 0; y < 4; ++y)
      finish(row, 0, image, 0, y, space_.first_response.data() + (image * 16 + y * 4) * conv.out, rgb);
  }

  void convolve(std::size_t l, std::ptrdiff_t image, std::ptrdiff_t tile, Workspace::Scratch& scratch) {
    const Convolution& conv = weights_.convolutions[l];
    const std::ptrdiff_t first_out = tile * conv.cut.tile, width = conv.cut.width(first_out), line = conv.side_in + 2;
    const std::size_t element = weights_.narrow ? sizeof(Bfloat16) : sizeof(float);
    const std::byte* const x =
        space_.inputs[l].data() + static_cast<std::size_t>(image * conv.input_elements()) * element;
    const std::byte* const weight = weights_.narrow ? reinterpret_cast<const std::byte*>(conv.narrow_weight.data())
                                                    : reinterpret_cast<const std::byte*>(conv.weight.data());
    const auto run = weights_.narrow ? weights_.kernels->convolve_bf16 : weights_.kernels->convolve;
    float* const response = scratch.response.data();
    for (std::ptrdiff_t i = 0; i < conv.in; i += conv.cut.block)
      for (const Phase& phase : conv.phases)
        for (std::ptrdiff_t r = 0; r < phase.rows; ++r) {
          const auto [tap, tap_count] = conv.taps_inside(phase, r);
          run({x + static_cast<std::size_t>(r * line * conv.in + i) * element, conv.in, conv.taps.data() + tap,
               tap_count, conv.cut.depth(i),
               weight + static_cast<std::size_t>(conv.cut.offset(first_out, i, tap)) * element, width,
               response + ((phase.row + conv.spread * r) * conv.response_side + phase.column) * width,
               conv.spread * width, phase.columns, i > 0});
        }

    EpilogueRow row = epilogue(l, image, first_out, width);
    float* const rgb = partial_rgb(l, image, tile, conv.cut.tiles());
    if (!conv.up) {
      for (std::ptrdiff_t y = 0; y < conv.side; ++y)
        finish(row, l, image, first_out, y, response + y * conv.side * width, rgb);
      return;
    }
    const std::ptrdiff_t side = conv.response_side;
    float* const filtered = scratch.filtered.data();  // one zero pixel, the filtered row, one zero pixel
    std::fill_n(filtered, width, 0.0f);
    std::fill_n(filtered + (side + 1) * width, width, 0.0f);
    const auto source = [&](std::ptrdiff_t y) {
      return y >= 0 && y < side ? response + y * side * width : scratch.zeros.data();
    };
    for (std::ptrdiff_t y = 0; y < conv.side; ++y) {
      weights_.kernels->filter(
          {source(y - 1), source(y), source(y + 1), source(y + 2), side * width, filtered + width});
      finish(row, l, image, first_out, y, filtered, rgb);
    }
  }

  /// A strip of a plain convolution by Winograd's F(2x2, 3x3): 16 products per tile of 2x2 outputs where the definition
  /// has 36.
  void convolve_tiles(std::size_t l, std::ptrdiff_t image, std::ptrdiff_t strip, Workspace::Scratch& scratch) {
    const Convolution& conv = weights_.convolutions[l];
    const std::ptrdiff_t across = conv.side / 2, line = (conv.side + 2) * conv.in, no_offset = 0;
    const std::ptrdiff_t first = strip * conv.strip(), rows = std::min(conv.strip(), across - first),
                         count = rows * across;
    const float* const x = reinterpret_cast<const float*>(space_.inputs[l].data()) + image * conv.input_elements();
    for (std::ptrdiff_t r = 0; r < rows; ++r)
      weights_.kernels->tile_inputs({x + 2 * (first + r) * line, line, conv.in, across,
                                     scratch.tiles.data() + r * across * conv.in, count * conv.in});
    float* const rgb = space_.partial_rgb.data() + image * conv.colours * conv.side * conv.side;
    for (std::ptrdiff_t k = 0; k < conv.colours; ++k)
      std::fill_n(rgb + k * conv.side * conv.side + 2 * first * conv.side, 2 * rows * conv.side, 0.0f);
    for (std::ptrdiff_t tile = 0; tile < conv.cut.tiles(); ++tile) {
      const std::ptrdiff_t first_out = tile * conv.cut.tile, width = conv.cut.width(first_out);
      for (std::ptrdiff_t i = 0; i < conv.in; i += conv.cut.block)
        for (std::ptrdiff_t position = 0; position < 16; ++position)
          weights_.kernels->convolve({scratch.tiles.data() + position * count * conv.in + i, conv.in, &no_offset, 1,
                                      conv.cut.depth(i), conv.weight.data() + conv.cut.offset(first_out, i, position),
                                      width, scratch.products.data() + position * count * width, width, count, i > 0});
      EpilogueRow row = epilogue(l, image, first_out, width);
      for (std::ptrdiff_t r = 0; r < rows; ++r) {
        weights_.kernels->tile_outputs(
            {scratch.products.data() + r * across * width, count * width, width, across, scratch.response.data()});
        for (std::ptrdiff_t y = 0; y < 2; ++y)
          finish(row, l, image, first_out, 2 * (first + r) + y, scratch.response.data() + y * conv.side * width, rgb);
      }
    }
  }

  /// The image so far, upsampled, plus the ToRGB behind convolution l.
  void add_colours(std::size_t l, std::ptrdiff_t tiles) {
    const Convolution& conv = weights_.convolutions[l];
    const std::size_t block = l / 2;  // one convolution at 4x4, two in every block after it
    const std::ptrdiff_t plane = conv.side * conv.side;
    std::swap(space_.coarse, space_.fine);
    each(count_, [&](std::ptrdiff_t i, std::size_t) {
      std::vector<float> line;
      for (std::ptrdiff_t k = 0; k < conv.colours; ++k) {
        float* const image = space_.fine.data() + (i * conv.colours + k) * plane;
        const std::ptrdiff_t place = ((first_kept_ + i) * conv.colours + k) * plane;
        if (conv.side > 4)
          upsample_plane(space_.coarse.data() + (i * conv.colours + k) * plane / 4, conv.side / 2, image, line);
        else std::fill_n(image, plane, 0.0f);
        for (std::ptrdiff_t p = 0; p < plane; ++p) {
          float sum = 0.0f;
          for (std::ptrdiff_t t = 0; t < tiles; ++t)
            sum += space_.partial_rgb.data()[((i * tiles + t) * conv.colours + k) * plane + p];
          sum += conv.rgb_bias[static_cast<std::size_t>(k)];
          if (kept_ && !kept_->colours.empty()) kept_->colours[block].data()[place + p] = sum;
          image[p] += std::clamp(sum, -weights_.clamp, weights_.clamp);
        }
        if (kept_ && !kept_->images.empty()) std::copy_n(image, plane, kept_->images[block].data() + place);
      }
    });
  }

  const SynthesisWeights& weights_;
  Workspace& space_;
  const NoiseImages& noise_;
  std::ptrdiff_t first_sample_;
  std::ptrdiff_t count_;
  bool parallel_;
  KeptPass* kept_;
  std::ptrdiff_t first_kept_;
};

/// Images that pass a layer together: enough to read its weights once from far away, few enough that their activations
/// stay near.
inline constexpr std::ptrdiff_t largest_group = 4;

/// Cuts `count` samples into groups and calls run(GroupRun, first, end) for each. Groups go side by side where there
/// are enough of them, tiles of channels within a group where there are not.
template <class Run>
void for_each_group(const SynthesisWeights& weights, WorkspacePool& pool, std::ptrdiff_t count,
                    const NoiseImages& noise, const Run& run, KeptPass* kept = nullptr) {
  const std::ptrdiff_t threads = available_threads();
  const bool by_image = count >= 2 * threads || threads == 1;
  const std::ptrdiff_t wanted = (count + largest_group - 1) / largest_group;
  const std::ptrdiff_t groups = by_image ? (wanted + threads - 1) / threads * threads : wanted;
  const auto one = [&](std::ptrdiff_t g) {
    const std::ptrdiff_t first = g * count / groups, end = (g + 1) * count / groups;
    if (first == end) return;
    auto space = pool.take(weights, end - first, by_image ? 1 : static_cast<std::size_t>(threads));
    GroupRun group_run(weights, *space, noise, first, end - first, !by_image, kept, first);
    run(group_run, first);
    pool.put(std::move(space));
  };
  if (by_image && threads > 1) {
    parallel_for(groups, threads, one);
  } else {
    for (std::ptrdiff_t g = 0; g < groups; ++g) one(g);
  }
}

}  // namespace stylegan2::detail::cpu
}  // namespace v1
}  // namespace faultline
