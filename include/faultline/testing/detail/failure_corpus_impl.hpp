// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of testing/failure_corpus.hpp.

#include <faultline/testing/failure_corpus.hpp>

#include <faultline/analysis/problem/answer_edits.hpp>
#include <faultline/analysis/problem/edit.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/problem/replay_text.hpp>
#include <faultline/classify/score_request.hpp>
#include <faultline/config.hpp>
#include <faultline/core/number_text.hpp>
#include <faultline/error.hpp>
#include <faultline/testing/detail/mode_of.hpp>
#include <faultline/testing/detail/corpus_edit.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

/// Whether a text is a day, "2027-01-31"; of such texts the later day is the larger.
inline bool is_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  const auto number = [&](std::size_t first, std::size_t count) {
    int value = 0;
    for (const char c : text.substr(first, count)) {
      if (c < '0' || c > '9') return -1;
      value = 10 * value + (c - '0');
    }
    return value;
  };
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  if (year < 0 || month < 0 || day < 0) return false;
  return std::chrono::year_month_day(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                     std::chrono::day(static_cast<unsigned>(day)))
      .ok();
}

/// The day it is (UTC).
inline std::string present_day() {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()));
  const auto two = [](unsigned value) { return (value < 10 ? "0" : "") + std::to_string(value); };
  return std::to_string(static_cast<int>(day.year())) + "-" + two(static_cast<unsigned>(day.month())) + "-" +
         two(static_cast<unsigned>(day.day()));
}

/// "a, b and c"
inline std::string listed(std::span<const std::string> names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return text;
}

/// A text as a literal of a replay line; what a line cannot carry is to be supplied.
inline std::string literal(analysis::ReplayText& text, const std::string& value, const std::string& what) {
  const bool plain = analysis::ReplayText::plain(value) == value && value.find('"') == std::string::npos;
  if (plain) return '"' + value + '"';
  text.supply(what);
  return what;
}

/// One run of the gate on a corpus.
class CorpusGate {
 public:
  CorpusGate(const CorpusSource& source, const NoKnownFailureReturns& policy)
      : source_(source), policy_(policy), today_(policy.today.empty() ? present_day() : policy.today) {
    if (!is_day(today_)) refuse("'today' must be a day, \"2027-01-31\", got \"" + today_ + "\"");
    std::set<std::string> allowed;
    for (const Allowance& allowance : policy.allow) {
      if (allowance.reason.find_first_not_of(" \t\n") == std::string::npos)
        refuse("the allowance for \"" + allowance.name + "\" has no reason; say why the failure is accepted");
      if (!is_day(allowance.expires))
        refuse("the allowance for \"" + allowance.name + "\" needs a last day, \"2027-01-31\", got \"" +
               allowance.expires + "\"");
      if (!allowed.insert(allowance.name).second) refuse("there are two allowances for \"" + allowance.name + "\"");
    }
    choose_entries();
  }

  [[nodiscard]] GateResult operator()() {
    ask_all();
    GateFindings found;
    found.policy = "NoKnownFailureReturns";
    found.confidence = 1.0;
    found.mode = mode_of(policy_);
    found.allow_undecided = policy_.allow_undecided;
    std::int64_t returned = 0, allowed = 0, stale = 0;
    for (const Asked& asked : asked_) {
      const GateStatement statement = statement_of(asked, found);
      returned += statement.verdict == GateVerdict::fail ? 1 : 0;
      allowed += statement.verdict == GateVerdict::pass && asked.failed() ? 1 : 0;
      stale += asked.stale.empty() ? 0 : 1;
      found.samples += statement.samples;
      found.failures += statement.failures;
      found.statements.push_back(statement);
    }
    found.verdict = returned > 0 ? GateVerdict::fail : stale > 0 ? GateVerdict::undecided : GateVerdict::pass;
    summarise(found, returned, allowed, stale);
    note_allowances(found);
    note_criteria(found);
    found.run = source_.run;
    found.run.samples_per_split = found.samples;
    found.replay = replay(found);
    return GateResult(std::move(found));
  }

