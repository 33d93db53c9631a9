// The page: the head with its places, one view at a time, and what keeps them alive.

import {onStranger} from './api.js';
import {tick} from './clock.js';
import {h} from './h.js';
import {help} from './help.js';
import {installKeys} from './keys.js';
import {begin, watch} from './live.js';
import {parsePlace, place} from './route.js';
import {hasToken, signIn, signOut} from './sign_in.js';
import {connection} from './connection.js';
import {holdsView} from './view_holds.js';
import {hostsView} from './view_hosts.js';
import {listView} from './view_list.js';
import {overviewView} from './view_overview.js';
import {stuckView} from './view_stuck.js';
import {topicsView} from './view_topics.js';
import {transactionView} from './view_transaction.js';

const VIEWS = {
  '': {view: overviewView, title: 'Overview'},
  list: {view: listView, title: 'Transactions'},
  stuck: {view: stuckView, title: 'Stuck'},
  topics: {view: topicsView, title: 'Topics'},
  hosts: {view: hostsView, title: 'Hosts'},
  holds: {view: holdsView, title: 'Holds'},
  transaction: {view: transactionView, title: 'Transaction', isUnder: 'list'},
};

const main = document.getElementById('main');
let leaving = new AbortController();
let refreshView = () => {};

function head() {
  const links = Object.entries(VIEWS).filter(([, {isUnder}]) => !isUnder).map(([name, {title}]) =>
    h('a', {href: place(name), 'data-place': name}, title, name === 'stuck' ?
      h('span', {class: 'badge', hidden: true}) : null));
  const state = h('span', {class: 'connection', role: 'status'});
  const out = h('button', {type: 'button', class: 'bare', onclick: signOut, hidden: true},
      'Forget token');
  const frame = document.getElementById('top');
  frame.append(h('a', {class: 'brand', href: '#/'}, 'belay'),
      h('nav', {'aria-label': 'Places'}, links),
      h('div', {class: 'aside'}, state, out,
          h('button', {type: 'button', class: 'bare', 'aria-label': 'Help', onclick: help}, '?')));
  const badge = frame.querySelector('.badge');
  watch((live) => {
    state.replaceChildren(...connection(live));
    state.className = `connection ${live.state}`;
    out.hidden = !hasToken();
    const stuck = live.overview?.counters.stuck ?? 0;
    badge.textContent = String(stuck);
    badge.hidden = stuck === 0;
  });
}

function mark(name) {
  for (const link of document.querySelectorAll('#top [data-place]')) {
    if (link.dataset.place === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

function unknownPlace(page) {
  page.root.append(h('p', {class: 'empty'}, 'There is nothing at this address.'));
}

function show(isFirst) {
  leaving.abort();
  leaving = new AbortController();
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
  const {name, args, query} = parsePlace(location.hash);
  const {view, title, isUnder} = Object.hasOwn(VIEWS, name) ? VIEWS[name] :
    {view: unknownPlace, title: 'Nothing here'};
  main.replaceChildren();
  const page = {root: main, args, query, signal: leaving.signal, title, onRefresh: (again) => {
    refreshView = again;
  }, named: (text) => { document.title = `${text} · belay`; }};
  refreshView = () => {};
  page.named(title);
  mark(isUnder ?? name);
  view(page);
  if (isFirst) return;
  if (!main.contains(document.activeElement)) main.focus({preventScroll: true});
  window.scrollTo(0, 0);
}

onStranger(signIn);
head();
installKeys({refresh: () => refreshView()});
window.addEventListener('hashchange', () => show(false));
show(true);
begin();
setInterval(tick, 1_000);
