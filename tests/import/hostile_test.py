# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Hostile and damaged files are refused in one sentence, and nothing of them is run: Python reports every import, call
of exec, process and opened file to a hook that stands by while the file is read."""

import argparse
import io
import os
import pathlib
import pickle
import pickletools
import struct
import subprocess
import sys
import tempfile
import tracemalloc
import unittest
import zipfile

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
import restricted_pickle
import safetensors_file
import torch_files
from checkpoint import NOT_SAID, Checkpoint
from problems import BadFile

HARMLESS_EVENTS = ("object.__getattr__", "builtins.id", "array.", "gc.", "cpython.", "sys._getframe")
watching, seen = False, []


def watch(event, arguments):
    if watching and not event.startswith(HARMLESS_EVENTS):
        seen.append((event, str(arguments)[:200]))


sys.addaudithook(watch)
"".encode("cp437")  # of names in zip archives; loaded now, so that it is not reported later
OPTIONS = argparse.Namespace(network=None, class_names=None, conv_clamp=None, mapping_lr_multiplier=NOT_SAID,
                             value_range=NOT_SAID)


def read(data):
    if safetensors_file.is_safetensors(data):
        checkpoint = Checkpoint()
        checkpoint.metadata, checkpoint.tensors = safetensors_file.read(data)
    else:
        checkpoint = Checkpoint.from_pickle(torch_files.load_torch(data))
    return layouts.read(checkpoint, OPTIONS)


def small():
    """A complete network of a few hundred weights."""
    import network
    config = {
        "z_dim": 2, "w_dim": 2, "c_dim": 0, "img_resolution": 4, "img_channels": 1, "channel_base": 8, "channel_max": 2,
        "mapping_layers": 1
    }
    random = np.random.default_rng(1)
    return {
        name: (random.standard_normal(shape) * (100 if "fc0.weight" in name else 1)).astype(np.float32)
        for name, shape in network.shapes(config).items()
    }


class Call:
    """Pickled as a call of `function` on `arguments`."""
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


class Stateful:
    """An object whose state is set when it is read."""
    def __setstate__(self, state):
        raise AssertionError("state was set")

    def __getstate__(self):
        return {"x": 1}


def unicode(text):
    raw = text.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


class Hostile(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.trap = pathlib.Path(scratch.name) / "trap"
        self.command = f"touch '{self.trap}'"

    def attempt(self, data):
        """The sentence of the refusal, or None; nothing may have happened either way."""
        global watching
        seen.clear()
        watching = True
        try:
            read(data)
            sentence = None
        except BadFile as reason:
            sentence = str(reason)
        finally:
            watching = False
        self.assertEqual(seen, [])
        self.assertFalse(self.trap.exists())
        return sentence

    def refused(self, data, words=""):
        sentence = self.attempt(data)
        self.assertIsNotNone(sentence, "the file was taken")
        self.assertIn(words, sentence)
        self.assertNotIn("\n", sentence)
        self.assertLess(len(sentence), 300)

    def everywhere(self, value, words):
        """In each container, alone and beside a complete network."""
        for content in (value, {"G_ema": make.state_dict(small()), "more": value}, {"G_ema": {"x": [1, (value,)]}}):
            for write in (make.plain, make.archive, make.legacy):
                self.refused(write(content), words)

    def test_the_network_alone_is_taken(self):
        for write in (make.plain, make.archive, make.legacy):
            self.assertIsNone(self.attempt(write({"G_ema": make.state_dict(small())})))

    def test_these_files_are_dangerous(self):
        """The control: Python's own unpickler does run what the importer refuses."""
        pickle.loads(pickle.dumps(Call(os.system, self.command)))
        self.assertTrue(self.trap.exists())
        self.trap.unlink()

    def test_calls_of_the_standard_library(self):
        self.everywhere(Call(os.system, self.command), f"{os.system.__module__}.system, which no checkpoint needs")
        self.everywhere(Call(subprocess.check_output, ["touch", str(self.trap)]),
                        "check_output, which no checkpoint needs")
        self.everywhere(Call(eval, f"open({str(self.trap)!r}, 'w')"), "eval, which no checkpoint needs")
        self.everywhere(Call(exec, f"open({str(self.trap)!r}, 'w')"), "exec, which no checkpoint needs")
        self.everywhere(Call(__import__, "os"), "__import__, which no checkpoint needs")
        self.everywhere(Call(getattr, {}, "get"), "getattr, which no checkpoint needs")
        self.everywhere(Call(open, str(self.trap), "w"), "open, which no checkpoint needs")

    def test_calls_inside_of_what_is_understood(self):
        run = Call(os.system, self.command)
        for value in (Call(make.rebuild_tensor, run, 0, (1,), (1,), False,
                           None), Call(make.rebuild_parameter, run, True,
                                       None), Call(make.load_from_bytes, run), Call(make.reconstruct,
                                                                                    run), make.EasyDict(a=run)):
            self.everywhere(value, "which no checkpoint needs")
        nested = pickle.dumps(run)
        for inner in (nested, make.legacy(run), make.archive(run)):  # a storage's own file is hostile
            self.everywhere(Call(make.load_from_bytes, inner), "which no checkpoint needs")
        root = make.persistent(small(), self.trap)
        root.buffers = {"x": run}
        self.refused(make.plain({"G_ema": root}), "which no checkpoint needs")

    def test_names_that_are_unknown_are_only_noted(self):
        """Without harm: an object of a class of the file's author, and a call of PyTorch that is not understood."""
        unknown = make.stand_in("training.extra", "Schedule")
        strange = make.stand_in("torch.hub", "load", make.function())
        state = make.stand_in("training.extra", "Stateful", Stateful)
        value = {"G_ema": make.state_dict(small()), "a": unknown(), "b": Call(strange, "x/y", "z"), "c": state()}
        for write in (make.plain, make.archive, make.legacy):
            self.assertIsNone(self.attempt(write(value)))

    def test_source_text_is_not_run(self):
        self.assertIsNone(self.attempt(make.plain({"G_ema": make.persistent(small(), self.trap)})))

    def test_operations_that_make_objects_otherwise(self):
        command = unicode(self.command)
        for body, words in (
            (b"(" + command + b"ios\nsystem\n.", "INST"),
            (b"(cos\nsystem\n" + command + b"o.", "os.system"),
            (b"(ctraining\nThing\n" + command + b"o.", "OBJ"),
            (b"cos\nsystem\n" + command + b"\x85\x81.", "os.system"),
            (b"cos\nsystem\n" + command + b"\x85}\x92.", "os.system"),
            (unicode("os") + unicode("system") + b"\x93" + command + b"\x85R.", "os.system"),
            (unicode("posix") + unicode("system") + b"\x93" + command + b"\x85R.", "posix.system"),
            (unicode("os.path") + unicode("os.system") + b"\x93.", "os.path.os.system"),
            (unicode("builtins") + unicode("eval") + b"\x93.", "builtins.eval"),
            (b"c__builtin__\neval\n.", "__builtin__.eval"),
            (b"K\x01K\x02\x93.", "not text"),
            (b"\x82\x01.", "extension"),
            (b"\x83\x01\x00.", "extension"),
            (b"\x84\x01\x00\x00\x00.", "extension"),
            (b"ccopyreg\nadd_extension\n.", "copyreg.add_extension"),
            (b"\x97.", "buffer"),
            (b"Px\n.", "persistent id"),
            (b"K\x01Q.", "persistent id"),
            (b"ctraining\nThing\n}" + unicode("__setstate__") + b"cos\nsystem\nsb.", "os.system"),
            (b"ctraining\nThing\n}b.", "sets the state"),
            (b"ctraining\nThing\n)Rctraining\nf\n)RR.", "calls something"),
            (b"])R.", "calls something"),
            (b"ctraining\nThing\n]R.", "without a tuple"),
            (b"S'x'\n.", "protocol 0"),
        ):
            for head in (b"\x80\x02", b"\x80\x04"):
                self.refused(head + body, words)

    def test_pickles_of_text_are_refused(self):
        for data in (b"cos\nsystem\n(S'touch x'\ntR.", b"(dp0\n."):
            run = self.program(data)
            self.assertEqual((run.returncode, run.stderr.count("\n")), (3, 1))
            self.assertIn("text protocol", run.stderr)

    def test_lengths_that_are_not_there(self):
        tracemalloc.start()
        try:
            for body in (b"\x8e" + b"\xff" * 8, b"\x8d" + b"\xff" * 7 + b"\x7f", b"B\xff\xff\xff\xff",
                         b"X\xff\xff\xff\xff", b"\x96" + b"\xff" * 8, b"T\xff\xff\xff\x7f", b"\x95" + b"\xff" * 8,
                         b"\x8b\xff\xff\xff\x7f", b"T\xff\xff\xff\xff", b"\x8b\xff\xff\xff\xff", b"c" + b"x" * 5000):
                self.refused(b"\x80\x04" + body + b".")
            huge = make.Tensor(np.zeros(1, np.float32))
            for shape, strides in (((2**40,), (1,)), ((2**40,), (0,)), ((2**61, 2**61), (0, 0)), ((2,), (2**61,)),
                                   ((-1,), (1,)), ((1,), (-1,)), ((True,), (1,)), ((1, 1), (1,)), ((1,) * 9, (1,) * 9),
                                   ((1.0,), (1,)), ([1], [1])):
                huge.shape, huge.strides = shape, strides
                for write in (make.plain, make.archive, make.legacy):
                    self.refused(write({"synthesis.b4.const": huge}))
            big = make.legacy(make.Storage(np.zeros(4, np.float32)))
            at = big.rindex(struct.pack("<q", 4))
            self.refused(big[:at] + struct.pack("<q", 2**61) + big[at + 8:], "does not hold")
            self.refused(big[:at] + struct.pack("<q", -1) + big[at + 8:], "does not hold")
            self.refused(big[:at] + struct.pack("<q", 3) + big[at + 8:], "states a storage of 4")
            self.assertLess(tracemalloc.get_traced_memory()[1], 64 << 20)
        finally:
            tracemalloc.stop()

    def test_bombs(self):
        value = {}
        for _ in range(60):
            value = {"a": value, "b": value}
        self.refused(make.plain(value), "unfolds")
        deep = b"\x80\x04" + b"]" * 300_000 + b"a" * 299_999 + b"."
        self.refused(deep)
        self.refused(b"\x80\x04" + b")" + b"\x85" * 300_000 + b".")
        self.refused(b"\x80\x04})" + b"\x85" * 300_000 + b"K\x01s.", "key")
        self.refused(b"\x80\x04\x8f(" + b")" + b"\x85" * 300_000 + b"\x90.", "key")
        self.refused(b"\x80\x04]r\xff\xff\xff\xff.", "no tensors")
        self.refused(b"\x80\x04}" + unicode("a") + b"]s" + b"h\x07.", "did not keep")
        cycle = {}
        cycle["self"] = cycle
        self.refused(make.plain(cycle), "unfolds")
        storage = make.legacy(make.Storage(np.zeros(1, np.float32)))
        for _ in range(3):  # a storage's file that holds a storage's file
            storage = make.plain(Call(make.load_from_bytes, storage))
        self.refused(storage, "nests")

    def test_stacks_that_are_empty(self):
        for body in (b".", b"0.", b"1.", b"2.", b"t.", b"s.", b"u.", b"a.", b"e.", b"R.", b"\x81.", b"b.", b"\x85.",
                     b"(.", b"(0.", b"(2.", b"(K\x01s.", b"}K\x01u.", b"K\x01K\x02.", b"}(K\x01u.", b"K\x01K\x01a.",
                     b"K\x01(K\x01K\x02u.", b"q\x00.", b"(q\x00.", b"h\x00.", b"\x94.", b"\xfe.", b"\x80\x09.", b"",
                     b"K", b"\x8c\x02\xff\xff.", b"ccollections\nOrderedDict\nK\x01\x85R.",
                     b"c_codecs\nencode\nK\x01\x85R."):
            self.refused(b"\x80\x04" + body)

    def test_every_truncation_and_many_changes(self):
        """Nothing but a refusal, or a network, comes of a file that was cut or changed anywhere."""
        random = np.random.default_rng(3)
        for data in (make.plain({"G_ema": make.persistent(small(), self.trap)}), make.archive(make.state_dict(small())),
                     make.legacy(make.state_dict(small())), make.safetensors(small())):
            for cut in sorted(random.choice(len(data), 300, replace=False)):
                self.refused(data[:cut])
            for _ in range(700):
                changed = bytearray(data)
                for at in random.integers(0, len(data), random.integers(1, 4)):
                    changed[at] = random.integers(0, 256)
                try:
                    self.attempt(bytes(changed))
                except (ValueError, OverflowError, struct.error):  # what the program turns into a refusal
                    pass

    def zipped(self, entries, compression=zipfile.ZIP_STORED):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", compression) as out:
            for name, content in entries:
                out.writestr(name, content)
        return file.getvalue()

    def test_zip_archives(self):
        body = pickle.dumps({"a": 1}, 2)
        for name in ("../x", "/x", "a/../../x", "a\\..\\x"):
            self.refused(self.zipped([("archive/data.pkl", body), (name, b"x")]), "out of its folder")
        self.refused(
            self.zipped([("archive/data.pkl", body), ("archive/data/0", bytes(1 << 24))], zipfile.ZIP_DEFLATED),
            "compressed")
        self.refused(self.zipped([("a/data.pkl", body), ("b/data.pkl", body)]), "exactly one")
        self.refused(self.zipped([("a/x", body)]), "exactly one")
        self.refused(self.zipped([("a/data.pkl", body), ("a/code/x.py", b"")]), "TorchScript")
        self.refused(self.zipped([("a/data.pkl", body), ("a/byteorder", b"big")]), "big-endian")
        self.refused(self.zipped([("a/data.pkl", body + b"x")]), "behind its end")
        with self.assertWarns(UserWarning):
            twice = self.zipped([("a/data.pkl", body), ("a/data.pkl", body)])
        self.refused(twice, "twice")
        # one run of bytes that many entries claim
        data = bytearray(self.zipped([("a/data.pkl", body)] + [(f"a/data/{i}", b"x" * 1000) for i in range(9)]))
        first = data.index(b"PK\x01\x02")
        for at in range(first, len(data)):
            if data[at:at + 4] == b"PK\x01\x02":
                struct.pack_into("<I", data, at + 20, 9000)
                struct.pack_into("<I", data, at + 24, 9000)
        self.refused(bytes(data), "more bytes than it has")
        good = make.archive(make.state_dict(small()))
        content = small()["synthesis.b4.const"].tobytes()
        at = good.index(content)
        self.refused(good[:at] + b"\x01" + good[at + 1:], "damaged")  # its check sum
        missing = self.zipped([("a/data.pkl", zipfile.ZipFile(io.BytesIO(good)).read("archive/data.pkl"))])
        self.refused(missing, "no entry a/data/0")

    def test_safetensors(self):
        good = make.safetensors(small())
        length = struct.unpack("<Q", good[:8])[0]
        header, body = good[8:8 + length].decode(), good[8 + length:]
        made = lambda text, data=body: struct.pack("<Q", len(text.encode())) + text.encode() + data
        self.assertIsNone(self.attempt(made(header)))
        self.refused(made(header, body[:-1]), "truncated")
        self.refused(made(header, body + b"x"), "behind its last tensor")
        self.refused(made(header[:-1] + ',"x":1}'), "not described")
        self.refused(made('{"__metadata__":{"a":1},' + header[1:]), "not texts")
        self.refused(made('{"a":1,"a":1}'), "twice")
        self.refused(made("{" * 100_000), "not JSON")
        self.refused(made('{"a":' * 50_000 + "1" + "}" * 50_000), "")
        self.refused(made('{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}'), "impossible")
        self.refused(made('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}'), "does not fit")
        self.refused(made('{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'), "holes or overlap")
        self.refused(made('{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}'), "element type")
        self.refused(made('{"__metadata__":{"format":"faultline.stylegan2/1"}' + "," + header[1:]), "no digest")

    def program(self, data):
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch) / "file"
            path.write_bytes(data)
            out = pathlib.Path(scratch) / "out"
            run = subprocess.run([sys.executable, "-B", folder, path, "--out", out], capture_output=True, text=True)
            self.assertFalse(out.exists())
            return run

    def test_the_program_says_one_sentence_and_ends_with_3(self):
        for data in (make.plain(Call(os.system, self.command)), make.archive(Call(os.system, self.command)), b"", b"x",
                     b"\x80", b"PK\x03\x04", b"\x08\0\0\0\0\0\0\0{}", bytes(100), b"\x89HDF\r\n",
                     make.plain({"\ud800": make.Tensor(np.zeros(2, np.float32))}),
                     make.safetensors({"\u202e": np.zeros(2, np.float32)})):
            run = self.program(data)
            self.assertEqual((run.returncode, run.stdout, run.stderr.count("\n")), (3, "", 1), run.stderr)
            self.assertTrue(run.stderr.startswith("import_stylegan2: "))
        self.assertFalse(self.trap.exists())

    def test_every_operation_of_pickle_is_decided_on(self):
        known = set(restricted_pickle.Machine.operations) | set(restricted_pickle.REFUSED) | {b"."}
        self.assertEqual({op.code.encode("latin-1") for op in pickletools.opcodes}, known)


if __name__ == "__main__":
    unittest.main()
