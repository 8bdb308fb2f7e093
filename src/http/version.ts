import { readFileSync, statSync } from 'node:fs';

/** Upstream's build keys, which clients read, and ours beside them. */
export interface BuildInfo {
  /** The upstream version that this program behaves as: clients compare it. */
  readonly version: string;
  /** This program's own version. */
  readonly meseta_version: string;
  readonly build_date: string;
  /** Seconds since the Unix epoch. */
  readonly build_time: number;
  readonly build_user: string;
  readonly git_sha: string;
}

const manifest = new URL('../../package.json', import.meta.url);

function read(): BuildInfo {
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  const built = Math.floor(statSync(manifest).mtimeMs / 1000);
  return {
    version: '1.12.0',
    meseta_version: version,
    build_date: `${new Date(built * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`,
    build_time: built,
    build_user: 'meseta',
    git_sha: `meseta-${version}`,
  };
}

/** What this program is, as `/version` and `/state` tell it. */
export const buildInfo: BuildInfo = read();