 private:
  /// An entry and what was answered.
  struct Asked {
    CorpusEntry entry;
    std::string stale = {};  ///< why it cannot be asked
    std::int64_t answer = 0;
    double probability = 0.0;  ///< of the label
    bool among_failed = false;
    std::optional<bool> alone_failed = std::nullopt;  ///< empty where it was not asked alone
    [[nodiscard]] bool failed() const { return among_failed || alone_failed.value_or(false); }
  };

  [[noreturn]] static void refuse(const std::string& what) { throw Error(ErrorCode::invalid_argument, "gate", what); }

  void choose_entries() {
    for (CorpusEntry& entry : read_corpus(policy_.folder)) {
      names_.insert(entry.name);
      if (policy_.only.empty() || std::ranges::find(policy_.only, entry.name) != policy_.only.end()) {
        std::string stale = why_stale(entry);
        asked_.push_back({.entry = std::move(entry), .stale = std::move(stale)});
      }
    }
    for (const std::string& name : policy_.only)
      if (!names_.contains(name))
        refuse("'only' names \"" + name + "\", but " + policy_.folder.string() + " has no entry of that name");
  }

  /// Why an entry is none of this generator's; empty when it is one.
  [[nodiscard]] std::string why_stale(const CorpusEntry& entry) const {
    const auto w_dim = static_cast<std::int64_t>(entry.w.size());
    if (entry.generator_digest != source_.run.generator_digest)
      return "it was made with the generator " + entry.generator_digest.substr(0, 12) + ", and this one is " +
             source_.run.generator_digest.substr(0, 12);
    if (w_dim != source_.w_dim)
      return "its w has " + std::to_string(w_dim) + " entries, and the generator's has " +
             std::to_string(source_.w_dim);
    if (!entry.channels.empty() && entry.channels.back() >= source_.styles)
      return "it shifts style channel " + std::to_string(entry.channels.back()) + ", and the generator has " +
             std::to_string(source_.styles) + " of them";
    if (entry.label >= source_.classes)
      return "its label is " + std::to_string(entry.label) + ", and the generator has " +
             std::to_string(source_.classes) + " classes";
    if (entry.cutoff.value_or(0) > source_.layers)
      return "it truncates " + std::to_string(*entry.cutoff) + " layers, and the generator has " +
             std::to_string(source_.layers);
    return {};
  }

  /// Entries of equal sampling share a source.
  void ask_all() {
    std::map<std::tuple<double, std::int64_t, Noise>, std::vector<Asked*>> groups;
    for (Asked& asked : asked_)
      if (asked.stale.empty())
        groups[{asked.entry.truncation, asked.entry.cutoff.value_or(-1), asked.entry.noise}].push_back(&asked);
    for (const auto& [sampling, group] : groups) ask(group);
  }

