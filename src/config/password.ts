/** A text as people may see it: the name and password of a ZooKeeper URL in it are left out. */
export function withoutPassword(text: string): string {
  // Up to the last @ of the authority, since a password may have one too.
  return text.replace(/(zk:\/\/)[^/]*@/g, '$1***@');
}
