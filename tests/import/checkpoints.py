# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes checkpoints in the layouts that examples/import_stylegan2 reads, with Python's own pickle and without PyTorch.

The containers are PyTorch's: stand-ins of its names are put into sys.modules, so that pickle writes references to
them. The importer never sees these modules.
"""

import argparse
import collections
import io
import json
import pickle
import struct
import sys
import types
import zipfile

import numpy as np

MAGIC, PROTOCOL = 0x1950a86a20f9469cfc6c, 1001
STORAGES = {
    "f4": "FloatStorage", "f2": "HalfStorage", "f8": "DoubleStorage", "i8": "LongStorage", "u2": "BFloat16Storage"
}
FILTER = np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype(np.float32) / 64
# Were this text ever run, it would leave a file behind.
SOURCE = "open({trap!r}, 'w').close()\nclass Generator: pass\n"


def module(name):
    if name not in sys.modules:
        sys.modules[name] = types.ModuleType(name)
    return sys.modules[name]


def stand_in(where, name, value=None):
    """Something that pickle refers to as `where`.`name`."""
    value = value or type(name, (), {})
    value.__module__, value.__qualname__, value.__name__ = where, name, name
    setattr(module(where), name, value)
    return value


def function():
    return lambda *arguments: None


for parent in ("torch", "torch_utils", "dnnlib", "training"):
    module(parent)
STORAGE_TYPES = {code: stand_in("torch", name) for code, name in STORAGES.items()}
rebuild_tensor = stand_in("torch._utils", "_rebuild_tensor_v2", function())
rebuild_parameter = stand_in("torch._utils", "_rebuild_parameter", function())
rebuild_from_type = stand_in("torch._tensor", "_rebuild_from_type_v2", function())
TensorType = stand_in("torch", "Tensor")
load_from_bytes = stand_in("torch.storage", "_load_from_bytes", function())
reconstruct = stand_in("torch_utils.persistence", "_reconstruct_persistent_obj", function())
EasyDict = stand_in("dnnlib.util", "EasyDict", type("EasyDict", (dict,), {}))


class Storage:
    """A flat array; in a plain pickle a small file of its own."""
    def __init__(self, flat):
        self.flat = np.ascontiguousarray(flat)

    @property
    def kind(self):
        return STORAGE_TYPES[self.flat.dtype.str[1:]]

    def __reduce__(self):
        return load_from_bytes, (legacy(self),)


class Tensor:
    def __init__(self, array, storage=None, offset=0, strides=None):
        array = np.asarray(array)
        self.shape = array.shape
        self.storage = storage or Storage(array.reshape(-1))
        self.offset = offset
        self.strides = strides or tuple(
            s // array.itemsize for s in np.ascontiguousarray(array).reshape(array.shape).strides)

    def __reduce__(self):
        return rebuild_tensor, (self.storage, self.offset, self.shape, self.strides, False, collections.OrderedDict())


class Parameter:
    def __init__(self, tensor):
        self.tensor = tensor

    def __reduce__(self):
        return rebuild_parameter, (self.tensor, True, collections.OrderedDict())


class Attributed:
    """A tensor that carries attributes, or is of a subclass of Tensor."""
    def __init__(self, tensor):
        self.tensor = tensor

    def __reduce__(self):
        return rebuild_from_type, (rebuild_tensor, TensorType, self.tensor.__reduce__()[1], {"note": "x"})


def channels_last(array):
    """A [O, I, k, k] tensor whose storage is ordered O, k, k, I."""
    o, i, k, _ = array.shape
    return Tensor(array, Storage(array.transpose(0, 2, 3, 1).reshape(-1)), 0, (i * k * k, 1, k * i, i))


class StoragePickler(pickle.Pickler):
    """Storages as persistent ids, as torch.save writes them."""
    def __init__(self, file, view):
        super().__init__(file, protocol=2)
        self.view, self.storages = view, {}

    def persistent_id(self, value):
        if not isinstance(value, Storage):
            return None
        key = next((key for key, storage in self.storages.items() if storage is value), str(len(self.storages)))
        self.storages[key] = value
        return ("storage", value.kind, key, "cpu", value.flat.size) + ((None,) if self.view else ())


def legacy(value):
    """torch.save without its zip archive."""
    file = io.BytesIO()
    for head in (MAGIC, PROTOCOL,
                 {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {"short": 2, "int": 4,
                                                                                      "long": 4}}):
        pickle.dump(head, file, protocol=2)
    pickler = StoragePickler(file, view=True)
    pickler.dump(value)
    pickle.dump(sorted(pickler.storages), file, protocol=2)
    for key in sorted(pickler.storages):
        flat = pickler.storages[key].flat
        file.write(struct.pack("<q", flat.size) + flat.tobytes())
    return file.getvalue()


def archive(value, folder="archive"):
    """torch.save as it is today."""
    file, body = io.BytesIO(), io.BytesIO()
    pickler = StoragePickler(body, view=False)
    pickler.dump(value)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as entries:
        entries.writestr(f"{folder}/data.pkl", body.getvalue())
        entries.writestr(f"{folder}/byteorder", "little")
        for key, storage in pickler.storages.items():
            entries.writestr(f"{folder}/data/{key}", storage.flat.tobytes())
        entries.writestr(f"{folder}/version", "3\n")
    return file.getvalue()


def plain(value, protocol=4):
    return pickle.dumps(value, protocol=protocol)


# Networks.


class Module:
    """A module that is pickled with the source text of its class."""
    def __init__(self, name, trap, attributes=None, init_kwargs=None):
        self.name, self.trap = name, trap
        self.attributes, self.init_kwargs = attributes or {}, init_kwargs or {}
        self.parameters, self.buffers, self.modules = {}, {}, {}

    def child(self, name):
        return self.modules.setdefault(name, Module(name.capitalize(), self.trap))

    def __reduce__(self):
        state = dict(self.attributes, training=False, _parameters=collections.OrderedDict(
            (k, Parameter(v)) for k, v in self.parameters.items()), _buffers=collections.OrderedDict(self.buffers),
                     _backward_hooks=collections.OrderedDict(), _modules=collections.OrderedDict(self.modules),
                     _init_args=(), _init_kwargs=EasyDict(self.init_kwargs))
        meta = EasyDict(type="class", version=6, module_src=SOURCE.format(trap=str(self.trap)), class_name=self.name,
                        state=state)
        return reconstruct, (meta,)


BUFFERS = ("w_avg", "noise_const", "resample_filter")


def persistent(weights, trap, clamp=None, rate=0.01, said=True, make=Tensor):
    """The generator as a tree of persistent modules. `said`: whether the modules state their options."""
    root = Module("Generator", trap)
    if said:
        root.init_kwargs = {
            "mapping_kwargs": EasyDict(num_layers=2, lr_multiplier=rate),
            "synthesis_kwargs": EasyDict(channel_base=1024, channel_max=128, conv_clamp=clamp)
        }
    for name, array in with_filters(weights).items():
        *path, last = name.split(".")
        node = root
        for part in path:
            node = node.child(part)
        if said and path[-1].startswith(("conv", "torgb")):
            node.attributes = {"conv_clamp": clamp}
        (node.buffers if last in BUFFERS else node.parameters)[last] = make(array)
    return root


def with_filters(weights):
    """A state dict has a resample filter in every convolution."""
    result = dict(weights)
    for name in weights:
        if name.endswith((".conv0.weight", ".conv1.weight")):
            result[name[:-len("weight")] + "resample_filter"] = FILTER
    return result


def state_dict(weights, prefix="", make=Tensor):
    return collections.OrderedDict((prefix + name, make(array)) for name, array in with_filters(weights).items())


def rosinality(weights, depth, size):
    """The names and shapes of rosinality's stylegan2-pytorch, written down a second time."""
    out = {"input.input": weights["synthesis.b4.const"][None]}
    for i in range(depth):
        for part in ("weight", "bias"):
            out[f"style.{i + 1}.{part}"] = weights[f"mapping.fc{i}.{part}"]
    places = {"conv1": "b4.conv1", "to_rgb1": "b4.torgb"}
    noises = ["b4.conv1"]
    for j, r in enumerate(r for r in (8, 16, 32, 64) if r <= size):
        places |= {f"convs.{2 * j}": f"b{r}.conv0", f"convs.{2 * j + 1}": f"b{r}.conv1", f"to_rgbs.{j}": f"b{r}.torgb"}
        noises += [f"b{r}.conv0", f"b{r}.conv1"]
        out[f"convs.{2 * j}.conv.blur.kernel"] = FILTER * 4
        out[f"to_rgbs.{j}.upsample.kernel"] = FILTER * 4
    for theirs, ours in places.items():
        of = lambda part: weights[f"synthesis.{ours}.{part}"]
        out[f"{theirs}.conv.weight"] = of("weight")[None]
        out[f"{theirs}.conv.modulation.weight"], out[f"{theirs}.conv.modulation.bias"] = of("affine.weight"), of(
            "affine.bias")
        if theirs.startswith("to_rgb"):
            out[f"{theirs}.bias"] = of("bias").reshape(1, -1, 1, 1)
        else:
            out[f"{theirs}.activate.bias"] = of("bias")
            out[f"{theirs}.noise.weight"] = of("noise_strength").reshape(1)
    for i, ours in enumerate(noises):
        out[f"noises.noise_{i}"] = weights[f"synthesis.{ours}.noise_const"][None, None]
    return out


def tensors(arrays, make=Tensor):
    return collections.OrderedDict((name, make(array)) for name, array in arrays.items())


# Safetensors.


def read_safetensors(path):
    data = path.read_bytes() if hasattr(path, "read_bytes") else path
    length = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8:8 + length]), data[8 + length:]
    metadata = header.pop("__metadata__", {})
    kinds = {"F32": "<f4", "I64": "<i8"}
    return metadata, {
        name: np.frombuffer(body[slice(*entry["data_offsets"])], kinds[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
    }


def safetensors(arrays, metadata=None, kinds={"f4": "F32", "f2": "F16", "f8": "F64", "i8": "I64", "u2": "BF16"}):
    header, body = {}, b""
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array).tobytes()
        header[name] = {
            "dtype": kinds[array.dtype.str[1:]], "shape": list(array.shape),
            "data_offsets": [len(body), len(body) + len(raw)]
        }
        body += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body
