// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Commands as classifiers: what works, and every way in which a child can misbehave. The children are lines for sh.

#include <faultline/classify/any_classifier.hpp>
#include <faultline/classify/scoring.hpp>
#include <faultline/core/sha256.hpp>
#include <faultline/interop/child_process.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>
#include <support/skip.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace fl = faultline;
using namespace faultline_tests;
using fl::ErrorCode;

namespace {

using Child = fl::ChildProcessClassifier;

static_assert(fl::Classifier<Child> && fl::HasInputSpec<Child> && fl::HasName<Child> && fl::StatesDigest<Child>);
static_assert(!fl::StatesThreadSafety<Child> && !fl::DifferentiableClassifier<Child>);

/// printf of these bytes, for sh.
std::string prints(std::string_view bytes) {
  std::string text = "printf '";
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += '\\';
    for (const int shift : {6, 3, 0}) text += static_cast<char>('0' + ((value >> shift) & 7));
  }
  return text + "'; ";
}

std::string frame(std::string_view letters, const std::vector<std::uint32_t>& numbers,
                  const std::vector<float>& values = {}) {
  std::string bytes(letters);
  bytes.append(reinterpret_cast<const char*>(numbers.data()), 4 * numbers.size());
  return bytes.append(reinterpret_cast<const char*>(values.data()), 4 * values.size());
}

/// Three classes, logits.
std::string hello(std::uint32_t classes = 3, std::uint32_t scores = 1) {
  return prints(frame("FLTH", {1, classes, scores, 0}));
}

constexpr fl::ImageShape shape{1, 2, 3};

fl::ImageBatch images_of(std::int64_t count, fl::ImageShape size = shape) {
  fl::ImageBatch images(count, size);
  for (std::int64_t i = 0; i < count * size.elements(); ++i) images.data()[i] = static_cast<float>(i % 7) / 7.0f;
  return images;
}

/// Reads a batch of so many images.
std::string reads(std::int64_t count, fl::ImageShape size = shape) {
  return "head -c " + std::to_string(24 + 4 * count * size.elements()) + " >/dev/null; ";
}

/// Answers two images.
const std::vector<float> two{0.5f, 1.5f, -2.0f, 3.0f, 0.25f, 8.0f};
std::string answers(const std::vector<float>& values = two) {
  return prints(frame("FLTS", {static_cast<std::uint32_t>(values.size() / 3), 3}, values));
}

/// Waits for the end of its input, as a child does that waits for the next batch.
const std::string waits = "cat >/dev/null";

