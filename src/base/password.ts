/** Up to the last `@` of the authority; and, where that is no list of servers, up to any later one. */
const SECRET = /(\b[a-z][a-z0-9+.-]*:\/\/)(?:[^/\s]*@|(?![^/\s@]*:\d+(?:,[^/\s@]*:\d+)*\/)\S*@)/gi;

/** A text as people may see it: the name and password of `zk://name:password@host` are left out. */
export function withoutPassword(text: string): string {
  return text.replace(SECRET, '$1***@');
}
