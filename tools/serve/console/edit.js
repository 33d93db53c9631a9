// The dialog that changes what a branch is called with: its payload, its target, its headers.

import {get} from './api.js';
import {askAndChange} from './change_dialog.js';
import {choice, field, line} from './controls.js';
import {editableRows} from './editable.js';
import {h} from './h.js';
import {headerChanges, headerLines} from './headers.js';
import {refusalOf} from './hidden.js';
import {notice} from './notice.js';
import {branchIds} from './order.js';
import {short} from './text.js';
import {isSecondPhase, mayBeShown, operationWords} from './words.js';

const TAKES_ALL = '`belay edit --payload FILE` takes the whole one.';

// The payload as the definition shows it: a text, or bytes.
function payloadOf(step) {
  const payload = step?.[2] ?? '';
  if (typeof payload === 'string') return {text: payload, member: 'payload'};
  return {text: payload.base64, member: 'payload_base64'};
}

// Rows that may be edited, each with the step of the definition that it belongs to. What the
// transaction waits for comes first, then the first phase.
function choicesOf(transaction, waits) {
  const ids = branchIds(transaction);
  const rankOf = ({branch_id: id, op}) => {
    if (waits.some((wait) => wait.branch_id === id && wait.op === op)) return 0;
    return isSecondPhase(op) ? 2 : 1;
  };
  return editableRows(transaction)
      .map((row) => ({row, step: transaction.definition?.steps?.[ids.indexOf(row.branch_id)]}))
      .sort((a, b) => rankOf(a.row) - rankOf(b.row));
}

// Each of these returns the members of the body for what was changed, or a sentence.

// `shown`: what the control made of the payload.
function payloadChange(step, shown, value) {
  if (value === shown) return {};
  const {text, member} = payloadOf(step);
  if (text !== shown) return `A browser changes the line ends of this payload. ${TAKES_ALL}`;
  return refusalOf('The payload', value, TAKES_ALL) ?? {[member]: value};
}

function targetChange(row, value) {
  if (value === row.target) return {};
  return refusalOf('The target', value) ?? {target: value.trim()};
}

function changesOf({row, step}, shown, {payload, target, headers}) {
  const body = {branch_id: row.branch_id, op: row.op};
  const changes = [payloadChange(step, shown, payload.value), targetChange(row, target.value),
    headerChanges(step, headers.value)];
  for (const change of changes) {
    if (typeof change === 'string') return change;
    Object.assign(body, change);
  }
  return Object.keys(body).length > 2 ? body : 'Nothing was changed.';
}

async function read(gid) {
  try {
    return await get(['transactions', gid], {payloads: true});
  } catch (error) {
    notice(mayBeShown(error), 'bad');
    return null;
  }
}

// `waits`: what the transaction waits for, as the server says.
export async function edit({gid}, waits) {
  const transaction = await read(gid);
  if (transaction === null) return false;
  const choices = choicesOf(transaction, waits);
  if (choices.length === 0) {
    notice('No operation of it is left to be called.', 'bad');
    return false;
  }
  const which = choice('which', choices, ({row}) => operationWords(row));
  const controls = {
    payload: h('textarea', {name: 'payload', rows: 8, spellcheck: 'false'}),
    target: line('target'),
    headers: h('textarea', {name: 'headers', rows: 2, spellcheck: 'false'}),
  };
  let shown = '';  // the payload
  const fill = () => {
    controls.payload.value = payloadOf(which.chosen().step).text;
    shown = controls.payload.value;
    controls.target.value = which.chosen().row.target;
    controls.headers.value = headerLines(which.chosen().step);
  };
  which.control.addEventListener('change', fill);
  fill();
  return askAndChange({
    title: 'Edit an operation', about: gid, path: ['transactions', gid, 'edit'], verb: 'Change it',
    checked: gid, wide: true, done: `${short(gid, 40)}: the operation was changed.`,
    fields: [field('Operation', which.control),
      field('Payload', controls.payload, 'Bytes that are no text are shown and sent as base64.'),
      field('Target', controls.target, 'A URL or a handler’s name.'),
      field('Headers', controls.headers, 'One “Name: value” a line. *** stands for a secret that ' +
        'is not shown; it stays as it is.')],
    read: () => changesOf(which.chosen(), shown, controls),
    says: ['The next call of this operation is made with what you write here. What was answered ' +
      'already stays. Change only what the service can take for the same piece of work.'],
  });
}
