// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// (no pragma once: one text, included as a string by the library and as host code by the tests; see cuda_kernels.hpp)
// The epilogue kernels: everything between two convolutions in one pass over memory. CUDA C++ without an include, so that the run-time compiler needs no headers.

FAULTLINE_CUDA_TEXT(

/// V neighbouring channels of one pixel, moved as one word.
template <class T, int V>
struct alignas(sizeof(T) * V) Pack {
  T value[V];
};

struct Bf16 {
  unsigned short bits;
};

__device__ inline float widen(float x) { return x; }
__device__ inline float widen(Bf16 x) { return __uint_as_float(static_cast<unsigned int>(x.bits) << 16); }
__device__ inline void narrow(float x, float& y) { y = x; }
__device__ inline void narrow(float x, Bf16& y) {  // to nearest, ties to even; NaN stays NaN
  const unsigned int bits = __float_as_uint(x);
  y.bits = (bits & 0x7fffffffu) > 0x7f800000u ? static_cast<unsigned short>(0x7fc0u) : static_cast<unsigned short>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

template <int V>
__device__ inline void load(const float* from, float (&to)[V]) {
  const Pack<float, V> pack = *reinterpret_cast<const Pack<float, V>*>(from);
  for (int v = 0; v < V; ++v) to[v] = pack.value[v];
}

/// (comparisons, so that NaN passes through)
__device__ inline float clamped(float x, float limit) { return limit > 0.0f ? (x > limit ? limit : (x < -limit ? -limit : x)) : x; }

__device__ inline float activated(float u, float limit) { return clamped((u > 0.0f ? u : 0.2f * u) * 1.41421356237309505f, limit); }

/// Scale, bias and next style of a thread's channels.
template <int V>
struct Channels {
  float scale[V];
  float bias[V];
  float style[V];
  __device__ Channels(const EpilogueArguments& a, long long n, int c) {
    load<V>(a.squared_norm + n * a.channels + c, scale);
    load<V>(a.bias + c, bias);
    if (a.style) load<V>(a.style + n * a.style_stride + c, style);
    for (int v = 0; v < V; ++v) {
      scale[v] = rsqrtf(scale[v]);
      if (!a.style) style[v] = 1.0f;
    }
  }
};

/// One row of the transposed convolution, filtered by [1, 3, 3, 1] at the columns x and x + 1; zero outside.
template <class T, int V>
__device__ inline void filtered_row(const Pack<T, V>* in, int packs, int side, int row, int x, float (&out)[2][V]) {
  for (int v = 0; v < V; ++v) out[0][v] = out[1][v] = 0.0f;
  if (row < 0 || row >= side) return;
  for (int tap = 0; tap < 5; ++tap) {
    const int column = x - 1 + tap;
    if (column < 0 || column >= side) continue;
    const Pack<T, V> pack = in[(static_cast<long long>(row) * side + column) * packs];
    const float left = tap == 0 || tap == 3 ? 1.0f : (tap == 4 ? 0.0f : 3.0f);
    const float right = tap == 1 || tap == 4 ? 1.0f : (tap == 0 ? 0.0f : 3.0f);
    for (int v = 0; v < V; ++v) {
      const float value = widen(pack.value[v]);
      out[0][v] += left * value;
      out[1][v] += right * value;
    }
  }
}

/// FIR of a transposed convolution [N, size + 1, size + 1, C], then the epilogue. A thread makes two columns of a strip of rows: a filtered row serves four outputs.
template <class T, int V>
__device__ void fir_epilogue(const EpilogueArguments& a) {
  const int packs = a.channels / V;
  const int item = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (item >= a.size / 2 * packs) return;
  const int pack = item % packs;
  const int x = 2 * (item / packs);
  const int first = static_cast<int>(blockIdx.y) * a.strip;
  const int last = first + a.strip < a.size ? first + a.strip : a.size;
  const long long n = blockIdx.z;
  const int side = a.size + 1;
  const Pack<T, V>* in = static_cast<const Pack<T, V>*>(a.in) + n * side * side * packs + pack;
  Pack<T, V>* out = static_cast<Pack<T, V>*>(a.out) + n * a.size * a.size * packs + pack;
  const Channels<V> channels(a, n, pack * V);
  float row[4][2][V];
  for (int r = 0; r < 3; ++r) filtered_row<T, V>(in, packs, side, first - 1 + r, x, row[r]);
  for (int y = first; y < last; ++y) {
    filtered_row<T, V>(in, packs, side, y + 2, x, row[3]);
    for (int k = 0; k < 2; ++k) {
      const long long pixel = static_cast<long long>(y) * a.size + x + k;
      const float noise = a.noise ? a.noise[n * a.noise_stride + pixel] : 0.0f;
      Pack<T, V> result;
      for (int v = 0; v < V; ++v) {
        const float sum = (row[0][k][v] + row[3][k][v] + 3.0f * (row[1][k][v] + row[2][k][v])) * 0.0625f;
        narrow(activated(sum * channels.scale[v] + noise + channels.bias[v], a.clamp) * channels.style[v], result.value[v]);
      }
      out[pixel * packs] = result;
    }
    for (int r = 0; r < 3; ++r)
      for (int k = 0; k < 2; ++k)
        for (int v = 0; v < V; ++v) row[r][k][v] = row[r + 1][k][v];
  }
}

/// upsample2d of one plane at one pixel: two taps per axis, zero outside.
__device__ inline float upsampled(const float* plane, int side, int y, int x) {
  const int top = (y + 1) / 2 - 1;
  const int left = (x + 1) / 2 - 1;
  const float down = y % 2 == 0 ? 0.75f : 0.25f;  // weight of the lower row
  const float right = x % 2 == 0 ? 0.75f : 0.25f;
  float sum = 0.0f;
  for (int dy = 0; dy < 2; ++dy)
    for (int dx = 0; dx < 2; ++dx) {
      const int row = top + dy;
      const int column = left + dx;
      if (row < 0 || row >= side || column < 0 || column >= side) continue;
      sum += (dy == 1 ? down : 1.0f - down) * (dx == 1 ? right : 1.0f - right) * plane[row * side + column];
    }
  return sum;
}

/// The epilogue of a convolution [N, size, size, C], in place or not, and the image that is read off its activations. `strip` threads of one warp share a pixel.
template <class T, int V>
__device__ void point_epilogue(const EpilogueArguments& a, const ToRgbArguments& rgb) {
  const int packs = a.channels / V;
  const int lane = static_cast<int>(threadIdx.x) % a.strip;
  const int pixel = static_cast<int>(blockIdx.x) * (static_cast<int>(blockDim.x) / a.strip) + static_cast<int>(threadIdx.x) / a.strip;
  const long long n = blockIdx.y;
  const bool inside = pixel < a.size * a.size;  // (no early return: all lanes of a warp take part in the sum)
  float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  if (inside) {
    const float noise = a.noise ? a.noise[n * a.noise_stride + pixel] : 0.0f;
    const long long base = (n * a.size * a.size + pixel) * packs;
    for (int pack = lane; pack < packs; pack += a.strip) {
      const int c = pack * V;
      const Channels<V> channels(a, n, c);
      const Pack<T, V> u = static_cast<const Pack<T, V>*>(a.in)[base + pack];
      float x[V];
      for (int v = 0; v < V; ++v) x[v] = activated(widen(u.value[v]) * channels.scale[v] + noise + channels.bias[v], a.clamp);
      if (a.out) {
        Pack<T, V> result;
        for (int v = 0; v < V; ++v) narrow(x[v] * channels.style[v], result.value[v]);
        static_cast<Pack<T, V>*>(a.out)[base + pack] = result;
      }
      if (rgb.weight) {
        float style[V];
        load<V>(rgb.style + n * a.style_stride + c, style);
        for (int o = 0; o < 4; ++o) {
          if (o >= rgb.channels) break;
          float weight[V];
          load<V>(rgb.weight + static_cast<long long>(o) * a.channels + c, weight);
          for (int v = 0; v < V; ++v) sum[o] += weight[v] * style[v] * x[v];
        }
      }
    }
  }
  if (!rgb.weight) return;
  for (int step = a.strip / 2; step > 0; step /= 2)
    for (int o = 0; o < 4; ++o)
      if (o < rgb.channels) sum[o] += __shfl_xor_sync(0xffffffffu, sum[o], step);
  if (!inside || lane != 0) return;
  for (int o = 0; o < 4; ++o) {
    if (o >= rgb.channels) break;
    const long long plane = n * rgb.channels + o;
    float value = clamped(sum[o] + rgb.bias[o], rgb.clamp);
    if (rgb.previous) value += upsampled(rgb.previous + plane * (a.size / 2) * (a.size / 2), a.size / 2, pixel / a.size, pixel % a.size);
    rgb.image[plane * a.size * a.size + pixel] = value;
  }
}

extern "C" __global__ void __launch_bounds__(256) faultline_fir_f32_v1(EpilogueArguments a) { fir_epilogue<float, 1>(a); }
extern "C" __global__ void __launch_bounds__(256) faultline_fir_f32_v4(EpilogueArguments a) { fir_epilogue<float, 4>(a); }
extern "C" __global__ void __launch_bounds__(256) faultline_fir_bf16_v1(EpilogueArguments a) { fir_epilogue<Bf16, 1>(a); }
extern "C" __global__ void __launch_bounds__(256) faultline_fir_bf16_v4(EpilogueArguments a) { fir_epilogue<Bf16, 4>(a); }
extern "C" __global__ void __launch_bounds__(256) faultline_point_f32_v1(EpilogueArguments a, ToRgbArguments rgb) { point_epilogue<float, 1>(a, rgb); }
extern "C" __global__ void __launch_bounds__(256) faultline_point_f32_v4(EpilogueArguments a, ToRgbArguments rgb) { point_epilogue<float, 4>(a, rgb); }
extern "C" __global__ void __launch_bounds__(256) faultline_point_bf16_v1(EpilogueArguments a, ToRgbArguments rgb) { point_epilogue<Bf16, 1>(a, rgb); }
extern "C" __global__ void __launch_bounds__(256) faultline_point_bf16_v4(EpilogueArguments a, ToRgbArguments rgb) { point_epilogue<Bf16, 4>(a, rgb); }

)
