// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Edits of styles: shifted where they lie, and many single-channel edits of the same start latents; what a generator
// may offer to make them cheaply, and the plain way for those that do not.

#include <faultline/concepts/style_generator.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace faultline {
inline namespace v1 {

/// Refinement: `shift_styles(s, channels, shifts)` adds shifts `[n, channels]`, given on the host, to the first n rows
/// of s `[N, D]` in the channels named, without moving s to the host. *Laws*: the sums of `float`s that the host would
/// form; s itself stays as it is.
template <class G>
concept ShiftsStyles = StyleGenerator<G> &&
    requires(const G& g, const typename G::style_type& s, std::span<const std::int64_t> channels,
             const Matrix<float>& shifts) {
  { g.shift_styles(s, channels, shifts) } -> std::same_as<typename G::style_type>;
};

/// Styles with shifts `[n, channels]` added to their first n rows: where they lie when the generator can do that, else
/// on the host.
/// Example: `auto shifted = shifted_styles(generator, s, std::array{std::int64_t{17}}, shifts);`
template <StyleGenerator G>
[[nodiscard]] typename G::style_type shifted_styles(const G& generator, const typename G::style_type& s,
                                                    std::span<const std::int64_t> channels,
                                                    const Matrix<float>& shifts) {
  if constexpr (ShiftsStyles<G>) {
    return generator.shift_styles(s, channels, shifts);
  } else {
    Matrix<float> host = generator.style_to_host(s);
    for (std::int64_t i = 0; i < shifts.rows(); ++i)
      for (std::size_t j = 0; j < channels.size(); ++j) host(i, channels[j]) += shifts(i, static_cast<std::int64_t>(j));
    return generator.style_from_host(host);
  }
}

/// Start latent `row` with style `channel` (flat index) shifted by `shift`.
struct StyleEdit {
  std::int64_t row = 0;
  std::int64_t channel = 0;
  float shift = 0.0f;
  friend bool operator==(const StyleEdit&, const StyleEdit&) = default;
};

/// What edits have cost so far.
struct EditCost {
  std::int64_t images = 0;  ///< edited images made
  std::int64_t calls = 0;   ///< requests for images
  /// Multiplications spent over those of one whole synthesis; what is held of the start latents is counted once
  double passes = 0.0;
};

/// Start latents held by a generator that makes edits of them.
///
/// *Syntax*: `images(edits)`, one image for each edit in their order; `cost()`; `passes_of(channel)`, what one more
/// edit of that channel costs in whole syntheses. *Laws*: image i equals `synthesize` of the edited styles, with
/// constant noise, to rounding; edits do not add up; `passes_of` lies in [0, 1].
template <class S, class G>
concept EditSession = requires(S& session, const S& constant, std::span<const StyleEdit> edits, std::int64_t channel) {
  { session.images(edits) } -> std::same_as<typename G::image_type>;
  { constant.cost() } -> std::convertible_to<EditCost>;
  { constant.passes_of(channel) } -> std::convertible_to<double>;
};

/// Refinement: `begin_edits(s)` holds start latents s `[N, D]` once and returns an `EditSession`, which may borrow the
/// generator.
template <class G>
concept EditsStyles = StyleGenerator<G> && requires(const G& g, const typename G::style_type& s) {
  { g.begin_edits(s) } -> EditSession<G>;
};

namespace detail {

/// Throws invalid_argument for a row, a channel or a shift that the start latents do not have.
inline void check_edits(const char* where, std::span<const StyleEdit> edits, std::int64_t rows,
                        std::int64_t dimension) {
  if (edits.empty()) throw Error(ErrorCode::empty_input, where, "expected at least one edit, got none");
  for (const StyleEdit& edit : edits) {
    if (edit.row < 0 || edit.row >= rows || edit.channel < 0 || edit.channel >= dimension || !std::isfinite(edit.shift))
      throw Error(ErrorCode::invalid_argument, where,
                  "an edit needs a row in [0, " + std::to_string(rows) + "), a channel in [0, " +
                      std::to_string(dimension) + ") and a finite shift, got row " + std::to_string(edit.row) +
                      ", channel " + std::to_string(edit.channel) + ", shift " + std::to_string(edit.shift));
  }
}

}  // namespace detail

/// The plain way: every edit is a style vector of its own, synthesised as a whole.
///
/// The generator is borrowed. **Throws** invalid_argument, empty_input. **Cost**: one pass per edit, one generator call
/// per request.
template <StyleGenerator G>
class WholeEdits {
 public:
  WholeEdits(const G& generator, const typename G::style_type& s)
      : generator_(std::addressof(generator)), start_(generator.style_to_host(s)) {}

  [[nodiscard]] typename G::image_type images(std::span<const StyleEdit> edits) {
    detail::check_edits("WholeEdits", edits, start_.rows(), start_.cols());
    Matrix<float> edited(static_cast<std::int64_t>(edits.size()), start_.cols());
    for (std::int64_t i = 0; i < edited.rows(); ++i) {
      const StyleEdit& edit = edits[static_cast<std::size_t>(i)];
      std::copy(start_.row_span(edit.row).begin(), start_.row_span(edit.row).end(), edited.row_span(i).begin());
      edited(i, edit.channel) += edit.shift;
    }
    cost_.images += edited.rows();
    ++cost_.calls;
    cost_.passes += static_cast<double>(edited.rows());
    return generator_->synthesize(generator_->style_from_host(edited), SynthesisOptions{});
  }
  [[nodiscard]] const EditCost& cost() const noexcept { return cost_; }
  [[nodiscard]] double passes_of(std::int64_t) const noexcept { return 1.0; }

 private:
  const G* generator_;
  Matrix<float> start_;
  EditCost cost_;
};

/// A session for any generator: its own where it has one. The generator is borrowed.
/// Example: `auto session = begin_edits(generator, s); session.images(edits);`
template <StyleGenerator G>
[[nodiscard]] auto begin_edits(const G& generator, const typename G::style_type& s) {
  if constexpr (EditsStyles<G>) return generator.begin_edits(s);
  else return WholeEdits<G>(generator, s);
}
template <StyleGenerator G>
void begin_edits(const G&&, const typename G::style_type&) = delete;

}  // namespace v1
}  // namespace faultline
