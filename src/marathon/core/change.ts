/** What people may ask to be changed in the tree of groups. Documents come as they were sent: reading them needs the tree. */

/** A JSON document, read but not looked into. */
export type Document = unknown;

export type Change =
  | { readonly kind: 'createApp'; readonly document: Document }
  /** @param mode `merge` keeps what is not given, `replace` does not; `patch` merges and refuses to create */
  | {
      readonly kind: 'updateApp';
      readonly id: string;
      readonly document: Document;
      readonly mode: 'merge' | 'replace' | 'patch';
    }
  | { readonly kind: 'updateApps'; readonly document: Document; readonly mode: 'merge' | 'replace' | 'patch' }
  | { readonly kind: 'deleteApp'; readonly id: string }
  | { readonly kind: 'restartApp'; readonly id: string }
  /** Kills these instances and wants that many fewer from then on. */
  | { readonly kind: 'scaleDown'; readonly instances: readonly string[] }
  | { readonly kind: 'createGroup'; readonly id: string; readonly document: Document }
  | { readonly kind: 'updateGroup'; readonly id: string; readonly document: Document; readonly dryRun: boolean }
  | { readonly kind: 'patchGroup'; readonly id: string; readonly document: Document }
  | { readonly kind: 'deleteGroup'; readonly id: string }
  | { readonly kind: 'createPod'; readonly document: Document }
  | { readonly kind: 'updatePod'; readonly id: string; readonly document: Document }
  | { readonly kind: 'deletePod'; readonly id: string };
