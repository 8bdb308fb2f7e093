import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

const here = new URL('.', import.meta.url).href;

/** Runs a daemon of a few lines and waits for its word `ready`. */
async function daemon(
  body: string,
): Promise<{ child: ChildProcess; output: () => string; status: Promise<unknown[]> }> {
  const source = `
    import { stopOnSignal, guardProcess } from '${here}graceful.ts';
    import { Log } from '${here}logger.ts';
    import { connect, createServer } from 'node:net';
    const log = new Log({ program: 'd', file: 'd' });
    const logger = log.logger;
    setInterval(() => {}, 1000);
    ${body}
    process.stdout.write('ready\\n');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'pipe'] });
  const status = once(child, 'close');
  let output = '';
  const ready = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
        if (output.includes('ready')) resolve();
      });
    }
  });
  await Promise.race([ready, status]);
  return { child, output: () => output, status };
}

test('a signal stops in order and exits with 0', async () => {
  const { child, status, output } = await daemon(
    `stopOnSignal({ logger, deadline: 5000, stop: async (signal) => { process.stdout.write('stopped by ' + signal); } });`,
  );
  child.kill('SIGTERM');
  assert.deepEqual(await status, [0, null]);
  assert.match(output(), /stopped by SIGTERM/);
});

test('a second signal ends a stop that hangs', async () => {
  const { child, status } = await daemon(
    `stopOnSignal({ logger, deadline: 60000, stop: () => { process.kill(process.pid, 'SIGINT'); return new Promise(() => {}); } });`,
  );
  child.kill('SIGINT');
  assert.deepEqual(await status, [130, null]);
});

test('a stop that takes too long, or fails, ends with status 1', async () => {
  const slow = await daemon(`stopOnSignal({ logger, deadline: 10, stop: () => new Promise(() => {}) });`);
  slow.child.kill('SIGTERM');
  assert.deepEqual(await slow.status, [1, null]);
  const bad = await daemon(`stopOnSignal({ logger, deadline: 5000, stop: async () => { throw new Error('no'); } });`);
  bad.child.kill('SIGTERM');
  assert.deepEqual(await bad.status, [1, null]);
  assert.match(bad.output(), /Stopping failed: no/);
});

test('an error of a connection that nobody listens to does not end the process', async () => {
  const { child, status, output } = await daemon(
    `guardProcess(logger);
     const server = createServer().listen(0, '127.0.0.1', () => {
       const { port } = server.address();
       server.close(() => connect(port, '127.0.0.1'));
     });
     stopOnSignal({ logger, deadline: 5000, stop: async () => {} });
     await new Promise((resolve) => setTimeout(resolve, 100));`,
  );
  assert.match(output(), /W.*A connection failed where nobody looked after it: connect ECONNREFUSED/);
  child.kill('SIGTERM');
  assert.deepEqual(await status, [0, null]);
});

test('any other error that nobody caught ends the process with 134 and a stack in the log', async () => {
  const { status, output } = await daemon(`guardProcess(logger); setTimeout(() => { throw new TypeError('bug'); });`);
  assert.deepEqual(await status, [134, null]);
  assert.match(output(), /F.*Nobody caught this.*: bug\n.*F.* {5}at /);
});
