/** For tests: folders to back up, and backups of them into repositories in memory. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { pause } from '#base'
import { decodeTree, type TreeNode } from '../format/tree-node.ts'
import type { Repository } from '../repository/repository.ts'
import { archive, type ArchiveRequest, type ArchiveResult } from './archive.ts'
import type { MemoryPlace } from './recall-folders.ts'

export interface TrialFolder extends AsyncDisposable {
  readonly path: string
}

export async function trialFolder(): Promise<TrialFolder> {
  const path = await mkdtemp(join(tmpdir(), 'bewaar-archive-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** Longer than the tick of the clock that changes are stamped with, on any kernel. */
export const tickMs = 12

/**
 * Backs up one thing after the other into one repository, each with the one before as its parent. The times of the
 * snapshots are ahead of the clock, so that nothing counts as recently changed unless a test says so.
 */
export class Trial {
  repository: Repository
  readonly #memory: MemoryPlace | undefined
  #parent: ArchiveRequest['parent']

  constructor(repository: Repository, memory?: MemoryPlace) {
    this.repository = repository
    this.#memory = memory
  }

  async backUp(parts: ArchiveRequest['parts'], more: Partial<ArchiveRequest> = {}): Promise<ArchiveResult> {
    await pause(tickMs)
    const timeNs = BigInt(Date.now() + 60_000) * 1_000_000n
    const result = await archive(this.repository, {
      parts,
      ...(this.#parent && { parent: this.#parent }),
      ...(this.#memory && { memory: this.#memory }),
      timeNs,
      paths: ['/'],
      hostname: 'trial',
      ...more,
    })
    this.#parent = { id: result.snapshot, tree: result.tree, timeNs: more.timeNs ?? timeNs }
    await pause(tickMs)
    return result
  }

  /** Of the last backup. */
  get parent(): ArchiveRequest['parent'] {
    return this.#parent
  }
}

/** Keeps a memory in memory. */
export class HeldMemory implements MemoryPlace {
  bytes: Uint8Array | undefined
  saves = 0

  async load(): Promise<Uint8Array | undefined> {
    return this.bytes
  }

  async save(bytes: Uint8Array): Promise<void> {
    this.bytes = bytes
    this.saves++
  }
}

/** The node at a path of a snapshot, `/` between its parts. */
export async function nodeAt(repository: Repository, tree: string, path: string): Promise<TreeNode | undefined> {
  let node: TreeNode | undefined
  let subtree: string | undefined = tree
  for (const part of path.split('/')) {
    const nodes: TreeNode[] = subtree === undefined ? [] : decodeTree(await repository.loadBlob('tree', subtree))
    node = nodes.find(({ name }) => Buffer.from(name).toString() === part)
    subtree = node?.subtree
  }
  return node
}

/** The bytes of a file in a snapshot, as text. */
export async function textAt(repository: Repository, tree: string, path: string): Promise<string | undefined> {
  const node = await nodeAt(repository, tree, path)
  if (!node?.content) return undefined
  const chunks = await Promise.all(node.content.map((id) => repository.loadBlob('data', id)))
  return Buffer.concat(chunks).toString()
}
