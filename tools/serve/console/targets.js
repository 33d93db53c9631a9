// Holding a target back and letting it go: a handler, a URL or a whole host.

import {askAndChange} from './change_dialog.js';
import {field} from './dialog.js';
import {h} from './h.js';
import {refusalOf} from './hidden.js';
import {short} from './text.js';

function targetField(target) {
  const input = h('input', {name: 'target', value: target, required: true, spellcheck: 'false',
    autocomplete: 'off'});
  return {input, control: field('Target', input,
      'A handler’s name, a URL, or a host such as http://bank.example:8080.')};
}

export function hold(target = '') {
  const {input, control} = targetField(target);
  return askAndChange({
    title: 'Hold a target', path: ['targets', 'hold'], verb: 'Hold', fields: [control],
    read: () => refusalOf('The target', input.value) ?? {target: input.value.trim()},
    done: `${short(target || 'The target', 60)} is held.`,
    says: ['Nothing of any transaction is called there until you release it. Calls that are out ' +
      'already may still return. Transactions wait, and none is lost.'],
  });
}

export function release(target) {
  return askAndChange({
    title: 'Release a target', about: target, path: ['targets', 'release'], verb: 'Release',
    read: () => ({target}), done: `${short(target, 60)} was released.`,
    says: ['All that waits for this target is called again, a bounded number at once.'],
  });
}
