/**
 * A custom executor as a process: `node executor.process.ts v0|v1`. Its tasks run until a file with the task's id is in its
 * folder. It keeps what was not acknowledged and tells it again when it registers again, as upstream's libraries do. What it
 * hears it writes as lines of JSON.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { parseDuration } from '../../src/base/duration.ts';
import { startServer } from '../../src/http/server.ts';
import { createLibprocess } from '../../src/libprocess/transport.ts';
import { internalMessages } from '../../src/wire/internal.ts';
import { RecordReader } from '../../src/wire/recordio.ts';

const env = process.env as Record<string, string>;
const frameworkId = { value: env.MESOS_FRAMEWORK_ID! };
const executorId = { value: env.MESOS_EXECUTOR_ID! };
const say = (what: object): void => console.log(JSON.stringify(what));
say({
  pid: process.pid,
  checkpoint: env.MESOS_CHECKPOINT,
  recovery: env.MESOS_RECOVERY_TIMEOUT,
  backoff: env.MESOS_SUBSCRIPTION_BACKOFF_MAX,
  grace: env.MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD,
});

const running = new Set<string>();
/** In the form of the version that is spoken, by the id or uuid. */
const tasks = new Map<string, unknown>();
const updates = new Map<string, unknown>();

/** Its agent is away: without checkpoints, or after too long, nobody will ask for it any more. */
let giveUp: NodeJS.Timeout | undefined;
function away(): void {
  say({ lost: 'agent' });
  if (env.MESOS_CHECKPOINT !== '1') process.exit(0);
  const patience = parseDuration(env.MESOS_RECOVERY_TIMEOUT ?? '');
  giveUp ??= setTimeout(() => process.exit(0), patience.ok ? patience.value : 0);
}
function back(): void {
  clearTimeout(giveUp);
  giveUp = undefined;
}

interface Id {
  readonly value: string;
}

/** An event of version 1, as it is in JSON. */
interface JsonEvent {
  readonly type: string;
  readonly subscribed?: { readonly agent_info: { readonly id: Id } };
  readonly launch?: { readonly task: { readonly task_id: Id } };
  readonly acknowledged?: { readonly task_id: Id; readonly uuid: string };
  readonly kill?: { readonly task_id: Id };
}

/** What messages of version 0 have in them; each has some of it. */
interface Body {
  readonly slave_id: Id;
  readonly task_id: Id;
  readonly task: { readonly task_id: Id };
  readonly uuid: Uint8Array;
}

interface Voice {
  readonly tell: (taskId: string, state: 'TASK_RUNNING' | 'TASK_FINISHED' | 'TASK_KILLED') => void;
}

function launched(taskId: string, voice: Voice): void {
  say({ launched: taskId });
  running.add(taskId);
  voice.tell(taskId, 'TASK_RUNNING');
}

function killed(taskId: string, voice: Voice): void {
  if (running.delete(taskId)) voice.tell(taskId, 'TASK_KILLED');
}

const voice = process.argv[2] === 'v0' ? await speakVersion0() : speakVersion1();
setInterval(() => {
  for (const id of running) {
    if (!existsSync(id)) continue;
    running.delete(id);
    voice.tell(id, 'TASK_FINISHED');
  }
}, 50);

function takeVersion1(event: JsonEvent, voice: Voice): void {
  if (event.subscribed !== undefined) say({ subscribed: event.subscribed.agent_info.id.value });
  if (event.launch !== undefined) {
    tasks.set(event.launch.task.task_id.value, event.launch.task);
    launched(event.launch.task.task_id.value, voice);
  }
  if (event.acknowledged !== undefined) {
    updates.delete(event.acknowledged.uuid);
    tasks.delete(event.acknowledged.task_id.value);
  }
  if (event.kill !== undefined) killed(event.kill.task_id.value, voice);
  if (event.type === 'SHUTDOWN') process.exit(0);
}

