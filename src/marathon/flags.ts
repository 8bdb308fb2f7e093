/** The flags of Marathon, in upstream's names. Times are whole numbers of milliseconds unless the flag says otherwise. */
import { type FlagValues, flag, optional, required } from '../config/flag.ts';
import { bool, count, integer, oneOf, path, port, string } from '../config/kinds.ts';
import type { Program } from '../config/load.ts';
import { backupPath } from './backup-path.ts';
import { observabilityFlags, tuningFlags } from './flags-tuning.ts';

/** The version of upstream whose API is spoken. */
export const MARATHON_VERSION = '1.11.24';

const servingFlags = {
  http_address: optional(string, 'IPv4 address to listen on; all of them unless given'),
  http_port: flag(port, '8080', 'Port of the API'),
  disable_http: flag(bool, 'false', 'Serve HTTPS only; needs --ssl_keystore_path'),
  https_address: optional(string, 'IPv4 address to listen on for HTTPS; all of them unless given'),
  https_port: flag(port, '8443', 'Port of the API by HTTPS'),
  ssl_keystore_path: optional(string, 'PKCS#12 file with a key and its certificate: turns HTTPS on'),
  ssl_keystore_password: optional(string, 'Password of that file'),
  hostname: optional(string, 'The name that others are told; this machine has one unless given', {
    validate: headerText,
  }),
  http_credentials: optional(string, 'USER:PASSWORD that every request must show', { validate: credentials }),
  http_realm: flag(string, 'Mesosphere', 'The realm that asks for credentials', { validate: headerText }),
  http_compression: flag(bool, 'true', 'Compress answers for clients that take that'),
  http_max_concurrent_requests: optional(count, 'More requests than this at the same time are answered 503'),
  access_control_allow_origin: optional(string, 'Origins, separated by commas, whose pages may use the API', {
    validate: headerText,
  }),
  event_stream_max_outstanding_messages: flag(
    count,
    '1024',
    'A reader of the event stream for whom more events wait is disconnected',
  ),
  leader_proxy_max_open_connections: flag(count, '64', 'Connections from a standby to the leader'),
  leader_proxy_connection_timeout: flag(count, '5000', 'How long a standby tries to connect to the leader'),
  leader_proxy_read_timeout: flag(count, '10000', 'How long a standby waits for an answer of the leader'),
  leader_proxy_ssl_ignore_hostname: flag(bool, 'false', 'Do not compare the name in the leader’s certificate'),
};

const stateFlags = {
  zk: optional(
    string,
    'zk://[USER:PASS@]HOST:PORT,.../PATH for the state and for the election among several; without it the state is kept below --work_dir',
  ),
  work_dir: flag(path, '/var/lib/marathon', 'Folder for the state where there is no --zk'),
  internal_store_backend: optional(oneOf('zk', 'mem', 'lmdb'), 'Where the state is kept; `mem` forgets it'),
  ha: flag(bool, 'true', 'Stand for election where there is --zk; without it this Marathon leads at once'),
  zk_timeout: flag(count, '10000', 'For one operation of ZooKeeper'),
  zk_session_timeout: flag(count, '10000', 'Session timeout of ZooKeeper'),
  zk_connection_timeout: flag(count, '10000', 'To connect to ZooKeeper'),
  zk_compression: flag(bool, 'true', 'Taken for compatibility: values are small here, one for each object'),
  zk_compression_threshold: flag(count, '65536', 'Taken for compatibility'),
  zk_max_node_size: flag(
    count,
    '1024000',
    'Definitions of more than half of this are refused, as are all of more than 500,000 bytes',
  ),
  zk_max_versions: flag(
    integer(1),
    '50',
    'So many versions of the tree, and of each app, are kept; and all that those trees have',
  ),
  backup_location: optional(string, 'file:///PATH of a backup that is written before the format of the state changes', {
    validate: (uri) => {
      const file = backupPath(uri);
      return file.ok ? undefined : file.error;
    },
  }),
};