  void ask(const std::vector<Asked*>& group) const {
    const CorpusEntry& first = group.front()->entry;
    const analysis::AnySource source = source_.source({.truncation = first.truncation,
                                                       .cutoff = first.cutoff,
                                                       .noise = first.noise,
                                                       .batch_size = policy_.batch_size});
    std::vector<std::vector<float>> starts;
    std::vector<analysis::EditedLatent> edits;
    for (const Asked* asked : group) starts.push_back(as_floats(asked->entry.w));
    for (std::size_t i = 0; i < group.size(); ++i)
      edits.push_back({{starts[i], group[i]->entry.label}, edit_of(group[i]->entry)});

    classify::ScoreRequest request(source.problem.deferred);
    source.preflight();
    analysis::answer_in_blocks(source.problem.answer_edits, edits, {},
                               [&](std::size_t at, const analysis::EditAnswers& answers) {
                                 const analysis::ClassifierAnswers& said = answers.first();
                                 for (std::size_t i = 0; i < said.failed.size(); ++i) {
                                   Asked& asked = *group[at + i];
                                   asked.among_failed = said.failed[i] != 0;
                                   asked.answer = said.prediction[i];
                                   asked.probability = static_cast<double>(said.probability[i]);
                                 }
                               });
    // Those that fail, and those that are known to fail alone, are handed to the classifier one by one as well
    std::vector<Asked*> ones;
    std::vector<analysis::EditedLatent> again;
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (!group[i]->among_failed && group[i]->entry.batch) continue;
      ones.push_back(group[i]);
      again.push_back(edits[i]);
    }
    analysis::answer_in_blocks(source.problem.answer_edits, again, {.alone = true},
                               [&](std::size_t at, const analysis::EditAnswers& answers) {
                                 const analysis::ClassifierAnswers& said = answers.first();
                                 for (std::size_t i = 0; i < said.failed.size(); ++i) {
                                   Asked& asked = *ones[at + i];
                                   asked.alone_failed = said.failed[i] != 0;
                                   if (asked.among_failed || !*asked.alone_failed) continue;
                                   asked.answer = said.prediction[i];
                                   asked.probability = static_cast<double>(said.probability[i]);
                                 }
                               });
    request.end();
  }

  /// The allowance for an entry, expired or not.
  [[nodiscard]] const Allowance* allowance_for(const std::string& name) const {
    const auto found = std::ranges::find(policy_.allow, name, &Allowance::name);
    return found == policy_.allow.end() ? nullptr : &*found;
  }
  [[nodiscard]] bool expired(const Allowance& allowance) const { return allowance.expires < today_; }

  [[nodiscard]] GateStatement statement_of(const Asked& asked, GateFindings& found) const {
    const CorpusEntry& entry = asked.entry;
    GateStatement statement;
    statement.name = entry.name;
    if (!asked.stale.empty()) {
      statement.interval = {0.0, 1.0};
      statement.text = "it could not be asked: " + asked.stale + ".";
      return statement;
    }
    const bool failed = asked.failed();
    const Allowance* allowance = failed ? allowance_for(entry.name) : nullptr;
    const bool counts = failed && (allowance == nullptr || expired(*allowance));
    statement.verdict = counts ? GateVerdict::fail : GateVerdict::pass;
    statement.samples = 1;
    statement.failures = failed ? 1 : 0;
    statement.estimate = failed ? 1.0 : 0.0;
    statement.interval = {statement.estimate, statement.estimate};
    statement.evidence_against = counts ? certain_evidence : 1.0;
    const std::string label = std::to_string(entry.label);
    statement.text = "expected " + label + ", answered " + std::to_string(asked.answer) + " with p(" + label +
                     ") = " + rounded_text(asked.probability, 3);
    if (!failed) {
      statement.text += ".";
      return statement;
    }
    if (asked.among_failed && !*asked.alone_failed) statement.text += ", among other images only: alone it is right";
    if (!asked.among_failed) statement.text += ", alone only: among other images it is right";
    const std::filesystem::path picture = policy_.folder / (entry.name + ".png");
    std::error_code absent;
    if (std::filesystem::exists(picture, absent)) {
      statement.text += "; picture " + picture.string();
      found.pictures.push_back(picture.string());
    }
    statement.text += ". By itself: .only = {\"" + entry.name + "\"}";
    if (allowance != nullptr && counts)
      statement.text += ". Its allowance (" + allowance->reason + ") ended on " + allowance->expires;
    if (allowance != nullptr && !counts) {
      statement.text += ". Allowed until " + allowance->expires + ": " + allowance->reason;
      found.notes.push_back("Known failure " + entry.name + " fails, which is allowed until " + allowance->expires +
                            ": " + allowance->reason);
    }
    statement.text += ".";
    return statement;
  }

  static void summarise(GateFindings& found, std::int64_t returned, std::int64_t allowed, std::int64_t stale) {
    const std::string all = std::to_string(found.statements.size());
    const std::string but = allowed == 0 ? "."
                                         : ", but for " + std::to_string(allowed) +
                                               (allowed == 1 ? " that is" : " that are") + " allowed for a time.";
    if (returned > 0) {
      found.headline = std::to_string(returned) + " of " + all +
                       (found.statements.size() == 1 ? " known failure returns." : " known failures return.");
      found.advice =
          "Look at the pictures; a failure that is accepted for a time goes into .allow, with a reason and a last day.";
    } else if (stale > 0) {
      found.headline = std::to_string(stale) + " of " + all +
                       " known failures could not be asked, and none of the others returns" + but;
    } else {
      found.headline =
          "None of " + all + (found.statements.size() == 1 ? " known failure" : " known failures") + " returns" + but;
    }
    if (stale > 0)
      found.advice += std::string(found.advice.empty() ? "" : " ") +
                      "Entries that belong to another generator are renewed by collect_failures on this one, with the "
                      "classifier that failed; then delete the old files.";
  }

  void note_allowances(GateFindings& found) const {
    for (const Allowance& allowance : policy_.allow) {
      if (!names_.contains(allowance.name)) {
        found.notes.push_back("The allowance for " + allowance.name + " names no entry of the corpus; remove it.");
        continue;
      }
      const auto asked =
          std::ranges::find_if(asked_, [&](const Asked& each) { return each.entry.name == allowance.name; });
      if (asked == asked_.end() || !asked->stale.empty()) continue;
      if (!asked->failed())
        found.notes.push_back("Known failure " + allowance.name + " is answered rightly; its allowance can go.");
      else if (expired(allowance))
        found.notes.push_back("The allowance for " + allowance.name + " ended on " + allowance.expires +
                              " and no longer counts (it is " + today_ + ").");
    }
  }

  void note_criteria(GateFindings& found) const {
    std::vector<std::string> others;
    for (const Asked& asked : asked_)
      if (asked.stale.empty() && (asked.entry.criterion != source_.run.criterion ||
                                  asked.entry.criterion_expression != source_.run.criterion_expression))
        others.push_back(asked.entry.name + " (" + asked.entry.criterion + ")");
    if (!others.empty())
      found.notes.push_back("Found by another criterion than \"" + source_.run.criterion +
                            "\", by which they are asked here: " + listed(others) + ".");
  }

  [[nodiscard]] std::string replay(const GateFindings& found) const {
    analysis::ReplayText text;
    text.write("fl::testing::gate(" + text.model("generator", "", found.run.generator_digest) + ", ");
    text.write(text.model("classifier", found.run.classifier_name, found.run.classifier_digest));
    text.write(", fl::testing::NoKnownFailureReturns{");
    text.add("folder", literal(text, policy_.folder.string(), "folder"));
    std::string list;
    for (const Allowance& allowance : policy_.allow)
      list += (list.empty() ? "{" : ", {") + literal(text, allowance.name, "name") + ", " +
              literal(text, allowance.reason, "reason") + ", \"" + allowance.expires + "\"}";
    if (!list.empty()) text.add("allow", "{" + list + "}");
    const NoKnownFailureReturns standard;
    if (policy_.batch_size != standard.batch_size) text.add("batch_size", policy_.batch_size);
    list.clear();
    for (const std::string& name : policy_.only) list += (list.empty() ? "\"" : ", \"") + name + "\"";
    if (!list.empty()) text.add("only", "{" + list + "}");
    if (!policy_.allow.empty()) text.add("today", "\"" + today_ + "\"");
    if (policy_.probability_tolerance != standard.probability_tolerance)
      text.add("probability_tolerance", number_text(policy_.probability_tolerance));
    if (found.mode == GateMode::smoke) text.add("mode", std::string("fl::testing::GateMode::smoke"));
    if (policy_.allow_undecided) text.add("allow_undecided", std::string("true"));
    text.write("}");
    text.criterion(found.run);
    text.write(")");
    return text.text();
  }

  const CorpusSource& source_;
  const NoKnownFailureReturns& policy_;
  std::string today_;
  std::set<std::string> names_;  ///< of all entries of the folder
  std::vector<Asked> asked_;
};

FAULTLINE_INLINE GateResult ask_corpus(const CorpusSource& source, const NoKnownFailureReturns& policy) {
  return CorpusGate(source, policy)();
}

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
