/**
 * What GNU find says of entries, exactly: times in nanoseconds, the change time, inodes, names of owners. Each entry is
 * three texts, each ended by a zero byte: facts, target of a link, path.
 *
 * Source: find(1), "-printf format".
 */
import { entryError, type EntryFacts, type EntryType } from './entry.ts'

/** A folder whose content cannot be had begins with `!`. */
const deniedMark = '!'
const longestEntry = 1 << 20
const facts = String.raw`%y %m %U %G %s %T@ %A@ %C@ %i %D %n:%u:%g\0%l\0`
/** Actions that print each entry. @param path - `%P`, below the starting point, or `%p`, as it was given. */
export function printActions(path: '%P' | '%p'): string[] {
  const isDenied = ['-type', 'd', '!', '(', '-readable', '-executable', ')']
  return ['(', ...isDenied, '-printf', deniedMark, ',', '-printf', `${facts}${path}${String.raw`\0`}`, ')']
}

/** One entry as find wrote it, not parsed: each byte one character (latin1). */
export interface FoundEntry {
  readonly facts: string
  readonly target: string
  readonly path: string
}

/** Splits what find writes. @throws SyntaxError when it ends within an entry. */
export async function* splitFound(output: AsyncIterable<Uint8Array>): AsyncGenerator<FoundEntry[], void, void> {
  let rest = ''
  for await (const piece of output) {
    const texts = (rest + Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('latin1')).split('\0')
    const whole = texts.length - 1 - ((texts.length - 1) % 3)
    rest = texts.slice(whole).join('\0')
    if (rest.length > longestEntry) throw new SyntaxError('find wrote an entry that does not end')
    const entries: FoundEntry[] = []
    for (let at = 0; at < whole; at += 3) {
      entries.push({ facts: texts[at]!, target: texts[at + 1]!, path: texts[at + 2]! })
    }
    yield entries
  }
  if (rest !== '') throw new SyntaxError('what find wrote ends within an entry')
}

export function isFolder({ facts: text }: FoundEntry): boolean {
  return text.startsWith('d', text.startsWith(deniedMark) ? 1 : 0)
}

/** The user may not list it, or not reach what lies in it. */
export function isDenied({ facts: text }: FoundEntry): boolean {
  return text.startsWith(deniedMark)
}

const types: Readonly<Record<string, EntryType>> = {
  f: 'file',
  d: 'dir',
  l: 'symlink',
  b: 'dev',
  c: 'chardev',
  p: 'fifo',
  s: 'socket',
}
const pattern =
  /^!?([fdlbcps]) ([0-7]+) (\d+) (\d+) (\d+) (-?\d+\.\d+) (-?\d+\.\d+) (-?\d+\.\d+) (\d+) (\d+) (\d+):([^:]*):([^:]*)$/

/** @throws SyntaxError when it is not what {@link printActions} prints. */
export function parseFound({ facts: text, target }: FoundEntry): EntryFacts {
  const fields = pattern.exec(text)
  if (!fields) throw new SyntaxError(`find wrote ${JSON.stringify(text.slice(0, 100))}`)
  const [, letter, mode, uid, gid, size, mtime, atime, ctime, inode, deviceId, links, user, group] = fields
  return {
    type: types[letter!]!,
    mode: Number.parseInt(mode!, 8) & 0o7777,
    uid: Number(uid),
    gid: Number(gid),
    user: nameOf(user!, uid!),
    group: nameOf(group!, gid!),
    mtimeNs: timeOf(mtime!),
    atimeNs: timeOf(atime!),
    ctimeNs: timeOf(ctime!),
    inode: BigInt(inode!),
    deviceId: BigInt(deviceId!),
    links: Number(links),
    size: Number(size),
    ...(letter === 'l' && { linkTarget: Buffer.from(target, 'latin1') }),
    device: 0n,
  }
}

/** What a folder that `isDenied` throws. */
export function deniedError(): Error {
  return entryError('EACCES', 'scandir', 'permission denied')
}

/** find prints the number where there is no name. */
function nameOf(text: string, id: string): string {
  return text === id ? '' : Buffer.from(text, 'latin1').toString()
}

/** Before 1970 find writes `-2.25` for -2 s and 0.25 s: the part behind the point always counts forward. */
function timeOf(text: string): bigint {
  const [seconds, fraction] = text.split('.')
  return BigInt(seconds!) * 1_000_000_000n + BigInt(fraction!.slice(0, 9).padEnd(9, '0'))
}

/** The number of the device that an entry stands for, from `stat -c '%t %T'`: major and minor in hex. */
export function deviceOf(text: string): bigint {
  const [major, minor] = text.split(' ').map((hex) => BigInt(`0x${hex}`))
  // Source: makedev(3), the 64 bits of glibc's dev_t
  return ((major! & ~0xfffn) << 32n) | ((major! & 0xfffn) << 8n) | ((minor! & ~0xffn) << 12n) | (minor! & 0xffn)
}
