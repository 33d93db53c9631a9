// The controls of forms.

import {h} from './h.js';

let count = 0;

// A control with its label and, below it, a hint.
export function field(label, control, hint) {
  const id = `field-${++count}`;
  control.id = id;
  if (hint) control.setAttribute('aria-describedby', `${id}-hint`);
  return h('div', {class: 'field'}, h('label', {for: id}, label), control,
      hint ? h('small', {id: `${id}-hint`}, hint) : null);
}

// A line of text in which a browser mends nothing and offers nothing.
export const line = (name, attributes) =>
    h('input', {name, autocomplete: 'off', spellcheck: 'false', ...attributes});

// options: [[value, text]].
export const select = (name, options, chosen) => h('select', {name}, options.map(([value, text]) =>
  h('option', {value, selected: value === chosen}, text)));

// A choice among rows: the control, and the row that is chosen.
export function choice(name, rows, wordsOf) {
  const control = select(name, rows.map((row, i) => [String(i), wordsOf(row)]));
  return {control, chosen: () => rows[Number(control.value)]};
}
