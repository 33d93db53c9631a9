// Whether the page still hears from the server, in words.

import {clockTime} from './clock.js';
import {h} from './h.js';

export function connection({state, since}) {
  const dot = h('i', {'aria-hidden': 'true'});
  switch (state) {
    case 'live': return [dot, h('span', {title: 'The server tells every change at once.'}, 'Live')];
    case 'polling': return [dot, h('span', {title: 'The server is asked every 5 seconds.'},
        'Every 5 s')];
    case 'lost': return [dot,
      h('span', {}, `No connection since ${clockTime(since)}; trying again`)];
    default: return [dot, h('span', {}, 'Connecting')];
  }
}
