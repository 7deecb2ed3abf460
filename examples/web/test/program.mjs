// What the program says of images, and exported files with other metadata.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Exports a model both ways; gives the paths. */
export function exported(cm, model, folder) {
  return [[], ['--raw-pixels']].map((options) => {
    const path = join(folder, options.length ? 'raw.onnx' : 'plain.onnx');
    run(cm, 'export', model, path, ...options);
    return path;
  });
}

/** Class, probability, norm, quality and feature of each image by its path; null if refused. */
export function judged(cm, model, images, folder) {
  const npy = join(folder, 'features.npy');
  const found = new Map();
  for (const row of objects(run(cm, 'predict', model, ...images, '--top', '2', '--json'))) {
    found.set(row.file, row);
  }
  for (const row of objects(run(cm, 'score', model, ...images, '--json'))) {
    const { norm, quality } = found.get(row.file);
    if (row.norm !== norm || row.quality !== quality) throw new Error(`${row.file}: two answers`);
  }
  const rows = objects(run(cm, 'embed', model, ...images, '--npy', npy, '--json'));
  const [features, dimensions] = readNpy(npy);
  for (const { file, row } of rows) {
    if (row === null) continue;
    const feature = features.subarray(row * dimensions, (row + 1) * dimensions);
    Object.assign(found.get(file), { feature });
  }
  return found;
}

function run(cm, ...args) {
  const options = { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'pipe'] };
  return execFileSync(cm, args, options);
}

function objects(lines) {
  return lines
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

function readNpy(path) {
  const bytes = readFileSync(path);
  const start = 10 + bytes.readUInt16LE(8);
  const [, dimensions] = /'shape': \(\d+, (\d+)/.exec(bytes.toString('latin1', 10, start));
  const values = bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length);
  return [new Float32Array(values), Number(dimensions)];
}

/** The file with a changed card: a later entry of the metadata stands for an earlier one. */
export function withCard(onnx, card) {
  return Buffer.concat([onnx, field(14, entry('cm_loss_card', JSON.stringify(card)))]);
}

/** The smallest file that holds a graph and nothing else. */
export function withoutCard() {
  return Buffer.concat([Buffer.from([8, 8]), field(7, Buffer.alloc(0))]);
}

function entry(key, value) {
  return Buffer.concat([field(1, Buffer.from(key)), field(2, Buffer.from(value))]);
}

function field(number, content) {
  const length = [];
  let rest = content.length;
  for (; rest > 127; rest >>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length, rest]), content]);
}
