// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of interop/child_process.hpp: the frames, and a sentence for everything that can be wrong with them.

#include <faultline/interop/child_process.hpp>

#include <faultline/core/number_text.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/core/sha256.hpp>
#include <faultline/interop/detail/frames.hpp>
#include <faultline/interop/detail/child.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace detail {

inline constexpr const char* child_process = "ChildProcessClassifier";

/// Whether what has come cannot begin with these letters.
[[nodiscard]] inline bool begins_otherwise(std::span<const std::byte> come, std::string_view letters) {
  const std::string_view text(reinterpret_cast<const char*>(come.data()), std::min(come.size(), letters.size()));
  return text != letters.substr(0, text.size());
}

/// Foreign bytes for a message. What is not printable ASCII becomes '?': it may be of any encoding, and cut anywhere.
[[nodiscard]] inline std::string printable(std::string_view text) {
  std::string result(text);
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return result;
}

/// The beginning of what a child wrote, in quotes.
[[nodiscard]] inline std::string beginning(std::span<const std::byte> come) {
  constexpr std::size_t most = 60;
  const std::string_view text(reinterpret_cast<const char*>(come.data()), std::min(come.size(), most));
  return "\"" + printable(text.substr(0, text.find('\n'))) + "\"";
}

/// The last lines of what a child wrote on its standard error, as " | " separates them; empty for none.
[[nodiscard]] inline std::string last_lines(std::string_view text) {
  constexpr std::size_t most_lines = 5, most_bytes = 600;
  std::string result;
  for (std::size_t lines = 0; lines < most_lines && !text.empty() && result.size() < most_bytes;) {
    const std::size_t end = text.rfind('\n');
    std::string_view line = text.substr(end == std::string_view::npos ? 0 : end + 1);
    text = text.substr(0, end == std::string_view::npos ? 0 : end);
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    if (line.empty()) continue;
    const std::size_t room = most_bytes - result.size();
    const std::string shown = line.size() > room ? "..." + printable(line.substr(line.size() - room)) : printable(line);
    result = result.empty() ? shown : shown + " | " + result;
    ++lines;
  }
  return result;
}

[[nodiscard]] inline std::string seconds_text(double seconds) { return rounded_text(seconds, 4) + " s"; }

/// "[64, 10]".
[[nodiscard]] inline std::string shape_text(std::int64_t rows, std::int64_t columns) {
  return "[" + std::to_string(rows) + ", " + std::to_string(columns) + "]";
}

}  // namespace detail

FAULTLINE_INLINE ChildProcessClassifier::ChildProcessClassifier(std::string command, ChildProcessOptions options)
    : command_(std::move(command)), options_(std::move(options)) {
  const char* const where = detail::child_process;
  if (command_.find_first_not_of(" \t\n") == std::string::npos || command_.find('\0') != std::string::npos)
    throw Error(ErrorCode::invalid_argument, where,
                "expected a command for /bin/sh, got none, or one with a zero byte");
  core::require_in(where, ".classes", options_.classes, 0, limits::classes);
  core::require_in(where, ".start_seconds", options_.start_seconds, 0.001, limits::seconds);
  core::require_in(where, ".batch_seconds", options_.batch_seconds, 0.001, limits::seconds);
  core::require_in(where, ".grace_seconds", options_.grace_seconds, 0.0, limits::seconds);
  if (options_.name.empty()) options_.name = command_;
  try {
    child_ = std::make_unique<detail::Child>(command_, options_.grace_seconds);
  } catch (const std::system_error& error) {
    throw Error(ErrorCode::classifier_threw, where,
                "could not start /bin/sh for the command '" + command_ + "': " + error.what());
  }
  read_hello();
}

FAULTLINE_INLINE ChildProcessClassifier::~ChildProcessClassifier() = default;
FAULTLINE_INLINE ChildProcessClassifier::ChildProcessClassifier(ChildProcessClassifier&&) noexcept = default;
FAULTLINE_INLINE ChildProcessClassifier& ChildProcessClassifier::operator=(ChildProcessClassifier&&) noexcept = default;

