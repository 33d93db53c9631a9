// The targets that an operator holds back.

import {mayChange} from './access.js';
import {get} from './api.js';
import {time} from './clock.js';
import {keepFresh} from './fresh.js';
import {h} from './h.js';
import {table} from './table.js';
import {hold, release} from './targets.js';
import {plain, shown} from './text.js';

const EVERY_MS = 5_000;

function columns(again) {
  return [
    {name: 'Target', class: 'gid', cell: ({target}) => shown(target)},
    {name: 'Reason', cell: ({reason}) => (reason ? shown(reason) : '')},
    {name: 'By', class: 'wide-only', cell: (row) => (row.asked_by ? shown(row.asked_by) : '')},
    {name: 'Since', class: 'nowrap', cell: ({at}) => time(at)},
    mayChange() && {name: 'Change', class: 'verbs-cell', cell: ({target}) => h('div',
        {class: 'row-verbs'}, h('button', {type: 'button', 'data-key': `release ${plain(target)}`,
          'aria-label': `Release: ${plain(target)}`,
          onclick: () => release(target).then(again)}, 'Release'))},
  ].filter(Boolean);
}

export function holdsView({root, signal, onRefresh}) {
  const add = h('button', {type: 'button', onclick: () => hold().then(again)}, 'Hold…');
  root.append(h('div', {class: 'title'}, h('h1', {}, 'Holds'), mayChange() ? add : null));
  const again = keepFresh({root, signal, every: EVERY_MS,
    read: async () => ({...await get(['holds'], {}, signal), mayChange: mayChange()}),
    paint: ({holds}) => {
      add.hidden = !mayChange();
      return table({caption: 'Targets that are held back', columns: columns(again), rows: holds,
        empty: 'Nothing is held back: every target is called when it is due.'});
    }});
  onRefresh(again);
}
