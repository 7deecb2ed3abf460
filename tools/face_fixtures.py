"""Small files of faces for the tests of cm-data, as MXNet and insightface write them, without MXNet.

Run, with any environment that has NumPy and Pillow:

    python tools/face_fixtures.py crates/cm-data/tests/data/faces

Records are written after the description in dmlc-core's `recordio.h` and `mxnet/recordio.py`: a magic number, a word with the kind of
the part in its three upper bits and the length in the others, the part, and zeros up to a multiple of four. A record that has the
magic number at a multiple of four is divided there, and the number left out.
"""

import io
import os
import struct
import sys

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
    """The records, and an index of them."""
    at, index = 0, []
    with open(os.path.join(folder, f"{name}.rec"), "wb") as file:
        for number, data in enumerate(records):
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
    # As im2rec packs any images, with one label or several.
    plain = [packed(7.0, 0, picture(0, 0, "PNG")), packed((9.0, 0.25, -1.0), 1, picture(2, 1, "PNG"))]
    write(folder, "plain", [*plain, packed(7.0, 2, picture(0, 2))])
    write(folder, "fraction", [packed(7.5, 0, picture(0, 0)), packed(1.0, 1, picture(1, 0))])
    write(folder, "no-image", [packed(0.0, 0, picture(0, 0)), packed(1.0, 1, b"this is no image")])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
