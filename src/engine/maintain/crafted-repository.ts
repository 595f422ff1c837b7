/**
 * Repositories written by hand, for tests: every part can be given the wrong way. Nothing that runs in production may
 * enter here.
 */
import { zstdCompressSync } from 'node:zlib'

import type { FileType } from '../backend/backend.ts'
import { MemoryBackend } from '../backend/memory/memory.ts'
import { deriveKey } from '../crypto/derive-key.ts'
import { sha256Hex } from '../crypto/hash.ts'
import { newMasterKey, Sealer, type MasterKey } from '../crypto/seal.ts'
import { encodeIndex, type IndexedBlob, type IndexedPack } from '../format/index-file.ts'
import { encodeMasterKey } from '../format/key.ts'
import { encodePackHeader } from '../format/pack-header.ts'
import { packUnpacked } from '../format/unpacked.ts'

export const craftedPassword = 'crafted'

const time = '2026-01-01T00:00:00Z'

export interface CraftedBlob extends IndexedBlob {
  readonly sealed: Uint8Array
}

export interface PackShape {
  /** Bytes that belong to no blob, before the blob at this position. */
  readonly gap?: { readonly before: number; readonly bytes: number }
  /** What the header says, in place of the blobs in their order. */
  readonly header?: readonly IndexedBlob[]
  /** The file's name, in place of its hash. */
  readonly name?: string
  /** Bytes of the file, changed after it was named. */
  readonly change?: (bytes: Uint8Array) => Uint8Array
  /** The file is not saved. */
  readonly isMissing?: boolean
}

/** A name and content for a node of {@link CraftedRepository.tree}; anything else may be added or left out. */
export type CraftedNode = Record<string, unknown>

export class CraftedRepository {
  readonly backend = new MemoryBackend()
  readonly key: MasterKey = newMasterKey()
  readonly sealer = new Sealer(this.key)

  async saveKey(
    options: {
      readonly costs?: { readonly N: number; readonly r: number; readonly p: number }
      readonly salt?: Uint8Array
      readonly fields?: object
      readonly name?: string
    } = {},
  ): Promise<void> {
    const { costs = { N: 1024, r: 1, p: 1 }, salt = new Uint8Array(64).fill(7), fields = {}, name } = options
    const userKey = await deriveKey(craftedPassword, { ...costs, salt })
    const data = Buffer.from(new Sealer(userKey).seal(encodeMasterKey(this.key))).toString('base64')
    const key = { created: time, username: 'u', hostname: 'h', kdf: 'scrypt', ...costs }
    const text = JSON.stringify({ ...key, salt: Buffer.from(salt).toString('base64'), data, ...fields })
    this.backend.overwrite({ type: 'key', name: name ?? sha256Hex(Buffer.from(text)) }, Buffer.from(text))
  }

  /** @param body - the plain bytes, before they are sealed. */
  saveConfig(body: string | Uint8Array): void {
    this.backend.overwrite({ type: 'config', name: '' }, this.sealer.seal(Buffer.from(body)))
  }

  /** @param body - with the byte that says how it is encoded. */
  saveBody(type: FileType, body: string | Uint8Array): string {
    const sealed = this.sealer.seal(Buffer.from(body))
    const name = sha256Hex(sealed)
    this.backend.overwrite({ type, name }, sealed)
    return name
  }

  saveJson(type: 'index' | 'snapshot' | 'lock', json: string | object): string {
    return this.saveBody(type, packUnpacked(Buffer.from(typeof json === 'string' ? json : JSON.stringify(json))))
  }

  saveIndex(...packs: readonly IndexedPack[]): string {
    return this.saveJson('index', Buffer.from(encodeIndex(packs)).toString())
  }

  saveSnapshot(tree: string | undefined, fields: object = {}): string {
    return this.saveJson('snapshot', { time, ...(tree && { tree }), paths: ['/srv'], hostname: 'h', ...fields })
  }

  blob(
    type: 'data' | 'tree',
    plain: string | Uint8Array,
    options: { readonly raw?: boolean; readonly claim?: number } = {},
  ): CraftedBlob {
    const bytes = Buffer.from(plain)
    const sealed = this.sealer.seal(options.raw ? bytes : zstdCompressSync(bytes))
    const uncompressedLength = options.claim ?? (options.raw ? 0 : bytes.length)
    return { id: sha256Hex(bytes), type, offset: 0, length: sealed.length, uncompressedLength, sealed }
  }

