// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// StyleSpaceSampler: samples of a generator, addressed by index, streamed in batches; and images of edited latents.

#include <faultline/concepts/style_edits.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/sampling/detail/first_rows.hpp>
#include <faultline/sampling/detail/truncation.hpp>
#include <faultline/sampling/sampler_options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <limits>
#include <memory>
#include <new>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

/// Consecutive samples. Arrays are on the generator's device and belong to the batch.
template <StyleGenerator G>
struct SampleBatch {
  std::vector<std::int64_t> index;  ///< [N] sample indices, ascending
  std::vector<std::int64_t> label;  ///< [N] classes; 0 when the generator is unconditional
  typename G::latent_type z;        ///< [N, latent_dim]
  typename G::latent_type w;        ///< [N, w_dim], before truncation
  typename G::style_type s;         ///< [N, D], of the truncated w
  typename G::image_type images;    ///< [N, C, H, W], raw network output

  [[nodiscard]] std::int64_t size() const noexcept { return static_cast<std::int64_t>(index.size()); }
};

template <StyleGenerator G>
class SampleRange;

/// Draws samples of a generator, which it borrows.
///
/// Sample i depends on (seed, i) alone: z from stream 0, its label from stream 1 (or the label policy), random noise
/// from stream 2. Every generator call has `batch_size` rows, the last one padded and cut, because the last bits of a
/// network's output depend on the number of rows; so samples are equal bit for bit for any range they are asked for in,
/// at one batch size, and to rounding at different ones. A `BatchInvariantGenerator` needs no padding and gives equal
/// bits at any. Const calls may run in several threads if the generator allows it.
/// **Throws** label_out_of_range when the policy names a class that the generator lacks, empty_input for zero samples
/// or an empty list of labels, invalid_argument for other options or ranges out of bounds, generator_threw with the
/// generator's own exception nested.
/// **Cost**: one batch in memory at a time.
/// Example: `StyleSpaceSampler sampler(generator, {.seed = 7}); for (const auto& batch : sampler.batches(0, 10'000))
/// use(batch.s, batch.label);`
template <StyleGenerator G>
class StyleSpaceSampler {
 public:
  using latent_type = typename G::latent_type;
  using style_type = typename G::style_type;
  using image_type = typename G::image_type;

  explicit StyleSpaceSampler(const G& generator, SamplerOptions options = {})
      : generator_(std::addressof(generator)), options_(std::move(options)), pads_(detail::pads_batches(generator)) {
    core::require_in("StyleSpaceSampler", "batch_size", options_.batch_size, 1, limits::batch);
    core::require_in("StyleSpaceSampler", "truncation", options_.truncation, -2.0, 2.0);
    check_labels();
    if (options_.cutoff)
      core::require_in("StyleSpaceSampler", "cutoff", *options_.cutoff, 0,
                       static_cast<std::int64_t>(generator.layout().layers().size()));
    if (options_.truncation != 1.0) made([&] { truncation_.emplace(generator, options_.truncation, options_.cutoff); });
  }
  StyleSpaceSampler(const G&&, SamplerOptions = {}) = delete;

  [[nodiscard]] const G& generator() const noexcept { return *generator_; }
  [[nodiscard]] const SamplerOptions& options() const noexcept { return options_; }
  /// Number of classes that labels are drawn from; 1 when the generator is unconditional.
  [[nodiscard]] std::int64_t classes() const { return std::max<std::int64_t>(1, generator_->num_classes()); }

  /// Samples first .. first + count - 1 as an input range of `SampleBatch` with up to `batch_size` samples each. The
  /// range borrows the sampler.
  [[nodiscard]] SampleRange<G> batches(std::int64_t first, std::int64_t count) const {
    check_range(first, count);
    return SampleRange<G>(*this, first, count);
  }

  /// Rows that the generator computes for a batch of `count` samples: `batch_size` of them, unless its arrays could not
  /// be cut again.
  [[nodiscard]] std::int64_t computed_rows(std::int64_t count) const noexcept {
    return pads_ ? options_.batch_size : count;
  }

