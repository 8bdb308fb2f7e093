/**
 * Replays what a real upstream master and agent answered (recorded outside of this repository) against our programs.
 * `expectations.json` says which areas are covered, and which cases differ: on purpose, or because a feature is not built.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { withoutZooKeeper } from '../../src/coordination/zookeeper/server.fixture.ts';
import { freePorts, ROOT } from '../e2e/cluster.fixture.ts';

export type Group = 'masters' | 'clusters';

interface Expectations {
  /** Areas that are replayed together, group by group side by side. */
  readonly runs: readonly {
    readonly group: Group;
    readonly name: string;
    readonly areas: readonly string[];
    /** `root`: its tasks ask for the user root, whom only root can become. */
    readonly needs?: 'root' | 'zookeeper';
  }[];
  /** Case id → why we answer differently, for good. */
  readonly different: Readonly<Record<string, string>>;
  /** Case id → why it passes on one day and not on another: who is faster decides, and either is right. */
  readonly racy: Readonly<Record<string, string>>;
  /** Case id → which feature, not in this build, it needs. */
  readonly later: Readonly<Record<string, string>>;
}

const shared = process.env.MESETA_SHARED ?? join(ROOT, '..', 'shared');
const program = join(shared, 'conformance', 'replay.mjs');
const expectations = JSON.parse(readFileSync(new URL('./expectations.json', import.meta.url), 'utf8')) as Expectations;

interface Replay {
  readonly failed: ReadonlyMap<string, string>;
  readonly passed: ReadonlySet<string>;
  readonly summary: string;
}

async function replay(areas: readonly string[]): Promise<Replay> {
  const base = await freePorts(5);
  const folder = mkdtempSync(join(tmpdir(), 'meseta-replay-'));
  const args = [program, '--set', join(shared, 'golden'), '--self', '--area', areas.join(',')];
  const env = {
    ...process.env,
    MASTER_CMD: join(ROOT, 'bin/mesos-master'),
    AGENT_CMD: join(ROOT, 'bin/mesos-agent'),
    PORT_BASE: String(base),
    ZK_PORT: String(base + 4),
    REF_RUN: folder,
    // Agents are killed in the end, and what they ran must not stay.
    MESOS_RECOVERY_TIMEOUT: '10secs',
  };
  try {
    const output = await new Promise<string>((resolve) => {
      execFile(process.execPath, args, { env, maxBuffer: 64 * 1024 * 1024 }, (_error, stdout, stderr) =>
        resolve(stdout + stderr),
      );
    });
    return parse(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Reads the replay program's report: `PASS id title`, `FAIL id title` and its differences, indented. */
function parse(output: string): Replay {
  const failed = new Map<string, string>();
  const passed = new Set<string>();
  let current: string | undefined;
  for (const line of output.split('\n')) {
    const verdict = /^(PASS|FAIL) (\S+)/.exec(line);
    current = verdict?.[1] === 'FAIL' ? verdict[2] : verdict ? undefined : current;
    if (verdict?.[1] === 'PASS') passed.add(verdict[2]!);
    else if (current !== undefined && (verdict || line.startsWith('     '))) {
      failed.set(current, `${failed.get(current) ?? ''}${line}\n`);
    }
  }
  return { failed, passed, summary: output.trim().split('\n').at(-1) ?? '' };
}

function skip(needs: 'root' | 'zookeeper' | undefined): string | false {
  if (!existsSync(program)) return `no recorded exchanges beside the repository (${shared} is absent)`;
  if (needs === 'zookeeper') return withoutZooKeeper;
  return needs === 'root' && process.getuid?.() !== 0
    ? 'the recorded tasks run as root, and this is another user'
    : false;
}

/** Defines the tests of one group. */
export function replayGroup(wanted: Group): void {
  for (const { group, name, areas, needs } of expectations.runs) {
    if (group !== wanted) continue;
    test(`answers as upstream did: ${name}`, { skip: skip(needs), timeout: 600_000 }, async () => {
      const { failed, passed, summary } = await replay(areas);
      assert.match(summary, /^\d+ passed, \d+ failed/, 'the replay ran to its end');
      assert.ok(passed.size > 0, 'the replay found cases');
      const known = { ...expectations.different, ...expectations.later };
      const news = [...failed]
        .filter(([id]) => known[id] === undefined && expectations.racy[id] === undefined)
        .map(([, report]) => report);
      assert.equal(news.join('\n'), '', 'these cases differ from upstream and are not in expectations.json');
      const outdated = [...passed].filter((id) => known[id] !== undefined);
      assert.deepEqual(outdated, [], 'these cases pass now: take them out of expectations.json');
    });
  }
}