FAULTLINE_INLINE void ChildProcessClassifier::read_hello() {
  using Outcome = detail::Child::Outcome;
  const auto deadline = detail::Child::after(options_.start_seconds);
  const auto expect = [&](std::size_t bytes, std::string_view letters) {
    reply_.resize(bytes);
    const Outcome outcome = child_->exchange({}, {}, reply_, bytes, deadline, [&](std::span<const std::byte> come) {
      return detail::begins_otherwise(come, letters);
    });
    if (outcome == Outcome::complete) return;
    if (outcome == Outcome::refused)
      fail(ErrorCode::classifier_threw,
           "wrote " + detail::beginning(std::span(reply_).first(child_->received())) +
               " on its standard output, where its hello was expected; standard output is for frames alone, messages "
               "belong on standard error");
    const std::string so_far = child_->received() == 0 && !letters.empty() ? "" : " and was cut short";
    if (outcome == Outcome::stalled)
      fail(ErrorCode::classifier_threw, "has not said hello within " + detail::seconds_text(options_.start_seconds) +
                                            so_far + "; .start_seconds allows for more");
    fail(ErrorCode::classifier_threw, child_->ended(1.0) ? child_->end_text() + " before its hello was complete"
                                                         : "closed its standard output before its hello was complete");
  };

  expect(detail::frames::hello_bytes, detail::frames::hello);
  const std::uint32_t version = detail::number_at(reply_, 0), classes = detail::number_at(reply_, 1),
                      scores = detail::number_at(reply_, 2), digest_bytes = detail::number_at(reply_, 3);
  if (version != detail::frames::version)
    fail(ErrorCode::classifier_threw, "speaks version " + std::to_string(version) + " of the protocol, expected " +
                                          std::to_string(detail::frames::version));
  if (classes < 1 || classes > limits::classes)
    fail(ErrorCode::wrong_score_shape, "states " + std::to_string(classes) + " classes, expected 1 to " +
                                           std::to_string(limits::classes) + "; are its numbers little endian?");
  if (options_.classes != 0 && options_.classes != static_cast<std::int64_t>(classes))
    fail(ErrorCode::wrong_score_shape,
         "states " + std::to_string(classes) + " classes, expected .classes = " + std::to_string(options_.classes));
  options_.classes = static_cast<std::int64_t>(classes);
  if (scores > 2)
    fail(ErrorCode::scores_undeclared, "states " + std::to_string(scores) +
                                           " as what its scores are, expected 0 (not stated), 1 (logits) or 2 "
                                           "(probabilities)");
  const Scores stated = scores == 1 ? Scores::logits : scores == 2 ? Scores::probabilities : Scores::undeclared;
  if (options_.scores == Scores::undeclared) options_.scores = stated;
  if (options_.scores == Scores::undeclared)
    fail(ErrorCode::scores_undeclared,
         "does not state what its scores are; let its hello state 1 (logits) or 2 (probabilities), or say .scores");
  if (stated != Scores::undeclared && stated != options_.scores)
    fail(stated == Scores::probabilities ? ErrorCode::not_logits : ErrorCode::not_probabilities,
         stated == Scores::probabilities
             ? "states that its scores are probabilities, expected .scores = Scores::logits"
             : "states that its scores are logits, expected .scores = Scores::probabilities");
  if (digest_bytes > detail::frames::most_digest_bytes)
    fail(ErrorCode::classifier_threw, "states a digest of " + std::to_string(digest_bytes) +
                                          " bytes, expected at most " +
                                          std::to_string(detail::frames::most_digest_bytes));
  expect(digest_bytes, {});
  const std::string digest(reinterpret_cast<const char*>(reply_.data()), reply_.size());
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:_-";
  if (digest.find_first_not_of(letters) != std::string::npos)
    fail(ErrorCode::classifier_threw,
         "states a digest with other characters than letters, digits and .:_-, " + detail::beginning(reply_));
  if (options_.digest.empty()) options_.digest = digest.empty() ? sha256_hex(command_) : digest;
}