  /// One batch of 1 .. `batch_size` samples.
  [[nodiscard]] SampleBatch<G> sample(std::int64_t first, std::int64_t count) const {
    check_range(first, count);
    require(count <= options_.batch_size, "sample(first, count) makes one batch of at most " +
                                              std::to_string(options_.batch_size) + " samples, asked for " +
                                              std::to_string(count) + "; use batches(first, count)");
    std::vector<std::int64_t> index(static_cast<std::size_t>(count));
    std::iota(index.begin(), index.end(), first);
    std::vector<std::int64_t> label = labels(first, count);
    return made([&]() -> SampleBatch<G> {
      latent_type z = generator_->latent_from_host(padded(latents_z(first, count)));
      latent_type w = generator_->map(z, device_labels(label), MapOptions{});
      style_type s =
          truncation_ ? truncation_->styles(*generator_, generator_->latent_to_host(w)) : generator_->styles(w);
      image_type images =
          generator_->synthesize(s, SynthesisOptions{.noise = options_.noise, .seed = options_.seed, .first = first});
      cut(z, count);
      cut(w, count);
      cut(s, count);
      cut(images, count);
      return {std::move(index), std::move(label), std::move(z), std::move(w), std::move(s), std::move(images)};
    });
  }

  /// Class of each of the samples first .. first + count - 1.
  [[nodiscard]] std::vector<std::int64_t> labels(std::int64_t first, std::int64_t count) const {
    check_array(first, count);
    std::vector<std::int64_t> result(static_cast<std::size_t>(count), options_.labels.label);
    const std::vector<std::int64_t>& list = options_.labels.labels;
    const auto listed = static_cast<std::int64_t>(list.size());
    for (std::int64_t i = 0; i < count; ++i) {
      std::int64_t& label = result[static_cast<std::size_t>(i)];
      switch (options_.labels.kind) {
        case LabelPolicy::Kind::uniform: label = core::draw_label(options_.seed, first + i, classes()); break;
        case LabelPolicy::Kind::fixed: break;
        case LabelPolicy::Kind::given:
          label = list[static_cast<std::size_t>(core::draw_label(options_.seed, first + i, listed))];
          break;
        case LabelPolicy::Kind::in_order: label = list[static_cast<std::size_t>((first + i) % listed)]; break;
      }
    }
    return result;
  }

  /// z of the samples first .. first + count - 1, `[count, latent_dim]` on the host.
  [[nodiscard]] Matrix<float> latents_z(std::int64_t first, std::int64_t count) const {
    check_array(first, count);
    Matrix<float> z(count, generator_->latent_dim());
    for (std::int64_t i = 0; i < count; ++i)
      core::fill_normals(options_.seed, core::Stream::latents, first + i, z.row_span(i));
    return z;
  }

  /// Untruncated w of the samples first .. first + count - 1, `[count, w_dim]` on the host, without images.
  [[nodiscard]] Matrix<float> latents_w(std::int64_t first, std::int64_t count) const {
    check_array(first, count);
    Matrix<float> result(count, generator_->w_dim());
    for (std::int64_t done = 0; done < count; done += options_.batch_size) {
      const std::int64_t rows = std::min(options_.batch_size, count - done);
      const Matrix<float> w = made([&] {
        const auto z = generator_->latent_from_host(padded(latents_z(first + done, rows)));
        return generator_->latent_to_host(generator_->map(z, device_labels(labels(first + done, rows)), MapOptions{}));
      });
      std::copy_n(w.data(), rows * w.cols(), result.row_span(done).data());
    }
    return result;
  }

  /// A of s = A w + b with the truncation folded in, w untruncated: `[D, w_dim]`.
  [[nodiscard]] Matrix<double> style_matrix() const requires AffineStyles<G> {
    const Matrix<float> own = generator_->style_matrix();
    Matrix<double> result(own.rows(), own.cols());
    for (std::int64_t k = 0; k < own.rows(); ++k)
      for (std::int64_t j = 0; j < own.cols(); ++j)
        result(k, j) = (truncation_ ? truncation_->psi(k) : 1.0) * static_cast<double>(own(k, j));
    return result;
  }

