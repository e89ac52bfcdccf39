# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Finds a StyleGAN2 generator in a checkpoint and brings it to the names, shapes and config of a generator file.

Two layouts are known. "ada" has the names of a generator file itself: synthesis.b8.conv0.weight. "rosinality" has
convs.0.conv.weight and belongs to an unconditional network. Both store weights of unit variance, without the factors
of equalized learning rates, mapping weights divided by their learning-rate multiplier, affine biases that include the
one, and the kernel of an upsampling layer as a transposed convolution uses it. So values are only renamed and
reshaped, never changed.
"""

import json
import math
import re

import numpy as np

import network
from checkpoint import NOT_SAID, items_of
from problems import BadFile
from restricted_pickle import shown

PREFERRED = ("G_ema", "g_ema", "generator_ema", "ema")  # the averaged weights, which images are made with
FILTER = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64
FORMAT = "faultline.stylegan2/1"


USUAL_CLAMP = 256.0


class Generator:
    """What goes into a generator file. `clamp_is_known`: whether file or user say how activations are bounded."""
    def __init__(self, config, weights, network_name, layout, notes, clamp_is_known):
        self.config, self.weights, self.clamp_is_known = config, weights, clamp_is_known
        self.network, self.layout, self.notes = network_name, layout, notes


def candidates(checkpoint):
    """(name of the network, layout, prefix of its tensors) of every generator in the checkpoint."""
    found = []
    for name in checkpoint.tensors:
        for layout, ending in (("ada", "synthesis.b4.const"), ("rosinality", "input.input")):
            if name == ending or name.endswith("." + ending):
                prefix = name[:-len(ending)]
                if layout == "ada" or prefix + "conv1.conv.weight" in checkpoint.tensors:
                    found.append((prefix.rstrip("."), layout, prefix))
    return sorted(found)


def refuse_others(checkpoint):
    """No generator was found: says what the file looks like instead."""
    names = checkpoint.tensors
    has = lambda pattern: any(re.search(pattern, name) for name in names)
    if any(name.startswith(("dnnlib.tflib", "tfutil", "tfutils")) for name in checkpoint.names):
        raise BadFile("this is a TensorFlow checkpoint; convert it to the PyTorch layout first")
    if has(r"synthesis\.(input\.(weight|freqs|transform)|L\d+_\d+_\d+\.)"):
        raise BadFile("this is a StyleGAN3 generator; only StyleGAN2 is read")
    if has(r"(^|\.)b4\.const$"):
        raise BadFile("the file has a synthesis network without its mapping network")
    if has(r"(^|\.)b4\.(fc|out)\.weight$") or has(r"(^|\.)final_linear\.0\.weight$"):
        raise BadFile("the file has a discriminator, but no generator")
    if has(r"(progression|style\.module|g_mapping|g_synthesis)"):
        raise BadFile("this looks like a StyleGAN of the first version; only StyleGAN2 is read")
    if not names:
        raise BadFile("the file holds no tensors that are understood, so no generator")
    raise BadFile(f"no StyleGAN2 generator is among the file's {len(names)} tensors "
                  f"(one is called {shown(sorted(names)[0])})")


def choose(checkpoint, wanted):
    found = candidates(checkpoint)
    names = [name for name, _, _ in found]
    called = ", ".join(shown(name) or "(no prefix)" for name in names)
    if not found:
        refuse_others(checkpoint)
    if wanted is not None:
        matching = [entry for entry in found if entry[0] == wanted]
        if len(matching) != 1:
            raise BadFile(f"the file has no generator called {shown(wanted)}; it has {called}")
        return matching[0]
    if len(found) == 1:
        return found[0]
    averaged = [entry for entry in found if entry[0].rpartition(".")[2] in PREFERRED]
    if len(averaged) == 1:
        return averaged[0]
    raise BadFile(f"the file has several generators ({called}); name one with --network")


class Reader:
    """Takes the tensors of one network out of a checkpoint, each at most once."""
    def __init__(self, checkpoint, prefix):
        self.checkpoint, self.prefix = checkpoint, prefix
        self.called = shown(prefix)  # in messages
        self.left = {name[len(prefix):] for name in checkpoint.tensors if name.startswith(prefix)}

    def has(self, name):
        return self.prefix + name in self.checkpoint.tensors

    def shape(self, name, rank):
        if not self.has(name):
            raise BadFile(f"the network has no tensor {self.called}{name}")
        shape = self.checkpoint.tensors[self.prefix + name].shape
        if len(shape) != rank or 0 in shape:
            raise BadFile(f"tensor {self.called}{name} has the shape {list(shape)}, expected {rank} dimensions")
        return shape

    def take(self, name, shape):
        if not self.has(name):
            raise BadFile(f"the network has no tensor {self.called}{name}")
        tensor = self.checkpoint.tensors[self.prefix + name]
        if tuple(tensor.shape) != tuple(shape):
            # A single number comes as [] and as [1].
            if not (math.prod(tensor.shape) == math.prod(shape) == 1 and len(tensor.shape) <= 1 and len(shape) <= 1):
                raise BadFile(f"tensor {self.called}{name} has the shape {list(tensor.shape)}, expected {list(shape)}")
        self.left.discard(name)
        return tensor.array(self.prefix + name).reshape(shape)

    def take_filters(self, ending, factor):
        """Resample filters are constants that every network has; another filter is another network."""
        for name in sorted(name for name in self.left if name.endswith(ending)):
            values = self.checkpoint.tensors[self.prefix + name].array(name)
            if values.shape != (4, 4) or np.abs(values / factor - FILTER).max() > 1e-6:
                raise BadFile(
                    f"{self.called}{shown(name)} is another filter than [1,3,3,1]; such networks are not supported")
            self.left.discard(name)


def resolution_of(blocks):
    """The image size of a network that has blocks of these sizes."""
    size = max(blocks, default=4)
    expected, r = set(), 4
    while r <= size and r <= 4096:
        expected.add(r)
        r *= 2
    if set(blocks) != expected:
        raise BadFile(f"the network has blocks of the sizes {sorted(blocks)[:12]}, expected 4, 8, 16 and so on")
    return size


def channel_law(widths, said):
    """channel_base and channel_max with widths[r] = min(channel_base // r, channel_max) at every resolution."""
    size, maximum = max(widths), max(widths.values())
    if said is not None and all(width == min(said[0] // r, said[1]) for r, width in widths.items()):
        return said
    lowest = max(width * r for r, width in widths.items())
    highest = min(((width + 1) * r - 1 for r, width in widths.items() if width < maximum), default=lowest)
    if lowest > highest or lowest < size:
        raise BadFile(f"the widths of the network ({', '.join(str(widths[r]) for r in sorted(widths))}) do not follow "
                      "min(channel_base / resolution, channel_max), which generator files need")
    return lowest, maximum


def agreed(values, what):
    """The one value among those that were said, or NOT_SAID."""
    values = [value for value in values if value is not NOT_SAID]
    if any(value != values[0] for value in values):
        raise BadFile(f"the layers of the network disagree about {what}")
    return values[0] if values else NOT_SAID


def number_or_none(value, what):
    if value is None:
        return None
    if type(value) not in (int, float) or not math.isfinite(value) or value <= 0:
        raise BadFile(f"the file states a {what} that is no positive number")
    return float(value)


def decided(said, option, what, flag):
    """What the file says, or the option where it says nothing; both must not differ."""
    if said is NOT_SAID:
        return option
    if option is not NOT_SAID and option != said:
        shown_said = "none" if said is None else said
        raise BadFile(f"the file says that its {what} is {shown_said}, which contradicts {flag}")
    return said


def mapping_rate(checkpoint, weights, layers, said, option):
    """The learning-rate multiplier of the mapping network. It is 0.01 in every known training script; weights start
    with a standard deviation of one over it, and stay near."""
    rate = decided(said, option, "mapping learning-rate multiplier", "--mapping-lr-multiplier")
    if rate is not NOT_SAID:
        return rate
    for i in range(layers):
        spread = float(np.sqrt(np.mean(np.square(weights[f"mapping.fc{i}.weight"], dtype=np.float64)))) * 0.01
        if not 0.1 <= spread <= 10:
            raise BadFile("the weights of the mapping network do not look like those of a learning-rate multiplier of "
                          "0.01; say with --mapping-lr-multiplier what it was trained with")
    return 0.01


def stored_config(checkpoint):
    """The config of a generator file of Faultline, or {}."""
    if checkpoint.metadata.get("format") != FORMAT:
        return {}
    try:
        config = json.loads(checkpoint.metadata.get("config", ""))
    except (ValueError, RecursionError):
        config = None
    if type(config) is not dict:
        raise BadFile("the file's config is no JSON object")
    return config


class Statements:
    """What the modules of a network say about it, from the layer outwards; or a stored config."""
    def __init__(self, checkpoint, root):
        self.checkpoint, self.root = checkpoint, root
        self.config = stored_config(checkpoint)

    def at(self, path):
        return ".".join(part for part in (self.root, path) if part)

    def said(self, path, key):
        return self.checkpoint.said(self.at(path), key)

    def option(self, group, key):
        """An option of the whole network: nested in a group of options, or flat."""
        nested = self.said("", group)
        if nested is not NOT_SAID and key in (items_of(nested) or {}):
            return items_of(nested)[key]
        return self.said("", key)

    def first(self, places, group, key):
        for place in places:
            if (value := self.said(place, key)) is not NOT_SAID:
                return value
        return self.option(group, key)

    def clamp(self, layers):
        if "conv_clamp" in self.config:
            return number_or_none(self.config["conv_clamp"], "conv_clamp")
        values = [
            self.first((f"synthesis.{name}", f"synthesis.b{r}", "synthesis"), "synthesis_kwargs", "conv_clamp")
            for name, r, *_ in layers
        ]
        if any(value is NOT_SAID for value in values) and any(value is not NOT_SAID for value in values):
            raise BadFile("only some layers of the network state a conv_clamp")
        value = agreed(values, "conv_clamp")
        return value if value is NOT_SAID else number_or_none(value, "conv_clamp")

    def rate(self, layers):
        if "mapping_lr_multiplier" in self.config:
            value = self.config["mapping_lr_multiplier"]
        else:
            value = agreed(
                [self.first((f"mapping.fc{i}", "mapping"), "mapping_kwargs", "lr_multiplier") for i in range(layers)],
                "the learning-rate multiplier of the mapping")
        if value is NOT_SAID:
            return value
        value = number_or_none(value, "mapping learning-rate multiplier")
        if value is None or value > 100:
            raise BadFile("the file states a mapping learning-rate multiplier beyond (0, 100]")
        return value

    def channels(self):
        values = [self.config.get(key, NOT_SAID) for key in ("channel_base", "channel_max")]
        if NOT_SAID in values:
            values = [self.first(("synthesis",), "synthesis_kwargs", key) for key in ("channel_base", "channel_max")]
        return tuple(values) if all(type(value) is int and value > 0 for value in values) else None

    def check(self, layers, mapping_layers):
        """Refuses what a generator file cannot say."""
        for i in range(mapping_layers):
            activation = self.first((f"mapping.fc{i}", "mapping"), "mapping_kwargs", "activation")
            if activation not in (NOT_SAID, "lrelu"):
                raise BadFile("the mapping network has an activation other than lrelu")
        for name, r, kind, *_ in layers:
            activation = self.said(f"synthesis.{name}", "activation")
            if kind != "rgb" and activation not in (NOT_SAID, "lrelu"):
                raise BadFile("the synthesis network has an activation other than lrelu")
            architecture = self.first((f"synthesis.b{r}", "synthesis"), "synthesis_kwargs", "architecture")
            if architecture not in (NOT_SAID, "skip"):
                raise BadFile("the synthesis network has an architecture other than 'skip', which is not supported")


def read_ada(checkpoint, prefix, options):
    reader = Reader(checkpoint, prefix)
    widths = {}
    for name in reader.left:
        if match := re.fullmatch(r"synthesis\.b(\d{1,6})\.(conv[01]|torgb|skip)\.weight", name):
            widths[int(match[1])] = 0
            if match[2] == "skip":
                raise BadFile("the synthesis network has the architecture 'resnet', which is not supported")
    size = resolution_of(widths)
    for r in widths:
        widths[r] = reader.shape(f"synthesis.b{r}.conv1.weight", 4)[0]
        if not reader.has(f"synthesis.b{r}.torgb.weight"):
            raise BadFile(
                "the synthesis network has no ToRGB layer in every block: the architecture 'orig' or 'resnet', "
                "which is not supported")
    w_dim = reader.shape("synthesis.b4.conv1.affine.weight", 2)[1]
    depth = 0
    while reader.has(f"mapping.fc{depth}.weight"):
        depth += 1
    if depth == 0:
        raise BadFile("the file has a synthesis network without its mapping network")
    c_dim = reader.shape("mapping.embed.weight", 2)[1] if reader.has("mapping.embed.weight") else 0
    if c_dim > 0 and reader.shape("mapping.embed.weight", 2)[0] != w_dim:
        raise BadFile("the class embedding has another width than w, which generator files cannot say")
    if any(reader.shape(f"mapping.fc{i}.weight", 2)[0] != w_dim for i in range(depth)):
        raise BadFile("a layer of the mapping network has another width than w, which generator files cannot say")
    z_dim = reader.shape("mapping.fc0.weight", 2)[1] - (w_dim if c_dim > 0 else 0)
    if z_dim < 0 or z_dim + c_dim == 0:
        raise BadFile("the first layer of the mapping network does not fit the class embedding")

    statements = Statements(checkpoint, prefix.rstrip("."))
    base, maximum = channel_law(widths, statements.channels())
    config = {
        "z_dim": z_dim, "w_dim": w_dim, "c_dim": c_dim, "img_resolution": size,
        "img_channels": reader.shape("synthesis.b4.torgb.weight", 4)
                        [0], "channel_base": base, "channel_max": maximum, "mapping_layers": depth
    }
    layers, notes = list(network.layers(config)), []
    statements.check(layers, depth)
    weights = {}
    for name, shape in network.shapes(config).items():
        if name == "mapping.w_avg" and not reader.has(name):
            continue
        layer, _, last = name.rpartition(".")
        if last in ("noise_strength", "noise_const") and not any(
                reader.has(f"{layer}.{part}") for part in ("noise_strength", "noise_const")):
            weights[name] = np.zeros(shape, np.float32)  # trained without noise, which is noise of strength 0
            continue
        weights[name] = reader.take(name, shape)
    reader.take_filters(".resample_filter", 1)
    if prefix == "":  # a flat file may hold other things beside the generator
        left = sorted(name for name in reader.left if name.startswith(("synthesis.", "mapping.")))
    else:
        left = sorted(reader.left)
    if left:
        raise BadFile(f"the network has a tensor {shown(prefix + left[0])} that a StyleGAN2 generator has no place for")
    config["mapping_lr_multiplier"] = mapping_rate(checkpoint, weights, depth, statements.rate(depth),
                                                   options.mapping_lr_multiplier)
    config["conv_clamp"] = decided(statements.clamp(layers), options.conv_clamp, "conv_clamp", "--conv-clamp")
    return config, weights, statements.config, notes


def rosinality_names(size):
    """Name of a generator file -> (name in the checkpoint, shape there as a function of the shape here)."""
    names = {"synthesis.b4.const": ("input.input", lambda s: (1, *s))}

    def layer(ours, theirs, noise):
        names[f"synthesis.{ours}.weight"] = (f"{theirs}.conv.weight", lambda s: (1, *s))
        for part in ("weight", "bias"):
            names[f"synthesis.{ours}.affine.{part}"] = (f"{theirs}.conv.modulation.{part}", lambda s: s)
        if noise is None:
            names[f"synthesis.{ours}.bias"] = (f"{theirs}.bias", lambda s: (1, *s, 1, 1))
        else:
            names[f"synthesis.{ours}.bias"] = (f"{theirs}.activate.bias", lambda s: s)
            names[f"synthesis.{ours}.noise_strength"] = (f"{theirs}.noise.weight", lambda s: (1,))
            names[f"synthesis.{ours}.noise_const"] = (f"noises.noise_{noise}", lambda s: (1, 1, *s))

    layer("b4.conv1", "conv1", 0)
    layer("b4.torgb", "to_rgb1", None)
    j, r = 0, 8
    while r <= size:
        layer(f"b{r}.conv0", f"convs.{2 * j}", 2 * j + 1)
        layer(f"b{r}.conv1", f"convs.{2 * j + 1}", 2 * j + 2)
        layer(f"b{r}.torgb", f"to_rgbs.{j}", None)
        j, r = j + 1, 2 * r
    return names


def read_rosinality(checkpoint, prefix, options):
    """rosinality's stylegan2-pytorch. What is relied on, beyond the names (see the head of this file):
    - style.0 normalizes and has no tensors, style.{i+1} is mapping layer i;
    - the weight is scaled by 1/sqrt(I k²) before demodulation, so the 1e-8 under its root counts I k² times as much as
      in a generator file: a relative difference of about 1e-8 for styles of usual size. Without demodulation (ToRGB)
      the factor is 1/sqrt(I), the same as here;
    - the blur behind the transposed convolution has its gain of 4 in the stored kernel and pads (1, 1), the upsampling
      of images pads (2, 1): as here;
    - noise is added before bias and activation; nothing is clamped; there are no classes."""
    reader = Reader(checkpoint, prefix)
    convs = sum(1 for name in reader.left if re.fullmatch(r"convs\.\d+\.conv\.weight", name))
    if convs % 2 != 0 or convs > 20:
        raise BadFile(f"the network has {convs} layers in convs, expected two for each resolution")
    size = 4 << (convs // 2)
    widths = {4: reader.shape("conv1.conv.weight", 5)[1]}
    for j in range(convs // 2):
        widths[8 << j] = reader.shape(f"convs.{2 * j + 1}.conv.weight", 5)[1]
    depth = 0
    while reader.has(f"style.{depth + 1}.weight"):
        depth += 1
    if depth == 0:
        raise BadFile("the network has no mapping layers (style.1.weight and on)")
    w_dim = reader.shape("conv1.conv.modulation.weight", 2)[1]
    if any(reader.shape(f"style.{i + 1}.weight", 2)[0] != w_dim for i in range(depth)):
        raise BadFile("a layer of the mapping network has another width than w, which generator files cannot say")
    base, maximum = channel_law(widths, None)
    config = {
        "z_dim": reader.shape("style.1.weight", 2)[1], "w_dim": w_dim, "c_dim": 0, "img_resolution": size,
        "img_channels": reader.shape("to_rgb1.conv.weight", 5)
                        [1], "channel_base": base, "channel_max": maximum, "mapping_layers": depth
    }
    names = rosinality_names(size)
    for i in range(depth):
        for part in ("weight", "bias"):
            names[f"mapping.fc{i}.{part}"] = (f"style.{i + 1}.{part}", lambda s: s)
    weights = {}
    for name, shape in network.shapes(config).items():
        if name != "mapping.w_avg":
            theirs, theirs_shape = names[name]
            weights[name] = reader.take(theirs, theirs_shape(shape)).reshape(shape)
    if "latent_avg" in checkpoint.tensors:  # beside the networks, in files that were converted from TensorFlow
        average = checkpoint.tensors["latent_avg"]
        if math.prod(average.shape) != w_dim:
            raise BadFile("latent_avg has another width than w")
        weights["mapping.w_avg"] = average.array("latent_avg").reshape(w_dim)
        reader.left.discard("latent_avg")
    reader.take_filters(".kernel", 4)  # (all of them upsample)
    if prefix != "" and reader.left:
        raise BadFile(
            f"the network has a tensor {shown(prefix + sorted(reader.left)[0])} that a StyleGAN2 generator has "
            "no place for")
    config["mapping_lr_multiplier"] = mapping_rate(checkpoint, weights, depth, NOT_SAID, options.mapping_lr_multiplier)
    config["conv_clamp"] = decided(None, options.conv_clamp, "conv_clamp", "--conv-clamp")
    return config, weights, {}, []


def read(checkpoint, options):
    """The generator of a checkpoint as a `Generator`. `options`: network, class_names, conv_clamp,
    mapping_lr_multiplier and value_range, each NOT_SAID or None where it is not given."""
    name, layout, prefix = choose(checkpoint, options.network)
    config, weights, stored, notes = (read_ada if layout == "ada" else read_rosinality)(checkpoint, prefix, options)
    for key, highest in (("img_resolution", 4096), ("img_channels", 1024), ("channel_base", 1 << 24),
                         ("channel_max", 1 << 14), ("c_dim", 1 << 20), ("mapping_layers",
                                                                        64), ("z_dim", 1 << 16), ("w_dim", 1 << 16)):
        if config[key] > highest:
            raise BadFile(f"{key} is {config[key]}, the library takes at most {highest}")
    stored_names = stored.get("class_names", [])
    config["class_names"] = stored_names if options.class_names is None else options.class_names
    if type(config["class_names"]) is not list or any(type(text) is not str for text in config["class_names"]):
        raise BadFile("the file's class_names are no list of texts")
    if config["class_names"] and len(config["class_names"]) != config["c_dim"]:
        raise BadFile(
            f"{len(config['class_names'])} class names were given, the generator has {config['c_dim']} classes")
    stored_range = stored.get("value_range", NOT_SAID)
    if stored_range is not NOT_SAID:
        if type(stored_range) is not list or len(stored_range) != 2 or not all(
                type(end) in (int, float) and math.isfinite(end) for end in stored_range) \
                or stored_range[0] >= stored_range[1]:
            raise BadFile("the file's value_range is not two increasing numbers")
        stored_range = [float(end) for end in stored_range]
    value_range = decided(stored_range, options.value_range, "value range", "--value-range")
    config["value_range"] = [-1.0, 1.0] if value_range is NOT_SAID else value_range
    clamp_is_known = config["conv_clamp"] is not NOT_SAID
    if not clamp_is_known:
        config["conv_clamp"] = USUAL_CLAMP
    if "mapping.w_avg" not in weights:
        weights["mapping.w_avg"] = network.mean_w(config, weights)
        notes.append("w_avg is the mean of 16384 latents, the file has none")
    return Generator(config, weights, name, layout, notes, clamp_is_known)
