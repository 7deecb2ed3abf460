// Bilinear resizing with antialiasing, to the bit as the crate fast_image_resize 6 does it for
// 8-bit values: weights as whole numbers of 16 bits, sums of 32 bits, and 8 bits between the
// passes, of which the vertical one comes first.

const SUM_BITS = 22;
const WEIGHT_LIMIT = 1 << 15;

/** The part `[left, top, width, height]` of an image; edges may lie between pixels. */
export function resize(image, width, height, [left, top, boxWidth, boxHeight]) {
  const { channels } = image;
  const columns =
    width !== boxWidth || left !== Math.round(left)
      ? weights(image.width, left, left + boxWidth, width)
      : null;
  const rows =
    height !== boxHeight || top !== Math.round(top)
      ? weights(image.height, top, top + boxHeight, height)
      : null;
  if (columns && rows) {
    const { windows } = columns;
    const first = windows[0].start;
    const last = windows[width - 1].start + windows[width - 1].values.length;
    const between = vertical(image, first, last - first, rows);
    return horizontal(between, 0, height, columns, first);
  }
  if (rows) return vertical(image, left, width, rows);
  if (columns) return horizontal(image, top, height, columns, 0);
  const pixels = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y += 1) {
    const start = ((top + y) * image.width + left) * channels;
    pixels.set(image.pixels.subarray(start, start + width * channels), y * width * channels);
  }
  return { width, height, channels, pixels };
}

/** For each of `count` places the first pixel that counts there, and weights from that one on. */
function weights(size, from, to, count) {
  const scale = (to - from) / count;
  const radius = Math.max(scale, 1);
  const reciprocal = 1 / radius;
  const windows = [];
  let largest = 0;
  for (let place = 0; place < count; place += 1) {
    const center = from + (place + 0.5) * scale;
    const values = [];
    let start = Math.max(Math.floor(center - radius), 0);
    const end = Math.min(Math.ceil(center + radius), size);
    let sum = 0;
    for (let pixel = start; pixel < end; pixel += 1) {
      const distance = Math.abs((pixel - (center - 0.5)) * reciprocal);
      const weight = distance < 1 ? 1 - distance : 0;
      if (pixel === start && weight === 0) {
        start += 1;
      } else {
        values.push(weight);
        sum += weight;
      }
    }
    while (values.at(-1) === 0) values.pop();
    for (let i = 0; sum !== 0 && i < values.length; i += 1) {
      values[i] /= sum;
      largest = Math.max(largest, values[i]);
    }
    windows.push({ start, values });
  }
  let precision = 0;
  for (let bits = 0; bits < SUM_BITS; bits += 1) {
    precision = bits;
    if (Math.round(largest * 2 ** (bits + 1)) >= WEIGHT_LIMIT) break;
  }
  for (const window of windows) {
    window.values = Int32Array.from(window.values, (value) => Math.round(value * 2 ** precision));
  }
  return { windows, precision };
}

/** `width` columns from `left` on. */
function vertical(image, left, width, { windows, precision }) {
  const { channels } = image;
  const length = width * channels;
  const pixels = new Uint8ClampedArray(windows.length * length);
  const sums = new Int32Array(length);
  windows.forEach(({ start, values }, y) => {
    sums.fill(1 << (precision - 1));
    for (let i = 0; i < values.length; i += 1) {
      const weight = values[i];
      const source = ((start + i) * image.width + left) * channels;
      for (let x = 0; x < length; x += 1) sums[x] += weight * image.pixels[source + x];
    }
    for (let x = 0; x < length; x += 1) pixels[y * length + x] = sums[x] >> precision;
  });
  return { width, height: windows.length, channels, pixels };
}

/** `height` rows from `top` on; the image begins `shift` columns after the windows' first. */
function horizontal(image, top, height, { windows, precision }, shift) {
  const { channels } = image;
  const width = windows.length;
  const pixels = new Uint8ClampedArray(width * height * channels);
  const half = 1 << (precision - 1);
  let at = 0;
  for (let y = 0; y < height; y += 1) {
    const row = (top + y) * image.width;
    for (const { start, values } of windows) {
      for (let channel = 0; channel < channels; channel += 1) {
        let sum = half;
        let source = (row + start - shift) * channels + channel;
        for (let i = 0; i < values.length; i += 1, source += channels) {
          sum += values[i] * image.pixels[source];
        }
        pixels[at] = sum >> precision;
        at += 1;
      }
    }
  }
  return { width, height, channels, pixels };
}
