/** The process that runs one scenario, alone, and sends what it measured to the program that started it. */
import { loadScenario } from './catalog.ts';
import type { Sample } from './scenario.ts';

/** What the worker sends: an answer when it is done, before that a line now and then about how far it is. */
export type WorkerMessage =
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'done'; readonly runs: readonly (readonly Sample[])[]; readonly rssBytes: number };

const [name = '', runs = '1'] = process.argv.slice(2);

function tell(message: WorkerMessage): void {
  process.send?.(message);
}

async function work(): Promise<void> {
  const scenario = await loadScenario(name);
  const finish = await scenario.prepare?.();
  try {
    const results: Sample[][] = [];
    for (let run = 0; run <= Number(runs); run++) {
      tell({ kind: 'progress', text: run === 0 ? 'warm-up' : `run ${run} of ${runs}` });
      globalThis.gc?.();
      const samples = await scenario.run();
      if (run > 0) results.push(samples);
    }
    tell({ kind: 'done', runs: results, rssBytes: process.resourceUsage().maxRSS * 1024 });
  } finally {
    await finish?.();
  }
}

// Whatever ends the program that started this one must end the clusters that this one started: `exit` handlers do that.
process.on('disconnect', () => process.exit(1));
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

await work();
process.disconnect?.();
process.removeAllListeners('disconnect');
process.exit(0);
