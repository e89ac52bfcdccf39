// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The torch-free parts of CudaBackend: libraries opened at run time, the run-time compiler, the cache of compiled
// kernels, loading and launch shapes.

#include <support/catch2.hpp>

#include "fake_cuda.hpp"

#if __has_include(<nvrtc.h>)
#include <nvrtc.h>
#endif

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

using namespace test;
namespace fl = faultline;
namespace fs = std::filesystem;

namespace {

/// What went missing, or "" when nothing did.
std::string why(const auto& function) {
  try {
    function();
  } catch (const cu::PieceMissing& missing) {
    return missing.why.empty() ? "no reason given" : missing.why;
  }
  return "";
}

struct Folder {
  fs::path path = fs::temp_directory_path() / ("faultline-cuda-test-" + std::to_string(std::rand()));
  Folder() { fs::remove_all(path); }
  ~Folder() { fs::remove_all(path); }
};

struct Machine {
  FakeCuda cuda;
  cu::CudaDriver driver;
  cu::CudaCompiler compiler;
  Machine() {
    cuda.fill(driver);
    cuda.fill(compiler);
  }
  std::unique_ptr<cu::CudaKernels> kernels(const fs::path& cache = {}, int architecture = 90,
                                           const std::string& source = "kernels") {
    return std::make_unique<cu::CudaKernels>(driver, compiler, cu::CubinCache(cache), 0, architecture, source);
  }
};

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The one entry of a cache folder.
fs::path entry(const fs::path& folder) {
  REQUIRE(std::distance(fs::directory_iterator(folder), fs::directory_iterator()) == 1);
  return fs::directory_iterator(folder)->path();
}

/// The real compiler, wherever this machine has it.
cu::CudaCompiler real_compiler() { return cu::load_cuda_compiler({FAULTLINE_NVRTC_FOLDER}); }

}  // namespace

TEST_CASE("libraries are opened by name and a missing one or a missing function is named") {
  std::vector<std::string> opened;
  std::string absent;
  cu::LibrarySource source;
  source.open = [&](const std::string& name) -> void* {
    return opened.push_back(name), name == "libcuda.so.1" || name == "/there/libnvrtc.so.12" ? &opened : nullptr;
  };
  source.symbol = [&](void* library, const char* name) -> void* {
    return library != &opened || name == absent
               ? nullptr
               : reinterpret_cast<void*>(+[](unsigned) { return CUDA_ERROR_NO_DEVICE; });
  };

  const cu::CudaDriver driver = cu::load_cuda_driver(source);
  CHECK(driver.missing.empty());
  CHECK(driver.init(0) == CUDA_ERROR_NO_DEVICE);
  CHECK((driver.launch_kernel && driver.module_load_data && driver.get_error_name));

  const cu::CudaCompiler compiler = cu::load_cuda_compiler({"/there"}, source);
  CHECK(compiler.missing.empty());
  CHECK((compiler.version && compiler.create && compiler.compile && compiler.log_size && compiler.log &&
         compiler.cubin_size && compiler.cubin && compiler.destroy));
  CHECK(opened == std::vector<std::string>{"libcuda.so.1", "/there/libnvrtc.so.13", "/there/libnvrtc.so.12"});

  absent = "cuLaunchKernel";
  CHECK(cu::load_cuda_driver(source).missing == "libcuda.so.1 has no cuLaunchKernel");
  absent = "nvrtcGetCUBIN";
  CHECK(cu::load_cuda_compiler({"/there"}, source).missing == "/there/libnvrtc.so.12 has no nvrtcGetCUBIN");
  CHECK(cu::load_cuda_compiler({}, source).missing == "libnvrtc.so.13 was not found");
  source.open = [](const std::string&) -> void* { return nullptr; };
  CHECK(cu::load_cuda_driver(source).missing == "libcuda.so.1 was not found");
}

