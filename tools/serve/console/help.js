// What the page can do, in a dialog: the shortcuts, and what the words mean.

import {openDialog} from './dialog.js';
import {h} from './h.js';
import {areOn, turn} from './keys.js';

const SHORTCUTS = [
  ['?', 'this help'], ['/', 'find a transaction by the beginning of its gid'],
  ['g o', 'overview'], ['g l', 'transactions'], ['g s', 'stuck'], ['g t', 'topics'],
  ['g h', 'hosts'], ['g d', 'holds'], ['j, k', 'next and previous row; Enter opens it'],
  ['r', 'read again now'], ['p', 'at a transaction: replay'], ['e', 'edit'], ['v', 'resolve'],
  ['b', 'turn back'], ['x', 'stop'], ['Escape', 'close a dialog'],
];

const WORDS = [
  ['stuck', 'a branch did not answer several times in a row; it is still called again, at longer ' +
    'and longer intervals'],
  ['held back', 'not called for now: no such handler, a host whose breaker is open, or an ' +
    'operator holds the target'],
  ['breaker', 'a host that does not answer is left alone for a while: the breaker is open; a ' +
    'single call tries whether it is back'],
  ['due lag', 'how late wake-ups were noticed, at most, in the last 10 to 20 seconds'],
];

const list = (pairs, inside) => h('dl', {class: 'help'},
    pairs.map(([name, text]) => h('div', {}, h('dt', {}, inside(name)), h('dd', {}, text))));

export function help() {
  const box = h('input', {type: 'checkbox', checked: areOn(),
    onchange: () => turn(box.checked)});
  return openDialog('Help', (close) => h('div', {class: 'form'},
      h('h3', {}, 'Keys'), list(SHORTCUTS, (name) => h('kbd', {}, name)),
      h('label', {class: 'check'}, box, 'Shortcuts of one letter are on'),
      h('h3', {}, 'Words'), list(WORDS, (name) => name),
      h('footer', {}, h('button', {type: 'button', class: 'main', 'data-first': true,
        onclick: () => close()}, 'Close'))), {wide: true});
}
