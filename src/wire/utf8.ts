/** All of the platform that wire uses; declared here since pure folders are compiled without any platform's types. */
declare const TextDecoder: new (
  label: 'utf-8',
  options: { readonly ignoreBOM: true },
) => { decode(bytes: Uint8Array): string };
/** `ignoreBOM` leaves U+FEFF at the start of a text where it is. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** What Node reads its buffers with takes half of the decoder's time; elsewhere there is the decoder. */
declare const Buffer:
  | { readonly prototype: { readonly utf8Slice?: (this: Uint8Array, start: number, end: number) => string } }
  | undefined;
const utf8Slice = typeof Buffer === 'undefined' ? undefined : Buffer.prototype.utf8Slice;

/** Up to this length a loop beats the call into the platform. Longer texts would be chains of concatenated pieces, besides. */
const SHORT = 6;

/** Reads UTF-8 from `bytes[start, end)`. What is not UTF-8 becomes U+FFFD: upstream does not refuse it either. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT) return longer(bytes, start, end);
  let text = '';
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte > 0x7f) return longer(bytes, start, end);
    text += String.fromCharCode(byte);
  }
  return text;
}

function longer(bytes: Uint8Array, start: number, end: number): string {
  return utf8Slice === undefined ? decoder.decode(bytes.subarray(start, end)) : utf8Slice.call(bytes, start, end);
}

/** Writes `text` as UTF-8 at `at`, where three bytes for each code unit must be free. @returns the position after it */
export function writeUtf8(text: string, bytes: Uint8Array, at: number): number {
  let to = at;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      bytes[to++] = unit;
    } else if (unit < 0x800) {
      bytes[to++] = 0xc0 | (unit >> 6);
      bytes[to++] = 0x80 | (unit & 0x3f);
    } else {
      const point = unit >= 0xd800 && unit <= 0xdfff ? surrogatePair(text, i) : unit;
      if (point > 0xffff) {
        i++;
        bytes[to++] = 0xf0 | (point >> 18);
        bytes[to++] = 0x80 | ((point >> 12) & 0x3f);
      } else {
        bytes[to++] = 0xe0 | (point >> 12);
      }
      bytes[to++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[to++] = 0x80 | (point & 0x3f);
    }
  }
  return to;
}

/** The code point of the pair that starts at `i`, or U+FFFD for half a pair. */
function surrogatePair(text: string, i: number): number {
  const high = text.charCodeAt(i);
  const low = text.charCodeAt(i + 1);
  if (high > 0xdbff || !(low >= 0xdc00 && low <= 0xdfff)) return 0xfffd;
  return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}
