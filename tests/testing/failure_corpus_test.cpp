// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A failure corpus: failures shrink to what was planted, files say the same when they are read again, and the gate
// tells what fails, what is allowed and what cannot be asked.

#include <faultline/testing/failure_corpus.hpp>
#include <faultline/testing/gate_suite.hpp>

#include <faultline/classify/make_classifier.hpp>
#include <faultline/core/atomic_file.hpp>
#include <faultline/data/png.hpp>
#include <faultline/sampling/analytic_generator.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace fl = faultline;
using faultline_tests::TemporaryDirectory;
using fl::testing::Allowance;
using fl::testing::collect_failures;
using fl::testing::CorpusEntry;
using fl::testing::gate;
using fl::testing::GateVerdict;
using fl::testing::NoKnownFailureReturns;
using fl::testing::read_corpus;
using fl::testing::read_corpus_entry;
using fl::testing::shrink_failure;
using fl::testing::ShrunkFailure;
using fl::testing::write_corpus_entry;

namespace {

const fl::AnalyticGenerator& known() {
  static const fl::AnalyticGenerator generator({.factors = 3, .channels = 64, .classes = 4, .seed = 1});
  return generator;
}

// Answers the next class where `wrong` says so of the factors; the further `strength`, the clearer.
using Wrong = std::function<float(std::span<const float> factors)>;
auto classifier_with(const Wrong& wrong) {
  return fl::make_classifier(
      [wrong](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), known().num_classes());
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto reading = known().read(images, i);
          scores(i, reading.label) = 2.0f;
          scores(i, (reading.label + 1) % known().num_classes()) = 2.0f + wrong(reading.factors);
        }
      },
      {.classes = known().num_classes(), .scores = fl::Scores::logits, .name = "planted", .digest = "d1"});
}
auto beyond(float limit) {
  return classifier_with([limit](std::span<const float> f) { return f[0] - limit; });
}

// The factors of an entry's image
std::vector<float> factors_of(const CorpusEntry& entry, double amount) {
  fl::Matrix<float> w(1, known().w_dim());
  for (std::size_t j = 0; j < entry.w.size(); ++j) w(0, static_cast<std::int64_t>(j)) = static_cast<float>(entry.w[j]);
  fl::Matrix<float> s = known().styles(w);
  for (std::size_t k = 0; k < entry.channels.size(); ++k)
    s(0, entry.channels[k]) += static_cast<float>(amount * entry.shifts[k]);
  const fl::Matrix<float> factors = known().factors(s);
  return {factors.row_span(0).begin(), factors.row_span(0).end()};
}

template <class Work>
fl::ErrorCode code_of(const Work& work, std::string* message = nullptr) {
  try {
    work();
  } catch (const fl::Error& error) {
    if (message != nullptr) *message = error.what();
    return error.code();
  }
  return fl::ErrorCode{0};
}

const fl::testing::GateStatement& statement(const fl::testing::GateResult& result, const std::string& name) {
  const auto found = std::ranges::find(result.statements(), name, &fl::testing::GateStatement::name);
  REQUIRE(found != result.statements().end());
  return *found;
}

bool has_note(const fl::testing::GateResult& result, const std::string& part) {
  return std::ranges::any_of(result.notes(),
                             [&](const std::string& note) { return note.find(part) != std::string::npos; });
}

// Two entries of failures beyond 1.5, written into a folder.
std::vector<CorpusEntry> write_two(const std::filesystem::path& folder) {
  auto mine = beyond(1.5f);
  std::vector<CorpusEntry> entries;
  for (const ShrunkFailure& shrunk : collect_failures(known(), mine, {.count = 2, .seed = 7})) {
    write_corpus_entry(folder, shrunk.entry, shrunk.images);
    entries.push_back(shrunk.entry);
  }
  std::ranges::sort(entries, {}, &CorpusEntry::name);
  return entries;
}

}  // namespace

