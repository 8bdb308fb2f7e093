import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MasterInfo } from '../../../wire/v1.ts';
import type { Answer, Stat } from '../../zookeeper/core/protocol.ts';
import { Election, type ElectionEffect, type ElectionEvent } from './election.ts';

const INFO: MasterInfo = { id: 'm', ip: 16777343, port: 5050, hostname: 'host' };
const DATA = Buffer.from(MasterInfo.v0.stringify(INFO));
const SESSION = 47n;
const ENV = { now: 0, wall: 0, random: () => 0, chance: () => false };

function statOf(ephemeralOwner: bigint): Stat {
  return { ephemeralOwner } as Stat;
}

/** An election that has just joined, with what it asks for next. */
function joined(): { readonly step: (event: ElectionEvent) => ElectionEffect[]; readonly asked: () => number } {
  const election = new Election({ path: '/mesos', acl: [], candidate: DATA });
  let token = -1;
  const step = (event: ElectionEvent): ElectionEffect[] => {
    const effects: ElectionEffect[] = [];
    election.step(event, ENV, (effect) => effects.push(effect));
    for (const effect of effects) if (effect.kind === 'request') token = effect.token;
    return effects;
  };
  step({ kind: 'session', state: 'connected', id: SESSION, reason: '' });
  return { step, asked: () => token };
}

function answer(value: Partial<Answer>): { readonly ok: true; readonly value: Answer } {
  return { ok: true, value: value as Answer };
}

test('of two nodes of its own, made because the first creation was answered by nobody, the first one counts', () => {
  const { step, asked } = joined();
  const say = (result: Extract<ElectionEvent, { kind: 'answer' }>['result']): ElectionEffect[] =>
    step({ kind: 'answer', token: asked(), result });
  say(answer({ path: '/mesos' }));
  say({ ok: false, error: { code: 'CONNECTION_LOSS', message: 'the connection broke' } } as never);
  say(answer({ children: [] }));
  const [contending] = say(answer({ path: '/mesos/json.info_0000000005' }));
  assert.deepEqual(contending, { kind: 'contending', node: '/mesos/json.info_0000000005' });
  say(answer({ children: ['json.info_0000000004', 'json.info_0000000005'] }));
  const effects = say(answer({ data: DATA, stat: statOf(SESSION) }));
  const [leader] = effects.filter((effect) => effect.kind === 'leader');
  assert.deepEqual([leader?.info?.hostname, leader?.isSelf], ['host', true]);
});

test('a node of another session that comes first leads, whatever it says of itself', () => {
  const { step, asked } = joined();
  const say = (result: Extract<ElectionEvent, { kind: 'answer' }>['result']): ElectionEffect[] =>
    step({ kind: 'answer', token: asked(), result });
  say(answer({ path: '/mesos' }));
  say(answer({ path: '/mesos/json.info_0000000005' }));
  say(answer({ children: ['json.info_0000000004', 'json.info_0000000005'] }));
  const effects = say(answer({ data: DATA, stat: statOf(SESSION + 1n) }));
  const [leader] = effects.filter((effect) => effect.kind === 'leader');
  assert.equal(leader?.isSelf, false);
});