  tree(...nodes: readonly CraftedNode[]): CraftedBlob {
    return this.blob('tree', `${JSON.stringify({ nodes })}\n`)
  }

  /** Saves a pack. @returns what an index must say of it. */
  pack(blobs: readonly CraftedBlob[], shape: PackShape = {}): IndexedPack {
    const parts: Uint8Array[] = []
    const placed: IndexedBlob[] = []
    let offset = 0
    for (const [nth, { id, type, length, uncompressedLength, sealed }] of blobs.entries()) {
      if (shape.gap?.before === nth) {
        parts.push(new Uint8Array(shape.gap.bytes))
        offset += shape.gap.bytes
      }
      parts.push(sealed)
      placed.push({ id, type, offset, length, uncompressedLength })
      offset += length
    }
    if (shape.gap?.before === blobs.length) parts.push(new Uint8Array(shape.gap.bytes))
    const header = this.sealer.seal(encodePackHeader(shape.header ?? placed))
    const word = Buffer.alloc(4)
    word.writeUInt32LE(header.length)
    const bytes = Buffer.concat([...parts, header, word])
    const name = shape.name ?? sha256Hex(bytes)
    if (!shape.isMissing) this.backend.overwrite({ type: 'pack', name }, shape.change?.(bytes) ?? bytes)
    return { id: name, blobs: placed }
  }
}

/** A file's node as restic writes it, but for what `fields` say. */
export function fileNode(name: string, content: readonly string[], size: number, fields: object = {}): CraftedNode {
  const times = { mtime: time, atime: time, ctime: time }
  return { name, type: 'file', mode: 420, ...times, uid: 0, gid: 0, size, links: 1, content, ...fields }
}

export function folderNode(name: string, subtree: string | undefined): CraftedNode {
  const times = { mtime: time, atime: time, ctime: time }
  return { name, type: 'dir', mode: 2147484141, ...times, uid: 0, gid: 0, content: null, ...(subtree && { subtree }) }
}

export const craftedConfig = {
  version: 2,
  id: '5'.repeat(64),
  chunker_polynomial: '3855f384f04c43',
}

/** What a whole repository of one file is made of; each function may do its part another way. */
export interface Craft {
  readonly key?: (crafted: CraftedRepository) => Promise<void>
  readonly config?: string | Uint8Array
  /** Nodes of the root tree beside the file `0`. */
  readonly nodes?: readonly CraftedNode[]
  /** The root tree, given the node of the file `0`. */
  readonly root?: (crafted: CraftedRepository, file: CraftedNode) => CraftedBlob
  /** Of the two data blobs, of which the file `0` is made; the second one says that it is five bytes. */
  readonly dataPack?: (crafted: CraftedRepository, blobs: readonly [CraftedBlob, CraftedBlob]) => IndexedPack
  readonly data?: (crafted: CraftedRepository) => readonly [CraftedBlob, CraftedBlob]
  readonly treePack?: (crafted: CraftedRepository, root: CraftedBlob) => IndexedPack
  /** The index files. */
  readonly index?: (crafted: CraftedRepository, packs: readonly IndexedPack[]) => void
  readonly snapshot?: (crafted: CraftedRepository, tree: string) => void
  /** Anything that is added to it. */
  readonly more?: (crafted: CraftedRepository) => void
}

/** A sound repository of one snapshot with one file, or one with a single deviation. */
export async function craftRepository(craft: Craft = {}): Promise<CraftedRepository> {
  const crafted = new CraftedRepository()
  await (craft.key?.(crafted) ?? crafted.saveKey())
  crafted.saveConfig(craft.config ?? JSON.stringify(craftedConfig))
  const data = craft.data?.(crafted) ?? [crafted.blob('data', 'hello'), crafted.blob('data', 'world')]
  const content = data.map(({ id }) => id)
  const file = fileNode('0', content, 10)
  const root = craft.root?.(crafted, file) ?? crafted.tree(file, ...(craft.nodes ?? []))
  const dataPack = craft.dataPack?.(crafted, data) ?? crafted.pack(data)
  const treePack = craft.treePack?.(crafted, root) ?? crafted.pack([root])
  if (craft.index) craft.index(crafted, [dataPack, treePack])
  else crafted.saveIndex(dataPack, treePack)
  if (craft.snapshot) craft.snapshot(crafted, root.id)
  else crafted.saveSnapshot(root.id)
  craft.more?.(crafted)
  return crafted
}
