// The headers of an operation as lines of text, and what was changed in them.

import {refusalOf} from './hidden.js';
import {short} from './text.js';

const headersOf = (step) => step?.[3]?.headers ?? [];

export const headerLines = (step) =>
    headersOf(step).map(([name, value]) => `${name}: ${value}`).join('\n');

// [[name, value], …], or a sentence about the first line that is none.
function parse(text) {
  const headers = [];
  for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
    const at = line.indexOf(':');
    if (at < 1) return `This line is no header: ${short(line, 60)}`;
    headers.push([line.slice(0, at).trim(), line.slice(at + 1).trim()]);
  }
  return headers;
}

// Upper and lower case are the same in a name, and a name may be there several times.
const isNamed = (name) => ([other]) => other.toLowerCase() === name.toLowerCase();
const valuesOf = (headers, name) =>
    JSON.stringify(headers.filter(isNamed(name)).map(([, value]) => value));

// The members of an edit's body, or a sentence. A secret that is not shown and stays is not sent.
export function headerChanges(step, text) {
  const before = headersOf(step);
  const after = parse(text);
  if (typeof after === 'string') return after;
  const set = after.filter(([name]) => valuesOf(before, name) !== valuesOf(after, name));
  for (const [name, value] of set) {
    const refusal = refusalOf(`The header ${short(name, 60)}`, value);
    if (refusal) return refusal;
  }
  const gone = before.map(([name]) => name).filter((name) => !after.some(isNamed(name)));
  return {...set.length && {headers: set}, ...gone.length && {without_headers: gone}};
}
