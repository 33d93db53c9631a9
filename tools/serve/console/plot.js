// Small plots over time: lines as SVG, the scale in text, and the same in words.

import {clockTime, duration} from './clock.js';
import {h, svg} from './h.js';

const WIDTH = 600;
const HEIGHT = 100;

// 1, 2 or 5 times a power of ten, at least `value`.
function ceiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value * 0.999);
}

// A gap in the values is a gap in the line.
function pathOf(values, xOf, top) {
  let out = '';
  let pen = 'M';
  values.forEach((value, i) => {
    if (value === null) {
      pen = 'M';
      return;
    }
    const y = HEIGHT - (Math.min(value, top) / top) * HEIGHT;
    out += `${pen}${xOf(i).toFixed(1)} ${y.toFixed(1)}`;
    pen = 'L';
  });
  return out;
}

const known = (values) => values.filter((value) => value !== null);

function words(title, series, format, times) {
  const span = duration(times.at(-1) - times[0]);
  return `${title}, the last ${span}. ${series.map(({name, values}) => {
    const some = known(values);
    if (some.length === 0) return `${name}: no value`;
    return `${name}: now ${format(some.at(-1))}, at most ${format(Math.max(...some))}`;
  }).join('; ')}.`;
}

function legend(series, format, at) {
  return series.map(({name, look, values}) => {
    const value = at === null ? known(values).at(-1) : values[at];
    return h('span', {class: `key ${look}`}, name, ' ',
        h('b', {}, value === undefined || value === null ? '–' : format(value)));
  });
}

// series: [{name, look, values}]; a value may be null. `lines`: marks at stated values.
export function plot({title, series, times, format}) {
  if (times.length < 2) {
    return h('figure', {class: 'plot'}, h('figcaption', {}, h('h3', {}, title)),
        h('p', {class: 'empty'}, 'The server has just begun to note this.'));
  }
  const top = ceiling(Math.max(0, ...series.flatMap(({values}) => known(values))));
  const begin = times[0];
  const span = Math.max(times.at(-1) - begin, 1);
  const xOf = (i) => ((times[i] - begin) / span) * WIDTH;
  const cursor = svg('line', {class: 'cursor', y1: 0, y2: HEIGHT, visibility: 'hidden'});
  const keys = h('div', {class: 'keys'}, legend(series, format, null));
  const when = h('span', {}, clockTime(times.at(-1)));
  const point = (at) => {
    keys.replaceChildren(...legend(series, format, at));
    when.textContent = clockTime(times[at ?? times.length - 1]);
    cursor.setAttribute('visibility', at === null ? 'hidden' : 'visible');
    cursor.setAttribute('x1', xOf(at ?? 0));
    cursor.setAttribute('x2', xOf(at ?? 0));
  };
  const picture = svg('svg', {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img',
    'aria-label': words(title, series, format, times),
    onpointermove: (event) => {
      const box = picture.getBoundingClientRect();
      const at = begin + ((event.clientX - box.left) / box.width) * span;
      const next = times.findIndex((one) => one >= at);
      point(next < 0 ? times.length - 1 : next);
    },
    onpointerleave: () => point(null),
  },
  [0, 0.5, 1].map((part) => svg('line',
      {class: 'grid', x1: 0, x2: WIDTH, y1: part * HEIGHT, y2: part * HEIGHT})),
  series.map(({look, values}) => svg('path', {class: `line ${look}`, d: pathOf(values, xOf, top)})),
  cursor);
  return h('figure', {class: 'plot'},
      h('figcaption', {}, h('h3', {}, title), keys),
      h('div', {class: 'field-of-plot'}, picture,
          h('span', {class: 'top', 'aria-hidden': 'true'}, format(top)),
          h('span', {class: 'zero', 'aria-hidden': 'true'}, '0')),
      h('div', {class: 'times', 'aria-hidden': 'true'},
          h('span', {}, clockTime(begin)), when));
}
