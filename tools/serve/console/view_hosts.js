// The hosts that are called, with their breakers, and the services that are found by name.

import {mayChange} from './access.js';
import {get} from './api.js';
import {duration} from './clock.js';
import {keepFresh} from './fresh.js';
import {h} from './h.js';
import {chip, table} from './table.js';
import {hold} from './targets.js';
import {number, plain, shown} from './text.js';

const EVERY_MS = 5_000;
const BREAKERS = {
  closed: [['good', '●'], 'closed'], open: [['bad', '○'], 'open: left alone'],
  half_open: [['warn', '◐'], 'half open: one call tries'],
};

const count = (name, key, extra = '') => ({name, class: `number ${extra}`,
  cell: (host) => number(host[key])});

function columns(again) {
  return [
    {name: 'Host', class: 'gid', cell: ({host}) => shown(host)},
    {name: 'Breaker', cell: ({breaker, breaker_opened: opened}) => [
      chip(...(BREAKERS[breaker.replaceAll('-', '_')] ?? [['plain', '○'], breaker])),
      opened ? h('small', {class: 'why'}, `opened ${number(opened)} times`) : null]},
    count('In flight', 'in_flight'), count('Success', 'success', 'wide-only'),
    count('Failure', 'failure', 'wide-only'), count('Ongoing', 'ongoing', 'wide-only'),
    count('Unknown', 'unknown'), count('No connection', 'no_connection', 'wide-only'),
    mayChange() && {name: 'Change', class: 'verbs-cell', cell: ({host}) => h('div',
        {class: 'row-verbs'}, h('button', {type: 'button', 'data-key': `hold ${plain(host)}`,
          'aria-label': `Hold: ${plain(host)}`, onclick: () => hold(host).then(again)}, 'Hold'))},
  ].filter(Boolean);
}

function list({known, stale_ms: stale}) {
  if (stale) return chip(['bad', '○'], `not asked for ${duration(stale)}`);
  return known ? chip(['good', '●'], 'current') : chip(['plain', '◌'], 'not known yet');
}

const NAMES = [
  {name: 'Name', class: 'gid', cell: ({name}) => shown(name)},
  count('Endpoints', 'endpoints'),
  {name: 'List', cell: list},
  count('Lists', 'lists', 'wide-only'), count('Errors', 'failures', 'wide-only'),
  {name: 'Last error', cell: ({last_error: error}) => (error ? shown(error) : '')},
];

// Most servers have none.
function services(names) {
  if (names.length === 0) return [];
  return [h('h2', {}, 'Services by name'),
    table({caption: 'Services that are found by name', columns: NAMES, rows: names, empty: ''}),
    h('p', {class: 'quiet'}, 'Where a registry cannot be asked, the endpoints that were known ' +
      'last are called.')];
}

export function hostsView({root, signal, onRefresh}) {
  root.append(h('h1', {}, 'Hosts'));
  const again = keepFresh({root, signal, every: EVERY_MS,
    read: async () => {
      const [hosts, names] = await Promise.all(
          ['hosts', 'names'].map((path) => get([path], {}, signal)));
      return {...hosts, ...names, mayChange: mayChange()};
    },
    paint: ({hosts, names}) => [
      table({caption: 'Hosts that were called since the start', columns: columns(again),
        rows: hosts, empty: 'No host has been called since the start.'}),
      h('p', {class: 'quiet'}, 'Ended calls by what came of them, since the start. A host whose ' +
        'breaker is open is left alone for a while.'),
      ...services(names)]});
  onRefresh(again);
}
