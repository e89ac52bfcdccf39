# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the network of digit-recognizer-py as an ONNX file, as
python3 digit_recognizer_to_onnx.py digit_recognizer_py-0.1.0-py3-none-any.whl digit_recognizer.onnx

The wheel has weights, and its class CNN says how they belong together: three times convolution 3x3, ReLU and maximum of 2x2, then two dense
layers. Neither the wheel's code nor its pickle's is run, and nothing but Python is needed: the encoding is written by hand from onnx.proto
(https://github.com/onnx/onnx, IR version 7, operator set 13).
"""
import collections
import io
import pickle
import sys
import zipfile

FLOAT = 1


class Storage:
    """What torch.save says of a block of numbers: in which file of the archive they are, and how many."""

    def __init__(self, kind, file, count):
        self.kind, self.file, self.count = kind, file, count


class Reader(pickle.Unpickler):
    """Reads tables of float32 tensors, and refuses everything else that a pickle could name."""

    def persistent_load(self, saved):
        _, kind, file, _, count = saved
        return Storage(kind, file, count)

    def find_class(self, module, name):
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: (storage, offset, shape, strides)
        if (module, name) == ("torch", "FloatStorage"):
            return FLOAT
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a table of tensors")


def weights_of(wheel):
    """{name: (shape, bytes)} of the wheel's only .pth file."""
    name, = (each for each in zipfile.ZipFile(wheel).namelist() if each.endswith(".pth"))
    archive = zipfile.ZipFile(io.BytesIO(zipfile.ZipFile(wheel).read(name)))
    table, = (each for each in archive.namelist() if each.endswith("/data.pkl"))
    weights = {}
    for key, (storage, offset, shape, strides) in Reader(io.BytesIO(archive.read(table))).load().items():
        count, dense = 1, []
        for extent in reversed(shape):
            dense.insert(0, count)
            count *= extent
        if storage.kind != FLOAT or list(strides) != dense:
            sys.exit(f"{key} of {name} is not a dense tensor of float32")
        weights[key] = shape, archive.read(table[:-len("data.pkl")] + "data/" + storage.file)[4 * offset:4 * (offset + count)]
    return weights


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, value):
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def attribute(name, value):
    if isinstance(value, int):
        return block(1, name) + number(3, value) + number(20, 2)
    return block(1, name) + b"".join(number(8, each) for each in value) + number(20, 7)


def node(kind, inputs, output, **attributes):
    return (b"".join(block(1, name) for name in inputs) + block(2, output) + block(3, output) + block(4, kind)
            + b"".join(block(5, attribute(*each)) for each in attributes.items()))


def value(name, shape):
    axes = b"".join(block(1, number(1, axis) if isinstance(axis, int) else block(2, axis)) for axis in shape)
    return block(1, name) + block(2, block(1, number(1, FLOAT) + block(2, axes)))


def main(wheel, out):
    weights = weights_of(wheel)
    nodes, last = [], "image"
    for layer in (0, 3, 6):
        name = f"conv_layers.{layer}"
        nodes += [node("Conv", [last, f"{name}.weight", f"{name}.bias"], f"conv{layer}", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
                  node("Relu", [f"conv{layer}"], f"relu{layer}"),
                  node("MaxPool", [f"relu{layer}"], f"pool{layer}", kernel_shape=[2, 2], strides=[2, 2])]
        last = f"pool{layer}"
    nodes += [node("Flatten", [last], "features", axis=1),
              node("Gemm", ["features", "fc_layers.0.weight", "fc_layers.0.bias"], "dense", transB=1), node("Relu", ["dense"], "hidden"),
              node("Gemm", ["hidden", "fc_layers.2.weight", "fc_layers.2.bias"], "scores", transB=1)]
    tensors = [b"".join(number(1, extent) for extent in shape) + number(2, FLOAT) + block(8, name) + block(9, data)
               for name, (shape, data) in weights.items()]
    graph = (b"".join(block(1, each) for each in nodes) + block(2, "digit_recognizer") + b"".join(block(5, each) for each in tensors)
             + block(11, value("image", ["N", 1, 28, 28])) + block(12, value("scores", ["N", 10])))
    with open(out, "wb") as file:
        file.write(number(1, 7) + block(2, "digit_recognizer_to_onnx.py") + block(7, graph) + block(8, block(1, "") + number(2, 13)))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} WHEEL OUT.onnx")
    main(*sys.argv[1:])
