// Which operations the engine lets an operator edit: those that are called, or may be called later.
// The rule is the engine's own, see `may_edit` in lib/core/transaction.cc.

import {isSecondPhase, isStopped, isUndo} from './words.js';

const hasEnded = ({status}) => status === 'succeed' || status === 'failed';

function mayBeCalled({mode, status, branches}, row) {
  if (hasEnded(row)) return false;
  if (row.op === 'action') return status === 'prepared' || status === 'submitted';
  if (!isSecondPhase(row.op)) return status === 'prepared';  // try, prepare, query
  if (!isUndo(row.op)) return status !== 'aborting';         // confirm, commit
  if (status !== 'aborting') return mode === 'saga' || status === 'prepared';
  const first = branches.find(({branch_id: id}) => id === row.branch_id);
  return first.status !== 'idle';  // what was not begun is not undone
}

// Its subscribers are called instead of a topic.
const isTopic = ({mode}, row) => mode === 'msg' && row.target.startsWith('topic://');

// The rows of operations that may be edited.
export function editableRows(transaction) {
  if (isStopped(transaction)) return [];
  return transaction.branches
      .filter((row) => mayBeCalled(transaction, row) && !isTopic(transaction, row));
}