function speakVersion1(): Voice {
  const [host, port] = env.MESOS_AGENT_ENDPOINT!.split(':');
  let isSubscribed = false;
  const call = (body: object): ReturnType<typeof request> => {
    const outgoing = request({
      host,
      port,
      path: '/api/v1/executor',
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
    });
    outgoing.on('error', () => {});
    outgoing.end(JSON.stringify({ executor_id: executorId, framework_id: frameworkId, ...body }));
    return outgoing;
  };
  const self: Voice = {
    tell: (taskId, state) => {
      const uuid = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64');
      const status = { task_id: { value: taskId }, state, source: 'SOURCE_EXECUTOR', uuid, executor_id: executorId };
      updates.set(uuid, { status });
      if (isSubscribed) call({ type: 'UPDATE', update: { status } }).on('response', (answer) => answer.resume());
    },
  };
  const subscribe = (): void => {
    const again = (): void => {
      if (isSubscribed) away();
      isSubscribed = false;
      setTimeout(subscribe, 100);
    };
    const unacknowledged = { unacknowledged_tasks: [...tasks.values()], unacknowledged_updates: [...updates.values()] };
    subscribeOnce(call({ type: 'SUBSCRIBE', subscribe: unacknowledged }), again);
  };
  const subscribeOnce = (outgoing: ReturnType<typeof request>, again: () => void): void => {
    const reader = new RecordReader();
    outgoing.once('error', again);
    outgoing.once('response', (answer) => {
      if (answer.statusCode !== 200) {
        say({ refused: answer.statusCode });
        answer.resume();
        setTimeout(again, 0);
        return;
      }
      isSubscribed = true;
      back();
      answer.on('data', (chunk: Buffer) => {
        const records = reader.push(chunk);
        if (records.ok)
          for (const record of records.value) takeVersion1(JSON.parse(Buffer.from(record).toString()), self);
      });
      answer.on('error', () => {});
      answer.once('close', again);
    });
  };
  subscribe();
  return self;
}

async function speakVersion0(): Promise<Voice> {
  const server = await startServer({ ip: '127.0.0.1', port: 0 });
  if (!server.ok) throw new Error(server.error);
  const libprocess = createLibprocess({ ip: '127.0.0.1', port: server.value.address.port });
  server.value.use((request, response) => libprocess.accept(request, response));
  let agent = env.MESOS_SLAVE_PID!;
  const ids = { framework_id: frameworkId, executor_id: executorId };
  const send = (name: string, message: object): void => {
    libprocess.send(
      'executor(1)',
      agent,
      `mesos.internal.${name}`,
      internalMessages[`mesos.internal.${name}`]!.encode(message as never),
    );
  };
  const self: Voice = {
    tell: (taskId, state) => {
      const uuid = Buffer.from(randomUUID().replaceAll('-', ''), 'hex');
      const status = { task_id: { value: taskId }, state, source: 'SOURCE_EXECUTOR', uuid };
      const update = { ...ids, slave_id: { value: env.MESOS_SLAVE_ID! }, status, timestamp: Date.now() / 1000, uuid };
      updates.set(uuid.toString('hex'), update);
      send('StatusUpdateMessage', { update, pid: libprocess.pid('executor(1)') });
    },
  };
  const handlers: Record<string, (message: Body, from: string) => void> = {
    ExecutorRegisteredMessage: ({ slave_id }) => say({ subscribed: slave_id.value }),
    ExecutorReregisteredMessage: ({ slave_id }) => say({ subscribed: slave_id.value }),
    ReconnectExecutorMessage: (_, from) => {
      agent = from;
      libprocess.link(agent, { reconnect: true });
      back();
      send('ReregisterExecutorMessage', { ...ids, tasks: [...tasks.values()], updates: [...updates.values()] });
    },
    RunTaskMessage: ({ task }) => {
      tasks.set(task.task_id.value, task);
      launched(task.task_id.value, self);
    },
    StatusUpdateAcknowledgementMessage: ({ uuid, task_id }) => {
      updates.delete(Buffer.from(uuid).toString('hex'));
      tasks.delete(task_id.value);
    },
    KillTaskMessage: ({ task_id }) => killed(task_id.value, self),
    ShutdownExecutorMessage: () => process.exit(0),
  };
  libprocess.register('executor(1)', (from, name, body) => {
    const message = internalMessages[name]?.decode(body);
    if (message?.ok) handlers[name.replace('mesos.internal.', '')]?.(message.value as Body, from);
  });
  libprocess.onExited(away);
  libprocess.link(agent);
  send('RegisterExecutorMessage', ids);
  return self;
}
