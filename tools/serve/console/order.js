// In which order the branches of a transaction run, as far as its definition says it.

// In the order of the definition's steps.
export const branchIds = ({branches}) => [...new Set(branches.map((row) => row.branch_id))];

// Branches with their operations: [{id, ops: [row, …], waitsFor: [index, …]}].
export function branchesOf(transaction) {
  const found = new Map(branchIds(transaction).map((id) => [id, {id, ops: []}]));
  for (const row of transaction.branches) found.get(row.branch_id).ops.push(row);
  const branches = [...found.values()];
  const waits = waitsOf(transaction, branches);
  branches.forEach((branch, i) => { branch.waitsFor = waits[i]; });
  return branches;
}

function fromGraph(orders, count) {
  return Array.from({length: count}, (_, i) => (Array.isArray(orders[i]) ? orders[i] : [])
      .map((one) => one - 1).filter((one) => one >= 0 && one < count && one !== i));
}

function waitsOf(transaction, branches) {
  const definition = transaction.definition ?? {};
  const count = branches.length;
  if (Array.isArray(definition.orders)) return fromGraph(definition.orders, count);
  if (definition.concurrent) return branches.map(() => []);
  const isQuery = (branch) => branch.ops[0]?.op === 'query';
  let before = -1;
  return branches.map((branch, i) => {
    const waits = before < 0 || isQuery(branch) ? [] : [before];
    if (!isQuery(branch)) before = i;
    return waits;
  });
}

// The longest way to each branch, in steps. What a cycle would leave out stays at 0.
export function depths(branches) {
  const depth = branches.map(() => 0);
  for (let round = 0; round < branches.length; ++round) {
    let changed = false;
    branches.forEach((branch, i) => {
      for (const other of branch.waitsFor) {
        if (depth[i] < depth[other] + 1 && depth[other] + 1 < branches.length) {
          depth[i] = depth[other] + 1;
          changed = true;
        }
      }
    });
    if (!changed) break;
  }
  return depth;
}
