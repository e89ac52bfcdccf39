# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The generator's forward pass in float64, slow and short: what the probe of an imported file is made with.

Formulas: Karras et al. 2020 (1912.04958) and 2020b (2006.06676). Nothing here is written for speed.
"""

import numpy as np

EPSILON = 1e-8
SLOPE, GAIN = 0.2, np.sqrt(2.0)
PROBE_SEED = 0


def resolutions(config):
    r = 4
    while r <= config["img_resolution"]:
        yield r
        r *= 2


def channels(config, r):
    return min(config["channel_base"] // r, config["channel_max"])


def layers(config):
    """Modulated layers in StyleSpace order: name, resolution, kind, slot of w, channels in and out."""
    slot = 0
    for r in resolutions(config):
        width = channels(config, r)
        if r > 4:
            yield f"b{r}.conv0", r, "up", slot, channels(config, r // 2), width
            slot += 1
        yield f"b{r}.conv1", r, "conv", slot, width, width
        slot += 1
        yield f"b{r}.torgb", r, "rgb", slot, width, config["img_channels"]


def shapes(config):
    """Every tensor of a generator file, resample filters and probe left out."""
    result, w_dim, width = {}, config["w_dim"], config["z_dim"]
    if config["c_dim"] > 0:
        result["mapping.embed.weight"] = (w_dim, config["c_dim"])
        result["mapping.embed.bias"] = (w_dim,)
        width += w_dim
    for i in range(config["mapping_layers"]):
        result[f"mapping.fc{i}.weight"] = (w_dim, width)
        result[f"mapping.fc{i}.bias"] = (w_dim,)
        width = w_dim
    result["mapping.w_avg"] = (w_dim,)
    result["synthesis.b4.const"] = (channels(config, 4), 4, 4)
    for name, r, kind, _, inputs, outputs in layers(config):
        kernel = 1 if kind == "rgb" else 3
        result[f"synthesis.{name}.weight"] = (outputs, inputs, kernel, kernel)
        result[f"synthesis.{name}.bias"] = (outputs,)
        if kind != "rgb":
            result[f"synthesis.{name}.noise_strength"] = ()
            result[f"synthesis.{name}.noise_const"] = (r, r)
        result[f"synthesis.{name}.affine.weight"] = (inputs, w_dim)
        result[f"synthesis.{name}.affine.bias"] = (inputs,)
    return result


def normalized(x):
    """Divided by the root of the mean square, per row."""
    return x / np.sqrt(np.mean(x * x, axis=1, keepdims=True) + EPSILON)


def activated(x):
    return np.where(x > 0, x, SLOPE * x) * GAIN


def mapping(config, weights, z, labels):
    """w [N, w_dim] of latents z [N, z_dim] and class indices; no truncation."""
    parts = []
    if config["z_dim"] > 0:
        parts.append(normalized(np.asarray(z, np.float64)))
    if config["c_dim"] > 0:
        one_hot = np.eye(config["c_dim"])[labels]
        embedded = one_hot @ weights["mapping.embed.weight"].T.astype(np.float64) / np.sqrt(config["c_dim"])
        parts.append(normalized(embedded + weights["mapping.embed.bias"]))
    h, rate = np.concatenate(parts, axis=1), config["mapping_lr_multiplier"]
    for i in range(config["mapping_layers"]):
        weight = weights[f"mapping.fc{i}.weight"].astype(np.float64)
        h = activated(h @ weight.T * (rate / np.sqrt(weight.shape[1])) + weights[f"mapping.fc{i}.bias"] * rate)
    return h


def tap(weight, a, b):
    """One tap of all kernels [O, I], contiguous, without which numpy multiplies without its linear-algebra library."""
    return np.ascontiguousarray(weight[:, :, a, b])


def correlated(x, weight):
    """Cross-correlation [I, n, n] -> [O, n, n], zeros outside."""
    k, n = weight.shape[2], x.shape[1]
    padded = np.pad(x, ((0, 0), (k // 2, k // 2), (k // 2, k // 2)))
    out = np.zeros((weight.shape[0], n * n))
    for a in range(k):
        for b in range(k):
            out += tap(weight, a, b) @ padded[:, a:a + n, b:b + n].reshape(x.shape[0], -1)
    return out.reshape(-1, n, n)


def upsampled_convolution(x, weight):
    """Transposed convolution of stride 2, n -> 2n + 1, with the kernel as it is stored (t[2i + a] += x[i] W[a]), then
    the filter [1,3,3,1] with gain 4 and one zero around: 2n."""
    n = x.shape[1]
    t = np.zeros((weight.shape[0], 2 * n + 1, 2 * n + 1))
    flat = x.reshape(x.shape[0], -1)
    for a in range(3):
        for b in range(3):
            t[:, a:a + 2 * n:2, b:b + 2 * n:2] += (tap(weight, a, b) @ flat).reshape(-1, n, n)
    return filtered(np.pad(t, ((0, 0), (1, 1), (1, 1))))


def filtered(x):
    """[1,3,3,1] / 4 along both axes ('valid'): a filter of sum 1, times 2 per axis for upsampling."""
    for axis in (1, 2):
        n = x.shape[axis] - 3
        cut = lambda i: x[:, i:i + n] if axis == 1 else x[:, :, i:i + n]
        x = (cut(0) + 3 * cut(1) + 3 * cut(2) + cut(3)) / 4
    return x


def upsampled(image):
    """Twice the size: a zero behind every pixel, two zeros before and one after, then the filter."""
    c, n, _ = image.shape
    spread = np.zeros((c, 2 * n + 3, 2 * n + 3))
    spread[:, 2:2 + 2 * n:2, 2:2 + 2 * n:2] = image
    return filtered(spread)


def synthesis(config, weights, w, sizes=None):
    """The image [C, R, R] of one w [w_dim], with constant noise. `sizes`, a list, gets the largest absolute value of
    every layer as it is before the clamp."""
    get = lambda name: weights["synthesis." + name].astype(np.float64)
    limit = config["conv_clamp"]

    def clamped(x):
        if sizes is not None:
            sizes.append(np.abs(x).max())
        return x if limit is None else np.clip(x, -limit, limit)

    x, image = get("b4.const"), None
    for name, r, kind, _, inputs, _ in layers(config):
        style = get(name + ".affine.weight") @ w / np.sqrt(config["w_dim"]) + get(name + ".affine.bias")
        weight, bias = get(name + ".weight"), get(name + ".bias")[:, None, None]
        if kind == "rgb":
            rgb = clamped(correlated(x * (style / np.sqrt(inputs))[:, None, None], weight) + bias)
            image = rgb if image is None else upsampled(image) + rgb
            continue
        demodulation = 1 / np.sqrt((weight * weight).sum(axis=(2, 3)) @ (style * style) + EPSILON)
        x = (upsampled_convolution if kind == "up" else correlated)(x * style[:, None, None], weight)
        x = x * demodulation[:, None, None] + get(name + ".noise_strength") * get(name + ".noise_const")
        x = clamped(activated(x + bias))
    return image


def normals(seed, index, count):
    """Standard normals of sample `index`: Philox4x32-10 by (seed, stream 0, index), two Box-Muller pairs per block, as
    the library draws its latents."""
    blocks = (count + 3) // 4
    mask, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    c = [
        np.full(blocks, index & 0xFFFFFFFF, np.uint64),
        np.full(blocks, index >> 32, np.uint64),
        np.arange(blocks, dtype=np.uint64),
        np.zeros(blocks, np.uint64)
    ]
    k = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> half) ^ c[1] ^ np.uint64(k[0]), p1 & mask, (p0 >> half) ^ c[3] ^ np.uint64(k[1]), p0 & mask]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    u = [((word >> np.uint64(8)).astype(np.float64) + 0.5) * 2.0**-24 for word in c]
    out = np.empty((blocks, 4))
    for i in (0, 2):
        radius, angle = np.sqrt(-2.0 * np.log(u[i])), 2.0 * np.pi * u[i + 1]
        out[:, i], out[:, i + 1] = radius * np.cos(angle), radius * np.sin(angle)
    return out.reshape(-1)[:count].astype(np.float32)


def probe(config, weights, sizes=None):
    """probe.z, probe.labels (with classes) and probe.image: four samples, two of large images. `sizes` as for
    `synthesis`."""
    count = 4 if config["img_resolution"] <= 128 else 2
    z = np.stack([normals(PROBE_SEED, i, config["z_dim"]) for i in range(count)])
    result = {"probe.z": z}
    labels = np.arange(count, dtype=np.int64) % max(config["c_dim"], 1)
    if config["c_dim"] > 0:
        result["probe.labels"] = labels
    w = mapping(config, weights, z, labels)
    result["probe.image"] = np.stack([synthesis(config, weights, row, sizes) for row in w]).astype(np.float32)
    return result


def mean_w(config, weights, count=16384):
    """The mean of w over `count` latents, for checkpoints that do not carry it; classes in turn."""
    total = np.zeros(config["w_dim"])
    for first in range(0, count, 1024):
        z = np.stack([normals(PROBE_SEED, i, config["z_dim"]) for i in range(first, first + 1024)])
        labels = np.arange(first, first + 1024) % max(config["c_dim"], 1)
        total += mapping(config, weights, z, labels).sum(axis=0)
    return (total / count).astype(np.float32)
