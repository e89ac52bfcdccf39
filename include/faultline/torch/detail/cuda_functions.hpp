// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The one table through which CudaBackend reaches the driver, the run-time compiler and LibTorch's CUDA half. A test
// fills it with its own functions.

#include <faultline/error.hpp>

#include <cuda.h>
#include <dlfcn.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {
namespace detail {

/// A function with the signature of one of cuda.h, so that a wrong type does not compile.
template <class Pointer>
using DriverFunction = std::function<std::remove_pointer_t<Pointer>>;

/// What is used of libcuda. `missing` says why there is none, or is empty.
struct CudaDriver {
  std::string missing;
  DriverFunction<decltype(&cuInit)> init;
  DriverFunction<decltype(&cuDeviceGet)> device_get;
  DriverFunction<decltype(&cuDeviceGetName)> device_get_name;
  DriverFunction<decltype(&cuDeviceGetAttribute)> device_get_attribute;
  DriverFunction<decltype(&cuCtxGetCurrent)> context_get_current;
  DriverFunction<decltype(&cuCtxSetCurrent)> context_set_current;
  DriverFunction<decltype(&cuDevicePrimaryCtxRetain)> primary_context_retain;
  DriverFunction<decltype(&cuModuleLoadData)> module_load_data;
  DriverFunction<decltype(&cuModuleGetFunction)> module_get_function;
  DriverFunction<decltype(&cuModuleUnload)> module_unload;
  DriverFunction<decltype(&cuLaunchKernel)> launch_kernel;
  DriverFunction<decltype(&cuGetErrorName)> get_error_name;
};

/// What is used of libnvrtc (its C interface, stable since CUDA 11.1); results are 0 for success. `missing` says why
/// there is none, or is empty.
struct CudaCompiler {
  using Program = void*;
  std::string missing;
  std::function<int(int* major, int* minor)> version;
  std::function<int(Program*, const char* source, const char* name, int headers, const char* const* header_texts,
                    const char* const* header_names)>
      create;
  std::function<int(Program, int options, const char* const* texts)> compile;
  std::function<int(Program, std::size_t*)> log_size;
  std::function<int(Program, char*)> log;
  std::function<int(Program, std::size_t*)> cubin_size;
  std::function<int(Program, char*)> cubin;
  std::function<int(Program*)> destroy;
};

/// How shared libraries are opened; replaced in tests.
struct LibrarySource {
  std::function<void*(const std::string& name)> open = [](const std::string& name) {
    return dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  };
  std::function<void*(void* library, const char* symbol)> symbol = [](void* library, const char* name) {
    return dlsym(library, name);
  };
};

/// Opens the first of `names` and fills functions from it; remembers in `missing` what was not there.
class LibraryLoader {
 public:
  LibraryLoader(const LibrarySource& source, const std::vector<std::string>& names, std::string& missing)
      : source_(source), missing_(missing) {
    for (const std::string& name : names) {
      if (void* library = source_.open(name)) {
        library_ = library;
        name_ = name;
        return;
      }
    }
    missing_ = names.front() + " was not found";
  }

  template <class Signature>
  void operator()(std::function<Signature>& function, const char* symbol) {
    if (library_ == nullptr || !missing_.empty()) return;
    if (void* address = source_.symbol(library_, symbol)) function = reinterpret_cast<Signature*>(address);
    else missing_ = name_ + " has no " + symbol;
  }

 private:
  const LibrarySource& source_;
  std::string& missing_;
  std::string name_;
  void* library_ = nullptr;
};

inline CudaDriver load_cuda_driver(const LibrarySource& source = {}) {
  CudaDriver driver;
  LibraryLoader load(source, {"libcuda.so.1"}, driver.missing);
  load(driver.init, "cuInit");
  load(driver.device_get, "cuDeviceGet");
  load(driver.device_get_name, "cuDeviceGetName");
  load(driver.device_get_attribute, "cuDeviceGetAttribute");
  load(driver.context_get_current, "cuCtxGetCurrent");
  load(driver.context_set_current, "cuCtxSetCurrent");
  load(driver.primary_context_retain, "cuDevicePrimaryCtxRetain");
  load(driver.module_load_data, "cuModuleLoadData");
  load(driver.module_get_function, "cuModuleGetFunction");
  load(driver.module_unload, "cuModuleUnload");
  load(driver.launch_kernel, "cuLaunchKernel");
  load(driver.get_error_name, "cuGetErrorName");
  return driver;
}

/// `folders` are searched before the system's own; 12 and 13 are the releases whose interface this is.
inline CudaCompiler load_cuda_compiler(const std::vector<std::string>& folders = {}, const LibrarySource& source = {}) {
  std::vector<std::string> names;
  for (const std::string name : {"libnvrtc.so.13", "libnvrtc.so.12"})  // the newest first
    for (const std::string& folder : folders) names.push_back(folder + "/" + name);
  for (const char* name : {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"}) names.emplace_back(name);
  CudaCompiler compiler;
  LibraryLoader load(source, names, compiler.missing);
  load(compiler.version, "nvrtcVersion");
  load(compiler.create, "nvrtcCreateProgram");
  load(compiler.compile, "nvrtcCompileProgram");
  load(compiler.log_size, "nvrtcGetProgramLogSize");
  load(compiler.log, "nvrtcGetProgramLog");
  load(compiler.cubin_size, "nvrtcGetCUBINSize");
  load(compiler.cubin, "nvrtcGetCUBIN");
  load(compiler.destroy, "nvrtcDestroyProgram");
  return compiler;
}

/// A step towards fused kernels or graphs did not work. Never leaves the backend: it goes on without, and `path()`
/// tells why.
struct PieceMissing {
  std::string why;
};

}  // namespace detail
}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
