/** Long lists of apps, written a stretch at a time: others get their turn in between. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Answer } from '../../http/answer.ts';
import { Pieces } from '../../http/pieces.ts';
import type { App } from '../core/model.ts';

/** So many apps become one piece. */
const STRETCH = 64;
/** Writing gives way after this, in ms. */
const SLICE = 8;

/** `{"apps": […]}`. @param write one app as JSON */
export async function appListAnswer(apps: readonly App[], write: (app: App) => string): Promise<Answer> {
  const pieces: Uint8Array[] = [];
  let until = performance.now() + SLICE;
  for (let from = 0; from < apps.length; from += STRETCH) {
    if (performance.now() > until) {
      await nextTurn();
      until = performance.now() + SLICE;
    }
    const text = apps
      .slice(from, from + STRETCH)
      .map(write)
      .join(',');
    pieces.push(Buffer.from(`${from === 0 ? '{"apps":[' : ','}${text}`));
  }
  if (pieces.length === 0) pieces.push(Buffer.from('{"apps":['));
  pieces.push(Buffer.from(']}'));
  return { status: 200, headers: { 'content-type': 'application/json' }, body: new Pieces(pieces) };
}