TEST_CASE("a failure shrinks to the channel of the factor that causes it, at the amount where it begins") {
  auto mine = beyond(1.5f);
  const auto found = collect_failures(known(), mine, {.count = 6, .seed = 3});
  REQUIRE(found.size() == 6);
  for (const ShrunkFailure& shrunk : found) {
    const CorpusEntry& entry = shrunk.entry;
    INFO(entry.name);
    CHECK(entry.channels == std::vector<std::int64_t>{known().factor_channel(0)});
    CHECK(shrunk.minimal);
    const float start = factors_of(entry, 0.0)[0], whole = factors_of(entry, 1.0)[0];
    const float at = factors_of(entry, entry.amount)[0];
    CHECK(start < 1.5f);
    CHECK(whole > 1.5f);
    CHECK(at > 1.5f);
    CHECK(static_cast<double>(at) <= 1.5 + (5.0 / 256 + 1e-5) * static_cast<double>(whole - start));
    CHECK(entry.answer == (entry.label + 1) % 4);
    CHECK(entry.probability < 0.5);
    CHECK(entry.alone);
    CHECK(entry.batch);
    CHECK(entry.generator_digest == known().digest());
    CHECK(entry.criterion_expression == "fl::Misclassified{}");
    CHECK(entry.classifier_name == "planted");
    CHECK(entry.seed == 3);
    CHECK(entry.index >= fl::core::gate_first);
    CHECK(shrunk.images.count() == 3);
    CHECK(known().read(shrunk.images.view(), 0).factors[0] < 1.5f);
    CHECK(known().read(shrunk.images.view(), 1).factors[0] == at);
    CHECK(shrunk.images_made < 400);
  }
  const auto again = shrink_failure(known(), mine, {.seed = 3, .index = found[2].entry.index});
  CHECK(again.entry == found[2].entry);
  CHECK(shrink_failure(known(), mine, {.seed = 3, .index = found[2].entry.index, .name = "mine", .note = "seen"})
            .entry.name == "mine");
}

TEST_CASE("a cause of two factors keeps both channels and no other") {
  auto mine = classifier_with([](std::span<const float> f) { return std::min(f[0], -f[2]) - 0.8f; });
  const auto found = collect_failures(known(), mine, {.count = 4, .seed = 5}, fl::TrueClassBelow{0.5});
  REQUIRE(found.size() == 4);
  std::vector<std::int64_t> both{known().factor_channel(0), known().factor_channel(2)};
  std::ranges::sort(both);
  for (const ShrunkFailure& shrunk : found) {
    CHECK(shrunk.entry.channels == both);
    CHECK(shrunk.minimal);
    CHECK(shrunk.entry.criterion_expression == "fl::TrueClassBelow{.p = 0.5}");
  }
}

TEST_CASE("every image on the way has its label by the judge, and a sample without it is refused") {
  auto mine = classifier_with([](std::span<const float> f) { return std::max(f[0], f[1]) - 1.0f; });
  // Right below 1.6 of factor 0 and wherever factor 1 is positive
  auto judge = classifier_with([](std::span<const float> f) { return f[1] > 0.0f ? -1.0f : f[0] - 1.6f; });
  const auto judged = collect_failures(known(), mine, {.count = 8, .seed = 3, .judge = fl::AnyClassifier(judge)});
  REQUIRE(judged.size() == 8);
  for (const ShrunkFailure& shrunk : judged) {
    const auto f = factors_of(shrunk.entry, shrunk.entry.amount);
    CHECK((f[1] > 0.0f || f[0] < 1.6f));
  }

  std::int64_t refused = -1;  // fails on an image that the judge gives another label
  const fl::StyleSpaceSampler sampler(known(), {.seed = 3});
  for (const auto& batch : sampler.batches(fl::core::gate_first, 512))
    for (std::int64_t i = 0; i < batch.size() && refused < 0; ++i) {
      const auto f = known().read(batch.images.view(), i).factors;
      if (f[0] > 1.7f && f[1] < -0.1f) refused = batch.index[static_cast<std::size_t>(i)];
    }
  REQUIRE(refused >= 0);
  std::string message;
  CHECK(code_of(
            [&] {
              (void)shrink_failure(known(), mine, {.seed = 3, .index = refused, .judge = fl::AnyClassifier(judge)});
            },
            &message) == fl::ErrorCode::invalid_argument);
  CHECK_THAT(message, ContainsSubstring("by the judge"));
}

