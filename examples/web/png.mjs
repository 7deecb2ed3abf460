// PNG, decoded here and not by the browser: a canvas keeps colors multiplied by their opacity,
// and browsers cut 16 bits down to 8 and apply color profiles, each in its own way.

import { Problem } from './problem.mjs';

export const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Values a pixel for each kind of color; 3 is a palette. */
const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const PALETTE = 3;

/** First column and row of each pass of an interlaced image, and the steps between pixels. */
export const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

export function isPng(bytes) {
  return SIGNATURE.every((byte, i) => bytes[i] === byte);
}

/** 8-bit values with 1 to 4 channels (gray or color, then opacity), and the notes of a camera. */
export async function decodePng(bytes, mostPixels) {
  const chunks = readChunks(bytes);
  const header = readHeader(chunks.get('IHDR')?.[0]);
  if (header.width * header.height > mostPixels) {
    throw new Problem(`This image of ${header.width} × ${header.height} pixels is too large.`);
  }
  const data = await inflate(new Blob(chunks.get('IDAT') ?? []));
  const values = unpack(data, header);
  const image =
    header.color === PALETTE
      ? fromPalette(values, header, chunks)
      : toEightBits(values, header, chunks);
  return { width: header.width, height: header.height, ...image, exif: chunks.get('eXIf')?.[0] };
}

/** Contents by kind. */
function readChunks(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks = new Map();
  for (let at = SIGNATURE.length; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (kind === 'IEND') return chunks;
    if (at + 12 + length > bytes.length) break;
    if (!chunks.has(kind)) chunks.set(kind, []);
    chunks.get(kind).push(bytes.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  throw new Problem('This PNG is not whole: it was cut short. Copy it again.');
}

function readHeader(bytes) {
  if (bytes?.length !== 13) throw damaged('it has no header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, 13);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, color, , , interlaced] = bytes.subarray(8);
  const channels = CHANNELS[color];
  if (!width || !height || !channels || ![1, 2, 4, 8, 16].includes(depth)) {
    throw damaged('its header makes no sense');
  }
  return { width, height, depth, color, channels, interlaced: interlaced === 1 };
}

async function inflate(blob) {
  try {
    const stream = blob.stream().pipeThrough(new DecompressionStream('deflate'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw damaged('its compressed data make no sense');
  }
}

/** The values as they are in the file, one to a place, without filters and passes. */
function unpack(data, { width, height, depth, channels, interlaced }) {
  const values = new (depth === 16 ? Uint16Array : Uint8Array)(width * height * channels);
  const perPixel = Math.max((depth * channels) >> 3, 1);
  let at = 0;
  for (const [left, top, stepX, stepY] of interlaced ? PASSES : [[0, 0, 1, 1]]) {
    const columns = Math.ceil((width - left) / stepX);
    const rows = Math.ceil((height - top) / stepY);
    if (columns <= 0 || rows <= 0) continue;
    const length = Math.ceil((columns * channels * depth) / 8);
    let above = new Uint8Array(length);
    for (let row = 0; row < rows; row += 1) {
      const line = data.subarray(at + 1, at + 1 + length);
      if (line.length < length) throw damaged('it has too few pixels');
      unfilter(data[at], line, above, perPixel);
      if (depth === 8 && !interlaced) {
        values.set(line, row * length);
      } else {
        for (let column = 0; column < columns; column += 1) {
          const place = ((top + row * stepY) * width + left + column * stepX) * channels;
          for (let channel = 0; channel < channels; channel += 1) {
            values[place + channel] = valueAt(line, column * channels + channel, depth);
          }
        }
      }
      above = line;
      at += 1 + length;
    }
  }
  return values;
}

function valueAt(line, index, depth) {
  if (depth === 8) return line[index];
  if (depth === 16) return (line[2 * index] << 8) | line[2 * index + 1];
  const bit = index * depth;
  return (line[bit >> 3] >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
}

/** Undoes in place what was done to a line to compress it better. */
function unfilter(kind, line, above, perPixel) {
  const { length } = line;
  switch (kind) {
    case 0:
      return;
    case 1:
      for (let i = perPixel; i < length; i += 1) line[i] += line[i - perPixel];
      return;
    case 2:
      for (let i = 0; i < length; i += 1) line[i] += above[i];
      return;
    case 3:
      for (let i = 0; i < length; i += 1) {
        line[i] += ((i < perPixel ? 0 : line[i - perPixel]) + above[i]) >> 1;
      }
      return;
    case 4:
      for (let i = 0; i < length; i += 1) {
        const [left, corner] = i < perPixel ? [0, 0] : [line[i - perPixel], above[i - perPixel]];
        line[i] += paeth(left, above[i], corner);
      }
      return;
    default:
      throw damaged('a line has an unknown filter');
  }
}

function paeth(left, above, corner) {
  const fromLeft = Math.abs(above - corner);
  const fromAbove = Math.abs(left - corner);
  const fromCorner = Math.abs(left + above - 2 * corner);
  if (fromLeft <= fromAbove && fromLeft <= fromCorner) return left;
  return fromAbove <= fromCorner ? above : corner;
}

function fromPalette(values, { width, height }, chunks) {
  const colors = chunks.get('PLTE')?.[0] ?? [];
  const opacities = chunks.get('tRNS')?.[0] ?? [];
  const samples = new Uint8Array(width * height * 4);
  values.forEach((index, i) => {
    if (3 * index + 2 >= colors.length) throw damaged('a color is not in its palette');
    samples.set(colors.subarray(3 * index, 3 * index + 3), 4 * i);
    samples[4 * i + 3] = opacities[index] ?? 255;
  });
  return { channels: 4, samples };
}

/** Gray and colors; a color that is declared transparent becomes an opacity. */
function toEightBits(values, { depth, channels }, chunks) {
  const declared = channels % 2 === 1 && chunks.get('tRNS')?.[0];
  if (depth === 8 && !declared) return { channels, samples: values };
  const largest = 2 ** depth - 1;
  const eight = Uint8Array.from({ length: largest + 1 }, (_, value) =>
    Math.round((value * 255) / largest),
  );
  if (!declared) return { channels, samples: mapped(values, eight) };
  const hidden = Array.from(
    { length: channels },
    (_, c) => (declared[2 * c] << 8) | declared[2 * c + 1],
  );
  const samples = new Uint8Array((values.length / channels) * (channels + 1));
  for (let from = 0, to = 0; from < values.length; from += channels, to += channels + 1) {
    for (let c = 0; c < channels; c += 1) samples[to + c] = eight[values[from + c]];
    samples[to + channels] = hidden.every((value, c) => values[from + c] === value) ? 0 : 255;
  }
  return { channels: channels + 1, samples };
}

function mapped(values, table) {
  const samples = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i += 1) samples[i] = table[values[i]];
  return samples;
}

function damaged(reason) {
  return new Problem(`This PNG is damaged: ${reason}. Copy it again, or choose another image.`);
}
