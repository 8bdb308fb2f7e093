import type { CommandInfo_URI } from '../../../wire/v1.ts';
import type { UserIds } from '../launcher/protocol.ts';

/** What the fetcher is told, as one line of JSON on its standard input. */
export interface FetchOrder {
  readonly uris: readonly CommandInfo_URI[];
  /** Absolute: where the files go. */
  readonly sandbox: string;
  /** Whom to become first. Absent: nobody else. */
  readonly user?: UserIds | undefined;
  /** What relative paths are relative to; empty: they are refused. */
  readonly frameworksHome: string;
  /** A download that brings nothing for so many ms is given up. */
  readonly stallTimeout: number;
}