TEST_CASE("a start that is not the mean, and one that is not there") {
  // Wrong in the middle of factor 0, so that the mean of the successes is wrong
  auto middle = classifier_with([](std::span<const float> f) { return 0.8f - std::abs(f[0]); });
  for (const ShrunkFailure& shrunk : collect_failures(known(), middle, {.count = 4, .seed = 2})) {
    CHECK(shrunk.entry.channels == std::vector<std::int64_t>{known().factor_channel(0)});
    CHECK(std::abs(factors_of(shrunk.entry, 0.0)[0]) >= 0.8f);
    CHECK(std::abs(factors_of(shrunk.entry, shrunk.entry.amount)[0]) < 0.8f);
  }
  auto always = classifier_with([](std::span<const float> f) { return 3.0f + 0.1f * f[0]; });
  const auto whole = collect_failures(known(), always, {.count = 1, .seed = 2});
  REQUIRE(whole.size() == 1);
  CHECK(whole[0].entry.channels.empty());
  CHECK_FALSE(whole[0].minimal);
  CHECK_THAT(whole[0].entry.note, ContainsSubstring("is kept as it was drawn"));
}

TEST_CASE("an end of the budget leaves more channels, and an entry that fails all the same") {
  auto mine = beyond(1.5f);
  const auto found = collect_failures(known(), mine, {.count = 1, .seed = 3, .max_images = 1});
  REQUIRE(found.size() == 1);
  CHECK_FALSE(found[0].minimal);
  CHECK(factors_of(found[0].entry, found[0].entry.amount)[0] > 1.5f);
}

TEST_CASE("shrinking refuses what cannot be made small") {
  auto mine = beyond(1.5f);
  std::string message;
  const auto right = [&] {
    const fl::StyleSpaceSampler sampler(known(), {.seed = 3});
    const auto batch = sampler.sample(fl::core::gate_first, 32);
    for (std::int64_t i = 0; i < 32; ++i)
      if (known().read(batch.images.view(), i).factors[0] < 1.0f) return batch.index[static_cast<std::size_t>(i)];
    return std::int64_t{-1};
  }();
  CHECK(code_of([&] { (void)shrink_failure(known(), mine, {.seed = 3, .index = right}); }, &message) ==
        fl::ErrorCode::invalid_argument);
  CHECK_THAT(message, ContainsSubstring("does not fail"));
  CHECK(code_of([&] { (void)collect_failures(known(), mine, {.noise = fl::Noise::random}); }, &message) ==
        fl::ErrorCode::invalid_argument);
  CHECK_THAT(message, ContainsSubstring("random noise"));
  CHECK(code_of([&] { (void)collect_failures(known(), mine, {.count = 0}); }) == fl::ErrorCode::invalid_argument);
  CHECK(code_of([&] { (void)collect_failures(known(), mine, {.max_samples = 0}); }) == fl::ErrorCode::invalid_argument);
  CHECK(code_of([&] { (void)collect_failures(known(), mine, {.class_samples = 1}); }) ==
        fl::ErrorCode::invalid_argument);
  CHECK(code_of([&] { (void)shrink_failure(known(), mine, {.max_images = 0}); }) == fl::ErrorCode::invalid_argument);
  auto perfect = beyond(100.0f);
  CHECK(collect_failures(known(), perfect, {.max_samples = 256}).empty());
}

TEST_CASE("an entry reads back as it was written, with its picture, in the order of names") {
  const TemporaryDirectory directory;
  const auto folder = directory.path() / "corpus" / "of today";
  const auto entries = write_two(folder);
  REQUIRE(entries.size() == 2);
  CHECK(read_corpus(folder) == entries);
  for (const CorpusEntry& entry : entries) {
    const auto picture = fl::read_png(folder / (entry.name + ".png"));
    CHECK(picture.height == 128);
    CHECK(picture.width == 3 * 128 + 2 * 4);
    CHECK(std::filesystem::file_size(folder / (entry.name + ".json")) < 4096);
  }
  CorpusEntry odd = entries[0];
  odd.name = "A-Z_0.9";
  odd.cutoff = 3;
  odd.truncation = 0.7;
  odd.noise = fl::Noise::none;
  odd.seed = -4;
  odd.classifier_digest.reset();
  odd.note = "\"quotes\", commas,\nlines and ü";
  write_corpus_entry(folder, odd);
  CHECK(read_corpus_entry(folder / "A-Z_0.9.json") == odd);
  CHECK_FALSE(std::filesystem::exists(folder / "A-Z_0.9.png"));
  faultline_tests::text_of(folder / "A-Z_0.9.json");
  fl::core::write_file_atomically(folder / "README.md", "not an entry");
  CHECK(read_corpus(folder).size() == 3);
}

