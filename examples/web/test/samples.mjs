// Images of every kind that a PNG can hold, drawn from a seed, and files that are no images.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';

import { PASSES, SIGNATURE } from '../png.mjs';

const [GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA] = [0, 2, 3, 4, 6];
const CHANNELS = { [GRAY]: 1, [RGB]: 3, [PALETTE]: 1, [GRAY_ALPHA]: 2, [RGBA]: 4 };

/** Name, width, height, depth, color, and what is special. */
const KINDS = [
  ['rgb', 61, 47, 8, RGB, {}],
  ['rgb-small', 13, 9, 8, RGB, {}],
  ['rgb-large', 401, 263, 8, RGB, {}],
  ['rgb-tall', 33, 190, 8, RGB, {}],
  ['rgb-one-pixel', 1, 1, 8, RGB, {}],
  ['rgb-interlaced', 75, 50, 8, RGB, { interlaced: true }],
  ['rgb-16', 64, 48, 16, RGB, {}],
  ['rgb-transparent-color', 40, 40, 8, RGB, { trns: true }],
  ['rgba', 90, 70, 8, RGBA, {}],
  ['rgba-16', 52, 44, 16, RGBA, {}],
  ['gray', 70, 80, 8, GRAY, {}],
  ['gray-1', 37, 29, 1, GRAY, {}],
  ['gray-2-interlaced', 21, 30, 2, GRAY, { interlaced: true }],
  ['gray-4', 45, 31, 4, GRAY, {}],
  ['gray-16', 66, 49, 16, GRAY, {}],
  ['gray-alpha', 48, 64, 8, GRAY_ALPHA, {}],
  ['gray-alpha-16', 30, 44, 16, GRAY_ALPHA, {}],
  ['palette-8', 57, 58, 8, PALETTE, {}],
  ['palette-4-transparent', 43, 36, 4, PALETTE, { trns: true }],
  ['rgb-profile', 50, 40, 8, RGB, { gamma: true }],
  ...[2, 3, 4, 5, 6, 7, 8].map((n) => [`rgb-turned-${n}`, 50, 34, 8, RGB, { orientation: n }]),
];

/** Writes them all and gives their paths. */
export function writeSamples(folder) {
  return KINDS.map(([name, ...kind], i) => {
    const path = join(folder, `${name}.png`);
    writeFileSync(path, png(random(i + 1), ...kind));
    return path;
  });
}

/** Files that are refused, with a word that the reason has. */
export function badFiles(png) {
  return [
    ['empty.png', Buffer.alloc(0), 'empty'],
    ['short.png', png.subarray(0, png.length - 40), 'cut short'],
    ['damaged.png', damaged(png), 'damaged'],
    [
      'short.jpg',
      Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xda, 0, 2, 1, 2]),
      'cut',
    ],
    ['page.jpg', Buffer.from('<!DOCTYPE html><html></html>'), 'web page'],
    ['scan.tiff', Buffer.from('II*\0........'), 'TIFF'],
    ['sign.ppm', Buffer.from('P6 1 1 255 abc'), 'PPM'],
    ['notes.txt', Buffer.from('nothing to see'), 'cannot decode'],
  ];
}

/** A JPEG with a note that it was taken with the camera turned by a quarter. */
export function turnedJpeg(jpeg) {
  const exif = Buffer.concat([Buffer.from('Exif\0\0'), exifOf(6)]);
  const length = Buffer.from([0, exif.length + 2]);
  return Buffer.concat([
    jpeg.subarray(0, 2),
    Buffer.from([0xff, 0xe1]),
    length,
    exif,
    jpeg.subarray(2),
  ]);
}

function damaged(png) {
  const copy = Buffer.from(png);
  const start = copy.indexOf('IDAT') + 20;
  copy.fill(0xff, start, start + 40);
  return copy;
}

