/**
 * The fetcher: brings the files of one task into its sandbox and ends; one process per launch that has URIs, so that
 * files are read and written, and archives unpacked, with the rights of the task's user and no others. Takes an order
 * on standard input, which stays open for as long as anybody wants the files. What goes wrong is said on standard
 * error, which is the sandbox's `stderr`, and is exit status 1.
 */
import type { FetchOrder } from './order.ts';
import { fetchUri } from './uri.ts';

/** Node's declarations have these only on systems that have users. */
function become({ user }: FetchOrder): void {
  if (!user) return;
  process.setgroups?.([user.gid, ...user.groups]);
  process.setgid?.(user.gid);
  process.setuid?.(user.uid);
}

async function fetchAll(order: FetchOrder): Promise<void> {
  process.chdir(order.sandbox);
  for (const uri of order.uris) {
    try {
      for (const sentence of await fetchUri(uri, order)) process.stderr.write(`${sentence}\n`);
    } catch (error) {
      const reason = `Failed to fetch '${uri.value}': ${error instanceof Error ? error.message : error}`;
      process.stderr.write(`${reason}\n`);
      // For the log of the agent.
      process.stdout.write(`${reason}\n`);
      process.exitCode = 1;
      return;
    }
  }
}

let text = '';
let begun = false;
process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk: string) => {
  text += chunk;
  if (begun || !text.endsWith('\n')) return;
  begun = true;
  const order: FetchOrder = JSON.parse(text);
  become(order);
  fetchAll(order).finally(() => process.stdin.destroy());
});
// The agent has ended: nobody waits for the files.
process.stdin.on('end', () => process.exit(1));