TEST_CASE("bad files are refused with their code and a sentence") {
  const TemporaryDirectory directory;
  const auto folder = directory.path();
  const CorpusEntry good = write_two(folder).front();
  const auto file = folder / (good.name + ".json");
  const auto text = faultline_tests::text_of(file);
  const auto json = nlohmann::ordered_json::parse(text);
  const auto refused = [&](const std::string& content) {
    fl::core::write_file_atomically(file, content);
    std::string message;
    const fl::ErrorCode code = code_of([&] { (void)read_corpus_entry(file); }, &message);
    INFO(message);
    CHECK(message.find(file.string()) != std::string::npos);
    return code;
  };
  const auto with = [&](const std::string& key, const nlohmann::ordered_json& value) {
    auto changed = json;
    changed[key] = value;
    return refused(changed.dump());
  };
  CHECK(refused(text.substr(0, text.size() / 2)) == fl::ErrorCode::malformed_header);
  CHECK(refused("") == fl::ErrorCode::malformed_header);
  CHECK(refused("{\"name\": 1, " + text.substr(1)) == fl::ErrorCode::malformed_header);  // a key twice
  CHECK(refused("[]") == fl::ErrorCode::foreign_format);
  CHECK(refused("{\"schema\": \"faultline.report/2\"}") == fl::ErrorCode::foreign_format);
  CHECK(with("format", "faultline.failure/2") == fl::ErrorCode::foreign_format);
  CHECK(with("surprise", 1) == fl::ErrorCode::malformed_header);
  for (const auto& [key, value] : json.items()) {
    auto less = json;
    less.erase(key);
    INFO(key);
    CHECK(refused(less.dump()) == (key == "format" ? fl::ErrorCode::foreign_format : fl::ErrorCode::malformed_header));
  }
  CHECK(with("label", -1) == fl::ErrorCode::malformed_header);
  CHECK(with("label", "3") == fl::ErrorCode::malformed_header);
  CHECK(with("w", nlohmann::ordered_json::array()) == fl::ErrorCode::malformed_header);
  CHECK(with("w", {0.5, nullptr}) == fl::ErrorCode::malformed_header);
  CHECK(with("w", {0.5, 1e39}) == fl::ErrorCode::malformed_header);
  CHECK(with("shifts", {0.5, 0.25}) == fl::ErrorCode::malformed_header);
  CHECK(with("shifts", {nullptr}) == fl::ErrorCode::malformed_header);
  CHECK(with("channels", {-1}) == fl::ErrorCode::malformed_header);
  CHECK(with("amount", nullptr) == fl::ErrorCode::malformed_header);
  CHECK(with("probability", 1.5) == fl::ErrorCode::malformed_header);
  CHECK(with("truncation", 7.0) == fl::ErrorCode::malformed_header);
  CHECK(with("noise", "random") == fl::ErrorCode::malformed_header);
  CHECK(with("noise", "loud") == fl::ErrorCode::malformed_header);
  CHECK(with("name", "../elsewhere") == fl::ErrorCode::malformed_header);
  CHECK(with("name", ".hidden") == fl::ErrorCode::malformed_header);
  CHECK(with("name", "") == fl::ErrorCode::malformed_header);
  CHECK(with("name", "another") == fl::ErrorCode::inconsistent_files);
  auto unordered = json;
  unordered["channels"] = {5, 5};
  unordered["shifts"] = {1.0, 1.0};
  CHECK(refused(unordered.dump()) == fl::ErrorCode::malformed_header);
  std::string infinite = text;
  infinite.replace(infinite.find("\"amount\": ") + 10, 1, "1e999, \"x\": 1");
  CHECK(refused(infinite) == fl::ErrorCode::malformed_header);

  CHECK(code_of([&] { (void)read_corpus(folder); }) == fl::ErrorCode::malformed_header);
  CHECK(code_of([&] { (void)read_corpus_entry(folder / "absent.json"); }) == fl::ErrorCode::cannot_open);
  CHECK(code_of([&] { (void)read_corpus(folder / "absent"); }) == fl::ErrorCode::cannot_open);
  std::filesystem::create_directory(folder / "empty");
  CHECK(code_of([&] { (void)read_corpus(folder / "empty"); }) == fl::ErrorCode::empty_input);

  const auto unwritable = [&](const std::function<void(CorpusEntry&)>& change) {
    CorpusEntry entry = good;
    change(entry);
    return code_of([&] { write_corpus_entry(folder / "new", entry); });
  };
  CHECK(unwritable([](CorpusEntry& e) { e.name = "a/b"; }) == fl::ErrorCode::invalid_argument);
  CHECK(unwritable([](CorpusEntry& e) { e.format = "mine/1"; }) == fl::ErrorCode::invalid_argument);
  CHECK(unwritable([](CorpusEntry& e) { e.w.clear(); }) == fl::ErrorCode::invalid_argument);
  CHECK(unwritable([](CorpusEntry& e) { e.amount = std::numeric_limits<double>::quiet_NaN(); }) ==
        fl::ErrorCode::invalid_argument);
  CHECK_FALSE(std::filesystem::exists(folder / "new"));
  CHECK(code_of([&] { write_corpus_entry(file, good); }) == fl::ErrorCode::cannot_write);
}

