/** Clients for tests that remember what they were told. */
import { ZooKeeper } from './client.ts';
import type { WatchEvent } from './core/protocol.ts';
import type { Server, SessionState } from './core/session.ts';

export interface TestClient {
  readonly client: ZooKeeper;
  readonly states: SessionState[];
  readonly watches: WatchEvent[];
}

/** A started client. */
export function testClient(servers: readonly Server[], timeout = 4_000, credentials?: string): TestClient {
  const states: SessionState[] = [];
  const watches: WatchEvent[] = [];
  const client = new ZooKeeper({
    servers,
    timeout,
    credentials,
    onState: (state) => states.push(state),
    onWatch: (event) => watches.push(event),
  });
  client.start();
  return { client, states, watches };
}

/** Waits until something is true. The generous limit only ends a test that has failed. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
