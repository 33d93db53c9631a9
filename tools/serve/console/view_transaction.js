// One transaction: how it stands, why it waits, its branches and its calls as pictures, its data.

import {mayChange, whyNot} from './access.js';
import {get} from './api.js';
import {absolute, duration, now, time} from './clock.js';
import {keepFresh} from './fresh.js';
import {graph} from './graph.js';
import {h} from './h.js';
import {payloads} from './payloads.js';
import {chip, facts, table} from './table.js';
import {counted, number, sentence, short, shown} from './text.js';
import {verbsFor} from './verbs.js';
import {waterfall} from './waterfall.js';
import {branchLook, eventWord, isFinal, outcomeLook, statusLook, statusWord} from './words.js';

const EVERY_MS = 2_000;
const ROWS_MAX = 300;

function verbBar(transaction, waits, again) {
  if (isFinal(transaction.status)) return null;
  if (!mayChange()) return h('p', {class: 'quiet'}, `You may look, and not change: ${whyNot()}.`);
  return h('div', {class: 'verbs', role: 'group', 'aria-label': 'What you can do'},
      verbsFor(transaction, waits).map(({name, key, run, danger}) => h('button', {type: 'button',
        class: danger ? 'danger' : null, 'data-shortcut': key, 'data-key': `verb ${key}`,
        title: `Shortcut: ${key}`, onclick: () => run().then(again)}, name)));
}

function standing(transaction) {
  const ended = transaction.finished_at;
  return facts([
    ['Mode', transaction.mode],
    ['Begun', time(transaction.created_at)],
    ['Last change', time(transaction.updated_at)],
    ended === null ? ['Next call', transaction.due_at === null ? '' : time(transaction.due_at)] :
      ['Ended', time(ended)],
    ['Took', ended === null ? `${duration(now() - transaction.created_at)} so far` :
      duration(ended - transaction.created_at)],
    ['Calls', number(transaction.attempts)],
    ['Last error', transaction.last_error ? shown(transaction.last_error) : ''],
    ['Result', transaction.result ? shown(transaction.result) : ''],
    ['Trace', transaction.trace_id ? shown(transaction.trace_id, {class: 'mono'}) : ''],
  ]);
}

function waitParts(wait) {
  return h('li', {}, h('p', {}, 'It waits for branch ', shown(wait.branch_id, {class: 'mono'}),
      ', ', wait.op, ' ', shown(wait.target, {class: 'mono'}),
      `, for ${duration(now() - wait.since)}. `, sentence(wait.meaning)),
  h('p', {class: 'quiet'}, `Tried ${counted(wait.attempts, 'time')}`,
      wait.due_at === null ? '' : [', next ', time(wait.due_at)],
      wait.breaker ? [', breaker of ', shown(wait.host), ` ${wait.breaker}`] : '', '.'));
}

function whyPart(why) {
  return h('section', {class: 'why-part', 'aria-labelledby': 'why'}, h('h2', {id: 'why'}, 'Why'),
      h('p', {}, sentence(why.summary)),
      why.waits.length ? h('ul', {class: 'waits'}, why.waits.map(waitParts)) : null,
      why.helps.length ? [h('h3', {}, 'What helps'),
        h('ul', {}, why.helps.map((one) => h('li', {}, sentence(one))))] : null);
}

const isPresent = (row) => row.target !== '' || row.status !== 'idle';

function branchTable({branches}) {
  const rows = branches.filter(isPresent);
  return [table({caption: 'Operations of the branches', rows: rows.slice(0, ROWS_MAX), columns: [
    {name: 'Branch', class: 'mono nowrap', cell: (row) => [shown(row.branch_id), ' ', row.op]},
    {name: 'State', cell: (row) => {
      const [look, sign, word] = branchLook(row.status);
      return chip([look, sign], word);
    }},
    {name: 'Target', class: 'gid mono', cell: (row) => [shown(row.target),
      row.last_error ? h('small', {class: 'why'}, shown(row.last_error)) : null]},
    {name: 'Calls', class: 'number wide-only', cell: (row) => number(row.attempts)},
    {name: 'Next', class: 'nowrap wide-only', cell: (row) =>
      (row.due_at === null ? '' : time(row.due_at))},
  ], empty: 'It has no branches.'}), tooMany(rows)];
}

