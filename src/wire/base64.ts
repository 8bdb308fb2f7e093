const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Value of each character code; 255 for what is not a digit. The URL-safe digits `-` and `_` are read as well. */
const VALUES = new Uint8Array(128).fill(255);
for (let i = 0; i < DIGITS.length; i++) VALUES[DIGITS.charCodeAt(i)] = i;
VALUES['-'.charCodeAt(0)] = 62;
VALUES['_'.charCodeAt(0)] = 63;

/** Standard base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  let i = 0;
  for (; i + 2 < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!;
    text += DIGITS[group >> 18]! + DIGITS[(group >> 12) & 63]! + DIGITS[(group >> 6) & 63]! + DIGITS[group & 63]!;
  }
  const left = bytes.length - i;
  if (left === 0) return text;
  const group = (bytes[i]! << 16) | (left === 2 ? bytes[i + 1]! << 8 : 0);
  return `${text}${DIGITS[group >> 18]}${DIGITS[(group >> 12) & 63]}${left === 2 ? DIGITS[(group >> 6) & 63] : '='}=`;
}

/** Reads base64, standard or URL-safe, with or without padding. @returns undefined if `text` is neither */
export function fromBase64(text: string): Uint8Array | undefined {
  let length = text.length;
  for (let padding = 0; padding < 2 && length > 0 && text[length - 1] === '='; padding++) length--;
  if (length % 4 === 1) return undefined;
  const bytes = new Uint8Array((length * 3) >> 2);
  let to = 0;
  let bits = 0;
  let held = 0;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    const value = code < 128 ? VALUES[code]! : 255;
    if (value === 255) return undefined;
    held = ((held << 6) | value) & 0xfff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[to++] = (held >> bits) & 0xff;
    }
  }
  return bytes;
}