/// The error of a command that is asked for the scores of `count` images, once or several times.
struct Complaint {
  std::optional<ErrorCode> code;
  std::string text;
};
Complaint complaint_of(const std::string& command, const fl::ChildProcessOptions& options = {}, int times = 1,
                       std::int64_t count = 2) {
  try {
    Child child(command, options);
    fl::ScoreMatrix scores;
    for (int i = 0; i < times; ++i) {
      if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(500));  // until everything has been written
      child.score(images_of(count), scores);
    }
  } catch (const fl::Error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

bool says(const Complaint& complaint, ErrorCode code, const std::string& part) {
  INFO(complaint.text);
  CHECK(complaint.code == code);
  CHECK(complaint.text.find("the command '") != std::string::npos);
  return complaint.text.find(part) != std::string::npos;
}

// One second, because a busy machine may take a part of it to start what the line says.
constexpr double hurry = 1.0;
const fl::ChildProcessOptions hasty_start{.start_seconds = hurry}, hasty{.batch_seconds = hurry};

/// Whether a process runs; one that has ended and nobody waits for does not.
bool runs(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t name = text.rfind(") ");
  return name != std::string::npos && text[name + 2] != 'Z' && text[name + 2] != 'X';
}
bool soon_gone(pid_t process) {
  for (int i = 0; i < 200 && runs(process); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return !runs(process);
}
pid_t process_in(const std::filesystem::path& path) {
  for (int i = 0; i < 200 && (!std::filesystem::exists(path) || text_of(path).find('\n') == std::string::npos); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return static_cast<pid_t>(std::stol(text_of(path)));
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (int i = 0; i < 1024; ++i) count += ::fcntl(i, F_GETFD) != -1;
  return count;
}
bool no_children() { return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD; }

double seconds_of(const auto& call) {
  const auto begin = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::string python_or_skip() {
  if (std::system("python3 -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null") != 0)
    skip_program("there is no python3 of 3.8 or newer");
  return "python3 ";
}

}  // namespace

TEST_CASE("a child that keeps the protocol is a classifier") {
  Child child(hello() + reads(2) + answers() + reads(2) + answers({1, 2, 3, 4, 5, 6}) + waits,
              {.input = {.height = 2, .width = 3}, .name = "mine"});
  CHECK(child.num_classes() == 3);
  CHECK(child.score_kind() == fl::Scores::logits);
  CHECK(child.input_spec().height == 2);
  CHECK(child.name() == "mine");
  fl::ScoreMatrix scores;
  child.score(images_of(2), scores);
  REQUIRE((scores.rows() == 2 && scores.cols() == 3));
  CHECK(std::equal(two.begin(), two.end(), scores.data()));

  Child moved = std::move(child);
  CHECK(error_code([&] { child.score(images_of(2), scores); }) == ErrorCode::classifier_threw);
  moved.score(images_of(0), scores);  // nothing is asked
  CHECK((scores.rows() == 0 && scores.cols() == 3));
  const fl::AnyClassifier any(std::move(moved));
  const fl::AnyClassifier copy = any;
  copy.score(images_of(2), scores);
  CHECK(scores(1, 2) == 6.0f);
  CHECK_FALSE(copy.thread_safe());
}

TEST_CASE("a child gets the images as they are, behind their shape") {
  const TemporaryDirectory directory;
  const fl::ImageBatch images = images_of(2, {3, 5, 4});
  fl::ScoreMatrix scores;
  Child child(hello() + "head -c " + std::to_string(24 + 4 * 120) + " >'" + (directory / "sent").string() + "'; " +
              answers() + waits);
  child.score(images, scores);
  CHECK(text_of(directory / "sent") ==
        frame("FLTB", {1, 2, 3, 5, 4}, std::vector<float>(images.data(), images.data() + 120)));
}

TEST_CASE("a child states what it is, and the options what it does not state") {
  const auto made = [](const std::string& command, const fl::ChildProcessOptions& options) {
    return Child(command, options);
  };
  const std::string kind = hello(7, 2) + waits, silent = hello(7, 0) + waits;
  CHECK(made(kind, {}).score_kind() == fl::Scores::probabilities);
  CHECK(made(kind, {}).num_classes() == 7);
  CHECK(made(kind, {.classes = 7, .scores = fl::Scores::probabilities}).num_classes() == 7);
  CHECK(made(silent, {.scores = fl::Scores::logits}).score_kind() == fl::Scores::logits);
  CHECK(made(kind, {}).name() == kind);

  const std::string with_digest = prints(frame("FLTH", {1, 3, 1, 10}) + "sha256:0a1") + waits;
  CHECK(made(with_digest, {}).digest() == "sha256:0a1");
  CHECK(made(with_digest, {.digest = "mine"}).digest() == "mine");
  CHECK(made(kind, {}).digest() == fl::sha256_hex(kind));

  const auto refused = [&](const std::string& command, const fl::ChildProcessOptions& options) {
    return complaint_of(command, options);
  };
  CHECK(says(refused(kind, {.classes = 10}), ErrorCode::wrong_score_shape, "states 7 classes, expected .classes = 10"));
  CHECK(says(refused(kind, {.scores = fl::Scores::logits}), ErrorCode::not_logits, "are probabilities"));
  CHECK(says(refused(hello(7, 1) + waits, {.scores = fl::Scores::probabilities}), ErrorCode::not_probabilities,
             "are logits"));
  CHECK(says(refused(silent, {}), ErrorCode::scores_undeclared, "or say .scores"));
  CHECK(says(refused(hello(7, 3) + waits, {}), ErrorCode::scores_undeclared, "states 3"));
  CHECK(says(refused(hello(0) + waits, {}), ErrorCode::wrong_score_shape, "states 0 classes"));
  CHECK(says(refused(hello(3u << 24) + waits, {}), ErrorCode::wrong_score_shape, "little endian?"));
  CHECK(says(refused(prints(frame("FLTH", {2, 3, 1, 0})) + waits, {}), ErrorCode::classifier_threw,
             "speaks version 2 of the protocol, expected 1"));
  CHECK(says(refused(prints(frame("FLTH", {1, 3, 1, 257})) + waits, {}), ErrorCode::classifier_threw,
             "a digest of 257 bytes, expected at most 256"));
  CHECK(says(refused(prints(frame("FLTH", {1, 3, 1, 2}) + "a\"") + waits, {}), ErrorCode::classifier_threw,
             "other characters than letters"));
}

TEST_CASE("options of a child out of range and commands that are none are refused") {
  CHECK(complaint_of("").code == ErrorCode::invalid_argument);
  CHECK(complaint_of(" \n").code == ErrorCode::invalid_argument);
  CHECK(complaint_of(std::string("a\0b", 3)).code == ErrorCode::invalid_argument);
  CHECK(complaint_of("true", {.classes = -1}).code == ErrorCode::invalid_argument);
  CHECK(complaint_of("true", {.start_seconds = 0.0}).code == ErrorCode::invalid_argument);
  CHECK(complaint_of("true", {.batch_seconds = std::numeric_limits<double>::quiet_NaN()}).code ==
        ErrorCode::invalid_argument);
  CHECK(complaint_of("true", {.grace_seconds = -1.0}).code == ErrorCode::invalid_argument);
  Child child(hello() + waits);
  fl::ScoreMatrix scores;
  CHECK(error_code([&] { child.score(images_of(2, {1, 0, 3}), scores); }) == ErrorCode::invalid_argument);
}

TEST_CASE("misbehaviour of a child: it does not start") {
  const auto threw = ErrorCode::classifier_threw;
  CHECK(says(complaint_of("no-such-command-here --model x"), threw,
             "ended with exit code 127 (the shell did not find it) before its hello was complete; on its standard "
             "error it wrote: "));
  CHECK(says(complaint_of("/"), threw, "ended with exit code 126 (the shell could not run it)"));
  CHECK(says(complaint_of("exit 0"), threw, "ended with exit code 0 before its hello"));
  CHECK(says(complaint_of("kill -KILL $$"), threw, "was ended by signal 9 (SIGKILL) before its hello"));
  CHECK(says(complaint_of("sh -c 'kill -SEGV $$'; exit $?"), threw,
             "exit code 139 (the shell's word for signal 11 (SIGSEGV))"));
  CHECK(says(complaint_of("echo 'Loading the model'; sleep 60"), threw,
             "wrote \"Loading the model\" on its standard output, where its hello was expected"));
  CHECK(says(complaint_of("printf FLTX; sleep 60"), threw, "wrote \"FLTX\""));
  CHECK(says(complaint_of("sleep 60", hasty_start), threw, "has not said hello within 1 s; .start_seconds"));
  CHECK(says(complaint_of("printf FLTH; sleep 60", hasty_start), threw, "within 1 s and was cut short"));
  CHECK(says(complaint_of("printf FLTH"), threw, "exit code 0 before its hello was complete"));
  CHECK(says(complaint_of(prints(frame("FLTH", {1, 3, 1, 9}) + "abc")), threw, "before its hello was complete"));
  CHECK(says(complaint_of("exec >&-; sleep 60"), threw, "closed its standard output before its hello"));
  CHECK(no_children());
}

TEST_CASE("misbehaviour of a child: it dies") {
  const auto threw = ErrorCode::classifier_threw;
  CHECK(says(complaint_of(hello() + reads(2) + "exit 3"), threw,
             "ended with exit code 3 on images 0 to 1 of those it was sent"));
  CHECK(says(complaint_of(hello() + reads(2) + answers() + reads(2) + "kill -SEGV $$", {}, 2), threw,
             "was ended by signal 11 (SIGSEGV) on images 2 to 3 of those it was sent"));
  CHECK(says(complaint_of(hello() + reads(1) + "exit 3", {}, 1, 1), threw, "on image 0 of those"));
  CHECK(says(complaint_of(hello() + reads(2) + answers() + "exit 4", {}, 2), threw,
             "ended with exit code 4 before it was sent images 2 to 3"));
  CHECK(says(complaint_of(hello() + reads(2) + "exec >&-; sleep 60"), threw, "closed its standard output on images 0"));
  CHECK(no_children());

  Child child(hello() + reads(2) + "echo 'no memory' >&2; exit 3");
  fl::ScoreMatrix scores;
  CHECK(error_code([&] { child.score(images_of(2), scores); }) == threw);
  const std::string later = error_text([&] { child.score(images_of(2), scores); });
  INFO(later);
  CHECK(later.find("is not running any more; it ended with exit code 3 on images 0 to 1") != std::string::npos);
  CHECK(later.find("no memory") != std::string::npos);
}

TEST_CASE("misbehaviour of a child: it hangs, and is killed with what it started") {
  const TemporaryDirectory directory;
  const std::string path = "'" + (directory / "process").string() + "'";
  double took = 0.0;
  Complaint complaint;
  took = seconds_of([&] {
    complaint = complaint_of(hello() + "trap '' TERM HUP; sleep 1000 & echo $! >" + path + "; " + reads(2) + "wait",
                             {.batch_seconds = hurry});
  });
  CHECK(says(complaint, ErrorCode::classifier_threw,
             "answered nothing, took 72 of the 72 bytes of the batch within 1 s"));
  CHECK(says(complaint, ErrorCode::classifier_threw, "on images 0 to 1 of those it was sent, and was killed"));
  CHECK(took < 30.0);
  CHECK(soon_gone(process_in(directory / "process")));

  // It reads nothing: the batch is larger than a pipe.
  complaint = {};
  try {
    Child child(hello() + "sleep 1000", {.batch_seconds = hurry});
    fl::ScoreMatrix scores;
    child.score(images_of(1000, {1, 32, 32}), scores);
  } catch (const fl::Error& error) {
    complaint = {error.code(), error.what()};
  }
  CHECK(says(complaint, ErrorCode::classifier_threw, " of the 4096024 bytes of the batch within 1 s"));
  CHECK(complaint.text.find("took 4096024") == std::string::npos);

  CHECK(says(complaint_of(hello() + "sleep 1000 & " + reads(2) + "exit 5", hasty), ErrorCode::classifier_threw,
             "ended with exit code 5, leaving others at its standard output"));
  CHECK(no_children());
}

TEST_CASE("misbehaviour of a child: it writes too little, too much, too early, or something else") {
  const auto threw = ErrorCode::classifier_threw;
  const std::string whole = frame("FLTS", {2, 3}, two);
  CHECK(says(complaint_of(hello() + reads(2) + prints(whole.substr(0, 20)) + "sleep 60", hasty), threw,
             "wrote 20 of the 36 bytes of its answer within 1 s, on images 0 to 1"));
  CHECK(says(complaint_of(hello() + reads(2) + prints(whole.substr(0, 20)) + "exit 0"), threw,
             "ended with exit code 0 on images 0 to 1 of those it was sent; it wrote 20 of the 36 bytes"));
  CHECK(says(complaint_of(hello() + reads(2) + prints(whole + "!") + waits), threw,
             "wrote more than the 36 bytes of its answer to images 0 to 1"));
  CHECK(says(complaint_of(hello() + reads(2) + answers() + "sleep 0.05; echo done; " + waits, {}, 2), threw,
             "wrote more than its last answer, before it was sent images 2 to 3, beginning with \"done\""));
  CHECK(says(complaint_of(hello() + "echo ready; sleep 60"), threw, "\"ready\""));
  CHECK(says(complaint_of(hello() + reads(2) + "echo 'Epoch 1/3'; sleep 60"), threw,
             "wrote \"Epoch 1/3\" on its standard output, where its answer to images 0 to 1"));

  const auto shaped = [&](std::uint32_t rows, std::uint32_t columns) {
    return complaint_of(hello() + reads(2) + prints(frame("FLTS", {rows, columns}, two)) + waits);
  };
  CHECK(says(shaped(2, 4), ErrorCode::wrong_score_shape, "answered [2, 4] scores, expected [2, 3], for images 0 to 1"));
  CHECK(says(shaped(1, 3), ErrorCode::wrong_score_shape, "answered [1, 3] scores, expected [2, 3]"));
  CHECK(says(shaped(0xffffffff, 3), ErrorCode::wrong_score_shape, "answered [4294967295, 3] scores"));

  Child early(hello() + answers(std::vector<float>(3'000, 1.0f)) + "sleep 60");
  fl::ScoreMatrix scores;
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  CHECK(error_text([&] {
          early.score(images_of(1'000, {1, 32, 32}), scores);
        }).find("wrote more than its hello") != std::string::npos);
  Child hurried(hello() + "head -c 24 >/dev/null; " + answers(std::vector<float>(3'000, 1.0f)) + "sleep 60");
  const Complaint complaint{error_code([&] {
                              hurried.score(images_of(1'000, {1, 32, 32}), scores);
                            }),
                            error_text([&] {
                              hurried.score(images_of(1'000, {1, 32, 32}), scores);
                            })};
  CHECK(says(complaint, threw, "answered before it had read all of images 0 to 999"));
  CHECK(no_children());
}

TEST_CASE("misbehaviour of a child: NaN, and every other error, names the sample") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<std::int64_t> labels{1, 2}, index{1041, 1042};
  const auto scored = [&](const std::string& rest, const fl::ChildProcessOptions& options = {}) {
    Child child(hello() + reads(2) + rest, options);
    fl::classify::Scorer scorer(child, shape, {0, 1}, 3, 2);
    Complaint complaint;
    try {
      (void)scorer(images_of(2), labels, {.index = index, .seed = 7});
    } catch (const fl::Error& error) {
      complaint = {error.code(), error.what()};
    }
    INFO(complaint.text);
    CHECK(complaint.text.find("sample 104") != std::string::npos);
    return complaint;
  };
  const auto contains = [](const Complaint& complaint, ErrorCode code, const std::string& part) {
    INFO(complaint.text);
    return complaint.code == code && complaint.text.find(part) != std::string::npos;
  };
  CHECK(contains(scored(answers({0, 1, 2, 0, nan, 1}) + waits), ErrorCode::non_finite_scores,
                 "NaN for class 1 of sample 1042 (label 2, seed 7)"));
  const std::string batch = "a batch of 2 images beginning with sample 1041 (label 1, seed 7)";
  CHECK(contains(scored("exit 3"), ErrorCode::classifier_threw, batch));
  CHECK(contains(scored("exit 3"), ErrorCode::classifier_threw, "exit code 3"));
  CHECK(contains(scored("sleep 60", hasty), ErrorCode::classifier_threw, batch));
  CHECK(contains(scored(prints(frame("FLTS", {2, 4}))), ErrorCode::wrong_score_shape, batch));
}

TEST_CASE("what a child writes on its standard error does not block it, and the end of it is quoted") {
  fl::ScoreMatrix scores;
  Child noisy(hello() + "head -c 300000 /dev/zero | tr '\\0' x >&2; " + reads(2) +
              "head -c 300000 /dev/zero | tr '\\0' x >&2; " + answers() + waits);
  noisy.score(images_of(2), scores);
  CHECK(scores(0, 1) == 1.5f);

  const Complaint complaint =
      complaint_of(hello() + reads(2) +
                   "for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; printf '\\033[31mred\\n\\n' >&2; exit 1");
  CHECK(says(complaint, ErrorCode::classifier_threw,
             "on its standard error it wrote: line 4 | line 5 | line 6 | line 7 | ?[31mred"));
  CHECK(complaint.text.find("line 3") == std::string::npos);
  CHECK(complaint_of(hello() + reads(2) + "head -c 100000 /dev/zero | tr '\\0' x >&2; exit 1").text.size() < 1'500);
  // It never stops: the deadline holds all the same.
  CHECK(says(complaint_of(hello() + "while :; do echo again >&2; done", hasty), ErrorCode::classifier_threw,
             "again | again"));
}

TEST_CASE("a child that closes its input does not end the host, and leaves no signal behind") {
  const auto before = ::signal(SIGPIPE, SIG_DFL);
  fl::ScoreMatrix scores;
  Child child(hello() + "exec <&-; sleep 1; exit 6");
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const std::string text = error_text([&] { child.score(images_of(2), scores); });
  INFO(text);
  CHECK(text.find("ended with exit code 6 on images 0 to 1") != std::string::npos);
  sigset_t pending, blocked;
  ::sigpending(&pending);
  ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  CHECK(::sigismember(&pending, SIGPIPE) == 0);
  CHECK(::sigismember(&blocked, SIGPIPE) == 0);

  // The child itself has the usual signals, whatever the host does with them.
  CHECK(::signal(SIGPIPE, SIG_IGN) == SIG_DFL);
  const Complaint complaint = complaint_of("kill -PIPE $$; exit 7");
  ::signal(SIGPIPE, before);
  CHECK(says(complaint, ErrorCode::classifier_threw, "signal 13 (SIGPIPE)"));
}

TEST_CASE("a child ends with its classifier: by itself within the grace, or killed") {
  const TemporaryDirectory directory;
  { const Child polite(hello() + waits + "; sleep 0.1; echo over >'" + (directory / "over").string() + "'"); }
  CHECK(text_of(directory / "over") == "over\n");
  double took = 0.0;
  {
    Child stubborn(hello() + "trap '' TERM HUP INT; echo $$ >'" + (directory / "process").string() +
                       "'; while :; do sleep 1000; done",
                   {.grace_seconds = 0.2});
    CHECK(runs(process_in(directory / "process")));
    took = seconds_of([&] { stubborn = Child(hello() + waits); });
  }
  CHECK(soon_gone(process_in(directory / "process")));
  CHECK(took >= 0.2);
  CHECK(took < 30.0);
  // One that writes for ever meanwhile.
  CHECK(seconds_of([] { const Child loud(hello() + "yes; yes >&2", {.grace_seconds = 0.2}); }) < 30.0);
  CHECK(no_children());
}

TEST_CASE("nothing is left of children: no descriptor, no process") {
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 5; ++i) {
    (void)complaint_of("exit 1");
    (void)complaint_of("echo no");
    (void)complaint_of(hello() + reads(2) + "exit 1");
    (void)complaint_of(hello() + reads(2) + answers() + waits);
    (void)complaint_of(hello() + "sleep 60", {.batch_seconds = 0.01});
  }
  CHECK(open_descriptors() == before);
  CHECK(no_children());
}

TEST_CASE("descriptors of one child are closed in every other program that the host starts") {
  std::vector<bool> before;
  for (int i = 0; i < 1024; ++i) before.push_back(::fcntl(i, F_GETFD) != -1);
  const Child first(hello() + waits), second(hello() + waits);
  int ours = 0;
  for (int i = 0; i < 1024; ++i) {
    const int flags = ::fcntl(i, F_GETFD);
    if (flags == -1 || before[static_cast<std::size_t>(i)]) continue;
    ++ours;
    CHECK((flags & FD_CLOEXEC) != 0);
  }
  CHECK(ours == 6);
}

TEST_CASE("a host without standard streams of its own starts children all the same") {
  const pid_t host = ::fork();
  if (host == 0) {
    for (const int stream : {0, 1, 2}) ::close(stream);
    int code = 1;
    try {
      fl::ScoreMatrix scores;
      Child child(hello() + reads(2) + "echo fine >&2; " + answers() + waits);
      child.score(images_of(2), scores);
      code = scores(1, 2) == 8.0f ? 0 : 2;
    } catch (...) {}
    ::_exit(code);
  }
  int status = -1;
  REQUIRE(::waitpid(host, &status, 0) == host);
  CHECK(status == 0);
}

TEST_CASE("a process that was forked from the host neither uses nor ends the host's child") {
  fl::ScoreMatrix scores;
  std::optional<Child> child(std::in_place, hello() + reads(2) + answers() + waits);
  const pid_t copy = ::fork();
  if (copy == 0) {
    const bool refused =
        error_text([&] { child->score(images_of(2), scores); }).find("forked from") != std::string::npos;
    child.reset();
    ::_exit(refused ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(copy, &status, 0) == copy);
  CHECK(status == 0);
  child->score(images_of(2), scores);
  CHECK(scores(1, 2) == 8.0f);
}

TEST_CASE("children end also where the host ignores that they do") {
  const auto before = ::signal(SIGCHLD, SIG_IGN);
  CHECK(says(complaint_of(hello() + reads(2) + "exit 3"), ErrorCode::classifier_threw, "ended on images 0 to 1"));
  { const Child child(hello() + waits); }
  ::signal(SIGCHLD, before);
  CHECK(no_children());
}

TEST_CASE("the page on child processes shows the example as it is") {
  const std::filesystem::path source = FAULTLINE_SOURCE_DIR;
  const std::string example = text_of(source / "examples/child_classifier.py");
  const std::string shown = "```python\n" + example.substr(example.find('\n') + 1) + "```\n";
  CHECK(text_of(source / "docs/how-to/child_process.md").find(shown) != std::string::npos);
}

TEST_CASE("the example in Python answers as its rule says", "[.data]") {
  const std::string python = python_or_skip();
  Child child(python + "'" FAULTLINE_SOURCE_DIR "/examples/child_classifier.py'");
  CHECK(child.num_classes() == 10);
  fl::ImageBatch images(20, {1, 10, 10});
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < 20; ++i) {
    labels.push_back(i % 10);
    for (std::int64_t k = 0; k < 100; ++k)
      images.image(i)[static_cast<std::size_t>(k)] = k / 10 == i % 10 ? 1.0f : 0.25f;
  }
  fl::classify::Scorer scorer(child, {1, 10, 10}, {0, 1}, 10, 64);
  CHECK(scorer(images, labels).prediction == labels);
  CHECK(scorer(images, labels).prediction == labels);
}

TEST_CASE("an exception in Python is quoted", "[.data]") {
  const std::string python = python_or_skip();
  const Complaint complaint = complaint_of(python + "-c 'import no_such_module_here'");
  CHECK(says(complaint, ErrorCode::classifier_threw, "ended with exit code 1 before its hello was complete"));
  CHECK(says(complaint, ErrorCode::classifier_threw, "ModuleNotFoundError: No module named 'no_such_module_here'"));
}
