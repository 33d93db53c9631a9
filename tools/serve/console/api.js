// Requests to the admin API. A failure is an ApiError whose message is a sentence to be shown.

import {refused, token} from './access.js';
import {encoded, queryText} from './text.js';

const BASE = 'api/belay/v1';
const PATIENCE_MS = 20_000;

class ApiError extends Error {
  constructor(status, name, message) {
    super(message);
    this.status = status;  // 0: no answer came
    this.name = name;
  }
}

let askForToken = async () => {};
export function onStranger(ask) {
  askForToken = ask;
}

function pathOf(parts, query = {}) {
  if (parts.some((part) => part === '.' || part === '..')) {
    throw new ApiError(0, 'unaddressable',
        'A browser cannot ask for a transaction of this name; the command `belay show` can.');
  }
  return [BASE, ...parts.map(encoded)].join('/') + queryText(query);
}

async function answerOf(path, options, signal) {
  const limits = [signal, AbortSignal.timeout(options.patience ?? PATIENCE_MS)].filter(Boolean);
  const headers = {...options.headers};
  if (token()) headers.Authorization = `Bearer ${token()}`;
  try {
    return await fetch(path, {
      ...options, headers, signal: AbortSignal.any(limits), cache: 'no-store',
      credentials: 'same-origin', referrerPolicy: 'no-referrer',
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw error.name === 'TimeoutError' ?
      new ApiError(0, 'timeout', 'The server did not answer in time.') :
      new ApiError(0, 'unreachable', 'The server cannot be reached.');
  }
}

async function failureOf(response) {
  let body = {};
  try {
    body = JSON.parse(await response.text());
  } catch {
    // a proxy's page: the status has to do
  }
  const message = typeof body?.message === 'string' ? body.message :
    `The server answered ${response.status}.`;
  return new ApiError(response.status, body?.error ?? '', message);
}

// The response, once the operator is somebody whom the server knows.
export async function request(parts, {query, signal, ...options} = {}) {
  const path = pathOf(parts, query);
  for (;;) {
    const shownToken = token();
    const response = await answerOf(path, options, signal);
    if (response.ok) return response;
    const failure = await failureOf(response);
    if (response.status !== 401) throw failure;
    signal?.throwIfAborted();
    if (token() === shownToken) await askForToken(shownToken !== null);
    signal?.throwIfAborted();
  }
}

async function json(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(response.status, 'unreadable', 'The answer of the server is no JSON.');
  }
}

export async function get(parts, query, signal) {
  return json(await request(parts, {query, signal}));
}

// A key for one change: the same key again changes nothing twice.
export function newKey() {
  const raw = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(raw, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export async function post(parts, body, key, signal) {
  const headers = {'Content-Type': 'application/json', 'Idempotency-Key': key};
  try {
    return json(await request(parts,
        {method: 'POST', headers, body: JSON.stringify(body), signal}));
  } catch (error) {
    if (error.status === 403) refused(error.message);
    throw error;
  }
}
