import { sha256Hex } from '../crypto/hash.ts'
import type { Directory } from '../filesystem/directory.ts'
import { compareNames, encodeTree, type TreeNode } from '../format/tree-node.ts'
import type { BlobIndex } from '../repository/blob-index.ts'
import { FolderDigest } from './folder-digest.ts'
import type { FolderMemoryWriter } from './folder-memory.ts'
import { isSameMetadata } from './node.ts'

/** What the parent snapshot holds at the same place. */
export interface Before {
  readonly treeId: string
  /** By name, latin1-decoded. */
  readonly nodes: ReadonlyMap<string, TreeNode>
}

/** A folder of the new snapshot that is not whole yet. */
export class OpenFolder {
  readonly node: TreeNode
  readonly parent: OpenFolder | undefined
  readonly before: Before | undefined
  /** Kept open for the threads that read its files. */
  readonly directory: Directory | undefined
  readonly children: TreeNode[] = []
  /** All that it holds lies in a folder on disk, so that it can be remembered for the next backup. */
  isWhole = false
  /** Children on their way, and one for the walk itself. */
  waiting = 1
  #sameChildren = 0

  constructor(node: TreeNode, parent?: OpenFolder, before?: Before, directory?: Directory) {
    this.node = node
    this.parent = parent
    this.before = before
    this.directory = directory
    if (parent) parent.waiting++
  }

  /** @param before - the node of the parent snapshot; when it is `node` itself nothing changed. */
  add(node: TreeNode, before: TreeNode | undefined): void {
    if (node === before) this.#sameChildren++
    this.children.push(node)
  }

  /** Every child is as in the parent snapshot and none is gone. */
  get isUnchanged(): boolean {
    return (
      this.before !== undefined &&
      this.#sameChildren === this.children.length &&
      this.#sameChildren === this.before.nodes.size
    )
  }
}

/** What the parent snapshot has under a name. */
export function nodeBefore(folder: OpenFolder, name: Uint8Array): TreeNode | undefined {
  return folder.before?.nodes.get(latin1(name))
}

/** A name as a key: each byte one character. */
export function latin1(name: Uint8Array): string {
  const bytes = Buffer.isBuffer(name) ? name : Buffer.from(name.buffer, name.byteOffset, name.length)
  return bytes.toString('latin1')
}

export interface TreeCounts {
  new: number
  changed: number
  unmodified: number
}

/**
 * Builds tree blobs from the leaves up: a folder becomes a blob as soon as its last child is there, and is then the
 * child of the one above. A folder in which nothing changed keeps the tree of the parent snapshot without being encoded.
 */
export class TreeBuilder {
  readonly folders: TreeCounts = { new: 0, changed: 0, unmodified: 0 }
  readonly #index: BlobIndex
  readonly #store: (id: string, bytes: Uint8Array) => void
  readonly #memory: FolderMemoryWriter | undefined
  readonly #digest = new FolderDigest()
  #root: string | undefined

  /**
   * @param store - takes over a tree blob that the repository has not got.
   * @param memory - gets each folder that is all on disk.
   */
  constructor(index: BlobIndex, store: (id: string, bytes: Uint8Array) => void, memory?: FolderMemoryWriter) {
    this.#index = index
    this.#store = store
    this.#memory = memory
  }

  /** Hex id of the root's tree blob, once its folder is whole. */
  get root(): string | undefined {
    return this.#root
  }

  /** One of the folder's children, or its walk, is done. */
  settle(folder: OpenFolder): void {
    for (let current: OpenFolder | undefined = folder; current && --current.waiting === 0; current = current.parent) {
      this.#close(current)
    }
  }

  /**
   * A folder that holds what it held when the memory was made, its sub-folders among it: keeps its tree.
   *
   * @param tree - 32 bytes. @param folders - its sub-folders. @returns false when the repository has lost the tree.
   */
  keep(digest: Uint8Array, tree: Uint8Array, folders: number): boolean {
    if (!this.#index.has('tree', tree)) return false
    this.folders.unmodified += folders
    this.#memory?.add(digest, tree)
    return true
  }

  /** Adds a folder whose tree is known to the one above it; without one it is the root. */
  attach(parent: OpenFolder | undefined, own: TreeNode, subtree: string): void {
    if (!parent) {
      this.#root = subtree
      return
    }
    const before = nodeBefore(parent, own.name)
    const node: TreeNode = { ...own, subtree }
    const same = before?.subtree === subtree && isSameMetadata(node, before)
    parent.add(same ? before : node, before)
    if (!before) this.folders.new++
    else if (same) this.folders.unmodified++
    else this.folders.changed++
  }

  #close(folder: OpenFolder): void {
    folder.directory?.[Symbol.dispose]()
    folder.children.sort((a, b) => compareNames(a.name, b.name))
    const subtree = this.#treeOf(folder)
    if (folder.isWhole && this.#memory) this.#remember(this.#memory, folder.children, subtree)
    this.attach(folder.parent, folder.node, subtree)
  }

  #remember(memory: FolderMemoryWriter, children: readonly TreeNode[], tree: string): void {
    for (const node of children) {
      if (node.type !== 'dir') this.#digest.add(node.name, node)
      memory.addUser(node.uid, node.user)
      memory.addGroup(node.gid, node.group)
    }
    const entries = this.#digest.takeEntries()
    for (const node of children) if (node.type === 'dir') this.#digest.add(node.name, node, node.subtree)
    memory.add(this.#digest.finish(entries), tree)
  }

  #treeOf(folder: OpenFolder): string {
    if (folder.isUnchanged && this.#index.has('tree', folder.before!.treeId)) return folder.before!.treeId
    const bytes = encodeTree(folder.children)
    const id = sha256Hex(bytes)
    if (this.#index.claim('tree', id)) this.#store(id, bytes)
    return id
  }
}
