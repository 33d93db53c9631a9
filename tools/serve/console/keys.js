// The keyboard's shortcuts. They do nothing while somebody types, and can be turned off.

import {isDialogOpen} from './dialog.js';
import {help} from './help.js';
import {place} from './route.js';

const OFF = 'belay.no-shortcuts';
const PLACES = {o: '', l: 'list', s: 'stuck', t: 'topics', h: 'hosts', d: 'holds'};
const SECOND_KEY_MS = 1_500;

export const areOn = () => sessionStorage.getItem(OFF) === null;
export function turn(on) {
  if (on) sessionStorage.removeItem(OFF);
  else sessionStorage.setItem(OFF, '1');
}

const isTyping = (target) => target.closest?.('input, textarea, select, [contenteditable]');

function search() {
  const field = document.querySelector('#main [name=gid_prefix]');
  if (field) return field.focus();
  location.hash = place('list', [], {find: 'here'});
}

function move(step) {
  const rows = [...document.querySelectorAll('#main a[data-row]')];
  if (rows.length === 0) return;
  const at = rows.indexOf(document.activeElement);
  rows[Math.min(Math.max(at + step, 0), rows.length - 1)].focus();
}

export function installKeys({refresh}) {
  let wentAt = -Infinity;  // when "g" was pressed
  const act = {
    '?': help, '/': search, r: refresh, j: () => move(1), k: () => move(-1),
    g: (event) => { wentAt = event.timeStamp; },
  };
  document.addEventListener('keydown', (event) => {
    if (!areOn() || event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target) ||
        isDialogOpen()) return;
    const goes = event.timeStamp - wentAt < SECOND_KEY_MS;
    wentAt = -Infinity;
    if (goes && Object.hasOwn(PLACES, event.key)) {
      location.hash = place(PLACES[event.key]);
    } else if (Object.hasOwn(act, event.key)) {
      act[event.key](event);
    } else {
      const button = document.querySelector(
          `#main button[data-shortcut="${CSS.escape(event.key)}"]`);
      if (!button) return;
      button.click();
    }
    event.preventDefault();
  });
}
