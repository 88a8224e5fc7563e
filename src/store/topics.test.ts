import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTopics } from './topics.ts';

test('listeners hear their own topic until they leave', () => {
  const topics = createTopics();
  const heard: string[] = [];
  const endOne = topics.subscribe('a', () => heard.push('one'));
  topics.subscribe('a', () => heard.push('two'));
  topics.subscribe('b', () => heard.push('three'));
  topics.publish(['a', 'none']);
  endOne();
  topics.publish(['a', 'b']);
  assert.deepEqual(heard, ['one', 'two', 'two', 'three']);
});

test('the same function can listen twice and leave once', () => {
  const topics = createTopics();
  let heard = 0;
  const listener = () => void heard++;
  const end = topics.subscribe('a', listener);
  topics.subscribe('a', listener);
  topics.publish(['a']);
  end();
  end();
  topics.publish(['a']);
  assert.equal(heard, 3);
});

test('a detail follows the topic after a space; after an interruption everybody is called without one', () => {
  const topics = createTopics();
  const heard: (string | null)[] = [];
  topics.subscribe('hint:chan_1', (detail) => heard.push(detail));
  topics.publish(['hint:chan_1 task_1', 'hint:chan_2 task_2', 'hint:chan_1']);
  topics.publishAll();
  assert.deepEqual(heard, ['task_1', null, null]);
});
