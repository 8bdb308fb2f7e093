/**
 * Ten thousand spoiled calls against a running master and agent. Each is answered 2xx, or 4xx with a reason; none that was
 * refused changes anything; the master does not grow. A failure names its seed and call: FUZZ_SEED and FUZZ_CALLS set
 * both, and the same seed spoils the same calls in the same way.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import type { MessageType } from '../../src/wire/message.ts';
import { Call as OperatorCall } from '../../src/wire/v1_master.ts';
import { Call as SchedulerCall } from '../../src/wire/v1_scheduler.ts';
import { type Daemons, isHealthy, residentMiB, startDaemons } from '../e2e/daemons.fixture.ts';
import { OFFER_CALLS, OPERATOR_CALLS, ROLES, SCHEDULER_CALLS } from './calls.fixture.ts';
import { mutateBytes, mutateHeaders, mutateJson, mutateText, pick } from './mutate.fixture.ts';
import { type Answer, isRefused, type Path, Session, type Shot } from './session.fixture.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 1);
const CALLS = Number(process.env.FUZZ_CALLS ?? 10_000);
const BATCH = 250;
const AT_ONCE = 8;
/** Calls before the first measurement: code is compiled, histories and caches are full. */
const WARM_UP = 4;
/** Far above what a garbage collector leaves lying about, and below 16 KiB for each call. */
const MAX_GROWTH_MIB = 160;

let daemons: Daemons;
let session: Session;
/** Wrong answers; some are collected, since one run can then show several defects. */
const faults: string[] = [];
const MAX_FAULTS = 20;

before(async () => {
  // `role:` with reservations, so that there are several offers at any time.
  const kinds = ['*', ...ROLES].flatMap((role) => [`cpus(${role}):16`, `mem(${role}):16000`, `disk(${role}):9000`]);
  daemons = await startDaemons('--allocation_interval=20ms', '--offer_timeout=200ms', '--max_completed_frameworks=5');
  await daemons.startAgent(`--resources=${kinds.join(';')}`, '--attributes=rack:r1');
  session = new Session(daemons.master.port);
});
after(async () => {
  session.close();
  await daemons.stop();
});

/** The call of this number, spoiled. */
async function spoil(index: number): Promise<Shot> {
  const random = seededRandom(SEED * 1_000_003 + index);
  const path: Path = random() < 0.6 ? '/api/v1/scheduler' : '/api/v1';
  const answersOffer = path === '/api/v1/scheduler' && random() < 0.6;
  if (path === '/api/v1/scheduler') await session.revive();
  if (answersOffer) await session.forage();
  const builders = path === '/api/v1' ? OPERATOR_CALLS : answersOffer ? OFFER_CALLS : SCHEDULER_CALLS;
  const call = pick(builders, random)(session.names());
  const isSubscribe = call.type === 'SUBSCRIBE';
  const inProtobuf = random() < 0.4;
  const headers = {
    'content-type': inProtobuf ? 'application/x-protobuf' : 'application/json',
    ...(path === '/api/v1/scheduler' && !isSubscribe && { 'mesos-stream-id': session.streamId }),
  };
  const label = `seed ${SEED}, call ${index} (${String(call.type)} in ${inProtobuf ? 'protobuf' : 'JSON'})`;
  const text = JSON.stringify(call);
  const kind = random();
  if (kind < 0.05)
    return { label, path, headers: mutateHeaders(headers, random), body: encoded(path, text, inProtobuf) };
  if (inProtobuf) return { label, path, headers, body: mutateBytes(encoded(path, text, true) as Uint8Array, random) };
  if (kind < 0.1) return { label, path, headers, body: mutateText(text, random) };
  return { label, path, headers, body: JSON.stringify(mutateJson(call, random)) };
}

function encoded(path: Path, text: string, inProtobuf: boolean): string | Uint8Array {
  if (!inProtobuf) return text;
  return path === '/api/v1' ? reencoded(OperatorCall, text) : reencoded(SchedulerCall, text);
}

function reencoded<T>(type: MessageType<T>, text: string): Uint8Array {
  const call = type.parse(text);
  assert.ok(call.ok, `a call that is to be spoiled is right at first: ${text}`);
  return type.encode(call.value);
}

/** What a shot says, for the message of a failure. */
function shown({ label, path, headers, body }: Shot): string {
  const text = typeof body === 'string' ? body : Buffer.from(body).toString('hex');
  return `${label} to ${path} ${JSON.stringify(headers)}: ${text.slice(0, 3_000)}`;
}

