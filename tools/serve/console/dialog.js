// A dialog of the browser's own kind: it holds the focus, Escape closes it, and the focus goes
// back.

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
      const key = before?.dataset?.key;
      const again = before?.isConnected ? before :
        key && [...document.querySelectorAll('[data-key]')].find((one) => one.dataset.key === key);
      again?.focus?.();
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector('[data-first]')?.focus();
  });
}

export const isDialogOpen = () => document.querySelector('dialog[open]') !== null;

export function field(label, control, hint) {
  const id = `field-${++count}`;
  control.id = id;
  if (hint) control.setAttribute('aria-describedby', `${id}-hint`);
  return h('div', {class: 'field'}, h('label', {for: id}, label), control,
      hint ? h('small', {id: `${id}-hint`}, hint) : null);
}
