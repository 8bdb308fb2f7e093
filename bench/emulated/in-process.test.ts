import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseResources } from '../../src/resources/parse.ts';
import type { Resources } from '../../src/resources/resources.ts';
import type { TaskScript } from './agent.ts';
import { frameworkInfo } from './framework.ts';
import { InProcessCluster } from './in-process.ts';

function resources(text: string): Resources {
  const parsed = parseResources(text);
  assert.ok(parsed.ok);
  return parsed.value;
}

function clusterOf(count: number, script?: TaskScript): InProcessCluster {
  const cluster = new InProcessCluster();
  const offered = resources('cpus:4;mem:1024').toProto();
  cluster.addAgents(count, (index) => ({ hostname: `agent-${index}`, resources: offered }), script);
  cluster.run(() => cluster.agents.every((agent) => agent.id !== undefined));
  return cluster;
}

const one = resources('cpus:1;mem:128');

test('emulated agents register, and run what a framework launches to its end', () => {
  const cluster = clusterOf(5);
  assert.equal(cluster.master.state.agents.size, 5);
  const framework = cluster.addFramework({ info: frameworkInfo('test'), tasks: 30, resources: one });
  cluster.run(() => framework.done);
  assert.equal(framework.finished, 30);
  assert.equal(framework.running, 30);
  // The last acknowledgements are still on their way to the agents.
  cluster.run(() => cluster.agents.every((agent) => agent.taskCount === 0));
  for (const agent of cluster.master.state.agents.values()) assert.ok(agent.used.isEmpty);
});

test('tasks take their time on the clock of the cluster, not on that of the wall', () => {
  const cluster = clusterOf(2, { runsFor: () => 600_000, starting: true });
  const framework = cluster.addFramework({ info: frameworkInfo('test'), tasks: 8, resources: one });
  cluster.run(() => framework.running === 8);
  assert.equal(framework.finished, 0);
  assert.throws(() => cluster.run(() => framework.done, 1000), /within 1 s/);
  cluster.run(() => framework.done);
  assert.equal(framework.finished, 8);
});

test('agents that answer pings stay, however long the cluster runs', () => {
  const cluster = clusterOf(3);
  const start = cluster.steps;
  cluster.run(() => cluster.steps > start + 500, 24 * 3600_000);
  assert.equal(cluster.master.state.unreachable.size, 0);
  assert.equal(cluster.master.state.agents.size, 3);
});

test('the number of tasks on one offer can be limited', () => {
  const cluster = clusterOf(10, { runsFor: () => Number.POSITIVE_INFINITY, starting: false });
  const framework = cluster.addFramework({ info: frameworkInfo('test'), tasks: 10, resources: one, perOffer: 1 });
  cluster.run(() => framework.launched === 10);
  assert.ok(cluster.agents.every((agent) => agent.taskCount === 1));
});
