// What an operator can do with one transaction, and the words before each.

import {askAndChange} from './change_dialog.js';
import {edit} from './edit.js';
import {field} from './dialog.js';
import {h} from './h.js';
import {short} from './text.js';
import {isFinal} from './words.js';

const isWaiting = (row) => row.status === 'started' || row.status === 'parked';
export const waitingRows = (transaction) => transaction.branches.filter(isWaiting);
const MAY_REFUSE = new Set(['action', 'try', 'prepare', 'query']);

const pathTo = (gid, verb) => ['transactions', gid, verb];
const named = (gid) => short(gid, 40);

export function replay({gid}) {
  return askAndChange({
    title: 'Replay', about: gid, path: pathTo(gid, 'replay'), verb: 'Replay',
    isReasonRequired: false, done: `${named(gid)}: what waits is called now.`,
    says: ['What this transaction waits for is called now, instead of at its next time.',
      'Nothing is skipped and nothing is decided. A branch may be called once more than ' +
      'otherwise, as it may be at any time.'],
  });
}

export function back({gid}) {
  return askAndChange({
    title: 'Turn back', about: gid, path: pathTo(gid, 'back'), verb: 'Turn back', checked: gid,
    done: `${named(gid)} turns back.`,
    says: ['No further step is begun. Whatever may have run is undone, until each undoing has ' +
      'succeeded; then the transaction has failed.', 'This cannot be taken back.'],
  });
}

export function stop({gid}) {
  return askAndChange({
    title: 'Stop for good', about: gid, path: pathTo(gid, 'stop'), verb: 'Stop for good',
    checked: gid, done: `${named(gid)} was stopped.`,
    says: ['No call of this transaction is made any more, and it ends as failed.',
      'What has run stays as it is and is not undone: somebody has to put it right by hand. ' +
      'Turning back undoes it; this does not.', 'This cannot be taken back.'],
  });
}

function select(name, options) {
  return h('select', {name}, options.map(([value, text]) => h('option', {value}, text)));
}

export function resolve(transaction) {
  const {gid} = transaction;
  const rows = waitingRows(transaction);
  const which = select('which', rows.map((row, i) =>
    [String(i), short(`${row.branch_id} ${row.op} ${row.target}`, 60)]));
  const as = select('as', []);
  const chosen = () => rows[Number(which.value)];
  const offer = () => as.replaceChildren(
      h('option', {value: 'success'}, 'success: it was done'),
      MAY_REFUSE.has(chosen().op) ?
        h('option', {value: 'failure'}, 'failure: it was refused, and did nothing') : '');
  which.addEventListener('change', offer);
  offer();
  return askAndChange({
    title: 'Resolve an operation', about: gid, path: pathTo(gid, 'resolve'), verb: 'Resolve',
    checked: gid, done: `${named(gid)} goes on as after that answer.`,
    fields: [field('Operation', which), field('It ended as', as)],
    read: () => ({branch_id: chosen().branch_id, op: chosen().op, as: as.value}),
    says: ['You say how an operation ended whose answer never came; the transaction goes on as ' +
      'after that answer. Look at the service first: belay believes you.',
    'This cannot be taken back.'],
  });
}

// [{name, run, key, danger}]: those that may do something in this state.
export function verbsFor(transaction) {
  if (isFinal(transaction.status)) return [];
  const waits = waitingRows(transaction).length > 0;
  const mayTurnBack = transaction.mode === 'saga' ? transaction.status !== 'aborting' :
    transaction.mode !== 'workflow' && transaction.status === 'prepared';
  return [
    {name: 'Replay', key: 'p', run: replay},
    waits && {name: 'Edit…', key: 'e', run: edit},
    waits && {name: 'Resolve…', key: 'v', run: resolve},
    mayTurnBack && {name: 'Turn back…', key: 'b', run: back},
    {name: 'Stop…', key: 'x', run: stop, danger: true},
  ].filter(Boolean);
}
