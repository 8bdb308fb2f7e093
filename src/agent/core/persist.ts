/** What the core has written to disk. Paths are absolute. */
export type Persist =
  /** The whole file, at once or not at all: after a crash it has its old content or its new one. */
  | { readonly how: 'replace'; readonly path: string; readonly bytes: Uint8Array }
  /** At the end of a file that is made if it is missing. */
  | { readonly how: 'append'; readonly path: string; readonly bytes: Uint8Array }
  /** A symbolic link, in place of one that may be there. */
  | { readonly how: 'link'; readonly path: string; readonly target: string }
  /** A file or a whole folder, if it is there. */
  | { readonly how: 'remove'; readonly path: string };
