// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of interop/serve_classifier.hpp.

#include <faultline/interop/serve_classifier.hpp>

#include <faultline/error.hpp>
#include <faultline/interop/detail/frames.hpp>

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>

namespace faultline {
inline namespace v1 {
namespace detail {

inline constexpr const char* serve_classifier_name = "serve_classifier";

/// Reads all of `bytes`; false when the input ends before the first of them.
inline bool read_all(int descriptor, std::span<std::byte> bytes) {
  std::size_t come = 0;
  while (come < bytes.size()) {
    const ssize_t count = ::read(descriptor, bytes.data() + come, bytes.size() - come);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      throw Error(ErrorCode::truncated, serve_classifier_name,
                  std::string("the input cannot be read: ") + std::strerror(errno));
    if (count == 0) {
      if (come == 0) return false;
      throw Error(ErrorCode::truncated, serve_classifier_name,
                  "the input ended after " + std::to_string(come) + " of " + std::to_string(bytes.size()) +
                      " bytes of a frame");
    }
    come += static_cast<std::size_t>(count);
  }
  return true;
}

inline void write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      throw Error(ErrorCode::cannot_write, serve_classifier_name,
                  std::string("the output does not take the answer: ") + std::strerror(errno));
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

template <std::size_t Numbers>
void write_head(int descriptor, std::string_view letters, const std::array<std::uint32_t, Numbers>& numbers) {
  std::array<std::byte, 4 + 4 * Numbers> head;
  std::memcpy(head.data(), letters.data(), 4);
  std::memcpy(head.data() + 4, numbers.data(), 4 * Numbers);
  write_all(descriptor, head);
}

FAULTLINE_INLINE void serve_frames(std::int64_t classes, Scores scores, const std::string& digest,
                                   const std::function<void(ImageView, ScoreMatrix&)>& score, int input, int output) {
  if (scores == Scores::undeclared)
    throw Error(
        ErrorCode::scores_undeclared, serve_classifier_name,
        "the kind of scores is not declared; the score_kind() of a classifier must say logits or probabilities");
  const auto said = std::string_view(digest).substr(0, frames::most_digest_bytes);
  write_head<4>(output, frames::hello,
                {frames::version, static_cast<std::uint32_t>(classes), scores == Scores::logits ? 1u : 2u,
                 static_cast<std::uint32_t>(said.size())});
  write_all(output, std::as_bytes(std::span(said)));
  std::array<std::byte, frames::batch_bytes> head;
  while (read_all(input, head)) {
    if (std::memcmp(head.data(), frames::batch.data(), 4) != 0 || number_at(head, 0) != frames::version)
      throw Error(ErrorCode::malformed_header, serve_classifier_name,
                  "expected a batch of version 1 of the protocol on the input");
    const ImageShape shape{number_at(head, 2), number_at(head, 3), number_at(head, 4)};
    ImageBatch images(number_at(head, 1), shape);
    const auto count = static_cast<std::size_t>(images.count() * shape.elements());
    if (!read_all(input, std::as_writable_bytes(std::span(images.data(), count))) && count > 0)
      throw Error(ErrorCode::truncated, serve_classifier_name, "the input ended before the images of a batch");
    ScoreMatrix answer;
    score(images, answer);
    if (answer.rows() != images.count() || answer.cols() != classes)
      throw Error(ErrorCode::wrong_score_shape, serve_classifier_name,
                  "expected scores [" + std::to_string(images.count()) + ", " + std::to_string(classes) + "], got [" +
                      std::to_string(answer.rows()) + ", " + std::to_string(answer.cols()) + "]");
    write_head<2>(output, frames::answer,
                  {static_cast<std::uint32_t>(answer.rows()), static_cast<std::uint32_t>(answer.cols())});
    write_all(output, std::as_bytes(answer.values()));
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
