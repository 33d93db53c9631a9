// Payloads and headers of a transaction, read only when somebody asks for them.

import {get} from './api.js';
import {h} from './h.js';
import {branchIds} from './order.js';
import {plain, shown, shownLines} from './text.js';
import {mayBeShown} from './words.js';

const CHARACTERS_MAX = 65_536;
const STEPS_MAX = 200;

function pretty(value) {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return JSON.stringify(value, null, 2);
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}

function one(title, value) {
  const text = pretty(value);
  if (text === '') return null;
  const rest = text.length - CHARACTERS_MAX;
  return h('div', {}, h('h3', {class: 'mono'}, plain(title)),
      shownLines(text.slice(0, CHARACTERS_MAX), {'aria-label': plain(title)}),
      rest > 0 ? h('p', {class: 'quiet'}, `The first ${CHARACTERS_MAX} characters; ${rest} more.`) :
        null);
}

// What a server that knows the types of messages makes of a payload: a message, or why it is none.
function message(row) {
  const title = `branch ${row.branch_id} ${row.op}`;
  if (row.reason !== null) return h('p', {class: 'quiet'}, shown(`${title}: ${row.reason}`));
  if (row.type === null) return null;
  return [one(`${title}: ${row.type}`, row.message ?? row.text),
    row.cut ? h('p', {class: 'quiet'}, 'Only the beginning of the message.') : null];
}

function paint({definition, branches, payloads: decoded = []}) {
  const ids = branchIds({branches});
  const steps = (definition?.steps ?? []).slice(0, STEPS_MAX).flatMap((step, i) => [
    one(`branch ${ids[i] ?? i + 1}: payload`, step[2]),
    ...decoded.filter((row) => row.branch_id === ids[i]).flatMap(message),
    one(`branch ${ids[i] ?? i + 1}: options`, step[3])]);
  const {steps: _, ...rest} = definition ?? {};
  const parts = [...steps, Object.keys(rest).length ? one('the transaction', rest) : null]
      .filter(Boolean);
  return parts.length ? parts : [h('p', {class: 'empty'}, 'It has neither payloads nor options.')];
}

export function payloads(gid, signal) {
  const content = h('div', {'aria-live': 'polite'});
  const read = async () => {
    if (!details.open) return;
    content.replaceChildren(h('p', {class: 'quiet'}, 'Loading…'));
    try {
      content.replaceChildren(...paint(await get(['transactions', gid], {payloads: true}, signal)));
    } catch (error) {
      if (signal.aborted) return;
      content.replaceChildren(h('p', {class: 'trouble'}, mayBeShown(error)));
    }
  };
  const details = h('details', {class: 'payloads', ontoggle: read},
      h('summary', {}, 'Payloads and headers'), content);
  return details;
}