#if __has_include(<nvrtc.h>)
TEST_CASE("our prototypes of NVRTC are those of nvrtc.h") {
  static_assert(sizeof(nvrtcResult) == sizeof(int) && NVRTC_SUCCESS == 0 && sizeof(nvrtcProgram) == sizeof(void*));
  using cu::CudaCompiler;
  const auto same = []<class Ours, class Theirs>(std::function<Ours>, Theirs*) {
    // Enumeration for int and program for void*, parameter by parameter.
    return []<class R1, class... A1, class R2, class... A2>(R1 (*)(A1...), R2 (*)(A2...)) {
      return sizeof...(A1) == sizeof...(A2) && ((sizeof(A1) == sizeof(A2)) && ...) && sizeof(R1) == sizeof(R2);
    }(static_cast<Ours*>(nullptr), static_cast<Theirs*>(nullptr));
  };
  const CudaCompiler none;
  CHECK(same(none.version, &nvrtcVersion));
  CHECK(same(none.create, &nvrtcCreateProgram));
  CHECK(same(none.compile, &nvrtcCompileProgram));
  CHECK(same(none.log_size, &nvrtcGetProgramLogSize));
  CHECK(same(none.log, &nvrtcGetProgramLog));
  CHECK(same(none.cubin_size, &nvrtcGetCUBINSize));
  CHECK(same(none.cubin, &nvrtcGetCUBIN));
  CHECK(same(none.destroy, &nvrtcDestroyProgram));
}
#endif

TEST_CASE("the real compiler makes every kernel for every supported architecture and reports errors") {
  const cu::CudaCompiler compiler = real_compiler();
  INFO(
      "NVRTC (Python package nvidia-cuda-nvrtc, or the CUDA toolkit) is part of this test; looked "
      "in " FAULTLINE_NVRTC_FOLDER " and where the system keeps libraries");
  REQUIRE(compiler.missing.empty());
  for (const int architecture : {75, 80, 90, 100}) {
    INFO("sm_" << architecture);
    std::vector<char> cubin;
    if (architecture == 90)
      REQUIRE(why([&] {
                cubin = cu::compile_kernels(compiler, cu::cuda_source(false), cu::kernel_options(architecture));
              }).empty());
    REQUIRE(why([&] {
              cubin = cu::compile_kernels(compiler, cu::cuda_source(true), cu::kernel_options(architecture));
            }).empty());
    const std::string code(cubin.begin(), cubin.end());
    CHECK(code.substr(1, 3) == "ELF");
    for (const char* name : cu::cuda_kernel_names) CHECK(code.find(name) != std::string::npos);
  }
  CHECK(why([&] { (void)cu::compile_kernels(compiler, "int broken(", cu::kernel_options(90)); }).find("error") !=
        std::string::npos);
  CHECK(why([&] {
          (void)cu::compile_kernels(compiler, cu::cuda_source(true), {"--gpu-architecture=sm_1"});
        }).find("did not compile") != std::string::npos);
}

TEST_CASE("the cache gives back what was stored and nothing that was damaged") {
  const Folder folder;
  const cu::CubinCache cache(folder.path);
  const std::string code = "some code";
  const std::string key = cu::CubinCache::key("source");
  CHECK(!cache.find(key));
  CHECK(cache.store(key, code));
  const auto found = cache.find(key);
  REQUIRE(found);
  CHECK(std::string(found->begin(), found->end()) == code);
  CHECK(!cache.find(cu::CubinCache::key("other source")));
  const std::string whole = contents(cache.path(key));
  for (const std::string& damaged :
       {whole.substr(0, whole.size() - 1), whole + "x", whole.substr(0, 20), std::string(),
        std::string(whole).replace(whole.size() - 2, 1, "X"), std::string(whole).replace(30, 1, "z")}) {
    std::ofstream(cache.path(key), std::ios::binary | std::ios::trunc) << damaged;
    CHECK(!cache.find(key));
  }
  CHECK(cache.store(key, code));
  CHECK(cache.find(key));
  const cu::CubinCache none{fs::path{}};
  CHECK(!none.store(key, code));
  CHECK(!none.find(key));
  const cu::CubinCache unusable(folder.path / (key + ".cubin") / "below a file");
  CHECK(!unusable.store(key, code));
}

