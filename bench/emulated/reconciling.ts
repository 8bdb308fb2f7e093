/** A scheduler that only asks what became of tasks, and counts the answers without reading them. */

import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { RecordReader } from '../../src/wire/recordio.ts';
import { Call, Event } from '../../src/wire/v1_scheduler.ts';
import { frameworkInfo } from './framework.ts';
import { assertLoopback } from './loopback.ts';

const PATH = '/api/v1/scheduler';
const TYPE = 'application/x-protobuf';
/** An update of a task is longer than a heartbeat. */
const HEARTBEAT_BYTES = 8;

/** @param master `host:port` @returns the milliseconds from the call to the last answer */
export async function reconcileAll(master: string, tasks: number): Promise<number> {
  const [host = '', port] = master.split(':');
  assertLoopback(host);
  const address = { host, port: Number(port), path: PATH, method: 'POST' };
  let left = tasks;
  let finish: (outcome: Error | undefined) => void = () => {};
  const finished = new Promise<Error | undefined>((resolve) => {
    finish = resolve;
  });
  const { id, stream } = await new Promise<{ id: string; stream: string }>((resolve, reject) => {
    const reader = new RecordReader();
    const call = request({ ...address, headers: { 'content-type': TYPE, accept: TYPE } }, (response) => {
      const streamId = String(response.headers['mesos-stream-id']);
      response.once('close', () => finish(new Error('the master closed the event stream')));
      response.on('data', (chunk: Buffer) => {
        const records = reader.push(chunk);
        if (!records.ok) throw new Error(records.error);
        for (const record of records.value) {
          if (record.length <= HEARTBEAT_BYTES) continue;
          const event = left === tasks ? Event.decode(record) : undefined;
          const subscribed = event?.ok ? event.value.subscribed : undefined;
          if (subscribed !== undefined) resolve({ id: subscribed.framework_id.value, stream: streamId });
          else if (--left === 0) finish(undefined);
        }
      });
    });
    call.once('error', reject);
    call.end(Call.encode({ type: 'SUBSCRIBE', subscribe: { framework_info: frameworkInfo('reconciling') } }));
  });
  const named = Array.from({ length: tasks }, () => ({ task_id: { value: randomUUID() } }));
  const body = Call.encode({ type: 'RECONCILE', framework_id: { value: id }, reconcile: { tasks: named } });
  const start = performance.now();
  const headers = { 'content-type': TYPE, 'mesos-stream-id': stream };
  const ask = request({ ...address, headers }, (response) => {
    if (response.statusCode !== 202) finish(new Error(`RECONCILE was answered with ${response.statusCode}`));
    response.resume();
  });
  ask.end(body);
  const error = await finished;
  if (error !== undefined) throw error;
  return performance.now() - start;
}