FAULTLINE_INLINE void ChildProcessClassifier::score(ImageView images, ScoreMatrix& scores) {
  using Outcome = detail::Child::Outcome;
  const char* const where = detail::child_process;
  if (!child_)
    throw Error(ErrorCode::classifier_threw, where,
                "the command '" + command_ + "' is not running any more; it " +
                    (failure_.empty() ? "was moved to another classifier" : failure_));
  if (!child_->own())
    throw Error(ErrorCode::classifier_threw, where,
                "the command '" + command_ +
                    "' was started by the process that this one was forked from, and answers that one alone; make a "
                    "classifier of its own here");
  const std::int64_t count = images.count(), classes = options_.classes;
  core::require_in(where, "the number of images in a batch", count, 0, limits::batch);
  core::require_in(where, "the number of values of an image", images.shape().elements(), 1, limits::pixels);
  if (count == 0) {
    scores.resize(0, classes);
    return;
  }
  const std::string batch = count == 1 ? "image " + std::to_string(sent_)
                                       : "images " + std::to_string(sent_) + " to " + std::to_string(sent_ + count - 1);
  const std::string on_batch = batch + " of those it was sent";

  const std::size_t needed = detail::frames::answer_bytes + static_cast<std::size_t>(count * classes) * sizeof(float);
  reply_.resize(needed + 1);  // one more, to notice that there is more
  const auto ended = [&] {
    return child_->ended(1.0) ? child_->end_text() : std::string("closed its standard output");
  };
  if (const Outcome idle = child_->look(reply_); idle == Outcome::ended) {
    fail(ErrorCode::classifier_threw, ended() + " before it was sent " + batch);
  } else if (idle == Outcome::surplus) {
    fail(ErrorCode::classifier_threw, std::string("wrote more than its ") + (sent_ == 0 ? "hello" : "last answer") +
                                          ", before it was sent " + batch + ", beginning with " +
                                          detail::beginning(std::span(reply_).first(child_->received())));
  }

  std::array<std::byte, 24> head{};
  const std::array<std::uint32_t, 5> numbers{
      detail::frames::version, static_cast<std::uint32_t>(count), static_cast<std::uint32_t>(images.channels()),
      static_cast<std::uint32_t>(images.height()), static_cast<std::uint32_t>(images.width())};
  std::memcpy(head.data(), detail::frames::batch.data(), 4);
  std::memcpy(head.data() + 4, numbers.data(), 20);
  const std::span<const std::byte> body =
      std::as_bytes(std::span(images.data(), static_cast<std::size_t>(count * images.shape().elements())));
  const auto other_shape = [&](std::span<const std::byte> come) {
    return come.size() >= detail::frames::answer_bytes &&
           (detail::number_at(come, 0) != static_cast<std::uint64_t>(count) ||
            detail::number_at(come, 1) != static_cast<std::uint64_t>(classes));
  };
  const Outcome outcome = child_->exchange(
      head, body, reply_, needed, detail::Child::after(options_.batch_seconds), [&](std::span<const std::byte> come) {
        return detail::begins_otherwise(come, detail::frames::answer) || other_shape(come);
      });
  const std::span<const std::byte> come = std::span<const std::byte>(reply_).first(child_->received());
  const std::string part =
      "wrote " + std::to_string(come.size()) + " of the " + std::to_string(needed) + " bytes of its answer";
  switch (outcome) {
    case Outcome::complete: break;
    case Outcome::surplus:
      fail(ErrorCode::classifier_threw,
           "wrote more than the " + std::to_string(needed) + " bytes of its answer to " + on_batch);
    case Outcome::early:
      fail(ErrorCode::classifier_threw, "answered before it had read all of " + on_batch + ": it took " +
                                            std::to_string(child_->sent()) + " of " +
                                            std::to_string(head.size() + body.size()) + " bytes");
    case Outcome::refused:
      if (detail::begins_otherwise(come, detail::frames::answer))
        fail(ErrorCode::classifier_threw,
             "wrote " + detail::beginning(come) + " on its standard output, where its answer to " + on_batch +
                 " was expected; standard output is for frames alone, messages belong on standard error");
      fail(ErrorCode::wrong_score_shape,
           "answered " + detail::shape_text(detail::number_at(come, 0), detail::number_at(come, 1)) +
               " scores, expected " + detail::shape_text(count, classes) + ", for " + on_batch);
    case Outcome::stalled:
      fail(ErrorCode::classifier_threw,
           (child_->ended(0.0) ? child_->end_text() + ", leaving others at its standard output, and "
            : come.empty()     ? "answered nothing, "
                               : "") +
               (come.empty() ? "took " + std::to_string(child_->sent()) + " of the " +
                                   std::to_string(head.size() + body.size()) + " bytes of the batch"
                             : part) +
               " within " + detail::seconds_text(options_.batch_seconds) + ", on " + on_batch +
               ", and was killed; .batch_seconds allows for more");
    case Outcome::ended:
      fail(ErrorCode::classifier_threw, ended() + " on " + on_batch + (come.empty() ? "" : "; it " + part));
  }
  scores.resize(count, classes);
  std::memcpy(scores.data(), reply_.data() + detail::frames::answer_bytes, needed - detail::frames::answer_bytes);
  sent_ += count;
}

FAULTLINE_INLINE void ChildProcessClassifier::fail(ErrorCode code, const std::string& what) {
  child_->end(0.0);
  failure_ = what;
  const std::string said = detail::last_lines(child_->messages());
  if (!said.empty()) failure_ += "; on its standard error it wrote: " + said;
  child_.reset();
  throw Error(code, detail::child_process, "the command '" + command_ + "' " + failure_);
}

}  // namespace v1
}  // namespace faultline
