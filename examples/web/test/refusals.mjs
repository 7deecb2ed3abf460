// What the page must refuse, and say why; and what it must not take for markup.

import { readFileSync } from 'node:fs';
import { request } from 'node:http';

import { describe } from '../metadata.mjs';
import { choose } from './browser.mjs';
import { withCard, withoutCard } from './program.mjs';
import { badFiles } from './samples.mjs';

const SCRIPT = '<script>globalThis.hacked = 1</script><img src=x onerror=alert(1)>';

export async function refusals(comparison, page, onnx, modelFile, image) {
  const { card } = describe(onnx);
  for (const [name, buffer, word] of badFiles(readFileSync(image))) {
    const file = { name, mimeType: 'application/octet-stream', buffer };
    const { message, norm } = await choose(page, 'image-file', file);
    comparison.check(
      message.includes(word) && norm === null,
      `${name}: “${message}” has no “${word}”`,
    );
  }
  const models = [
    ['random.onnx', Buffer.from('no model at all, only text'), 'not an ONNX file'],
    ['short.onnx', onnx.subarray(0, onnx.length / 2), 'not an ONNX file'],
    ['foreign.onnx', withoutCard(), 'cm_loss_card'],
    ['newer.onnx', withCard(onnx, { ...card, format: 99 }), 'format 99'],
    ['model.safetensors', readFileSync(modelFile), 'safetensors'],
  ];
  for (const [name, buffer, word] of models) {
    const file = { name, mimeType: 'application/octet-stream', buffer };
    const { message } = await choose(page, 'model-file', file);
    comparison.check(message.includes(word), `${name}: “${message}” has no “${word}”`);
  }
  const inputs = [
    ['none', { resize: 'none', region: undefined }, 'without resizing'],
    ['region', { region: [100_000, 0, 20, 20] }, 'looks at'],
  ];
  for (const [name, changed, word] of inputs) {
    const buffer = withCard(onnx, { ...card, input: { ...card.input, ...changed } });
    await choose(page, 'model-file', { name: 'm.onnx', mimeType: '', buffer });
    const { message } = await choose(page, 'image-file', image);
    comparison.check(message.includes(word), `${name}: “${message}” has no “${word}”`);
  }
}

export async function hostileNames(comparison, page, onnx, image) {
  const { card } = describe(onnx);
  const classes = card.classes.map(() => SCRIPT);
  const input = { ...card.input, region: undefined };
  const buffer = withCard(onnx, { ...card, classes, input, loss: SCRIPT });
  await choose(page, 'model-file', { name: `${SCRIPT}.onnx`, mimeType: '', buffer });
  const file = { name: `${SCRIPT}.png`, mimeType: 'image/png', buffer: readFileSync(image) };
  const shown = await choose(page, 'image-file', file);
  comparison.check(shown.class === SCRIPT, `a class with markup is shown as ${shown.class}`);
  const made = await page.evaluate(() => [
    globalThis.hacked,
    document.querySelectorAll('script').length,
    document.querySelectorAll('img').length,
  ]);
  comparison.check(String(made) === ',1,1', `markup in names became elements: ${made}`);
}

/** Status and type that the server answers a path with, as it stands. */
function answer(address, path) {
  const { hostname, port } = new URL(address);
  return new Promise((done, failed) => {
    const sent = request({ hostname, port, path }, (response) => {
      response.resume();
      done([response.statusCode, response.headers['content-type']]);
    });
    sent.on('error', failed).end();
  });
}

export async function server(comparison, address) {
  const wasm = '/node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm';
  comparison.check(
    String(await answer(address, wasm)) === '200,application/wasm',
    'wasm has another type',
  );
  const closed = ['/../../README.md', '/%2e%2e/%2e%2e/README.md', '/..%2f..%2fREADME.md'];
  for (const path of [...closed, '/.npmrc', '/%00', '/%', '//example.com/', '/package.json']) {
    const [status] = await answer(address, path);
    comparison.check(status === 404, `${path} was answered with ${status}`);
  }
}
