// The dialog before every change: what it does in plain words, why it is done, and a last check.

import {newKey, post} from './api.js';
import {field} from './controls.js';
import {openDialog} from './dialog.js';
import {h} from './h.js';
import {notice} from './notice.js';
import {reasonFields} from './reason.js';
import {sentence, shown} from './text.js';
import {mayBeShown} from './words.js';

const LAST_CHARACTERS = 4;

// The end of a name is typed if a keyboard has all of it; else a box is ticked.
function lastCheck(name) {
  const end = name.slice(-LAST_CHARACTERS);
  if (/^[!-~]+$/.test(end)) {
    const input = h('input', {name: 'check', autocomplete: 'off', spellcheck: 'false',
      autocapitalize: 'off', required: true});
    return {control: field(`To be sure, type its last characters: ${end}`, input),
      passes: () => input.value === end, wish: `Type ${end} to go on.`};
  }
  const box = h('input', {type: 'checkbox', name: 'check', required: true});
  return {control: h('label', {class: 'check'}, box, 'I am sure'), passes: () => box.checked,
    wish: 'Tick the box to go on.'};
}

// The same body goes out with the same key, so a second try does nothing twice.
function sender() {
  let key = '';
  let sent = '';
  return (path, body) => {
    const text = JSON.stringify(body);
    if (text !== sent) key = newKey();
    sent = text;
    return post(path, body, key);
  };
}

function failed(error) {
  const again = error.status === 0 ?
    ' It is not known whether the change was made. Trying again does nothing twice.' : '';
  return `${mayBeShown(error)}${again}`;
}

// `checked`: the name whose end is typed, for what cannot be taken back. `read` returns the members
// of the body, or a sentence that says what is missing. Resolves to true if the change was made.
export function askAndChange({title, about, says, fields = [], read = () => ({}), path, verb,
  done, isReasonAsked = true, isReasonRequired = true, checked = null, wide = false}) {
  const send = sender();
  const reasons = isReasonAsked ? reasonFields(isReasonRequired) : {controls: [], read: () => ({})};
  const check = checked === null ? null : lastCheck(checked);
  const wrong = h('p', {class: 'trouble', role: 'alert', hidden: true});
  const button = h('button', {type: 'submit', class: checked === null ? 'main' : 'main danger'},
      verb);
  const tell = (words) => {
    wrong.replaceChildren(...sentence(words));
    wrong.hidden = words === '';
    wrong.scrollIntoView({block: 'nearest'});
  };
  return openDialog(title, (close) => {
    const submit = async (event) => {
      event.preventDefault();
      const values = read();
      if (typeof values === 'string') return tell(values);
      if (check && !check.passes()) return tell(check.wish);
      tell('');
      button.disabled = true;
      try {
        await send(path, {...values, ...reasons.read()});
        notice(done);
        close(true);
      } catch (error) {
        tell(failed(error));
      } finally {
        button.disabled = false;
      }
    };
    return h('form', {onsubmit: submit},
        about ? h('p', {class: 'about'}, shown(about)) : null,
        says.map((sentence) => h('p', {}, sentence)),
        fields, reasons.controls, check?.control, wrong,
        h('footer', {}, h('button', {type: 'button', onclick: () => close(false)}, 'Cancel'),
            button));
  }, {wide});
}
