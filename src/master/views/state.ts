import { DomainInfo } from '../../wire/v1.ts';
import { AGENTS, RECOVERED } from './agents.ts';
import { frameworksItems } from './frameworks.ts';
import type { Kept } from './kept.ts';
import { jsonItems, type Parts } from './parts.ts';
import type { Snapshot } from './snapshot.ts';

/** Where the program comes from. */
export interface Build {
  /** The version of upstream that it behaves as. */
  readonly version: string;
  readonly build_date: string;
  /** Seconds since the Unix epoch. */
  readonly build_time: number;
  readonly build_user: string;
  readonly git_sha: string;
}

/** What an answer says about the program rather than about the cluster. */
export interface Program {
  /** As `/version` has them. */
  readonly build: Build;
  /** As `/flags` has them. */
  readonly flags: Readonly<Record<string, string>>;
}

/** `/state`: everything. */
export function* stateParts(kept: Kept, snapshot: Snapshot, program: Program): Parts {
  yield `${stateHead(snapshot, program).slice(0, -1)},"slaves":[`;
  yield* jsonItems(kept, [snapshot.agents], AGENTS);
  yield '],"recovered_slaves":[';
  yield* jsonItems(kept, [snapshot.recovered], RECOVERED);
  yield '],"frameworks":[';
  yield* frameworksItems(kept, snapshot.frameworks);
  yield '],"completed_frameworks":[';
  yield* frameworksItems(kept, snapshot.completedFrameworks);
  yield '],"orphan_tasks":[],"unregistered_frameworks":[]}';
}

function stateHead({ id, info, startTime, electedTime, agents, unreachable }: Snapshot, program: Program): string {
  const { flags } = program;
  let active = 0;
  for (const agent of agents.items) if (agent.active) active++;
  const domain = info.domain && { domain: DomainInfo.v0.toJson(info.domain) };
  return JSON.stringify({
    ...program.build,
    start_time: startTime / 1000,
    elected_time: electedTime / 1000,
    id,
    pid: info.pid,
    hostname: info.hostname ?? '',
    capabilities: (info.capabilities ?? []).map(({ type }) => type ?? 'UNKNOWN'),
    activated_slaves: active,
    deactivated_slaves: agents.items.length - active,
    unreachable_slaves: unreachable,
    ...domain,
    leader: info.pid,
    leader_info: { id, pid: info.pid, port: info.port ?? 5050, hostname: info.hostname ?? '', ...domain },
    ...(flags.cluster !== undefined && { cluster: flags.cluster }),
    ...(flags.log_dir !== undefined && { log_dir: flags.log_dir }),
    ...(flags.external_log_file !== undefined && { external_log_file: flags.external_log_file }),
    flags,
  });
}
