// A dialog of the browser's own kind: it holds the focus, Escape closes it, and the focus goes
// back, also to what was painted anew meanwhile.

import {focusOn, keyOf} from './focus.js';
import {h} from './h.js';

let count = 0;

// `fill(close)` returns the content. Resolves when the dialog is closed, with what `close` was
// given.
export function openDialog(title, fill, {wide = false} = {}) {
  const id = `dialog-${++count}`;
  const before = document.activeElement;
  return new Promise((resolve) => {
    let result;
    const close = (value) => {
      result = value;
      dialog.close();
    };
    const dialog = h('dialog', {'aria-labelledby': id, class: wide ? 'wide' : null},
        h('header', {}, h('h2', {id}, title),
            h('button', {type: 'button', class: 'bare', 'aria-label': 'Close',
              onclick: () => close()}, '×')),
        fill(close));
    dialog.addEventListener('close', () => {
      dialog.remove();
      if (!before.isConnected) focusOn(keyOf(before));
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector('[data-first]')?.focus();
  });
}

export const isDialogOpen = () => document.querySelector('dialog[open]') !== null;
