/** What the children of the masters' node mean (facts: semantics, 15). */
import { err, ok, type Result } from '../../../base/result.ts';
import { readUtf8 } from '../../../wire/utf8.ts';
import { MasterInfo } from '../../../wire/v1.ts';

/** The label of a node that holds MasterInfo as JSON; the servers add the sequence number. */
export const JSON_LABEL = 'json.info';

/** One candidate. */
export interface Member {
  readonly name: string;
  readonly sequence: number;
  /** What stands before the sequence number: how the node's data is written. */
  readonly label: string | undefined;
}

/** Candidates among the children, the one that leads first. Children without a number at the end are something else. */
export function membersOf(children: readonly string[]): Member[] {
  const members: Member[] = [];
  for (const name of children) {
    const match = /^(?:(.*)_)?(\d+)$/s.exec(name);
    if (match !== null) members.push({ name, sequence: Number(match[2]), label: match[1] });
  }
  return members.sort((a, b) => a.sequence - b.sequence);
}

/** Older masters wrote MasterInfo as protobuf under this label, and the oldest only their address, under none. */
const PROTOBUF_LABEL = 'info';

/** What a candidate says of itself. @param data of its node */
export function masterInfoOf({ name, label }: Member, data: Uint8Array): Result<MasterInfo> {
  if (label === JSON_LABEL) return named(name, MasterInfo.v0.parse(readUtf8(data, 0, data.length)));
  if (label === PROTOBUF_LABEL) return named(name, MasterInfo.decode(data));
  if (label === undefined) return named(name, infoOfPid(readUtf8(data, 0, data.length)));
  return err(`the node '${name}' is not of a master: its name should be ${JSON_LABEL}_<number>`);
}

function named(name: string, info: Result<MasterInfo>): Result<MasterInfo> {
  return info.ok ? info : err(`the node '${name}' holds no MasterInfo: ${info.error}`);
}

function infoOfPid(pid: string): Result<MasterInfo> {
  const match = /^[^@]+@(\d{1,3}(?:\.\d{1,3}){3}):(\d{1,5})$/.exec(pid.trim());
  if (match === null) return err(`'${pid}' is not <id>@<ip>:<port>`);
  const [, ip = '', port = ''] = match;
  const [a = 0, b = 0, c = 0, d = 0] = ip.split('.').map(Number);
  const number = (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
  const address = { hostname: ip, ip, port: Number(port) };
  return ok({ id: '', ip: number, port: Number(port), pid: pid.trim(), hostname: ip, address });
}
