"""Small image files of every kind that cm-data reads or refuses, and the pixels that Pillow finds in them.

The pixels of each file are written to `expected.json` beside the files: width, height, channels, how far a value may be
off (JPEG and lossy WebP are not decoded to the bit), and the values in hexadecimal. What Pillow has no rule for is worked
out here with NumPy from the numbers that the file was made of: 16 bits to 8, and transparent pixels over white.

    python -m venv /tmp/pillow && /tmp/pillow/bin/pip install pillow numpy
    /tmp/pillow/bin/python tools/image_fixtures.py crates/cm-data/tests/data/files
"""

import io
import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

WIDTH, HEIGHT = 18, 10
ORIENTATION, PHOTOMETRIC = 0x0112, 0x0106
EXACT, SMALL, LOSSY = 0, 4, 24

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
expected = {}


def gradient():
    """A smooth picture that looks different from each of its eight sides."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)
    red = 255 * x / (WIDTH - 1)
    green = 255 * y / (HEIGHT - 1)
    blue = 40 + 150 * (x * y) / ((WIDTH - 1) * (HEIGHT - 1))
    return np.stack([red, green, blue], axis=2).round().astype(np.uint8)


def expect(name, pixels, tolerance=EXACT):
    pixels = np.asarray(pixels, dtype=np.uint8)
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    expected[name] = {
        "width": width,
        "height": height,
        "channels": channels,
        "tolerance": tolerance,
        "pixels": pixels.tobytes().hex(),
    }


def as_pillow_reads(name, tolerance=EXACT, mode="RGB"):
    with Image.open(folder / name) as image:
        expect(name, ImageOps.exif_transpose(image).convert(mode), tolerance)


def over_white(color, alpha):
    color, alpha = color.astype(int), alpha.astype(int)
    if color.ndim == 3:
        alpha = alpha[..., None]
    return np.floor((color * alpha + 255 * (255 - alpha)) / 255 + 0.5)


def to_eight_bits(values):
    return np.floor(values.astype(float) * 255 / 65535 + 0.5)


def png(width, height, depth, color, rows, extra_at_end=b""):
    """PNG by hand, for what Pillow does not write."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), chunk(b"IDAT", data)]
    if extra_at_end:
        parts.append(chunk(b"eXIf", extra_at_end))
    return b"".join([*parts, chunk(b"IEND", b"")])


def orientation(value):
    exif = Image.Exif()
    exif[ORIENTATION] = value
    return exif


rgb = gradient()
gray = rgb[..., 0] // 2 + rgb[..., 1] // 2
alpha = (255 * np.mgrid[0:HEIGHT, 0:WIDTH][1] / (WIDTH - 1)).round().astype(np.uint8)
wide_gray = (np.arange(WIDTH * HEIGHT).reshape(HEIGHT, WIDTH) * 364 + 77).astype(np.uint16)
wide_rgb = np.stack([wide_gray, wide_gray[::-1], wide_gray[:, ::-1]], axis=2)
picture, gray_picture = Image.fromarray(rgb), Image.fromarray(gray)
few_colors = picture.quantize(5)

# PNG.
picture.save(folder / "rgb.png")
as_pillow_reads("rgb.png")
gray_picture.save(folder / "gray.png")
as_pillow_reads("gray.png", mode="L")
few_colors.save(folder / "palette.png", bits=4)
as_pillow_reads("palette.png")
gray_picture.convert("1").save(folder / "one-bit.png")
as_pillow_reads("one-bit.png", mode="L")
Image.fromarray(np.dstack([rgb, alpha])).save(folder / "alpha.png")
expect("alpha.png", over_white(rgb, alpha))
Image.merge("LA", [gray_picture, Image.fromarray(alpha)]).save(folder / "gray-alpha.png")
expect("gray-alpha.png", over_white(gray, alpha))
few_colors.save(folder / "palette-alpha.png", transparency=bytes([255, 0, 128, 255, 64]))
with Image.open(folder / "palette-alpha.png") as image:
    rgba = np.asarray(image.convert("RGBA"))
expect("palette-alpha.png", over_white(rgba[..., :3], rgba[..., 3]))
Image.fromarray(wide_gray).save(folder / "gray16.png")
expect("gray16.png", to_eight_bits(wide_gray))
rows = [row.astype(">u2").tobytes() for row in wide_rgb]
(folder / "rgb16.png").write_bytes(png(WIDTH, HEIGHT, 16, 2, rows))
expect("rgb16.png", to_eight_bits(wide_rgb))

