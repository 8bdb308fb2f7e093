import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import type { FrameworkInfo } from '../../src/wire/v1.ts';
import { activeIds, Framework, type NewTask, outputOf, restart, sandboxOf, shell } from './agent-recovery.fixture.ts';
import { type Daemon, type Daemons, masterState, startDaemons, until } from './daemons.fixture.ts';
import { get } from './plain-http.fixture.ts';

let daemons: Daemons;
let frameworks: Framework[] = [];
beforeEach(async () => {
  frameworks = [];
  daemons = await startDaemons('--agent_reregister_timeout=10mins');
});
afterEach(async () => {
  await Promise.all(frameworks.map((framework) => framework.stop()));
  await daemons.stop();
});

function launch(name: string, tasks: readonly NewTask[], more: Partial<FrameworkInfo> = {}): Framework {
  const framework = new Framework(daemons, name, tasks, more);
  frameworks.push(framework);
  return framework;
}

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  it(`tasks go on when the agent ends by ${signal}, and what they say and how they end is not lost`, async () => {
    const agent = await daemons.startAgent();
    const [id] = await activeIds(daemons);
    const framework = launch('survivor', [
      shell('long', 'for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.5; done'),
      shell('short', 'sleep 1; echo bye; exit 3'),
    ]);
    await framework.runs('long', 'short');
    await agent.end(signal);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const next = await restart(daemons, agent);
    assert.deepEqual(await activeIds(daemons), [id]);
    await framework.ends('long', 'short');
    assert.deepEqual(framework.states('long'), ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
    assert.deepEqual(framework.states('short'), ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FAILED']);
    assert.match(framework.last('short')?.message ?? '', /exited with status 3/);
    assert.equal(outputOf(next, 'long'), '1\n2\n3\n4\n5\n6\n7\n8\n');
    assert.equal(outputOf(next, 'short'), 'bye\n');
  });
}

it('an agent that is killed again and again keeps its tasks', async () => {
  let agent = await daemons.startAgent();
  const framework = launch('again', [shell('patient', 'sleep 6; exit 0')]);
  await framework.runs('patient');
  for (let i = 0; i < 3; i++) {
    await agent.end('SIGKILL');
    agent = await restart(daemons, agent);
  }
  await framework.ends('patient');
  assert.deepEqual(framework.states('patient'), ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
});

it('tasks of a framework without checkpoints end with the agent', async () => {
  const agent = await daemons.startAgent();
  const framework = launch('forgetful', [shell('fleeting', 'sleep 1000')], { checkpoint: false });
  await framework.runs('fleeting');
  await agent.end('SIGKILL');
  await framework.ends('fleeting');
  assert.equal(framework.last('fleeting')?.state, 'TASK_LOST');
  await restart(daemons, agent);
});

it('tasks whose launcher died with the agent are gone, and said to be', async () => {
  const agent = await daemons.startAgent();
  const framework = launch('orphaned', [shell('orphan', 'sleep 1000')], {
    capabilities: [{ type: 'PARTITION_AWARE' }],
  });
  await framework.runs('orphan');
  await agent.end('SIGKILL');
  agent.killLauncher();
  await restart(daemons, agent);
  await framework.ends('orphan');
  assert.equal(framework.last('orphan')?.state, 'TASK_GONE');
  assert.match(framework.last('orphan')?.message ?? '', /while the agent was away/);
});

it('an agent may not come back as another, and says what to do', async () => {
  const agent = await daemons.startAgent('--resources=cpus:2;mem:512', '--attributes=rack:a');
  const [id] = await activeIds(daemons);
  // Until then it has promised nothing, and would come back as a new agent.
  await until('the agent has saved who it is', () => existsSync(join(agent.workDir, 'meta/slaves/latest/slave.info')));
  await agent.end('SIGKILL');
  const changed = agent.restart('--resources=cpus:1;mem:512', '--attributes=rack:a');
  const refused = await changed.ended;
  assert.equal(refused.status, 1);
  assert.match(
    refused.stderr,
    /resources changed from 'cpus.*:2.*--reconfiguration_policy=equal.*remove .*meta\/slaves\/latest/s,
  );
  const additive = ['--resources=cpus:4;mem:512', '--attributes=rack:a;zone:b', '--reconfiguration_policy=additive'];
  await restart(daemons, agent, ...additive);
  assert.deepEqual(await activeIds(daemons), [id]);
});

it('a checkpoint that is garbled is named, and there is a way past it', async () => {
  const agent = await daemons.startAgent();
  const framework = launch('garbled', [shell('task', 'sleep 1000')]);
  await framework.runs('task');
  await agent.end('SIGKILL');
  const meta = join(agent.workDir, 'meta/slaves/latest/frameworks');
  const path = join(meta, readdirSync(meta)[0] ?? '', 'framework.info');
  writeFileSync(path, 'nonsense');
  const refused = await agent.restart().ended;
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /framework\.info is garbled.*--no-strict.*meta\/slaves\/latest/s);
  await restart(daemons, agent, '--no-strict');
  await framework.ends('task');
});

it('--recover=cleanup ends what was left, and then the agent', async () => {
  const agent = await daemons.startAgent();
  const framework = launch('cleaned', [shell('rest', 'sleep 1000')]);
  await framework.runs('rest');
  await agent.end('SIGKILL');
  const { status } = await agent.restart('--recover=cleanup').ended;
  assert.equal(status, 0);
  assert.equal(agent.tasksLeft(), 0);
});

it('--recover=cleanup leaves nothing to recover: the agent that comes next is a new one, and may be another', async () => {
  const agent = await daemons.startAgent();
  const [id] = await activeIds(daemons);
  const framework = launch('cleaned', [shell('rest', 'sleep 1000')]);
  await framework.runs('rest');
  await agent.end('SIGKILL');
  await agent.restart('--recover=cleanup').ended;
  await restart(daemons, agent, '--attributes=rack:b');
  assert.notDeepEqual(await activeIds(daemons), [id]);
  await framework.ends('rest');
  assert.deepEqual(framework.states('rest'), ['TASK_STARTING', 'TASK_RUNNING', 'TASK_LOST']);
});

it('SIGUSR1 ends the tasks and takes the agent out of the cluster; what starts there next is a new agent', async () => {
  const agent = await daemons.startAgent();
  const [id] = await activeIds(daemons);
  const framework = launch('leaving', [shell('rest', 'sleep 1000')], { capabilities: [{ type: 'PARTITION_AWARE' }] });
  await framework.runs('rest');
  await agent.end('SIGUSR1');
  await framework.ends('rest');
  const { state, reason } = framework.last('rest') ?? {};
  assert.deepEqual([state, reason], ['TASK_LOST', 'REASON_AGENT_REMOVED']);
  assert.deepEqual((await masterState(daemons.master.port)).slaves, []);
  assert.equal(agent.tasksLeft(), 0);
  await restart(daemons, agent, '--attributes=rack:b');
  assert.notDeepEqual(await activeIds(daemons), [id]);
});

it('an agent that was marked gone ends, and what starts there next is a new agent', async () => {
  const agent = await daemons.startAgent();
  const [id = ''] = await activeIds(daemons);
  const marked = await fetch(`http://127.0.0.1:${daemons.master.port}/api/v1`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: { value: id } } }),
  });
  assert.equal(marked.status, 200);
  await agent.ended;
  await restart(daemons, agent);
  const [next] = await activeIds(daemons);
  assert.notEqual(next, id);
});

