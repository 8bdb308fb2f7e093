/** As failover.ts, with a real master in a process of its own, and what is said on sockets. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCluster } from '../cluster/cluster.ts';
import type { Sample } from '../scenario.ts';
import { WELCOME } from './failover.ts';
import { assertLoopbackPid } from './loopback.ts';
import { REREGISTER } from './reregistration.ts';
import { openPort } from './sockets.ts';

/** Connections that the agents share. */
const PORTS = 40;
/** Messages that are sent in one go. */
const TURN = 200;

/** @param registry a folder with the registry; a copy of it is used */
export async function failOverOnSockets(
  registry: string,
  messages: readonly Uint8Array[],
  label: string,
): Promise<Sample[]> {
  const folder = mkdtempSync(join(tmpdir(), 'meseta-bench-'));
  cpSync(registry, join(folder, 'registry'), { recursive: true });
  const cluster = await startCluster({ agents: 0, masterFlags: ['--registry=lmdb', `--work_dir=${folder}`] });
  let left = messages.length;
  let finish = (): void => {};
  const all = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const ports = await Promise.all(
    Array.from({ length: PORTS }, () =>
      openPort((_, { name }) => {
        if (name === WELCOME && --left === 0) finish();
      }),
    ),
  );
  try {
    assertLoopbackPid(cluster.masterPid);
    const start = performance.now();
    for (const [at, message] of messages.entries()) {
      const sent = ports[at % PORTS]!.libprocess.send(`slave(${at})`, cluster.masterPid, REREGISTER, message);
      if (!sent.ok) throw new Error(sent.error);
      if (at % TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await all;
    const value = performance.now() - start;
    return [{ metric: `wall ${label}, on sockets`, unit: 'ms', value, rssBytes: cluster.masterMemory().peak }];
  } finally {
    await Promise.all(ports.map((port) => port.close()));
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
