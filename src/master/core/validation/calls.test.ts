/** Which scheduler calls are incomplete. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Call } from '../../../wire/v1_scheduler.ts';
import { uuidOf } from '../harness.fixture.ts';
import { validateCall } from './calls.ts';

const ID = { value: 'f' };
const INFO = { user: 'u', name: 'n' };

function refusal(call: Call, principal?: string): string {
  const result = validateCall(call, principal);
  return result.ok ? 'accepted' : result.error;
}

test('a call says its type', () => {
  assert.equal(refusal({}), "Expecting 'type' to be present");
  assert.equal(refusal({ framework_id: ID }), "Expecting 'type' to be present");
});

test('each type brings its argument, but for those that need none', () => {
  const needy: readonly Call['type'][] = [
    ...(['SUBSCRIBE', 'ACCEPT', 'DECLINE', 'ACCEPT_INVERSE_OFFERS', 'DECLINE_INVERSE_OFFERS', 'KILL'] as const),
    ...(['SHUTDOWN', 'ACKNOWLEDGE', 'ACKNOWLEDGE_OPERATION_STATUS', 'RECONCILE', 'RECONCILE_OPERATIONS'] as const),
    ...(['MESSAGE', 'REQUEST', 'UPDATE_FRAMEWORK'] as const),
  ];
  for (const type of needy) {
    assert.equal(refusal({ type, framework_id: ID }), `Expecting '${type?.toLowerCase()}' to be present`);
  }
  for (const type of ['TEARDOWN', 'REVIVE', 'SUPPRESS', 'UNKNOWN'] as const) {
    assert.equal(refusal({ type, framework_id: ID }), 'accepted');
  }
});

test('every call but SUBSCRIBE names its framework', () => {
  assert.equal(refusal({ type: 'REVIVE' }), "Expecting 'framework_id' to be present");
  assert.equal(refusal({ type: 'DECLINE', decline: {} }), "Expecting 'framework_id' to be present");
  assert.equal(refusal({ type: 'SUBSCRIBE', subscribe: { framework_info: INFO } }), 'accepted');
});

test('the framework is the same everywhere in the call', () => {
  const other = { ...INFO, id: { value: 'g' } };
  const differs = /'framework_id' differs from '(subscribe|update_framework).framework_info.id'/;
  assert.match(refusal({ type: 'SUBSCRIBE', subscribe: { framework_info: other } }), differs);
  assert.match(refusal({ type: 'SUBSCRIBE', framework_id: ID, subscribe: { framework_info: INFO } }), differs);
  assert.match(refusal({ type: 'SUBSCRIBE', framework_id: ID, subscribe: { framework_info: other } }), differs);
  const update = (framework_info: typeof INFO) =>
    ({ type: 'UPDATE_FRAMEWORK', framework_id: ID, update_framework: { framework_info } }) as const;
  assert.match(refusal(update(other)), differs);
  assert.match(refusal(update(INFO)), differs);
  assert.equal(refusal(update({ ...INFO, id: ID } as typeof INFO)), 'accepted');
});

test('who has proved who it is cannot say that it is somebody else', () => {
  const subscribe = (principal?: string): Call => ({
    type: 'SUBSCRIBE',
    subscribe: { framework_info: { ...INFO, ...(principal !== undefined && { principal }) } },
  });
  assert.match(refusal(subscribe('q'), 'p'), /Authenticated principal 'p' does not match principal 'q'/);
  for (const named of ['p', undefined]) assert.equal(refusal(subscribe(named), 'p'), 'accepted');
  assert.equal(refusal(subscribe('q')), 'accepted', 'nobody had to prove anything');
});

test('an acknowledgement carries a UUID', () => {
  const status = (uuid: Uint8Array): Call => ({
    type: 'ACKNOWLEDGE',
    framework_id: ID,
    acknowledge: { agent_id: { value: 'a' }, task_id: { value: 't' }, uuid },
  });
  assert.match(refusal(status(new Uint8Array(0))), /16 bytes are needed, not 0/);
  assert.match(refusal(status(new Uint8Array(17))), /16 bytes are needed, not 17/);
  assert.match(refusal(status(new Uint8Array(16))), /neither the layout nor the version/);
  assert.equal(refusal(status(uuidOf('x'))), 'accepted');
  const operation = (more: object): Call => ({
    type: 'ACKNOWLEDGE_OPERATION_STATUS',
    framework_id: ID,
    acknowledge_operation_status: { operation_id: { value: 'o' }, uuid: uuidOf('x'), ...more },
  });
  assert.match(refusal(operation({ uuid: new Uint8Array(1), agent_id: { value: 'a' } })), /16 bytes are needed/);
  assert.match(refusal(operation({})), /agent_id' to be present/);
  assert.equal(refusal(operation({ agent_id: { value: 'a' } })), 'accepted');
});
