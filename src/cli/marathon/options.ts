/** Options that subcommands about Marathon have in common. */
export interface CommonOptions {
  /** `host:port` or a URL. */
  readonly marathon: string;
  /** `user:password`. */
  readonly credentials?: string;
  /** File with certificates. */
  readonly cacert?: string;
  readonly output: 'table' | 'json' | 'yaml';
}

export interface ListOptions extends CommonOptions {
  readonly label?: string;
}

export interface ChangeOptions extends CommonOptions {
  readonly force?: boolean;
  readonly watch?: boolean;
}

export interface KillOptions extends CommonOptions {
  readonly scale?: boolean;
  readonly wipe?: boolean;
}
