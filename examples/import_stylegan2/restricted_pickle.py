# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads a pickle as data. A pickle is a program for a small stack machine; this machine has no way to import a module,
look up an attribute, call a function or make an object of a class that is not below.

Python's own unpickler is not used, not even with `find_class` replaced: it calls what the pickle tells it to, consults
`copyreg`'s table of extensions and runs `__setstate__`. Here a name is a pair of texts (`Name`), a call of a name or an
object of it is a note that it was asked for (`Record`), and whoever calls `load` may turn some notes into data.

What protocols 2 to 5 write is read. The text protocols 0 and 1, instances by INST and OBJ, extension numbers and
out-of-band buffers occur in no checkpoint and are refused.
"""

import struct
import sys

from problems import BadFile

# Names of Python's standard library that checkpoints do carry. Others, as os.system or builtins.eval, have no business
# in one: nothing would be run, but a file that asks for them is not to be trusted in anything else.
HARMLESS = {
    "argparse": {"Namespace"},
    "collections": {"OrderedDict", "defaultdict", "Counter", "deque"},
    "copyreg": {"_reconstructor"},
    "copy_reg": {"_reconstructor"},
    "datetime": {"date", "datetime", "time", "timedelta", "timezone"},
    "decimal": {"Decimal"},
    "fractions": {"Fraction"},
    "pathlib": {"Path", "PosixPath", "PurePath", "PurePosixPath", "PureWindowsPath", "WindowsPath"},
    "types": {"SimpleNamespace"},
    "uuid": {"UUID"},
    "_codecs": {"encode"},
}
for _builtins in ("builtins", "__builtin__"):
    HARMLESS[_builtins] = {
        "Ellipsis", "NotImplemented", "bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int",
        "list", "long", "object", "range", "set", "slice", "str", "tuple", "unicode", "xrange"
    }
OLD_STANDARD_LIBRARY = {"__builtin__", "commands", "copy_reg", "distutils", "imp", "popen2", "posixfile", "nt", "posix"}
LONGEST_INTEGER = 1024  # bytes


class Inert:
    """Base of what this machine makes. Compared and hashed by identity, so that no text of the file decides what a
    comparison costs."""
    __slots__ = ()


class Name(Inert):
    """A name that the pickle mentions: of a class or a function, never looked up."""
    __slots__ = ("module", "name")

    def __init__(self, module, name):
        self.module, self.name = module, name

    def __str__(self):
        return f"{self.module}.{self.name}"


class Record(Inert):
    """An object that the pickle asked for: what it would have been made from, and what would have been put into it."""
    __slots__ = ("name", "arguments", "state", "items", "elements")

    def __init__(self, name, arguments):
        self.name, self.arguments = name, arguments
        self.state, self.items, self.elements = None, {}, []


class Mark(Inert):
    __slots__ = ()


MARK = Mark()
PLAIN = (str, int, float, bool, bytes, type(None))
REFUSED = {
    b"i": "an instance by INST", b"o": "an instance by OBJ", b"\x82": "an extension number",
    b"\x83": "an extension number", b"\x84": "an extension number", b"\x97": "an out-of-band buffer",
    b"\x98": "an out-of-band buffer", b"P": "a persistent id as text", b"I": "the text protocol 0",
    b"L": "the text protocol 0", b"F": "the text protocol 0", b"S": "the text protocol 0", b"V": "the text protocol 0",
    b"g": "the text protocol 0", b"p": "the text protocol 0"
}


def named(module, name):
    """The name, unless it is one that no checkpoint needs."""
    top = module.partition(".")[0]
    if (top in sys.stdlib_module_names or top in OLD_STANDARD_LIBRARY) and name not in HARMLESS.get(module, ()):
        raise BadFile(f"the pickle asks for {shown(module)}.{shown(name)}, which no checkpoint needs; "
                      "nothing was run, and the file is not to be trusted")
    return Name(module, name)


def shown(text):
    """A text of the file for a message: short, printable, one line."""
    text = "".join(c if c.isprintable() else "?" for c in text[:80])
    return text.encode("ascii", "replace").decode()


def key(value):
    """A value that may be a key or an element of a set. Nested tuples may not: hashing them is recursive."""
    if isinstance(value, PLAIN) or isinstance(value, Inert):
        return value
    if type(value) is tuple and len(value) <= 16 and all(isinstance(part, PLAIN) for part in value):
        return value
    raise BadFile(f"the pickle has a key of type {type(value).__name__}")


def load(data, position=0, persistent=None, call=None):
    """Reads one pickle from `data` at `position`; returns its value and the position behind it.

    `persistent(id)` answers persistent ids, `call(name, arguments)` may turn a call into data and returns
    NotImplemented where it does not. Both get what this machine made and nothing else.
    """
    try:
        return Machine(data, position, persistent, call).run()
    except BadFile:
        raise
    except (IndexError, KeyError, ValueError, TypeError, OverflowError, UnicodeError, struct.error, MemoryError,
            RecursionError) as reason:
        raise BadFile(f"the pickle is malformed ({type(reason).__name__})") from None


class Machine:
    def __init__(self, data, position, persistent, call):
        self.data, self.position = memoryview(data), position
        self.persistent, self.call = persistent, call
        self.stack, self.memo = [], {}

    # Reading. No length is believed before that many bytes are there.

    def take(self, count):
        if count > len(self.data) - self.position:
            raise BadFile("the pickle is truncated, or states a length beyond its end")
        begin, self.position = self.position, self.position + count
        return self.data[begin:self.position]

    def number(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0]

    def line(self):
        rest = bytes(self.data[self.position:self.position + 1024])
        end = rest.find(b"\n")
        if end < 0:
            raise BadFile("the pickle has a name that does not end")
        self.position += end + 1
        return rest[:end].decode("utf-8")

    def counted(self, form):
        return bytes(self.take(self.number(form)))

    # The stack.

    def pop(self):
        value = self.stack.pop()
        if value is MARK:
            raise BadFile("the pickle takes a value from an empty stack")
        return value

    def top(self):
        value = self.stack[-1]
        if value is MARK:
            raise BadFile("the pickle takes a value from an empty stack")
        return value

    def pop_to_mark(self):
        values = []
        while (value := self.stack.pop()) is not MARK:
            values.append(value)
        values.reverse()
        return values

    # What is made of them.

    def put_items(self, target, flat):
        if len(flat) % 2 != 0:
            raise BadFile("the pickle has a key without a value")
        if isinstance(target, Record):
            target = target.items
        if type(target) is not dict:
            raise BadFile(f"the pickle puts items into a value of type {type(target).__name__}")
        for name, value in zip(flat[::2], flat[1::2]):
            target[key(name)] = value

    def put_elements(self, target, values):
        if isinstance(target, Record):
            target = target.elements
        if type(target) is not list:
            raise BadFile(f"the pickle appends to a value of type {type(target).__name__}")
        target.extend(values)

    def made(self, name, arguments):
        if not isinstance(name, Name):
            raise BadFile("the pickle calls something that is not a name")
        if type(arguments) is not tuple:
            raise BadFile("the pickle calls a name without a tuple of arguments")
        pair = (name.module, name.name)
        if pair in (("collections", "OrderedDict"), ("collections", "defaultdict")):
            result = {}
            if pair[1] == "OrderedDict" and arguments:
                for entry in arguments[0]:
                    self.put_items(result, list(entry))
            return result
        if pair == ("_codecs", "encode"):  # how protocol 2 writes bytes
            text, encoding = arguments
            if type(text) is not str or encoding not in ("latin1", "latin-1"):
                raise BadFile("the pickle has bytes in an encoding other than latin1")
            return text.encode("latin-1")
        if self.call is not None:
            result = self.call(name, arguments)
            if result is not NotImplemented:
                return result
        return Record(name, arguments)

    def build(self, target, state):
        if isinstance(target, Record):
            target.state = state
        elif not (type(target) is dict or (isinstance(target, Inert) and not isinstance(target, Name))):
            raise BadFile(f"the pickle sets the state of a value of type {type(target).__name__}")
        # (attributes of a dictionary, as _metadata of a state dict, are left out)

    def run(self):
        stack, memo, operations = self.stack, self.memo, self.operations
        while True:
            code = bytes(self.take(1))
            if code == b".":
                value = self.pop()
                if stack:
                    raise BadFile("the pickle ends with values left over")
                return value, self.position
            operation = operations.get(code)
            if operation is None:
                what = REFUSED.get(code)
                if what is None:
                    raise BadFile(f"the pickle has an unknown operation 0x{code[0]:02x}")
                raise BadFile(f"the pickle uses {what}, which no checkpoint needs")
            operation(self)

    # One function for each operation.

    def op_protocol(self):
        if not 2 <= self.number("B") <= 5:
            raise BadFile("the pickle has a protocol other than 2 to 5")

    def op_frame(self):
        if self.number("Q") > len(self.data) - self.position:
            raise BadFile("the pickle is truncated, or states a length beyond its end")

    def op_long(self, form):
        count = self.number(form)
        if not 0 <= count <= LONGEST_INTEGER:
            raise BadFile(f"the pickle has an integer of {count} bytes")
        self.stack.append(int.from_bytes(self.take(count), "little", signed=True))

    def op_binstring(self):
        count = self.number("i")
        if count < 0:
            raise BadFile("the pickle has a text of negative length")
        self.stack.append(bytes(self.take(count)).decode("latin-1"))

    def op_tuple(self, count):
        values = [self.pop() for _ in range(count)]
        self.stack.append(tuple(reversed(values)))

    def op_dict(self):
        values, result = self.pop_to_mark(), {}
        self.put_items(result, values)
        self.stack.append(result)

    def op_setitem(self):
        value, name = self.pop(), self.pop()
        self.put_items(self.top(), [name, value])

    def op_setitems(self):
        values = self.pop_to_mark()
        self.put_items(self.top(), values)

    def op_append(self):
        value = self.pop()
        self.put_elements(self.top(), [value])

    def op_appends(self):
        values = self.pop_to_mark()
        self.put_elements(self.top(), values)

    def op_additems(self):
        values, target = self.pop_to_mark(), self.top()
        if type(target) is not set:
            raise BadFile("the pickle adds elements to something that is not a set")
        target.update(key(value) for value in values)

    def op_frozenset(self):
        self.stack.append(frozenset(key(value) for value in self.pop_to_mark()))

    def op_get(self, form):
        index = self.number(form)
        if index not in self.memo:
            raise BadFile(f"the pickle recalls value {index}, which it did not keep")
        self.stack.append(self.memo[index])

    def op_put(self, form):
        self.memo[self.number(form)] = self.top()

    def op_memoize(self):
        self.memo[len(self.memo)] = self.top()

    def op_global(self):
        module = self.line()
        self.stack.append(named(module, self.line()))

    def op_stack_global(self):
        name, module = self.pop(), self.pop()
        if type(name) is not str or type(module) is not str:
            raise BadFile("the pickle has a name that is not text")
        self.stack.append(named(module, name))

    def op_reduce(self):
        arguments, name = self.pop(), self.pop()
        self.stack.append(self.made(name, arguments))

    def op_newobj_ex(self):
        _, arguments, name = self.pop(), self.pop(), self.pop()
        self.stack.append(self.made(name, arguments))

    def op_build(self):
        state = self.pop()
        self.build(self.top(), state)

    def op_persistent(self):
        identity = self.pop()
        if self.persistent is None:
            raise BadFile("the pickle has a persistent id, and nothing that it could stand for")
        self.stack.append(self.persistent(identity))

    operations = {
        b"\x80": op_protocol,
        b"\x95": op_frame,
        b"(": lambda self: self.stack.append(MARK),
        b"0": lambda self: self.pop(),
        b"1": lambda self: self.pop_to_mark(),
        b"2": lambda self: self.stack.append(self.top()),
        b"N": lambda self: self.stack.append(None),
        b"\x88": lambda self: self.stack.append(True),
        b"\x89": lambda self: self.stack.append(False),
        b"J": lambda self: self.stack.append(self.number("i")),
        b"K": lambda self: self.stack.append(self.number("B")),
        b"M": lambda self: self.stack.append(self.number("H")),
        b"\x8a": lambda self: self.op_long("B"),
        b"\x8b": lambda self: self.op_long("i"),
        b"G": lambda self: self.stack.append(struct.unpack(">d", self.take(8))[0]),
        b"\x8c": lambda self: self.stack.append(self.counted("B").decode("utf-8", "surrogatepass")),
        b"X": lambda self: self.stack.append(self.counted("I").decode("utf-8", "surrogatepass")),
        b"\x8d": lambda self: self.stack.append(self.counted("Q").decode("utf-8", "surrogatepass")),
        b"U": lambda self: self.stack.append(self.counted("B").decode("latin-1")),
        b"T": op_binstring,
        b"C": lambda self: self.stack.append(self.counted("B")),
        b"B": lambda self: self.stack.append(self.counted("I")),
        b"\x8e": lambda self: self.stack.append(self.counted("Q")),
        b"\x96": lambda self: self.stack.append(self.counted("Q")),
        b")": lambda self: self.stack.append(()),
        b"t": lambda self: self.stack.append(tuple(self.pop_to_mark())),
        b"\x85": lambda self: self.op_tuple(1),
        b"\x86": lambda self: self.op_tuple(2),
        b"\x87": lambda self: self.op_tuple(3),
        b"]": lambda self: self.stack.append([]),
        b"a": op_append,
        b"e": op_appends,
        b"l": lambda self: self.stack.append(self.pop_to_mark()),
        b"}": lambda self: self.stack.append({}),
        b"d": op_dict,
        b"s": op_setitem,
        b"u": op_setitems,
        b"\x8f": lambda self: self.stack.append(set()),
        b"\x90": op_additems,
        b"\x91": op_frozenset,
        b"q": lambda self: self.op_put("B"),
        b"r": lambda self: self.op_put("I"),
        b"\x94": op_memoize,
        b"h": lambda self: self.op_get("B"),
        b"j": lambda self: self.op_get("I"),
        b"c": op_global,
        b"\x93": op_stack_global,
        b"R": op_reduce,
        b"\x81": op_reduce,  # NEWOBJ: an object of a class, here the same note as a call
        b"\x92": op_newobj_ex,
        b"b": op_build,
        b"Q": op_persistent,
    }
