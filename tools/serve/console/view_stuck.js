// What is stuck, by cause: the largest group first, with what can be done for all of it.

import {mayChange} from './access.js';
import {get} from './api.js';
import {bulk} from './bulk.js';
import {time} from './clock.js';
import {keepFresh} from './fresh.js';
import {h} from './h.js';
import {place, toTransaction} from './route.js';
import {table} from './table.js';
import {hold} from './targets.js';
import {counted, number, plain, short, shown} from './text.js';

const EVERY_MS = 4_000;
const LIMIT = 200;
const BY = {handler: 'Handler or URL', host: 'Host', error: 'Error'};

function tabs(by) {
  const link = ([key, name]) => h('a', {href: place('stuck', [], {by: key}),
    'aria-current': key === by ? 'page' : null}, name);
  return h('nav', {class: 'tabs', 'aria-label': 'Grouped by'}, Object.entries(BY).map(link));
}

function keyWords(group) {
  if (group.key !== null) return shown(group.key);
  return group.by === 'host' ? 'none: handlers of a program' : 'no answer yet';
}

function verbs(group, again) {
  const key = plain(group.key ?? 'none');
  const button = (name, run, look) => h('button', {type: 'button', class: look,
    'data-key': `${name} ${key}`, 'aria-label': `${name}: ${short(key, 60)}`,
    onclick: () => run().then(again)}, name);
  return h('div', {class: 'row-verbs'},
      button('Replay all', () => bulk('replay', group)),
      button('Stop all', () => bulk('stop', group), 'danger'),
      group.by !== 'error' && group.key !== null ? button('Hold', () => hold(group.key)) : null);
}

function columns(by, again) {
  return [
    {name: BY[by], class: 'gid', cell: (group) => [h('b', {class: 'cause'}, keyWords(group)),
      h('small', {class: 'why'}, by === 'error' ? [group.op, ' ', shown(group.target)] :
        group.last_error ? shown(group.last_error) : 'no answer yet')]},
    {name: 'Stuck', class: 'number', cell: (group) => number(group.transactions)},
    {name: 'Oldest', class: 'nowrap', cell: (group) => time(group.oldest_created_at)},
    {name: 'Next call', class: 'nowrap wide-only', cell: (group) => time(group.next_due_at)},
    {name: 'Example', class: 'gid example wide-only', cell: (group) =>
      h('a', {href: toTransaction(group.gid), 'data-row': true, title: plain(group.gid),
        'data-key': `example ${plain(group.key ?? '')}`}, shown(group.gid))},
    mayChange() && {name: 'For all', class: 'verbs-cell', cell: (group) => verbs(group, again)},
  ].filter(Boolean);
}

function paint(by, {groups, left_out: leftOut}, again) {
  const total = groups.reduce((sum, group) => sum + group.transactions, 0);
  return [
    table({caption: `Stuck transactions by ${by}, the largest group first`,
      columns: columns(by, again), rows: groups,
      empty: 'Nothing is stuck. Every branch answers, or is still given its time.'}),
    total === 0 ? null : h('p', {class: 'quiet'}, `${counted(groups.length, 'cause')}` +
      `${leftOut ? `, and ${counted(leftOut, 'transaction')} of further ones` : ''}. ` +
      'A transaction that waits for several branches counts for each. ',
    h('a', {href: place('list', [], {stuck: 'true'})}, 'All stuck ones in a list')),
  ].filter(Boolean);
}

export function stuckView({root, query, signal, onRefresh}) {
  const by = Object.hasOwn(BY, query.by ?? '') ? query.by : 'handler';
  root.append(h('h1', {}, 'Stuck'), tabs(by));
  const again = keepFresh({root, signal, every: EVERY_MS,
    read: async () => ({...await get(['stuck'], {by, limit: LIMIT}, signal),
      mayChange: mayChange()}),
    paint: (data) => paint(by, data, again)});
  onRefresh(again);
}
