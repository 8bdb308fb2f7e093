import type { Pid } from './state.ts';

export interface PidParts {
  readonly id: string;
  readonly ip: string;
  readonly port: number;
}

/** Takes `slave(1)@10.0.0.2:5051` apart. @returns undefined if it is not of that form */
export function parsePid(pid: Pid): PidParts | undefined {
  const match = /^(.*)@([^@:]+):(\d+)$/.exec(pid);
  if (match === null) return undefined;
  return { id: match[1]!, ip: match[2]!, port: Number(match[3]) };
}
