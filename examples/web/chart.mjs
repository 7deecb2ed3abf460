// The dial of the quality, and the norms of the training images with a mark for this one.

const SVG = 'http://www.w3.org/2000/svg';

const DIAL = { x: 110, y: 106, radius: 84 };
const CHART = { left: 8, right: 352, top: 26, bottom: 116, label: 132 };
const BINS = 36;
const TICKS = 5;

/** A quality from 0 to 100, or null where it is not known. */
export function drawDial(svg, quality) {
  const { x, y, radius } = DIAL;
  const path = `M ${x - radius} ${y} A ${radius} ${radius} 0 0 1 ${x + radius} ${y}`;
  const parts = [element('path', { class: 'track', d: path, pathLength: 100 })];
  for (const value of [0, 50, 100]) {
    const [labelX, labelY] = onDial(value);
    const away = value === 50 ? -12 : 26;
    const label = { class: 'tick', x: labelX, y: labelY + away, 'text-anchor': 'middle' };
    parts.push(element('text', label, String(value)));
  }
  if (quality !== null) {
    const dashes = `${quality} 200`;
    if (quality > 0) {
      parts.push(
        element('path', { class: 'value', d: path, pathLength: 100, 'stroke-dasharray': dashes }),
      );
    }
    const [cx, cy] = onDial(quality);
    parts.push(element('circle', { class: 'knob', cx, cy, r: 11 }));
  }
  const shown = quality === null ? '–' : String(quality);
  parts.push(element('text', { class: 'number', x, y: y - 8, 'text-anchor': 'middle' }, shown));
  svg.replaceChildren(...parts);
  svg.setAttribute('aria-label', quality === null ? 'no quality' : `quality ${quality} of 100`);
}

function onDial(value) {
  const angle = Math.PI * (1 - value / 100);
  return [DIAL.x + DIAL.radius * Math.cos(angle), DIAL.y - DIAL.radius * Math.sin(angle)];
}

/** Norms below which each hundredth of the training images lies, and the norm of an image or null. */
export function drawNorms(svg, quantiles, norm) {
  const marked = Number.isFinite(norm) ? [norm] : [];
  const low = Math.min(quantiles[0], ...marked);
  // The longest hundredth may reach far beyond all others, and is seen only where the image is.
  const high = Math.max(quantiles.at(-2), ...marked);
  const margin = (high - low) * 0.03 || 1;
  const [from, to] = [low - margin, high + margin];
  const place = (value) =>
    CHART.left + ((value - from) / (to - from)) * (CHART.right - CHART.left);
  const edges = Array.from({ length: BINS + 1 }, (_, i) => from + (i / BINS) * (to - from));
  const shares = edges.map((edge) => shareBelow(quantiles, edge));
  const heights = shares.slice(1).map((share, i) => share - shares[i]);
  const tallest = Math.max(...heights);
  const parts = [];
  heights.forEach((height, i) => {
    const y = CHART.bottom - (height / tallest) * (CHART.bottom - CHART.top);
    // The bar that holds the norm has a part on either side of it.
    const cut = marked.length ? Math.min(Math.max(norm, edges[i]), edges[i + 1]) : edges[i];
    parts.push(
      bar('shorter', place(edges[i]), place(cut), y),
      bar('longer', place(cut), place(edges[i + 1]), y),
    );
  });
  const { left, right, bottom } = CHART;
  parts.push(element('line', { class: 'axis', x1: left, x2: right, y1: bottom, y2: bottom }));
  for (const tick of ticks(from, to)) {
    const label = { class: 'tick', x: place(tick), y: CHART.label, 'text-anchor': 'middle' };
    parts.push(element('text', label, String(tick)));
  }
  for (const value of marked) parts.push(...mark(place(value), value));
  svg.replaceChildren(...parts.filter(Boolean));
  const share = Math.round(100 * shareBelow(quantiles, norm ?? NaN));
  const among = marked.length ? `; ${share} of 100 training images have a shorter feature` : '';
  svg.setAttribute('aria-label', `Norms of the training images${among}`);
}

/** The share of training images with a shorter feature, from 0 to 1. */
export function shareBelow(quantiles, norm) {
  const above = quantiles.findIndex((quantile) => quantile >= norm);
  if (above < 0) return 1;
  if (above === 0) return 0;
  const [low, high] = [quantiles[above - 1], quantiles[above]];
  return (above - 1 + (norm - low) / (high - low)) / (quantiles.length - 1);
}

function bar(side, from, to, y) {
  if (to <= from || y >= CHART.bottom) return null;
  const box = { x: from, y, width: to - from, height: CHART.bottom - y };
  return element('rect', { class: `bar ${side}`, ...box });
}

function mark(x, norm) {
  const near = Math.min(Math.max(x, CHART.left + 40), CHART.right - 40);
  return [
    element('line', { class: 'mark', x1: x, x2: x, y1: CHART.top - 8, y2: CHART.bottom + 4 }),
    element(
      'text',
      { class: 'mark-label', x: near, y: 12, 'text-anchor': 'middle' },
      norm.toPrecision(4),
    ),
  ];
}

/** Round numbers between two. */
function ticks(from, to) {
  const rough = (to - from) / TICKS;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * unit).find((found) => found >= rough);
  const found = [];
  for (let i = Math.ceil(from / step); i * step <= to; i += 1) {
    found.push(Number((i * step).toPrecision(10)));
  }
  return found;
}

function element(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}
