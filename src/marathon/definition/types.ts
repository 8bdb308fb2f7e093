/**
 * What apps and pods are, in memory: read, completed with their defaults and freed of old spellings. Names are those of the
 * JSON documents where one field became one field. Absent means "not said", and only where saying nothing means something.
 *
 * Instants are wall-clock milliseconds since the epoch: they are compared and subtracted in many places, and written as
 * text (`2015-09-25T15:13:48.343Z`) in one, `instant.ts`, where documents are read and written.
 */

/** One rule that a document breaks. The path is `/` for the whole document, else like `/container/portMappings(0)/name`. */
export interface Problem {
  readonly path: string;
  readonly error: string;
}

/**
 * Why a document was refused. `schema`: a field is missing, of the wrong type or out of its range ("Invalid JSON").
 * `rules`: each field is fine, but they do not make a definition ("Object is not valid"). `normalization`: its old and new
 * spellings contradict each other, told in one sentence without a path.
 */
export type Refused =
  | { readonly kind: 'schema' | 'rules'; readonly problems: readonly Problem[] }
  | { readonly kind: 'normalization'; readonly message: string };

/** What of the flags decides on definitions. */
export interface DefinitionContext {
  /** `--mesos_role`. */
  readonly defaultRole: string;
  /** `--enable_features`: `secrets`, `gpu_resources`, `external_volumes`, … */
  readonly features: ReadonlySet<string>;
  /** Secrets come from the built-in store: what agents of this build cannot do with them is refused. */
  readonly builtInSecrets?: boolean;
  /** `--default_network_name`. */
  readonly defaultNetworkName?: string;
  /** `--mesos_bridge_name`. */
  readonly mesosBridgeName: string;
  /** `--accepted_resource_roles_default_behavior`: whose resources are taken where a definition names no roles. */
  readonly acceptedResourceRolesDefault: 'any' | 'unreserved' | 'reserved';
}

/** Which roles one app or pod may have, seen from its place in the tree. */
export interface RoleFacts {
  /** `--mesos_role`. */
  readonly defaultRole: string;
  /** The name of its top-level group; absent for what hangs in the root. */
  readonly groupRole?: string;
  /** Whether that group enforces its role. */
  readonly enforceRole: boolean;
  /** The role it has so far. */
  readonly currentRole?: string;
  /** `force`: a resident service may change its role, though its reservations cannot. */
  readonly forceRoleUpdate?: boolean;
}

export type Labels = Readonly<Record<string, string>>;
export type EnvValue = string | { readonly secret: string };
export type Env = Readonly<Record<string, EnvValue>>;
/** By name: where the value comes from. */
export type Secrets = Readonly<Record<string, { readonly source: string }>>;

export type ConstraintOperator = 'UNIQUE' | 'CLUSTER' | 'GROUP_BY' | 'LIKE' | 'UNLIKE' | 'MAX_PER' | 'IS';

export interface Constraint {
  /** `hostname`, `@hostname`, `@region`, `@zone` or the name of an attribute. */
  readonly field: string;
  readonly operator: ConstraintOperator;
  readonly value?: string;
}

export type KillSelection = 'YOUNGEST_FIRST' | 'OLDEST_FIRST';

/** Fractions of the number of instances. */
export interface UpgradeStrategy {
  readonly minimumHealthCapacity: number;
  readonly maximumOverCapacity: number;
}

export type UnreachableStrategy =
  | 'disabled'
  | { readonly inactiveAfterSeconds: number; readonly expungeAfterSeconds: number };

/** How launches slow down after failures. Pods may give fractions of a second. */
export interface Backoff {
  readonly backoffSeconds: number;
  readonly backoffFactor: number;
  readonly maxLaunchDelaySeconds: number;
}

/** Deprecated and without effect, but clients read it of resident apps. */
export interface Residency {
  readonly relaunchEscalationTimeoutSeconds: number;
  readonly taskLostBehavior: 'WAIT_FOREVER' | 'RELAUNCH_AFTER_TIMEOUT';
}

export interface VersionInfo {
  readonly lastScalingAt: number;
  readonly lastConfigChangeAt: number;
}

/** `container` networks have a name. */
export interface Network {
  readonly mode: 'host' | 'container' | 'container/bridge';
  readonly name?: string;
  readonly labels: Labels;
}

export type NetworkProtocol = 'tcp' | 'udp' | 'udp,tcp';

export interface PortDefinition {
  /** The service port; the host's port too if the app requires its ports. 0: chosen by Marathon. */
  readonly port: number;
  readonly protocol: NetworkProtocol;
  readonly name?: string;
  readonly labels: Labels;
}

export interface PortMapping {
  /** 0: the same as the host's. */
  readonly containerPort: number;
  /** 0: any that is offered. Absent: none. */
  readonly hostPort?: number;
  readonly servicePort: number;
  readonly protocol: NetworkProtocol;
  readonly name?: string;
  readonly labels: Labels;
  /** Empty: all container networks of the app. */
  readonly networkNames: readonly string[];
}

