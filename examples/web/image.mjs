// From a file to pixels as `cm` reads them: turned as the camera noted, transparent pixels over
// white, without color profiles.

import { applyOrientation, exifOrientation } from './orientation.mjs';
import { decodePng, isPng } from './png.mjs';
import { Problem } from './problem.mjs';

/** As many as the program takes. */
const MOST_PIXELS = 100_000_000;
const WHITE = 255;

export async function readImage(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes.length === 0) throw new Problem('This file is empty.');
  if (isPng(bytes)) {
    const png = await decodePng(bytes, MOST_PIXELS);
    return applyOrientation(overWhite(png), exifOrientation(png.exif));
  }
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && !jpegIsWhole(bytes)) {
    throw new Problem('This JPEG is not whole: it was cut short. Copy it again.');
  }
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, {
      premultiplyAlpha: 'none',
      colorSpaceConversion: 'none',
      imageOrientation: 'from-image',
    });
  } catch {
    throw new Problem(`The browser cannot decode this file. ${hint(bytes)}`);
  }
  try {
    return draw(bitmap, bitmap.width, bitmap.height);
  } finally {
    bitmap.close();
  }
}

/** Pixels of what a canvas can draw: a decoded image, or a frame of a video. */
export function draw(source, width, height) {
  if (width * height > MOST_PIXELS) {
    throw new Problem(`This image of ${width} × ${height} pixels is too large.`);
  }
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const pixels = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < pixels.length; from += 4, to += 3) {
    pixels[to] = data[from];
    pixels[to + 1] = data[from + 1];
    pixels[to + 2] = data[from + 2];
  }
  return { width, height, channels: 3, pixels };
}

function overWhite({ width, height, channels, samples }) {
  if (channels % 2 === 1) return { width, height, channels, pixels: samples };
  const colors = channels - 1;
  const pixels = new Uint8Array(width * height * colors);
  for (let from = 0, to = 0; to < pixels.length; from += channels, to += colors) {
    const opacity = samples[from + colors];
    const background = WHITE * (255 - opacity);
    for (let c = 0; c < colors; c += 1) {
      pixels[to + c] = (samples[from + c] * opacity + background + 127) / 255;
    }
  }
  return { width, height, channels: colors, pixels };
}

/** Whether a JPEG has its end marker: browsers fill what is missing with gray. */
function jpegIsWhole(bytes) {
  for (let at = 2; ; ) {
    const next = bytes.indexOf(0xff, at);
    if (next < 0 || next + 1 >= bytes.length) return false;
    at = next + 1;
    const kind = bytes[at];
    if (kind === 0xd9) return true;
    if (kind === 0xff) continue;
    const alone = kind <= 0x01 || (kind >= 0xd0 && kind <= 0xd8);
    // Other segments have a length; pictures inside of notes have end markers of their own.
    at += alone ? 1 : 1 + ((bytes[at + 1] << 8) | bytes[at + 2]);
  }
}

function hint(bytes) {
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 64)).trimStart();
  if (/^(II\*\0|MM\0\*)/.test(start)) return 'It is a TIFF: save it as PNG first.';
  if (/^P[1-7]\s/.test(start)) return 'It is a PPM or PGM: save it as PNG first.';
  if (/^(<!doctype html|<html|<head)/i.test(start)) return 'It is a web page, not an image.';
  if (start.startsWith('version https://git-lfs')) return 'It is a pointer of Git LFS.';
  return 'Choose a PNG, JPEG, WebP or BMP that is whole.';
}
