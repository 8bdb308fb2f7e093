import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { Scheduler } from '../../src/sdk/scheduler.ts';
import { encodeRecord, RecordReader } from '../../src/wire/recordio.ts';
import { type Daemon, type Daemons, startDaemons, until } from './daemons.fixture.ts';
import { get, type PlainAnswer, postJson } from './plain-http.fixture.ts';

const USER = process.getuid?.() === 0 ? 'root' : (process.env.USER ?? 'nobody');

let daemons: Daemons;
let agent: Daemon;
let scheduler: Scheduler;
let ran: Promise<unknown>;
beforeEach(async () => {
  daemons = await startDaemons('--agent_reregister_timeout=10mins');
  agent = await daemons.startAgent();
  let launched = false;
  scheduler = new Scheduler({
    master: `127.0.0.1:${daemons.master.port}`,
    framework: { user: USER, name: 'outer', checkpoint: true, failover_timeout: 60 },
    handlers: {
      offers: (offers, self) => {
        const [offer] = offers;
        if (offer === undefined || launched) return;
        launched = true;
        const scalar = (name: string, value: number) => ({ name, type: 'SCALAR', scalar: { value } }) as const;
        const task = {
          name: 'outer',
          task_id: { value: 'outer' },
          agent_id: offer.agent_id,
          command: { value: 'export IN=task; echo of the task; sleep 1000' },
          resources: [scalar('cpus', 0.1), scalar('mem', 32)],
        };
        self.accept([offer.id], [{ type: 'LAUNCH', launch: { task_infos: [task] } }]);
      },
      update: () => {},
    },
  });
  ran = scheduler.run();
});
afterEach(async () => {
  await scheduler.teardown();
  await ran.catch(() => {});
  await daemons.stop();
});

interface Id {
  readonly value: string;
  readonly parent?: Id;
}

/** A call to the agent; its argument has the name of its type. */
function call(type: string, argument: object): Promise<PlainAnswer> {
  return postJson(agent.port, '/api/v1', { type, [type.toLowerCase()]: argument });
}

async function ok(type: string, argument: object): Promise<void> {
  const answer = await call(type, argument);
  assert.deepEqual([answer.status, answer.body], [200, ''], `${type} ${JSON.stringify(argument)}`);
}

async function exitStatus(type: 'WAIT_CONTAINER' | 'WAIT_NESTED_CONTAINER', id: Id): Promise<number> {
  const { status, body } = await call(type, { container_id: id });
  assert.equal(status, 200, body);
  return JSON.parse(body)[type.toLowerCase()].exit_status;
}

interface ExecutorJson {
  readonly container: string;
  readonly directory: string;
}

/** The container of the task, once it runs. */
async function outer(): Promise<{ readonly id: Id; readonly sandbox: string }> {
  let found: ExecutorJson | undefined;
  await until('the task runs', async () => {
    const { frameworks } = JSON.parse((await get(agent.port, '/state')).body);
    found = frameworks[0]?.executors[0];
    if (found === undefined) return false;
    const stdout = join(found.directory, 'stdout');
    return existsSync(stdout) && readFileSync(stdout, 'utf8') === 'of the task\n';
  });
  assert.ok(found);
  return { id: { value: found.container }, sandbox: found.directory };
}

/** An open answer of records. */
class Output {
  status = 0;
  stdout = '';
  stderr = '';
  isOver = false;
  readonly #call: ClientRequest;

  constructor(type: string, argument: object) {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/recordio',
      'message-accept': 'application/json',
    };
    const options = { host: '127.0.0.1', port: agent.port, method: 'POST', path: '/api/v1', agent: false, headers };
    this.#call = request(options, (response) => this.#read(response));
    this.#call.on('error', () => {});
    this.#call.end(JSON.stringify({ type, [type.toLowerCase()]: argument }));
  }

  #read(response: IncomingMessage): void {
    this.status = response.statusCode ?? 0;
    const reader = new RecordReader();
    response.on('error', () => {});
    response.on('data', (chunk: Buffer) => {
      const records = reader.push(chunk);
      assert.ok(records.ok);
      for (const record of records.value) this.#take(JSON.parse(Buffer.from(record).toString()));
    });
    response.once('end', () => {
      this.isOver = true;
    });
  }

  #take(message: { type: string; data?: { type: string; data: string } }): void {
    const text = Buffer.from(message.data?.data ?? '', 'base64').toString();
    if (message.data?.type === 'STDOUT') this.stdout += text;
    if (message.data?.type === 'STDERR') this.stderr += text;
  }

  breakOff(): void {
    this.#call.destroy();
  }
}

/** An open request of records that go to a container. */
class Input {
  readonly answer: Promise<number>;
  readonly #call: ClientRequest;

