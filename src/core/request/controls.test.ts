import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError, type ErrorCode } from '../errors.ts';
import { readCameraControl, readDynamicMasks, readElementIds, readShots, readVoiceIds } from './controls.ts';
import type { Claim } from './types.ts';

const claim = (value: unknown): Claim => ({ source: 'field', value });
const refuses = (
  read: (claim: Claim) => unknown,
  value: unknown,
  param: string,
  code: ErrorCode = 'invalid_value',
) =>
  assert.throws(
    () => read(claim(value)),
    (error) => error instanceof GatewayError && error.param === param && error.code === code,
  );

test('a camera move is named, or simple with exactly one axis', () => {
  assert.deepEqual(readCameraControl(claim({ type: 'Simple', config: { zoom: '5', pan: 0 } })), {
    type: 'simple',
    config: { zoom: 5, pan: 0 },
  });
  assert.deepEqual(readCameraControl(claim('{"type":"down_back"}')), { type: 'down_back', config: null });
  assert.deepEqual(readCameraControl(claim({ type: 'forward_up', config: { pan: 0 } })).config, null);
  refuses(readCameraControl, {}, 'field.type', 'missing_required_parameter');
  refuses(readCameraControl, { type: 'spiral' }, 'field.type');
  refuses(readCameraControl, { type: 'simple' }, 'field.config', 'missing_required_parameter');
  refuses(readCameraControl, { type: 'simple', config: {} }, 'field.config');
  refuses(readCameraControl, { type: 'simple', config: { zoom: 1, pan: 1 } }, 'field.config');
  refuses(readCameraControl, { type: 'simple', config: { zoom: 10.5 } }, 'field.config.zoom');
  refuses(readCameraControl, { type: 'simple', config: { tilt: 'x' } }, 'field.config.tilt');
  refuses(readCameraControl, { type: 'simple', config: { spin: 1 } }, 'field.config.spin');
  refuses(readCameraControl, { type: 'down_back', config: { zoom: 1 } }, 'field.config');
});

test('masks have a picture and a path of 2 to 77 points', () => {
  const mask = 'https://example.com/mask.png';
  const trajectories = [
    { x: 1, y: '2' },
    { x: 3, y: 4 },
  ];
  assert.deepEqual(readDynamicMasks(claim([{ mask, trajectories }]))[0]?.trajectories, [
    { x: 1, y: 2 },
    { x: 3, y: 4 },
  ]);
  refuses(readDynamicMasks, Array(7).fill({ mask, trajectories }), 'field');
  refuses(readDynamicMasks, [{ trajectories }], 'field[0].mask', 'missing_required_parameter');
  refuses(readDynamicMasks, [{ mask, trajectories: [{ x: 1, y: 1 }] }], 'field[0].trajectories');
  refuses(
    readDynamicMasks,
    [{ mask, trajectories: [{ x: 1 }, { x: 1, y: 1 }] }],
    'field[0].trajectories[0].y',
  );
  refuses(readDynamicMasks, ['mask'], 'field[0]');
});

test('shots count from one without a gap, in any order', () => {
  const shot = (index: unknown, duration: unknown = 2, prompt: unknown = 'a') => ({
    index,
    duration,
    prompt,
  });
  assert.deepEqual(
    readShots(claim([shot('2'), shot(1, '3')])).map(({ index, seconds }) => [index, seconds]),
    [
      [1, 3],
      [2, 2],
    ],
  );
  refuses(readShots, [], 'field');
  refuses(readShots, Array(7).fill(shot(1)), 'field');
  refuses(readShots, [shot(1), shot(1)], 'field');
  refuses(readShots, [shot(2)], 'field');
  refuses(readShots, [shot(1, 0)], 'field[0].duration');
  refuses(readShots, [shot(1, 2, 'x'.repeat(513))], 'field[0].prompt');
});

test('ids keep every digit, bare or wrapped', () => {
  assert.deepEqual(readElementIds(claim([{ element_id: 829836802793406551n }, '7', 8])), [
    '829836802793406551',
    '7',
    '8',
  ]);
  assert.deepEqual(readElementIds(claim('[{"element_id":829836802793406551}]')), ['829836802793406551']);
  assert.deepEqual(readVoiceIds(claim([{ voice_id: 'genshin_klee2' }])), ['genshin_klee2']);
  refuses(readElementIds, ['abc'], 'field[0].element_id');
  refuses(readElementIds, [{ element_id: 2 ** 60 }], 'field[0].element_id');
  refuses(readVoiceIds, [{}], 'field[0].voice_id');
});
