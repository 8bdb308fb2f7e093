/** Bytes of their own: what `slice` of Node's buffers gives is a view. */
export function copyBytes(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes, from, to);
}
