// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/core/atomic_file.hpp>
#include <faultline/data/assets.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include <unistd.h>

namespace fl = faultline;

TEST_CASE("shipped models are looked for in FAULTLINE_ASSETS_DIR, else in assets/", "[data][assets]") {
  const char* const before = std::getenv("FAULTLINE_ASSETS_DIR");
  const std::string kept = before ? before : "";
  const faultline_tests::TemporaryDirectory directory;
  fl::core::write_file_atomically(directory.path() / "clean.safetensors", "weights");

  setenv("FAULTLINE_ASSETS_DIR", directory.path().c_str(), 1);
  CHECK(fl::find_asset("clean.safetensors") == directory.path() / "clean.safetensors");
  const auto message = [](const std::string& name) {
    try {
      (void)fl::find_asset(name);
    } catch (const fl::Error& error) {
      CHECK(error.code() == fl::ErrorCode::data_unavailable);
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(message("robust.safetensors").find((directory.path() / "robust.safetensors").string()) != std::string::npos);
  unsetenv("FAULTLINE_ASSETS_DIR");
  CHECK(message("no such model").find("'assets/no such model'") != std::string::npos);
  if (before) setenv("FAULTLINE_ASSETS_DIR", kept.c_str(), 1);
}

TEST_CASE("an installed program finds the models beside itself, unless FAULTLINE_ASSETS_DIR is set", "[data][assets]") {
  namespace fs = std::filesystem;
  const char* const before = std::getenv("FAULTLINE_ASSETS_DIR");
  const std::string kept = before ? before : "";
  const std::string name = "of-a-test-" + std::to_string(::getpid());
  const fs::path folder =
      (fs::read_symlink("/proc/self/exe").parent_path() / "../share/faultline/assets").lexically_normal();
  fs::create_directories(folder);
  fl::core::write_file_atomically(folder / name, "weights");

  unsetenv("FAULTLINE_ASSETS_DIR");
  CHECK(fl::find_asset(name) == folder / name);
  const faultline_tests::TemporaryDirectory directory;
  setenv("FAULTLINE_ASSETS_DIR", directory.path().c_str(), 1);
  CHECK_THROWS_AS(fl::find_asset(name), fl::Error);
  unsetenv("FAULTLINE_ASSETS_DIR");
  fs::remove(folder / name);
  CHECK_THROWS_AS(fl::find_asset(name), fl::Error);
  for (const fs::path& made : {folder, folder.parent_path(), folder.parent_path().parent_path()}) {
    std::error_code not_empty;
    fs::remove(made, not_empty);
  }
  if (before) setenv("FAULTLINE_ASSETS_DIR", kept.c_str(), 1);
}
