// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Claim: against faultline::compiled a file that includes testing.hpp costs at most 2 CPU seconds of compiling (4 where
// headers are all there is), one that includes core.hpp at most 2.5; a whole program costs at most a third of what its
// headers alone cost, in at most .6 GB; README's first program costs at most 5 CPU seconds against the compiled form,
// 25 from headers alone. Each is compiled three times, the forms in turn; the least CPU time counts.
// Prints JSON.

#include <program.hpp>
#include <support/figures.hpp>
#include <support/rounds.hpp>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace {

/// What compiling a file once takes.
struct Cost {
  double seconds = std::nan("");    ///< of the processor
  double gigabytes = std::nan("");  ///< at most at any time
};

/// Runs a command of the shell and waits for it.
Cost run(const std::string& command) {
  const pid_t child = fork();
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  rusage used = {};
  if (child < 0 || wait4(child, &status, 0, &used) != child || status != 0) return {};
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return {seconds(used.ru_utime) + seconds(used.ru_stime), static_cast<double>(used.ru_maxrss) * 1024.0 * 1e-9};
}

/// The least cost of a file in both forms.
struct Forms {
  Cost compiled, headers;
};
Forms compile(const std::string& source, const std::string& options) {
  const std::string object =
      (std::filesystem::temp_directory_path() / ("faultline_include_cost_" + std::to_string(getpid()) + ".o")).string();
  const std::string command = std::string(FAULTLINE_COMPILE_COMMAND) + " " + options;
  const std::string files = " -c '" + source + "' -o '" + object + "'";
  const auto keep_less = [](Cost& least, const Cost& cost) {
    if (!(least.seconds <= cost.seconds)) least = cost;
  };
  Forms forms;
  for (int round = 0; round < 3; ++round) {
    // through a command of its own, so that the memory is the compiler's
    keep_less(forms.compiled, run("exec " + command + " -DFAULTLINE_COMPILED" + files));
    keep_less(forms.headers, run("exec " + command + files));
  }
  std::filesystem::remove(object);
  return forms;
}
Forms compile_door(const std::string& door) {
  const std::string source =
      (std::filesystem::temp_directory_path() / ("faultline_include_cost_" + std::to_string(getpid()) + ".cpp"))
          .string();
  std::ofstream(source) << (door.empty() ? "int main() {}\n" : "#include <faultline/" + door + ".hpp>\n");
  const Forms forms = compile(source, "-O0");
  std::filesystem::remove(source);
  return forms;
}

/// The first block of C++ in README.md.
Forms compile_readme() {
  std::ifstream page(FAULTLINE_README);
  const std::string text(std::istreambuf_iterator<char>(page), {});
  const std::string_view begin = "\n```cpp\n";
  const std::size_t first = text.find(begin), last = text.find("\n```\n", first + begin.size());
  if (first == std::string::npos || last == std::string::npos) return {};
  const std::string source =
      (std::filesystem::temp_directory_path() / ("faultline_include_cost_" + std::to_string(getpid()) + ".cpp"))
          .string();
  std::ofstream(source) << text.substr(first + begin.size(), last - first - begin.size()) << '\n';
  const Forms forms = compile(source, "-O0");
  std::filesystem::remove(source);
  return forms;
}

}  // namespace

static int benchmark() {
  const Forms empty = compile_door(""), testing = compile_door("testing"), core = compile_door("core");
  const Forms program = compile(FAULTLINE_EXAMPLE, "-O2"), readme = compile_readme();
  bench::print("include_cost",
               {{"include.testing.compiled", testing.compiled.seconds, 2.0, true, "CPU s"},
                {"include.testing", testing.headers.seconds, 4.0, true, "CPU s"},
                {"include.core.compiled", core.compiled.seconds, 2.5, true, "CPU s"},
                {"compile.readme.compiled", readme.compiled.seconds, 5.0, true, "CPU s"},
                {"compile.readme", readme.headers.seconds, 25.0, true, "CPU s"},
                {"compile.lambda_classifier", program.compiled.seconds / program.headers.seconds, 1.0 / 3.0, true,
                 "of headers alone"},
                {"compile.lambda_classifier.memory", program.compiled.gigabytes, 0.6, true, "GB"}},
               "\"empty\": " + bench::number(empty.headers.seconds) +
                   ", \"core_headers\": " + bench::number(core.headers.seconds) +
                   ", \"lambda_classifier_headers\": " + bench::number(program.headers.seconds) +
                   ", \"lambda_classifier_headers_gigabytes\": " + bench::number(program.headers.gigabytes));
  return std::isfinite(empty.headers.seconds) && std::isfinite(testing.compiled.seconds) &&
                 std::isfinite(core.compiled.seconds) && std::isfinite(program.compiled.seconds) &&
                 std::isfinite(readme.compiled.seconds)
             ? 0
             : 1;
}

int main() { return program::run("include_cost", benchmark); }
