import type { ServerResponse } from 'node:http';

/** Written in one go to one client. */
const BURST = 512 * 1024;
/** For how long in one turn of the event loop all deliveries together write, in ms. */
const TURN = 2;
/** A client that has not taken one burst within this time does not read. */
const STALL = 30_000;
/** And no answer may take longer than this. */
const LONGEST = 15 * 60_000;

const waiting: (() => void)[] = [];
let scheduled = false;

/** Deliveries take turns, so that other requests are answered in between however many there are. */
function soon(step: () => void): void {
  waiting.push(step);
  if (scheduled) return;
  scheduled = true;
  setImmediate(turn);
}

function turn(): void {
  const end = performance.now() + TURN;
  while (waiting.length > 0 && performance.now() < end) waiting.shift()!();
  scheduled = waiting.length > 0;
  if (scheduled) setImmediate(turn);
}

/** For tests. */
export interface Patience {
  readonly stall: number;
  readonly longest: number;
}

/**
 * Writes pieces as fast as they are taken, without copying them or queueing more than a burst.
 * @param done hears whether everything was handed over; false: the client has gone, or did not read and was disconnected
 */
export function deliver(
  response: ServerResponse,
  pieces: readonly Uint8Array[],
  done: (whole: boolean) => void,
  patience: Patience = { stall: STALL, longest: LONGEST },
): void {
  let next = 0;
  let ended = false;
  let stalled = false;
  const finish = (whole: boolean): void => {
    if (ended) return;
    ended = true;
    clearInterval(watch);
    clearTimeout(limit);
    response.off('close', gone);
    done(whole);
  };
  const gone = (): void => finish(false);
  const drop = (): void => {
    response.destroy();
    finish(false);
  };
  const watch = setInterval(() => {
    if (stalled) drop();
    stalled = true;
  }, patience.stall);
  const limit = setTimeout(drop, patience.longest);
  const step = (): void => {
    stalled = false;
    if (response.destroyed || response.writableEnded) finish(false);
    if (ended) return;
    response.cork();
    let ready = true;
    for (let size = 0; next < pieces.length && size < BURST; next++) {
      size += pieces[next]!.length;
      ready = response.write(pieces[next]!);
    }
    response.uncork();
    if (next === pieces.length) finish(true);
    else if (ready && !response.writableNeedDrain) soon(step);
    else response.once('drain', () => soon(step));
  };
  response.once('close', gone);
  soon(step);
}
