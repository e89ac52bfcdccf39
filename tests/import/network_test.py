# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The forward pass that makes probes, against recorded outputs, against numbers worked out by hand, and against the
definition of rosinality's layers for weights that were imported from there."""

import argparse
import json
import pathlib
import sys
import unittest

folder, source = (pathlib.Path(sys.argv.pop(1)) for _ in range(2))
sys.path.insert(0, str(folder))
sys.dont_write_bytecode = True
try:
    import numpy as np
except ImportError:
    print("skipped: numpy is missing")
    sys.exit(77)
import checkpoints as make
import layouts
import network
import torch_files
from checkpoint import NOT_SAID, Checkpoint


def generator(path):
    metadata, tensors = make.read_safetensors(path)
    return json.loads(metadata["config"]), tensors


def images(config, weights, w):
    return np.stack([network.synthesis(config, weights, row) for row in w])


class Recorded(unittest.TestCase):
    def test_the_shipped_digits_reproduce_their_probe(self):
        config, tensors = generator(source / "assets/digits.safetensors")
        made = network.probe(config, tensors)
        self.assertTrue(np.array_equal(made["probe.z"], tensors["probe.z"]))
        self.assertTrue(np.array_equal(made["probe.labels"], tensors["probe.labels"]))
        self.assertLess(np.abs(made["probe.image"] - tensors["probe.image"]).max(), 1e-4)

    def test_a_small_colour_network_with_a_clamp(self):
        config, weights = generator(source / "tests/fixtures/small.generator.safetensors")
        _, expected = make.read_safetensors(source / "tests/fixtures/small.expected.safetensors")
        w = network.mapping(config, weights, expected["z"], expected["labels"])
        self.assertLess(np.abs(w - expected["psi1.w"]).max(), 1e-5)
        self.assertLess(np.abs(images(config, weights, w) - expected["psi1.image.noise_const"]).max(), 1e-4)

    def test_shapes_are_those_of_the_files(self):
        for path in ("assets/digits.safetensors", "tests/fixtures/small.generator.safetensors"):
            config, tensors = generator(source / path)
            found = {
                n: a.shape
                for n, a in tensors.items()
                if not n.startswith("probe.") and not n.endswith("resample_filter")
            }
            self.assertEqual(network.shapes(config), found)


class ByHand(unittest.TestCase):
    def near(self, found, expected, tolerance=1e-6):
        self.assertLess(np.abs(np.asarray(found) - expected).max(), tolerance)

    def test_normalization(self):
        self.near(network.normalized(np.array([[1.0, 2, 3, 4]])), [[0.3651484, 0.7302967, 1.0954451, 1.4605935]])

    def test_a_mapping_layer(self):
        config = {"z_dim": 2, "c_dim": 0, "mapping_layers": 1, "mapping_lr_multiplier": 0.01}
        weights = {
            "mapping.fc0.weight": np.array([[100.0, -100], [50, 150]]), "mapping.fc0.bias": np.array([10.0, -20])
        }
        x = np.array([[1.0, 2.0]])
        plain, network.normalized = network.normalized, lambda z: z
        try:
            self.near(network.mapping(config, weights, x, None), [[-0.1717157, 3.2171573]])
        finally:
            network.normalized = plain

    def test_upsampling(self):
        self.near(network.upsampled(np.array([[[1.0, 2], [3, 4]]])),
                  [[[.5625, .9375, 1.3125, 1.125], [1.125, 1.75, 2.25, 1.875], [1.875, 2.75, 3.25, 2.625],
                    [1.6875, 2.4375, 2.8125, 2.25]]])

    def test_the_upsampling_convolution(self):
        found = network.upsampled_convolution(np.array([[[1.0, 2], [3, 4]]]), np.arange(1.0, 10).reshape(1, 1, 3, 3))
        self.near(found, [[[17.0625, 29.6875, 37.25, 33.9375], [36, 60.625, 73.4375, 64.6875],
                           [56.25, 90.625, 105.3125, 89.4375], [63.9375, 99.4375, 111.875, 92.0625]]])

    def test_philox(self):
        """Golden values of tests/core/random_test.cpp are made by random_golden.py, from integers alone."""
        sys.path.insert(0, str(source / "tests/core"))
        text = (source / "tests/core/random_golden.py").read_text()
        golden = {}
        exec(text.partition("\nif __name__")[0], golden)
        for seed, index in ((0, 0), (7, 2**40 + 3), (2**40 + 5, 12345678901)):
            self.near(network.normals(seed, index, 10), golden["normals"](seed, 0, index, 10), 1e-7)


# The layers of rosinality's network by their definition: the weight of every sample is scaled, modulated and
# demodulated, transposed convolutions and filters are sums over all taps. Nothing is shared with network.py.


def modulated(weight, style, demodulate):
    _, _, i, k, _ = weight.shape
    scaled = weight[0] / np.sqrt(i * k * k) * style[None, :, None, None]
    if demodulate:
        scaled = scaled / np.sqrt((scaled**2).sum(axis=(1, 2, 3), keepdims=True) + 1e-8)
    return scaled


def correlate(x, weight):
    o, i, k, _ = weight.shape
    n, p = x.shape[1], k // 2
    out = np.zeros((o, n, n))
    for y, z in np.ndindex(n, n):
        for a, b in np.ndindex(k, k):
            if 0 <= y + a - p < n and 0 <= z + b - p < n:
                out[:, y, z] += weight[:, :, a, b] @ x[:, y + a - p, z + b - p]
    return out


