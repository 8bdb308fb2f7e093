import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseResources } from '../resources/parse.ts';
import type { WhyFramework, WhyRole } from './why-answer.ts';
import { parseNeeds, roomFor, roomText } from './why-needs.ts';
import { frameworkText } from './why-text.ts';

const ROLE: WhyRole = { role: 'a', suppressed: false, weight: 1, share: 0.5, framework_share: 0.125, summary: [] };
const FRAMEWORK: WhyFramework = { id: 'f-0', name: 'jobs', state: 'ACTIVE', tasks: 1, offers: 0, roles: [ROLE] };

function resources(text: string) {
  const parsed = parseResources(text);
  assert.ok(parsed.ok);
  return parsed.value.toProto();
}

test('a framework is told with its roles, and reasons as a table', () => {
  const summary = [
    {
      reason: 'REFUSED',
      sentence: 'it declined',
      agents: 12,
      example_agent_id: 'S1',
      example_hostname: 'h1',
      until: 1_700_000_000.4,
    },
    { reason: 'NO_AGENTS', sentence: 'there is no agent', agents: 0 },
  ];
  const quota = { role: 'a', guarantees: { cpus: 1 }, limits: { cpus: 2, mem: 64 }, consumed: { cpus: 1.5 } };
  const role = { ...ROLE, weight: 2, suppressed: true, quota, summary };
  assert.equal(
    frameworkText({ ...FRAMEWORK, offers: 2, oldest_offer_seconds: 61.7, roles: [role] }),
    [
      'Framework jobs (f-0) is active, with 1 task. It has not answered 2 offers, the oldest for 62 s.',
      '',
      'Role a: dominant share 50%, 12.5% by this framework alone, weight 2, suppressed.',
      'Quota of role a: cpus 1.5 of at most 2, 1 guaranteed; mem 0 of at most 64.',
      'REASON     AGENTS  UNTIL                 EXAMPLE  WHY',
      'REFUSED    12      2023-11-14T22:13:20Z  h1 (S1)  it declined',
      'NO_AGENTS  0       -                     -        there is no agent',
      '',
    ].join('\n'),
  );
});

test('where nothing is in the way, or nothing is there any more, that is said', () => {
  assert.match(frameworkText(FRAMEWORK), /Nothing keeps it from being offered more\.\n$/);
  assert.equal(
    frameworkText({ ...FRAMEWORK, state: 'ENDED', tasks: 0, roles: [] }),
    'Framework jobs (f-0) has ended, with 0 tasks.\n',
  );
});

test('a task fits now, later or never; what others have reserved is no room', () => {
  const agent = (id: string, total: string, taken = '', active = true) => ({
    active,
    version: '1',
    agent_info: { hostname: `h${id}`, id: { value: id } },
    total_resources: resources(total),
    allocated_resources: resources(taken),
  });
  const agents = [
    agent('1', 'cpus:4;mem:100'),
    agent('2', 'cpus:4;mem:100', 'cpus:3'),
    agent('3', 'cpus:1;cpus(b):8;mem:100'),
    agent('4', 'cpus:1;cpus(a):1;mem:100'),
    agent('5', 'cpus:9;mem:100', '', false),
  ];
  const needs = parseNeeds('cpus:2;mem:10');
  const rooms = roomFor(needs, 'a', agents);
  assert.deepEqual(
    rooms.map(({ agentId, fits, has }) => [agentId, fits, has]),
    [
      ['1', 'now', 'cpus:4; mem:100'],
      ['2', 'later', 'cpus:1; mem:100'],
      ['3', 'never', 'cpus:1; mem:100'],
      ['4', 'now', 'cpus:2; mem:100'],
    ],
  );
  const quota = { role: 'a', guarantees: {}, limits: { cpus: 1.5, mem: 10 }, consumed: {} };
  assert.equal(
    roomText(needs, { ...ROLE, quota }, rooms),
    [
      'A task that needs cpus:2; mem:10 fits on 2 of 4 active agents now, as role a.',
      'It needs more cpus than the quota of role a allows at all, which is 1.5.',
      'AGENT   FITS',
      'h2 (2)  not now: what is free is cpus:1; mem:100',
      'h3 (3)  never: all that it has is cpus:1; mem:100',
      '',
    ].join('\n'),
  );
  assert.throws(() => parseNeeds('cpus:lots'), /--needs/);
});
