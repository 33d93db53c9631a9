// The dialog that changes what a branch is called with: its payload, its target, its headers.

import {get} from './api.js';
import {askAndChange} from './change_dialog.js';
import {field} from './dialog.js';
import {editableRows} from './editable.js';
import {h} from './h.js';
import {notice} from './notice.js';
import {short} from './text.js';
import {isSecondPhase, mayBeShown, operationWords} from './words.js';

// The payload as the definition shows it: a text, or bytes.
function payloadOf(step) {
  const payload = step?.[2] ?? '';
  if (typeof payload === 'string') return {text: payload, isBytes: false};
  if (typeof payload?.base64 === 'string') return {text: payload.base64, isBytes: true};
  return {text: JSON.stringify(payload), isBytes: false};
}

function headersOf(step) {
  const headers = step?.[3]?.headers;
  if (!Array.isArray(headers)) return '';
  return headers.map(([name, value]) => `${name}: ${value}`).join('\n');
}

// [[name, value], …], or the first line that is none.
function parseHeaders(text) {
  const headers = [];
  for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
    const at = line.indexOf(':');
    if (at < 1) return line;
    headers.push([line.slice(0, at).trim(), line.slice(at + 1).trim()]);
  }
  return headers;
}

// Rows that may be edited, each with the step of the definition that it belongs to. What the
// transaction waits for comes first, then the first phase.
function choicesOf(transaction, waits) {
  const ids = [...new Set(transaction.branches.map((row) => row.branch_id))];
  const rankOf = ({branch_id: id, op}) => {
    if (waits.some((wait) => wait.branch_id === id && wait.op === op)) return 0;
    return isSecondPhase(op) ? 2 : 1;
  };
  return editableRows(transaction)
      .map((row) => ({row, step: transaction.definition?.steps?.[ids.indexOf(row.branch_id)]}))
      .sort((a, b) => rankOf(a.row) - rankOf(b.row));
}

// What is set and what is gone. A secret that is not shown and stays is neither.
function headerChanges(before, after) {
  const old = new Map(parseHeaders(before));
  const names = new Set(after.map(([name]) => name));
  const out = {};
  const set = after.filter(([name, value]) => old.get(name) !== value);
  const gone = [...old.keys()].filter((name) => !names.has(name));
  if (set.length) out.headers = set;
  if (gone.length) out.without_headers = gone;
  return out;
}

// Only what was changed is sent.
function changesOf({row, step}, {payload, target, headers}) {
  const body = {branch_id: row.branch_id, op: row.op};
  const before = payloadOf(step);
  if (payload.value !== before.text) {
    body[before.isBytes ? 'payload_base64' : 'payload'] = payload.value;
  }
  if (target.value.trim() !== row.target) body.target = target.value.trim();
  if (headers.value !== headersOf(step)) {
    const parsed = parseHeaders(headers.value);
    if (typeof parsed === 'string') return `This line is no header: ${short(parsed, 60)}`;
    Object.assign(body, headerChanges(headersOf(step), parsed));
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
  const which = h('select', {name: 'which'}, choices.map(({row}, i) =>
    h('option', {value: String(i)}, operationWords(row))));
  const controls = {
    payload: h('textarea', {name: 'payload', rows: 8, spellcheck: 'false'}),
    target: h('input', {name: 'target', spellcheck: 'false', autocomplete: 'off'}),
    headers: h('textarea', {name: 'headers', rows: 2, spellcheck: 'false'}),
  };
  const chosen = () => choices[Number(which.value)];
  const fill = () => {
    controls.payload.value = payloadOf(chosen().step).text;
    controls.target.value = chosen().row.target;
    controls.headers.value = headersOf(chosen().step);
  };
  which.addEventListener('change', fill);
  fill();
  return askAndChange({
    title: 'Edit an operation', about: gid, path: ['transactions', gid, 'edit'], verb: 'Change it',
    checked: gid, wide: true, done: `${short(gid, 40)}: the operation was changed.`,
    fields: [field('Operation', which),
      field('Payload', controls.payload, 'Bytes that are no text are shown and sent as base64.'),
      field('Target', controls.target, 'A URL or a handler’s name.'),
      field('Headers', controls.headers, 'One “Name: value” a line. *** stands for a secret that ' +
        'is not shown; it stays as it is.')],
    read: () => changesOf(chosen(), controls),
    says: ['The next call of this operation is made with what you write here. What was answered ' +
      'already stays. Change only what the service can take for the same piece of work.'],
  });
}
