// Tables with a caption and headers. On a narrow screen a row is laid out as a card, for which a
// browser may forget that it is a row: hence the roles.

import {h} from './h.js';

// columns: [{name, class, cell(row)}].
export function table({caption, columns, rows, empty, rowClass = () => null}) {
  if (rows.length === 0) return h('p', {class: 'empty'}, empty);
  const cell = (row) => (column, i) => h(i === 0 ? 'th' : 'td', {scope: i === 0 ? 'row' : null,
    role: i === 0 ? 'rowheader' : 'cell', class: column.class,
    'data-label': i === 0 ? null : column.name}, column.cell(row));
  return h('div', {class: 'table-frame'}, h('table', {role: 'table'},
      h('caption', {class: 'unseen'}, caption),
      h('thead', {role: 'rowgroup'}, h('tr', {role: 'row'}, columns.map((column) =>
        h('th', {scope: 'col', role: 'columnheader', class: column.class}, column.name)))),
      h('tbody', {role: 'rowgroup'}, rows.map((row) =>
        h('tr', {role: 'row', class: rowClass(row)}, columns.map(cell(row)))))));
}

export function facts(pairs) {
  return h('dl', {class: 'facts'}, pairs.filter(([, value]) => value !== null && value !== '')
      .map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
}

export function chip([look, sign], word) {
  return h('span', {class: `chip ${look}`}, h('span', {'aria-hidden': 'true'}, sign), word);
}
