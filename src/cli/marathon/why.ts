/** `meseta app why`: why an app does not have all its instances. */
import { formatTable } from '../table.ts';
import { ask } from './client.ts';
import { print } from './document.ts';
import type { CommonOptions } from './options.ts';
import { pathOf } from './paths.ts';

interface WhyView {
  readonly id: string;
  readonly instances: number;
  readonly running: number;
  readonly waiting: number;
  readonly reasons: readonly string[];
  readonly agents: readonly {
    readonly hostname: string;
    readonly details: readonly string[];
    readonly timestamp: string;
  }[];
  readonly lastTaskFailure?: { readonly state: string; readonly message: string; readonly timestamp: string };
}

export async function whyApp(id: string, options: CommonOptions): Promise<number> {
  const why = await ask<WhyView>(options, 'GET', pathOf('why', id));
  if (options.output !== 'table') {
    await print(why, options, () => []);
    return 0;
  }
  const lines = [`${why.id}: ${why.running} of ${why.instances} instances run, ${why.waiting} wait for an offer.`];
  for (const reason of why.reasons) lines.push(`- ${reason}`);
  if (why.lastTaskFailure) {
    const { state, timestamp, message } = why.lastTaskFailure;
    lines.push(`- The last failure was ${state} at ${timestamp}: ${message}`);
  }
  process.stdout.write(`${lines.join('\n')}\n`);
  if (why.agents.length > 0) {
    const rows = why.agents.map(({ hostname, details }) => [hostname, details.join('; ') || 'fits']);
    process.stdout.write(`\n${formatTable([['AGENT', 'WHAT ITS LAST OFFER LACKED'], ...rows])}`);
  }
  return 0;
}
