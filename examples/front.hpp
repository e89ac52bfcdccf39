// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// One program for all that a user runs: `faultline characterize ...` is `characterize ...`, and beside them
// `faultline demo`, `import` and `assets`, which find what is installed with it.

#include "program.hpp"

#include <faultline/data/assets.hpp>
#include <faultline/error.hpp>
#include <faultline/version.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

namespace front {

namespace fl = faultline;

struct Program {
  const char* name;
  const char* answers;  // what, in one line of the overview
  int (*main)(int argc, char** argv);
};

inline void print_overview(const std::vector<Program>& programs, std::FILE* file) {
  std::fputs(
      "Under which conditions does an image classifier fail, how far away are they, and what do they look like?\n\n"
      "usage: faultline COMMAND [OPTIONS]\n\n"
      "  demo                characterises the shipped classifier on the shipped generator, about a minute\n",
      file);
  for (const Program& program : programs) std::fprintf(file, "  %-18s  %s\n", program.name, program.answers);
  std::fputs(
      "  import              makes a generator file of a StyleGAN2 checkpoint (needs python3 and numpy)\n"
      "  assets              prints the folder of the shipped generator and classifiers\n\n"
      "faultline COMMAND --help has the options of each; faultline --version prints the version.\n",
      file);
}

/// Where the shipped models lie. Throws data_unavailable.
inline std::filesystem::path assets_folder() {
  return std::filesystem::absolute(fl::find_asset("digits.safetensors")).lexically_normal().parent_path();
}

/// Runs a program as if it had been called by its name; `words` are its options.
inline int call(const Program& program, const std::vector<std::string>& words) {
  std::vector<std::string> line{std::string("faultline ") + program.name};
  line.insert(line.end(), words.begin(), words.end());
  std::vector<char*> pointers;
  for (std::string& word : line) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return program.main(static_cast<int>(line.size()), pointers.data());
}

/// `characterize` with the shipped models and the options of `./bootstrap demo`; what the user gives comes first.
inline int demo(const Program& characterize, std::vector<std::string> words) {
  const auto given = [&words](const std::string& option) {
    return std::any_of(words.begin(), words.end(), [&option](const std::string& word) {
      return word == option || word.compare(0, option.size() + 1, option + "=") == 0;
    });
  };
  const bool help = given("--help") || given("-h");
  const int ready = program::run("faultline demo", [&] {
    if (help) {
      std::fputs(
          "faultline demo: characterises the shipped classifier clean.safetensors, which was trained on clean digits, "
          "on\nblurred and noisy ones of the shipped generator, and writes the report into faultline-demo.\n\n"
          "It is `faultline characterize` with --generator, --classifier, --judge, --seed 7 and --out given; each "
          "option\nof that may be added or given anew, such as --samples 500 for a quick look or --out FOLDER.\n",
          stdout);
      return 0;
    }
    const std::filesystem::path assets = assets_folder();
    const std::pair<const char*, std::string> defaults[] = {{"--generator", assets / "digits.safetensors"},
                                                            {"--classifier", assets / "clean.safetensors"},
                                                            {"--judge", assets / "judge.safetensors"},
                                                            {"--seed", "7"},
                                                            {"--out", "faultline-demo"}};
    for (const auto& [option, value] : defaults)
      if (!given(option)) words.insert(words.end(), {option, value});
    std::fputs(
        "characterising a classifier trained on clean digits, on blurred and noisy ones: about a minute on two cores\n",
        stderr);
    return 0;
  });
  return help || ready != 0 ? ready : call(characterize, words);
}

/// Becomes the importer, which lies beside the shipped models and runs under the Python that FAULTLINE_PYTHON names.
/// Returns only where that fails.
inline int import(const std::vector<std::string>& words) {
  return program::run("faultline import", [&]() -> int {
    std::error_code unknown;
    const std::filesystem::path folder =
        (std::filesystem::read_symlink("/proc/self/exe", unknown).parent_path() / "../share/faultline/import_stylegan2")
            .lexically_normal();
    if (unknown || !std::filesystem::is_regular_file(folder / "__main__.py", unknown))
      throw fl::Error(fl::ErrorCode::data_unavailable, "faultline import",
                      "there is no importer in '" + folder.string() +
                          "', where an installed faultline has it; in the repository it is examples/import_stylegan2");
    const char* const named = std::getenv("FAULTLINE_PYTHON");
    std::vector<std::string> line{named != nullptr && *named != '\0' ? named : "python3", folder.string()};
    line.insert(line.end(), words.begin(), words.end());
    std::vector<char*> pointers;
    for (std::string& word : line) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    ::execvp(pointers.front(), pointers.data());
    throw fl::Error(fl::ErrorCode::data_unavailable, "faultline import",
                    "'" + line.front() + "' cannot be started: " + std::strerror(errno) +
                        "; install Python 3, or name it with FAULTLINE_PYTHON");
  });
}

/// What `main` of `faultline` is.
inline int run(const std::vector<Program>& programs, int argc, char** argv) {
  program::open_standard_streams();
  const std::string_view command = argc > 1 ? argv[1] : "";
  const std::vector<std::string> words(argv + std::min(argc, 2), argv + argc);
  const auto of_name = [&programs](std::string_view name) {
    return std::find_if(programs.begin(), programs.end(),
                        [name](const Program& program) { return program.name == name; });
  };
  if (const auto program = of_name(command); program != programs.end()) return call(*program, words);
  if (command == "demo") return demo(*of_name("characterize"), words);
  if (command == "import") return import(words);
  return program::run("faultline", [&] {
    if (command == "--help" || command == "-h" || command == "help") {
      print_overview(programs, stdout);
      return 0;
    }
    if (command == "--version") {
      std::printf("faultline %s\n", fl::version_string);
      return 0;
    }
    if (command == "assets" && words.empty()) {
      std::printf("%s\n", assets_folder().c_str());
      return 0;
    }
    if (command.empty()) print_overview(programs, stderr);
    else if (command == "assets") std::fputs("faultline: assets takes no options; it prints a folder\n", stderr);
    else std::fprintf(stderr, "faultline: there is no command '%s'; faultline --help lists them\n", argv[1]);
    return 2;
  });
}

}  // namespace front
