// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// An edit of a latent as a value: a step in w, or style channels with their shifts, and an amount.

#include <faultline/core/matrix.hpp>
#include <faultline/error.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// What is done to a latent: w + amount · step, or s_k + amount · shift_k in some style channels after the affine map,
/// or nothing.
///
/// **Shapes**: step `[w_dim]`; channels are flat style indices, with one shift each in style units. The numbers are
/// copied once and shared by all copies of an edit, so an edit is as cheap to copy as a pointer, and owns what it says.
/// Example: `const Edit step = Edit::in_w(finding.direction.w); step.at(2.0)  // two standard deviations`
class Edit {
 public:
  /// The latent as it is.
  Edit() = default;
  /// A step in w, `[w_dim]`.
  [[nodiscard]] static Edit in_w(std::span<const double> step, double amount = 1.0) {
    return Edit({{step.begin(), step.end()}, {}, {}}, amount);
  }
  /// One style channel.
  [[nodiscard]] static Edit of_channel(std::int64_t channel, double shift, double amount = 1.0) {
    return Edit({{}, {channel}, {shift}}, amount);
  }
  /// Several style channels together. **Throws** `shape_mismatch` unless there is one shift per channel.
  [[nodiscard]] static Edit of_channels(std::vector<std::int64_t> channels, std::vector<double> shifts,
                                        double amount = 1.0) {
    if (channels.size() != shifts.size())
      throw Error(ErrorCode::shape_mismatch, "Edit",
                  "got " + std::to_string(shifts.size()) + " shifts for " + std::to_string(channels.size()) +
                      " style channels");
    return Edit({{}, std::move(channels), std::move(shifts)}, amount);
  }

  /// The same edit by another amount.
  [[nodiscard]] Edit at(double amount) const {
    Edit other = *this;
    other.amount_ = amount;
    return other;
  }
  [[nodiscard]] double amount() const noexcept { return amount_; }
  /// Empty for an edit of style channels.
  [[nodiscard]] std::span<const double> step() const noexcept {
    return path_ ? path_->step : std::span<const double>();
  }
  /// Empty for a step in w.
  [[nodiscard]] std::span<const std::int64_t> channels() const noexcept {
    return path_ ? path_->channels : std::span<const std::int64_t>();
  }
  /// One per channel, for the amount 1.
  [[nodiscard]] std::span<const double> shifts() const noexcept {
    return path_ ? path_->shifts : std::span<const double>();
  }

 private:
  struct Path {
    std::vector<double> step;
    std::vector<std::int64_t> channels;
    std::vector<double> shifts;
  };
  Edit(Path path, double amount) : path_(std::make_shared<const Path>(std::move(path))), amount_(amount) {}

  std::shared_ptr<const Path> path_;
  double amount_ = 0.0;
};

/// Where an edit starts.
struct StartLatent {
  std::span<const float> w;  ///< `[w_dim]` before truncation; borrowed
  std::int64_t label = 0;
};

/// A start latent and what is done to it.
struct EditedLatent {
  StartLatent start;
  Edit edit = {};
};

/// Edited latents side by side, as a generator takes them.
struct EditBatch {
  Matrix<float> w;                     ///< `[N, w_dim]` with the steps taken
  std::vector<std::int64_t> label;     ///< `[N]`
  std::vector<std::int64_t> channels;  ///< flat style indices that any row shifts, ascending
  Matrix<float> shifts;                ///< `[N, channels]` in style units, 0 where a row leaves a channel alone
};

/// Lays out edited latents as rows. **Throws** `shape_mismatch` when start latents or steps differ in length.
/// Example: `const EditBatch batch = lay_out(edits); sampler.synthesize_edited(batch.w, batch.channels, batch.shifts)`
[[nodiscard]] EditBatch lay_out(std::span<const EditedLatent> edits);

}  // namespace analysis

using analysis::Edit;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/problem/detail/edit_impl.hpp>
#endif
