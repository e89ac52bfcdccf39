// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// (no pragma once: one text, included once as C++ and once as the kernels' first lines; see cuda_kernels.hpp)
// What the kernels are called with. All arrays are on the device; images of features lie in memory as [N, H, W, C].

FAULTLINE_CUDA_TEXT(

    constexpr int fir_strip = 8;     // rows that a thread makes at a time with FIR
    constexpr int point_pixels = 4;  // pixels that a thread shares in without it, a power of two
    constexpr int norm_samples = 8;  // samples and ...
    constexpr int norm_outs = 4;     // ... output channels of which a warp makes the norms: one per thread
    constexpr int norm_layers = 24;  // convolutions at most

    /// Where a convolution's part lies in what the norms are made of.
    struct NormLayer {
      int style;         // its first column of the styles
      int in;            // I
      int out;           // O
      int before;        // output channels of the convolutions before it
      int warps;         // groups of norm_outs of them
      long long weight;  // where its [O, I] begins
    };

    /// Squared norms of all modulated kernels: for every convolution, sum_i style[n, i]^2 weight[o, i] + epsilon as [N,
    /// O], one convolution after the other.
    struct NormArguments {
      const float* style;   // [N, D], rows style_stride apart
      const float* weight;  // sums of squares over a kernel's taps
      float* out;
      long long style_stride;
      int samples;  // N
      int count;    // convolutions
      int warps;    // groups of norm_outs output channels of all
      float epsilon;
      NormLayer layer[norm_layers];
    };

    /// What the two epilogue kernels do to a convolution's raw sum u of sample n, channel c, pixel p: clamp(sqrt(2)
    /// lrelu(u / sqrt(squared_norm[n, c]) + noise[n, p] + bias[c])), the next layer's input once it is scaled by
    /// style[n, c].
    struct EpilogueArguments {
      const void* in;             // [N, H, W, C] of the kernel's type
      void* out;                  // [N, size, size, C] of the kernel's type; null: not wanted
      const float* squared_norm;  // [N, C]
      const float* noise;         // [size, size] per sample, noise_stride apart; null: none
      const float* bias;          // [C]
      const float* style;         // [N, C], rows style_stride apart; null: not scaled
      long long noise_stride;     // 0: the same noise for all samples
      long long style_stride;
      int size;  // side of the output
      int channels;
      int strip;    // without FIR: threads per pixel, a power of two from point_pixels to 32
      int rounds;   // how often a thread goes on with the next fir_strip rows, or point_pixels pixels
      float clamp;  // infinite: none
    };

    /// The image that grows beside the features: image = upsample2d(previous) + clamp(sum_c weight[o, c] style[n, c]
    /// x[n, c, p] + bias[o]).
    struct ToRgbArguments {
      const float* weight;    // [O, C], 1/sqrt(C) in it
      const float* style;     // [N, C], rows style_stride of the epilogue apart
      const float* bias;      // [O]
      const float* previous;  // [N, O, size/2, size/2]; null: the first image
      float* image;           // [N, O, size, size]
      float clamp;            // infinite: none
    };

)