  /// b of s = A w + b with the truncation folded in: `[D]`.
  [[nodiscard]] std::vector<double> style_bias() const requires AffineStyles<G> {
    const Matrix<float> matrix = generator_->style_matrix();
    const Matrix<float> own = generator_->style_bias();
    std::vector<double> result(own.values().begin(), own.values().end());
    if (!truncation_) return result;
    for (std::int64_t k = 0; k < matrix.rows(); ++k) {
      double centre = 0.0;
      for (std::int64_t j = 0; j < matrix.cols(); ++j)
        centre += static_cast<double>(matrix(k, j)) * static_cast<double>(truncation_->average()(0, j));
      result[static_cast<std::size_t>(k)] += (1.0 - truncation_->psi(k)) * centre;
    }
    return result;
  }

  /// Styles of host latents w `[N, w_dim]` before truncation, which is applied here.
  [[nodiscard]] style_type styles(const Matrix<float>& w) const {
    return made([&] {
      return truncation_ ? truncation_->styles(*generator_, w) : generator_->styles(generator_->latent_from_host(w));
    });
  }

  /// Host images `[N, C, H, W]` (raw) of edited latents w `[N, w_dim]`, before truncation. With `channel` >= 0 the
  /// style of row i is shifted there by `shift[i]` after the affine map. Any number of rows, in calls of `batch_size`.
  /// With random noise row i takes the noise of sample index i mod `batch_size`, so that requests of the same order
  /// share it.
  /// **Throws** shape_mismatch, invalid_argument.
  [[nodiscard]] ImageBatch synthesize_edited(const Matrix<float>& w, std::int64_t channel = -1,
                                             std::span<const float> shift = {}) const {
    return synthesize_shifted(w, std::span(&channel, channel < 0 ? 0 : 1), shift);
  }

  /// The same with several channels at once: the styles of row i are shifted at `channels[j]` by `shifts(i, j)`. One
  /// channel gives the images of the call above, bit for bit.
  /// **Throws** shape_mismatch, invalid_argument; also for a channel that is named twice.
  [[nodiscard]] ImageBatch synthesize_edited(const Matrix<float>& w, std::span<const std::int64_t> channels,
                                             const Matrix<float>& shifts) const {
    if (shifts.rows() != w.rows() || shifts.cols() != static_cast<std::int64_t>(channels.size()))
      throw Error(ErrorCode::shape_mismatch, "StyleSpaceSampler",
                  "got shifts of " + std::to_string(shifts.rows()) + " x " + std::to_string(shifts.cols()) +
                      ", expected one row for each of " + std::to_string(w.rows()) +
                      " latents and one column for each of " + std::to_string(channels.size()) + " channels");
    return synthesize_shifted(w, channels, shifts.values());
  }

  /// At most `batch_size` edited latents as images in the generator's own memory; `channels` and `shifts` as above,
  /// none for the latents as they are. With random noise row i takes the noise of sample `noise_first` + i.
  /// **Throws** shape_mismatch, invalid_argument.
  [[nodiscard]] image_type edited_images(const Matrix<float>& w, std::span<const std::int64_t> channels,
                                         std::span<const float> shifts, std::int64_t noise_first = 0) const {
    check_edit(w, channels, shifts);
    require(w.rows() <= options_.batch_size, "edited_images makes one batch of at most " +
                                                 std::to_string(options_.batch_size) + " images, asked for " +
                                                 std::to_string(w.rows()));
    image_type images = made([&] {
      return generator_->synthesize(
          edited_styles(w, 0, w.rows(), channels, shifts),
          SynthesisOptions{.noise = options_.noise, .seed = options_.seed, .first = noise_first});
    });
    cut(images, w.rows());
    return images;
  }

