#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Imports the generator of a StyleGAN2 checkpoint as a generator file of Faultline (docs/how-to/import_stylegan2.md).

No code of the checkpoint is run: pickles are read as data by a reader that cannot do anything else. PyTorch is not
needed.
"""

import argparse
import hashlib
import json
import math
import os
import pathlib
import struct
import sys

sys.dont_write_bytecode = True
try:
    import numpy as np
except ImportError:
    print("import_stylegan2: numpy is missing; apt-get install python3-numpy, or pip install numpy", file=sys.stderr)
    sys.exit(5)

import layouts
import network
import safetensors_file
import torch_files
from checkpoint import NOT_SAID, Checkpoint
from problems import BadFile

USAGE, BAD_INPUT = 2, 3
MAX_BYTES = 8 << 30
READS = """\
what is read:
  pickles of the StyleGAN2-ADA PyTorch family (.pkl, with G, D and G_ema), files of torch.save with state dicts or
  such networks, those of rosinality's stylegan2-pytorch (.pt, with g_ema), safetensors files with the same names

exit codes:
  0 written, 2 wrong use, 3 the file cannot be imported
"""


def clamp_option(text):
    if text == "none":
        return None
    return positive_option(text)


def positive_option(text):
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise ValueError
    return value


def rate_option(text):
    value = positive_option(text)
    if value > 100:
        raise ValueError
    return value


def range_option(text):
    low, high = (float(part) for part in text.split(","))
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError
    return [low, high]


def names_option(text):
    if text.startswith("@"):
        try:
            lines = pathlib.Path(text[1:]).read_text(encoding="utf-8").splitlines()
        except OSError as reason:
            raise argparse.ArgumentTypeError(f"{text[1:]} cannot be read: {reason.strerror}") from None
        names = [line.strip() for line in lines if line.strip()]
    else:
        names = [part.strip() for part in text.split(",")]
    if not names or not all(names):
        raise argparse.ArgumentTypeError("a class name is empty")
    for name in names:
        name.encode("utf-8")  # UnicodeEncodeError is a ValueError, which argparse reports
    return names


def options():
    parser = argparse.ArgumentParser(
        prog="import_stylegan2", formatter_class=argparse.RawDescriptionHelpFormatter, epilog=READS,
        description="Imports the generator of a StyleGAN2 checkpoint as a generator file of Faultline.\n"
        "No code of the checkpoint is run, and PyTorch is not needed.")
    parser.add_argument("file", metavar="FILE", type=pathlib.Path, help="the checkpoint")
    parser.add_argument("--out", required=True, type=pathlib.Path, metavar="GENERATOR",
                        help="file to write, .safetensors")
    parser.add_argument("--network", metavar="NAME",
                        help="which generator, where the file has several (default: G_ema)")
    parser.add_argument("--class-names", type=names_option, metavar="A,B,...",
                        help="names of the classes in their order, or @FILE with one in each line")
    parser.add_argument("--conv-clamp", type=clamp_option, default=NOT_SAID, metavar="NUMBER|none",
                        help="bound of the activations, where the file does not say it (default: 256, if they are far from it)")
    parser.add_argument(
        "--mapping-lr-multiplier", type=rate_option, default=NOT_SAID, metavar="NUMBER",
        help="learning-rate multiplier of the mapping network, where the file does not say it (default: 0.01)")
    parser.add_argument("--value-range", type=range_option, default=NOT_SAID, metavar="LOW,HIGH",
                        help="values of black and white (default: -1,1; write --value-range=-1,1)")
    arguments = parser.parse_args()
    if arguments.out.name in ("", ".", ".."):
        parser.error("--out must name a file")
    try:
        if arguments.out.exists() and os.path.samefile(arguments.file, arguments.out):
            parser.error("--out is the file to be read")
    except OSError:
        pass  # reading or writing says it better
    return arguments


def read_checkpoint(data):
    if safetensors_file.is_safetensors(data):
        checkpoint = Checkpoint()
        checkpoint.metadata, checkpoint.tensors = safetensors_file.read(data)
        return checkpoint
    if data[:4] == b"PK\x03\x04" or data[:1] == b"\x80":
        return Checkpoint.from_pickle(torch_files.load_torch(data))
    if data[:1] in (b"c", b"(", b"]", b"}", b"i"):
        raise BadFile("this is a pickle in the text protocol, which no checkpoint uses, or no checkpoint at all")
    raise BadFile("this is no pickle, no file of torch.save and no safetensors file")


def usual_clamp(largest):
    """What is said where nobody says whether activations are bounded; refused where the answer would change images."""
    if not largest < layouts.USUAL_CLAMP / 2:
        raise BadFile(
            f"the file does not say whether its layers are clamped, and its activations are large (up to {largest:.0f}); "
            "say --conv-clamp 256 (trained with the usual mixed precision) or --conv-clamp none (trained in float32)")
    return (f"activations are clamped at 256, as usual; the file does not say it, and those of the probe (up to "
            f"{largest:.3g}) are far from it")


def convert(data, name, arguments):
    """The bytes of the generator file, its digest, and what was imported."""
    checkpoint = read_checkpoint(data)
    generator = layouts.read(checkpoint, arguments)
    tensors = dict(generator.weights)
    size = generator.config["img_resolution"]
    if size > 128:
        print(f"the probe: two images of {size}x{size} in float64, {'half a minute' if size < 512 else 'minutes'}",
              file=sys.stderr, flush=True)
    with np.errstate(all="ignore"):
        sizes = []
        tensors.update(network.probe(generator.config, generator.weights, sizes))
    if not np.isfinite(tensors["probe.image"]).all():
        raise BadFile("the network's images are not finite")
    if not generator.clamp_is_known:
        generator.notes.append(usual_clamp(max(sizes)))
    imported = {
        "file": name.encode("utf-8", "replace").decode(), "sha256": hashlib.sha256(data).hexdigest(),
        "layout": generator.layout, "network": generator.network
    }
    if generator.notes:
        imported["notes"] = generator.notes
    if "provenance" in checkpoint.metadata:
        imported["provenance"] = checkpoint.metadata["provenance"]
    provenance = {"imported": imported}
    as_text = lambda value: json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    metadata = {
        "format": layouts.FORMAT, "config": as_text(generator.config), "provenance": as_text(provenance)
    }
    encoded, digest = safetensors_file.encode(metadata, tensors)
    return encoded, digest, generator


def main():
    sys.stdout.reconfigure(errors="backslashreplace")
    arguments = options()
    try:
        try:
            if arguments.file.stat().st_size > MAX_BYTES:
                raise BadFile("the file is larger than 8 GiB")
            data = arguments.file.read_bytes()
            encoded, digest, generator = convert(data, arguments.file.name, arguments)
        except OSError as reason:
            raise BadFile(reason.strerror or type(reason).__name__) from None
        except (MemoryError, RecursionError, OverflowError, ValueError, struct.error) as reason:
            raise BadFile(f"the file is malformed ({type(reason).__name__})") from None
    except BadFile as reason:
        print(f"import_stylegan2: {arguments.file}: {reason}", file=sys.stderr)
        return BAD_INPUT
    try:
        safetensors_file.write_atomically(arguments.out, encoded)
    except OSError as reason:
        print(f"import_stylegan2: {arguments.out} cannot be written: {reason.strerror}", file=sys.stderr)
        return BAD_INPUT
    config = generator.config
    print(f"{arguments.out}: {config['img_resolution']}x{config['img_resolution']}, {config['img_channels']} "
          f"channel{'s'[:config['img_channels'] != 1]}, {config['c_dim']} classes, from "
          f"{generator.network or 'the network'} in the layout '{generator.layout}'; sha256 {digest}")
    for note in generator.notes:
        print(f"  {note}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
