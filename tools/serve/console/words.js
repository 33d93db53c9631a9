// The states and events of transactions, and failures, in words.

import {short} from './text.js';

// A failure as a sentence.
export function mayBeShown({status, message}) {
  switch (status) {
    case undefined: return `The page has a fault: ${message}`;
    case 0: return message;
    case 403: return ended(`Not allowed: ${message}`);
    case 404: return ended(`Not found: ${message}`);
    case 409: return ended(`Its state forbids it: ${message}`);
    case 429:
    case 503: return ended(`The server is busy or stopping: ${message}`);
    default: return ended(message);
  }
}

const ended = (text) => (text.endsWith('.') ? text : `${text}.`);

export const isFinal = (status) => status === 'succeed' || status === 'failed';
export const isStopped = ({timeline}) => timeline.some(({event}) => event === 'stopped');

const STATUS = {
  prepared: 'prepared', submitted: 'under way', aborting: 'turning back', succeed: 'succeeded',
  failed: 'failed',
};
export const statusWord = (row) => (row.stuck ? 'stuck' : STATUS[row.status] ?? row.status);
// The class of a colour, and the sign for who sees none.
const LOOK = {
  prepared: ['plain', '○'], submitted: ['plain', '◐'], aborting: ['warn', '↶'],
  succeed: ['good', '●'], failed: ['off', '✕'], stuck: ['bad', '!'],
};
export const statusLook = (row) => LOOK[row.stuck ? 'stuck' : row.status] ?? ['plain', '○'];

const BRANCH = {
  idle: ['off', '○', 'not begun'], started: ['plain', '◐', 'not ended'],
  succeed: ['good', '●', 'done'], failed: ['bad', '✕', 'refused'],
  parked: ['warn', '‖', 'held back'],
};
export const branchLook = (status) => BRANCH[status] ?? ['plain', '○', status];

// An operation in a list to choose from.
export const operationWords = ({branch_id: id, op, target}) =>
    short(`${id} ${op} ${target || '(no target)'}`, 60);

const OUTCOME = {
  success: ['good', 'success'], failure: ['bad', 'failure'], ongoing: ['plain', 'still ongoing'],
  unknown: ['warn', 'no answer that counts'],
};
export const outcomeLook = (outcome) => OUTCOME[outcome] ?? ['plain', outcome ?? ''];

const EVENT = {
  submitted: 'submitted', prepared: 'prepared', added: 'branch added', answered: 'answered',
  parked: 'held back', committing: 'decided to confirm', aborting: 'turned back',
  finished: 'finished', stopped: 'stopped by an operator',
  replayed: 'called at once by an operator', resolved: 'resolved by an operator',
  progressed: 'step recorded', concluded: 'ended by its owner', edited: 'edited by an operator',
  started: 'begun',
};
export const eventWord = (event) => EVENT[event] ?? event;

const UNDO = new Set(['compensate', 'cancel', 'rollback']);
const SECOND = new Set([...UNDO, 'confirm', 'commit']);
export const isUndo = (op) => UNDO.has(op);
export const isSecondPhase = (op) => SECOND.has(op);