TEST_CASE("the gate fails while a known failure fails, and passes once it is answered rightly") {
  const TemporaryDirectory directory;
  const auto entries = write_two(directory.path());
  auto old = beyond(1.5f);
  const auto bad = gate(known(), old, NoKnownFailureReturns{.folder = directory.path()});
  CHECK(bad.failed());
  CHECK(bad.samples() == 2);
  CHECK(bad.failures() == 2);
  CHECK(bad.confidence() == 1.0);
  CHECK(bad.evidence_against() >= 1e300);
  CHECK(std::isfinite(bad.evidence_against()));
  REQUIRE(bad.statements().size() == 2);
  const std::string label = std::to_string(entries[0].label);
  CHECK_THAT(statement(bad, entries[0].name).text,
             ContainsSubstring("expected " + label + ", answered " + std::to_string(entries[0].answer) + " with p(" +
                               label + ") = "));
  CHECK_THAT(statement(bad, entries[0].name).text, ContainsSubstring(entries[0].name + ".png"));
  CHECK(bad.findings().pictures.size() == 2);
  CHECK_THAT(bad.explain(), ContainsSubstring("2 of 2 known failures return"));
  CHECK_THAT(bad.replay(),
             ContainsSubstring("fl::testing::NoKnownFailureReturns{.folder = \"" + directory.path().string() + "\"})"));
  CHECK_THAT(bad.replay(), ContainsSubstring("planted"));

  auto fixed = beyond(4.0f);
  const auto good = gate(known(), fixed, NoKnownFailureReturns{.folder = directory.path()});
  CHECK(good.passed());
  CHECK(good.evidence_against() == 1.0);
  CHECK(good.notes().empty());
  CHECK(good.findings().pictures.empty());
  CHECK_THAT(good.explain(), ContainsSubstring("None of 2 known failures returns."));

  // One of them alone, and by a stricter criterion
  const auto one = gate(known(), old, NoKnownFailureReturns{.folder = directory.path(), .only = {entries[1].name}});
  CHECK(one.failed());
  CHECK(one.samples() == 1);
  CHECK_THAT(one.replay(), ContainsSubstring(".only = {\"" + entries[1].name + "\"}"));
  const auto strict =
      gate(known(), fixed, NoKnownFailureReturns{.folder = directory.path()}, fl::TrueClassBelow{.p = 0.999});
  CHECK(strict.failed());
  CHECK(has_note(strict, "Found by another criterion"));
  CHECK_THAT(strict.replay(), ContainsSubstring("fl::TrueClassBelow{.p = 0.999}"));
}

TEST_CASE("in a suite a known failure decides by itself, and an answer that is right costs nothing") {
  const TemporaryDirectory directory;
  const auto entries = write_two(directory.path());
  const auto together = [&](auto& mine) {
    return fl::testing::GateSuite(0.95)
        .add("rate", known(), mine, fl::testing::FailureRateBelow{.bound = 0.2, .seed = 7})
        .add("known failures", known(), mine, NoKnownFailureReturns{.folder = directory.path()})
        .run();
  };
  auto old = beyond(1.5f);  // fails in 6.7 % of all samples
  const auto bad = together(old);
  CHECK(bad.failed());
  CHECK(bad.failing() == std::vector<std::string>{"known failures"});
  CHECK(bad.confidence() == 0.95);
  auto fixed = beyond(4.0f);
  CHECK(together(fixed).passed());
}

