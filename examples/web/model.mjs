// An exported model: its card, and its graph in ONNX Runtime.

import { describe } from './metadata.mjs';
import { prepare, toNumbers } from './preprocess.mjs';
import { Problem } from './problem.mjs';

const RUNTIME = './node_modules/onnxruntime-web/dist/ort.wasm.min.mjs';
const MOST_THREADS = 4;

async function runtime() {
  let ort;
  try {
    ort = await import(RUNTIME);
  } catch {
    throw new Problem(
      'ONNX Runtime is not there. Run “npm install” in examples/web, and load the page again.',
    );
  }
  // Without cross-origin isolation a page has no threads.
  const threads = self.crossOriginIsolated ? navigator.hardwareConcurrency : 1;
  ort.env.wasm.numThreads = Math.min(threads, MOST_THREADS);
  ort.env.logLevel = 'error';
  return ort;
}

export class Model {
  /** From the bytes of an ONNX file. */
  static async open(bytes) {
    const description = describe(bytes);
    const ort = await runtime();
    let session;
    try {
      session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
    } catch (error) {
      throw new Problem(`ONNX Runtime cannot load this model: ${error.message}`);
    }
    for (const name of ['features', 'norm', 'probabilities']) {
      if (!session.outputNames.includes(name) || !session.inputNames.includes('pixels')) {
        throw new Problem(`This model has no “${name}”. Export it again with “cm export”.`);
      }
    }
    return new Model(ort, session, description);
  }

  constructor(ort, session, description) {
    Object.assign(this, description, { ort, session, pending: Promise.resolve() });
  }

  /** What the model says of an image, and the image as the network sees it. */
  async run(image) {
    const { input } = this.card;
    const prepared = prepare(image, input);
    const numbers = toNumbers(prepared, input, this.raw);
    const shape = [1, input.channels, input.height, input.width];
    const pixels = new this.ort.Tensor('float32', numbers, shape);
    // One after the other, and the end after the last.
    const run = this.pending.then(() => this.session.run({ pixels }));
    this.pending = run.catch(() => {});
    const found = await run;
    return {
      prepared,
      features: found.features.data,
      norm: found.norm.data[0],
      probabilities: found.probabilities.data,
      quality: found.quality ? Math.round(found.quality.data[0]) : null,
    };
  }

  /** The most probable classes, the most probable first; of equal ones the first. */
  best(probabilities, count) {
    const ranked = Array.from(probabilities, (probability, index) => ({
      name: this.card.classes[index] ?? `class ${index}`,
      probability,
    }));
    return ranked.sort((a, b) => b.probability - a.probability).slice(0, count);
  }

  close() {
    return this.pending.then(() => this.session.release());
  }
}