def transpose_convolve(x, weight):
    n = x.shape[1]
    out = np.zeros((weight.shape[0], 2 * n + 1, 2 * n + 1))
    for y, z in np.ndindex(n, n):
        for a, b in np.ndindex(3, 3):
            out[:, 2 * y + a, 2 * z + b] += weight[:, :, a, b] @ x[:, y, z]
    return out


def filter_padded(x, kernel, before, after):
    padded = np.pad(x, ((0, 0), (before, after), (before, after)))
    n = padded.shape[1] - 3
    out = np.zeros((x.shape[0], n, n))
    for y, z in np.ndindex(n, n):
        out[:, y, z] = (padded[:, y:y + 4, z:z + 4] * kernel[::-1, ::-1]).sum(axis=(1, 2))
    return out


def leaky(x):
    return np.sqrt(2) * np.maximum(x, 0.2 * x)


class Rosinality(unittest.TestCase):
    def network(self):
        random = np.random.default_rng(5)
        config = {
            "z_dim": 5, "w_dim": 5, "c_dim": 0, "img_resolution": 16, "img_channels": 3, "channel_base": 64,
            "channel_max": 7, "mapping_layers": 3, "mapping_lr_multiplier": 0.01, "conv_clamp": None
        }
        scale = lambda name: 100.0 if name.startswith("mapping.fc") and name.endswith("weight") else 1.0
        weights = {
            name: (random.standard_normal(shape) * scale(name)).astype(np.float32)
            for name, shape in network.shapes(config).items()
        }
        return config, weights

    def definition(self, p, z):
        x = z / np.sqrt(np.mean(z * z) + 1e-8)
        for i in (1, 2, 3):
            x = leaky(p[f"style.{i}.weight"] @ x * 0.01 / np.sqrt(5) + p[f"style.{i}.bias"] * 0.01)
        w = x

        def style(name):
            return p[name + ".conv.modulation.weight"] @ w / np.sqrt(5) + p[name + ".conv.modulation.bias"]

        def layer(name, x, noise, up):
            weight = modulated(p[name + ".conv.weight"], style(name), True)
            if up:
                x = filter_padded(transpose_convolve(x, weight), p[name + ".conv.blur.kernel"], 1, 1)
            else:
                x = correlate(x, weight)
            x = x + p[name + ".noise.weight"] * p[f"noises.noise_{noise}"][0]
            return leaky(x + p[name + ".activate.bias"][:, None, None])

        def rgb(name, x):
            return correlate(x, modulated(p[name + ".conv.weight"], style(name), False)) + p[name + ".bias"][0]

        x = layer("conv1", p["input.input"][0].astype(np.float64), 0, False)
        image = rgb("to_rgb1", x)
        for j in range(2):
            x = layer(f"convs.{2 * j}", x, 2 * j + 1, True)
            x = layer(f"convs.{2 * j + 1}", x, 2 * j + 2, False)
            c, n, _ = image.shape
            spread = np.zeros((c, 2 * n, 2 * n))
            spread[:, ::2, ::2] = image
            image = rgb(f"to_rgbs.{j}", x) + filter_padded(spread, p[f"to_rgbs.{j}.upsample.kernel"], 2, 1)
        return image

    def test_imported_weights_make_the_images_of_the_definition(self):
        config, weights = self.network()
        arrays = make.rosinality(weights, 3, 16)
        data = make.archive({"g_ema": make.tensors(arrays), "latent_avg": make.Tensor(weights["mapping.w_avg"])})
        options = argparse.Namespace(network=None, class_names=None, conv_clamp=NOT_SAID,
                                     mapping_lr_multiplier=NOT_SAID, value_range=NOT_SAID)
        imported = layouts.read(Checkpoint.from_pickle(torch_files.load_torch(data)), options)
        self.assertEqual({key: imported.config[key] for key in config if key != "channel_base"},
                         {key: value for key, value in config.items() if key != "channel_base"})
        for name, array in weights.items():
            self.assertTrue(np.array_equal(imported.weights[name], array), name)
        for z in np.random.default_rng(6).standard_normal((2, 5)):
            expected = self.definition(arrays, z)
            w = network.mapping(imported.config, imported.weights, z[None], None)
            found = network.synthesis(imported.config, imported.weights, w[0])
            self.assertLess(np.abs(found - expected).max(), 1e-5 * np.abs(expected).max())
            # and a kernel the other way round would not
            turned = {
                name: array[:, :, ::-1, ::-1] if name.endswith("conv0.weight") else array
                for name, array in imported.weights.items()
            }
            self.assertGreater(np.abs(network.synthesis(imported.config, turned, w[0]) - expected).max(), 1e-2)

    def test_there_and_back(self):
        """Names of the test and of the program were written down separately; both ways give what was there."""
        config, weights = self.network()
        theirs = make.rosinality(weights, 3, 16)
        names = layouts.rosinality_names(16)
        for ours, (name, shape) in names.items():
            self.assertEqual(theirs[name].shape, shape(weights[ours].shape))
            self.assertTrue(np.array_equal(theirs[name].reshape(weights[ours].shape), weights[ours]))


if __name__ == "__main__":
    unittest.main()
