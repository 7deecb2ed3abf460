// What must hold, what did not, and how far numbers were apart.

import { extname } from 'node:path';

import { shareBelow } from '../chart.mjs';

/** Most of norm and probability, and of features relative to the largest. */
const EXACT = { norm: 1e-3, probability: 1e-3, feature: 1e-5 };
/** Two decoders of JPEG differ by levels, which counts most for images the network knows least. */
const JPEG = { norm: 3e-2, probability: 5e-2, feature: 0.1 };
/** How near to a half a share in percent must be to be rounded either way. */
const EDGE = { exact: 0.05, jpeg: 0.5 };

export class Comparison {
  faults = [];
  largest = new Map();

  check(holds, what) {
    if (holds) return;
    this.faults.push(what);
    console.error(`WRONG: ${what}`);
  }

  note(image, what, difference) {
    const decoded = image.endsWith('.decoded.png') ? 'jpg, decoded by the browser' : null;
    const key = `${decoded ?? extname(image).slice(1).toLowerCase()}: ${what}`;
    this.largest.set(key, Math.max(this.largest.get(key) ?? 0, difference));
  }

  /** What is shown of an image against what the program says. */
  shown(image, shown, expected, norms, how) {
    const limits = isJpeg(image) ? JPEG : EXACT;
    const norm = Math.abs(shown.norm - expected.norm) / expected.norm;
    const probability = Math.abs(shown.probability - expected.probability);
    const quality = Math.abs(shown.quality - expected.quality);
    this.note(image, 'norm, relative', norm);
    this.note(image, 'probability', probability);
    this.note(image, 'quality', quality);
    const wrong = (what) => `${image} ${how}: ${what} ${shown[what]}, not ${expected[what]}`;
    this.check(shown.message === '', `${image} ${how}: ${shown.message}`);
    this.check(norm <= limits.norm, wrong('norm'));
    this.check(probability <= limits.probability, wrong('probability'));
    const tie = expected.probability - (expected.probability_2 ?? 0) <= limits.probability;
    this.check(shown.class === expected.class || tie, wrong('class'));
    const share = 100 * (norms ? shareBelow(norms, expected.norm) : 0);
    const edge = isJpeg(image) ? EDGE.jpeg : EDGE.exact;
    const onEdge = !norms || Math.abs(share - Math.floor(share) - 0.5) <= edge;
    this.check(quality === 0 || (quality === 1 && onEdge), wrong('quality'));
    this.check(shown.dial === String(shown.quality), `${image}: the dial shows ${shown.dial}`);
  }

  features(image, computed, expected, how) {
    const size = Math.max(...expected.map(Math.abs));
    const apart = Math.max(...computed.map((value, i) => Math.abs(value - expected[i]))) / size;
    this.note(image, 'feature, relative', apart);
    const limits = isJpeg(image) ? JPEG : EXACT;
    this.check(apart <= limits.feature, `${image} ${how}: a feature that differs by ${apart}`);
  }

  print() {
    for (const [what, difference] of [...this.largest].sort()) {
      console.log(`  ${what}: ${difference.toExponential(1)}`);
    }
  }
}

export function isJpeg(image) {
  return /\.jpe?g$/i.test(image);
}
