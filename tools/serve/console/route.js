// The place in the page, in the URL's hash: #/transaction/GID, #/list?stuck=true.

import {decoded, encoded, queryText} from './text.js';

export function place(name, args = [], query = {}) {
  return `#/${[name, ...args.map(encoded)].join('/')}${queryText(query)}`;
}

export function parsePlace(hash) {
  const text = hash.replace(/^#\/?/, '');
  const at = text.indexOf('?');
  const [name, ...args] = (at < 0 ? text : text.slice(0, at)).split('/').map(decoded);
  const query = {};
  for (const word of at < 0 ? [] : text.slice(at + 1).split('&')) {
    const equals = word.indexOf('=');
    if (equals > 0) query[decoded(word.slice(0, equals))] = decoded(word.slice(equals + 1));
  }
  return {name, args, query};
}

export const toTransaction = (gid) => place('transaction', [gid]);
