// How a camera was held, from EXIF data: 1 is upright, 2 to 8 are turned or mirrored.

const TAG = 0x0112;
const SHORT = 3;

/** The number in the notes of a camera, 1 where there is none. */
export function exifOrientation(bytes) {
  if (!bytes || bytes.length < 8) return 1;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = view.getUint16(0) === 0x4949;
  const directory = view.getUint32(4, little);
  if (directory + 2 > bytes.length) return 1;
  const count = view.getUint16(directory, little);
  for (let i = 0; i < count; i += 1) {
    const entry = directory + 2 + 12 * i;
    if (entry + 12 > bytes.length) return 1;
    if (view.getUint16(entry, little) === TAG && view.getUint16(entry + 2, little) === SHORT) {
      const found = view.getUint16(entry + 8, little);
      return found >= 1 && found <= 8 ? found : 1;
    }
  }
  return 1;
}

/** The upright image. */
export function applyOrientation(image, orientation) {
  if (orientation === 1) return image;
  const { channels } = image;
  const turned = orientation >= 5;
  const [width, height] = turned ? [image.height, image.width] : [image.width, image.height];
  const fromRight = [2, 3, 6, 7].includes(orientation);
  const fromBottom = [3, 4, 7, 8].includes(orientation);
  const pixels = new Uint8Array(image.pixels.length);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const a = fromRight ? width - 1 - x : x;
      const b = fromBottom ? height - 1 - y : y;
      const from = (turned ? a * image.width + b : b * image.width + a) * channels;
      const to = (y * width + x) * channels;
      for (let channel = 0; channel < channels; channel += 1) {
        pixels[to + channel] = image.pixels[from + channel];
      }
    }
  }
  return { width, height, channels, pixels };
}
