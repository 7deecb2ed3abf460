"""Small .npy and .npz files for the tests of cm-data, as NumPy writes them.

Run, with any environment that has NumPy:

    python tools/array_fixtures.py crates/cm-data/tests/data/arrays
"""

import os
import sys

import numpy as np

KINDS = ["|b1", "|i1", "|u1", "<i2", ">i2", "<u2", ">i4", "<u4", "<i8", ">u8", "<f2", ">f4", "<f4", ">f8", "<f8"]


def numbers(kind):
    """0 to 23 in two by three by four; negative and broken ones where the type has them."""
    values = np.arange(24, dtype=np.float64).reshape(2, 3, 4)
    if kind[1] == "f":
        values = (values - 12) / 4
    elif kind[1] == "i":
        values = values - 12
    elif kind[1] == "b":
        values = values % 2
    return values.astype(kind)


def main(folder):
    os.makedirs(folder, exist_ok=True)
    path = lambda name: os.path.join(folder, name)
    for kind in KINDS:
        order = {"<": "little", ">": "big", "|": "byte"}[kind[0]]
        name = f"{kind[1:]}-{order}"
        np.save(path(f"{name}-c.npy"), numbers(kind))
        np.save(path(f"{name}-fortran.npy"), np.asfortranarray(numbers(kind)))
    np.save(path("complex.npy"), np.zeros(2, np.complex64))
    np.save(path("text.npy"), np.array(["a", "b"]))
    np.save(path("objects.npy"), np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.save(path("fields.npy"), np.zeros(2, [("a", "<i2"), ("b", "<f4")]))

    noise = np.random.RandomState(0)
    pixels = lambda *shape: noise.randint(0, 256, shape).astype(np.uint8)
    labels = lambda count: (np.arange(count) % 3).astype(np.uint8).reshape(-1, 1)
    sides = {"train": 6, "val": 2, "test": 3}

    def medmnist(name, shape, of_labels=labels, packed=True, **more):
        arrays = {}
        for side, count in sides.items():
            arrays[f"{side}_images"] = pixels(count, *shape)
            arrays[f"{side}_labels"] = of_labels(count)
        arrays.update(more)
        (np.savez_compressed if packed else np.savez)(path(name), **arrays)

    constant = pixels(6, 5, 4)
    constant[1] = 7
    medmnist("gray.npz", (5, 4), train_images=constant)
    medmnist("color.npz", (5, 4, 3), packed=False)
    medmnist("volumes.npz", (8, 5, 4))
    medmnist("multi-label.npz", (5, 4), lambda count: noise.randint(0, 2, (count, 14)).astype(np.uint8))
    medmnist("floats.npz", (5, 4), train_images=np.zeros((6, 5, 4), np.float32))
    medmnist("few-labels.npz", (5, 4), val_labels=labels(1))
    x, y = pixels(4, 5, 4), np.array([0, 1, 2, 1], np.int64)
    np.savez(path("keras.npz"), x_train=x, y_train=y, x_test=x[:2], y_test=y[:2])
    np.savez(path("other.npz"), weights=np.zeros(3))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
