// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// (no pragma once: one text, included as a string by the library and as host code by the tests; see cuda_kernels.hpp)
// The epilogue kernels: everything between two convolutions in one pass over memory. CUDA C++ without an include, so
// that the run-time compiler needs no headers.

FAULTLINE_CUDA_TEXT(

/// V neighbouring channels of one pixel, moved as one word.
template <class T, int V>
struct alignas(sizeof(T) * V) Pack {
  T value[V];
};

struct Bf16 {
  unsigned short bits;
};

/// (bfloat16 in words of two: what the chip loads, stores and rounds as one)
template <>
struct alignas(8) Pack<Bf16, 4> {
  unsigned int pair[2];
};
template <>
struct alignas(16) Pack<Bf16, 8> {
  unsigned int pair[4];
};

__device__ inline void narrow(float x, Bf16& y) {  // to nearest, ties to even; NaN stays NaN
  const unsigned int bits = __float_as_uint(x);
  y.bits = (bits & 0x7fffffffu) > 0x7f800000u ? static_cast<unsigned short>(0x7fc0u) : static_cast<unsigned short>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

template <int V>
__device__ inline void widen(const Pack<float, V>& from, float (&to)[V]) {
  FAULTLINE_UNROLL for (int v = 0; v < V; ++v) to[v] = from.value[v];
}
__device__ inline void widen(const Pack<Bf16, 1>& from, float (&to)[1]) { to[0] = __uint_as_float(static_cast<unsigned int>(from.value[0].bits) << 16); }
template <int V>
__device__ inline void widen(const Pack<Bf16, V>& from, float (&to)[V]) {
  FAULTLINE_UNROLL for (int v = 0; v < V / 2; ++v) {
    to[2 * v] = __uint_as_float(from.pair[v] << 16);
    to[2 * v + 1] = __uint_as_float(from.pair[v] & 0xffff0000u);
  }
}

template <int V>
__device__ inline void narrow(const float (&from)[V], Pack<float, V>& to) {
  FAULTLINE_UNROLL for (int v = 0; v < V; ++v) to.value[v] = from[v];
}
__device__ inline void narrow(const float (&from)[1], Pack<Bf16, 1>& to) { narrow(from[0], to.value[0]); }
template <int V>
__device__ inline void narrow(const float (&from)[V], Pack<Bf16, V>& to) {
  FAULTLINE_UNROLL for (int v = 0; v < V / 2; ++v) to.pair[v] = bf16_pair(from[2 * v], from[2 * v + 1]);
}

/// V float32 numbers, sixteen bytes at a time where V allows.
template <int V>
__device__ inline void load(const float* from, float (&to)[V]) {
  constexpr int width = V % 4 == 0 ? 4 : 1;
  FAULTLINE_UNROLL for (int part = 0; part < V / width; ++part) {
    const Pack<float, width> pack = reinterpret_cast<const Pack<float, width>*>(from)[part];
    FAULTLINE_UNROLL for (int v = 0; v < width; ++v) to[part * width + v] = pack.value[v];
  }
}

constexpr float gain = 1.41421356237309505f;  // of the activation

/// What the activation needs of a thread's channels. The gain is in scale and bias, and in the noise that comes with a
/// call: sqrt(2) lrelu(u) = lrelu(sqrt(2) u).
template <int V>
struct Channels {
  float scale[V];
  float bias[V];
  float style[V];  // of the next layer
  __device__ void read(const EpilogueArguments& a, long long n, int c, float factor) {
    load<V>(a.squared_norm + n * a.channels + c, scale);
    load<V>(a.bias + c, bias);
    if (a.style) load<V>(a.style + n * a.style_stride + c, style);
    FAULTLINE_UNROLL for (int v = 0; v < V; ++v) {
      scale[v] = rsqrtf(scale[v]) * (gain * factor);
      bias[v] *= gain;
      if (!a.style) style[v] = 1.0f;
    }
  }
  __device__ float activated(float u, int v, float noise, float limit) const {
    const float x = u * scale[v] + bias[v] + noise;
    return clamped(fmaxf(x, 0.2f * x), limit);  // (both are NaN or neither is)
  }
};

/// FIR of a transposed convolution [N, size + 1, size + 1, C], then the epilogue. A thread makes two columns of a strip
/// of rows. The filter [1, 3, 3, 1] is a sum of two neighbours, taken three times over; along y that needs the last
/// value of each of the three.
template <class T, int V>
struct Fir {
  const Pack<T, V>* in;  // this row, this column and these channels
  int packs;
  bool has_left, has_right;
  float one[2][V];    // the last row, filtered along x
  float two[2][V];    // sum of the last two
  float three[2][V];  // sum of the last two of those

  /// Takes in one row; `sum` is then what the filter makes of the last four.
  __device__ void advance(bool inside, float (&sum)[2][V]) {
    Pack<T, V> loaded[5];
    FAULTLINE_UNROLL for (int tap = 0; tap < 5; ++tap)
      loaded[tap] = inside && (tap > 0 || has_left) && (tap < 4 || has_right) ? in[(tap - 1) * packs] : Pack<T, V>{};
    float value[5][V];
    FAULTLINE_UNROLL for (int tap = 0; tap < 5; ++tap) widen(loaded[tap], value[tap]);
    FAULTLINE_UNROLL for (int v = 0; v < V; ++v) {
      const float pair[4] = {value[0][v] + value[1][v], value[1][v] + value[2][v], value[2][v] + value[3][v], value[3][v] + value[4][v]};
      const float triple[3] = {pair[0] + pair[1], pair[1] + pair[2], pair[2] + pair[3]};
      FAULTLINE_UNROLL for (int k = 0; k < 2; ++k) {
        const float row = triple[k] + triple[k + 1];
        const float second = row + one[k][v];
        const float third = second + two[k][v];
        sum[k][v] = third + three[k][v];
        one[k][v] = row;
        two[k][v] = second;
        three[k][v] = third;
      }
    }
  }
};

template <class T, int V>
__device__ void fir_epilogue(const EpilogueArguments& a) {
  const int packs = a.channels / V;
  const int item = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (item >= a.size / 2 * packs) return;
  const int pack = item % packs;
  const int x = 2 * (item / packs);
  int first = static_cast<int>(blockIdx.y) * fir_strip * a.rounds;
  const long long n = blockIdx.z;
  const int side = a.size + 1;
  const int row = side * packs;
  Fir<T, V> fir = {static_cast<const Pack<T, V>*>(a.in) + ((n * side + first - 1) * side + x) * packs + pack, packs, x > 0, x + 3 < side, {}, {}, {}};
  Pack<T, V>* out = static_cast<Pack<T, V>*>(a.out) + ((n * a.size + first) * a.size + x) * packs + pack;
  const float* noise = a.noise ? a.noise + n * a.noise_stride + first * a.size + x : nullptr;
  float sum[2][V];
  FAULTLINE_UNROLL for (int r = 0; r < 3; ++r) {
    fir.advance(first - 1 + r >= 0, sum);
    fir.in += row;
  }
  Channels<V> channels;
  channels.read(a, n, pack * V, 0.0625f);
  for (int round = 0; round < a.rounds; ++round) {
    FAULTLINE_UNROLL for (int r = 0; r < fir_strip; ++r) {
      if (first + r >= a.size) return;
      fir.advance(first + r + 2 < side, sum);
      fir.in += row;
      FAULTLINE_UNROLL for (int k = 0; k < 2; ++k) {
        const float extra = noise ? gain * noise[k] : 0.0f;
        FAULTLINE_UNROLL for (int v = 0; v < V; ++v) sum[k][v] = channels.activated(sum[k][v], v, extra, a.clamp) * channels.style[v];
        Pack<T, V> word;
        narrow(sum[k], word);
        out[k * packs] = word;
      }
      out += a.size * packs;
      if (noise) noise += a.size;
    }
    first += fir_strip;
  }
}

/// upsample2d of planes of a side at one pixel of twice the side: two taps per axis, zero outside.
struct Upsampling {
  int offset[4];
  float weight[4];
  __device__ Upsampling(int side, int y, int x) {
    const int top = (y + 1) / 2 - 1;
    const int left = (x + 1) / 2 - 1;
    const int row[2] = {top >= 0 ? top : 0, top + 1 < side ? top + 1 : top};
    const int column[2] = {left >= 0 ? left : 0, left + 1 < side ? left + 1 : left};
    const float down[2] = {top >= 0 ? (y % 2 == 0 ? 0.25f : 0.75f) : 0.0f, top + 1 < side ? (y % 2 == 0 ? 0.75f : 0.25f) : 0.0f};
    const float right[2] = {left >= 0 ? (x % 2 == 0 ? 0.25f : 0.75f) : 0.0f, left + 1 < side ? (x % 2 == 0 ? 0.75f : 0.25f) : 0.0f};
    FAULTLINE_UNROLL for (int tap = 0; tap < 4; ++tap) {
      offset[tap] = row[tap / 2] * side + column[tap % 2];
      weight[tap] = down[tap / 2] * right[tap % 2];
    }
  }
  __device__ float of(const float* plane) const {
    float sum = 0.0f;
    FAULTLINE_UNROLL for (int tap = 0; tap < 4; ++tap) sum += weight[tap] * plane[offset[tap]];
    return sum;
  }
};

/// What the activation needs of a thread's channels, and how each counts in the image.
template <int V, int O>
struct Colours : Channels<V> {
  float weight[O][V];
  __device__ void read(const EpilogueArguments& a, const ToRgbArguments& rgb, long long n, int c) {
    Channels<V>::read(a, n, c, 1.0f);
    float factor[V];
    load<V>(rgb.style + n * a.style_stride + c, factor);
    FAULTLINE_UNROLL for (int o = 0; o < O; ++o) {
      load<V>(rgb.weight + o * a.channels + c, weight[o]);
      FAULTLINE_UNROLL for (int v = 0; v < V; ++v) weight[o][v] *= factor[v];
    }
  }
};

/// Which of N sums a thread ends with when N neighbouring threads, a power of two, share theirs out.
template <int N>
__device__ inline int share_of(int lane) {
  int share = 0;
  FAULTLINE_UNROLL for (int step = 1; step < N; step *= 2) share += (lane & step) != 0 ? N / 2 / step : 0;
  return share;
}

/// Adds up sums of N neighbouring threads of a warp so that each ends with share_of<N>(lane) of them in its first
/// place: pairs of threads send each other one half and keep the other.
template <int N, int O>
__device__ inline void shared_out(float (&sum)[N][O], int lane) {
  FAULTLINE_UNROLL for (int step = 1; step < N; step *= 2) {
    const int half = N / 2 / step;
    const bool upper = (lane & step) != 0;
    FAULTLINE_UNROLL for (int k = 0; k < N / 2; ++k) {
      if (k >= half) break;
      FAULTLINE_UNROLL for (int o = 0; o < O; ++o) {
        const float kept = upper ? sum[k + half][o] : sum[k][o];
        const float sent = upper ? sum[k][o] : sum[k + half][o];
        sum[k][o] = kept + __shfl_xor_sync(0xffffffffu, sent, step);
      }
    }
  }
}

/// The epilogue of a convolution [N, size, size, C], in place or not, and the image that is read off its activations.
/// `strip` neighbouring threads of a warp share P pixels: each takes every strip-th pack of their channels. The sums of
/// the image are then added up so that each of P threads ends with one pixel.
template <class T, int V, int O>
__device__ void point_epilogue(const EpilogueArguments& a, const ToRgbArguments& rgb) {
  constexpr int P = point_pixels;
  const int packs = a.channels / V;
  const int lane = static_cast<int>(threadIdx.x) & (a.strip - 1);
  const int apart = 32 / a.strip;  // between two pixels of a thread lie those of its warp's other threads
  const int warp = static_cast<int>(blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32);
  int start = warp * a.rounds * P * apart + (static_cast<int>(threadIdx.x) & 31) / a.strip;
  const long long n = blockIdx.y;
  const int pixels = a.size * a.size;  // (no early return: all lanes of a warp take part in the sums)
  const Pack<T, V>* in = static_cast<const Pack<T, V>*>(a.in) + n * pixels * packs;
  Pack<T, V>* out = static_cast<Pack<T, V>*>(a.out) + n * pixels * packs;
  const float* noise = a.noise ? a.noise + n * a.noise_stride : nullptr;
  const float* previous = rgb.previous ? rgb.previous + n * O * (pixels / 4) : nullptr;
  const int first = share_of<P>(lane);
  float bias[O];
  FAULTLINE_UNROLL for (int o = 0; o < O; ++o) bias[o] = rgb.bias[o];
  Colours<V, O> channels;
  int held = -1;  // the pack that it is about
  for (int round = 0; round < a.rounds; ++round) {
    // All that is read is asked for before any of it is used.
    int pixel[P];  // (beyond the image: its last one, which is then read and not written)
    Pack<T, V> loaded[P];
    float extra[P];
    FAULTLINE_UNROLL for (int p = 0; p < P; ++p) {
      pixel[p] = start + p * apart < pixels ? start + p * apart : pixels - 1;
      loaded[p] = in[pixel[p] * packs + (lane < packs ? lane : 0)];
    }
    FAULTLINE_UNROLL for (int p = 0; p < P; ++p) extra[p] = noise ? noise[pixel[p]] : 0.0f;
    const int mine = start + first * apart < pixels ? start + first * apart : pixels - 1;
    float image[O] = {};
    if (previous) {
      const int y = static_cast<int>(static_cast<unsigned int>(mine) / static_cast<unsigned int>(a.size));
      const Upsampling up(a.size / 2, y, mine - y * a.size);
      FAULTLINE_UNROLL for (int o = 0; o < O; ++o) image[o] = up.of(previous + o * (pixels / 4));
    }
    FAULTLINE_UNROLL for (int p = 0; p < P; ++p) extra[p] *= gain;
    float sum[P][O] = {};
    for (int pack = lane; pack < packs; pack += a.strip) {
      if (held != pack) channels.read(a, rgb, n, pack * V);
      held = pack;
      FAULTLINE_UNROLL for (int p = 0; p < P; ++p) {
        float x[V];
        widen(loaded[p], x);
        FAULTLINE_UNROLL for (int v = 0; v < V; ++v) {
          x[v] = channels.activated(x[v], v, extra[p], a.clamp);
          FAULTLINE_UNROLL for (int o = 0; o < O; ++o) sum[p][o] += channels.weight[o][v] * x[v];
        }
        if (!a.out || start + p * apart >= pixels) continue;
        FAULTLINE_UNROLL for (int v = 0; v < V; ++v) x[v] *= channels.style[v];
        Pack<T, V> word;
        narrow(x, word);
        out[pixel[p] * packs + pack] = word;
      }
      if (pack + a.strip < packs)
        FAULTLINE_UNROLL for (int p = 0; p < P; ++p) loaded[p] = in[pixel[p] * packs + pack + a.strip];
    }

    shared_out(sum, lane);
    for (int step = P; step < a.strip; step *= 2)
      FAULTLINE_UNROLL for (int o = 0; o < O; ++o) sum[0][o] += __shfl_xor_sync(0xffffffffu, sum[0][o], step);
    if (lane < P && start + first * apart < pixels)
      FAULTLINE_UNROLL for (int o = 0; o < O; ++o) rgb.image[(n * O + o) * pixels + mine] = image[o] + clamped(sum[0][o] + bias[o], rgb.clamp);
    start += P * apart;
  }
}

extern "C" __global__ void __launch_bounds__(256, 3) faultline_fir_f32_v1(EpilogueArguments a) { fir_epilogue<float, 1>(a); }
extern "C" __global__ void __launch_bounds__(256, 3) faultline_fir_f32_v4(EpilogueArguments a) { fir_epilogue<float, 4>(a); }
extern "C" __global__ void __launch_bounds__(256, 3) faultline_fir_bf16_v1(EpilogueArguments a) { fir_epilogue<Bf16, 1>(a); }
extern "C" __global__ void __launch_bounds__(256, 3) faultline_fir_bf16_v4(EpilogueArguments a) { fir_epilogue<Bf16, 4>(a); }
extern "C" __global__ void __launch_bounds__(256, 2) faultline_point_f32_v1_o1(EpilogueArguments a, ToRgbArguments rgb) { point_epilogue<float, 1, 1>(a, rgb); }
extern "C" __global__ void __launch_bounds__(256, 2) faultline_point_f32_v1_o3(EpilogueArguments a, ToRgbArguments rgb) { point_epilogue<float, 1, 3>(a, rgb); }
extern "C" __global__ void __launch_bounds__(256, 2) faultline_point_f32_v4_o1(EpilogueArguments a, ToRgbArguments rgb) { point_epilogue<float, 4, 1>(a, rgb); }
extern "C" __global__ void __launch_bounds__(256, 2) faultline_point_f32_v4_o3(EpilogueArguments a, ToRgbArguments rgb) { point_epilogue<float, 4, 3>(a, rgb); }
extern "C" __global__ void __launch_bounds__(256, 2) faultline_point_bf16_v1_o1(EpilogueArguments a, ToRgbArguments rgb) { point_epilogue<Bf16, 1, 1>(a, rgb); }
extern "C" __global__ void __launch_bounds__(256, 2) faultline_point_bf16_v1_o3(EpilogueArguments a, ToRgbArguments rgb) { point_epilogue<Bf16, 1, 3>(a, rgb); }
extern "C" __global__ void __launch_bounds__(256, 2) faultline_point_bf16_v8_o1(EpilogueArguments a, ToRgbArguments rgb) { point_epilogue<Bf16, 8, 1>(a, rgb); }
extern "C" __global__ void __launch_bounds__(256, 2) faultline_point_bf16_v8_o3(EpilogueArguments a, ToRgbArguments rgb) { point_epilogue<Bf16, 8, 3>(a, rgb); }

)
