// Who the operator is: the token, in this tab only, and what it turned out not to be allowed.

const TOKEN = 'belay.token';
const LOOKS_ONLY = 'belay.looks-only';

let looksOnly = sessionStorage.getItem(LOOKS_ONLY);  // why, in the server's words

export const token = () => sessionStorage.getItem(TOKEN);

export function setToken(text) {
  forget();
  sessionStorage.setItem(TOKEN, text);
}

export function forget() {
  sessionStorage.removeItem(TOKEN);
  sessionStorage.removeItem(LOOKS_ONLY);
  looksOnly = null;
}

// The server refused a change for want of a role: from now on none is offered.
export function refused(message) {
  looksOnly = message;
  sessionStorage.setItem(LOOKS_ONLY, message);
}

// The server says with the overview whether this operator has the role admin.
export function learn({makes_payloads_visible: isAdmin}) {
  if (isAdmin !== false || looksOnly !== null) return;
  refused('the role admin is needed to change anything');
}

export const mayChange = () => looksOnly === null;
export const whyNot = () => looksOnly;
