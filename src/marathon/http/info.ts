/** `/v2/info`, `/v2/leader`: what this Marathon is and who leads. */
import type { Answer } from '../../http/answer.ts';
import type { Request } from '../../http/endpoint.ts';
import { backupPath } from '../backup-path.ts';
import { MARATHON_VERSION } from '../flags.ts';
import { jsonAnswer, message, wrongMethod } from './answers.ts';
import type { MarathonService } from './service.ts';

/** Flags that are shown, in upstream's order; those that were not given are null. */
const SHOWN = [
  'access_control_allow_origin',
  'checkpoint',
  'decline_offer_duration',
  'default_network_name',
  'env_vars_prefix',
  'executor',
  'failover_timeout',
  'framework_name',
  'ha',
  'hostname',
  'launch_token_refresh_interval',
  'local_port_max',
  'local_port_min',
  'max_instances_per_offer',
  'mesos_bridge_name',
  'mesos_heartbeat_failure_threshold',
  'mesos_heartbeat_interval',
  'mesos_role',
  'mesos_user',
  'new_group_enforce_role',
  'min_revive_offers_interval',
  'offer_matching_timeout',
  'on_elected_prepare_timeout',
  'reconciliation_initial_delay',
  'reconciliation_interval',
  'scale_apps_initial_delay',
  'scale_apps_interval',
  'store_cache',
  'task_launch_confirm_timeout',
  'task_launch_timeout',
  'task_lost_expunge_initial_delay',
  'task_lost_expunge_interval',
  'task_reservation_timeout',
  'webui_url',
  'maintenance_mode',
] as const;

const ZOOKEEPER = [
  'zk_compression',
  'zk_compression_threshold',
  'zk_connection_timeout',
  'zk_max_node_size',
  'zk_max_versions',
  'zk_session_timeout',
  'zk_timeout',
] as const;

export function info(service: MarathonService): Answer {
  const { state, flags, address, scheme } = service;
  const { values } = flags;
  const pick = (names: readonly (keyof typeof values)[]): object =>
    Object.fromEntries(names.map((name) => [name, values[name] ?? null]));
  return jsonAnswer({
    name: values.framework_name,
    version: MARATHON_VERSION,
    buildref: 'meseta',
    elected: true,
    leader: address,
    frameworkId: state.frameworkId ?? null,
    marathon_config: {
      ...pick(SHOWN),
      master: redacted(values.master),
      features: values.enable_features.split(',').filter((name) => name !== ''),
      launch_token: values.launch_tokens,
      leader_proxy_connection_timeout_ms: values.leader_proxy_connection_timeout,
      leader_proxy_read_timeout_ms: values.leader_proxy_read_timeout,
      mesos_leader_ui_url: values.mesos_leader_ui_url ?? masterUrl(service),
      webui_url: values.webui_url ?? `${scheme}://${address}`,
    },
    zookeeper_config: { zk: redacted(values.zk), ...pick(ZOOKEEPER) },
    http_config: { http_port: values.http_port, https_port: values.https_port },
  });
}

function masterUrl({ state }: MarathonService): string | null {
  const { master } = state;
  const host = master?.hostname ?? master?.address?.hostname;
  return host === undefined ? null : `http://${host}:${master?.port ?? 5050}/`;
}

/** Without the name and the password that may be in it. */
function redacted(url: string | undefined): string | null {
  return url?.replace(/\/\/[^@/]+@/, '//xxxxxxxx:xxxxxxxx@') ?? null;
}

/** Who leads; DELETE makes it give up, and its supervisor starts it again as a standby. */
export function leader(service: MarathonService, request: Request): Answer | Promise<Answer> {
  if (request.method === 'GET') return jsonAnswer({ leader: service.address });
  if (request.method !== 'DELETE') return wrongMethod('GET', 'DELETE');
  return abdicate(service, request.query);
}

/** What is to be backed up and restored is kept first: whoever leads next does it before anything else. */
async function abdicate(service: MarathonService, query: Request['query']): Promise<Answer> {
  const order: { backup?: string; restore?: string } = {};
  for (const name of ['backup', 'restore'] as const) {
    const uri = query.get(name);
    if (uri === undefined) continue;
    const path = backupPath(uri);
    if (!path.ok) return message(422, `${name}: ${path.error}`);
    order[name] = uri;
  }
  if (order.backup !== undefined || order.restore !== undefined) {
    const wrong = await service.leaveOrder?.(order);
    if (wrong !== undefined) return message(503, `This leader stays, since its order cannot be kept: ${wrong}`);
  }
  service.abdicate();
  return jsonAnswer({ message: 'Leadership abdicated' });
}
