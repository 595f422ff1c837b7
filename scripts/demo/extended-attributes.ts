/**
 * Extended attributes by the calls of the C library, because Node has no word for them. It shares no code with Bewaar's
 * own: what judges a restore must not make the mistakes of what restored.
 */
import type * as ForeignFunctions from 'node:ffi'

const definitions = {
  lsetxattr: { return: 'i32', arguments: ['buffer', 'buffer', 'buffer', 'u64', 'i32'] },
  lgetxattr: { return: 'i32', arguments: ['buffer', 'buffer', 'buffer', 'u64'] },
  llistxattr: { return: 'i32', arguments: ['buffer', 'buffer', 'u64'] },
} as const satisfies ForeignFunctions.FunctionDefinitions

const mostBytes = 65_536
const libc = load()

/** False where this machine or the file system takes none. */
export function setAttribute(path: Buffer, name: string, value: Uint8Array): boolean {
  if (!libc) return false
  return libc.lsetxattr(forC(path), forC(Buffer.from(name)), Buffer.from(value), BigInt(value.length), 0) === 0
}

/** Names with their values in hex, in the order of the names; empty where there are none. */
export function attributesOf(path: Buffer): string {
  if (!libc) return ''
  const buffer = Buffer.alloc(mostBytes)
  const length = libc.llistxattr(forC(path), buffer, BigInt(mostBytes))
  if (length <= 0) return ''
  const names = buffer.toString('latin1', 0, length).split('\0').slice(0, -1).toSorted()
  return names.map((name) => `${name}=${valueOf(path, name)}`).join(' ')
}

function valueOf(path: Buffer, name: string): string {
  const buffer = Buffer.alloc(mostBytes)
  const length = libc!.lgetxattr(forC(path), forC(Buffer.from(name, 'latin1')), buffer, BigInt(mostBytes))
  return length < 0 ? '(unreadable)' : buffer.toString('hex', 0, length)
}

function forC(text: Buffer): Buffer {
  return Buffer.concat([text, Buffer.of(0)])
}

function load(): ForeignFunctions.WrappedFunctionsFromDefinitions<typeof definitions> | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const ffi = process.getBuiltinModule('node:ffi') as typeof ForeignFunctions | undefined
    return ffi?.dlopen('libc.so.6', definitions).functions
  } catch {
    return undefined // because a machine whose C library is another one has no attributes to show
  }
}