const tooMany = (rows) => (rows.length > ROWS_MAX ? h('p', {class: 'quiet'},
    `The first ${ROWS_MAX} of ${number(rows.length)}; ` +
    'the command belay show shows all.') : null);

function eventTable({timeline}) {
  const rows = timeline.slice(-ROWS_MAX).reverse();
  return [table({caption: 'Events, the newest first', rows, columns: [
    {name: 'When', class: 'nowrap', cell: (row) =>
      h('span', {class: 'mono', title: absolute(row.at)}, time(row.at))},
    {name: 'Event', cell: (row) => [eventWord(row.event),
      row.outcome ? [' ', h('span', {class: `outcome ${outcomeLook(row.outcome)[0]}`},
          outcomeLook(row.outcome)[1])] : null,
      row.repeats > 1 ? ` ×${number(row.repeats)}` : null]},
    {name: 'Branch', class: 'mono', cell: (row) => (row.branch_id ?
      [shown(row.branch_id), ' ', row.op] : '')},
    {name: 'Detail', class: 'gid', cell: (row) => (row.detail ? shown(row.detail) : '')},
  ], empty: 'Nothing has happened yet.'}),
  timeline.length > ROWS_MAX ? h('p', {class: 'quiet'}, `The last ${ROWS_MAX} of ` +
    `${number(timeline.length)}; the command belay log shows all.`) : null];
}

function progressTable({progress}) {
  if (progress.length === 0) return null;
  return section('Steps of the workflow', [table({caption: 'Recorded steps', empty: '',
    rows: progress.slice(0, ROWS_MAX), columns: [
      {name: 'Step', class: 'mono', cell: (row) => [shown(row.branch_id), ' ', shown(row.op)]},
      {name: 'State', cell: (row) => shown(row.status)},
      {name: 'When', class: 'nowrap', cell: (row) => time(row.at)},
      {name: 'Data', class: 'gid mono', cell: (row) => (row.data ? shown(row.data) : '')},
    ]}), tooMany(progress)]);
}

let sections = 0;
function section(title, content) {
  const id = `section-${++sections}`;
  return h('section', {'aria-labelledby': id}, h('h2', {id}, title), content);
}

function paint({transaction, why}, root, again) {
  const width = root.clientWidth;
  return [
    verbBar(transaction, why.waits, again),
    standing(transaction),
    whyPart(why),
    section('Branches', graph(transaction, width)),
    section('Calls over time', waterfall(transaction, why.waits)),
    section('Operations', branchTable(transaction)),
    section('Events', eventTable(transaction)),
    progressTable(transaction),
  ].filter(Boolean);
}

async function read(gid, signal) {
  const [transaction, why] = await Promise.all([
    get(['transactions', gid], {}, signal), get(['transactions', gid, 'why'], {}, signal)]);
  return {transaction, why, mayChange: mayChange()};
}

export function transactionView({root, args, signal, named, onRefresh}) {
  const gid = args.join('/');
  const state = h('span', {});
  root.append(h('div', {class: 'title'}, h('h1', {class: 'gid-title'}, shown(gid)), state));
  named(short(gid, 60));
  const frame = h('div', {});
  const data = h('div', {}, payloads(gid, signal));
  root.append(frame, data);
  const again = keepFresh({root: frame, signal, read: () => read(gid, signal),
    every: ({transaction}) => (isFinal(transaction.status) ? 0 : EVERY_MS),
    paint: (found) => {
      state.replaceChildren(chip(statusLook(found.transaction), statusWord(found.transaction)));
      data.hidden = !mayChange();  // who may not change anything is not shown payloads either
      return paint(found, root, again);
    }});
  onRefresh(again);
}
