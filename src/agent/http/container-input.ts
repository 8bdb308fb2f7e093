/** ATTACH_CONTAINER_INPUT: a request whose records are written to a session's process, as they come. */
import type { Readable } from 'node:stream';
import { err, ok, type Result } from '../../base/result.ts';
import { type Answer, badRequest, done, failure, notFound } from '../../http/answer.ts';
import { RecordReader } from '../../wire/recordio.ts';
import type { ProcessIO } from '../../wire/v1_agent.ts';
import { formatContainerId } from '../core/container-id.ts';
import { findLiving, isRootKnown } from '../core/parents.ts';
import type { TypedCall } from './call-validation.ts';
import type { AgentHttpParts } from './parts.ts';

/** The longest record that is taken. */
const MAX_INPUT_RECORD = 8 * 1024 * 1024;
/** For how many ms a client may keep its first record to itself. */
const FIRST_RECORD = 60_000;

/** Cuts a request's body into records as it comes, one after the other. */
export class RecordSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #reader = new RecordReader(MAX_INPUT_RECORD);
  readonly #ready: Uint8Array[] = [];

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  }

  /** The next record; undefined at the end. */
  async next(): Promise<Result<Uint8Array | undefined>> {
    while (this.#ready.length === 0) {
      const chunk = await this.#chunks.next().catch(() => undefined);
      // Broken off: whatever came whole was taken.
      if (chunk === undefined || chunk.done === true) return ok(undefined);
      const records = this.#reader.push(chunk.value);
      if (!records.ok) return records;
      this.#ready.push(...records.value);
    }
    return ok(this.#ready.shift());
  }

  /** As `next`, for somebody of whom nothing is known yet. @returns an error when nothing comes for long */
  first(): Promise<Result<Uint8Array | undefined>> {
    return new Promise((resolve) => {
      const limit = setTimeout(() => resolve(err('The first record did not come in time')), FIRST_RECORD);
      void this.next().then((record) => {
        clearTimeout(limit);
        resolve(record);
      });
    });
  }
}

/** Containers that somebody writes to. */
const attached = new Set<string>();

/**
 * @param first the record that names the container
 * @param read makes a call of a record
 */
export async function attachInput(
  parts: AgentHttpParts,
  first: TypedCall,
  source: RecordSource,
  read: (record: Uint8Array) => Result<TypedCall>,
): Promise<Answer> {
  const { state, calls } = parts;
  const id = first.attach_container_input?.container_id;
  if (first.attach_container_input?.type !== 'CONTAINER_ID' || id === undefined) {
    return badRequest("Expecting 'attach_container_input.type' to be CONTAINER_ID");
  }
  const key = formatContainerId(id);
  if (!isRootKnown(state, id)) return notFound(`Container ${key} cannot be found`);
  const found = findLiving(state, id);
  if (found?.launcherId === undefined) return failure(500, `Unknown container ${key}`);
  if (!found.hasInput) {
    return badRequest(`Container ${key} reads nothing: only those of LAUNCH_NESTED_CONTAINER_SESSION do`);
  }
  if (attached.has(key)) return failure(409, `Somebody is attached to the input of container ${key} already`);
  attached.add(key);
  let cancel = (): void => undefined;
  const over = new Promise<Answer>((resolve) => {
    cancel = calls.whenOver(key, () => resolve(done));
  });
  try {
    return await Promise.race([over, forward(parts, found.launcherId, source, read)]);
  } finally {
    cancel();
    attached.delete(key);
  }
}

async function forward(
  parts: AgentHttpParts,
  launcherId: string,
  source: RecordSource,
  read: (record: Uint8Array) => Result<TypedCall>,
): Promise<Answer> {
  for (;;) {
    const record = await source.next();
    if (!record.ok) return badRequest(record.error);
    if (record.value === undefined) return done;
    const call = read(record.value);
    if (!call.ok) return badRequest(call.error);
    const input = inputOf(call.value);
    if (!input.ok) return badRequest(input.error);
    if (input.value === undefined) continue;
    const { data } = input.value;
    const problem = await parts.write(launcherId, data.length > 0 ? data : undefined);
    if (problem !== undefined) return failure(500, `The container takes no input: ${problem}`);
  }
}

/** What is to be written: no bytes mean the end of it. Undefined for what only keeps the connection alive. */
function inputOf({ attach_container_input: input }: TypedCall): Result<{ readonly data: Uint8Array } | undefined> {
  if (input?.type !== 'PROCESS_IO') return err("Expecting 'attach_container_input.type' to be PROCESS_IO");
  const io: ProcessIO | undefined = input.process_io;
  if (io?.type === 'CONTROL') {
    if (io.control?.type === 'HEARTBEAT') return ok(undefined);
    return err(
      `'attach_container_input.process_io.control.type' is ${io.control?.type}: terminals are not in this build, it must be HEARTBEAT`,
    );
  }
  if (io?.type !== 'DATA' || io.data === undefined) {
    return err("Expecting 'attach_container_input.process_io' to be DATA or CONTROL");
  }
  if (io.data.type !== 'STDIN') {
    return err(`'attach_container_input.process_io.data.type' is ${io.data.type}: it must be STDIN`);
  }
  return ok({ data: io.data.data ?? new Uint8Array(0) });
}
