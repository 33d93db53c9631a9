// The server's samples as values over time: totals become rates.

const TOTALS = ['submitted', 'succeeded', 'failed', 'calls'];
const VALUES = ['live', 'stuck', 'due_lag_ms', 'commit_us_max', 'latency_p50_ms', 'latency_p99_ms'];

const known = (value) => (Number.isFinite(value) ? value : null);

// A total that became smaller began anew: there is no rate at that place.
function rate(samples, name, i) {
  const [before, after] = [known(samples[i - 1][name]), known(samples[i][name])];
  const seconds = (samples[i].at - samples[i - 1].at) / 1_000;
  if (before === null || after === null || after < before || seconds <= 0) return null;
  return (after - before) / seconds;
}

export function rates({samples}) {
  const later = samples.slice(1);
  const of = {};
  for (const name of TOTALS) of[name] = later.map((_, i) => rate(samples, name, i + 1));
  for (const name of VALUES) of[name] = later.map((sample) => known(sample[name]));
  return {times: later.map(({at}) => at), of};
}
