// Holding a target back and letting it go: a handler, a URL or a whole host.

import {askAndChange} from './change_dialog.js';
import {field, line} from './controls.js';
import {refusalOf} from './hidden.js';
import {short} from './text.js';

export function hold(target = '') {
  const input = line('target', {value: target, required: true});
  return askAndChange({
    title: 'Hold a target', path: ['targets', 'hold'], verb: 'Hold',
    fields: [field('Target', input,
        'A handler’s name, a URL, or a host such as http://bank.example:8080.')],
    read: () => refusalOf('The target', input.value) ?? {target: input.value.trim()},
    done: `${short(target || 'The target', 60)} is held.`,
    says: ['Nothing of any transaction is called there until you release it. Calls that are out ' +
      'already may still return. Transactions wait, and none is lost.'],
  });
}

export function release(target) {
  return askAndChange({
    title: 'Release a target', about: target, path: ['targets', 'release'], verb: 'Release',
    read: () => refusalOf('The target', target, '`belay release TARGET` takes the whole one.') ??
      {target},
    done: `${short(target, 60)} was released.`,
    says: ['All that waits for this target is called again, a bounded number at once.'],
  });
}
