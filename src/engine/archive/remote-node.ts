import type { TreeNode } from '../format/tree-node.ts'
import type { RemoteStatus } from './entry.ts'
import { linkedTypes } from './node.ts'

/** The node of an entry elsewhere, without content or subtree: that of a local one with the same status. */
export function remoteNodeOf(name: Uint8Array, status: RemoteStatus): TreeNode {
  const { type, linkTarget } = status
  return {
    name,
    type,
    mode: status.mode,
    mtimeNs: status.mtimeNs,
    atimeNs: status.mtimeNs,
    ctimeNs: status.ctimeNs,
    uid: status.uid,
    gid: status.gid,
    user: status.user,
    group: status.group,
    inode: status.inode,
    deviceId: status.deviceId,
    size: type === 'file' ? status.size : 0,
    links: linkedTypes.has(type) ? status.links : 0,
    extendedAttributes: [],
    device: type === 'dev' || type === 'chardev' ? status.device : 0n,
    ...(type === 'symlink' && linkTarget && { linkTarget }),
  }
}
