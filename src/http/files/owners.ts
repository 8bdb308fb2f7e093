import { readFileSync } from 'node:fs';

/** Names of users or groups by number, out of `/etc/passwd` or `/etc/group`; read anew once a minute. */
class OwnerNames {
  private readonly file: string;
  private names = new Map<number, string>();
  private readAt = Number.NEGATIVE_INFINITY;

  constructor(file: string) {
    this.file = file;
  }

  /** The number itself where it has no name. */
  nameOf(id: number): string {
    const now = performance.now();
    if (now - this.readAt > 60_000) {
      this.readAt = now;
      this.names = readNames(this.file);
    }
    return this.names.get(id) ?? String(id);
  }
}

function readNames(file: string): Map<number, string> {
  const names = new Map<number, string>();
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return names;
  }
  for (const line of text.split('\n')) {
    const [name, , id] = line.split(':');
    if (name && id && !names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}

export const userNames = new OwnerNames('/etc/passwd');
export const groupNames = new OwnerNames('/etc/group');
