// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A driver and a compiler that are not there: functions that write down what they are asked, run kernels on the host
// and fail on demand. Free of LibTorch.

#include <faultline/torch/detail/cuda_kernels.hpp>

#include "host_kernels.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace test {

namespace cu = faultline::stylegan2::detail;

struct Launch {
  std::string kernel;
  std::array<unsigned, 3> grid = {};
  unsigned block = 0;
  void* stream = nullptr;
};

struct FakeCuda {
  std::vector<std::string> calls;  ///< everything but queries
  std::vector<Launch> launches;
  std::vector<std::string> options;  ///< of the last compilation
  std::string cubin = "code made by the compiler";
  std::string loaded;  ///< the code of the last module
  int major = 9, minor = 0;
  bool has_context = true;
  // What goes wrong.
  int compile_result = 0;
  CUresult load_result = CUDA_SUCCESS;
  int refused_loads = 0;  ///< so many loads fail before one works
  CUresult launch_result = CUDA_SUCCESS;
  std::size_t failing_launch = static_cast<std::size_t>(-1);
  bool kernels_compute = true;  ///< false: launches do nothing
  void* const stream = reinterpret_cast<void*>(std::uintptr_t{0x57});

  [[nodiscard]] std::int64_t count(const std::string& call) const {
    return std::count(calls.begin(), calls.end(), call);
  }

  /// What a CudaDriver and a CudaCompiler would be; they refer to this object.
  void fill(cu::CudaDriver& driver) {
    driver.init = [this](unsigned) { return note("init"); };
    driver.device_get = [](CUdevice* device, int ordinal) { return *device = ordinal, CUDA_SUCCESS; };
    driver.device_get_name = [](char* name, int size, CUdevice) {
      return std::strncpy(name, "Fake GPU", static_cast<std::size_t>(size)), CUDA_SUCCESS;
    };
    driver.device_get_attribute = [this](int* value, CUdevice_attribute attribute, CUdevice) {
      *value = attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR ? major : minor;
      return CUDA_SUCCESS;
    };
    driver.context_get_current = [this](CUcontext* context) {
      return *context = has_context ? reinterpret_cast<CUcontext>(this) : nullptr, CUDA_SUCCESS;
    };
    driver.context_set_current = [this](CUcontext) { return has_context = true, note("set context"); };
    driver.primary_context_retain = [this](CUcontext* context, CUdevice) {
      return *context = reinterpret_cast<CUcontext>(this), note("retain context");
    };
    driver.module_load_data = [this](CUmodule* module, const void* image) {
      note("load");
      if (refused_loads > 0) return --refused_loads, CUDA_ERROR_INVALID_IMAGE;
      if (load_result != CUDA_SUCCESS) return load_result;
      loaded = static_cast<const char*>(image);
      *module = reinterpret_cast<CUmodule>(this);
      return CUDA_SUCCESS;
    };
    driver.module_get_function = [](CUfunction* function, CUmodule, const char* name) {
      return *function = reinterpret_cast<CUfunction>(const_cast<char*>(name)), CUDA_SUCCESS;
    };
    driver.module_unload = [this](CUmodule) { return note("unload"); };
    driver.launch_kernel = [this](CUfunction function, unsigned x, unsigned y, unsigned z, unsigned block, unsigned,
                                  unsigned, unsigned, CUstream on, void** parameters, void**) {
      const std::string name = reinterpret_cast<const char*>(function);
      if (launch_result != CUDA_SUCCESS && launches.size() >= failing_launch) return launch_result;
      note("launch");
      launches.push_back({name, {x, y, z}, block, static_cast<void*>(on)});
      if (kernels_compute) run_on_host(name, {x, y, z}, block, parameters);
      return CUDA_SUCCESS;
    };
    driver.get_error_name = [](CUresult result, const char** name) {
      return *name = result == CUDA_ERROR_INVALID_IMAGE ? "INVALID_IMAGE" : "SOME_ERROR", CUDA_SUCCESS;
    };
  }

  void fill(cu::CudaCompiler& compiler) {
    compiler.version = [](int* big, int* small) { return *big = 13, *small = 2, 0; };
    compiler.create = [this](void** program, const char*, const char*, int, const char* const*, const char* const*) {
      return *program = this, note("create"), 0;
    };
    compiler.compile = [this](void*, int count, const char* const* texts) {
      return options.assign(texts, texts + count), note("compile"), compile_result;
    };
    compiler.log_size = [](void*, std::size_t* size) { return *size = 10, 0; };
    compiler.log = [](void*, char* text) { return std::memcpy(text, "bad token", 10), 0; };
    compiler.cubin_size = [this](void*, std::size_t* size) { return *size = cubin.size() + 1, 0; };
    compiler.cubin = [this](void*, char* code) { return std::memcpy(code, cubin.c_str(), cubin.size() + 1), 0; };
    compiler.destroy = [this](void**) { return note("destroy"), 0; };
  }

  CUresult note(const std::string& call) {
    calls.push_back(call);
    return CUDA_SUCCESS;
  }
};

}  // namespace test
