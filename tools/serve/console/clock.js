// The server's time, and times in words. Each element of `time` is kept right by `tick`.

import {h} from './h.js';

let offset = 0;  // the server's clock minus this browser's

export function serverSaid(now) {
  if (Number.isFinite(now)) offset = now - Date.now();
}

export const now = () => Date.now() + offset;

const UNITS = [[86_400_000, 'd'], [3_600_000, 'h'], [60_000, 'min'], [1_000, 's']];

// "3 min", "2 h 5 min", "480 ms"
export function duration(ms) {
  const size = Math.abs(ms);
  if (size < 1_000) return `${Math.round(size)} ms`;
  const at = UNITS.findIndex(([unit]) => size >= unit);
  const [unit, name] = UNITS[at];
  const whole = Math.floor(size / unit);
  const next = UNITS[at + 1];
  const rest = next && whole < 10 && unit > 1_000 ? Math.floor((size % unit) / next[0]) : 0;
  return `${whole} ${name}${rest ? ` ${rest} ${next[1]}` : ''}`;
}

function relative(at) {
  const difference = at - now();
  if (Math.abs(difference) < 1_000) return 'now';
  return difference > 0 ? `in ${duration(difference)}` : `${duration(difference)} ago`;
}

// A time beyond what a Date can hold is shown as its number.
export function absolute(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return `${at} ms`;
  const pad = (value, size = 2) => String(value).padStart(size, '0');
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ` +
      `${clockTime(at)}.${pad(date.getMilliseconds(), 3)}`;
}

export function clockTime(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return `${at} ms`;
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
      .map((part) => String(part).padStart(2, '0')).join(':');
}

export function time(at) {
  if (at === null || at === undefined) return h('span', {class: 'quiet'}, '–');
  return h('time', {'data-at': at, title: absolute(at)}, relative(at));
}

export function tick() {
  for (const element of document.querySelectorAll('time[data-at]')) {
    const text = relative(Number(element.dataset.at));
    if (element.textContent !== text) element.textContent = text;
  }
}
