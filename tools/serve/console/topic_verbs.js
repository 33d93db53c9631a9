// Changing topics: who gets the messages that are submitted from now on.

import {askAndChange} from './change_dialog.js';
import {field, line} from './controls.js';
import {refusalOf} from './hidden.js';
import {short} from './text.js';

export function subscribe(topic = '') {
  const controls = {topic: line('topic', {value: topic, required: true}),
    target: line('target', {required: true}), remark: line('remark')};
  return askAndChange({
    title: 'Subscribe', path: ['topics', 'subscribe'], verb: 'Subscribe', isReasonAsked: false,
    done: 'The target is subscribed.',
    says: ['Each message to this topic that is submitted from now on is also delivered to this ' +
      'target. A topic that does not exist is made.'],
    fields: [field('Topic', controls.topic), field('Target', controls.target,
        'A URL or a handler’s name.'), field('Remark (optional)', controls.remark)],
    read: () => {
      const refusal = refusalOf('The target', controls.target.value);
      if (refusal) return refusal;
      const body = {topic: controls.topic.value.trim(), target: controls.target.value.trim()};
      const remark = controls.remark.value.trim();
      return remark ? {...body, remark} : body;
    },
  });
}

export function unsubscribe(topic, target) {
  return askAndChange({
    title: 'Unsubscribe', about: `${topic}: ${target}`, path: ['topics', 'unsubscribe'],
    verb: 'Unsubscribe', isReasonAsked: false, checked: topic,
    read: () => refusalOf('The target', target,
        '`belay unsubscribe TOPIC TARGET` takes the whole one.') ?? {topic, target},
    done: `${short(target, 60)} gets no further message of ${short(topic, 30)}.`,
    says: ['Messages that are submitted from now on are not delivered to this target. Those that ' +
      'are under way still are.'],
  });
}

export function deleteTopic(topic) {
  return askAndChange({
    title: 'Delete the topic', about: topic, path: ['topics', 'delete'], verb: 'Delete',
    isReasonAsked: false, checked: topic, read: () => ({topic}),
    done: `The topic ${short(topic, 40)} was deleted.`,
    says: ['The topic and its subscriptions go. A message to it is refused until somebody ' +
      'subscribes again; those that are under way are still delivered.'],
  });
}