  constructor(id: Id) {
    const headers = {
      'content-type': 'application/recordio',
      'message-content-type': 'application/json',
      accept: 'application/json',
    };
    const options = { host: '127.0.0.1', port: agent.port, method: 'POST', path: '/api/v1', agent: false, headers };
    this.#call = request(options);
    this.answer = new Promise((resolve, reject) => {
      this.#call.once('error', reject);
      this.#call.once('response', (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
    });
    this.#send({ type: 'CONTAINER_ID', container_id: id });
  }

  #send(argument: object): void {
    const text = JSON.stringify({ type: 'ATTACH_CONTAINER_INPUT', attach_container_input: argument });
    this.#call.write(encodeRecord(Buffer.from(text)));
  }

  /** @param text nothing: the end of what it reads */
  write(text: string): void {
    const data = { type: 'STDIN', data: Buffer.from(text).toString('base64') };
    this.#send({ type: 'PROCESS_IO', process_io: { type: 'DATA', data } });
  }

  end(): void {
    this.#call.end();
  }
}

it('a nested container is launched in a task, waited for, killed and removed', async () => {
  const { id: parent, sandbox } = await outer();
  const id = { value: 'inner', parent };
  await ok('LAUNCH_NESTED_CONTAINER', { container_id: id, command: { value: 'pwd; echo $MESOS_SANDBOX; sleep 1000' } });
  assert.equal((await call('LAUNCH_NESTED_CONTAINER', { container_id: id })).status, 202);
  const folder = join(sandbox, 'containers/inner');
  await until('it writes', () => readFileSync(join(folder, 'stdout'), 'utf8') === `${folder}\n${folder}\n`);
  const { body } = await call('GET_CONTAINERS', { show_nested: true });
  const shown = JSON.parse(body).get_containers.containers;
  assert.deepEqual(shown[1].container_status.container_id, id);
  assert.ok(shown[1].container_status.executor_pid > 1);
  assert.equal((await call('REMOVE_NESTED_CONTAINER', { container_id: id })).status, 500);
  const waiting = exitStatus('WAIT_NESTED_CONTAINER', id);
  await ok('KILL_NESTED_CONTAINER', { container_id: id, signal: 15 });
  assert.equal(await waiting, 15);
  assert.equal(await exitStatus('WAIT_NESTED_CONTAINER', id), 15);
  await ok('REMOVE_NESTED_CONTAINER', { container_id: id });
  assert.equal(existsSync(folder), false);
  assert.equal((await call('WAIT_NESTED_CONTAINER', { container_id: id })).status, 404);
  await ok('LAUNCH_CONTAINER', { container_id: id, command: { value: 'exit 3' } });
  assert.equal(await exitStatus('WAIT_CONTAINER', id), 768);
});

it('the output of a session is streamed, what it reads comes from another connection, and it works where its parent does', async () => {
  const { id: parent, sandbox } = await outer();
  const id = { value: 'session', parent };
  const command = { value: 'pwd; echo $MESOS_EXECUTOR_ID; while read line; do echo "got $line"; done; echo bye >&2' };
  const output = new Output('LAUNCH_NESTED_CONTAINER_SESSION', { container_id: id, command });
  await until('it begins', () => output.stdout === `${sandbox}\nouter\n`);
  const attached = new Output('ATTACH_CONTAINER_OUTPUT', { container_id: id });
  await until('a second reader is there', () => attached.status === 200);
  const input = new Input(id);
  input.write('one\n');
  await until('it answers', () => output.stdout.endsWith('got one\n') && attached.stdout === 'got one\n');
  assert.equal(await new Input(id).answer, 409);
  input.write('two\n');
  input.write('');
  input.end();
  assert.equal(await input.answer, 200);
  await until('it ends', () => output.isOver && attached.isOver);
  assert.deepEqual([output.stdout, output.stderr], [`${sandbox}\nouter\ngot one\ngot two\n`, 'bye\n']);
  assert.equal(attached.stdout, 'got one\ngot two\n');
  assert.equal(await exitStatus('WAIT_NESTED_CONTAINER', id), 0);
  assert.equal(readFileSync(join(sandbox, 'stdout'), 'utf8'), 'of the task\n');
  assert.equal((await call('ATTACH_CONTAINER_OUTPUT', { container_id: id })).status, 500);
});

it('a session ends when its connection breaks, and the task goes on', async () => {
  const { id: parent, sandbox } = await outer();
  const id = { value: 'session', parent };
  const command = { value: 'echo begun; sleep 1000' };
  const output = new Output('LAUNCH_NESTED_CONTAINER_SESSION', { container_id: id, command });
  await until('it begins', () => output.stdout === 'begun\n');
  const waiting = exitStatus('WAIT_NESTED_CONTAINER', id);
  output.breakOff();
  assert.equal(await waiting, 9);
  // What is nested bears the marks of its parent: the parent must not end with it.
  const probe = { value: 'probe', parent };
  await ok('LAUNCH_NESTED_CONTAINER', { container_id: probe, command: { value: 'true' } });
  assert.equal(await exitStatus('WAIT_NESTED_CONTAINER', probe), 0);
  assert.equal(readFileSync(join(sandbox, 'stdout'), 'utf8'), 'of the task\n');
  const { frameworks } = JSON.parse((await get(agent.port, '/state')).body);
  assert.equal(frameworks[0].executors[0].tasks[0].state, 'TASK_RUNNING');
});

