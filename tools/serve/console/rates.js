// The server's samples as values over time: totals become rates, and an hour becomes as many points
// as can be told apart.

const TOTALS = ['submitted', 'succeeded', 'failed', 'calls'];
const LAST = ['live', 'stuck'];
const LARGEST = ['due_lag_ms', 'commit_us_max', 'latency_p50_ms', 'latency_p99_ms'];
const POINTS_MAX = 240;

const known = (value) => (Number.isFinite(value) ? value : null);

// A total that became smaller began anew: there is no rate at that place.
function rate(first, last, name) {
  const [before, after] = [known(first[name]), known(last[name])];
  const seconds = (last.at - first.at) / 1_000;
  if (before === null || after === null || after < before || seconds <= 0) return null;
  return (after - before) / seconds;
}

function largest(samples, name) {
  const values = samples.map((sample) => known(sample[name])).filter((value) => value !== null);
  return values.length ? Math.max(...values) : null;
}

// Groups of samples, each with the last one of the group before it at its beginning.
function grouped(samples) {
  const size = Math.ceil((samples.length - 1) / POINTS_MAX);
  const groups = [];
  for (let end = samples.length; end > 1; end -= size) {
    groups.unshift(samples.slice(Math.max(end - size - 1, 0), end));
  }
  return groups;
}

export function rates({samples}) {
  const groups = grouped(samples);
  const of = {};
  for (const name of TOTALS) of[name] = groups.map((group) => rate(group[0], group.at(-1), name));
  for (const name of LAST) of[name] = groups.map((group) => known(group.at(-1)[name]));
  for (const name of LARGEST) of[name] = groups.map((group) => largest(group.slice(1), name));
  return {times: groups.map((group) => group.at(-1).at), of};
}
