import { createServer } from 'node:net';

/** Where benches look for ports: below the kernel's range for outgoing connections, which come and go by the thousand. */
const FIRST = 28_000;
const LAST = 28_999;
let next = FIRST + ((process.pid * 20) % (LAST - FIRST));

/** A port of 127.0.0.1 that nobody listens on. @throws Error when there is none */
export async function freePort(): Promise<number> {
  for (let tried = FIRST; tried <= LAST; tried++) {
    const port = next;
    next = next === LAST ? FIRST : next + 1;
    if (await isFree(port)) return port;
  }
  throw new Error(`no port between ${FIRST} and ${LAST} is free on 127.0.0.1`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host: '127.0.0.1', port }, () => probe.close(() => resolve(true)));
  });
}
