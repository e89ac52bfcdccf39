# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the seed files of the fuzz targets beside this script: small sound files, one per feature of each format.

Run: python3 tests/fuzz/make_corpus.py
"""
import gzip
import hashlib
import json
import pathlib
import struct
import zlib

HERE = pathlib.Path(__file__).parent


def save(folder, name, data):
    (HERE / folder).mkdir(exist_ok=True)
    (HERE / folder / name).write_bytes(data)


def safetensors(tensors, metadata=None, seal=False):
    header, data = {}, b""
    if metadata is not None or seal:
        header["__metadata__"] = dict(metadata or {})
        if seal:
            header["__metadata__"]["sha256"] = "0" * 64
    for name, (dtype, shape, payload) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(payload)]}
        data += payload
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if seal:
        text = text.replace(b"0" * 64, hashlib.sha256(text + data).hexdigest().encode())
    return struct.pack("<Q", len(text)) + text + data


def idx(shape, payload):
    return bytes([0, 0, 8, len(shape)]) + b"".join(struct.pack(">I", n) for n in shape) + payload


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, colour, lines, *extra, interlace=0):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(extra) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


floats = struct.pack("<2f", 1, -2)
save("safetensors_corpus", "ours", safetensors({"a": ("F32", [2], floats), "n": ("I64", [1], b"\7" + bytes(7))}, {"format": "faultline.test/1", "config": '{"classes": 2}'}, True))
save("safetensors_corpus", "foreign", safetensors({"w": ("F32", [1, 2], floats), "s": ("F32", [], floats[:4])}, {"format": "pt"}))
save("safetensors_corpus", "half", safetensors({"w": ("F16", [4], floats)}))
save("safetensors_corpus", "empty", safetensors({"e": ("F32", [0, 3], b"")}))
save("idx_corpus", "images", idx([2, 2, 3], b"abcdefghijkl"))
save("idx_corpus", "labels", idx([4], b"\0\1\2\3"))
save("idx_corpus", "packed", gzip.compress(idx([2, 2, 3], b"abcdefghijkl"), mtime=0))
save("idx_corpus", "stored", gzip.compress(idx([4], b"\0\1\2\3"), compresslevel=0, mtime=0))
save("idx_corpus", "members", gzip.compress(idx([2, 3], b"")[:5], mtime=0) + gzip.compress(idx([2, 3], b"abcdef")[5:], mtime=0) + gzip.compress(b"", mtime=0) + bytes(7))
save("png_corpus", "grey", png(3, 2, 8, 0, b"\0abc\2def"))
save("png_corpus", "colour", png(2, 2, 8, 2, b"\1abcdef\4ghijkl"))
save("png_corpus", "bits", png(9, 2, 1, 0, b"\0\xa5\x80\0\x5a\0"))
save("png_corpus", "palette", png(2, 1, 8, 3, b"\0\1\0", chunk(b"PLTE", b"\1\2\3\xff\0\x10")))
save("png_corpus", "interlaced", png(2, 2, 8, 0, b"\0a\0b\0cd", interlace=1))
save("png_corpus", "text", png(1, 1, 8, 0, b"\0a", chunk(b"tEXt", b"key\0value"), chunk(b"gAMA", struct.pack(">I", 45455))))
save("png_corpus", "deep", png(1, 1, 16, 0, b"\0ab"))
save("png_corpus", "alpha", png(1, 1, 8, 6, b"\0abcd"))
save("png_corpus", "opaque", png(2, 1, 8, 4, b"\0a\xffb\xff"))
save("png_corpus", "key", png(2, 1, 8, 0, b"\0ab", chunk(b"tRNS", b"\0z")))
save("png_corpus", "palette_key", png(3, 1, 4, 3, b"\0\x10\x20", chunk(b"PLTE", b"abcdefghi"), chunk(b"tRNS", b"\xff\xff")))
save("png_corpus", "palette_interlaced", png(2, 2, 2, 3, b"\0\x40\0\x80\0\x10", chunk(b"PLTE", b"abcdefghi"), interlace=1))
save("png_corpus", "long_key", png(3, 1, 4, 3, b"\0\x10\x20", chunk(b"PLTE", b"abcdefghi"),
                                   chunk(b"tRNS", b""), chunk(b"tRNS", b"\xff\xff\xff\0\0"), chunk(b"tRNS", b"\0")))
save("png_corpus", "colour_key", png(1, 1, 8, 2, b"\0abc", chunk(b"tRNS", b"z"), chunk(b"tRNS", b"\0a\0b\0d")))
save("png_corpus", "more_rows", png(2, 1, 8, 0, b"\0ab\0cd") + b"after the end")
packed = zlib.compress(b"\0ab")
save("png_corpus", "after_stream", png(2, 1, 8, 0, b"\0ab").replace(
    chunk(b"IDAT", packed), chunk(b"IDAT", b"") + chunk(b"IDAT", packed + b"zz") + chunk(b"IDAT", b"z")))
save("png_corpus", "odd_extras", png(1, 1, 8, 2, b"\0abc", chunk(b"iCCP", b"odd\0\0garbage"), chunk(b"tIME", b"ab"), chunk(b"PLTE", b"ab"), chunk(b"gAMA", bytes(4))[:-1] + b"x"))

save("score_table_corpus", "numbered", b"image,label,score_0,score_1\n0,1,0.25,-3e1\n1,0,7,+2\n")
save("score_table_corpus", "named", b"cat,image,dog,label\r\n1,a.png,2,dog\r\n3,\"b, c.png\",4,0\r\n")
save("score_table_corpus", "marked", b"\xef\xbb\xbfimage,score_cat,score_dog\r\n\r\n./x/../y.png , .5,\t0.5\r\n\"q\"\"q\",\"1\",0")
save("score_table_corpus", "shuffled", b"1,0,image\n.75,.25,10\n1,0,9\n")
save("score_table_corpus", "open", b"image,0,1\na,\"1,2\n")
save("score_table_corpus", "bad", b"image,0,1\na,nan,2\nb,1e39\n")

head, name = b"# faultline.scores/1 classes=2 scores=logits", b"5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"
columns = b"\ndigest,score_0,score_1\n"
save("image_scores_corpus", "plain", head + columns + name + b",1.5,-2\n")
save("image_scores_corpus", "blocks", head + b" model=a images=" + name + columns + name + b",1,2\n" + head + columns + name + b",1,2e0\n")
save("image_scores_corpus", "shares", head.replace(b"logits", b"probabilities") + b"\r" + columns + name + b", .25,\"0.75\"\r\n")
save("image_scores_corpus", "other", head + columns + name + b",1,2\n" + name + b",1,3\n")
save("image_scores_corpus", "cut", head + columns + name + b",1,2")


def from_schema(root, schema, key="", bare=False):
    """The least value that a schema of docs/ allows: every list with one entry (two edges make one cell), or `bare`, empty and null where that is
    allowed."""
    if "$ref" in schema:
        return from_schema(root, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], key, bare)
    if "anyOf" in schema:
        return None if bare else from_schema(root, next(one for one in schema["anyOf"] if "$ref" in one), key, bare)
    if "enum" in schema:
        return None if bare and None in schema["enum"] else schema["enum"][0]
    kind = schema["type"]
    if isinstance(kind, list):
        kind = "null" if bare and key not in ("truncation", "alpha") else next(one for one in kind if one != "null")
    if kind == "object":
        return {name: from_schema(root, one, name, bare) for name, one in schema["properties"].items()}
    if kind == "array":
        return [] if bare else [from_schema(root, schema["items"], key, bare)] * (2 if key.endswith("_edges") else 1)
    counts = {"classes": 1, "samples_per_split": 1, "batch_size": 1}  # which are never 0
    return {"null": None, "string": "a", "boolean": True, "number": 0.5, "integer": counts.get(key, 0)}[kind]


for name in ("report", "paper", "comparison"):
    root = json.loads((HERE / "../../docs/reference" / f"{name}.schema.json").read_text())
    save("report_corpus", name, json.dumps(from_schema(root, root), separators=(",", ":")).encode())
    save("report_corpus", f"{name}_bare", json.dumps(from_schema(root, root, bare=True), separators=(",", ":")).encode())
entry = {"format": "faultline.failure/1", "name": "3_as_8_1f3a9c20", "generator_digest": "a1", "label": 3, "answer": 8, "probability": 0.25, "criterion": "misclassified", "criterion_expression": "fl::Misclassified{}", "classifier_name": "clean", "classifier_digest": "b2", "seed": 7, "index": 8796093022218, "truncation": 0.7, "cutoff": 3, "noise": "constant", "w": [-0.5, 1.25], "channels": [1, 4], "shifts": [2.5, -1.0], "amount": 0.75, "alone": True, "batch": True, "note": "seen"}
save("corpus_entry_corpus", "whole", json.dumps(entry).encode())
save("corpus_entry_corpus", "bare", json.dumps(entry | {"classifier_digest": None, "cutoff": None, "noise": "none", "channels": [], "shifts": [], "note": ""}).encode())
save("corpus_entry_corpus", "odd_lists", json.dumps(entry | {"shifts": [2.5]}).encode())
