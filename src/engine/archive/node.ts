import type { Accounts } from '../filesystem/accounts.ts'
import type { Directory } from '../filesystem/directory.ts'
import type { Status } from '../filesystem/status.ts'
import type { ExtendedAttribute, TreeNode } from '../format/tree-node.ts'

/** Entries whose nodes carry `links`. Source: restic-format "Node fields". */
export const linkedTypes: ReadonlySet<string> = new Set(['file', 'symlink', 'dev', 'chardev'])

/**
 * The node of an entry on disk, without content or subtree.
 *
 * What the change time vouches for (link target, extended attributes) is taken from `before`, the node of the parent
 * snapshot, when entry and change time are the same: that saves a system call for each.
 */
export function nodeOf(
  directory: Directory,
  name: Uint8Array,
  status: Status,
  accounts: Accounts,
  before: TreeNode | undefined,
): TreeNode {
  const trusted = before?.type === status.type && isSameInode(before, status) ? before : undefined
  const target = status.type === 'symlink' ? (trusted?.linkTarget ?? directory.readLink(name)) : undefined
  return {
    ...metadataOf(name, status, accounts),
    extendedAttributes: trusted ? trusted.extendedAttributes : directory.extendedAttributes(name),
    ...(target && { linkTarget: target }),
  }
}

/** As `nodeOf` of a folder that is open itself. */
export function folderNodeOf(
  opened: Directory,
  name: Uint8Array,
  status: Status,
  accounts: Accounts,
  before: TreeNode | undefined,
): TreeNode {
  const isTrusted = before?.type === 'dir' && isSameInode(before, status)
  const extendedAttributes = isTrusted ? before.extendedAttributes : opened.ownExtendedAttributes()
  return { ...metadataOf(name, status, accounts), extendedAttributes }
}

/** The fields of a node that its status tells. The access time is stored as the modification time, as restic does. */
export function metadataOf(name: Uint8Array, status: Status, accounts: Accounts): TreeNode {
  const { type } = status
  return {
    name,
    type,
    mode: status.mode,
    mtimeNs: status.mtimeNs,
    atimeNs: status.mtimeNs,
    ctimeNs: status.ctimeNs,
    uid: status.uid,
    gid: status.gid,
    user: accounts.nameOfUser(status.uid),
    group: accounts.nameOfGroup(status.gid),
    inode: status.inode,
    deviceId: status.deviceId,
    size: type === 'file' ? status.size : 0,
    links: linkedTypes.has(type) ? status.links : 0,
    extendedAttributes: [],
    device: type === 'dev' || type === 'chardev' ? status.device : 0n,
  }
}

/** A folder or file that is in the snapshot but not on disk. */
export function syntheticNode(name: Uint8Array, type: 'dir' | 'file', mode: number, timeNs: bigint): TreeNode {
  return {
    name,
    type,
    mode,
    mtimeNs: timeNs,
    atimeNs: timeNs,
    ctimeNs: timeNs,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    user: '',
    group: '',
    inode: 0n,
    deviceId: 0n,
    size: 0,
    links: 0,
    extendedAttributes: [],
    device: 0n,
  }
}

/** Nothing of the entry has been written, renamed or re-owned since the node was made. */
export function isSameInode(node: TreeNode, status: Status): boolean {
  return node.ctimeNs === status.ctimeNs && node.inode === status.inode && node.mtimeNs === status.mtimeNs
}

/** All that a node says apart from name, content and subtree is equal. */
export function isSameMetadata(a: TreeNode, b: TreeNode): boolean {
  return (
    a.type === b.type &&
    a.mode === b.mode &&
    a.mtimeNs === b.mtimeNs &&
    a.atimeNs === b.atimeNs &&
    a.ctimeNs === b.ctimeNs &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.user === b.user &&
    a.group === b.group &&
    a.inode === b.inode &&
    a.deviceId === b.deviceId &&
    a.size === b.size &&
    a.links === b.links &&
    a.device === b.device &&
    areSameBytes(a.linkTarget, b.linkTarget) &&
    areSameAttributes(a.extendedAttributes, b.extendedAttributes)
  )
}

function areSameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && Buffer.compare(a, b) === 0)
}

function areSameAttributes(a: readonly ExtendedAttribute[], b: readonly ExtendedAttribute[]): boolean {
  return (
    a === b ||
    (a.length === b.length && a.every(({ name, value }, i) => name === b[i]!.name && areSameBytes(value, b[i]!.value)))
  )
}
