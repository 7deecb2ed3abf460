// Whether the page says what the program says:
//
//     node test.mjs [--screenshots FOLDER] CM MODEL IMAGE...
//
// CM is the program. Both kinds of export are opened in Chromium (CHROMIUM or /usr/bin/chromium),
// with the images and with PNG files of every kind that are made here.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

import { describe } from './metadata.mjs';
import { serve } from './serve.mjs';
import {
  asPng,
  choose,
  drop,
  FAKE_CAMERA,
  feature,
  openForFeatures,
  openPage,
  read,
  ready,
  startBrowser,
} from './test/browser.mjs';
import { Comparison, isJpeg } from './test/compare.mjs';
import { exported, judged } from './test/program.mjs';
import { hostileNames, refusals, server } from './test/refusals.mjs';
import { turnedJpeg, writeSamples } from './test/samples.mjs';

const { values: options, positionals } = parseArgs({
  options: { screenshots: { type: 'string' } },
  allowPositionals: true,
});
const [cm, modelFile, ...given] = positionals;
if (given.length === 0) {
  console.error('usage: node test.mjs [--screenshots FOLDER] CM MODEL IMAGE...');
  process.exit(2);
}

const comparison = new Comparison();

async function images(page, files, paths, expected) {
  for (const path of files) {
    const onnx = readFileSync(path);
    const { card, raw } = describe(onnx);
    const norms = card.quality ? null : card.norms;
    const opened = await choose(page, 'model-file', path);
    comparison.check(opened.message === '', `${basename(path)}: ${opened.message}`);
    await openForFeatures(page, onnx);
    const how = raw ? 'raw' : 'plain';
    for (const image of paths) {
      const found = expected.get(image);
      const shown = await choose(page, 'image-file', image);
      if (found.norm === null) {
        comparison.check(shown.norm === null && shown.message, `${image}: is refused by cm alone`);
        continue;
      }
      comparison.shown(image, shown, found, norms, how);
      comparison.features(image, await feature(page, image), found.feature, how);
    }
    const last = paths.at(-1);
    comparison.shown(last, await drop(page, last), expected.get(last), norms, 'dropped');
  }
}

/** The last image of the camera, saved as a PNG, must be judged by the program as by the page. */
async function cameraWorks(page, onnx, folder) {
  await choose(page, 'model-file', { name: 'm.onnx', mimeType: '', buffer: onnx });
  await page.click('#camera');
  await ready(page);
  await page.waitForFunction(() => document.querySelector('#classes li'));
  const begin = Date.now();
  const frames = await page.evaluate(async () => {
    let frames = 0;
    const observer = new MutationObserver(() => (frames += 1));
    observer.observe(document.getElementById('classes'), { childList: true });
    await new Promise((done) => setTimeout(done, 2000));
    observer.disconnect();
    return frames;
  });
  const rate = frames / ((Date.now() - begin) / 1000);
  comparison.check(frames >= 2, `the camera was judged ${frames} times in 2 seconds`);
  console.log(`camera: ${rate.toFixed(1)} images a second`);
  await page.click('#camera');
  await ready(page);
  const shown = await read(page);
  const url = await page.evaluate(() => document.getElementById('still').toDataURL('image/png'));
  const still = join(folder, 'still.png');
  writeFileSync(still, Buffer.from(url.split(',')[1], 'base64'));
  const expected = judged(cm, modelFile, [still], folder).get(still);
  const { card } = describe(onnx);
  comparison.shown(still, shown, expected, card.quality ? null : card.norms, 'of the camera');
}

async function cameraRefused(address, onnx) {
  const browser = await startBrowser();
  const { page, faults: found } = await openPage(browser, address, onnx);
  await page.click('#camera');
  await ready(page);
  const { message } = await read(page);
  comparison.check(/camera was (refused|found)/.test(message), `without a camera: “${message}”`);
  found.forEach((fault) => comparison.check(false, fault));
  await browser.close();
}

async function screenshots(browser, address, onnx, image, folder) {
  mkdirSync(folder, { recursive: true });
  const wide = { viewport: { width: 1180, height: 800 } };
  const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true };
  const shots = [
    ['light', { ...wide, colorScheme: 'light' }],
    ['dark', { ...wide, colorScheme: 'dark' }],
    ['phone', { ...phone, colorScheme: 'light' }],
  ];
  for (const [name, settings] of shots) {
    const { page } = await openPage(browser, address, onnx, settings);
    await choose(page, 'image-file', image);
    const wider = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    comparison.check(!wider, `${name}: the page is wider than the window`);
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
    await page.context().close();
  }
  const { page } = await openPage(browser, address, null, { ...wide, colorScheme: 'light' });
  await page.screenshot({ path: join(folder, 'empty.png'), fullPage: true });
  await page.context().close();
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'cm-web-'));
  const { server: served, address } = await serve(0);
  const browser = await startBrowser(...FAKE_CAMERA);
  try {
    const paths = [...given, ...writeSamples(folder)];
    const jpeg = given.find(isJpeg);
    if (jpeg) {
      const turned = join(folder, 'turned.jpg');
      writeFileSync(turned, turnedJpeg(readFileSync(jpeg)));
      paths.push(turned);
    }
    const files = exported(cm, modelFile, folder);
    const onnx = readFileSync(files[0]);
    const { page, faults } = await openPage(browser, address, onnx);
    comparison.check((await read(page)).message === '', 'the model beside the page is not opened');
    for (const path of paths.filter(isJpeg)) {
      const decoded = join(folder, `${basename(path)}.decoded.png`);
      writeFileSync(decoded, await asPng(page, path));
      paths.push(decoded);
    }
    const expected = judged(cm, modelFile, paths, folder);
    const png = paths.find((path) => basename(path) === 'rgb-large.png');

    await server(comparison, address);
    const empty = await openPage(browser, address, null);
    const { message } = await read(empty.page);
    comparison.check(message.includes('cm export MODEL'), `without a model: “${message}”`);
    const early = await choose(empty.page, 'image-file', png);
    comparison.check(
      early.message.includes('cm export MODEL'),
      `an image and no model: “${early.message}”`,
    );
    const late = await choose(empty.page, 'model-file', files[0]);
    comparison.check(late.message === '', `a model after that: “${late.message}”`);

    await images(page, files, paths, expected);
    await refusals(comparison, page, onnx, modelFile, png);
    await hostileNames(comparison, page, onnx, png);
    await cameraWorks(page, onnx, folder);
    await cameraRefused(address, onnx);
    [...empty.faults, ...faults].forEach((fault) => comparison.check(false, fault));
    if (options.screenshots) {
      await screenshots(browser, address, onnx, given[0], options.screenshots);
    }
    console.log(`${paths.length} images, two exports; largest differences:`);
    comparison.print();
  } finally {
    await browser.close();
    served.close();
    rmSync(folder, { recursive: true });
  }
  console.log(
    comparison.faults.length === 0
      ? 'the page agrees with the program'
      : `${comparison.faults.length} wrong`,
  );
  process.exitCode = comparison.faults.length === 0 ? 0 : 1;
}

await main();
