// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the answers per class say before any statistics: classes that are answered as another one.

#include <faultline/config.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace sampling {

/// Counts answers per label, and names the classes that are nearly always answered as another.
class ClassNotes {
 public:
  /// Adds samples with their labels and the classifier's answers.
  void add(std::span<const std::int64_t> labels, std::span<const std::int64_t> answers) {
    for (std::size_t i = 0; i < std::min(labels.size(), answers.size()); ++i) ++counts_[labels[i]][answers[i]];
  }

  /// One sentence per class of at least 10 samples of which at least four in five get one and the same wrong answer;
  /// two classes that are answered as each other share one. Empty when there is no such class. `source` is where the
  /// labels come from.
  [[nodiscard]] std::vector<std::string> sentences(const std::string& source = "the generator") const {
    std::map<std::int64_t, Usual> usual;
    for (const auto& [label, answers] : counts_) {
      Usual u;
      for (const auto& [answer, count] : answers) {
        u.samples += count;
        if (count > u.count) u.answer = answer, u.count = count;
      }
      if (u.samples >= 10 && 5 * u.count >= 4 * u.samples && u.answer != label) usual[label] = u;
    }
    std::vector<std::string> result;
    for (const auto& [label, u] : usual) {
      const auto other = usual.find(u.answer);
      const bool swapped = other != usual.end() && other->second.answer == label;
      if (swapped && u.answer < label) continue;  // said with the other
      std::string sentence = said(label, u);
      if (swapped) sentence += " and " + said(u.answer, other->second, "class ") + ": two labels are swapped";
      result.push_back(sentence + "; does the classifier number its classes like " + source + "?");
    }
    return result;
  }

 private:
  struct Usual {
    std::int64_t answer = 0;
    std::int64_t count = 0;
    std::int64_t samples = 0;
  };
  static std::string said(std::int64_t label, const Usual& u, const char* subject = "Class ") {
    return subject + std::to_string(label) + " is " + (u.count == u.samples ? "always" : "nearly always") +
           " answered " + std::to_string(u.answer) + " (" + std::to_string(u.count) + " of " +
           std::to_string(u.samples) + " samples)";
  }

  std::map<std::int64_t, std::map<std::int64_t, std::int64_t>> counts_;
};

}  // namespace sampling
}  // namespace v1
}  // namespace faultline
