import { DomainInfo } from '../../wire/v1.ts';
import type { MasterState } from '../core/state.ts';
import { agentInfoJson, agentJson } from './agents.ts';
import { frameworkJson } from './frameworks.ts';

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

/** `/state`: everything. Made of one text per agent and framework, so that no object of the whole is ever built. */
export function stateJson(state: MasterState, program: Program): string {
  const { flags } = program;
  const { info } = state;
  const active = [...state.agents.values()].filter((agent) => agent.active).length;
  const domain = info.domain && { domain: DomainInfo.v0.toJson(info.domain) };
  const head = JSON.stringify({
    ...program.build,
    start_time: state.startTime / 1000,
    elected_time: state.electedTime / 1000,
    id: state.id,
    pid: info.pid,
    hostname: info.hostname ?? '',
    capabilities: (info.capabilities ?? []).map(({ type }) => type ?? 'UNKNOWN'),
    activated_slaves: active,
    deactivated_slaves: state.agents.size - active,
    unreachable_slaves: state.unreachable.size,
    ...domain,
    leader: info.pid,
    leader_info: { id: state.id, pid: info.pid, port: info.port ?? 5050, hostname: info.hostname ?? '', ...domain },
    ...(flags.cluster !== undefined && { cluster: flags.cluster }),
    ...(flags.log_dir !== undefined && { log_dir: flags.log_dir }),
    ...(flags.external_log_file !== undefined && { external_log_file: flags.external_log_file }),
    flags,
  });
  const agents = Array.from(state.agents.values(), (agent) => JSON.stringify(agentJson(agent)));
  const recovered = Array.from(state.recovered.values(), (agent) => JSON.stringify(agentInfoJson(agent)));
  const frameworks = Array.from(state.frameworks.values(), (framework) => frameworkJson(state, framework));
  const completed = Array.from(state.completedFrameworks.values(), (framework) => frameworkJson(state, framework));
  return (
    `${head.slice(0, -1)},"slaves":[${agents.join(',')}],"recovered_slaves":[${recovered.join(',')}],` +
    `"frameworks":[${frameworks.join(',')}],"completed_frameworks":[${completed.join(',')}],` +
    '"orphan_tasks":[],"unregistered_frameworks":[]}'
  );
}
