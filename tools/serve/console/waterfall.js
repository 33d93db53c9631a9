// The timeline as a picture: a lane for each operation, a mark for each answer, over time.
// The timeline has no beginnings of calls: a bar begins when the operation could.

import {absolute, duration, now} from './clock.js';
import {h, svg} from './h.js';
import {plain} from './text.js';
import {outcomeLook} from './words.js';

const LANES_MAX = 60;
const LANE = 22;
const WIDTH = 1_000;

// [{name, bars: [{from, to, event}], waiting}], in the order of the first answer.
function lanesOf(transaction, waits) {
  const lanes = new Map();
  const laneOf = (id, op) => {
    const key = JSON.stringify([id, op]);
    if (!lanes.has(key)) lanes.set(key, {name: `${id} ${op}`, bars: [], until: null});
    return lanes.get(key);
  };
  let further = transaction.created_at;  // when something last went on
  for (const event of transaction.timeline) {
    if (event.branch_id && event.op) {
      const lane = laneOf(event.branch_id, event.op);
      lane.bars.push({from: Math.max(lane.until ?? further, transaction.created_at), to: event.at,
        event});
      lane.until = event.at;
    }
    const hasEnded = event.outcome === 'success' || event.outcome === 'failure';
    if (event.event !== 'answered' || hasEnded) further = event.at;
  }
  for (const wait of waits) {
    const lane = laneOf(wait.branch_id, wait.op);
    lane.waiting = {from: lane.until ?? further, dueAt: wait.due_at};
  }
  return [...lanes.values()];
}

function barWords({from, to, event}) {
  const times = event.repeats > 1 ? `, ${event.repeats} times in a row` : '';
  return `${event.event} ${outcomeLook(event.outcome)[1]}${times}, ${absolute(to)}, ` +
      `after ${duration(to - from)}${event.detail ? `\n${plain(event.detail)}` : ''}`;
}

function laneWords(lane) {
  const bars = lane.bars.map((bar) => `${outcomeLook(bar.event.outcome)[1] || bar.event.event}` +
      `${bar.event.repeats > 1 ? ` ${bar.event.repeats} times` : ''}`);
  return `${plain(lane.name)}: ${[...bars, ...(lane.waiting ? ['waiting'] : [])].join(', then ')}`;
}

// Beyond, a next call would squeeze all that has happened into a corner.
const dueSoon = (lane, end) => lane.waiting?.dueAt && lane.waiting.dueAt <= end;

function laneParts(lane, y, xOf, end) {
  const middle = y + LANE / 2;
  const parts = lane.bars.map((bar) => {
    const [from, to] = [xOf(bar.from), xOf(bar.to)];
    const [look] = outcomeLook(bar.event.outcome);
    const repeated = bar.event.repeats > 1;
    return svg('g', {class: `bar ${look}`}, svg('title', {}, barWords(bar)),
        svg('rect', {x: from, y: middle - 4, width: Math.max(to - from, 5), height: 8,
          class: repeated ? 'repeated' : null}));
  });
  if (lane.waiting) {
    parts.push(svg('line', {class: 'waits', x1: xOf(lane.waiting.from), x2: xOf(now()),
      y1: middle, y2: middle}));
    if (dueSoon(lane, end)) {
      const {dueAt} = lane.waiting;
      parts.push(svg('path', {class: 'due', d: `M${xOf(dueAt)} ${middle - 7}v14`},
          svg('title', {}, `tried again at ${absolute(dueAt)}`)));
    }
  }
  return parts;
}

function repeatsOf(lane) {
  const most = Math.max(0, ...lane.bars.map((bar) => bar.event.repeats));
  return most > 1 ? ` ×${most}` : '';
}

// `waits`: what the transaction waits for, as the server says.
export function waterfall(transaction, waits) {
  const all = lanesOf(transaction, waits);
  const lanes = all.slice(0, LANES_MAX);
  if (lanes.length === 0) return h('p', {class: 'empty'}, 'No branch has been called yet.');
  const begin = transaction.created_at;
  const last = Math.max(transaction.finished_at ?? now(), begin + 1,
      ...transaction.timeline.map((event) => event.at));
  const later = lanes.filter((lane) => dueSoon(lane, last + (last - begin) / 2));
  const end = Math.max(last, ...later.map((lane) => lane.waiting.dueAt));
  const xOf = (at) => ((Math.min(Math.max(at, begin), end) - begin) / (end - begin)) * WIDTH;
  const height = lanes.length * LANE;
  return h('figure', {class: 'waterfall'},
      h('div', {class: 'lanes'},
          h('div', {class: 'names', 'aria-hidden': 'true'}, lanes.map((lane) => h('span',
              {title: plain(lane.name)}, plain(lane.name), h('b', {}, repeatsOf(lane))))),
          svg('svg', {viewBox: `0 0 ${WIDTH} ${height}`, preserveAspectRatio: 'none', height,
            role: 'img', 'aria-label': `Calls over time. ${lanes.map(laneWords).join('. ')}.`},
          lanes.map((_, i) => svg('line', {class: 'grid', x1: 0, x2: WIDTH,
            y1: (i + 0.5) * LANE, y2: (i + 0.5) * LANE})),
          lanes.map((lane, i) => laneParts(lane, i * LANE, xOf, end))),
          h('div', {class: 'times'}, h('span', {title: absolute(begin)}, 'begun'),
              h('span', {title: absolute(end)}, `+ ${duration(end - begin)}`))),
      all.length > lanes.length ?
        h('p', {class: 'quiet'}, `The first ${lanes.length} of ${all.length} operations.`) : null);
}