const secretFlags = {
  secrets_key_file: optional(
    path,
    'File with the key of the secrets: 64 hexadecimal digits, or a passphrase. With --enable_features=secrets, apps and pods can refer to secrets',
  ),
  secrets_file: optional(path, 'The encrypted file of the secrets; `secrets` in --work_dir unless given'),
};

const frameworkFlags = {
  master: required(string, 'The Mesos masters: zk://HOST:PORT,.../PATH, http://HOST:PORT, or HOST:PORT,...'),
  framework_name: flag(string, 'marathon', 'The name of the framework'),
  failover_timeout: flag(count, '604800', 'Seconds for which the master keeps tasks while no Marathon is there'),
  checkpoint: flag(bool, 'true', 'Tasks survive restarts of their agents'),
  executor: flag(string, '//cmd', 'Executor of apps that name none; //cmd is the one of Mesos'),
  mesos_user: optional(string, 'User of tasks; the one that runs Marathon unless given'),
  mesos_role: flag(string, '*', 'Role of apps that name none'),
  mesos_authentication: flag(bool, 'false', 'Authenticate with the master'),
  mesos_authentication_principal: optional(string, 'Principal; needed for reservations too'),
  mesos_authentication_secret: optional(string, 'Secret of the principal'),
  mesos_authentication_secret_file: optional(path, 'File with the secret of the principal'),
  mesos_bridge_name: flag(string, 'mesos-bridge', 'Name of the CNI network of bridged containers'),
  default_network_name: optional(string, 'Network of containers that name none'),
  webui_url: optional(string, 'URL that the master links to; this Marathon unless given'),
  mesos_leader_ui_url: optional(string, 'URL of the master’s pages, for /v2/info; found out unless given'),
  default_accepted_resource_roles: optional(string, 'Deprecated: --accepted_resource_roles_default_behavior'),
  accepted_resource_roles_default_behavior: flag(
    oneOf('any', 'unreserved', 'reserved'),
    'any',
    'Which offered resources are taken for apps that do not say',
  ),
  new_group_enforce_role: flag(
    oneOf('off', 'top'),
    'off',
    'Whether new top-level groups make their name the role of all in them',
  ),
  enable_features: flag(
    string,
    '',
    'Separated by commas: task_killing, gpu_resources, secrets, external_volumes, vips',
  ),
  deprecated_features: flag(string, '', 'Taken for compatibility'),
  env_vars_prefix: flag(string, '', 'Prefix of the PORT and HOST variables of tasks'),
};

export const marathonFlags = {
  ...servingFlags,
  ...stateFlags,
  ...frameworkFlags,
  ...secretFlags,
  ...tuningFlags,
  ...observabilityFlags,
  help: flag(bool, 'false', 'Print this and exit'),
  version: flag(bool, 'false', 'Print the version and exit'),
};

export type MarathonFlags = FlagValues<typeof marathonFlags>;

export const marathonProgram: Program<typeof marathonFlags> = {
  name: 'marathon',
  version: MARATHON_VERSION,
  flags: marathonFlags,
  check: (values) => {
    const { local_port_min: min, local_port_max: max, internal_store_backend: backend, zk } = values;
    const { disable_http: onlyTls, ssl_keystore_path: keystore, ssl_keystore_password: password } = values;
    if (onlyTls && keystore === undefined) {
      return '--disable_http leaves nothing to listen on; name a key store for HTTPS with --ssl_keystore_path';
    }
    if (keystore !== undefined && password === undefined) {
      return '--ssl_keystore_path needs --ssl_keystore_password';
    }
    if (min > max) return `--local_port_min=${min} must not be above --local_port_max=${max}`;
    if (backend === 'zk' && zk === undefined) return '--internal_store_backend=zk needs --zk=zk://HOST:PORT/PATH';
    return undefined;
  },
};

function credentials(text: string): string | undefined {
  return /^[^:]+:.+$/.test(text) ? undefined : 'write USER:PASSWORD, both not empty';
}

/** It stands in the head of every answer. */
function headerText(text: string): string | undefined {
  return /^[ !#-[\]-~]+$/.test(text) ? undefined : 'write printable ASCII, without quotes and backslashes';
}
