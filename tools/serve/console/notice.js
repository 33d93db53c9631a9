// What just happened, said once: seen at the edge of the page, and read out.

import {h} from './h.js';

const NOTICES_MAX = 4;
const SECONDS = 12;

export function notice(words, look = 'good') {
  const place = document.getElementById('notices');
  const element = h('div', {class: `notice ${look}`}, h('span', {}, words),
      h('button', {type: 'button', 'aria-label': 'Dismiss', onclick: () => element.remove()}, '×'));
  place.append(element);
  while (place.childElementCount > NOTICES_MAX) place.firstElementChild.remove();
  setTimeout(() => element.remove(), SECONDS * 1_000);
}
