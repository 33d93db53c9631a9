// The overview: whether all is well, the figures of this moment, and the last hour.

import {get} from './api.js';
import {duration, now, time} from './clock.js';
import {keepFresh} from './fresh.js';
import {h} from './h.js';
import {watch} from './live.js';
import {plot} from './plot.js';
import {place} from './route.js';
import {rates} from './rates.js';
import {bytes, counted, number} from './text.js';

const HISTORY_MS = 5_000;

function verdict({counters}) {
  if (!counters.storage_ok) {
    return ['bad', 'The disk does not take what is written. Nothing is acknowledged and nothing ' +
      'is called until it does.'];
  }
  const live = counters.live === 1 ? '1 transaction is under way' :
    `${number(counters.live)} transactions are under way`;
  if (counters.stuck > 0) {
    return ['warn', `${live}; `, h('a', {href: place('stuck')}, counters.stuck === 1 ?
      '1 of them is stuck' : `${number(counters.stuck)} of them are stuck`), '.'];
  }
  return ['good', counters.live === 0 ? 'Nothing is under way, and nothing is stuck.' :
    `${live}, none is stuck.`];
}

function tile(name, value, hint, look = '') {
  return h('div', {class: `tile ${look}`}, h('dt', {}, name),
      h('dd', {}, h('b', {}, value), hint ? h('small', {}, hint) : null));
}

function tiles({counters, oldest_unfinished_at: oldest}) {
  const ended = counters.succeeded + counters.failed;
  return h('dl', {class: 'tiles'},
      tile('Under way', number(counters.live), bytes(counters.live_bytes)),
      tile('Stuck', number(counters.stuck), counters.stuck ? 'see their causes' : 'none',
          counters.stuck ? 'bad' : ''),
      tile('Oldest unfinished', oldest === null ? '–' : duration(now() - oldest),
          oldest === null ? 'none' : time(oldest)),
      tile('Calls', number(counters.calls_in_flight), counters.calls_waiting ?
        `${number(counters.calls_waiting)} more wait` : 'none waits'),
      tile('Due lag', duration(counters.due_lag_ms), 'at most, of the last seconds',
          counters.due_lag_ms > 1_000 ? 'warn' : ''),
      tile('Commit', duration(counters.commit_us_max / 1_000), 'the longest of the last seconds'),
      tile('Ended', number(ended), ended ?
        `${(counters.succeeded / ended * 100).toFixed(1)} % succeeded` : 'since the start'),
      tile('File', bytes(counters.file_bytes), `write-ahead log ${bytes(counters.wal_bytes)}`));
}

const perSecond = (value) => `${number(value)}/s`;

function plots(history) {
  const {times, of} = rates(history);
  const of1 = (name, look, values) => ({name, look, values});
  return h('div', {class: 'plots'},
      plot({title: 'Transactions', times, format: perSecond, series: [
        of1('submitted', 'a', of.submitted), of1('succeeded', 'b', of.succeeded),
        of1('failed', 'c', of.failed)]}),
      plot({title: 'Latency of submits', times, format: duration, series: [
        of1('half below', 'a', of.latency_p50_ms), of1('99 % below', 'c', of.latency_p99_ms)]}),
      plot({title: 'Under way', times, format: number, series: [
        of1('live', 'a', of.live), of1('stuck', 'c', of.stuck)]}),
      plot({title: 'Calls', times, format: perSecond, series: [of1('calls', 'a', of.calls)]}),
      plot({title: 'Due lag', times, format: duration, series: [
        of1('longest', 'a', of.due_lag_ms)]}),
      plot({title: 'Commit', times, format: duration, series: [
        of1('longest', 'a', of.commit_us_max.map((one) => (one === null ? null : one / 1_000)))]}));
}

export function overviewView({root, signal, onRefresh}) {
  const moment = h('section', {'aria-labelledby': 'now'}, h('h1', {id: 'now'}, 'Overview'));
  const state = h('div', {}, h('p', {class: 'quiet'}, 'Loading…'));
  const about = h('p', {class: 'quiet'});
  moment.append(state);
  const hour = h('section', {'aria-labelledby': 'hour'}, h('h2', {id: 'hour'}, 'The last hour'));
  root.append(moment, hour, about);
  watch(({overview}) => {
    if (!overview) return;
    const [look, ...words] = verdict(overview);
    state.replaceChildren(h('p', {class: `verdict ${look}`}, words), tiles(overview));
    const {version, uptime_ms: uptime, counters} = overview;
    about.replaceChildren(`belay ${version}, up for ${duration(uptime)}, ` +
      `${counted(counters.commits, 'commit')}, ${counted(counters.calls, 'call')}.`);
  }, signal);
  onRefresh(keepFresh({root: hour, signal, every: HISTORY_MS,
    read: () => get(['history'], {}, signal), paint: plots}));
}
