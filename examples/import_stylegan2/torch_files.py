# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tensors in files of PyTorch, as arrays of numpy, without PyTorch.

Three containers: the zip archive of torch.save (data.pkl, and data/N for each storage), the older sequence of pickles
of torch.save (raw storages at the end), and a plain pickle in which each storage is a small file of torch.save of its
own. In all three a tensor is a call of torch._utils._rebuild_tensor_v2 with a storage, an offset, sizes and strides.
"""

import io
import math
import struct
import zipfile

import numpy as np

import restricted_pickle
from problems import BadFile
from restricted_pickle import Inert, Name

LEGACY_MAGIC = 0x1950a86a20f9469cfc6c
LEGACY_PROTOCOL = 1001
MAX_RANK = 8
# Element types by the class of the storage; brain floats have no type in numpy.
ELEMENTS = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "BFloat16Storage": "bfloat16",
    "LongStorage": "<i8", "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "|i1", "ByteStorage": "|u1",
    "BoolStorage": "|b1"
}


def widened(raw, element, count):
    """`count` elements as a flat array; brain floats become float32."""
    if element == "bfloat16":
        return (np.frombuffer(raw, "<u2", count).astype("<u4") << 16).view("<f4")
    return np.frombuffer(raw, element, count)


def element_bytes(element):
    return 2 if element == "bfloat16" else np.dtype(element).itemsize


def as_float32(array, name):
    """Any floating type as finite float32, row-major."""
    if array.dtype.kind != "f":
        raise BadFile(f"tensor {restricted_pickle.shown(name)} does not hold floating-point numbers")
    with np.errstate(over="ignore"):
        result = np.array(array, dtype=np.float32, order="C")
    if not np.isfinite(result).all():
        raise BadFile(f"tensor {restricted_pickle.shown(name)} holds a value that is not finite in float32")
    return result


class Storage(Inert):
    """A flat run of `count` elements; `read` returns its bytes when they are wanted."""
    __slots__ = ("element", "count", "read")

    def __init__(self, element, count, read=None):
        self.element, self.count, self.read = element, count, read


class Tensor(Inert):
    """A view of a storage: any strides, checked against what the storage holds."""
    __slots__ = ("storage", "offset", "shape", "strides")

    def __init__(self, storage, offset, shape, strides):
        if not isinstance(storage, Storage) or type(shape) is not tuple or type(strides) is not tuple:
            raise BadFile("the pickle has a tensor that is not made of a storage, sizes and strides")
        numbers = (offset, *shape, *strides)
        if any(type(n) is not int or not 0 <= n < 2**62 for n in numbers) or len(shape) != len(strides) \
                or len(shape) > MAX_RANK:
            raise BadFile("the pickle has a tensor with impossible sizes or strides")
        elements = math.prod(shape)
        last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides))
        if elements > storage.count or (elements > 0 and last >= storage.count):
            raise BadFile(f"the pickle has a tensor of {elements} elements that its storage of {storage.count} "
                          "does not hold")
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def array(self, name):
        raw = self.storage.read()
        flat = widened(raw, self.storage.element, self.storage.count)
        if math.prod(self.shape) == 0:
            return np.zeros(self.shape, np.float32)
        view = np.lib.stride_tricks.as_strided(flat[self.offset:], self.shape,
                                               [stride * flat.itemsize for stride in self.strides])
        return as_float32(view, name)


def storage_of(identity):
    """Element type, key and count of a persistent id ('storage', class, key, device, count[, view])."""
    if type(identity) is not tuple or len(identity) not in (5, 6) or identity[0] != "storage":
        raise BadFile("the pickle has a persistent id that is not a storage")
    kind, name, count = identity[1], identity[2], identity[4]
    if not isinstance(kind, Name) or kind.name not in ELEMENTS or kind.module.partition(".")[0] != "torch":
        raise BadFile(f"the pickle has a storage of an element type that is not read ({shown_name(kind)})")
    if type(name) is not str or type(count) is not int or not 0 <= count < 2**62:
        raise BadFile("the pickle has a storage without a key and a length")
    if len(identity) == 6 and identity[5] is not None:
        raise BadFile("the pickle has views of storages as PyTorch before 0.4 wrote them")
    return ELEMENTS[kind.name], name, count


def shown_name(value):
    return restricted_pickle.shown(str(value)) if isinstance(value, Name) else type(value).__name__


class Rebuild:
    """The calls that are understood as data. Anything else stays a note."""
    def __init__(self, nested):
        self.nested = nested  # whether this already is a storage's own file

    def __call__(self, name, arguments):
        top, last = name.module.partition(".")[0], name.name
        if top != "torch":
            return NotImplemented
        if last in ("_rebuild_tensor", "_rebuild_tensor_v2") and len(arguments) >= 4:
            return Tensor(*arguments[:4])
        if last in ("_rebuild_parameter", "_rebuild_parameter_with_state") and arguments:
            return arguments[0]
        if last == "_rebuild_from_type_v2" and len(arguments) == 4 and isinstance(arguments[0], Name) \
                and type(arguments[2]) is tuple:  # a subclass of Tensor, or a tensor with attributes
            return self(arguments[0], arguments[2])
        if (name.module, last) == ("torch.storage", "_load_from_bytes"):
            if self.nested:
                raise BadFile("the pickle nests files of storages in each other")
            if len(arguments) != 1 or type(arguments[0]) is not bytes:
                raise BadFile("the pickle has a storage that is not made of bytes")
            storage = load_torch(arguments[0], nested=True)
            if not isinstance(storage, Storage):
                raise BadFile("the pickle has a storage's file that holds something else")
            return storage
        return NotImplemented


def load_torch(data, nested=False):
    """What a file of one of the three containers holds, as dictionaries, lists, Records and Tensors."""
    if bytes(data[:4]) == b"PK\x03\x04":
        return load_zip(data, nested)
    first, position = restricted_pickle.load(data, 0, None if nested else refuse_persistent, Rebuild(nested))
    if first == LEGACY_MAGIC and type(first) is int:
        return load_legacy(data, position, nested)
    if position != len(data):
        raise BadFile(f"the file goes on for {len(data) - position} bytes behind its pickle")
    return first


def refuse_persistent(identity):
    raise BadFile("the pickle has persistent ids, but is no file of torch.save")


def load_legacy(data, position, nested):
    """Version, description of the system, the object, the keys of its storages in order, and their raw bytes."""
    version, position = restricted_pickle.load(data, position)
    system, position = restricted_pickle.load(data, position)
    if version != LEGACY_PROTOCOL or type(system) is not dict or system.get("little_endian") is not True:
        raise BadFile("the file is of a version of torch.save that is not read, or of a big-endian machine")
    waiting = {}

    def persistent(identity):
        if type(identity) is tuple and len(identity) >= 2 and identity[0] == "module":
            return identity[1]  # a class together with its source text, which is dropped
        element, name, count = storage_of(identity)
        storage = Storage(element, count)
        waiting.setdefault(name, []).append(storage)
        return storage

    value, position = restricted_pickle.load(data, position, persistent, Rebuild(nested))
    keys, position = restricted_pickle.load(data, position)
    if type(keys) is not list or any(type(name) is not str for name in keys) or len(set(keys)) != len(keys):
        raise BadFile("the file's list of storages is malformed")
    view = memoryview(data)
    for name in keys:
        for_name = waiting.pop(name, [])
        if len(view) - position < 8 or not for_name:
            raise BadFile("the file is truncated, or lists a storage that nothing uses")
        count = struct.unpack_from("<q", view, position)[0]
        width = element_bytes(for_name[0].element)
        position += 8
        if count < 0 or count > (len(view) - position) // width:
            raise BadFile(f"the file is truncated, or states a storage of {count} elements that it does not hold")
        raw = view[position:position + count * width]
        position += count * width
        for storage in for_name:
            fill(storage, raw, lambda raw=raw: raw)
    if waiting:
        raise BadFile("the file does not hold all storages that its pickle refers to")
    if position != len(view):
        raise BadFile(f"the file goes on for {len(view) - position} bytes behind its last storage")
    return value


def fill(storage, raw, read):
    if storage.count * element_bytes(storage.element) > len(raw):
        raise BadFile(f"the pickle states a storage of {storage.count} elements, the file holds {len(raw)} bytes")
    storage.read = read


def load_zip(data, nested):
    """Entries are read into memory and never written anywhere, whatever their names say."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error, EOFError, OverflowError,
            MemoryError) as reason:
        raise BadFile(f"the zip archive is damaged ({type(reason).__name__})") from None
    names = {}
    for entry in entries:
        parts = entry.filename.split("/")
        if entry.filename.startswith("/") or ".." in parts or "\\" in entry.filename or "\0" in entry.orig_filename:
            raise BadFile("the zip archive has an entry whose name leads out of its folder")
        if entry.filename in names:
            raise BadFile(f"the zip archive has the entry {restricted_pickle.shown(entry.filename)} twice")
        # torch.save never compresses; so no entry can be larger than it is in the file, and nothing swells.
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
            raise BadFile("the zip archive has a compressed entry, which torch.save does not write")
        if entry.flag_bits & 1:
            raise BadFile("the zip archive is encrypted")
        names[entry.filename] = entry
    if sum(entry.file_size for entry in entries) > len(data):
        raise BadFile("the zip archive states more bytes than it has")
    pickles = [name for name in names if name == "data.pkl" or name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise BadFile("the zip archive is no file of torch.save: it has not exactly one data.pkl")
    folder = pickles[0][:-len("data.pkl")]
    if any(name.startswith(folder + "code/") or name == folder + "constants.pkl" for name in names):
        raise BadFile("the file is a TorchScript program, of which only its author can write out the state dict")

    def content(name):
        try:
            return archive.read(names[name])
        except KeyError:
            raise BadFile(f"the zip archive has no entry {restricted_pickle.shown(name)}") from None
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error, EOFError, RuntimeError,
                MemoryError) as reason:
            raise BadFile(f"the zip archive's entry {restricted_pickle.shown(name)} is damaged "
                          f"({type(reason).__name__})") from None

    if folder + "byteorder" in names and content(folder + "byteorder").strip() != b"little":
        raise BadFile("the file was written on a big-endian machine")

    def persistent(identity):
        element, name, count = storage_of(identity)
        where = f"{folder}data/{name}"
        if where not in names:
            raise BadFile(f"the zip archive has no entry {restricted_pickle.shown(where)}")
        if count * element_bytes(element) > names[where].file_size:
            raise BadFile(f"the pickle states a storage of {count} elements, "
                          f"the file holds {names[where].file_size} bytes")
        return Storage(element, count, lambda: content(where))

    pickle = content(pickles[0])
    value, position = restricted_pickle.load(pickle, 0, persistent, Rebuild(nested))
    if position != len(pickle):
        raise BadFile("the pickle goes on behind its end")
    return value
