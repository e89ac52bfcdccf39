# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a file holds, as one flat list of tensors by dotted name, and what its modules say about themselves."""

import torch_files
from problems import BadFile
from restricted_pickle import Name, Record

PERSISTENT = "_reconstruct_persistent_obj"  # a module that is pickled with the source text of its class
# A pickle can refer to one value from many places. These bound what that can unfold to.
MAX_NODES, MAX_DEPTH = 200_000, 64
NOT_SAID = object()


def items_of(value):
    """The items of a dictionary, or of an object that would have been one; else None."""
    if type(value) is dict:
        return value
    if isinstance(value, Record):
        return value.items
    return None


def state_of(record):
    """The attributes of an object: of a persistent module they are in the one argument of the call, else its state."""
    if record.name.name == PERSISTENT and len(record.arguments) == 1:
        meta = items_of(record.arguments[0]) or {}
        return items_of(meta.get("state")) or {}
    state = record.state
    if type(state) is tuple and len(state) == 2:
        state = state[0]
    return state if type(state) is dict else {}


class Checkpoint:
    """`tensors`: name -> tensor, with `shape` and `array(name)`. `modules`: path -> attributes. `metadata`: of a
    safetensors file. `names`: classes and functions that the pickle mentions at its nodes, for messages."""
    def __init__(self):
        self.tensors, self.modules, self.metadata, self.names = {}, {}, {}, set()

    def said(self, path, key):
        """What the module at `path` says under `key`, as attribute or as option of its construction."""
        attributes = self.modules.get(path)
        if attributes is None:
            return NOT_SAID
        if key in attributes:
            return attributes[key]
        return (items_of(attributes.get("_init_kwargs")) or {}).get(key, NOT_SAID)

    @classmethod
    def from_pickle(cls, root):
        result, nodes = cls(), 0
        waiting = [("", root, 0)]
        while waiting:
            path, value, depth = waiting.pop()
            nodes += 1
            if nodes > MAX_NODES or depth > MAX_DEPTH:
                raise BadFile("the pickle unfolds to more values than a checkpoint has")
            if isinstance(value, torch_files.Tensor):
                if path in result.tensors:
                    raise BadFile("the pickle has two tensors of one name")
                result.tensors[path] = value
                continue
            children = []
            if isinstance(value, Record):
                if isinstance(value.name, Name):
                    result.names.add(str(value.name))
                state = state_of(value)
                if any(
                        type(state.get(part)) is dict or isinstance(state.get(part), Record)
                        for part in ("_modules", "_parameters", "_buffers")):
                    result.modules[path] = state
                    for part in ("_modules", "_parameters", "_buffers"):
                        children += (items_of(state.get(part)) or {}).items()
                else:
                    children += value.items.items()
            elif type(value) is dict:
                children += value.items()
            elif type(value) in (list, tuple) and path == "":  # the three networks of TensorFlow's files
                children += ((str(i), part) for i, part in enumerate(value[:16]))
            if len(children) > MAX_NODES:
                raise BadFile("the pickle unfolds to more values than a checkpoint has")
            for name, child in children:
                is_node = isinstance(child, (torch_files.Tensor, Record)) or type(child) is dict
                if is_node and type(name) in (str, int):
                    name = str(name)
                    waiting.append((f"{path}.{name}" if path else name, child, depth + 1))
        return result
