/** Set in what {@link codePointAt} gives for a byte that is no part of valid UTF-8. */
export const invalidByte = 0x8000_0000

/**
 * The code point at `at`, or the byte there with {@link invalidByte} added when no valid UTF-8 begins at it, exactly as Go
 * judges: neither overlong forms nor surrogates are valid, and an invalid byte stands for itself.
 */
export function codePointAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  if (first < 0x80) return first
  const length = first >= 0xf5 ? 0 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0
  let codePoint = first & (0xff >> (length + 1))
  for (let place = 1; place < length; place++) {
    const next = bytes[at + place] ?? 0
    if ((next & 0xc0) !== 0x80) return first + invalidByte
    codePoint = (codePoint << 6) | (next & 0x3f)
  }
  const smallest = length === 2 ? 0x80 : length === 3 ? 0x800 : 0x1_0000
  if (codePoint < smallest || codePoint > 0x10_ffff || (codePoint >= 0xd800 && codePoint < 0xe000)) {
    return first + invalidByte
  }
  return codePoint
}

/** How many bytes a code point of {@link codePointAt} takes. */
export function widthOf(codePoint: number): number {
  if (codePoint < 0x80 || codePoint >= invalidByte) return 1
  if (codePoint < 0x800) return 2
  return codePoint < 0x1_0000 ? 3 : 4
}

/** The text of bytes that are all ASCII. */
export function asciiText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

/** The text of any bytes, with half a surrogate pair in place of each byte that is no part of valid UTF-8. */
export function markedText(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length;) {
    const codePoint = codePointAt(bytes, at)
    at += widthOf(codePoint)
    text += codePoint >= invalidByte ? '\ud800' : String.fromCodePoint(codePoint)
  }
  return text
}