TEST_CASE("the cache lies where the environment says") {
  const auto folder_with = [](const char* own, const char* xdg, const char* home) {
    const auto apply = [](const char* name, const char* value) {
      value == nullptr ? unsetenv(name) : setenv(name, value, 1);
    };
    struct Kept {
      std::string name, value;
      bool was_set;
    };
    std::vector<Kept> kept;
    for (const char* name : {"FAULTLINE_CACHE_DIR", "XDG_CACHE_HOME", "HOME"}) {
      const char* value = std::getenv(name);
      kept.push_back({name, value == nullptr ? "" : value, value != nullptr});
    }
    apply("FAULTLINE_CACHE_DIR", own);
    apply("XDG_CACHE_HOME", xdg);
    apply("HOME", home);
    const std::string result = cu::default_kernel_cache().string();
    for (const Kept& each : kept) apply(each.name.c_str(), each.was_set ? each.value.c_str() : nullptr);
    return result;
  };
  CHECK(folder_with("/own", "/xdg", "/home") == "/own/kernels");
  CHECK(folder_with(nullptr, "/xdg", "/home") == "/xdg/faultline/kernels");
  CHECK(folder_with("", nullptr, "/home") == "/home/.cache/faultline/kernels");
  CHECK(folder_with(nullptr, nullptr, nullptr).empty());
}

TEST_CASE("kernels are compiled once, then taken from the cache, and again when an entry is bad or refused") {
  const Folder folder;
  {
    Machine first;
    CHECK(!first.kernels(folder.path)->from_cache());
    CHECK(first.cuda.calls == std::vector<std::string>{"create", "compile", "destroy", "load", "unload"});
    CHECK(first.cuda.options == std::vector<std::string>{"--gpu-architecture=sm_90", "--std=c++17"});
    CHECK(first.cuda.loaded == first.cuda.cubin);
  }
  {
    Machine second;
    CHECK(second.kernels(folder.path)->from_cache());
    CHECK(second.cuda.count("compile") == 0);
    CHECK(second.cuda.loaded == second.cuda.cubin);
  }
  const fs::path file = entry(folder.path);
  const std::string whole = contents(file);
  std::ofstream(file, std::ios::binary | std::ios::trunc) << whole.substr(0, whole.size() / 2);
  {
    Machine damaged;
    CHECK(!damaged.kernels(folder.path)->from_cache());
    CHECK(damaged.cuda.count("compile") == 1);
    CHECK(contents(file) == whole);  // made again
  }
  {
    Machine refused;
    refused.cuda.refused_loads = 1;
    CHECK(!refused.kernels(folder.path)->from_cache());
    CHECK(refused.cuda.calls == std::vector<std::string>{"load", "create", "compile", "destroy", "load", "unload"});
  }
}

TEST_CASE("source, options, architecture and versions are all part of an entry's key") {
  const Folder folder;
  Machine machine;
  (void)machine.kernels(folder.path, 90, "a");
  (void)machine.kernels(folder.path, 90, "b");
  (void)machine.kernels(folder.path, 80, "a");
  machine.compiler.version = [](int* major, int* minor) { return *major = 13, *minor = 3, 0; };
  (void)machine.kernels(folder.path, 90, "a");
  CHECK(machine.cuda.count("compile") == 4);
  CHECK(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()) == 4);
  (void)machine.kernels(folder.path, 90, "b");  // of the older version: not this compiler's
  CHECK(machine.cuda.count("compile") == 5);
}