it('what is nested in a task ends with it', async () => {
  const { id: parent } = await outer();
  const id = { value: 'inner', parent };
  await ok('LAUNCH_NESTED_CONTAINER', { container_id: id, command: { value: 'sleep 1000' } });
  const session = new Output('LAUNCH_NESTED_CONTAINER_SESSION', {
    container_id: { value: 'session', parent },
    command: { value: 'echo begun; sleep 1000' },
  });
  await until('the session begins', () => session.stdout === 'begun\n');
  const waiting = exitStatus('WAIT_NESTED_CONTAINER', id);
  await ok('KILL_CONTAINER', { container_id: parent });
  assert.equal(await waiting, 9);
  await until('the session is over', () => session.isOver);
  assert.equal((await call('WAIT_CONTAINER', { container_id: id })).status, 404);
});

it('a container on its own runs, is listed when it is asked for, and leaves nothing once it is removed', async () => {
  const id = { value: 'alone' };
  await ok('LAUNCH_CONTAINER', {
    container_id: id,
    command: { value: 'echo here; sleep 1000', environment: { variables: [{ name: 'A', value: 'b' }] } },
    resources: [{ name: 'cpus', type: 'SCALAR', scalar: { value: 0.1 } }],
  });
  const folder = join(agent.workDir, 'containers/alone');
  await until('it writes', () => readFileSync(join(folder, 'stdout'), 'utf8') === 'here\n');
  const names = async (argument: object): Promise<string[]> => {
    const { get_containers: listed } = JSON.parse((await call('GET_CONTAINERS', argument)).body);
    return (listed?.containers ?? []).map((one: { container_id: Id }) => one.container_id.value);
  };
  await ok('LAUNCH_CONTAINER', { container_id: { value: 'child', parent: id }, command: { value: 'sleep 1000' } });
  assert.equal((await names({})).includes('alone'), false);
  assert.equal((await names({ show_standalone: true })).includes('alone'), true);
  assert.equal((await names({ show_standalone: true })).includes('child'), false);
  assert.equal((await names({ show_standalone: true, show_nested: true })).includes('child'), true);
  const child = exitStatus('WAIT_CONTAINER', { value: 'child', parent: id });
  await ok('KILL_CONTAINER', { container_id: id });
  assert.equal(await exitStatus('WAIT_CONTAINER', id), 9);
  assert.equal(await child, 9);
  await ok('REMOVE_CONTAINER', { container_id: id });
  assert.equal(existsSync(folder), false);
  const bad = await call('LAUNCH_CONTAINER', {
    container_id: { value: 'terminal' },
    command: { value: 'true' },
    container: { type: 'MESOS', tty_info: {} },
  });
  assert.equal(bad.status, 400);
  assert.match(bad.body, /container\.tty_info must be absent/);
});

it('nested and standalone containers outlive the agent, and how they end meanwhile is known; sessions end', async () => {
  const { id: parent } = await outer();
  const long = { value: 'long', parent };
  const short = { value: 'short' };
  await ok('LAUNCH_NESTED_CONTAINER', { container_id: long, command: { value: 'sleep 1000' } });
  await ok('LAUNCH_CONTAINER', {
    container_id: short,
    command: { value: 'while [ ! -e go ]; do sleep 0.05; done; exit 7' },
  });
  const session = { value: 'session', parent };
  const output = new Output('LAUNCH_NESTED_CONTAINER_SESSION', {
    container_id: session,
    command: { value: 'echo begun; sleep 1000' },
  });
  await until('the session begins', () => output.stdout === 'begun\n');
  await agent.end('SIGKILL');
  writeFileSync(join(agent.workDir, 'containers/short/go'), '');
  agent = agent.restart();
  await until('the agent is back', async () => {
    const { status, body } = await get(agent.port, '/state').catch(() => ({ status: 0, body: '' }));
    return status === 200 && JSON.parse(body).frameworks.length === 1;
  });
  assert.equal(await exitStatus('WAIT_CONTAINER', short), 7 << 8);
  assert.equal((await call('WAIT_NESTED_CONTAINER', { container_id: session })).status, 404);
  const waiting = exitStatus('WAIT_NESTED_CONTAINER', long);
  await until('the launcher has told of it', async () => {
    const { body } = await call('GET_CONTAINERS', { show_nested: true });
    const { containers } = JSON.parse(body).get_containers;
    return containers.some(
      (one: { container_id: Id; container_status: { executor_pid?: number } }) =>
        one.container_id.value === 'long' && (one.container_status.executor_pid ?? 0) > 1,
    );
  });
  await ok('KILL_NESTED_CONTAINER', { container_id: long });
  assert.equal(await waiting, 9);
});
