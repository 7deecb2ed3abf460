// What the page shows. Names of classes and files are text, never markup.

import { drawDial, drawNorms, shareBelow } from './chart.mjs';

const TOP = 5;
const NO_QUALITY =
  'This model knows no norms of its training images, so that a norm tells no quality: ' +
  '“cm calibrate” gives it one.';

export class View {
  constructor(find) {
    this.find = find;
    this.norms = null;
    this.known = NO_QUALITY;
    this.url = null;
    this.clear();
  }

  busy(busy) {
    const { dataset } = document.body;
    dataset.state = busy ? 'busy' : 'ready';
    this.find('results').setAttribute('aria-busy', String(busy));
  }

  message(text) {
    const message = this.find('message');
    message.textContent = text;
    message.hidden = text === '';
  }

  noModel() {
    this.find('model-line').textContent = 'No model is open';
  }

  model({ card, quality, preprocessing }, name) {
    const { input, provenance } = card;
    const size = `${input.width} × ${input.height} ${input.channels === 1 ? 'gray' : 'color'}`;
    this.find('model-line').textContent =
      `${name} · ${card.classes.length} classes · ${size} · ${card.loss}`;
    this.norms = card.norms ?? null;
    this.known = quality === 'none' ? NO_QUALITY : `Quality: ${quality}.`;
    const accuracy = provenance?.valid_accuracy;
    const facts = {
      Loss: card.loss,
      Feature: `${card.feature_dim} dimensions`,
      Preprocessing: preprocessing,
      Quality: quality,
      Data: provenance?.data,
      'Epochs trained': provenance?.epochs,
      'Validation accuracy': Number.isFinite(accuracy) ? percent(accuracy) : undefined,
      'Written by': provenance?.version && `cm ${provenance.version}`,
    };
    const rows = Object.entries(facts).filter(([, value]) => value !== undefined && value !== '');
    this.find('about').hidden = false;
    this.find('facts').replaceChildren(
      ...rows.flatMap(([term, value]) => [made('dt', '', term), made('dd', '', String(value))]),
    );
    this.clear();
  }

  /** Without results. */
  clear() {
    drawDial(this.find('dial'), null);
    const chart = this.find('chart');
    if (this.norms) drawNorms(chart, this.norms, null);
    chart.parentElement.hidden = !this.norms;
    this.find('classes').replaceChildren();
    this.find('class-note').hidden = false;
    this.find('seen').hidden = true;
    this.find('seen-line').textContent = '';
    this.find('quality-line').textContent = this.norms ? this.known : '';
    delete this.find('results').dataset.norm;
  }

  /** A file, before it is read. */
  picture(file) {
    this.clear();
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = URL.createObjectURL(file);
    this.only('picture');
    const picture = this.find('picture');
    picture.src = this.url;
    picture.onerror = () => this.only('invitation');
    this.find('image-name').textContent = file.name;
    this.find('image-line').textContent = '';
  }

  size({ width, height }) {
    this.find('image-line').textContent = `${width} × ${height} pixels`;
  }

  camera(running) {
    this.find('camera').textContent = running ? 'Stop camera' : 'Start camera';
    // A screen reader need not read every image of a film.
    this.find('quality-line').setAttribute('aria-live', running ? 'off' : 'polite');
    if (!running) return;
    this.only('video');
    this.find('image-name').textContent = 'Camera';
  }

  /** The last image of the camera. */
  still(image) {
    paint(this.find('still'), image);
    this.only('still');
  }

  only(shown) {
    for (const id of ['invitation', 'picture', 'still', 'video'])
      this.find(id).hidden = id !== shown;
  }

  invite(over) {
    this.find('stage').classList.toggle('over', over);
  }

  result(model, { prepared, norm, probabilities, quality }) {
    drawDial(this.find('dial'), quality);
    if (this.norms) drawNorms(this.find('chart'), this.norms, norm);
    this.find('quality-line').textContent = this.sentence(norm, quality);
    const best = model.best(probabilities, TOP);
    this.find('classes').replaceChildren(...best.map(line));
    this.find('class-note').hidden = true;
    const seen = this.find('seen');
    paint(seen, prepared);
    seen.hidden = false;
    this.find('seen-line').textContent =
      `seen by the network as ${prepared.width} × ${prepared.height}`;
    // Numbers with all their digits, for programs that read the page.
    Object.assign(this.find('results').dataset, { norm, quality: quality ?? -1 });
  }

  sentence(norm, quality) {
    if (!Number.isFinite(norm)) return 'The network gives no number for this image.';
    if (!this.norms) return `Norm ${norm.toPrecision(4)}. ${this.known}`;
    const share = Math.round(100 * shareBelow(this.norms, norm));
    const among = `The feature is longer than that of ${share} % of the training images.`;
    return quality === share ? among : `${among} ${this.known}`;
  }
}

function line({ name, probability }) {
  const item = document.createElement('li');
  const bar = made('span', 'share');
  bar.style.setProperty('--share', String(probability));
  bar.setAttribute('aria-hidden', 'true');
  item.append(made('span', 'name', name), made('span', 'percent', percent(probability)), bar);
  item.dataset.probability = String(probability);
  return item;
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

function made(name, kind, text = '') {
  const element = document.createElement(name);
  if (kind) element.className = kind;
  element.textContent = text;
  return element;
}

/** Draws an image in its own size. */
export function paint(canvas, { width, height, channels, pixels }) {
  canvas.width = width;
  canvas.height = height;
  const colors = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i += 1) {
    for (let c = 0; c < 3; c += 1) {
      colors[4 * i + c] = pixels[channels * i + (channels === 1 ? 0 : c)];
    }
  }
  canvas.getContext('2d').putImageData(new ImageData(colors, width, height), 0, 0);
}
