// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The one exception type of the library and its stable codes; docs/reference/errors.md explains each.

#include <faultline/config.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <iosfwd>
#include <stdexcept>
#include <string>
#include <string_view>

namespace faultline {
inline namespace v1 {

/// Stable number of an error; the hundreds are its family. A code never changes its meaning.
enum class ErrorCode : int {
  // F1xx: arguments and shapes
  invalid_argument = 101,     ///< an option or argument is outside its documented range
  label_out_of_range = 102,   ///< a class label is negative or not below the number of classes
  shape_mismatch = 103,       ///< array shapes do not fit together
  empty_input = 104,          ///< zero samples, images or rows where at least one is needed
  incompatible_models = 105,  ///< generator and classifier do not fit together
  forked_process = 106,       ///< LibTorch ran before this process was forked
  generator_threw = 107,      ///< the user's generator threw
  // F2xx: classifier
  scores_undeclared = 201,    ///< neither logits nor probabilities were declared
  classifier_threw = 202,     ///< the user's callable threw
  wrong_score_shape = 203,    ///< scores are not [N, K]
  non_finite_scores = 204,    ///< a score is NaN or infinite
  not_probabilities = 205,    ///< declared probabilities are negative or do not sum to one
  classifier_unlawful = 206,  ///< not deterministic, rows depend on each other, or the input was written to
  property_threw = 207,       ///< a user's property or criterion threw or returned a non-finite value
  not_logits = 208,           ///< declared logits are probabilities already
  scores_missing = 209,       ///< images have no scores yet, which are made elsewhere
  // F3xx: format
  bad_magic = 301,            ///< not the expected kind of file
  truncated = 302,            ///< the file ends before its contents do
  oversized = 303,            ///< the file has bytes beyond its contents, or states sizes beyond the limits
  malformed_header = 304,     ///< the header cannot be parsed or contradicts itself
  digest_mismatch = 305,      ///< contents do not match the stored SHA-256
  missing_tensor = 306,       ///< a tensor the architecture needs is absent
  unexpected_tensor = 307,    ///< a tensor the architecture does not know
  wrong_tensor_shape = 308,   ///< a tensor has another shape or element type than the architecture needs
  non_finite_weight = 309,    ///< a weight is NaN or infinite
  foreign_format = 310,       ///< a sound file of another program or version
  probe_mismatch = 311,       ///< the model does not reproduce the probe stored with it
  corrupt_compression = 312,  ///< a gzip or PNG stream is damaged
  inconsistent_files = 313,   ///< files that belong together disagree (images and labels)
  // F4xx: input and output
  cannot_open = 401,       ///< a file cannot be opened for reading
  cannot_write = 402,      ///< a file cannot be written (disk full, permissions)
  not_durable = 403,       ///< written and renamed, but flushing the directory failed
  data_unavailable = 404,  ///< a data set is neither present nor downloadable
  // F5xx: device
  device_unavailable = 501,  ///< the requested device or precision is not there
  out_of_resources = 502,    ///< the machine has not the memory that was asked for
  libtorch_failed = 503,     ///< LibTorch refused an operation of ours
  // F6xx: statistics
  degenerate_statistics = 601,  ///< a statistic is undefined for this data (no variation, empty group)
  not_converged = 602,          ///< an iteration ended without reaching its tolerance
};

/// Writes "F203", as messages and docs/reference/errors.md have it.
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, ErrorCode code) {
  return out << 'F' << static_cast<int>(code);
}

/// Base of everything the library throws. `what()` reads `[F203] where: expected, found, what to do`.
///
/// Example: `catch (const faultline::Error& error) { if (error.code() == ErrorCode::digest_mismatch) ... }`
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, std::string_view where, std::string_view message)
      : std::runtime_error("[F" + std::to_string(static_cast<int>(code)) + "] " + std::string(where) + ": " +
                           std::string(message)),
        code_(code) {}

  /// The stable code.
  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  /// The hundreds of the code: 1 arguments, 2 classifier, 3 format, 4 input/output, 5 device, 6 statistics.
  [[nodiscard]] int family() const noexcept { return static_cast<int>(code_) / 100; }

 private:
  ErrorCode code_;
};

namespace detail {

/// What a foreign exception says: LibTorch appends the stack of the place that threw, and TorchScript puts the stack of
/// the script before it; neither belongs into a message.
inline std::string foreign_text(const std::exception& error) {
  std::string text = error.what();
  text.erase(std::min(text.find("Exception raised from"), text.size()));
  if (text.find("Traceback of TorchScript") != std::string::npos)
    if (const std::size_t last = text.rfind("RuntimeError: "); last != std::string::npos)
      text.erase(0, last + std::string("RuntimeError: ").size());
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
