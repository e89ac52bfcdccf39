// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Classifiers that take images where the generator left them, on a device: said by a tag, never found out by trying.

#include <faultline/concepts/classifier.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>

#include <concepts>
#include <cstdint>

namespace faultline {
inline namespace v1 {

/// The tag: `using residence = DeviceResident;` in a classifier's type.
struct DeviceResident {};

/// The classifier carries the tag.
template <class C>
concept SaysDeviceResident = requires {
  typename C::residence;
  requires std::same_as<typename C::residence, DeviceResident>;
};

/// Refinement: a tagged classifier for a generator's own image arrays, `score_resident(raw, range, batch_size,
/// scores)`.
///
/// `raw` holds N images as the generator makes them, in its device's memory, nominally in `range`. The classifier
/// brings them into the form that its `input_spec()` asks for, evaluates them in calls of `batch_size` rows, the last
/// one padded by repeating its last image, and fills `scores` `[N, K]` on the host. *Laws*: the same scores as `score`
/// gives for the same images prepared on the host, to rounding; those of `Classifier`. It stays a `Classifier` for host
/// images too: checks of its laws, and analyses that look at the images themselves, use those.
template <class C, class Images>
concept ResidentClassifier = Classifier<C> && SaysDeviceResident<C> &&
    requires(C& c, const Images& raw, const ValueRange& range, std::int64_t batch_size, ScoreMatrix& scores) {
  c.score_resident(raw, range, batch_size, scores);
};

}  // namespace v1
}  // namespace faultline
