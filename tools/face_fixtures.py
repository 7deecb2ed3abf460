"""Small files of faces for the tests of cm-data, as MXNet and insightface write them, without MXNet.

Run, with any environment that has NumPy and Pillow:

    python tools/face_fixtures.py crates/cm-data/tests/data/faces

Records are written after the description in dmlc-core's `recordio.h` and `mxnet/recordio.py`: a magic number, a word with the kind of
the part in its three upper bits and the length in the others, the part, and zeros up to a multiple of four. A record that has the
magic number at a multiple of four is divided there, and the number left out.
"""

import io
import os
import pickle
import struct
import sys

import numpy
from PIL import Image

MAGIC = struct.pack("<I", 0xCED7230A)
COLORS = [(200, 30, 40), (40, 190, 60), (30, 60, 210)]


def part(kind, data):
    return MAGIC + struct.pack("<I", kind << 29 | len(data)) + data + bytes(-len(data) % 4)


def record(data):
    parts, start = [], 0
    for at in range(0, len(data) - 3, 4):
        if data[at : at + 4] == MAGIC:
            parts.append(data[start:at])
            start = at + 4
    parts.append(data[start:])
    if len(parts) == 1:
        return part(0, data)
    kinds = [1] + [2] * (len(parts) - 2) + [3]
    return b"".join(part(kind, data) for kind, data in zip(kinds, parts))


def packed(labels, number, data=b""):
    """As `mxnet.recordio.pack`: one label in the header, or several behind it."""
    if isinstance(labels, (int, float)):
        return struct.pack("<IfQQ", 0, labels, number, 0) + data
    return struct.pack("<IfQQ", len(labels), 0, number, 0) + struct.pack(f"<{len(labels)}f", *labels) + data


def picture(identity, number, form="JPEG", comment=None):
    """A face of one color, a little darker from picture to picture."""
    color = tuple(max(channel - 8 * number, 0) for channel in COLORS[identity])
    image = Image.new("RGB", (16, 16), color)
    stream = io.BytesIO()
    image.save(stream, form, **({"quality": 95, "subsampling": 0} if form == "JPEG" else {}))
    data = stream.getvalue()
    if comment is not None:
        data = data[:2] + b"\xff\xfe" + struct.pack(">H", 2 + len(comment)) + comment + data[2:]
    return data


def write(folder, name, records, leave_out=()):
    """The records, and an index of them by their own numbers."""
    at, index = 0, []
    with open(os.path.join(folder, f"{name}.rec"), "wb") as file:
        for data in records:
            (number,) = struct.unpack_from("<Q", data, 8)
            if number not in leave_out:
                index.append(f"{number}\t{at}\n")
            at += file.write(record(data))
    with open(os.path.join(folder, f"{name}.idx"), "w") as file:
        file.writelines(index)


def main(folder):
    os.makedirs(folder, exist_ok=True)
    # As insightface packs faces: the images of an identity after each other, then a record for each identity with the numbers of
    # its images. After the two bytes of JPEG's beginning and four of the comment's the magic number is at a multiple of four,
    # twice in a row, and once where nothing is divided.
    divided = b"ab" + MAGIC + MAGIC + b"x" + MAGIC
    images, ranges = [], []
    for identity, count in enumerate((2, 3, 2)):
        start = 1 + len(images)
        for number in range(count):
            comment = divided if (identity, number) == (1, 1) else None
            images.append(packed(float(identity), 1 + len(images), picture(identity, number, comment=comment)))
        ranges.append((float(start), float(1 + len(images))))
    first = packed((1.0 + len(images), 1.0 + len(images) + len(ranges)), 0)
    identities = [packed(numbers, 1 + len(images) + i) for i, numbers in enumerate(ranges)]
    write(folder, "identities", [first, *images, *identities])
    write(folder, "without-first", [first, *images, *identities], leave_out={0})
    write(folder, "cut-index", [first, *images, *identities], leave_out=range(6, 11))
    # face2rec2.py writes the first record after the images, and dataset_merge.py after everything.
    write(folder, "after-images", [*images, first, *identities])
    write(folder, "at-the-end", [*images, *identities, first])
    # As im2rec packs any images, with one label or several.
    plain = [packed(7.0, 0, picture(0, 0, "PNG")), packed((9.0, 0.25, -1.0), 1, picture(2, 1, "PNG"))]
    write(folder, "plain", [*plain, packed(7.0, 2, picture(0, 2))])
    write(folder, "fraction", [packed(7.5, 0, picture(0, 0)), packed(1.0, 1, picture(1, 0))])
    write(folder, "no-image", [packed(0.0, 0, picture(0, 0)), packed(1.0, 1, b"this is no image")])
    sets(folder)


class Python2(pickle._Pickler):
    """Bytes as the strings of Python 2, which `cPickle` writes so."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_string(self, data):
        if self.bin:
            short = len(data) < 256
            self.write((b"U" + struct.pack("<B", len(data)) if short else b"T" + struct.pack("<i", len(data))) + data)
        else:
            # repr of Python 2
            text = "".join(chr(b) if 32 <= b < 127 and chr(b) not in "'\\" else f"\\x{b:02x}" for b in data)
            self.write(b"S'" + text.encode() + b"'\n")
        self.memoize(data)

    dispatch[bytes] = save_string


def sets(folder):
    """Verification sets: the same four pairs as every version of Python and NumPy pickles them."""
    faces = [(0, 0), (0, 1), (1, 0), (1, 2), (0, 0), (2, 1), (1, 1), (2, 0)]
    images = [picture(*face) for face in faces]
    same = [True, True, False, False]

    def dump(name, value, protocol, pickler=pickle.Pickler):
        with open(os.path.join(folder, f"{name}.bin"), "wb") as file:
            pickler(file, protocol).dump(value)

    for protocol in (0, 1, 2):
        dump(f"python2-{protocol}", (images, same), protocol, Python2)
    for protocol in range(6):
        dump(f"python3-{protocol}", (images, same), protocol)
    arrays = [numpy.frombuffer(image, numpy.uint8) for image in images]
    for protocol in (2, 4, 5):
        dump(f"arrays-{protocol}", [arrays, numpy.array(same)], protocol)
    dump("arrays-of-numbers", (arrays, numpy.array(same, dtype=">i4")), 2)
    dump("bytearrays", (tuple(bytearray(image) for image in images), [numpy.bool_(value) for value in same]), 4)
    dump("one-image-short", (images[:-1], same), 2)
    dump("no-pairs", ([], []), 2)
    dump("swapped", (same, images), 2)
    dump("a-dictionary", {"images": images}, 2)
    dump("pixels", ([numpy.zeros((2, 2), numpy.uint8)] * 8, same), 2)
    dump("one-list", [images], 2)

    class Evil:
        def __reduce__(self):
            return os.system, ("true",)

    dump("evil", ([Evil()] * 8, same), 2)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
