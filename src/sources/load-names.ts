/** Bytes of a name that every server takes; MySQL takes 64 characters. */
const longestName = 63

/** `20261122T143005`, UTC: so that names of one database sort by time. */
export function stampOf(now: number): string {
  return new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')
}

/** A name beside another one: `shop_before_20261122T143005`. The other is shortened where it must be. */
export function nameBeside(name: string, word: 'loading' | 'before', stamp: string): string {
  const end = `_${word}_${stamp}`
  let start = Array.from(name)
  while (Buffer.byteLength(start.join('') + end) > longestName) start = start.slice(0, -1)
  return start.join('') + end
}
