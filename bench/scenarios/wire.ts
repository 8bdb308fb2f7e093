import { parseResources } from '../../src/resources/parse.ts';
import { ReregisterSlaveMessage } from '../../src/wire/internal.ts';
import type { MessageType } from '../../src/wire/message-type.ts';
import type { AgentInfo, FrameworkInfo, Labels, Resource, Task } from '../../src/wire/v1.ts';
import { Offer } from '../../src/wire/v1.ts';
import type { Sample, Scenario } from '../scenario.ts';

/** How long each operation is repeated, in ms: long enough for a rate, short enough for many operations. */
const SPAN = 400;
const AGENT_ID = { value: '4bb7ed1b-6bd6-4cd8-8a4e-0b9a3c1d2e3f-S17' };
const FRAMEWORK_ID = { value: '4bb7ed1b-6bd6-4cd8-8a4e-0b9a3c1d2e3f-0004' };

function resources(text: string, role?: string): readonly Resource[] {
  const parsed = parseResources(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return (role === undefined ? parsed.value : parsed.value.allocate(role)).toProto();
}

/** Ten labels on each task, as upstream's own benchmark of agents that come back has them. */
const labels: Labels = {
  labels: Array.from({ length: 10 }, (_, i) => ({ key: `label-key-${i}`, value: `label-value-${i}` })),
};

function task(index: number): Task {
  return {
    name: `task-${index}`,
    task_id: { value: `6a1d8b9e-0000-4000-8000-${String(index).padStart(12, '0')}` },
    framework_id: FRAMEWORK_ID,
    agent_id: AGENT_ID,
    state: 'TASK_RUNNING',
    resources: resources('cpus:0.1;mem:5', '*'),
    labels,
  };
}

const agent: AgentInfo = {
  hostname: 'agent-17.example.org',
  port: 5051,
  id: AGENT_ID,
  resources: resources('cpus:20;mem:10240;disk:100000;ports:[31000-32000]'),
};
const framework: FrameworkInfo = {
  user: 'nobody',
  name: 'bench',
  id: FRAMEWORK_ID,
  roles: ['*'],
  checkpoint: true,
  capabilities: [{ type: 'MULTI_ROLE' }],
};

const reregister: ReregisterSlaveMessage = {
  slave: agent,
  version: '1.11.0',
  agent_capabilities: [{ type: 'MULTI_ROLE' }, { type: 'HIERARCHICAL_ROLE' }, { type: 'RESERVATION_REFINEMENT' }],
  frameworks: [framework],
  tasks: Array.from({ length: 10 }, (_, i) => task(i)),
};

const offer: Offer = {
  id: { value: `${FRAMEWORK_ID.value}-O123` },
  framework_id: FRAMEWORK_ID,
  agent_id: AGENT_ID,
  hostname: agent.hostname,
  url: {
    scheme: 'http',
    address: { hostname: agent.hostname, ip: '127.0.0.1', port: 5051 },
    path: '/slave(1)',
  },
  resources: resources('cpus:20;mem:10240;disk:100000;ports:[31000-32000]', '*'),
  allocation_info: { role: '*' },
};

/** Repeats an operation for `SPAN` ms. @returns how often it went a second */
function rate(operation: () => unknown): number {
  const start = performance.now();
  let count = 0;
  let now = start;
  while (now - start < SPAN) {
    for (let i = 0; i < 64; i++) operation();
    count += 64;
    now = performance.now();
  }
  return (count * 1000) / (now - start);
}

function measure<T extends object>(name: string, type: MessageType<T>, message: T): Sample[] {
  const bytes = type.encode(message);
  const text = type.stringify(message);
  const sized = `${name} (${bytes.length} B`;
  const operations: readonly (readonly [string, number, () => unknown])[] = [
    [`encode ${sized})`, bytes.length, () => type.encode(message)],
    [`decode ${sized})`, bytes.length, () => type.decode(bytes)],
    [`to JSON ${sized}, ${text.length} as JSON)`, text.length, () => type.stringify(message)],
    [`from JSON ${sized}, ${text.length} as JSON)`, text.length, () => type.parse(text)],
  ];
  return operations.flatMap(([metric, size, operation]) => {
    const perSecond = rate(operation);
    return [
      { metric, unit: 'messages/s', value: perSecond },
      { metric, unit: 'MB/s', value: (perSecond * size) / 1e6 },
    ];
  });
}

export const scenario: Scenario = {
  name: 'wire',
  about:
    'Encodes and decodes an Offer and a ReregisterSlaveMessage of ten tasks with ten labels each, as protobuf and as JSON: how many a second.',
  run: () => [
    ...measure('Offer', Offer, offer),
    ...measure('ReregisterSlaveMessage', ReregisterSlaveMessage, reregister),
  ],
};