export type VolumeMode = 'RO' | 'RW';

export interface PersistentInfo {
  readonly type: 'root' | 'path' | 'mount';
  /** MiB. */
  readonly size: number;
  readonly maxSize?: number;
  readonly profileName?: string;
  /** On `path`, with LIKE or UNLIKE. */
  readonly constraints: readonly Constraint[];
}

export interface DvdiInfo {
  readonly provider: string;
  readonly name: string;
  readonly size?: number;
  readonly options: Labels;
  readonly shared: boolean;
}

export type CsiAccessMode =
  | 'SINGLE_NODE_WRITER'
  | 'SINGLE_NODE_READER_ONLY'
  | 'MULTI_NODE_READER_ONLY'
  | 'MULTI_NODE_SINGLE_WRITER'
  | 'MULTI_NODE_MULTI_WRITER';

export interface CsiInfo {
  readonly provider: 'csi';
  readonly name: string;
  readonly options: {
    readonly pluginName: string;
    readonly capability: {
      readonly accessMode: CsiAccessMode;
      readonly accessType: 'block' | 'mount';
      readonly fsType?: string;
      readonly mountFlags: readonly string[];
    };
    readonly nodeStageSecret: Labels;
    readonly nodePublishSecret: Labels;
    readonly volumeContext: Labels;
  };
}

/** A volume of an app, and where its container sees it. */
export type Volume =
  | { readonly kind: 'host'; readonly containerPath: string; readonly hostPath: string; readonly mode: VolumeMode }
  | {
      readonly kind: 'persistent';
      readonly containerPath: string;
      readonly persistent: PersistentInfo;
      readonly mode: VolumeMode;
    }
  | { readonly kind: 'dvdi'; readonly containerPath: string; readonly external: DvdiInfo; readonly mode: VolumeMode }
  | { readonly kind: 'csi'; readonly containerPath: string; readonly external: CsiInfo; readonly mode: VolumeMode }
  | { readonly kind: 'secret'; readonly containerPath: string; readonly secret: string };

export interface LinuxInfo {
  readonly seccomp?: { readonly profileName?: string; readonly unconfined: boolean };
  readonly ipcInfo?: { readonly mode: 'PRIVATE' | 'SHARE_PARENT'; readonly shmSize?: number };
}

export interface DockerInfo {
  readonly image: string;
  readonly forcePullImage: boolean;
  readonly privileged: boolean;
  readonly parameters: readonly { readonly key: string; readonly value: string }[];
  readonly pullConfig?: { readonly secret: string };
}

export interface Container {
  readonly type: 'MESOS' | 'DOCKER';
  readonly docker?: DockerInfo;
  readonly linuxInfo?: LinuxInfo;
  readonly volumes: readonly Volume[];
  /** Absent on the host's network. */
  readonly portMappings?: readonly PortMapping[];
}

export interface Artifact {
  readonly uri: string;
  readonly extract: boolean;
  readonly executable: boolean;
  readonly cache: boolean;
  readonly destPath?: string;
}

export type HealthProtocol = 'HTTP' | 'HTTPS' | 'TCP' | 'COMMAND' | 'MESOS_TCP' | 'MESOS_HTTP' | 'MESOS_HTTPS';

/** Of an app. `command` belongs to COMMAND, `port` or `portIndex` to the others. */
export interface HealthCheck {
  readonly protocol: HealthProtocol;
  readonly command?: { readonly value: string };
  readonly path?: string;
  readonly port?: number;
  readonly portIndex?: number;
  readonly gracePeriodSeconds: number;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly maxConsecutiveFailures: number;
  readonly delaySeconds: number;
  readonly ignoreHttp1xx?: boolean;
  readonly ipProtocol: 'IPv4' | 'IPv6';
}

/** Exactly one of the two. */
export type Command = { readonly shell: string } | { readonly argv: readonly string[] };

interface CheckTiming {
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly delaySeconds: number;
}

/** Of an app: tells how it is, and ends nothing. One of `http`, `tcp` and `exec`. */
export interface Check extends CheckTiming {
  readonly http?: {
    readonly port?: number;
    readonly portIndex?: number;
    readonly path?: string;
    readonly scheme: 'HTTP' | 'HTTPS';
  };
  readonly tcp?: { readonly port?: number; readonly portIndex?: number };
  readonly exec?: { readonly command: Command };
}

export interface ReadinessCheck {
  readonly name: string;
  readonly protocol: 'HTTP' | 'HTTPS';
  readonly path: string;
  readonly portName: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly httpStatusCodesForReady: readonly number[];
  readonly preserveLastResponse: boolean;
}

export interface ResourceLimits {
  readonly cpus?: number | 'unlimited';
  readonly mem?: number | 'unlimited';
}

/** Of one instance, for the executor beside its tasks. Memory and disk in MiB. */
export interface ExecutorResources {
  readonly cpus: number;
  readonly mem: number;
  readonly disk: number;
}

