// Keeps a part of the page as new as the server's data, without disturbing who reads or types
// there.

import {focusOn, keyOf} from './focus.js';
import {h} from './h.js';
import {mayBeShown} from './words.js';

const isSelectedIn = (root) => {
  const selection = getSelection();
  return selection && !selection.isCollapsed && root.contains(selection.anchorNode);
};

// Calls `paint`; afterwards the focus is where it was.
function keepingPlace(root, paint) {
  const focused = document.activeElement;
  const key = root.contains(focused) ? keyOf(focused) : undefined;
  paint();
  focusOn(key);
}

// Reads and paints now and every `every` ms; `every(data)` may say 0 for never again.
// Returns a function that does it at once.
export function keepFresh({root, signal, read, paint, every}) {
  const body = h('div', {class: 'view-body'});
  const trouble = h('div', {});
  root.append(trouble, body);
  body.append(h('p', {class: 'quiet'}, 'Loading…'));
  let seen = null;  // the text of the data on the page
  let timer = 0;
  let running = null;

  function show(data) {
    trouble.replaceChildren();
    const text = JSON.stringify(data);
    if (text === seen || (seen !== null && isSelectedIn(body))) return;
    seen = text;
    keepingPlace(body, () => body.replaceChildren(...[paint(data)].flat()));
  }

  function fail(error) {
    if (seen === null) body.replaceChildren();
    trouble.replaceChildren(h('p', {class: 'trouble', role: 'alert'}, mayBeShown(error),
        seen === null ? '' : ' What you see is as it was before.', ' ',
        h('button', {type: 'button', onclick: again}, 'Try again')));
  }

  async function run() {
    clearTimeout(timer);
    let wait = typeof every === 'function' ? 5_000 : every;
    try {
      const data = await read(signal);
      if (signal.aborted) return;
      show(data);
      if (typeof every === 'function') wait = every(data);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Error)) throw error;
      fail(error);
    }
    if (wait) timer = setTimeout(again, wait);
  }

  // One at a time; in a tab that nobody sees, none.
  function again() {
    clearTimeout(timer);
    if (signal.aborted) return Promise.resolve();
    if (document.hidden) {
      timer = setTimeout(again, 1_000);
      return Promise.resolve();
    }
    running ??= run().finally(() => { running = null; });
    return running;
  }
  signal.addEventListener('abort', () => clearTimeout(timer));
  again();
  return async () => {
    if (running) await running;
    return again();
  };
}
