// What the server says of itself, once a second: by its event stream or, without one, by asking.

import {learn} from './access.js';
import {get, request} from './api.js';
import {serverSaid} from './clock.js';

const POLL_MS = 5_000;
const SILENCE_MS = 40_000;  // the stream says something every 15 s
const STREAM_AGAIN_MS = [1_000, 2_000, 5_000, 15_000, 30_000];
const EVENT_CHARACTERS_MAX = 1 << 20;

const listeners = new Set();
let latest = null;  // the overview
let state = 'begun';  // then "live", "polling" or "lost"
let since = Date.now();

function tell() {
  for (const listener of [...listeners]) listener({overview: latest, state, since});
}

function become(next) {
  if (state === next) return;
  state = next;
  since = Date.now();
}

function take(overview, how) {
  latest = overview;
  learn(overview);
  serverSaid(overview.now);
  become(how);
  tell();
}

// `listener` is called with {overview, state, since} now and after each change.
export function watch(listener, signal) {
  listeners.add(listener);
  signal?.addEventListener('abort', () => listeners.delete(listener));
  listener({overview: latest, state, since});
}

function takeEvent(text) {
  const lines = text.split('\n');
  const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5));
  const name = lines.find((line) => line.startsWith('event:'))?.slice(6).trim();
  if (name !== 'overview' || data.length === 0) return;
  try {
    take(JSON.parse(data.join('\n')), 'live');
  } catch {
    // the next event comes in a second
  }
}

async function readStream(body, alive) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const {done, value} = await reader.read();
    if (done) return;
    alive();
    text = (text + value).replaceAll('\r\n', '\n');
    if (text.length > EVENT_CHARACTERS_MAX) return reader.cancel();
    const events = text.split('\n\n');
    text = events.pop();
    events.forEach(takeEvent);
  }
}

// A browser has six connections to a server: a page that nobody sees must not keep one.
let silent = new AbortController();
const isSeen = () => !document.hidden;
document.addEventListener('visibilitychange', () => isSeen() || silent.abort());
window.addEventListener('pagehide', () => silent.abort());

async function stream() {
  silent = new AbortController();
  const {signal} = silent;
  const end = () => silent.abort();
  let timer = 0;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(end, SILENCE_MS);
  };
  alive();
  try {
    const response = await request(['events'], {
      headers: {Accept: 'text/event-stream'}, signal, patience: 86_400_000,
    });
    await readStream(response.body, alive);
  } finally {
    clearTimeout(timer);
    end();
  }
}

async function poll() {
  try {
    take(await get(['overview']), 'polling');
  } catch {
    become('lost');
    tell();
  }
}

const pause = (ms) => new Promise((resolve) => {
  const timer = setTimeout(done, ms);
  function done() {
    clearTimeout(timer);
    window.removeEventListener('online', done);
    resolve();
  }
  window.addEventListener('online', done);
});

const untilSeen = () => new Promise((resolve) => {
  const look = () => {
    if (!isSeen()) return;
    document.removeEventListener('visibilitychange', look);
    window.removeEventListener('pageshow', look);
    resolve();
  };
  document.addEventListener('visibilitychange', look);
  window.addEventListener('pageshow', look);
  look();
});

async function keepStreaming() {
  for (let failures = 0; ; ++failures) {
    await untilSeen();
    try {
      await stream();
    } catch {
      // an ended stream and a refused one are the same here: poll, and try again
    }
    if (state === 'live') failures = 0;
    if (!isSeen()) continue;
    await poll();
    await pause(STREAM_AGAIN_MS[Math.min(failures, STREAM_AGAIN_MS.length - 1)]);
  }
}

async function keepPolling() {
  for (;;) {
    await pause(POLL_MS);
    if (state !== 'live' && isSeen()) await poll();
  }
}

export function begin() {
  keepStreaming();
  keepPolling();
}
