// What an operator can do with one transaction, and the words before each.

import {askAndChange} from './change_dialog.js';
import {choice, field} from './controls.js';
import {edit} from './edit.js';
import {editableRows} from './editable.js';
import {h} from './h.js';
import {short} from './text.js';
import {isSecondPhase, isStopped, operationWords} from './words.js';

// A refusal ends the first phase only; a delivery is called again until it succeeds.
const mayRefuse = (mode, op) => !isSecondPhase(op) && !(mode === 'msg' && op === 'action');

const pathTo = (gid, verb) => ['transactions', gid, verb];
const named = (gid) => short(gid, 40);

function replay({gid}) {
  return askAndChange({
    title: 'Replay', about: gid, path: pathTo(gid, 'replay'), verb: 'Replay',
    isReasonRequired: false, done: `${named(gid)}: what waits is called now.`,
    says: ['What this transaction waits for is called now, instead of at its next time.',
      'Nothing is skipped and nothing is decided. A branch may be called once more than ' +
      'otherwise, as it may be at any time.'],
  });
}

function back({gid}) {
  return askAndChange({
    title: 'Turn back', about: gid, path: pathTo(gid, 'back'), verb: 'Turn back', checked: gid,
    done: `${named(gid)} turns back.`,
    says: ['No further step is begun. Whatever may have run is undone, until each undoing has ' +
      'succeeded; then the transaction has failed.', 'This cannot be taken back.'],
  });
}

function stop({gid}) {
  return askAndChange({
    title: 'Stop for good', about: gid, path: pathTo(gid, 'stop'), verb: 'Stop for good',
    checked: gid, done: `${named(gid)} was stopped.`,
    says: ['No call of this transaction is made any more, and it ends as failed.',
      'What has run stays as it is and is not undone: somebody has to put it right by hand. ' +
      'Turning back undoes it; this does not.', 'This cannot be taken back.'],
  });
}

function resolve({gid, mode}, waits) {
  const which = choice('which', waits, operationWords);
  const as = h('select', {name: 'as'});
  const offer = () => as.replaceChildren(
      h('option', {value: 'success'}, 'success: it was done'),
      mayRefuse(mode, which.chosen().op) ?
        h('option', {value: 'failure'}, 'failure: it was refused, and did nothing') : '');
  which.control.addEventListener('change', offer);
  offer();
  return askAndChange({
    title: 'Resolve an operation', about: gid, path: pathTo(gid, 'resolve'), verb: 'Resolve',
    checked: gid, done: `${named(gid)} goes on as after that answer.`,
    fields: [field('Operation', which.control), field('It ended as', as)],
    read: () => {
      const {branch_id: id, op} = which.chosen();
      return {branch_id: id, op, as: as.value};
    },
    says: ['You say how an operation ended whose answer never came; the transaction goes on as ' +
      'after that answer. Look at the service first: belay believes you.',
    'This cannot be taken back.'],
  });
}

function mayTurnBack(transaction) {
  const {mode, status} = transaction;
  if (isStopped(transaction)) return false;
  return mode === 'saga' ? status !== 'aborting' : mode !== 'workflow' && status === 'prepared';
}

// [{name, key, run, danger}]: those that may do something to this unfinished transaction.
// `waits`: what it waits for, as the server says.
export function verbsFor(transaction, waits) {
  const mayResolve = transaction.mode !== 'workflow' && waits.length > 0;
  return [
    {name: 'Replay', key: 'p', run: () => replay(transaction)},
    editableRows(transaction).length > 0 &&
      {name: 'Edit…', key: 'e', run: () => edit(transaction, waits)},
    mayResolve && {name: 'Resolve…', key: 'v', run: () => resolve(transaction, waits)},
    mayTurnBack(transaction) && {name: 'Turn back…', key: 'b', run: () => back(transaction)},
    {name: 'Stop…', key: 'x', run: () => stop(transaction), danger: true},
  ].filter(Boolean);
}