it('tasks end when no agent comes back within --recovery_timeout, the launcher leaves, and both are told of later', async () => {
  const agent = await daemons.startAgent('--recovery_timeout=1secs');
  const framework = launch('abandoned', [
    shell('short', 'while [ ! -e end ]; do sleep 0.05; done; exit 4'),
    shell('long', 'sleep 1000'),
  ]);
  await framework.runs('short', 'long');
  await agent.end('SIGKILL');
  writeFileSync(join(sandboxOf(agent, 'short') ?? '', 'end'), '');
  await until('tasks and launcher have ended', () => agent.tasksLeft() === 0);
  await restart(daemons, agent);
  await framework.ends('short', 'long');
  assert.match(framework.last('short')?.message ?? '', /exited with status 4$/);
  assert.equal(framework.last('long')?.state, 'TASK_FAILED');
  assert.match(framework.last('long')?.message ?? '', /terminated.*no agent came back within --recovery_timeout/);
});

it('when the launcher dies its tasks fail, with the reason, and the next task runs', async () => {
  const agent = await daemons.startAgent();
  const framework = launch('hurt', [shell('victim', 'sleep 1000')]);
  await framework.runs('victim');
  agent.killLauncher();
  await framework.ends('victim');
  const { state, reason, message } = framework.last('victim') ?? {};
  assert.deepEqual([state, reason], ['TASK_FAILED', 'REASON_EXECUTOR_TERMINATED']);
  assert.match(message ?? '', /the launcher that had started it ended, and what was left of it was killed/);
  framework.launch([shell('next', 'echo well')]);
  await framework.ends('next');
  assert.equal(framework.last('next')?.state, 'TASK_FINISHED');
});

it('what is not checkpointed ends with the agent, and its sandbox goes in time', async () => {
  const agent = await daemons.startAgent();
  const framework = launch('fleeting', [shell('brief', 'sleep 1000')], { checkpoint: false });
  await framework.runs('brief');
  const sandbox = sandboxOf(agent, 'brief') ?? '';
  await agent.end('SIGKILL');
  await until('the process has ended, and the launcher', () => agent.tasksLeft() === 0);
  assert.ok(existsSync(sandbox));
  await restart(daemons, agent, '--gc_delay=1ms');
  await until('the sandbox is collected', () => !existsSync(sandbox));
});

it('sandboxes of before a restart are collected by their age, or as the disk fills up, and counted', async () => {
  const agent = await daemons.startAgent();
  const framework = launch('litter', [shell('paper', 'echo litter')]);
  await framework.ends('paper');
  const sandbox = sandboxOf(agent, 'paper') ?? '';
  await until('the run is over', () => metric(agent, 'gc/path_removals_pending').then((pending) => pending >= 6));
  await agent.end('SIGKILL');
  const second = await restart(daemons, agent, '--gc_delay=1weeks');
  await until('it is over here, too', () => metric(second, 'gc/path_removals_pending').then((pending) => pending >= 6));
  assert.ok(existsSync(sandbox));
  await second.end('SIGKILL');
  const third = await restart(daemons, agent, '--gc_disk_headroom=1', '--disk_watch_interval=50ms');
  await until('the sandbox is collected', () => !existsSync(sandbox));
  await until('all is counted', () => metric(third, 'gc/path_removals_pending').then((pending) => pending === 0));
  // What lies in a folder that went first needs no removal of its own.
  await until('one has gone', () => metric(third, 'gc/path_removals_succeeded').then((gone) => gone >= 1));
  assert.equal(await metric(third, 'gc/path_removals_failed'), 0);
  const left = readdirSync(join(agent.workDir, 'slaves/latest/frameworks'));
  assert.deepEqual(left, []);
});

async function metric(agent: Daemon, name: string): Promise<number> {
  return (JSON.parse((await get(agent.port, '/metrics/snapshot')).body) as Record<string, number>)[name] ?? Number.NaN;
}
