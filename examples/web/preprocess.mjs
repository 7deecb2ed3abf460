// From an image of any size to the numbers that a network takes, step by step as `cm` does it.
// An image is { width, height, channels, pixels }: 1 or 3 values from 0 to 255 a pixel.

import { Problem } from './problem.mjs';
import { resize } from './resize.mjs';

/** Gray around images that `fit` does not fill. */
const PADDING = 128;

/** Region, channels and size of a card's `input`. */
export function prepare(image, input) {
  const part = input.region ? cutOut(image, input.region) : image;
  const resized = toSize(input.channels === 1 ? toGray(part) : part, input);
  return input.channels === 3 ? toColor(resized) : resized;
}

/** Channel after channel; `raw` for values from 0 to 255, else (v / 255 - mean) / std. */
export function toNumbers({ width, height, channels, pixels }, { mean, std }, raw) {
  const numbers = new Float32Array(pixels.length);
  const plane = width * height;
  for (let channel = 0; channel < channels; channel += 1) {
    const table = Float32Array.from({ length: 256 }, (_, value) =>
      raw ? value : normalized(value, mean[channel], std[channel]),
    );
    for (let i = 0; i < plane; i += 1) {
      numbers[channel * plane + i] = table[pixels[i * channels + channel]];
    }
  }
  return numbers;
}

/** In 32 bits throughout, as the program computes it. */
function normalized(value, mean, std) {
  const share = Math.fround(value / 255);
  return Math.fround(Math.fround(share - Math.fround(mean)) / Math.fround(std));
}

function cutOut(image, [left, top, width, height]) {
  if (left + width > image.width || top + height > image.height) {
    throw new Problem(
      `This model looks at ${width} × ${height} pixels from (${left}, ${top}) on, and this image ` +
        `has only ${image.width} × ${image.height} pixels. Choose a larger one.`,
    );
  }
  return resize(image, width, height, [left, top, width, height]);
}

/** Luma of ITU-R BT.601 in whole numbers. */
function toGray(image) {
  if (image.channels === 1) return image;
  const { width, height, pixels: colors } = image;
  const pixels = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < pixels.length; i += 1, at += 3) {
    const sum = 19595 * colors[at] + 38470 * colors[at + 1] + 7471 * colors[at + 2];
    pixels[i] = (sum + 0x8000) >> 16;
  }
  return { width, height, channels: 1, pixels };
}

function toColor(image) {
  if (image.channels === 3) return image;
  const pixels = new Uint8Array(image.pixels.length * 3);
  image.pixels.forEach((value, i) => pixels.fill(value, 3 * i, 3 * i + 3));
  return { ...image, channels: 3, pixels };
}

function toSize(image, { width, height, resize: way }) {
  if (image.width === width && image.height === height) return image;
  const whole = [0, 0, image.width, image.height];
  switch (way) {
    case 'stretch':
      return resize(image, width, height, whole);
    case 'crop': {
      const [boxWidth, boxHeight] = largestInside(width, height, image.width, image.height);
      const left = (image.width - boxWidth) / 2;
      const top = (image.height - boxHeight) / 2;
      return resize(image, width, height, [left, top, boxWidth, boxHeight]);
    }
    case 'fit': {
      const sides = largestInside(image.width, image.height, width, height);
      const [inner, high] = sides.map((side) => Math.max(Math.round(side), 1));
      return padded(resize(image, inner, high, whole), width, height);
    }
    case 'none':
      throw new Problem(
        `This image has ${image.width} × ${image.height} pixels, and the model takes nothing but ` +
          `${width} × ${height}: it was trained without resizing. Cut the image to that size.`,
      );
    default:
      throw new Problem(
        `The model wants “${way}”, a way of resizing that this page does not know.`,
      );
  }
}

/** Width and height in the proportions of the first pair that are just inside the second. */
function largestInside(width, height, mostWide, mostHigh) {
  return width * mostHigh > mostWide * height
    ? [mostWide, Math.min((mostWide * height) / width, mostHigh)]
    : [Math.min((mostHigh * width) / height, mostWide), mostHigh];
}

function padded(image, width, height) {
  const { channels } = image;
  const pixels = new Uint8Array(width * height * channels).fill(PADDING);
  const left = Math.floor((width - image.width) / 2);
  const top = Math.floor((height - image.height) / 2);
  const length = image.width * channels;
  for (let y = 0; y < image.height; y += 1) {
    const row = image.pixels.subarray(y * length, (y + 1) * length);
    pixels.set(row, ((top + y) * width + left) * channels);
  }
  return { width, height, channels, pixels };
}
