/** A text as it may be shown and logged: of `zk://user:password@host` what stands before the last `@` is hidden. */
export function withoutPassword(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/)\S*@/gi, '$1***@');
}