 private:
  /// `shifts` are row-major, `[w.rows(), channels]`.
  [[nodiscard]] ImageBatch synthesize_shifted(const Matrix<float>& w, std::span<const std::int64_t> channels,
                                              std::span<const float> shifts) const {
    check_edit(w, channels, shifts);
    ImageBatch result(w.rows(), generator_->image_shape());
    for (std::int64_t done = 0; done < w.rows(); done += options_.batch_size) {
      const std::int64_t rows = std::min(options_.batch_size, w.rows() - done);
      const auto s = edited_styles(w, done, rows, channels, shifts);
      const ImageBatch images = made([&] {
        return generator_->image_to_host(
            generator_->synthesize(s, SynthesisOptions{.noise = options_.noise, .seed = options_.seed, .first = 0}));
      });
      std::copy_n(images.data(), rows * images.shape().elements(), result.image(done).data());
    }
    return result;
  }

  /// What the generator makes; an exception of its own leaves as generator_threw, with the original nested.
  template <class Make>
  static decltype(auto) made(const Make& make) {
    try {
      return make();
    } catch (const Error&) {
      throw;
    } catch (const std::bad_alloc&) {  // memory is judged by whoever asked for so much
      throw;
    } catch (const std::length_error&) {
      throw;
    } catch (const std::exception& error) {
      std::throw_with_nested(Error(ErrorCode::generator_threw, "StyleSpaceSampler",
                                   "the generator threw: " + detail::foreign_text(error)));
    } catch (...) {
      std::throw_with_nested(Error(ErrorCode::generator_threw, "StyleSpaceSampler",
                                   "the generator threw something that is not a std::exception"));
    }
  }

  static void require(bool ok, const std::string& message) {
    if (!ok) throw Error(ErrorCode::invalid_argument, "StyleSpaceSampler", message);
  }

  static void check_range(std::int64_t first, std::int64_t count) {
    if (count == 0) throw Error(ErrorCode::empty_input, "StyleSpaceSampler", "expected at least one sample, got 0");
    require(count > 0, "the number of samples must be positive, got " + std::to_string(count));
    require(first >= 0 && first <= std::numeric_limits<std::int64_t>::max() - count,
            "sample indices must lie in [0, 2^63), got " + std::to_string(count) + " from " + std::to_string(first));
  }

  /// Of samples that are held in memory together, not streamed.
  static void check_array(std::int64_t first, std::int64_t count) {
    check_range(first, count);
    core::require_in("StyleSpaceSampler", "the number of samples held together", count, 1, limits::samples);
  }

  void check_labels() const {
    const auto check = [&](std::int64_t label) {
      if (label >= 0 && label < classes()) return;
      const std::int64_t known = generator_->num_classes();
      throw Error(ErrorCode::label_out_of_range, "StyleSpaceSampler",
                  "the label policy asks for class " + std::to_string(label) + ", " +
                      (known == 0 ? std::string("but the generator is unconditional; leave the policy uniform")
                                  : "the generator knows classes 0 to " + std::to_string(known - 1)));
    };
    if (options_.labels.kind == LabelPolicy::Kind::fixed) check(options_.labels.label);
    if (options_.labels.kind == LabelPolicy::Kind::given || options_.labels.kind == LabelPolicy::Kind::in_order) {
      const std::string policy = "LabelPolicy::" + std::string(core::enumerator_of(options_.labels.kind));
      if (options_.labels.labels.empty())
        throw Error(ErrorCode::empty_input, "StyleSpaceSampler", policy + " needs at least one label");
      require(options_.labels.labels.size() <= std::size_t{1} << 32, policy + " takes at most 2^32 labels");
      for (const std::int64_t label : options_.labels.labels) check(label);
    }
  }

  void check_edit(const Matrix<float>& w, std::span<const std::int64_t> channels, std::span<const float> shifts) const {
    const std::int64_t dimension = generator_->layout().dimension(), w_dim = generator_->w_dim();
    if (w.cols() != w_dim)
      throw Error(ErrorCode::shape_mismatch, "StyleSpaceSampler",
                  "expected w of " + std::to_string(w_dim) + " columns, got " + std::to_string(w.cols()));
    std::vector<std::int64_t> sorted(channels.begin(), channels.end());
    std::sort(sorted.begin(), sorted.end());
    for (const std::int64_t channel : sorted)
      require(channel >= 0 && channel < dimension,
              "style channel must lie in [0, " + std::to_string(dimension) + "), got " + std::to_string(channel));
    require(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end(),
            "a style channel is named twice; add its shifts up");
    if (!channels.empty() && shifts.size() != static_cast<std::size_t>(w.rows()) * channels.size())
      throw Error(ErrorCode::shape_mismatch, "StyleSpaceSampler",
                  "got " + std::to_string(shifts.size()) + " shifts for " + std::to_string(w.rows()) + " latents");
  }

