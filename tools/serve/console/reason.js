// Why a change is made: the fields that every change asks for.

import {field, line} from './controls.js';
import {h} from './h.js';

const REASON_CHARACTERS_MAX = 500;
const TICKET_CHARACTERS_MAX = 100;

export function reasonFields(isRequired) {
  const reason = h('input', {name: 'reason', maxlength: REASON_CHARACTERS_MAX,
    required: isRequired, autocomplete: 'off'});
  const ticket = line('ticket', {maxlength: TICKET_CHARACTERS_MAX});
  return {
    controls: [
      field(isRequired ? 'Reason' : 'Reason (optional)', reason,
          'It is kept with the change, for whoever looks later.'),
      field('Ticket (optional)', ticket),
    ],
    read: () => {
      const out = {};
      if (reason.value.trim()) out.reason = reason.value.trim();
      if (ticket.value.trim()) out.ticket = ticket.value.trim();
      return out;
    },
  };
}
