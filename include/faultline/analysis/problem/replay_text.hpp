// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A run's description as the C++ call that repeats it. What a line of text cannot carry, it names.

#include <faultline/analysis/provenance.hpp>
#include <faultline/core/sha256.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// A call as text, argument by argument: designated initialisers, and what the text cannot carry.
class ReplayText {
 public:
  /// Text that can neither end the comment nor the line that it is in.
  [[nodiscard]] static std::string plain(std::string_view text) {
    std::string result;
    for (const char c : text) result += c == '*' || c == '\\' || static_cast<unsigned char>(c) < 32 ? ' ' : c;
    return result;
  }

  /// Adds an option to the innermost open braces.
  void add(std::string_view name, std::int64_t value) {  // (the lowest number has no literal of its own)
    add(name,
        value == std::numeric_limits<std::int64_t>::min() ? std::to_string(value + 1) + " - 1" : std::to_string(value));
  }
  void add(std::string_view name, const std::string& value) {
    if (!line_.ends_with('{')) line_ += ", ";
    line_ += "." + std::string(name) + " = " + value;
  }
  /// Adds text as it is.
  void write(std::string_view text) { line_ += text; }
  /// Notes what whoever repeats the call has to supply.
  void supply(const std::string& what) { missing_.push_back(plain(what)); }

  /// `role /* name, digest */`; a model that states no digest is to be supplied, because nobody can tell it from
  /// another.
  [[nodiscard]] std::string model(const std::string& role, const std::string& name,
                                  const std::optional<std::string>& digest) {
    const std::string note = model_note(role, name, digest);
    return note.empty() ? role : role + " /* " + note + " */";
  }
  /// The note by itself: "clean, 2df001c97d6b".
  [[nodiscard]] std::string model_note(const std::string& role, const std::string& name,
                                       const std::optional<std::string>& digest) {
    std::string note = plain(name);
    if (!digest) supply(role + " \"" + note + "\", which states no digest");
    else note += (note.empty() ? "" : ", ") + plain(digest->substr(0, 12));
    return note;
  }

  /// `fl::LabelPolicy::given({3, 5})`; a long list is to be supplied.
  [[nodiscard]] std::string labels(const LabelPolicy& policy) {
    constexpr std::size_t longest = 200;  // a replay line is for people
    const std::string call = "fl::LabelPolicy::" + std::string(core::enumerator_of(policy.kind));
    if (policy.kind == LabelPolicy::Kind::uniform) return call + "()";
    if (policy.kind == LabelPolicy::Kind::fixed) return call + "(" + std::to_string(policy.label) + ")";
    std::string list;
    for (const std::int64_t label : policy.labels) list += (list.empty() ? "" : ", ") + std::to_string(label);
    if (policy.labels.size() <= longest) return call + "({" + list + "})";
    supply("labels, " + std::to_string(policy.labels.size()) +
           " of them; their text, separated by \", \", has the SHA-256 " + sha256_hex(list));
    return call + "(labels)";
  }

  /// The criterion as the last argument; nothing for the default one.
  void criterion(const Provenance& run) {
    if (run.criterion_expression == "fl::Misclassified{}") return;
    write(", " + (run.criterion_expression.empty() ? "criterion" : run.criterion_expression));
    if (run.criterion_expression.empty()) supply("criterion \"" + run.criterion + "\", a function of your own");
  }

  /// The whole line; what is to be supplied follows it.
  [[nodiscard]] std::string text() const {
    std::string result = line_;
    for (std::size_t i = 0; i < missing_.size(); ++i) result += (i == 0 ? "  // to be supplied: " : "; ") + missing_[i];
    return result;
  }

 private:
  std::string line_;
  std::vector<std::string> missing_;
};

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