  /// Rows done .. done + rows - 1 of w as styles of a full batch.
  [[nodiscard]] style_type edited_styles(const Matrix<float>& w, std::int64_t done, std::int64_t rows,
                                         std::span<const std::int64_t> channels, std::span<const float> shifts) const {
    Matrix<float> part(rows, w.cols());
    std::copy_n(w.row_span(done).data(), rows * w.cols(), part.data());
    style_type s = styles(padded(std::move(part)));
    if (channels.empty()) return s;
    Matrix<float> own(rows, static_cast<std::int64_t>(channels.size()));
    std::copy_n(shifts.data() + static_cast<std::size_t>(done) * channels.size(),
                static_cast<std::size_t>(rows) * channels.size(), own.data());
    return shifted_styles(*generator_, s, channels, own);
  }

  /// `rows` with its last row repeated up to the batch size; left alone when the generator does not need it or its
  /// arrays could not be cut again.
  [[nodiscard]] Matrix<float> padded(Matrix<float> rows) const {
    if (!pads_ || rows.rows() == options_.batch_size) return rows;
    Matrix<float> result(options_.batch_size, rows.cols());
    std::copy_n(rows.data(), rows.rows() * rows.cols(), result.data());
    for (std::int64_t i = rows.rows(); i < result.rows(); ++i)
      std::copy_n(rows.row_span(rows.rows() - 1).data(), rows.cols(), result.row_span(i).data());
    return result;
  }

  [[nodiscard]] typename G::label_type device_labels(std::vector<std::int64_t> labels) const {
    if (generator_->num_classes() == 0) labels.clear();
    else if (pads_) labels.resize(static_cast<std::size_t>(options_.batch_size), labels.back());
    return generator_->label_from_host(labels);
  }

  template <class T>
  void cut(T& array, std::int64_t count) const {
    if constexpr (detail::can_pad<G>) {
      if (pads_ && count < options_.batch_size) array = detail::first_rows(array, count);
    }
  }

  const G* generator_;
  SamplerOptions options_;
  bool pads_;
  std::optional<detail::Truncation> truncation_;
};

/// Batches of consecutive samples, one in memory at a time: an input range, made by `StyleSpaceSampler::batches`.
template <StyleGenerator G>
class SampleRange {
 public:
  class iterator {
   public:
    using value_type = SampleBatch<G>;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    iterator() = default;
    explicit iterator(SampleRange& range) : range_(&range) {}
    [[nodiscard]] const SampleBatch<G>& operator*() const { return *range_->batch_; }
    [[nodiscard]] const SampleBatch<G>* operator->() const { return &*range_->batch_; }
    iterator& operator++() {
      range_->advance();
      return *this;
    }
    void operator++(int) { range_->advance(); }
    [[nodiscard]] bool done() const noexcept { return !range_->batch_.has_value(); }
    friend bool operator==(const iterator& it, std::default_sentinel_t) { return it.done(); }

   private:
    SampleRange* range_ = nullptr;
  };

  SampleRange(const StyleSpaceSampler<G>& sampler, std::int64_t first, std::int64_t count)
      : sampler_(&sampler), next_(first), end_(first + count) {}

  /// Makes the first batch. An input range: to be walked once.
  [[nodiscard]] iterator begin() {
    advance();
    return iterator(*this);
  }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  void advance() {
    batch_.reset();  // before the next one is made, so that only one is alive
    if (next_ == end_) return;
    const std::int64_t count = std::min(sampler_->options().batch_size, end_ - next_);
    batch_.emplace(sampler_->sample(next_, count));
    next_ += count;
  }

  const StyleSpaceSampler<G>* sampler_;
  std::int64_t next_;
  std::int64_t end_;
  std::optional<SampleBatch<G>> batch_;
};

}  // namespace v1
}  // namespace faultline
