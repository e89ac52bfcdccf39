# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Safetensors files: any that is well-formed is read, ours are written (docs/formats.md)."""

import hashlib
import json
import math
import os
import pathlib
import struct

import numpy as np

import torch_files
from problems import BadFile
from restricted_pickle import shown

MAX_HEADER = 16 << 20
ELEMENTS = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "bfloat16", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U8": "|u1", "BOOL": "|b1"
}
MARKER = '"sha256":"'


class Tensor:
    __slots__ = ("raw", "element", "shape")

    def __init__(self, raw, element, shape):
        self.raw, self.element, self.shape = raw, element, shape

    def array(self, name):
        flat = torch_files.widened(self.raw, self.element, math.prod(self.shape))
        return torch_files.as_float32(flat.reshape(self.shape), name)


def is_safetensors(data):
    return len(data) > 9 and data[8:9] == b"{" and struct.unpack("<Q", data[:8])[0] <= MAX_HEADER


def unique(pairs):
    result = dict(pairs)
    if len(result) != len(pairs):
        raise BadFile("the header has a key twice")
    return result


def parse_json(text, what):
    try:
        return json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError):
        raise BadFile(f"{what} is not JSON") from None


def read(data):
    """Metadata and tensors by name. A file that says it is Faultline's must match its digest."""
    length = struct.unpack("<Q", data[:8])[0]
    if length > len(data) - 8:
        raise BadFile("the file ends within its header")
    header, body = bytes(data[8:8 + length]), memoryview(data)[8 + length:]
    entries = parse_json(header, "the header")
    if type(entries) is not dict:
        raise BadFile("the header is no JSON object")
    metadata = entries.pop("__metadata__", {})
    if type(metadata) is not dict or any(type(value) is not str for value in metadata.values()):
        raise BadFile("the header's metadata are not texts")
    tensors, spans = {}, []
    for name, entry in entries.items():
        if type(entry) is not dict or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise BadFile(f"tensor {shown(name)} is not described by dtype, shape and data_offsets")
        shape, offsets = entry["shape"], entry["data_offsets"]
        if entry["dtype"] not in ELEMENTS:
            raise BadFile(f"tensor {shown(name)} has an element type that is not read")
        if any(
                type(values) is not list or any(type(n) is not int or not 0 <= n < 2**62
                                                for n in values)
                for values in (shape, offsets)) or len(offsets) != 2 or len(shape) > torch_files.MAX_RANK:
            raise BadFile(f"tensor {shown(name)} has an impossible shape or place")
        begin, end = offsets
        element = ELEMENTS[entry["dtype"]]
        if end > len(body) or end - begin != math.prod(shape) * torch_files.element_bytes(element):
            raise BadFile(f"tensor {shown(name)} does not fit its bytes, or the file is truncated")
        spans.append((begin, end))
        tensors[name] = Tensor(body[begin:end], element, tuple(shape))
    position = 0
    for begin, end in sorted(spans):
        if begin != position:
            raise BadFile("the file's tensors leave holes or overlap")
        position = end
    if position != len(body):
        raise BadFile("the file goes on behind its last tensor")
    if metadata.get("format", "").startswith("faultline."):
        stored = metadata.get("sha256", "")
        if len(stored) != 64 or header.count(stored.encode()) != 1:
            raise BadFile("the file says it is Faultline's but carries no digest")
        digest = hashlib.sha256(header.replace(stored.encode(), b"0" * 64))
        digest.update(body)
        if digest.hexdigest() != stored:
            raise BadFile("the file is damaged: its digest does not match")
    return metadata, tensors


def json_text(plain):
    """As the library writes it, so that the same contents give the same bytes."""
    escaped = "".join("\\" + c if c in '"\\' else f"\\u{ord(c):04x}" if ord(c) < 32 else c for c in plain)
    return f'"{escaped}"'


def encode(metadata, tensors):
    """The bytes of a file with its digest, and the digest. Arrays are float32, or int64, which come first."""
    metadata = dict(metadata, sha256="0" * 64)
    text = '{"__metadata__":{' + ",".join(f"{json_text(k)}:{json_text(v)}" for k, v in sorted(metadata.items())) + "}"
    parts, position = [], 0
    for dtype, word in ((np.int64, "I64"), (np.float32, "F32")):
        for name in sorted(tensors):
            array = tensors[name]
            if array.dtype != dtype:
                continue
            raw = array.astype(array.dtype.newbyteorder("<"), order="C").tobytes()
            shape = ",".join(str(n) for n in array.shape)
            text += (f',{json_text(name)}:{{"dtype":"{word}","shape":[{shape}],'
                     f'"data_offsets":[{position},{position + len(raw)}]}}')
            parts.append(raw)
            position += len(raw)
    header = (text + "}").encode("utf-8")
    header += b" " * (-len(header) % 8)
    digest = hashlib.sha256(header)
    for part in parts:
        digest.update(part)
    at = header.index(MARKER.encode()) + len(MARKER)  # quotes inside a text are escaped, so this is the entry itself
    header = header[:at] + digest.hexdigest().encode() + header[at + 64:]
    return b"".join([struct.pack("<Q", len(header)), header, *parts]), digest.hexdigest()


def write_atomically(path, data):
    """The file appears under its name when it is complete and on the disk, or not at all."""
    path = pathlib.Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(beside, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
