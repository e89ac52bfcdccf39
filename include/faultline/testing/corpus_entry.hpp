// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// An entry of a failure corpus, and its files: what fails, as small as it could be made, in a form that every later
// build can be asked about.

#include <faultline/concepts/generator_options.hpp>
#include <faultline/core/describe.hpp>
#include <faultline/core/image.hpp>

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {

/// The format of an entry's file.
inline constexpr const char* corpus_format = "faultline.failure/1";

/// A known failure: a latent that was answered rightly, the edit of its styles that made the answer wrong, and the
/// answer. Generator and entry give the image again.
///
/// **Shapes**: w `[w_dim]`, before truncation; `channels` are flat style indices, ascending, with one shift each, in
/// style units at the amount 1.
struct CorpusEntry {
  std::string format = corpus_format;
  std::string name;                  ///< of its files; letters, digits, `.`, `_` and `-`
  std::string generator_digest;      ///< of the generator that makes the image
  std::int64_t label = 0;            ///< the right answer
  std::int64_t answer = 0;           ///< that was given when the entry was made
  double probability = 0.0;          ///< of the label, then
  std::string criterion;             ///< by which that is a failure, see `criterion_name`
  std::string criterion_expression;  ///< see `criterion_expression`; empty for one of the user's own
  std::string classifier_name;       ///< of the classifier that failed
  std::optional<std::string> classifier_digest = std::nullopt;
  std::int64_t seed = 0;   ///< of the sampler that drew the failing sample
  std::int64_t index = 0;  ///< of that sample
  double truncation = 1.0;
  std::optional<std::int64_t> cutoff = std::nullopt;
  Noise noise = Noise::constant;  ///< or none: random noise gives no image twice
  std::vector<double> w;          ///< where the edit starts
  std::vector<std::int64_t> channels;
  std::vector<double> shifts;
  double amount = 1.0;  ///< of the shifts, at which it fails
  bool alone = false;   ///< it was seen to fail when it was asked for alone
  bool batch = false;   ///< it was seen to fail among other images
  std::string note;     ///< for people
};
FAULTLINE_MEMBERS(CorpusEntry, format, name, generator_digest, label, answer, probability, criterion,
                  criterion_expression, classifier_name, classifier_digest, seed, index, truncation, cutoff, noise, w,
                  channels, shifts, amount, alone, batch, note)

/// Writes the entry's name: what test frameworks print of the parameter of a test.
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const CorpusEntry& entry) {
  return out << entry.name;
}

/// An entry as the text of its file, and back; `where` stands for the file in messages.
///
/// **Throws** foreign_format for JSON of another format; malformed_header for broken JSON, a member that is missing,
/// unknown or of another type, lists that do not fit together, numbers that are not finite or out of their range, and
/// random noise.
[[nodiscard]] std::string corpus_entry_text(const CorpusEntry& entry);
[[nodiscard]] CorpusEntry parse_corpus_entry(std::string_view text, std::string_view where);

/// An entry out of its file.
///
/// **Throws** as `parse_corpus_entry`; cannot_open; oversized above 16 MB; inconsistent_files for a file that does not
/// have the entry's name.
/// Example: `CorpusEntry entry = read_corpus_entry("corpus/3_as_8_1f3a9c20.json");`
[[nodiscard]] CorpusEntry read_corpus_entry(const std::filesystem::path& file);

/// All entries of a folder, in the order of their names: its files `*.json`. Other files and folders are left alone.
///
/// **Throws** cannot_open for a folder that is absent or unreadable; empty_input for one without an entry; and as
/// `read_corpus_entry`.
[[nodiscard]] std::vector<CorpusEntry> read_corpus(const std::filesystem::path& folder);

/// Writes an entry as `<name>.json` with its picture `<name>.png`, all or nothing each, the picture first; makes the
/// folder where it is missing, and replaces an entry of that name.
///
/// **Shapes**: `images` are `[N, C, H, W]` in [0, 1] and stand side by side in the picture, enlarged; none: no picture.
/// **Throws** invalid_argument for an entry that could not be read again; cannot_write, not_durable.
/// Example: `write_corpus_entry("corpus", shrunk.entry, shrunk.images);`
void write_corpus_entry(const std::filesystem::path& folder, const CorpusEntry& entry, const ImageBatch& images = {});

}  // namespace testing
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/testing/detail/corpus_entry_impl.hpp>
#endif
