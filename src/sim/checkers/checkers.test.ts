import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MasterEffect } from '../../master/core/effects.ts';
import type { MasterEvent } from '../../master/core/events.ts';
import { Resources } from '../../resources/resources.ts';
import type { Resource, TaskState, TaskStatus } from '../../wire/v1.ts';
import type { Call } from '../../wire/v1_scheduler.ts';
import type { LiveContainer } from '../containers.ts';
import type { SeenAgent, SeenMaster } from '../observer.ts';
import { Violation } from '../violation.ts';
import { InstancesChecker } from './instances.ts';
import { OffersChecker } from './offers.ts';
import { UpdatesChecker } from './updates.ts';

/** The checkers look at effects and events only; what they do not look at is left out. */
const MASTER = { name: 'm', reigning: true } as SeenMaster;
const TIMER: MasterEvent = { kind: 'timer', key: 'wake' };

const cpus = (value: number): Resource => ({ name: 'cpus', type: 'SCALAR', scalar: { value } });
const agent: SeenAgent = { name: 'a', id: 'S0', total: Resources.of([cpus(4)]) };

function container(taskId: string, used = 1): LiveContainer {
  const resources = { cpus: used, mem: 0, disk: 0, gpus: 0 };
  return { containerId: `c-${taskId}`, frameworkId: 'f', taskId, resources };
}

function offers(...made: readonly (readonly [id: string, cpus: number])[]): MasterEffect {
  const list = made.map(([id, value]) => ({
    id: { value: id },
    framework_id: { value: 'f' },
    agent_id: { value: 'S0' },
    hostname: 'h',
    resources: [cpus(value)],
  }));
  return { kind: 'event', stream: 's', event: { type: 'OFFERS', offers: { offers: list } } };
}

function update(taskId: string, state: TaskState): MasterEffect {
  const status = { task_id: { value: taskId }, state };
  return { kind: 'event', stream: 's', event: { type: 'UPDATE', update: { status } } };
}

test('offers and running containers may fill an agent, and not more than that', () => {
  const checker = new OffersChecker();
  checker.containerStarted(agent, container('t', 1));
  checker.masterStepped(MASTER, TIMER, [offers(['O1', 2])]);
  checker.masterStepped(MASTER, TIMER, [offers(['O2', 1])]);
  assert.throws(() => checker.masterStepped(MASTER, TIMER, [offers(['O3', 0.1])]), Violation);
});

test('what was answered, rescinded or lost with its stream may be offered again', () => {
  const checker = new OffersChecker();
  checker.containerStarted(agent, container('t', 0));
  const call: Call = { type: 'DECLINE', decline: { offer_ids: [{ value: 'O1' }] } };
  const reply: MasterEffect = { kind: 'reply', request: 1, status: 202 };
  const rescind: MasterEffect = {
    kind: 'event',
    stream: 's',
    event: { type: 'RESCIND', rescind: { offer_id: { value: 'O2' } } },
  };
  checker.masterStepped(MASTER, TIMER, [offers(['O1', 4])]);
  checker.masterStepped(MASTER, { kind: 'schedulerCall', request: 1, call }, [reply]);
  checker.masterStepped(MASTER, TIMER, [offers(['O2', 4])]);
  checker.masterStepped(MASTER, TIMER, [rescind, offers(['O3', 4])]);
  checker.masterStepped(MASTER, { kind: 'streamClosed', stream: 's' }, []);
  checker.masterStepped(MASTER, TIMER, [offers(['O4', 4])]);
  assert.throws(() => checker.masterStepped(MASTER, TIMER, [offers(['O4', 0])]), /made twice/);
});

test('a task runs once, on one agent, and not after its end was told', () => {
  const checker = new InstancesChecker();
  checker.containerStarted(agent, container('t'));
  assert.throws(() => checker.containerStarted({ ...agent, name: 'b' }, container('t')), /second time/);
  assert.throws(() => checker.masterStepped(MASTER, TIMER, [update('t', 'TASK_KILLED')]), /runs on a/);
  checker.masterStepped(MASTER, TIMER, [update('t', 'TASK_LOST'), update('u', 'TASK_DROPPED')]);
  assert.throws(() => checker.containerStarted(agent, container('u')), /after its scheduler was told TASK_DROPPED/);
});

function sends(checker: UpdatesChecker, uuid: number, state: TaskState): void {
  const bytes = new Uint8Array(16).fill(uuid);
  const status: TaskStatus = { task_id: { value: 't' }, state };
  const body = { update: { framework_id: { value: 'f' }, status, timestamp: 0, uuid: bytes } };
  const name = 'mesos.internal.StatusUpdateMessage';
  checker.agentPerforms(agent, { kind: 'send', to: 'master', name, message: body });
}

function sees(checker: UpdatesChecker, uuid: number, state: TaskState): void {
  checker.statusSeen('f', { task_id: { value: 't' }, state, uuid: new Uint8Array(16).fill(uuid) });
}

test('updates come one after the other, as they were sent, and nothing else comes after the end', () => {
  const checker = new UpdatesChecker();
  sends(checker, 1, 'TASK_RUNNING');
  assert.throws(() => sends(checker, 2, 'TASK_FINISHED'), /before TASK_RUNNING was acknowledged/);
  assert.throws(() => sees(checker, 2, 'TASK_FINISHED'), /should be next/);
  sees(checker, 1, 'TASK_RUNNING');
  sees(checker, 1, 'TASK_RUNNING');
  sends(checker, 2, 'TASK_FINISHED');
  assert.equal(checker.end('f', 't'), undefined);
  sees(checker, 2, 'TASK_FINISHED');
  assert.equal(checker.end('f', 't'), 'TASK_FINISHED');
  sends(checker, 3, 'TASK_FINISHED');
  assert.throws(() => sends(checker, 4, 'TASK_LOST'), /after its end/);
});

test('an agent is told of no acknowledgement that no scheduler gave', () => {
  const checker = new UpdatesChecker();
  const body = {
    slave_id: { value: 'S0' },
    framework_id: { value: 'f' },
    task_id: { value: 't' },
    uuid: new Uint8Array(16),
  };
  const name = 'mesos.internal.StatusUpdateAcknowledgementMessage';
  assert.throws(() => checker.agentStepped(agent, { kind: 'message', from: 'm', name, body }), /nobody saw/);
});