function png(next, width, height, depth, color, special) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, color, 0, 0, special.interlaced ? 1 : 0], 8);
  const chunks = [chunk('IHDR', header)];
  // A gamma far from the usual one: a decoder that applies it gives other values.
  if (special.gamma) chunks.push(chunk('gAMA', Buffer.from([0, 1, 0x86, 0xa0])));
  if (color === PALETTE) {
    chunks.push(chunk('PLTE', Buffer.from(Array.from({ length: 3 << depth }, () => next(256)))));
    const opacities = Array.from({ length: 1 << (depth - 1) }, () => next(256));
    if (special.trns) chunks.push(chunk('tRNS', Buffer.from(opacities)));
  } else if (special.trns) {
    chunks.push(chunk('tRNS', Buffer.from([0, 255, 0, 255, 0, 255])));
  }
  const values = picture(next, width, height, depth, CHANNELS[color], special.trns);
  const data = deflateSync(packed(next, values, width, height, depth, CHANNELS[color], special));
  // In two parts, which a reader must put together.
  const half = data.length >> 1;
  chunks.push(chunk('IDAT', data.subarray(0, half)), chunk('IDAT', data.subarray(half)));
  if (special.orientation) chunks.push(chunk('eXIf', exifOf(special.orientation)));
  return Buffer.concat([Buffer.from(SIGNATURE), ...chunks, chunk('IEND', Buffer.alloc(0))]);
}

/** Waves and noise, a value to a place; with `white` there are white blocks. */
function picture(next, width, height, depth, channels, white) {
  const largest = 2 ** depth - 1;
  const phases = Array.from({ length: channels }, () => next(628) / 100);
  const values = [];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      for (let channel = 0; channel < channels; channel += 1) {
        const wave = Math.sin(x / 7 + phases[channel]) * Math.cos(y / (5 + channel));
        const share = 0.5 + 0.35 * wave + 0.15 * (next(2001) / 1000 - 1);
        const block = white && ((x >> 3) + (y >> 3)) % 3 === 0;
        values.push(block ? largest : Math.round(share * largest));
      }
    }
  }
  return values;
}

function packed(next, values, width, height, depth, channels, { interlaced }) {
  const lines = [];
  const perPixel = Math.max((depth * channels) >> 3, 1);
  for (const [left, top, stepX, stepY] of interlaced ? PASSES : [[0, 0, 1, 1]]) {
    const columns = Math.max(Math.ceil((width - left) / stepX), 0);
    let above = Buffer.alloc(Math.ceil((columns * channels * depth) / 8));
    for (let y = top; columns > 0 && y < height; y += stepY) {
      const line = Buffer.alloc(above.length);
      for (let i = 0; i < columns * channels; i += 1) {
        const x = left + Math.floor(i / channels) * stepX;
        put(line, i, depth, values[(y * width + x) * channels + (i % channels)]);
      }
      const filter = next(5);
      lines.push(Buffer.from([filter]), filtered(filter, line, above, perPixel));
      above = line;
    }
  }
  return Buffer.concat(lines);
}

function put(line, index, depth, value) {
  if (depth === 16) line.writeUInt16BE(value, 2 * index);
  else if (depth === 8) line[index] = value;
  else line[(index * depth) >> 3] |= value << (8 - depth - ((index * depth) & 7));
}

function filtered(filter, line, above, perPixel) {
  return line.map((value, i) => {
    const [a, b, c] = [line[i - perPixel] ?? 0, above[i], above[i - perPixel] ?? 0];
    const nearest = [a, b, c].sort((p, q) => Math.abs(a + b - c - p) - Math.abs(a + b - c - q))[0];
    return value - [0, a, b, (a + b) >> 1, nearest][filter];
  });
}

function exifOf(orientation) {
  const exif = Buffer.from(
    'MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0',
    'latin1',
  );
  exif.writeUInt16BE(orientation, 18);
  return exif;
}

function chunk(kind, content) {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  const body = Buffer.concat([Buffer.from(kind, 'latin1'), content]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** Whole numbers below a limit, the same ones for a seed. */
function random(seed) {
  let state = seed * 2654435761;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