TEST_CASE("an allowance counts until its day, and says so") {
  const TemporaryDirectory directory;
  const auto entries = write_two(directory.path());
  const std::string a = entries[0].name, b = entries[1].name;
  auto old = beyond(1.5f);
  const auto with = [&](std::vector<Allowance> allow, const std::string& today = "2026-12-01") {
    return gate(known(), old,
                NoKnownFailureReturns{.folder = directory.path(), .allow = std::move(allow), .today = today});
  };
  const auto both = with({{a, "ticket 12", "2026-12-01"}, {b, "ticket 13", "2027-01-31"}});
  CHECK(both.passed());
  CHECK(both.failures() == 2);
  CHECK(both.evidence_against() == 1.0);
  CHECK(has_note(both, "ticket 12"));
  CHECK_THAT(statement(both, b).text, ContainsSubstring("Allowed until 2027-01-31: ticket 13."));
  CHECK_THAT(both.explain(), ContainsSubstring("but for 2 that are allowed"));
  CHECK_THAT(both.replay(), ContainsSubstring(".allow = {{\"" + a + "\", \"ticket 12\", \"2026-12-01\"}, "));
  CHECK_THAT(both.replay(), ContainsSubstring(".today = \"2026-12-01\""));

  const auto expired = with({{a, "ticket 12", "2026-11-30"}, {b, "ticket 13", "2027-01-31"}});
  CHECK(expired.failed());
  CHECK(statement(expired, a).verdict == GateVerdict::fail);
  CHECK(statement(expired, b).verdict == GateVerdict::pass);
  CHECK(has_note(expired, "ended on 2026-11-30 and no longer counts"));
  CHECK_THAT(statement(expired, a).text, ContainsSubstring("Its allowance (ticket 12) ended on 2026-11-30."));

  CHECK(with({{a, "ticket 12", "2027-01-31"}}).failed());
  CHECK(has_note(with({{"unknown", "ticket 14", "2027-01-31"}}), "names no entry"));
  CHECK(has_note(with({{a, "x", "2000-01-01"}}, ""), "no longer counts"));  // whatever day it is
  auto fixed = beyond(4.0f);
  const auto needless =
      gate(known(), fixed, NoKnownFailureReturns{.folder = directory.path(), .allow = {{a, "x", "2999-01-01"}}});
  CHECK(needless.passed());
  CHECK(has_note(needless, "its allowance can go"));

  const auto refused = [&](const std::vector<Allowance>& allow, const std::string& today = "2026-12-01") {
    return code_of([&] { (void)with(allow, today); }) == fl::ErrorCode::invalid_argument;
  };
  CHECK(refused({{a, " ", "2027-01-31"}}));
  CHECK(refused({{a, "x", ""}}));
  CHECK(refused({{a, "x", "2027-02-30"}}));
  CHECK(refused({{a, "x", "2027-1-31"}}));
  CHECK(refused({{a, "x", "2027-01-31"}, {a, "y", "2027-01-31"}}));
  CHECK(refused({}, "tomorrow"));
  CHECK(code_of([&] {
          (void)gate(known(), old, NoKnownFailureReturns{.folder = directory.path(), .only = {"unknown"}});
        }) == fl::ErrorCode::invalid_argument);
}

