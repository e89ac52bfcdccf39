# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every layout gives the generator that was put into it, tensor by tensor."""

import argparse
import hashlib
import json
import subprocess
import sys
import unittest

from importing import DIGITS, NAMES, ImportTest, folder, unconditional
import checkpoints as make
import numpy as np


class Layouts(ImportTest):

    # The ADA family.

    def test_a_pickle_of_persistent_modules(self):
        snapshot = {
            "G": make.persistent({n: a + 1 if a.ndim else a for n, a in self.weights.items()}, self.trap),
            "D": make.Module("Discriminator", self.trap), "G_ema": make.persistent(self.weights, self.trap),
            "augment_pipe": None, "training_set_kwargs": make.EasyDict(class_name="training.dataset.ImageFolderDataset")
        }
        for protocol in (2, 3, 4, 5):
            result = self.imported(make.plain(snapshot, protocol), "--class-names", ",".join(NAMES))
            config = self.expect(result, self.weights, c_dim=10, conv_clamp=None, mapping_lr_multiplier=0.01,
                                 class_names=NAMES)
        self.assertEqual(config, json.loads(make.read_safetensors(DIGITS)[0]["config"]))

    def test_the_imported_file_is_the_original(self):
        data = make.plain({"G_ema": make.persistent(self.weights, self.trap)})
        _, tensors = self.imported(data, "--class-names", ",".join(NAMES))
        _, original = make.read_safetensors(DIGITS)
        for name in ("probe.z", "probe.labels"):
            self.assertTrue(np.array_equal(tensors[name], original[name]), name)
        self.assertLess(np.abs(tensors["probe.image"] - original["probe.image"]).max(), 1e-4)

    def test_the_same_file_gives_the_same_bytes(self):
        data = make.plain({"G_ema": make.persistent(self.weights, self.trap)})
        self.imported(data)
        first = self.out.read_bytes()
        self.imported(data)
        self.assertEqual(first, self.out.read_bytes())
        metadata, _ = make.read_safetensors(first)
        length = int.from_bytes(first[:8], "little")
        blank = first[8:8 + length].replace(metadata["sha256"].encode(), b"0" * 64)
        self.assertEqual(hashlib.sha256(blank + first[8 + length:]).hexdigest(), metadata["sha256"])
        imported = json.loads(metadata["provenance"])["imported"]
        self.assertEqual(imported["sha256"], hashlib.sha256(data).hexdigest())
        self.assertEqual((imported["layout"], imported["network"]), ("ada", "G_ema"))

    def test_options_come_from_the_modules(self):
        data = make.plain({"G_ema": make.persistent(self.weights, self.trap, clamp=256, rate=0.02)})
        self.expect(self.imported(data), self.weights, conv_clamp=256.0, mapping_lr_multiplier=0.02)
        self.expect(self.imported(data, "--conv-clamp", "256"), self.weights, conv_clamp=256.0)
        self.refused(data, "contradicts --conv-clamp", "--conv-clamp", "none")
        self.refused(data, "contradicts --mapping-lr-multiplier", "--mapping-lr-multiplier", "0.01")

    def test_what_nobody_says_is_usual_or_asked_for(self):
        data = make.plain({"G_ema": make.persistent(self.weights, self.trap, said=False)})
        metadata, tensors = self.imported(data)
        self.expect((metadata, tensors), self.weights, conv_clamp=256.0)
        (note,) = json.loads(metadata["provenance"])["imported"]["notes"]
        self.assertRegex(note, "clamped at 256, as usual.*far from it")
        _, free = self.imported(data, "--conv-clamp", "none")
        self.assertTrue(np.array_equal(tensors["probe.image"], free["probe.image"]))  # it makes no difference here
        large = dict(self.weights)
        large["synthesis.b8.conv1.bias"] = large["synthesis.b8.conv1.bias"] + np.float32(300)
        self.refused(make.safetensors(large), "activations are large")
        self.expect(self.imported(make.safetensors(large), "--conv-clamp", "256"), large, conv_clamp=256.0)
        self.expect(self.imported(data, "--conv-clamp", "none"), self.weights, conv_clamp=None, channel_base=1024,
                    channel_max=128, mapping_lr_multiplier=0.01)
        small = {name: array * 0.01 if "mapping.fc" in name else array for name, array in self.weights.items()}
        data = make.plain({"G_ema": make.persistent(small, self.trap, said=False)})
        self.refused(data, "--mapping-lr-multiplier", "--conv-clamp", "none")
        self.expect(self.imported(data, "--conv-clamp", "none", "--mapping-lr-multiplier", "1"), small,
                    mapping_lr_multiplier=1.0)

    def test_layers_that_disagree_are_refused(self):
        root = make.persistent(self.weights, self.trap, clamp=256)
        root.modules["synthesis"].modules["b8"].modules["conv1"].attributes = {"conv_clamp": 128}
        self.refused(make.plain({"G_ema": root}), "disagree about conv_clamp")

    def test_state_dicts_in_every_container(self):
        for prefix in ("", "G_ema.", "module."):
            value = make.state_dict(self.weights, prefix)
            for data in (make.archive(value), make.legacy(value), make.plain(value), make.archive(value, "snapshot-1")):
                self.expect(self.imported(data, "--conv-clamp", "none"), self.weights, c_dim=10)
        nested = {"step": 7, "state_dict": {"generator": make.state_dict(self.weights)}}
        self.expect(self.imported(make.archive(nested), "--conv-clamp", "256"), self.weights, conv_clamp=256.0)

    def test_the_averaged_network_is_taken_unless_another_is_named(self):
        other = {name: array * np.float32(1.0 if array.ndim else 0.5) + 0 for name, array in self.weights.items()}
        other["mapping.w_avg"] = self.weights["mapping.w_avg"] + 1
        value = {"G": make.state_dict(other), "G_ema": make.state_dict(self.weights)}
        self.expect(self.imported(make.archive(value), "--conv-clamp", "none"), self.weights)
        self.expect(self.imported(make.archive(value), "--conv-clamp", "none", "--network", "G"), other)
        self.refused(make.archive(value), "it has G, G_ema", "--network", "H")
        value = {"one": make.state_dict(other), "two": make.state_dict(self.weights)}
        self.refused(make.archive(value), "several generators (one, two)")

    def test_tensors_in_any_order_type_and_sharing(self):
        arranged = lambda array: make.channels_last(array) if array.ndim == 4 else make.Tensor(array)
        value = make.state_dict(self.weights, make=arranged)
        self.expect(self.imported(make.archive(value), "--conv-clamp", "none"), self.weights)
        whole = np.concatenate([array.reshape(-1) for array in self.weights.values()])
        shared, offset, value = make.Storage(whole), 0, {}
        for name, array in self.weights.items():
            value[name] = make.Tensor(array, shared, offset)
            offset += array.size
        for data in (make.archive(value), make.legacy(value), make.plain(value)):
            self.expect(self.imported(data, "--conv-clamp", "none"), self.weights)

    def test_other_widths_of_numbers(self):
        half = {name: array.astype(np.float16) for name, array in self.weights.items()}
        widened = {name: array.astype(np.float32) for name, array in half.items()}
        for data in (make.archive(make.tensors(half)), make.safetensors(half)):
            self.expect(self.imported(data, "--conv-clamp", "none"), widened)
        double = {name: array.astype(np.float64) for name, array in self.weights.items()}
        self.expect(self.imported(make.legacy(make.tensors(double)), "--conv-clamp", "none"), self.weights)
        brain = {
            name: (np.ascontiguousarray(array).view(np.uint32) >> 16).astype(np.uint16).reshape(array.shape)
            for name, array in self.weights.items()
        }
        rounded = {
            name: (array.reshape(-1).astype(np.uint32) << 16).view(np.float32).reshape(array.shape)
            for name, array in brain.items()
        }
        for data in (make.archive(make.tensors(brain)), make.safetensors(brain)):
            self.expect(self.imported(data, "--conv-clamp", "none"), rounded)

    def test_tensors_with_attributes(self):
        wrapped = {name: make.Attributed(make.Tensor(array)) for name, array in self.weights.items()}
        for data in (make.archive(wrapped), make.legacy(wrapped), make.plain(wrapped)):
            self.expect(self.imported(data, "--conv-clamp", "none"), self.weights)

    def test_noise_strengths_of_one_element(self):
        one = {name: array.reshape(1) if "noise_strength" in name else array for name, array in self.weights.items()}
        for data in (make.archive(make.tensors(one)), make.safetensors(one)):
            self.expect(self.imported(data, "--conv-clamp", "none"), self.weights)

    def test_a_network_trained_without_noise(self):
        bare = {name: array for name, array in self.weights.items() if "noise" not in name}
        zero = {name: np.zeros_like(array) if "noise" in name else array for name, array in self.weights.items()}
        self.expect(self.imported(make.safetensors(bare), "--conv-clamp", "none"), zero)

    def test_a_clamp_reaches_the_probe(self):
        _, free = self.imported(make.safetensors(self.weights), "--conv-clamp", "none")
        _, cut = self.imported(make.safetensors(self.weights), "--conv-clamp", "0.5")
        self.assertGreater(np.abs(free["probe.image"] - cut["probe.image"]).max(), 1e-3)

    # Safetensors.

    def test_safetensors_of_others(self):
        for prefix in ("", "G_ema.", "G."):
            data = make.safetensors({prefix + name: array for name, array in self.weights.items()}, {"format": "pt"})
            self.expect(self.imported(data, "--conv-clamp", "none"), self.weights)

    def test_a_generator_file_of_ours(self):
        data = DIGITS.read_bytes()
        stored = self.expect(self.imported(data), self.weights, class_names=NAMES)
        self.assertEqual(stored, json.loads(make.read_safetensors(DIGITS)[0]["config"]))
        data = bytearray(data)
        data[-1] ^= 1
        self.refused(bytes(data), "digest does not match")

    # rosinality.

    def test_rosinality(self):
        weights = unconditional(self.weights)
        average = weights["mapping.w_avg"]
        arrays = make.rosinality(weights, 2, 32)
        value = {
            "g": make.tensors({name: array + 1 for name, array in arrays.items()}), "d": {},
            "d_optim": {"state": {0: {"step": 1}}}, "g_ema": make.tensors(arrays),
            "args": argparse.Namespace(size=32, latent=64,
                                       n_mlp=2), "ada_aug_p": 0.0, "latent_avg": make.Tensor(average)
        }
        for data in (make.archive(value), make.legacy(value)):
            self.expect(self.imported(data), weights, c_dim=0, z_dim=64, conv_clamp=None, img_resolution=32)
        self.refused(make.archive(value), "contradicts --conv-clamp", "--conv-clamp", "256")
        flat = {f"g_ema.{name}": array for name, array in arrays.items()}
        metadata, tensors = self.imported(make.safetensors(flat))
        self.assertIn("w_avg is the mean of", metadata["provenance"])
        others = {name: array for name, array in weights.items() if name != "mapping.w_avg"}
        self.expect((metadata, {n: a for n, a in tensors.items() if n != "mapping.w_avg"}), others)
        # the network drifts little from its own mean
        self.assertLess(np.abs(tensors["mapping.w_avg"]).max(), 10)

    def test_other_filters_are_refused(self):
        arrays = make.rosinality(unconditional(self.weights), 2, 32)
        arrays["convs.0.conv.blur.kernel"] = np.full((4, 4), 0.25, np.float32)
        self.refused(make.archive({"g_ema": make.tensors(arrays)}), "another filter")
        arrays["convs.0.conv.blur.kernel"] = make.FILTER  # without the gain of upsampling
        self.refused(make.archive({"g_ema": make.tensors(arrays)}), "another filter")
        value = make.state_dict(self.weights)
        value["synthesis.b8.conv0.resample_filter"] = make.Tensor(np.full((4, 4), 1 / 16, np.float32))
        self.refused(make.archive(value), "another filter", "--conv-clamp", "none")

    # What is not such a generator.

    def test_other_architectures_are_refused(self):
        resnet = dict(self.weights, **{"synthesis.b8.skip.weight": np.zeros((128, 128, 1, 1), np.float32)})
        self.refused(make.safetensors(resnet), "'resnet'", "--conv-clamp", "none")
        orig = {name: array for name, array in self.weights.items() if "b8.torgb" not in name}
        self.refused(make.safetensors(orig), "'orig'", "--conv-clamp", "none")
        without = {name: array for name, array in self.weights.items() if not name.startswith("mapping.")}
        self.refused(make.safetensors(without), "without its mapping", "--conv-clamp", "none")
        holes = {name: array for name, array in self.weights.items() if "b16" not in name}
        self.refused(make.safetensors(holes), "blocks of the sizes", "--conv-clamp", "none")
        odd = dict(self.weights, **{"synthesis.b8.conv1.gain": np.zeros(3, np.float32)})
        self.refused(make.safetensors(odd), "synthesis.b8.conv1.gain", "--conv-clamp", "none")
        wrong = dict(self.weights, **{"synthesis.b8.conv1.bias": np.zeros(3, np.float32)})
        self.refused(make.safetensors(wrong), "synthesis.b8.conv1.bias has the shape [3]", "--conv-clamp", "none")
        broken = dict(self.weights, **{"mapping.w_avg": np.full(64, np.nan, np.float32)})
        self.refused(make.safetensors(broken), "not finite", "--conv-clamp", "none")
        self.refused(make.safetensors({"synthesis.input.weight": np.zeros((4, 4), np.float32)}), "StyleGAN3")
        self.refused(make.safetensors({"b4.const": np.zeros((4, 4, 4), np.float32)}), "without its mapping")
        self.refused(make.safetensors({"D.b4.fc.weight": np.zeros((4, 4), np.float32)}), "discriminator")
        self.refused(make.safetensors({"x": np.zeros((4, 4), np.float32)}), "no StyleGAN2 generator")
        self.refused(make.plain({"a": 1}), "no tensors")

    def test_activations_and_architectures_that_modules_state(self):
        for where, key, value, words in (("mapping", "activation", "relu", "mapping network has an activation"),
                                         ("synthesis.b8.conv1", "activation", "swish",
                                          "synthesis network has an activation"), ("synthesis.b8", "architecture",
                                                                                   "resnet", "an architecture other")):
            root = make.persistent(self.weights, self.trap)
            node = root
            for part in where.split("."):
                node = node.child(part)
            node.attributes = dict(node.attributes, **{key: value})
            self.refused(make.plain({"G_ema": root}), words)

    def test_widths_that_no_law_gives(self):
        weights = dict(self.weights)
        weights["synthesis.b32.conv1.bias"] = np.zeros(200, np.float32)
        weights["synthesis.b32.conv1.weight"] = np.zeros((200, 200, 3, 3), np.float32)
        self.refused(make.safetensors(weights), "do not follow", "--conv-clamp", "none")

    # The command line.

    def test_usage(self):
        data = make.safetensors(self.weights)
        for options in (("--conv-clamp", "-1"), ("--conv-clamp", "some"), ("--mapping-lr-multiplier",
                                                                           "0"), ("--value-range=1,-1",),
                        ("--class-names", "a,,b"), ("--class-names", "@" + str(self.root / "absent")), ("--unknown",)):
            self.assertEqual(self.run_import(data, *options).returncode, 2, options)
        run = subprocess.run([sys.executable, "-B", folder, "--help"], capture_output=True, text=True)
        self.assertEqual(run.returncode, 0)
        self.assertIn("No code of the checkpoint is run", run.stdout)
        path = self.root / "checkpoint"
        path.write_bytes(data)
        run = subprocess.run([sys.executable, "-B", folder, path, "--out", path], capture_output=True, text=True)
        self.assertEqual((run.returncode, path.read_bytes()), (2, data))

    def test_class_names_and_value_range(self):
        data = make.safetensors(self.weights)
        self.refused(data, "2 class names were given", "--conv-clamp", "none", "--class-names", "a,b")
        listed = self.root / "names"
        listed.write_text("\n".join(f"name {i}" for i in range(10)), encoding="utf-8")
        stored = self.expect(
            self.imported(data, "--conv-clamp", "none", "--class-names", f"@{listed}", "--value-range=0,1"),
            self.weights, value_range=[0.0, 1.0])
        self.assertEqual(stored["class_names"][9], "name 9")

    def test_a_file_that_cannot_be_written_or_read(self):
        path = self.root / "checkpoint"
        path.write_bytes(make.safetensors(self.weights))
        target = self.root / "absent" / "generator.safetensors"
        run = subprocess.run([sys.executable, "-B", folder, path, "--out", target, "--conv-clamp", "none"],
                             capture_output=True, text=True)
        self.assertEqual(run.returncode, 3)
        self.assertIn("cannot be written", run.stderr)
        run = subprocess.run([sys.executable, "-B", folder, self.root / "absent", "--out", self.out],
                             capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stderr.count("\n")), (3, 1))
        # A file of that name stays as it was when the import fails, and nothing is left beside it.
        self.out.write_text("before")
        path.write_bytes(b"\x80\x04.")
        run = subprocess.run([sys.executable, "-B", folder, path, "--out", self.out], capture_output=True, text=True)
        self.assertEqual((run.returncode, self.out.read_text()), (3, "before"))
        self.assertEqual(sorted(p.name for p in self.root.iterdir()), ["checkpoint", "generator.safetensors"])


if __name__ == "__main__":
    unittest.main()
