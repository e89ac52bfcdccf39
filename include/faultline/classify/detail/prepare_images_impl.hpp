// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of classify/prepare_images.hpp.

#include <faultline/classify/prepare_images.hpp>

namespace faultline {
inline namespace v1 {

FAULTLINE_INLINE ImageBatch prepare_images(ImageView raw, ValueRange range, const InputSpec& spec) {
  return ImagePreparation(raw.shape(), range, spec)(raw);
}

FAULTLINE_INLINE ImageBatch pull_gradient(ImageView prepared_gradient, ImageView raw, ValueRange range,
                                          const InputSpec& spec) {
  return ImagePreparation(raw.shape(), range, spec).pull_gradient(prepared_gradient, raw);
}

FAULTLINE_INLINE ImageBatch to_unit_range(ImageView raw, ValueRange range) {
  return prepare_images(raw, range, InputSpec{});
}

}  // namespace v1
}  // namespace faultline
