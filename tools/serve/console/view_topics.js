// Topics and who gets their messages.

import {mayChange} from './access.js';
import {get} from './api.js';
import {keepFresh} from './fresh.js';
import {h} from './h.js';
import {table} from './table.js';
import {plain, shown} from './text.js';
import {deleteTopic, subscribe, unsubscribe} from './topic_verbs.js';

const EVERY_MS = 10_000;

const rowsOf = ({topics}) => topics.flatMap(({name, subscriptions}) => subscriptions.length === 0 ?
  [{name, target: null, isFirst: true}] :
  subscriptions.map((one, i) => ({name, ...one, isFirst: i === 0})));

function columns(again) {
  const button = (name, key, run) => h('button', {type: 'button', 'data-key': `${name} ${key}`,
    'aria-label': `${name}: ${key}`, onclick: () => run().then(again)}, name);
  return [
    {name: 'Topic', class: 'gid', cell: (row) => h('span', {class: row.isFirst ? '' : 'again'},
        shown(row.name))},
    {name: 'Target', class: 'gid', cell: (row) => row.target === null ?
      h('span', {class: 'quiet'}, 'nobody subscribes') : shown(row.target)},
    {name: 'Remark', class: 'wide-only', cell: (row) => (row.remark ? shown(row.remark) : '')},
    mayChange() && {name: 'Change', class: 'verbs-cell', cell: (row) => h('div',
        {class: 'row-verbs'},
        row.isFirst ? [button('Subscribe', plain(row.name), () => subscribe(row.name)),
          button('Delete', plain(row.name), () => deleteTopic(row.name))] : null,
        row.target === null ? null : button('Unsubscribe', plain(`${row.name} ${row.target}`),
            () => unsubscribe(row.name, row.target)))},
  ].filter(Boolean);
}

export function topicsView({root, signal, onRefresh}) {
  const add = h('button', {type: 'button', onclick: () => subscribe().then(again)},
      'Subscribe…');
  root.append(h('div', {class: 'title'}, h('h1', {}, 'Topics'), mayChange() ? add : null));
  const again = keepFresh({root, signal, every: EVERY_MS,
    read: async () => ({...await get(['topics'], {}, signal), mayChange: mayChange()}),
    paint: (data) => {
      add.hidden = !mayChange();
      return table({caption: 'Topics and their subscriptions', columns: columns(again),
        rows: rowsOf(data), empty: 'There is no topic. A message can be sent to a topic once ' +
          'somebody subscribes to it.'});
    }});
  onRefresh(again);
}
