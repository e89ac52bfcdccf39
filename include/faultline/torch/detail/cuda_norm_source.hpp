// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// (no pragma once: one text, included as a string by the library and as host code by the tests, after
// cuda_kernel_source.hpp; see cuda_kernels.hpp) The kernel that makes the norms of all modulated kernels of a call.

FAULTLINE_CUDA_TEXT(

    /// A warp makes the norms of norm_outs output channels and norm_samples samples: its threads share the sums over
    /// input channels out, and end with one norm each.
    template <int V> __device__ void squared_norms(const NormArguments& a) {
      constexpr int S = norm_samples;
      constexpr int O = norm_outs;
      static_assert(S * O == 32, "a norm for every thread");
      const int lane = static_cast<int>(threadIdx.x) % 32;
      const int warp = static_cast<int>(blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32);
      if (warp >= a.warps) return;
      int l = 0;
      while (l + 1 < a.count && warp >= a.layer[l + 1].warps) ++l;
      const NormLayer& layer = a.layer[l];
      const int out = (warp - layer.warps) * O;
      const int start = static_cast<int>(blockIdx.y) * S;
      const float* weight = a.weight + layer.weight;
      const float* style = a.style + start * a.style_stride + layer.style;
      int row[O];  // (what is beyond the last output channel or sample is computed from the first and not written)
      FAULTLINE_UNROLL for (int o = 0; o < O; ++o) row[o] = (out + o < layer.out ? out + o : out) * layer.in;
      int sample_row[S];
      FAULTLINE_UNROLL for (int k = 0; k < S; ++k) sample_row[k] =
          start + k < a.samples ? k * static_cast<int>(a.style_stride) : 0;
      float sum[S * O][1] = {};
      for (int i = lane * V; i < layer.in; i += 32 * V) {
        float w[O][V];
        FAULTLINE_UNROLL for (int o = 0; o < O; ++o) load<V>(weight + row[o] + i, w[o]);
        FAULTLINE_UNROLL for (int k = 0; k < S; ++k) {
          float s[V];
          load<V>(style + sample_row[k] + i, s);
          FAULTLINE_UNROLL for (int v = 0; v < V; ++v) {
            const float square = s[v] * s[v];
            FAULTLINE_UNROLL for (int o = 0; o < O; ++o) sum[k * O + o][0] += square * w[o][v];
          }
        }
      }
      shared_out(sum, lane);
      const int which = share_of<S * O>(lane);
      const int sample = start + which / O;
      const int o = out + which % O;
      if (sample < a.samples && o < layer.out)
        a.out[static_cast<long long>(a.samples) * layer.before + static_cast<long long>(sample) * layer.out + o] =
            sum[0][0] + a.epsilon;
    }

    extern "C" __global__ void __launch_bounds__(256, 3) faultline_norms_v1(NormArguments a) {
      squared_norms<1>(a);
    } extern "C" __global__ void __launch_bounds__(256, 3) faultline_norms_v4(NormArguments a) { squared_norms<4>(a); }

)
