// What `cm export` states in an ONNX file. onnxruntime-web reads the graph and says nothing of
// the metadata, so the few fields of the file format (protobuf) that are needed are read here.

import { Problem } from './problem.mjs';

/** Of onnx.proto: the graph of a model, its metadata, and key and value of an entry. */
const GRAPH = 7;
const METADATA = 14;
const [KEY, VALUE] = [1, 2];

/** The newest layout of a card that this page reads. */
const CARD_FORMAT = 2;

/** Card, classes and whether the graph takes values from 0 to 255, from the bytes of a file. */
export function describe(bytes) {
  const entries = metadata(bytes);
  const text = entries.get('cm_loss_card');
  if (text === undefined) {
    throw new Problem(
      'This ONNX file does not say what it needs: its metadata have no entry “cm_loss_card”. ' +
        'Write one with “cm export MODEL model.onnx” and open that.',
    );
  }
  const card = parsed(text);
  const input = card?.input;
  const preprocessing = entries.get('preprocessing');
  if (!input || !Array.isArray(card.classes) || !preprocessing) {
    throw new Problem('The card in this ONNX file is damaged. Export the model again.');
  }
  if (card.format > CARD_FORMAT) {
    throw new Problem(
      `The card in this ONNX file has format ${card.format}, and this page reads up to ` +
        `${CARD_FORMAT}. Use the page of the version that exported the model.`,
    );
  }
  if (!['raw', 'normalized'].includes(entries.get('pixels'))) {
    throw new Problem('This ONNX file does not say what pixels it takes. Export the model again.');
  }
  return {
    card,
    raw: entries.get('pixels') === 'raw',
    preprocessing,
    quality: entries.get('quality') ?? 'none',
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The metadata by their keys. */
function metadata(bytes) {
  const entries = new Map();
  let graphs = 0;
  for (const [number, content] of fields(bytes)) {
    if (number === GRAPH) graphs += 1;
    if (number === METADATA) {
      const entry = new Map(fields(content));
      entries.set(decoded(entry.get(KEY)), decoded(entry.get(VALUE)));
    }
  }
  if (graphs !== 1) throw notOnnx(bytes);
  return entries;
}

function decoded(bytes) {
  return new TextDecoder().decode(bytes);
}

/** Number and bytes of each field that has a length; numbers are passed over. */
function* fields(bytes) {
  let at = 0;
  const whole = () => {
    // No shifts, which end at 32 bits.
    for (let value = 0, unit = 1; at < bytes.length; unit *= 128) {
      const byte = bytes[at];
      at += 1;
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
    throw notOnnx(bytes);
  };
  while (at < bytes.length) {
    const key = whole();
    switch (key % 8) {
      case 0:
        whole();
        break;
      case 1:
        at += 8;
        break;
      case 5:
        at += 4;
        break;
      case 2: {
        const length = whole();
        if (at + length > bytes.length) throw notOnnx(bytes);
        yield [Math.floor(key / 8), bytes.subarray(at, at + length)];
        at += length;
        break;
      }
      default:
        throw notOnnx(bytes);
    }
  }
}

function notOnnx(bytes) {
  // A safetensors file is a length in 8 bytes and then JSON.
  const hint =
    bytes[8] === 0x7b
      ? 'It looks like a safetensors file: turn it into ONNX with “cm export MODEL model.onnx”.'
      : 'Choose a file that “cm export MODEL model.onnx” wrote.';
  return new Problem(`This is not an ONNX file, or not a whole one. ${hint}`);
}