TEST_CASE("every way in which kernels can be missing is told") {
  const auto reason = [](const auto& change) {
    Machine machine;
    change(machine);
    return why([&] { (void)machine.kernels(); });
  };
  CHECK(reason([](Machine&) {}).empty());
  CHECK(reason([](Machine& m) { m.driver.missing = "no driver"; }) == "no driver");
  CHECK(reason([](Machine& m) { m.compiler.missing = "no compiler"; }) == "no compiler");
  CHECK(reason([](Machine& m) { m.compiler.version = [](int*, int*) { return 1; }; }) ==
        "NVRTC does not tell its version");
  CHECK(reason([](Machine& m) {
          m.compiler.create = [](void**, const char*, const char*, int, const char* const*, const char* const*) {
            return 1;
          };
        }) == "NVRTC could not begin (result 1)");
  CHECK(reason([](Machine& m) { m.cuda.compile_result = 6; }) == "the kernels did not compile (result 6): bad token");
  CHECK(reason([](Machine& m) { m.compiler.cubin_size = [](void*, std::size_t* size) { return *size = 0, 0; }; }) ==
        "NVRTC made no code for this architecture");
  CHECK(reason([](Machine& m) { m.compiler.cubin = [](void*, char*) { return 1; }; }) ==
        "NVRTC did not hand out its code");
  CHECK(reason([](Machine& m) { m.cuda.load_result = CUDA_ERROR_INVALID_IMAGE; }) ==
        "the kernels could not be loaded: INVALID_IMAGE");
  CHECK(reason([](Machine& m) {
          m.driver.module_get_function = [](CUfunction*, CUmodule, const char*) { return CUDA_ERROR_NOT_FOUND; };
        }) == "faultline_fir_f32_v1: SOME_ERROR");
  CHECK(reason([](Machine& m) {
          m.cuda.has_context = false;
          m.driver.primary_context_retain = [](CUcontext*, CUdevice) { return CUDA_ERROR_OUT_OF_MEMORY; };
        }) == "the device gives no context: SOME_ERROR");

  Machine machine;
  machine.cuda.compile_result = 6;
  (void)why([&] { (void)machine.kernels(); });
  CHECK(machine.cuda.count("destroy") == 1);  // the program is given back whatever happens
  Machine half;
  half.driver.module_get_function = [](CUfunction*, CUmodule, const char*) { return CUDA_ERROR_NOT_FOUND; };
  (void)why([&] { (void)half.kernels(); });
  CHECK(half.cuda.count("unload") == 1);
}

TEST_CASE("a thread without a context gets the device's primary one") {
  Machine machine;
  machine.cuda.has_context = false;
  const auto kernels = machine.kernels();
  CHECK(std::vector<std::string>(machine.cuda.calls.begin(), machine.cuda.calls.begin() + 3) ==
        std::vector<std::string>{"init", "retain context", "set context"});
  CHECK(machine.cuda.count("retain context") == 1);
}

TEST_CASE("launches cover every output once and nothing beyond the grid") {
  Machine machine;
  machine.cuda.kernels_compute = false;
  const auto kernels = machine.kernels();
  const auto arguments = [](int size, int channels) {
    cu::EpilogueArguments a{};
    a.size = size;
    a.channels = channels;
    return a;
  };
  kernels->fir(false, true, 3, arguments(32, 64), machine.cuda.stream);
  kernels->fir(true, false, 1, arguments(4, 7), machine.cuda.stream);
  kernels->point(true, true, 1, 5, arguments(32, 64), {}, machine.cuda.stream);
  kernels->point(false, false, 3, 2, arguments(8, 7), {}, machine.cuda.stream);
  kernels->point(false, true, 3, 2, arguments(256, 512), {}, machine.cuda.stream);
  const auto& launches = machine.cuda.launches;
  REQUIRE(launches.size() == 5);
  CHECK(launches[0].kernel == "faultline_fir_f32_v4");
  // 16 column pairs x 16 packs = 256 threads; 4 strips of 8 rows; 3 samples
  CHECK(launches[0].grid == std::array<unsigned, 3>{1, 4, 3});
  CHECK(launches[0].block == 256);
  CHECK(launches[1].kernel == "faultline_fir_bf16_v1");
  CHECK(launches[1].grid == std::array<unsigned, 3>{1, 1, 1});  // 2 column pairs x 7 channels
  CHECK(launches[1].block == 32);
  CHECK(launches[2].kernel == "faultline_point_bf16_v8_o1");
  // 8 packs: 8 threads share 4 pixels, 128 pixels a block, 1024 pixels
  CHECK(launches[2].grid == std::array<unsigned, 3>{8, 5, 1});
  CHECK(launches[3].kernel == "faultline_point_f32_v1_o3");
  CHECK(launches[3].grid == std::array<unsigned, 3>{1, 2, 1});  // 7 packs: 4 threads share 4 pixels
  CHECK(launches[4].kernel == "faultline_point_f32_v4_o3");
  CHECK(launches[4].grid == std::array<unsigned, 3>{1024, 2, 1});  // 128 packs: a warp shares 4 pixels, twice
  for (const Launch& launch : launches) CHECK(launch.stream == machine.cuda.stream);
  machine.cuda.launch_result = CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES;
  machine.cuda.failing_launch = 0;
  CHECK(why([&] { kernels->fir(false, true, 3, arguments(32, 64), machine.cuda.stream); }) ==
        "faultline_fir_f32_v4: SOME_ERROR");
}

