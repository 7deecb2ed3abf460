// The page: what is opened, and what is shown of it.

import { Camera } from './camera.mjs';
import { readImage } from './image.mjs';
import { Model } from './model.mjs';
import { Problem } from './problem.mjs';
import { View } from './view.mjs';

const DEFAULT_MODEL = 'model.onnx';
const NO_MODEL =
  'No model yet. Write one with “cm export MODEL examples/web/model.onnx” and load the page ' +
  'again, or open any exported file by “Open model”.';
/** Milliseconds from one image of the camera to the next, at least. */
const BETWEEN_FRAMES = 200;

const find = (id) => document.getElementById(id);
const view = new View(find);
const camera = new Camera(find('video'));

let model = null;
let image = null;
/** Settled once a first model is open, or is not. */
let begun = null;
/** What was asked last of each kind; what was asked before is no longer shown. */
const latest = { model: 0, image: 0, result: 0 };
let pending = 0;

/** The next of its kind, as a function that says whether it still is the last. */
function turn(kind) {
  latest[kind] += 1;
  const mine = latest[kind];
  return () => mine === latest[kind];
}

/** Shows what a task finds or why it fails, unless another of its kind began in the meantime. */
async function attempt(kind, task) {
  const current = turn(kind);
  pending += 1;
  view.busy(true);
  view.message('');
  try {
    await task(current);
  } catch (error) {
    if (current()) fail(error);
  }
  pending -= 1;
  view.busy(pending > 0);
}

function fail(error) {
  stopCamera();
  view.clear();
  if (!model) view.noModel();
  view.message(error instanceof Problem ? error.message : `This went wrong: ${error}`);
  if (!(error instanceof Problem)) console.error(error);
}

async function openModel(bytes, name, current) {
  const opened = await Model.open(bytes);
  if (!current()) return opened.close();
  const before = model;
  model = opened;
  view.model(model, name);
  await before?.close();
  await judge();
}

async function openDefault(current) {
  const response = await fetch(DEFAULT_MODEL);
  if (response.status === 404) throw new Problem(NO_MODEL);
  if (!response.ok) throw new Problem(`${DEFAULT_MODEL} cannot be loaded (${response.status}).`);
  await openModel(new Uint8Array(await response.arrayBuffer()), DEFAULT_MODEL, current);
}

async function openImage(file, current) {
  stopCamera();
  image = null;
  view.picture(file);
  const read = await readImage(file);
  await modelIsThere();
  if (!current()) return;
  image = read;
  view.size(image);
  await judge();
}

async function modelIsThere() {
  await begun;
  if (!model) throw new Problem(NO_MODEL);
}

/** Shows what the model says of the image, once there are both. */
async function judge() {
  if (!image || !model) return;
  const current = turn('result');
  const [judged, by] = [image, model];
  const found = await by.run(judged);
  if (current()) view.result(by, found);
}

function open(file) {
  if (!file) return;
  if (/\.(onnx|safetensors)$/i.test(file.name)) openModelFile(file);
  else attempt('image', (current) => openImage(file, current));
}

function openModelFile(file) {
  if (!file) return;
  attempt('model', async (current) => {
    await openModel(new Uint8Array(await file.arrayBuffer()), file.name, current);
  });
}

async function startCamera(current) {
  await modelIsThere();
  await camera.start();
  if (!current()) return camera.stop();
  view.camera(true);
  watch(current).catch(fail);
}

/** Judges what the camera sees, image after image, until it is stopped. */
async function watch(current) {
  while (current() && camera.running) {
    const begin = performance.now();
    if (!document.hidden) {
      image = camera.frame();
      view.size(image);
      await judge();
    }
    const spent = performance.now() - begin;
    await new Promise((done) => setTimeout(done, Math.max(BETWEEN_FRAMES - spent, spent)));
  }
}

function stopCamera() {
  if (!camera.running) return;
  if (image) view.still(image);
  camera.stop();
  view.camera(false);
}

function listen() {
  const pick = (id, then) =>
    find(id).addEventListener('change', (event) => {
      then(event.target.files[0]);
      // The same file may be chosen again.
      event.target.value = '';
    });
  pick('image-file', open);
  pick('model-file', openModelFile);
  find('camera').addEventListener('click', () => {
    const { running } = camera;
    stopCamera();
    attempt('image', running ? judge : startCamera);
  });
  addEventListener('dragover', (event) => {
    event.preventDefault();
    view.invite(true);
  });
  addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) view.invite(false);
  });
  addEventListener('drop', (event) => {
    event.preventDefault();
    view.invite(false);
    const [file] = event.dataTransfer.files;
    if (file) open(file);
    else view.message('That was no file. Save the image first, and drop the file.');
  });
  addEventListener('paste', (event) => open(event.clipboardData?.files[0]));
}

listen();
begun = attempt('model', openDefault);
