// A page in a browser that reaches nothing but the local server, and what is read off it.

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { chromium } from 'playwright-core';

const OPTIONS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // No name is looked up, whoever asks.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];
export const FAKE_CAMERA = [
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
];

export function startBrowser(...options) {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  return chromium.launch({ executablePath, args: [...OPTIONS, ...options] });
}

/** A page, and a list of what must not happen on it. `model` is what lies beside it, or null. */
export async function openPage(browser, address, model, options = {}) {
  const context = await browser.newContext(options);
  const faults = [];
  await context.route('**/*', (route) => {
    const url = route.request().url();
    if (!url.startsWith(address)) {
      faults.push(`a request to ${url}`);
      return route.abort();
    }
    if (url !== `${address}model.onnx`) return route.continue();
    return model ? route.fulfill({ body: model }) : route.fulfill({ status: 404, body: '' });
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(`an error: ${error}`));
  page.on('dialog', (dialog) => faults.push(`a dialog: ${dialog.message()}`));
  page.on('console', (message) => {
    const expected = message.location().url === `${address}model.onnx`;
    if (message.type() === 'error' && !expected) faults.push(`on the console: ${message.text()}`);
  });
  await page.goto(address);
  await ready(page);
  return { page, faults };
}

export async function ready(page) {
  await page.waitForFunction(() => document.body.dataset.state === 'ready');
}

/** Opens a file, a path or { name, mimeType, buffer }, and gives what the page shows then. */
export async function choose(page, input, file) {
  await page.setInputFiles(`#${input}`, file);
  await ready(page);
  return read(page);
}

/** The same by dropping the file. */
export async function drop(page, path) {
  const bytes = readFileSync(path).toString('base64');
  const transfer = await page.evaluateHandle(
    ({ bytes, name }) => {
      const transfer = new DataTransfer();
      const content = Uint8Array.from(atob(bytes), (char) => char.charCodeAt(0));
      transfer.items.add(new File([content], name));
      return transfer;
    },
    { bytes, name: basename(path) },
  );
  await page.dispatchEvent('#stage', 'dragover', { dataTransfer: transfer });
  await page.dispatchEvent('#stage', 'drop', { dataTransfer: transfer });
  await ready(page);
  return read(page);
}

/** What is shown. */
export function read(page) {
  return page.evaluate(() => {
    const message = document.getElementById('message');
    const { dataset } = document.getElementById('results');
    const best = document.querySelector('#classes li');
    return {
      message: message.hidden ? '' : message.textContent,
      norm: dataset.norm === undefined ? null : Number(dataset.norm),
      quality: Number(dataset.quality),
      dial: document.querySelector('#dial .number').textContent,
      class: best?.querySelector('.name').textContent,
      probability: Number(best?.dataset.probability),
      classes: document.querySelectorAll('#classes li').length,
    };
  });
}

/** Opens a model by the page's own modules, besides the one that is shown. */
export function openForFeatures(page, onnx) {
  return page.evaluate(async (model) => {
    const { Model } = await import('/model.mjs');
    const content = Uint8Array.from(atob(model), (char) => char.charCodeAt(0));
    await globalThis.testModel?.close();
    globalThis.testModel = await Model.open(content);
  }, onnx.toString('base64'));
}

/** The feature of an image: a pixel that differs is seen in it. */
export function feature(page, path) {
  const bytes = readFileSync(path).toString('base64');
  return page.evaluate(async (bytes) => {
    const { readImage } = await import('/image.mjs');
    const content = Uint8Array.from(atob(bytes), (char) => char.charCodeAt(0));
    const { features } = await globalThis.testModel.run(await readImage(new Blob([content])));
    return Array.from(features);
  }, bytes);
}

/** A file as a PNG of the pixels that the page takes from it. */
export async function asPng(page, path) {
  const bytes = readFileSync(path).toString('base64');
  const url = await page.evaluate(async (bytes) => {
    const { readImage } = await import('/image.mjs');
    const { paint } = await import('/view.mjs');
    const content = Uint8Array.from(atob(bytes), (char) => char.charCodeAt(0));
    const canvas = document.createElement('canvas');
    paint(canvas, await readImage(new Blob([content])));
    return canvas.toDataURL('image/png');
  }, bytes);
  return Buffer.from(url.split(',')[1], 'base64');
}
