// The list: filters in the address, so that a link shows the same and going back works.

import {get} from './api.js';
import {absolute, time} from './clock.js';
import {line, select} from './controls.js';
import {keepFresh} from './fresh.js';
import {h} from './h.js';
import {place, toTransaction} from './route.js';
import {chip, table} from './table.js';
import {counted, number, plain, shown} from './text.js';
import {isFinal, statusLook, statusWord} from './words.js';

const EVERY_MS = 3_000;
const AGES = [['', 'any age'], ['60000', '1 minute'], ['3600000', '1 hour'], ['86400000', '1 day']];

const FILTERS = ['status', 'mode', 'finished', 'stuck', 'older_than_ms', 'newer_than_ms', 'target',
  'gid_prefix', 'before'];

function queryOf(query) {
  return Object.fromEntries(FILTERS.filter((name) => query[name])
      .map((name) => [name, query[name]]));
}

const unseen = (label, control, look) =>
    h('label', {class: look}, h('span', {class: 'unseen'}, label), control);

const choose = (name, label, value, options) => unseen(label, select(name, options, value ?? ''));

const find = (name, label, value, placeholder) =>
    unseen(label, line(name, {type: 'search', value, placeholder}), 'grows');

// What the state select says, as the API's filters.
const STATES = {
  '': {}, stuck: {stuck: 'true'}, unfinished: {finished: 'false'}, prepared: {status: 'prepared'},
  submitted: {status: 'submitted'}, aborting: {status: 'aborting'}, succeed: {status: 'succeed'},
  failed: {status: 'failed'},
};

function stateOf(query) {
  if (query.stuck === 'true') return 'stuck';
  if (query.finished === 'false') return 'unfinished';
  return query.status ?? '';
}

function filters(query) {
  const form = h('form', {class: 'filters', role: 'search', onsubmit: (event) => {
    event.preventDefault();
    go();
  }},
  find('gid_prefix', 'gid begins with', query.gid_prefix, 'gid begins with…'),
  choose('state', 'State', stateOf(query), [['', 'any state'], ['stuck', 'stuck'],
    ['unfinished', 'unfinished'], ['prepared', 'prepared'], ['submitted', 'under way'],
    ['aborting', 'turning back'], ['succeed', 'succeeded'], ['failed', 'failed']]),
  choose('mode', 'Mode', query.mode, [['', 'any mode'],
    ...['saga', 'tcc', 'xa', 'msg', 'workflow'].map((mode) => [mode, mode])]),
  choose('older_than_ms', 'Older than', query.older_than_ms,
      AGES.map(([key, text]) => [key, key ? `older than ${text}` : text])),
  find('target', 'Target', query.target, 'handler or URL'),
  h('button', {type: 'submit'}, 'Find'));
  const go = () => {
    const values = Object.fromEntries(new FormData(form));
    const {state, ...rest} = values;
    const next = place('list', [], {...rest, ...STATES[state]});
    if (next !== location.hash) location.hash = next;
  };
  form.addEventListener('change', (event) => {
    if (event.target.localName === 'select') go();
  });
  return form;
}

function when(row) {
  if (row.finished_at !== null) return ['ended ', time(row.finished_at)];
  return row.due_at === null ? '' : ['next ', time(row.due_at)];
}

const columns = [
  {name: 'Transaction', class: 'gid', cell: (row) => [
    h('a', {href: toTransaction(row.gid), 'data-row': true, 'data-key': `row ${row.id}`,
      title: plain(row.gid)}, shown(row.gid)),
    h('small', {class: 'why'}, row.obstacle ?? row.last_error ?
      shown(row.obstacle ?? row.last_error) : null)]},
  {name: 'State', cell: (row) => chip(statusLook(row), statusWord(row))},
  {name: 'Mode', class: 'wide-only', cell: (row) => row.mode},
  {name: 'Begun', class: 'nowrap', cell: (row) => time(row.created_at)},
  {name: 'Calls', class: 'number wide-only', cell: (row) => number(row.attempts)},
  {name: 'Next, or end', class: 'nowrap wide-only', cell: (row) => when(row)},
];

const isFiltered = (query) => FILTERS.some((name) => name !== 'before' && query[name]);

function emptyWords(query, page) {
  if (page.next_before !== null) return 'None among those looked at so far. Older ones may match.';
  if (query.before) return 'There are no older ones.';
  return isFiltered(query) ? 'No transaction is like that.' :
    'No transaction yet. Those that are submitted appear here.';
}

function pager(query, page) {
  return h('nav', {class: 'pager', 'aria-label': 'Pages'},
      query.before ? h('a', {href: place('list', [], {...queryOf(query), before: ''})}, 'Newest') :
        null,
      page.next_before === null ? null : h('a', {'data-key': 'older',
        href: place('list', [], {...queryOf(query), before: page.next_before})}, 'Older →'));
}

// The exact gid first: who pastes a whole one wants that transaction.
function exact(query, page) {
  const row = page.transactions.find(({gid}) => gid === query.gid_prefix);
  return row && page.transactions.length > 1 ? h('p', {}, 'Exactly this: ',
      h('a', {href: toTransaction(row.gid)}, shown(row.gid))) : null;
}

function paint(query, page) {
  const last = page.transactions.at(-1);
  const open = page.transactions.filter((row) => !isFinal(row.status)).length;
  return [
    exact(query, page),
    table({caption: 'Transactions, the newest first', columns, rows: page.transactions,
      empty: emptyWords(query, page), rowClass: (row) => (row.stuck ? 'marked' : null)}),
    h('p', {class: 'quiet'}, last ? `${counted(page.transactions.length, 'transaction')}, ` +
      `${number(open)} unfinished, back to ${absolute(last.created_at)}.` : ''),
    pager(query, page),
  ].filter(Boolean);
}

export function listView({root, query, signal, onRefresh}) {
  root.append(h('h1', {}, 'Transactions'), filters(query));
  if (query.find) root.querySelector('[name=gid_prefix]').focus();
  onRefresh(keepFresh({root, signal, every: query.before ? 0 : EVERY_MS,
    read: () => get(['transactions'], {...queryOf(query), limit: 50}, signal),
    paint: (page) => paint(query, page)}));
}
