// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The table's third part: devices, streams and graph capture of LibTorch's CUDA half, looked up while the program runs
// so that nothing has to be linked with it.

#include <faultline/torch/detail/cuda_functions.hpp>
#include <faultline/torch/libtorch.hpp>

#include <faultline/torch/libtorch_begin.hpp>

#include <ATen/cuda/CUDAGraph.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/Event.h>
#include <c10/core/Stream.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/cuda/CUDAStream.h>
#include <faultline/torch/libtorch_end.hpp>

#include <functional>
#include <memory>
#include <new>
#include <string>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {
namespace detail {

/// What is used of LibTorch on the device. Functions throw what LibTorch throws; `device` throws Error.
struct TorchDevice {
  std::function<at::Device(int ordinal)> device;  ///< throws device_unavailable
  /// Why there are no native streams to launch on, or empty
  std::string streams_missing;
  std::function<void*(c10::Stream)> native_stream;
  std::function<c10::Stream(at::Device)> current_stream;
  /// Another one than the default, on which a capture is possible
  std::function<c10::Stream(at::Device)> side_stream;
  std::function<c10::Stream(c10::Stream)> exchange_stream;  ///< makes it current, returns the one before
  /// The second goes on after what the first has been given so far
  std::function<void(c10::Stream, c10::Stream)> order;
  std::string graphs_missing;                           ///< why there are no graphs, or empty
  std::function<std::shared_ptr<void>()> graph_create;  ///< the graph dies with the last copy
  std::function<void(void*)> graph_begin;               ///< of capture, on the current stream
  std::function<void(void*)> graph_end;                 ///< and instantiates
  std::function<void(void*)> graph_replay;              ///< on the current stream
};

/// The whole table.
struct CudaTable {
  CudaDriver driver;
  CudaCompiler compiler;
  TorchDevice torch;
};

inline at::Device cuda_device(int ordinal) {
  constexpr const char* where = "CudaBackend";
  if (!c10::impl::hasDeviceGuardImpl(at::kCUDA))
    throw Error(ErrorCode::device_unavailable, where,
                "this program has no CUDA half of LibTorch in it (libtorch_cuda was not linked, or LibTorch was built "
                "without CUDA); link faultline::cuda with a CUDA LibTorch, or use a backend for the CPU");
  const int count = c10::impl::VirtualGuardImpl(at::kCUDA).deviceCount();
  if (count == 0)
    throw Error(ErrorCode::device_unavailable, where,
                "there is no CUDA device (no GPU, or no driver for it); use a backend for the CPU");
  if (ordinal < 0 || ordinal >= count)
    throw Error(ErrorCode::device_unavailable, where,
                "device " + std::to_string(ordinal) + " was asked for, there are " + std::to_string(count) +
                    ", counted from 0");
  return {at::kCUDA, static_cast<c10::DeviceIndex>(ordinal)};
}

/// LibTorch's CUDA half as it is in this process. Its classes are reached through their symbols: a program that was
/// linked without them starts all the same.
inline TorchDevice load_torch_device(const LibrarySource& source = {}) {
  TorchDevice torch;
  torch.device = cuda_device;
  const auto find = [&](auto*& function, const char* symbol, std::string& missing) {
    if (void* address = source.symbol(RTLD_DEFAULT, symbol))
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(address);
    else if (missing.empty()) missing = std::string("LibTorch's CUDA half has no ") + symbol;
  };

  cudaStream_t (*native)(const c10::cuda::CUDAStream*) = nullptr;
  find(native, "_ZNK3c104cuda10CUDAStream6streamEv", torch.streams_missing);
  torch.native_stream = [native](c10::Stream stream) -> void* {
    const c10::cuda::CUDAStream cuda(stream);
    return native(&cuda);
  };
  torch.current_stream = [](at::Device device) { return c10::impl::VirtualGuardImpl(device.type()).getStream(device); };
  torch.side_stream = [](at::Device device) {
    return c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
  };
  torch.exchange_stream = [](c10::Stream stream) {
    return c10::impl::VirtualGuardImpl(stream.device_type()).exchangeStream(stream);
  };
  torch.order = [](c10::Stream first, c10::Stream then) {
    if (first == then) return;
    c10::Event event(first.device_type());
    event.record(first);
    event.block(then);
  };

  using Graph = at::cuda::CUDAGraph;
  void (*create)(void*, bool) = nullptr;  // bool keep_graph, since LibTorch 2.8
  void (*create_before)(void*) = nullptr;
  void (*destroy)(void*) = nullptr;
  void (*begin)(void*, c10::MempoolId_t, cudaStreamCaptureMode) = nullptr;
  void (*end)(void*) = nullptr;
  void (*replay)(void*) = nullptr;
  std::string unimportant;
  find(create, "_ZN2at4cuda9CUDAGraphC1Eb", unimportant);
  if (create == nullptr) find(create_before, "_ZN2at4cuda9CUDAGraphC1Ev", torch.graphs_missing);
  find(destroy, "_ZN2at4cuda9CUDAGraphD1Ev", torch.graphs_missing);
  find(begin, "_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode", torch.graphs_missing);
  find(end, "_ZN2at4cuda9CUDAGraph11capture_endEv", torch.graphs_missing);
  find(replay, "_ZN2at4cuda9CUDAGraph6replayEv", torch.graphs_missing);
  torch.graph_create = [create, create_before, destroy]() -> std::shared_ptr<void> {
    struct Storage {
      alignas(Graph) std::byte bytes[sizeof(Graph)];
    };
    auto storage = std::make_unique<Storage>();
    if (create != nullptr) create(storage->bytes, false);
    else create_before(storage->bytes);
    return {static_cast<void*>(storage.release()), [destroy](void* graph) {
              destroy(graph);
              delete static_cast<Storage*>(graph);
            }};
  };
  // (thread-local: what other threads do with the device meanwhile is their affair)
  torch.graph_begin = [begin](void* graph) { begin(graph, c10::MempoolId_t{0, 0}, cudaStreamCaptureModeThreadLocal); };
  torch.graph_end = [end](void* graph) { end(graph); };
  torch.graph_replay = [replay](void* graph) { replay(graph); };
  return torch;
}

/// Where the wheel and the toolkit keep NVRTC, seen from LibTorch's own library.
inline std::vector<std::string> compiler_folders() {
  std::vector<std::string> folders;
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(static_cast<void (*)(int)>(&at::set_num_threads)), &info) != 0 &&
      info.dli_fname != nullptr) {
    const std::string library = info.dli_fname;
    const std::string folder = library.substr(0, library.find_last_of('/') + 1);
    folders = {folder + "../../nvidia/cu13/lib", folder + "../../nvidia/cuda_nvrtc/lib"};
  }
  folders.emplace_back("/usr/local/cuda/lib64");
  return folders;
}

/// What the machine and the program offer.
inline std::shared_ptr<const CudaTable> system_cuda_table() {
  auto table = std::make_shared<CudaTable>();
  table->driver = load_cuda_driver();
  table->compiler = load_cuda_compiler(compiler_folders());
  table->torch = load_torch_device();
  return table;
}

}  // namespace detail
}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
