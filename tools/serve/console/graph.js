// The branches of a transaction as a picture: boxes with their state, lines for the order.

import {h, svg} from './h.js';
import {branchesOf, depths} from './order.js';
import {plain, short} from './text.js';
import {branchLook, isSecondPhase} from './words.js';

const BOX = {width: 236, height: 62};
const GAP = {along: 36, across: 14};
const BRANCHES_MAX = 60;
const TEXT_CHARACTERS = 31;

// What a person calls the target: the end of a URL's path, or the handler's name.
function nameOf(target) {
  const path = /^(?:(?:jsonrpc\+)?https?|grpcs?):\/\/[^/?#]*([^?#]*)/i.exec(target)?.[1];
  return short(path === undefined || path.length < 2 ? target : path, TEXT_CHARACTERS);
}

const opWords = (row) => `${row.op}: ${branchLook(row.status)[2]}`;

// The second phase shows once something of it has begun; else the first.
function leading(branch) {
  return branch.ops.find((row) => isSecondPhase(row.op) && row.status !== 'idle') ?? branch.ops[0];
}

function box(branch, {x, y}) {
  const row = leading(branch);
  const [look, sign, word] = branchLook(row.status);
  const other = branch.ops.filter((one) => one !== row && one.target !== '');
  return svg('g', {class: `box ${look}`, transform: `translate(${x} ${y})`},
      svg('title', {}, branch.ops.map((one) =>
        `${plain(branch.id)} ${opWords(one)}, ${plain(one.target)}`).join('\n')),
      svg('rect', {width: BOX.width, height: BOX.height, rx: 6}),
      svg('rect', {class: 'edge', width: 4, height: BOX.height, rx: 2}),
      svg('text', {x: 14, y: 19, class: 'id'}, `${sign} ${short(branch.id, 10)}`),
      svg('text', {x: BOX.width - 10, y: 19, class: 'state', 'text-anchor': 'end'},
          `${row.op} ${word}`),
      svg('text', {x: 14, y: 36, class: 'target'}, nameOf(row.target || other[0]?.target || '')),
      svg('text', {x: 14, y: 52, class: 'other'}, other.map((one) =>
        `${one.op} ${branchLook(one.status)[2]}`).slice(0, 1).join('')));
}

function placed(branches, isWide) {
  const depth = depths(branches);
  const taken = [];
  return branches.map((_, i) => {
    const along = depth[i];
    taken[along] = (taken[along] ?? -1) + 1;
    const across = taken[along];
    return isWide ?
      {x: along * (BOX.width + GAP.along), y: across * (BOX.height + GAP.across)} :
      {x: across * (BOX.width + GAP.across), y: along * (BOX.height + GAP.along)};
  });
}

function arrow(from, to, isWide) {
  if (isWide) {
    const [x1, y1] = [from.x + BOX.width, from.y + BOX.height / 2];
    const [x2, y2] = [to.x - 5, to.y + BOX.height / 2];
    return `M${x1} ${y1}C${x1 + 18} ${y1} ${x2 - 18} ${y2} ${x2} ${y2}`;
  }
  const [x1, y1] = [from.x + BOX.width / 2, from.y + BOX.height];
  const [x2, y2] = [to.x + BOX.width / 2, to.y - 5];
  return `M${x1} ${y1}C${x1} ${y1 + 18} ${x2} ${y2 - 18} ${x2} ${y2}`;
}

function inWords(branches) {
  return `The branches and their order. ${branches.map((branch) => {
    const waits = branch.waitsFor.map((i) => branches[i]?.id).filter(Boolean).map(plain);
    return `Branch ${plain(branch.id)}${waits.length ? `, after ${waits.join(' and ')}` : ''}: ` +
        branch.ops.filter((row) => row.target !== '').map(opWords).join(', ');
  }).join('. ')}.`;
}

export function graph(transaction, widthMax) {
  const all = branchesOf(transaction);
  const branches = all.slice(0, BRANCHES_MAX);
  if (branches.length === 0) return h('p', {class: 'empty'}, 'It has no branches.');
  const steps = Math.max(...depths(branches)) + 1;
  const isWide = steps * (BOX.width + GAP.along) - GAP.along <= widthMax;
  const places = placed(branches, isWide);
  const width = Math.max(...places.map(({x}) => x)) + BOX.width;
  const height = Math.max(...places.map(({y}) => y)) + BOX.height;
  const lines = branches.flatMap((branch, i) => branch.waitsFor
      .filter((from) => from < branches.length)
      .map((from) => svg('path', {class: 'order', d: arrow(places[from], places[i], isWide),
        'marker-end': 'url(#arrow)'})));
  return h('div', {class: 'scrolls', tabindex: '0', role: 'group', 'aria-label': 'Branches'},
      svg('svg', {class: 'graph', viewBox: `-1 -1 ${width + 2} ${height + 2}`, width: width + 2,
        height: height + 2, role: 'img', 'aria-label': inWords(branches)},
      svg('defs', {}, svg('marker', {id: 'arrow', viewBox: '0 0 8 8', refX: 4, refY: 4,
        markerWidth: 7, markerHeight: 7, orient: 'auto'},
      svg('path', {class: 'head', d: 'M0 0L8 4L0 8z'}))),
      lines, branches.map((branch, i) => box(branch, places[i]))),
      all.length > branches.length ?
        h('p', {class: 'quiet'}, `The first ${branches.length} of ${all.length} branches.`) : null);
}
