import { calls, getLibc, systemError, type Libc } from './libc.ts'
import { textForC } from './name.ts'

/** One extended attribute; access control lists are among them (`system.posix_acl_access`). */
export interface ExtendedAttributeValue {
  readonly name: string
  readonly value: Uint8Array
}

/** An open file or folder by its descriptor, or a path as a string of C, whose last part is not followed. */
type Target = number | Buffer

const reading = 'read extended attributes and access control lists'
const none: readonly ExtendedAttributeValue[] = []
const noNames: readonly string[] = []
const errno = { range: 34, nosys: 38, nodata: 61, notsup: 95 }

/** What Linux allows a value, and a list of names, to take at most. */
const limit = 65_536
const limitForC = BigInt(limit)
const scratch = Buffer.alloc(limit)
let address: bigint | undefined

/** In the order the kernel lists them; none where the file system knows of none. */
export function listAttributes(target: Target): readonly ExtendedAttributeValue[] {
  const libc = getLibc(reading)
  const names = listNames(libc, target)
  if (!names) return none
  const attributes: ExtendedAttributeValue[] = []
  for (const name of splitNames(names)) {
    const value = readAttribute(libc, target, name)
    if (value) attributes.push({ name: name.toString(), value })
  }
  return attributes
}

/** As `listAttributes`, without their values. */
export function listAttributeNames(target: Target): readonly string[] {
  const names = listNames(getLibc(reading), target)
  return names ? Array.from(splitNames(names), (name) => name.toString()) : noNames
}

function listNames(libc: Libc, target: Target): Buffer | undefined {
  address ??= libc.addressOf(scratch)
  const length =
    typeof target === 'number'
      ? libc.syscall(calls.listAttributes, BigInt(target), address, limitForC, 0n, 0n, 0n)
      : libc.llistxattr(target, scratch, limitForC)
  if (length > 0) return Buffer.from(scratch.subarray(0, length))
  if (length === 0) return undefined
  const reason = libc.errno()
  if (reason === errno.notsup || reason === errno.nosys) return undefined
  throw systemError(reason, 'llistxattr', shown(target))
}

/** Sets one attribute, whether it is there or not. */
export function setAttribute(target: Target, attribute: string, value: Uint8Array): void {
  const libc = getLibc('set extended attributes and access control lists')
  const name = textForC(attribute)
  if (value.length > limit) throw systemError(errno.range, `lsetxattr ${attribute}`, shown(target))
  scratch.set(value)
  const size = BigInt(value.length)
  const failed =
    typeof target === 'number'
      ? libc.fsetxattr(target, name, scratch, size, 0)
      : libc.lsetxattr(target, name, scratch, size, 0)
  if (failed) throw systemError(libc.errno(), `lsetxattr ${attribute}`, shown(target))
}

/** Removes one attribute; one that is not there is no error. */
export function removeAttribute(target: Target, attribute: string): void {
  const libc = getLibc('remove extended attributes and access control lists')
  const name = textForC(attribute)
  const failed = typeof target === 'number' ? libc.fremovexattr(target, name) : libc.lremovexattr(target, name)
  if (!failed) return
  const reason = libc.errno()
  if (reason !== errno.nodata) throw systemError(reason, `lremovexattr ${attribute}`, shown(target))
}

/** undefined when it was removed since it was listed. */
function readAttribute(libc: Libc, target: Target, attribute: Buffer): Buffer | undefined {
  const name = textForC(attribute)
  const length =
    typeof target === 'number'
      ? libc.fgetxattr(target, name, scratch, limitForC)
      : libc.lgetxattr(target, name, scratch, limitForC)
  if (length >= 0) return Buffer.from(scratch.subarray(0, length))
  const reason = libc.errno()
  if (reason === errno.nodata) return undefined
  throw systemError(reason, `lgetxattr ${attribute.toString()}`, shown(target))
}

function* splitNames(list: Buffer): Generator<Buffer> {
  for (let start = 0; start < list.length;) {
    const end = list.indexOf(0, start)
    yield list.subarray(start, end)
    start = end + 1
  }
}

function shown(target: Target): string | Buffer {
  return typeof target === 'number' ? `/proc/self/fd/${target}` : target.subarray(0, target.indexOf(0))
}