/** What apps and pods have in common. */
interface AnyRunSpec {
  /** Absolute: `/prod/db`. */
  readonly id: string;
  readonly version: number;
  /** Absent until the tree of groups has taken it in. */
  readonly versionInfo?: VersionInfo;
  readonly instances: number;
  readonly role: string;
  readonly labels: Labels;
  readonly env: Env;
  readonly secrets: Secrets;
  readonly user?: string;
  readonly constraints: readonly Constraint[];
  /** Empty: what the flag says. */
  readonly acceptedResourceRoles: readonly string[];
  /** Never empty: the host's network where nothing was said. */
  readonly networks: readonly Network[];
  readonly backoff: Backoff;
  readonly upgradeStrategy: UpgradeStrategy;
  readonly unreachableStrategy: UnreachableStrategy;
  readonly killSelection: KillSelection;
}

export interface App extends AnyRunSpec {
  /** Not part of the document. */
  readonly kind: 'app';
  readonly cmd?: string;
  readonly args: readonly string[];
  readonly cpus: number;
  /** MiB. */
  readonly mem: number;
  /** MiB. */
  readonly disk: number;
  readonly gpus: number;
  readonly resourceLimits?: ResourceLimits;
  /** Empty or `//cmd`: Mesos's own. */
  readonly executor: string;
  readonly executorResources?: ExecutorResources;
  readonly container?: Container;
  /** Only on the host's network; there it may be empty. */
  readonly portDefinitions?: readonly PortDefinition[];
  readonly requirePorts: boolean;
  readonly fetch: readonly Artifact[];
  readonly healthChecks: readonly HealthCheck[];
  readonly check?: Check;
  readonly readinessChecks: readonly ReadinessCheck[];
  /** Absolute ids of apps, pods and groups. */
  readonly dependencies: readonly string[];
  readonly taskKillGracePeriodSeconds?: number;
  readonly tty?: boolean;
}

export interface Endpoint {
  readonly name: string;
  /** 0: the same as the host's. Absent on the host's network. */
  readonly containerPort?: number;
  /** 0: any that is offered. Absent: none. */
  readonly hostPort?: number;
  readonly protocol: readonly string[];
  readonly labels: Labels;
  readonly networkNames: readonly string[];
}

interface PodProbes {
  readonly http?: { readonly endpoint: string; readonly path?: string; readonly scheme: 'HTTP' | 'HTTPS' };
  readonly tcp?: { readonly endpoint: string };
  readonly exec?: { readonly command: Command };
}

export interface PodHealthCheck extends CheckTiming, PodProbes {
  readonly gracePeriodSeconds: number;
  readonly maxConsecutiveFailures: number;
}

export interface PodCheck extends CheckTiming, PodProbes {}

export interface PodContainer {
  readonly name: string;
  readonly exec?: { readonly command: Command; readonly overrideEntrypoint?: boolean };
  readonly resources: { readonly cpus: number; readonly mem: number; readonly disk: number; readonly gpus: number };
  readonly resourceLimits?: ResourceLimits;
  readonly image?: {
    readonly kind: 'DOCKER';
    readonly id: string;
    readonly forcePull?: boolean;
    readonly pullConfig?: { readonly secret: string };
    readonly labels: Labels;
  };
  readonly endpoints: readonly Endpoint[];
  readonly env: Env;
  readonly user?: string;
  readonly healthCheck?: PodHealthCheck;
  readonly check?: PodCheck;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly artifacts: readonly Artifact[];
  readonly labels: Labels;
  readonly lifecycle?: { readonly killGracePeriodSeconds?: number };
  readonly tty?: boolean;
  readonly linuxInfo?: LinuxInfo;
}

export type PodVolume =
  | { readonly kind: 'ephemeral'; readonly name: string }
  | { readonly kind: 'host'; readonly name: string; readonly host: string }
  | { readonly kind: 'secret'; readonly name: string; readonly secret: string }
  | { readonly kind: 'persistent'; readonly name: string; readonly persistent: PersistentInfo };

export interface Pod extends AnyRunSpec {
  /** Not part of the document. */
  readonly kind: 'pod';
  readonly containers: readonly PodContainer[];
  readonly volumes: readonly PodVolume[];
  readonly executorResources: ExecutorResources;
  readonly linuxInfo?: LinuxInfo;
  readonly legacySharedCgroups?: boolean;
}

export type RunSpec = App | Pod;

/** What is to become of a group. Absent fields keep what is there; ids are absolute. */
export interface GroupUpdate {
  readonly id: string;
  readonly apps?: readonly App[];
  readonly groups?: readonly GroupUpdate[];
  readonly dependencies?: readonly string[];
  /** Alone: multiplies the instances of all apps in the group. */
  readonly scaleBy?: number;
  /** Alone: back to this version of the group. */
  readonly version?: number;
  readonly enforceRole?: boolean;
}
