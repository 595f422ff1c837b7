/** Snapshots made by hand, for tests: sound ones, and such as no program would make. */
import { zstdCompressSync } from 'node:zlib'

import { sha256Hex } from '../crypto/hash.ts'
import { Sealer } from '../crypto/seal.ts'
import { encodeIndex, type IndexedBlob, type IndexedPack } from '../format/index-file.ts'
import { encodeTreeNode, type TreeNode } from '../format/tree-node.ts'
import type { BlobType } from '../repository/blob-index.ts'
import { PackBuffer } from '../repository/pack-buffer.ts'
import type { Repository } from '../repository/repository.ts'

/** A node of which only what matters is given; the name as text or bytes. */
export type Sketch = Partial<Omit<TreeNode, 'name'>> & { readonly name: string | Uint8Array }

const plainNode: Omit<TreeNode, 'name'> = {
  type: 'file',
  mode: 0o644,
  mtimeNs: 1_600_000_000_123_456_789n,
  atimeNs: 1_600_000_000_123_456_789n,
  ctimeNs: 0n,
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

/** Collects blobs, then stores them in packs of their own with an index that may lie. */
export class Handmade {
  readonly #repository: Repository
  readonly #packs = new Map<BlobType, PackBuffer>()
  readonly #sealer: Sealer

  constructor(repository: Repository) {
    this.#repository = repository
    this.#sealer = new Sealer(repository.key)
  }

  /** @returns the hex id. */
  blob(type: BlobType, plain: Uint8Array, id = sha256Hex(plain)): string {
    return this.sealed(type, id, zstdCompressSync(plain), plain.length)
  }

  /** Whatever bytes, as the blob `id`. */
  sealed(type: BlobType, id: string, payload: Uint8Array, uncompressedLength: number): string {
    const pack = this.#packs.get(type) ?? new PackBuffer(type)
    this.#packs.set(type, pack)
    if (pack.blobs.some((blob) => blob.id === id)) return id
    pack.seal(this.#sealer, id, payload, uncompressedLength)
    return id
  }

  /** A file of one blob for each of `parts`. */
  file(
    name: string | Uint8Array,
    parts: string | Uint8Array | readonly Uint8Array[],
    more: Partial<TreeNode> = {},
  ): Sketch {
    const blobs = typeof parts === 'string' ? [Buffer.from(parts)] : parts instanceof Uint8Array ? [parts] : parts
    const content = blobs.filter(({ length }) => length > 0).map((part) => this.blob('data', part))
    return { name, size: blobs.reduce((sum, { length }) => sum + length, 0), content, ...more }
  }

  dir(name: string | Uint8Array, nodes: readonly Sketch[], more: Partial<TreeNode> = {}): Sketch {
    return { name, type: 'dir', mode: 0o755, subtree: this.tree(nodes), ...more }
  }

  /** In the order given, whatever the names. @returns the hex id. */
  tree(nodes: readonly Sketch[]): string {
    const lines = nodes.map(({ name, ...more }) => encodeTreeNode({ ...plainNode, ...more, name: Buffer.from(name) }))
    return this.blob('tree', Buffer.from(`{"nodes":[${lines.join(',')}]}\n`))
  }

  /** Stores what was collected and loads the index. */
  async store(lie: (blob: IndexedBlob) => IndexedBlob | undefined = (blob) => blob): Promise<IndexedPack[]> {
    const packs: IndexedPack[] = []
    for (const pack of this.#packs.values()) {
      const { id, bytes, blobs } = pack.finish(this.#sealer)
      await this.#repository.backend.save({ type: 'pack', name: id }, bytes)
      packs.push({ id, blobs: blobs.map(lie).filter((blob) => blob !== undefined) })
    }
    this.#packs.clear()
    await this.#repository.saveUnpacked('index', encodeIndex(packs))
    await this.#repository.loadIndex()
    return packs
  }
}
