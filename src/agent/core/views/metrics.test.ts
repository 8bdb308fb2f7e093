import assert from 'node:assert/strict';
import { test } from 'node:test';
import { task, World } from '../fake-world.ts';
import { AGENT_COUNTERS, agentMetrics } from './metrics.ts';

const RESOURCES = ['cpus', 'gpus', 'mem', 'disk'];

/** Every metric of upstream's agent that its core can know; the shell adds those of the machine (`system/…`). */
const NAMES: readonly string[] = [
  ...['uptime_secs', 'registered', 'recovery_errors', 'recovery_time_secs', 'frameworks_active'],
  ...['staging', 'starting', 'running', 'killing', 'finished', 'failed', 'killed', 'lost', 'gone'].map(
    (state) => `tasks_${state}`,
  ),
  ...['registering', 'running', 'terminating', 'terminated', 'preempted'].map((state) => `executors_${state}`),
  ...['valid', 'invalid'].flatMap((kind) => [`${kind}_status_updates`, `${kind}_framework_messages`]),
  ...['executor_directory_max_allowed_age_secs', 'container_launch_errors'],
  ...RESOURCES.flatMap((name) =>
    ['', '_revocable'].flatMap((kind) => ['total', 'used', 'percent'].map((figure) => `${name}${kind}_${figure}`)),
  ),
].map((name) => `slave/${name}`);

const OTHERS: readonly string[] = [
  ...['succeeded', 'failed', 'pending'].map((state) => `gc/path_removals_${state}`),
  ...['task_fetches_succeeded', 'task_fetches_failed', 'cache_size_total_bytes', 'cache_size_used_bytes'].map(
    (name) => `containerizer/fetcher/${name}`,
  ),
  ...['container_destroy_errors', 'provisioner/remove_container_errors', 'provisioner/bind/remove_rootfs_errors'].map(
    (name) => `containerizer/mesos/${name}`,
  ),
  ...['subscribed', 'events/subscribe', 'events/disconnect'].map((name) => `resource_provider_manager/${name}`),
];

const ABSENT: Readonly<Record<string, string>> = {
  'containerizer/mesos/filesystem/containers_new_rootfs': 'containers with images are not in this build',
  'containerizer/mesos/provisioner/docker_store/image_pull_ms': 'containers with images are not in this build',
  'containerizer/docker/image_pull_ms': 'the Docker containerizer is not in this build',
  'containerizer/mesos/disk/project_ids_free': 'the XFS isolator is not in this build',
  'containerizer/mesos/disk/project_ids_total': 'the XFS isolator is not in this build',
};

test('every metric of upstream that can exist here is there, and no other', (t) => {
  const metrics = agentMetrics(new World().register().agent.state, 0);
  const expected = [...NAMES, ...OTHERS];
  assert.deepEqual(Object.keys(metrics).sort(), [...expected].sort());
  for (const [name, reason] of Object.entries(ABSENT)) {
    t.diagnostic(`${name} is left out: ${reason}`);
    assert.equal(metrics[name], undefined, `${name} is there: take it off the list`);
  }
  assert.deepEqual(
    [...AGENT_COUNTERS].filter((name) => !expected.includes(name)),
    [],
  );
});

test('how long the recovery took is told when it is over', () => {
  const world = new World();
  assert.equal(agentMetrics(world.agent.state, 0)['slave/recovery_time_secs'], undefined);
  world.now = 250;
  world.register();
  world.advance(60_000);
  assert.equal(agentMetrics(world.agent.state, 0)['slave/recovery_time_secs'], 0.25);
});

test('what is removed is counted when it is gone, and what cannot be is counted apart', () => {
  const world = new World({ gcDelay: 1000, gcDiskHeadroom: 0 }).register();
  world.run(task('t', { value: 'true' }));
  world.start();
  world.exit(0);
  world.acknowledgeAll();
  assert.equal(
    agentMetrics(world.agent.state, 0)['gc/path_removals_pending'],
    3,
    'the run, the executor, and the framework around it',
  );
  world.advance(1000);
  assert.equal(agentMetrics(world.agent.state, 0)['gc/path_removals_pending'], 0);
  assert.equal(agentMetrics(world.agent.state, 0)['gc/path_removals_succeeded'], 0);
  world.step({ kind: 'directoryRemoved', ok: true });
  world.step({ kind: 'directoryRemoved', ok: false });
  const metrics = agentMetrics(world.agent.state, 0);
  assert.deepEqual([metrics['gc/path_removals_succeeded'], metrics['gc/path_removals_failed']], [1, 1]);
});
