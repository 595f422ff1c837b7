/**
 * Modes as Go numbers them: nine permission bits, and bits of its own for the type, setuid, setgid and sticky.
 *
 * Source: restic-format §9.2; Go os.FileMode.
 */
/** What a node of a tree can be; `dev` is a block device. */
export type NodeType = 'file' | 'dir' | 'symlink' | 'dev' | 'chardev' | 'fifo' | 'socket'

const device = 2 ** 26

const typeBits: Readonly<Record<NodeType, number>> = {
  file: 0,
  dir: 2 ** 31,
  symlink: 2 ** 27,
  dev: device,
  chardev: device + 2 ** 21,
  fifo: 2 ** 25,
  socket: 2 ** 24,
}

const setuid = 2 ** 23
const setgid = 2 ** 22
const sticky = 2 ** 20

/** @param permissions - `st_mode & 0o7777` */
export function toGoMode(type: NodeType, permissions: number): number {
  let mode = typeBits[type] + (permissions & 0o777)
  if (permissions > 0o777) {
    if (permissions & 0o4000) mode += setuid
    if (permissions & 0o2000) mode += setgid
    if (permissions & 0o1000) mode += sticky
  }
  return mode
}

/** `st_mode & 0o7777` of a Go mode. */
export function permissionsOf(goMode: number): number {
  const special = (goMode & setuid ? 0o4000 : 0) + (goMode & setgid ? 0o2000 : 0) + (goMode & sticky ? 0o1000 : 0)
  return special + (goMode & 0o777)
}

export function isNodeType(value: unknown): value is NodeType {
  return typeof value === 'string' && Object.hasOwn(typeBits, value)
}
