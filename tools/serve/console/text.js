// Texts from outside: whatever they hold, they stay in their place and can be seen.

import {h} from './h.js';

// Controls, bidi and zero-width characters, halves of surrogate pairs, line separators.
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]/gu;
const LINE = '\n';
const TAB = '\t';
const PIECES_MAX = 2_000;  // beyond, the rest is one text node: a page must not become slow

const codeOf = (character) =>
    character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0');

// Each character that cannot be seen becomes its code in a box.
function pieces(text, keepsLines) {
  const out = [];
  let begin = 0;
  for (const match of text.matchAll(HIDDEN)) {
    const character = match[0];
    if (keepsLines && (character === LINE || character === TAB)) continue;
    if (out.length >= PIECES_MAX) break;
    out.push(text.slice(begin, match.index));
    out.push(h('span', {class: 'code', title: `the character U+${codeOf(character)}`},
        codeOf(character)));
    begin = match.index + character.length;
  }
  out.push(text.slice(begin));
  return out;
}

export function shown(text, attributes) {
  return h('bdi', attributes, pieces(String(text), false));
}

// A sentence of the server; what stands between backticks is a command.
export function sentence(text) {
  return String(text).split('`').map((part, i) =>
    (i % 2 ? h('code', {}, shown(part)) : shown(part)));
}

export function shownLines(text, attributes) {
  return h('pre', {dir: 'ltr', tabindex: '0', ...attributes}, pieces(String(text), true));
}

// For titles and labels, where there is no box.
export function plain(text) {
  return String(text).replace(HIDDEN, (character) => `\\u{${codeOf(character)}}`);
}

// At most `size` characters, without the middle.
export function short(text, size) {
  const letters = Array.from(plain(text));
  if (letters.length <= size) return letters.join('');
  const tail = Math.floor((size - 1) / 2);
  return `${letters.slice(0, size - 1 - tail).join('')}…${letters.slice(-tail).join('')}`;
}

// encodeURIComponent throws if a text has half of a surrogate pair.
export function encoded(text) {
  return encodeURIComponent(String(text).replace(/\p{Cs}/gu, '\ufffd'));
}

// The query of an address, with its question mark. What is empty is left out.
export function queryText(query) {
  const words = Object.entries(query).filter(([, value]) => value !== '' && value != null)
      .map(([key, value]) => `${key}=${encoded(value)}`);
  return words.length ? `?${words.join('&')}` : '';
}

export function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const NUMBERS = new Intl.NumberFormat('en', {maximumFractionDigits: 2});
export const number = (value) => NUMBERS.format(value);

export const counted = (count, one, many = `${one}s`) =>
    `${number(count)} ${count === 1 ? one : many}`;

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
export function bytes(size) {
  let at = 0;
  let rest = size;
  for (; rest >= 1024 && at < BYTE_UNITS.length - 1; ++at) rest /= 1024;
  return `${rest < 10 && at > 0 ? rest.toFixed(1) : Math.round(rest)} ${BYTE_UNITS[at]}`;
}