TEST_CASE("a thread that goes on for several rounds makes what several threads make") {
  std::uint64_t state = 7;
  const auto numbers = [&](std::size_t n) {
    std::vector<float> values(n);
    for (float& value : values)
      value =
          static_cast<float>((state = state * 6364136223846793005u + 1442695040888963407u) >> 40) / 16777216.0f - 0.4f;
    return values;
  };
  const auto squares = [&](std::size_t n) {
    std::vector<float> values = numbers(n);
    for (float& value : values) value = value * value + 0.1f;
    return values;
  };
  for (const int channels : {2, 8, 160}) {  // of 160, a thread takes two words
    const int size = 20, samples = 2;
    const std::size_t pixels = static_cast<std::size_t>(size * size), c = static_cast<std::size_t>(channels);
    const std::string width = channels % 4 == 0 ? "v4" : "v1";
    const unsigned packs = static_cast<unsigned>(channels) / (channels % 4 == 0 ? 4u : 1u);
    const std::vector<float> norms = squares(samples * c), bias = numbers(c), styles = numbers(2 * samples * c),
                             noise = numbers(pixels);
    cu::EpilogueArguments a{};
    a.squared_norm = norms.data();
    a.bias = bias.data();
    a.style = styles.data();
    a.style_stride = 2 * channels;
    a.noise = noise.data();
    a.size = size;
    a.channels = channels;
    a.clamp = 0.7f;

    const std::vector<float> wide = numbers(samples * (pixels + 41) * c);
    const auto filtered = [&](int rounds) {
      std::vector<float> out(samples * pixels * c, 99.0f);
      cu::EpilogueArguments arguments = a;
      arguments.in = wide.data();
      arguments.out = out.data();
      arguments.rounds = rounds;
      std::array<void*, 1> parameters = {&arguments};
      const unsigned strips = (20 + cu::fir_strip - 1) / cu::fir_strip, r = static_cast<unsigned>(rounds);
      test::run_on_host("faultline_fir_f32_" + width, {(10 * packs + 63) / 64, (strips + r - 1) / r, samples}, 64,
                        parameters.data());
      return out;
    };
    const std::vector<float> once = filtered(1);
    CHECK(std::find(once.begin(), once.end(), 99.0f) == once.end());
    CHECK(filtered(2) == once);
    CHECK(filtered(5) == once);

    const std::vector<float> sums = numbers(samples * pixels * c), weight = numbers(3 * c), rgb_bias = numbers(3),
                             previous = numbers(samples * 3 * pixels / 4);
    const auto painted = [&](int rounds) {
      std::vector<float> out(samples * pixels * c, 99.0f), image(samples * 3 * pixels, 99.0f);
      cu::EpilogueArguments arguments = a;
      arguments.in = sums.data();
      arguments.out = out.data();
      arguments.rounds = rounds;
      arguments.strip = channels == 160 ? 32 : 4;
      cu::ToRgbArguments rgb{weight.data(), styles.data() + channels, rgb_bias.data(), previous.data(), image.data(),
                             5.0f};
      std::array<void*, 2> parameters = {&arguments, &rgb};
      // Two warps
      const unsigned of_a_block = 2u * static_cast<unsigned>(32 / arguments.strip * cu::point_pixels * rounds);
      test::run_on_host("faultline_point_f32_" + width + "_o3", {(400 + of_a_block - 1) / of_a_block, samples, 1}, 64,
                        parameters.data());
      image.insert(image.end(), out.begin(), out.end());
      return image;
    };
    const std::vector<float> single = painted(1);
    CHECK(std::find(single.begin(), single.end(), 99.0f) == single.end());
    CHECK(painted(3) == single);
    CHECK(painted(8) == single);
  }
}
