/** Which processes belong to a container that has no cgroup to tell. */
import { type Process, readVariable, type Snapshot } from './processes.ts';
import type { ProcessId } from './protocol.ts';

/** The variable whose value no two containers share: the path of the sandbox. */
export const MARK_VARIABLE = 'MESOS_SANDBOX';

/** Where a container's processes come from. */
export interface TreeRoot {
  /** The first process, which leads a session and a group of its own. */
  readonly leader?: ProcessId | undefined;
  /**
   * What `MESOS_SANDBOX` says in the environment of the container. A daemon that left the session, and whose parent is
   * gone, is found by it alone.
   */
  readonly mark: string | undefined;
}

/** Remembers the marks of processes, so that the environment of each is read once. */
export class Marks {
  private known = new Map<number, { readonly start: number; readonly mark: string | undefined }>();

  of(process: Process): string | undefined {
    const found = this.known.get(process.pid);
    if (found?.start === process.start) return found.mark;
    const mark = readVariable(process.pid, MARK_VARIABLE);
    this.known.set(process.pid, { start: process.start, mark });
    return mark;
  }

  /** Forgets who is gone. */
  prune(snapshot: Snapshot): void {
    for (const pid of this.known.keys()) if (!snapshot.processes.has(pid)) this.known.delete(pid);
  }
}

/**
 * The processes of each container that live: its session, its group, those who bear its mark, and all descendants of
 * these. Neither this process nor an ancestor of it is ever among them.
 */
export function findTrees<Root extends TreeRoot>(
  snapshot: Snapshot,
  roots: readonly Root[],
  marks: Marks,
): Map<Root, Process[]> {
  const byLeader = new Map<number, Root>();
  const byMark = new Map<string, Root>();
  let oldest = Number.POSITIVE_INFINITY;
  for (const root of roots) {
    if (root.leader && leads(snapshot, root.leader)) byLeader.set(root.leader.pid, root);
    if (root.mark !== undefined) byMark.set(root.mark, root);
    oldest = Math.min(oldest, root.leader?.start ?? 0);
  }
  const spared = ancestors(snapshot);
  const owners = new Map<number, Root>();
  for (const one of snapshot.processes.values()) {
    if (one.start < oldest || spared.has(one.pid)) continue;
    const root = byLeader.get(one.pid) ?? byLeader.get(one.session) ?? byLeader.get(one.group) ?? marked(one);
    if (root) claim(snapshot, one, root, owners, spared);
  }
  const trees = new Map<Root, Process[]>(roots.map((root) => [root, []]));
  for (const [pid, root] of owners) {
    const one = snapshot.processes.get(pid)!;
    if (!one.ended) trees.get(root)!.push(one);
  }
  return trees;

  function marked(one: Process): Root | undefined {
    if (byMark.size === 0) return undefined;
    const mark = marks.of(one);
    return mark === undefined ? undefined : byMark.get(mark);
  }
}

function claim<Root>(
  snapshot: Snapshot,
  from: Process,
  root: Root,
  owners: Map<number, Root>,
  spared: ReadonlySet<number>,
): void {
  const waiting = [from];
  for (let one = waiting.pop(); one; one = waiting.pop()) {
    if (owners.has(one.pid) || spared.has(one.pid)) continue;
    owners.set(one.pid, root);
    waiting.push(...(snapshot.children.get(one.pid) ?? []));
  }
}

/**
 * False when another process has got the number since. While no process has it, the number can only be a session or
 * group that the leader left behind: the kernel gives it to nobody else as long as that exists.
 */
function leads(snapshot: Snapshot, leader: ProcessId): boolean {
  const now = snapshot.processes.get(leader.pid);
  return now === undefined || now.start === leader.start;
}

function ancestors(snapshot: Snapshot): ReadonlySet<number> {
  const found = new Set<number>([1]);
  for (let pid = process.pid; pid > 0 && !found.has(pid); pid = snapshot.processes.get(pid)?.parent ?? 0)
    found.add(pid);
  return found;
}
