import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MasterInfo } from '../../../wire/v1.ts';
import { masterInfoOf, membersOf } from './members.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

test('candidates are the children with a number, the lowest first, whatever their labels', () => {
  const names = ['json.info_0000000012', 'log_replicas', 'info_0000000003', '0000000007', 'json.info_x'];
  assert.deepEqual(
    membersOf(names).map(({ name, label, sequence }) => [name, label, sequence]),
    [
      ['info_0000000003', 'info', 3],
      ['0000000007', undefined, 7],
      ['json.info_0000000012', 'json.info', 12],
    ],
  );
});

test('a candidate is read in the form that its label tells', () => {
  const info: MasterInfo = { id: 'm', ip: 16777343, port: 5050, hostname: 'host' };
  const of = (label: string | undefined, data: Uint8Array) => masterInfoOf({ name: 'n', label, sequence: 1 }, data);
  const json = of('json.info', bytes(MasterInfo.v0.stringify(info)));
  assert.equal(json.ok && json.value.hostname, 'host');
  const binary = of('info', MasterInfo.encode(info));
  assert.equal(binary.ok && binary.value.hostname, 'host');
  const pid = of(undefined, bytes('master@127.0.0.1:5050'));
  assert.deepEqual(pid.ok && [pid.value.ip, pid.value.port], [16777343, 5050]);
});

test('a node that is no candidate is an error that names it', () => {
  for (const [label, data] of [
    ['other', '{}'],
    ['json.info', 'nonsense'],
    ['info', 'nonsense'],
    [undefined, 'somewhere'],
  ] as const) {
    const info = masterInfoOf({ name: `${label}_1`, label, sequence: 1 }, bytes(data));
    assert.ok(!info.ok);
    assert.match(info.error, new RegExp(`${label}_1`));
  }
});
