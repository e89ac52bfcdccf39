// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// (no pragma once: one text, included once as C++ and once as the kernels' first lines; see cuda_kernels.hpp)
// What the epilogue kernels are called with. All arrays are on the device; images of features lie in memory as [N, H, W, C].

FAULTLINE_CUDA_TEXT(

/// What both kernels do to a convolution's raw sum u of sample n, channel c, pixel p:
/// clamp(sqrt(2) lrelu(u / sqrt(squared_norm[n, c]) + noise[n, p] + bias[c])), the next layer's input once it is scaled by style[n, c].
struct EpilogueArguments {
  const void* in;             // [N, H, W, C] of the kernel's type
  void* out;                  // [N, size, size, C] of the kernel's type; null: not wanted
  const float* squared_norm;  // [N, C]
  const float* noise;         // [size, size] per sample, noise_stride apart; null: none
  const float* bias;          // [C]
  const float* style;         // [N, C], rows style_stride apart; null: not scaled
  long long noise_stride;     // 0: the same noise for all samples
  long long style_stride;
  int size;                   // side of the output
  int channels;
  int strip;                  // rows per thread (with FIR) or threads per pixel (without)
  float clamp;                // not positive: none
};

/// The image that grows beside the features: image = upsample2d(previous) + clamp(sum_c weight[o, c] style[n, c] x[n, c, p] + bias[o]).
struct ToRgbArguments {
  const float* weight;    // [O, C], 1/sqrt(C) in it; null: no image here
  const float* style;     // [N, C], rows style_stride of the epilogue apart
  const float* bias;      // [O]
  const float* previous;  // [N, O, size/2, size/2]; null: the first image
  float* image;           // [N, O, size, size]
  int channels;           // O, at most 4
  float clamp;            // not positive: none
};

)