# JPEG. Adobe's marker says how four channels are to be read: 0 is CMYK, 2 is YCCK.
picture.save(folder / "rgb.jpg", quality=95, subsampling=0)
as_pillow_reads("rgb.jpg", SMALL)
picture.resize((50, 37)).save(folder / "subsampled.jpg", quality=90, subsampling=2)
as_pillow_reads("subsampled.jpg", LOSSY)
picture.resize((50, 37)).save(folder / "progressive.jpg", quality=90, progressive=True, subsampling=0)
as_pillow_reads("progressive.jpg", SMALL)
gray_picture.save(folder / "gray.jpg", quality=95)
as_pillow_reads("gray.jpg", SMALL, mode="L")
picture.save(folder / "restarts.jpg", quality=95, subsampling=0, restart_marker_blocks=1)
as_pillow_reads("restarts.jpg", SMALL)
cmyk = Image.merge("CMYK", [*picture.split(), Image.fromarray(alpha // 3)])
cmyk.save(folder / "cmyk.jpg", quality=95, subsampling=0)
as_pillow_reads("cmyk.jpg", SMALL)
ycck = bytearray((folder / "cmyk.jpg").read_bytes())
ycck[ycck.index(b"Adobe") + 11] = 2
(folder / "ycck.jpg").write_bytes(ycck)
as_pillow_reads("ycck.jpg", SMALL)

# Orientation, in every format that has it.
for value in range(1, 9):
    picture.save(folder / f"orientation-{value}.jpg", quality=95, subsampling=0, exif=orientation(value))
    as_pillow_reads(f"orientation-{value}.jpg", SMALL)
picture.save(folder / "orientation-6.png", exif=orientation(6))
as_pillow_reads("orientation-6.png")
tags = orientation(8).tobytes().removeprefix(b"Exif\0\0")
rows = [row.tobytes() for row in rgb]
(folder / "orientation-8-at-end.png").write_bytes(png(WIDTH, HEIGHT, 8, 2, rows, tags))
expect("orientation-8-at-end.png", np.rot90(rgb))
picture.save(folder / "orientation-6.webp", lossless=True, exif=orientation(6))
as_pillow_reads("orientation-6.webp")
picture.save(folder / "orientation-6.tif", tiffinfo={ORIENTATION: 6})
as_pillow_reads("orientation-6.tif")

# PPM and PGM, with comments where they may be.
head = f"# made by hand\n{WIDTH} # columns\n# then rows\n{HEIGHT}\n"
(folder / "comments.ppm").write_bytes(f"P6\n{head}255\n".encode() + rgb.tobytes())
expect("comments.ppm", rgb)
(folder / "comments.pgm").write_bytes(f"P5 {head}255\n".encode() + gray.tobytes())
expect("comments.pgm", gray)
text = "\n".join(" ".join(map(str, row)) for row in rgb.reshape(HEIGHT, -1))
(folder / "text.ppm").write_text(f"P3\n{head}255\n{text}\n")
expect("text.ppm", rgb)
(folder / "gray16.pgm").write_bytes(f"P5\n{WIDTH} {HEIGHT}\n65535\n".encode() + wide_gray.astype(">u2").tobytes())
expect("gray16.pgm", to_eight_bits(wide_gray))

(folder / "bits.pbm").write_bytes(b"P4\n# bits\n5 2\n" + bytes([0b10110_000, 0b01001_000]))
expect("bits.pbm", 255 - 255 * np.array([[1, 0, 1, 1, 0], [0, 1, 0, 0, 1]]))

# BMP.
picture.save(folder / "rgb.bmp")
as_pillow_reads("rgb.bmp")
few_colors.save(folder / "palette.bmp")
as_pillow_reads("palette.bmp")

# TIFF.
for compression in ["raw", "tiff_lzw", "tiff_deflate"]:
    name = f"rgb-{compression.removeprefix('tiff_')}.tif"
    picture.save(folder / name, compression=compression)
    as_pillow_reads(name)
Image.fromarray(wide_gray).save(folder / "gray16.tif")
expect("gray16.tif", to_eight_bits(wide_gray))
Image.fromarray(np.dstack([rgb, alpha])).save(folder / "alpha.tif")
expect("alpha.tif", over_white(rgb, alpha))
cmyk.save(folder / "cmyk.tif")
as_pillow_reads("cmyk.tif", 1)
gray_picture.convert("1").save(folder / "one-bit.tif")
as_pillow_reads("one-bit.tif", mode="L")
Image.fromarray(255 - gray).save(folder / "white-is-zero.tif", tiffinfo={PHOTOMETRIC: 0})
as_pillow_reads("white-is-zero.tif", mode="L")
Image.fromarray(gray.astype(np.float32)).save(folder / "float.tif")
few_colors.save(folder / "palette.tif")

# WebP.
picture.save(folder / "lossless.webp", lossless=True)
as_pillow_reads("lossless.webp")
picture.save(folder / "lossy.webp", quality=95)
as_pillow_reads("lossy.webp", LOSSY)
Image.fromarray(np.dstack([rgb, alpha])).save(folder / "alpha.webp", lossless=True, exact=True)
expect("alpha.webp", over_white(rgb, alpha))

# A format that is not read.
picture.save(folder / "rgb.gif")

# Headers of 60,000 x 60,000 pixels.
side = 60_000
(folder / "huge.png").write_bytes(png(side, side, 8, 2, [b"\0" * 100]))
(folder / "huge.ppm").write_bytes(f"P6\n{side} {side}\n255\n".encode())
bmp = bytearray((folder / "rgb.bmp").read_bytes()[:200])
struct.pack_into("<ii", bmp, 18, side, side)
(folder / "huge.bmp").write_bytes(bmp)
jpeg = bytearray((folder / "rgb.jpg").read_bytes())
struct.pack_into(">HH", jpeg, jpeg.index(b"\xff\xc0") + 5, side, side)
(folder / "huge.jpg").write_bytes(jpeg)
stream = io.BytesIO()
picture.save(stream, "TIFF", tiffinfo={})
tiff = bytearray(stream.getvalue())
start = struct.unpack_from("<I", tiff, 4)[0]
for at in range(start + 2, start + 2 + 12 * struct.unpack_from("<H", tiff, start)[0], 12):
    tag = struct.unpack_from("<H", tiff, at)[0]
    if tag in (256, 257, 278):
        struct.pack_into("<HII", tiff, at + 2, 4, 1, side)
(folder / "huge.tif").write_bytes(tiff)
webp = bytearray((folder / "orientation-6.webp").read_bytes())
webp[24:30] = struct.pack("<I", side - 1)[:3] * 2
(folder / "huge.webp").write_bytes(webp)

lines = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in sorted(expected.items())]
(folder / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