async function fire(shot: Shot): Promise<Answer> {
  let answer: Answer;
  try {
    answer = await session.send(shot);
  } catch (error) {
    const { exitCode, signalCode } = daemons.master.process;
    const end = `exit ${exitCode ?? signalCode ?? 'none'}: ${daemons.master.stderr().slice(-3_000)}`;
    assert.fail(`no answer (${String(error)}); master's ${end}\n${shown(shot)}`);
  }
  const fault = faultOf(shot, answer);
  if (fault !== undefined) faults.push(`${fault}: ${shown(shot)}`);
  assert.ok(faults.length < MAX_FAULTS, faults.join('\n\n'));
  return answer;
}

/** @returns what is wrong with the answer, if anything is */
function faultOf(shot: Shot, { status, body }: Answer): string | undefined {
  if (status === 501) return typeOf(shot) === 'UNKNOWN' ? undefined : '501 is for UNKNOWN only';
  const isRight = (status >= 200 && status < 300) || (status >= 400 && status < 500 && body.trim() !== '');
  return isRight ? undefined : `answered ${status} '${body.slice(0, 500)}'`;
}

function typeOf({ path, headers, body }: Shot): string | undefined {
  const type = path === '/api/v1' ? OperatorCall : SchedulerCall;
  const isText = headers['content-type'] === 'application/json';
  const call = isText ? type.parse(String(body)) : type.decode(Buffer.from(body as Uint8Array));
  return call.ok ? call.value.type : undefined;
}

/** Fires all, several at once. */
async function volley(shots: readonly (() => Shot | Promise<Shot>)[]): Promise<{ shot: Shot; answer: Answer }[]> {
  const outcomes: { shot: Shot; answer: Answer }[] = [];
  const queue = shots.values();
  const worker = async (): Promise<void> => {
    for (const make of queue) {
      const shot = await make();
      outcomes.push({ shot, answer: await fire(shot) });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return outcomes;
}

/**
 * Fires what was refused once more, now that nothing else goes on, and looks for a difference. What an agent does by
 * itself may show once; what a call does shows again when everything is as before.
 */
async function checkNothingChanges(refused: readonly Shot[]): Promise<void> {
  for (let attempt = 0; attempt < 2; attempt++) {
    const before = await session.settled();
    const outcomes = await volley(refused.map((shot) => () => shot));
    // Some are taken now: what they asked for has become right meanwhile. Then a change is no wonder.
    if (outcomes.some(({ answer }) => !isRefused(answer))) return;
    if ((await session.snapshot()) === before) return;
    await session.heal();
  }
  await findCulprit(refused);
}

async function findCulprit(refused: readonly Shot[]): Promise<void> {
  for (const shot of refused) {
    // On a busy machine an agent may do something by itself just now, but not twice.
    if ((await changeBy(shot)) === undefined) continue;
    const change = await changeBy(shot);
    if (change !== undefined) faults.push(change);
  }
}

/** @returns what a refused call has changed all the same */
async function changeBy(shot: Shot): Promise<string | undefined> {
  await session.heal();
  const before = await session.settled();
  const answer = await fire(shot);
  const now = await session.settled();
  if (!isRefused(answer) || now === before) return undefined;
  const lines = before.split('\n');
  const changed = now.split('\n').filter((line, index) => line !== lines[index]);
  return `refused with ${answer.status} '${answer.body}', but now ${changed.slice(0, 20).join(' ')}: ${shown(shot)}`;
}

test(`${CALLS} spoiled calls are answered with a reason, change nothing when refused, and leave no memory behind`, async (t) => {
  let refusals = 0;
  let warm = 0;
  for (let first = 0; first < CALLS; first += BATCH) {
    await session.heal();
    const count = Math.min(BATCH, CALLS - first);
    const outcomes = await volley(Array.from({ length: count }, (_, index) => () => spoil(first + index)));
    const refused = outcomes.filter(({ answer }) => isRefused(answer)).map(({ shot }) => shot);
    refusals += refused.length;
    await checkNothingChanges(refused);
    if (first === (WARM_UP - 1) * BATCH) warm = residentMiB(daemons.master.process.pid ?? 0);
  }
  const growth = residentMiB(daemons.master.process.pid ?? 0) - warm;
  t.diagnostic(`${refusals} of ${CALLS} refused; memory ${Math.round(warm)} MiB, then ${Math.round(growth)} MiB more`);
  assert.equal(faults.join('\n\n'), '');
  assert.ok(await isHealthy(daemons.master.port), daemons.master.stderr().slice(-2_000));
  assert.ok(refusals > CALLS / 4, `${refusals} of ${CALLS} were refused: most of them should be wrong`);
  if (CALLS >= 10 * WARM_UP * BATCH) assert.ok(growth < MAX_GROWTH_MIB, `the master grew by ${growth} MiB`);
});
