// Asks for the token when the server does not know who asks. It stays in this tab only.

import {forget, setToken, token} from './access.js';
import {field} from './controls.js';
import {openDialog} from './dialog.js';
import {h} from './h.js';

let asking = null;

function ask(wasWrong) {
  return openDialog('A token, please', (close) => {
    const input = h('input', {type: 'password', name: 'token', autocomplete: 'off', required: true,
      spellcheck: 'false', 'data-first': true});
    const submit = (event) => {
      event.preventDefault();
      const text = input.value.trim();
      if (text) close(text);
    };
    return h('form', {onsubmit: submit},
        h('p', {}, wasWrong ? 'The server does not know this token, or no longer.' :
          'This server wants to know who asks.'),
        field('Bearer token', input, 'A line of the server’s token file. It is kept in this tab ' +
          'only, and forgotten when the tab is closed.'),
        h('footer', {}, h('button', {type: 'submit', class: 'main'}, 'Go on')));
  });
}

// Until there is one: without it nothing can be shown.
async function askUntilGiven(wasWrong) {
  for (;;) {
    const text = await ask(wasWrong);
    if (text) return setToken(text);
  }
}

// All requests that wait for a token wait for the same dialog.
export function signIn(wasWrong) {
  asking ??= askUntilGiven(wasWrong).finally(() => { asking = null; });
  return asking;
}

export function signOut() {
  forget();
  location.reload();
}

export const hasToken = () => token() !== null;
