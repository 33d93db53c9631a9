// One verb for all the transactions of a stuck group: they are found and counted first. Then it is
// done to each, a few at once, with a limit, and can be interrupted at any time.

import {get, newKey, post} from './api.js';
import {field} from './controls.js';
import {openDialog} from './dialog.js';
import {h} from './h.js';
import {notice} from './notice.js';
import {reasonFields} from './reason.js';
import {counted, number, plain} from './text.js';
import {mayBeShown} from './words.js';

const LIMIT = 1_000;
const PAGE = 500;  // the server gives no more at once
const AT_ONCE = 4;
const FAILURES_MAX = 20;

const WORDS = {
  replay: {title: 'Replay a group', verb: 'Replay', past: 'replayed',
    says: 'What they wait for is called now, instead of at its next time.'},
  stop: {title: 'Stop a group for good', verb: 'Stop', past: 'stopped',
    says: 'No call of them is made any more, and they end as failed. What has run stays as it is ' +
      'and is not undone. This cannot be taken back.'},
};

// Calls `work` for each item, a few at once, until the signal aborts.
async function each(items, work, signal) {
  let next = 0;
  await Promise.all(Array.from({length: AT_ONCE}, async () => {
    while (next < items.length && !signal.aborted) await work(items[next++]);
  }));
}

// The gids of the group, `LIMIT` at most.
async function find(group, signal) {
  const gids = [];
  let before;
  do {
    const page = await get(['stuck', 'transactions'], {...group, limit: PAGE, before}, signal);
    gids.push(...page.transactions.map((one) => one.transaction.gid));
    before = page.next_before;
  } while (before && gids.length <= LIMIT);  // a page at the limit may be the last
  return {gids: gids.slice(0, LIMIT), hasMore: Boolean(before) || gids.length > LIMIT};
}

// Does it until `interrupt` aborts, and returns {done, failed, failures: [sentence]}.
async function act(gids, verb, body, tell, interrupt) {
  const result = {done: 0, failed: 0, failures: []};
  await each(gids, async (gid) => {
    try {
      await post(['transactions', gid, verb], body, newKey());
      ++result.done;
    } catch (error) {
      if (error.status === 403) {  // the others would be refused, too
        interrupt.abort();
        throw error;
      }
      ++result.failed;
      if (result.failures.length < FAILURES_MAX) {
        result.failures.push(`${plain(gid)}: ${mayBeShown(error)}`);
      }
    }
    tell(result);
  }, interrupt.signal);
  return result;
}

function progressOf(max) {
  const bar = h('progress', {max, value: 0});
  const words = h('p', {role: 'status', class: 'quiet'});
  return {parts: [bar, words], say: (value, sentence) => {
    bar.value = value;
    words.textContent = sentence;
  }};
}

class Bulk {
  constructor(verb, group) {
    this.verb = verb;
    this.group = group;
    this.words = WORDS[verb];
    this.body = h('div', {class: 'form'});
    this.control = new AbortController();
  }

  open() {
    const opened = openDialog(this.words.title, (close) => {
      this.close = close;
      return this.body;
    });
    opened.then(() => this.control.abort());
    this.look().catch((error) => this.fail(error));
    return opened;
  }

  show(...parts) {
    this.body.replaceChildren(...parts.flat());
  }

  footer(...buttons) {
    return h('footer', {}, buttons);
  }

  fail(error) {
    if (this.control.signal.aborted) return;
    this.show(h('p', {class: 'trouble', role: 'alert'}, mayBeShown(error)),
        this.footer(h('button', {type: 'button', onclick: () => this.close(true)}, 'Close')));
  }

  async look() {
    const {signal} = this.control;
    const {by, key} = this.group;
    this.show(h('p', {role: 'status'}, 'Looking for the transactions of this group.'),
        this.footer(h('button', {type: 'button', onclick: () => this.close(false)}, 'Cancel')));
    this.ask(await find({by, key}, signal));
  }

  ask({gids, hasMore}) {
    if (gids.length === 0) {
      return this.show(h('p', {}, 'None of this group is stuck any more.'),
          this.footer(h('button', {type: 'button', onclick: () => this.close(true)}, 'Close')));
    }
    const limit = h('input', {type: 'number', name: 'limit', min: 1, max: gids.length,
      value: gids.length, required: true});
    const reasons = reasonFields(this.verb === 'stop');
    const submit = (event) => {
      event.preventDefault();
      this.run(gids.slice(0, Number(limit.value)), reasons.read())
          .catch((error) => this.fail(error));
    };
    const more = hasMore ? ` There are more; at most ${number(LIMIT)} are taken at once.` : '';
    this.show(h('form', {onsubmit: submit},
        h('p', {}, h('b', {}, counted(gids.length, 'transaction')), ` of this group.${more}`),
        h('p', {}, this.words.says),
        field('How many', limit, 'Fewer to try it first.'),
        reasons.controls,
        this.verb === 'stop' ? h('label', {class: 'check'},
            h('input', {type: 'checkbox', name: 'check', required: true}),
            'I am sure: all of them end, and nothing is undone') : null,
        this.footer(h('button', {type: 'button', onclick: () => this.close(false)}, 'Cancel'),
            h('button', {type: 'submit',
              class: this.verb === 'stop' ? 'main danger' : 'main'}, this.words.verb))));
    limit.focus();
  }

  async run(gids, body) {
    const interrupt = new AbortController();
    this.control.signal.addEventListener('abort', () => interrupt.abort());
    const progress = progressOf(gids.length);
    const button = h('button', {type: 'button', onclick: () => interrupt.abort()}, 'Interrupt');
    this.show(progress.parts, this.footer(button));
    button.focus();
    const result = await act(gids, this.verb, body, ({done, failed}) => progress.say(done + failed,
        `${done + failed} of ${gids.length}${failed ? `, ${failed} refused` : ''}`),
    interrupt);
    const left = gids.length - result.done - result.failed;
    const sentence = `${counted(result.done, 'transaction')} ${this.words.past}` +
      `${result.failed ? `, ${result.failed} refused` : ''}${left ? `, ${left} left alone` : ''}.`;
    notice(sentence, result.failed ? 'bad' : 'good');
    this.done(sentence, result);
  }

  done(sentence, {failed, failures}) {
    const button = h('button', {type: 'button', class: 'main', onclick: () => this.close(true)},
        'Close');
    this.show(h('p', {role: 'status'}, sentence),
        failures.length === 0 ? [] :
          h('ul', {class: 'failures'}, failures.map((one) => h('li', {}, one))),
        failed > failures.length ? h('p', {class: 'quiet'}, 'Further ones are not shown.') : [],
        this.footer(button));
    button.focus();
  }
}

export const bulk = (verb, group) => new Bulk(verb, group).open();
