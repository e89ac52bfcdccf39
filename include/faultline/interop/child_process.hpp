// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A command as a classifier: any program that reads images on its standard input and writes scores on its standard
// output. docs/how-to/child_process.md has the protocol.

#include <faultline/concepts/classifier.hpp>
#include <faultline/error.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {

namespace detail {
class Child;
}

/// How a command is run, and what it does not say of itself.
struct ChildProcessOptions {
  std::int64_t classes = 0;            ///< K; 0: as the child states
  Scores scores = Scores::undeclared;  ///< undeclared: as the child states
  InputSpec input = {};                ///< what the images must look like
  std::string name = "";               ///< for reports; empty: the command
  /// What tells this model from another; empty: what the child states, or else the SHA-256 of the command
  std::string digest = "";
  double start_seconds = 120.0;  ///< from the start to the end of the child's hello
  double batch_seconds = 60.0;   ///< from the first byte of a batch to the last of its scores
  double grace_seconds = 1.0;    ///< at the end, from the end of the child's input to its being killed
};

/// A Classifier that runs `/bin/sh -c command` as a child process, which reads batches of float32 images on its
/// standard input and writes their float32 scores on its standard output.
///
/// The child starts here and is one process for all batches; it leads a process group of its own. It says hello once,
/// with its number of classes, whether its scores are logits or probabilities, and a digest of its model if it has one;
/// then every batch is one frame each way. What it writes on standard error is read while it is waited for; the last
/// lines of it are quoted in errors, and nothing of it is printed. Destruction ends the child's input, waits for
/// `grace_seconds` and kills what is left of the process group. The command is trusted code: it can do what this
/// process may do.
/// Calls come one after another; movable, not copyable (`AnyClassifier` shares it). It belongs to the process that made
/// it, and not to one forked from that.
/// **Throws** invalid_argument for an empty command and for options out of range. scores_undeclared when neither child
/// nor options say what the scores are; not_logits and not_probabilities when they say different things;
/// wrong_score_shape for another number of classes than `options.classes`, and for an answer to another number of
/// images or with other classes than stated. classifier_threw for a command that cannot be started, ends, misses a
/// deadline, or writes too little, too much or something else: it says how the child ended (exit code, signal) and on
/// which images. After an error the child is gone, and later calls are classifier_threw. Values are not judged here:
/// `Scorer` does that.
/// **Cost**: for 64 images of 28x28 a few system calls and one way of 200 kB through a pipe, below 1 ms.
/// Example: `ChildProcessClassifier mine("python3 model.py", {.input = {.height = 28, .width = 28}});`
class ChildProcessClassifier {
 public:
  explicit ChildProcessClassifier(std::string command, ChildProcessOptions options = {});
  ~ChildProcessClassifier();
  ChildProcessClassifier(ChildProcessClassifier&&) noexcept;
  ChildProcessClassifier& operator=(ChildProcessClassifier&&) noexcept;

  [[nodiscard]] std::int64_t num_classes() const noexcept { return options_.classes; }
  [[nodiscard]] Scores score_kind() const noexcept { return options_.scores; }
  [[nodiscard]] const InputSpec& input_spec() const noexcept { return options_.input; }
  [[nodiscard]] const std::string& name() const noexcept { return options_.name; }
  [[nodiscard]] const std::string& digest() const noexcept { return options_.digest; }
  [[nodiscard]] const std::string& command() const noexcept { return command_; }

  /// Sends the images, in the layout that `input_spec()` asks for, and waits for their scores.
  void score(ImageView images, ScoreMatrix& scores);

 private:
  void read_hello();
  /// Ends the child and throws "the command '...' <what>", with what the child wrote on standard error.
  [[noreturn]] void fail(ErrorCode code, const std::string& what);

  std::string command_;
  ChildProcessOptions options_;
  std::unique_ptr<detail::Child> child_;
  std::vector<std::byte> reply_;
  std::int64_t sent_ = 0;  ///< images, for messages
  std::string failure_;    ///< what was wrong with the child that is gone
};

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/interop/detail/child_process_impl.hpp>
#endif