TEST_CASE("entries of another generator are told of, and leave a gate undecided that does not fail") {
  const TemporaryDirectory directory;
  const auto entries = write_two(directory.path());
  auto fixed = beyond(4.0f);
  const fl::AnalyticGenerator other({.factors = 3, .channels = 64, .classes = 4, .seed = 2});
  const auto all =
      gate(other, fixed, NoKnownFailureReturns{.folder = directory.path(), .mode = fl::testing::GateMode::full});
  CHECK(all.undecided());
  CHECK_FALSE(all.holds());
  CHECK(all.samples() == 0);
  CHECK_THAT(statement(all, entries[0].name).text, ContainsSubstring("made with the generator"));
  CHECK_THAT(all.explain(), ContainsSubstring("renewed by collect_failures"));
  CHECK(gate(other, fixed, NoKnownFailureReturns{.folder = directory.path(), .allow_undecided = true}).holds());

  const auto add = [&](const std::string& name, const std::function<void(CorpusEntry&)>& change) {
    CorpusEntry entry = entries[0];
    entry.name = name;
    change(entry);
    write_corpus_entry(directory.path(), entry);
  };
  add("short_w", [](CorpusEntry& e) { e.w.pop_back(); });
  add("far_channel", [](CorpusEntry& e) { e.channels = {1'000'000}, e.shifts = {1.0}; });
  add("high_label", [](CorpusEntry& e) { e.label = 4; });
  add("deep_cutoff", [](CorpusEntry& e) { e.cutoff = 100'000, e.truncation = 0.5; });
  const auto some = gate(known(), fixed, NoKnownFailureReturns{.folder = directory.path()});
  CHECK(some.undecided());
  CHECK(some.samples() == 2);
  CHECK_THAT(statement(some, "short_w").text, ContainsSubstring("its w has"));
  CHECK_THAT(statement(some, "far_channel").text, ContainsSubstring("style channel 1000000"));
  CHECK_THAT(statement(some, "high_label").text, ContainsSubstring("its label is 4"));
  CHECK_THAT(statement(some, "deep_cutoff").text, ContainsSubstring("it truncates 100000 layers"));
  CHECK(statement(some, entries[0].name).verdict == GateVerdict::pass);
  auto old = beyond(1.5f);
  CHECK(gate(known(), old, NoKnownFailureReturns{.folder = directory.path()}).failed());
}

TEST_CASE("truncated samples are asked as they were drawn, beside others") {
  const TemporaryDirectory directory;
  auto mine = beyond(1.0f);
  for (const double truncation : {1.0, 0.7})
    for (const ShrunkFailure& shrunk :
         collect_failures(known(), mine, {.count = 2, .seed = 4, .truncation = truncation})) {
      CHECK(shrunk.entry.channels == std::vector<std::int64_t>{known().factor_channel(0)});
      write_corpus_entry(directory.path(), shrunk.entry, shrunk.images);
    }
  const auto all = gate(known(), mine, NoKnownFailureReturns{.folder = directory.path()});
  CHECK(all.samples() == 4);
  CHECK(all.failures() == 4);
  auto better = beyond(1.1f);  // beyond the images, which lie just past 1
  CHECK(gate(known(), better, NoKnownFailureReturns{.folder = directory.path()}).passed());
}

TEST_CASE("a failure that depends on the other images of its batch is told apart") {
  const TemporaryDirectory directory;
  const auto entries = write_two(directory.path());
  // Beyond the limit the answer depends on whether all rows are alike; no image of the preflight lies there.
  const auto dependent = [](bool wrong_alone) {
    return fl::make_classifier(
        [wrong_alone](fl::ImageView images, fl::ScoreMatrix& scores) {
          scores.resize(images.count(), 4);
          bool alike = true;
          for (std::int64_t i = 1; i < images.count(); ++i)
            alike = alike && std::ranges::equal(images.image(i), images.image(0));
          for (std::int64_t i = 0; i < images.count(); ++i) {
            const auto reading = known().read(images, i);
            const bool there = reading.factors[0] > 1.5f && reading.factors[0] < 1.6f && alike == wrong_alone;
            scores(i, there ? (reading.label + 1) % 4 : reading.label) = 5.0f;
          }
        },
        {.classes = 4, .scores = fl::Scores::logits});
  };
  auto among = dependent(false);
  const auto result = gate(known(), among, NoKnownFailureReturns{.folder = directory.path()});
  CHECK(result.failed());
  CHECK_THAT(statement(result, entries[0].name).text, ContainsSubstring("among other images only: alone it is right"));

  // Failures that were only seen alone are asked alone
  auto alone = dependent(true);
  CHECK(gate(known(), alone, NoKnownFailureReturns{.folder = directory.path()}).passed());
  for (CorpusEntry entry : entries) {
    entry.batch = false;
    write_corpus_entry(directory.path(), entry);
  }
  const auto by_itself = gate(known(), alone, NoKnownFailureReturns{.folder = directory.path()});
  CHECK(by_itself.failed());
  CHECK_THAT(statement(by_itself, entries[0].name).text,
             ContainsSubstring("alone only: among other images it is right"));
}
