/** How tasks have ended that no agent has heard of, in a file beside the socket, for the launcher that comes next. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ContainerReport } from './protocol.ts';

export class Statuses {
  private readonly path: string;

  /** @param socket path of the launcher's socket */
  constructor(socket: string) {
    this.path = join(dirname(socket), 'statuses.json');
  }

  /** What is spoiled says nothing: then it is not known how those tasks ended. */
  read(): readonly ContainerReport[] {
    try {
      const reports: unknown = JSON.parse(readFileSync(this.path, 'utf8'));
      return Array.isArray(reports) ? reports.filter(isReport) : [];
    } catch {
      return [];
    }
  }

  /** @returns whether they are on disk now; why not is in the log, if that takes anything */
  write(reports: readonly ContainerReport[]): boolean {
    try {
      if (reports.length === 0) rmSync(this.path, { force: true });
      else replaceFile(this.path, JSON.stringify(reports));
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : error;
      process.stderr.write(`Cannot write ${this.path}: ${reason}; trying again until there is room\n`);
      return false;
    }
  }
}

function replaceFile(path: string, text: string): void {
  const fresh = `${path}.new`;
  const file = openSync(fresh, 'w', 0o600);
  try {
    // All of it: the system call alone may stop short where a disk is about to be full, and say nothing.
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(fresh, path);
}

function isReport(value: unknown): value is ContainerReport {
  if (typeof value !== 'object' || value === null) return false;
  const { containerId, status, leader } = value as Record<string, unknown>;
  const isLeader = typeof leader === 'object' && leader !== null && 'pid' in leader && 'start' in leader;
  return typeof containerId === 'string' && typeof status === 'number' && (leader === undefined || isLeader);
}
