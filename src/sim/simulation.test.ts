import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REGRESSIONS } from './regressions.ts';
import { SimulationFailure, simulate } from './simulation.ts';

const SEEDS = 40;

test(`${SEEDS} clusters keep their promises while everything breaks, and come to rest when it stops`, () => {
  for (let seed = 1; seed <= SEEDS; seed++) simulate(seed);
});

/** The first of them that everything takes part in. */
const WIDE = 1_000_001;
const WIDE_SEEDS = 30;

test(`${WIDE_SEEDS} clusters with Marathon in most of them do so too`, () => {
  let text = '';
  for (let seed = WIDE; seed < WIDE + WIDE_SEEDS; seed++) {
    simulate(seed, (line) => {
      if (/fault marathon|marathon.* ends|people <-|marathon[^ ]* [a-z_]+$/.test(line)) text += `${line}\n`;
    });
  }
  for (const word of [
    'fault marathonKilled',
    'fault marathonSucceeded',
    'fault marathonStream',
    'fault marathonCalls',
    'fault marathonStoreFailed',
    'killed between two effects',
    'people <- createApp done',
    'people <- updateApp done',
    'people <- updateApp locked',
    'people <- updateGroup done',
    'people <- cancelDeployment done',
    'people <- restartApp done',
    'people <- createPod done',
    'people <- deleteApp done',
    'people <- kill done',
    'deployment_success',
    'deployment_failed',
    'failed_health_check_event',
  ]) {
    assert.ok(text.includes(word), `${word} happens in ${WIDE_SEEDS} wide seeds`);
  }
});

for (const { name, seed } of REGRESSIONS) {
  test(`regression: ${name}`, () => {
    const { tasks, counts } = simulate(seed);
    assert.ok(tasks > 0 || (counts.get('marathons that led') ?? 0) > 0);
  });
}

test('one seed is one run, byte for byte', () => {
  const lines: string[] = [];
  const first = simulate(7, (line) => lines.push(line));
  const again: string[] = [];
  const second = simulate(7, (line) => again.push(line));
  assert.deepEqual(second, first);
  assert.deepEqual(again, lines);
  assert.notEqual(simulate(8).hash, first.hash);
});

test('the runs do what they are for: connections break, agents crash, tasks are launched, killed and lost', () => {
  let text = '';
  for (let seed = 1; seed <= SEEDS; seed++) {
    simulate(seed, (line) => {
      text += `${line}\n`;
    });
  }
  for (const word of [
    'fault connection',
    'fault stream',
    'fault calls',
    'fault failover',
    'fault partition',
    'fault crash',
    'fault agentKilled',
    'fault agentAndLauncherKilled',
    'fault launcherKilled',
    'fault reboot',
    'fault masterKilled',
    'fault masterPaused',
    'fault masterCutOff',
    'fault zooServerDown',
    'fault zooConnection',
    'fault zooSession',
    'killed between two effects',
    'lost leadership',
    'lost candidacy',
    'taken over by another leader',
    'Ending: --recover=cleanup',
    'operator <- UPDATE_QUOTA 200',
    'operator <- UPDATE_WEIGHTS 200',
    'operator <- MARK_AGENT_GONE 200',
    'TASK_FINISHED',
    'TASK_FAILED',
    'TASK_KILLED',
    'TASK_DROPPED',
    'TASK_LOST',
    'TASK_UNREACHABLE',
    'RunTaskGroupMessage',
    'ReregisterSlaveMessage',
    'RESCIND',
    'SUPPRESS',
    'operator <- DRAIN_AGENT 200',
    'operator <- REACTIVATE_AGENT 200',
    'operator <- START_MAINTENANCE 200',
    'operator <- STOP_MAINTENANCE 200',
    'ApplyOperationMessage',
    'OPERATION_FINISHED',
    'ACKNOWLEDGE_OPERATION_STATUS',
    'INVERSE_OFFERS',
    'RESCIND_INVERSE_OFFER',
    'ACCEPT_INVERSE_OFFERS',
    'DECLINE_INVERSE_OFFERS',
    'REASON_AGENT_DRAINING',
    'REVIVE',
  ]) {
    assert.ok(text.includes(word), `${word} happens in ${SEEDS} seeds`);
  }
});

test('a run that fails says which seed it was and how to see it again', () => {
  const thrown = (): unknown => {
    try {
      return simulate(3, (line) => {
        if (line.includes('fault')) throw new Error('the disk of the transcript is full');
      });
    } catch (error) {
      return error;
    }
  };
  const failure = thrown();
  assert.ok(failure instanceof SimulationFailure);
  assert.equal(failure.seed, 3);
  assert.match(failure.message, /seed 3: .*full/s);
  assert.match(failure.message, /node src\/sim\/main\.ts --seed 3 --verbose/);
  assert.ok(failure.tail.length > 0);
});
