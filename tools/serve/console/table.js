// Tables with a caption and headers. A row may say its key, which keeps the focus at its place.

import {h} from './h.js';

// columns: {name, class, cell(row)}; a row with `bad` has a mark at its side.
export function table({caption, columns, rows, empty, rowClass = () => null, hidesCaption = true}) {
  if (rows.length === 0) return h('p', {class: 'empty'}, empty);
  return h('div', {class: 'table-frame'}, h('table', {},
      h('caption', {class: hidesCaption ? 'unseen' : null}, caption),
      h('thead', {}, h('tr', {}, columns.map((column) =>
        h('th', {scope: 'col', class: column.class}, column.name)))),
      h('tbody', {}, rows.map((row) => h('tr', {class: rowClass(row)}, columns.map((column, i) =>
        h(i === 0 ? 'th' : 'td', {scope: i === 0 ? 'row' : null, class: column.class},
            column.cell(row))))))));
}

export function facts(pairs) {
  return h('dl', {class: 'facts'}, pairs.filter(([, value]) => value !== null && value !== '')
      .map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
}

export function chip([look, sign], word) {
  return h('span', {class: `chip ${look}`}, h('span', {'aria-hidden': 'true'}, sign), word);
}
