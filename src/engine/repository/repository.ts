import { AppError, mapInOrder, randomHex, systemClock, textOf, type Clock, type Secret } from '#base'
import type { Backend } from '../backend/backend.ts'
import { describeFile } from '../backend/file-ref.ts'
import { loadAll } from '../backend/load-all.ts'
import { isIrreducible, newPolynomial } from '../chunker/polynomial.ts'
import { newMasterKey, Sealer, type MasterKey } from '../crypto/seal.ts'
import { decodeConfig, encodeConfig, type RepositoryConfig } from '../format/config.ts'
import { decodeIndex, type IndexedPack } from '../format/index-file.ts'
import { decodeIndexRows, type IndexRows } from '../format/index-rows.ts'
import type { Snapshot } from '../format/snapshot.ts'
import { BlobIndex, type BlobType } from './blob-index.ts'
import { repositoryError } from './errors.ts'
import { thisProcess, type Identity } from './identity.ts'
import { findKey, keyCost, listKeys, openKey, saveKey, type KeyCost, type OpenedKey, type StoredKey } from './keys.ts'
import { BlobLoader } from './load-blob.ts'
import {
  acquireLock,
  beginLock,
  type BegunLock,
  type LockKind,
  type LockOptions,
  type LockTimings,
  type RepositoryLock,
} from './lock.ts'
import * as snapshots from './snapshots.ts'
import type { SnapshotList, StoredSnapshot } from './snapshots.ts'
import { UnpackedFiles, type UnpackedType } from './unpacked-files.ts'

export interface RepositoryOptions {
  readonly password: Secret
  readonly clock?: Clock
  /** Default: this process. */
  readonly identity?: Identity
  /** Default: restic's. */
  readonly lockTimings?: Partial<LockTimings>
}

export interface CreateOptions extends RepositoryOptions {
  readonly cost?: KeyCost
  /** Cuts files as another repository does, so that both store the same blobs. Default: a random one. */
  readonly polynomial?: bigint
}

const config = { type: 'config', name: '' } as const

interface ReadIndex {
  readonly index: BlobIndex
  /** Hex ids of the files, damaged ones too. */
  readonly files: ReadonlySet<string>
  readonly damaged: readonly AppError[]
}

/**
 * Makes a repository of format version 2 and opens it the way it will be opened ever after. Nothing of what is there
 * already is changed; of several makers at once one wins.
 *
 * A making that was killed between its key and its config is completed, when the password is the same.
 *
 * @throws `repository.exists` when a config, a key or a snapshot is there.
 */
export async function createRepository(
  backend: Backend,
  options: CreateOptions,
  signal?: AbortSignal,
): Promise<Repository> {
  const { clock = systemClock, identity = thisProcess(), cost = keyCost } = options
  const begun = await findBegun(backend, options.password, signal)
  const master = begun?.master ?? newMasterKey()
  const keyId = begun?.id ?? (await saveKey(backend, master, options.password, { cost, identity, clock }, signal))
  const chunkerPolynomial = options.polynomial ?? newPolynomial()
  const sealed = new Sealer(master).seal(encodeConfig({ version: 2, id: randomHex(32), chunkerPolynomial }))
  try {
    await backend.save(config, sealed, signal)
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== 'backend.conflict') throw thrown
    if (!opens(master, await loadConfig(backend, signal))) {
      if (begun === undefined) await backend.remove({ type: 'key', name: keyId }, signal)
      throw repositoryError('repository.exists', { place: backend.place, found: describeFile(config) }, thrown)
    }
  }
  return await openRepository(backend, options, signal)
}

function opens(master: MasterKey, sealed: Uint8Array): boolean {
  try {
    new Sealer(master).unseal(sealed)
    return true
  } catch {
    return false // because the answer is all that is wanted
  }
}

/** The key of a making that was not finished. @throws `repository.exists` when what is there is more than that. */
async function findBegun(backend: Backend, password: Secret, signal?: AbortSignal): Promise<OpenedKey | undefined> {
  for (const type of ['config', 'snapshot', 'index', 'pack'] as const) {
    for await (const file of backend.list(type, signal)) {
      throw repositoryError('repository.exists', { place: backend.place, found: describeFile(file) })
    }
  }
  for await (const file of backend.list('key', signal)) {
    try {
      return await findKey(backend, password, () => true, signal)
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.kind === 'unavailable') throw thrown
      throw repositoryError('repository.exists', { place: backend.place, found: describeFile(file) }, thrown)
    }
  }
  return undefined
}

/**
 * Opens a repository of format version 1 or 2. Takes no lock.
 *
 * @throws `repository.missing`; `repository.password`; `repository.keys-missing`; `repository.file-damaged` and
 * `repository.unsupported` for its config.
 */
export async function openRepository(
  backend: Backend,
  options: RepositoryOptions,
  signal?: AbortSignal,
): Promise<Repository> {
  const sealed = await loadConfig(backend, signal)
  const key = await findKey(backend, options.password, (master) => opens(master, sealed), signal)
  const sealer = new Sealer(key.master)
  return new Repository(backend, openConfig(backend.place, sealer, sealed), key, sealer, options)
}

async function loadConfig(backend: Backend, signal?: AbortSignal): Promise<Uint8Array> {
  try {
    return await loadAll(backend, config, undefined, signal)
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.kind !== 'missing') throw thrown
    throw repositoryError('repository.missing', { place: backend.place }, thrown)
  }
}

function openConfig(place: string, sealer: Sealer, sealed: Uint8Array): RepositoryConfig {
  let opened: RepositoryConfig
  try {
    opened = decodeConfig(sealer.unseal(sealed))
  } catch (thrown) {
    const facts = { file: describeFile(config), place, reason: textOf(thrown) }
    throw repositoryError('repository.file-damaged', facts, thrown)
  }
  if (isIrreducible(opened.chunkerPolynomial)) return opened
  throw repositoryError('repository.unsupported', { place, reason: 'its chunker polynomial is not irreducible' })
}

/**
 * An open repository. Everything it loads is checked against its name or id; everything it saves is durable when the call
 * returns.
 *
 * It takes locks only where `lock` is called, and does not dispose the backend. Disposing releases the locks that are left.
 */
export class Repository implements AsyncDisposable {
  readonly backend: Backend
  readonly config: RepositoryConfig
  readonly key: MasterKey
  /** Hex id of the key that opened it. */
  readonly keyId: string
  readonly clock: Clock
  readonly #files: UnpackedFiles
  readonly #blobs: BlobLoader
  readonly #identity: Identity
  readonly #lockTimings: Partial<LockTimings>
  readonly #locks = new Set<RepositoryLock>()
  #index = new BlobIndex()
  #indexFiles: ReadonlySet<string> = new Set()
  #isIndexLoaded = false

  constructor(backend: Backend, config: RepositoryConfig, key: OpenedKey, sealer: Sealer, options: RepositoryOptions) {
    this.backend = backend
    this.config = config
    this.key = key.master
    this.keyId = key.id
    this.clock = options.clock ?? systemClock
    this.#identity = options.identity ?? thisProcess()
    this.#lockTimings = options.lockTimings ?? {}
    this.#files = new UnpackedFiles(backend, sealer, config.version)
    this.#blobs = new BlobLoader(backend, sealer)
  }

  /** What was found by the last `loadIndex`, and added since; empty before the first. */
  get index(): BlobIndex {
    return this.#index
  }

  /** Hex ids of the index files that it was read from. */
  get indexFiles(): ReadonlySet<string> {
    return this.#indexFiles
  }

  /**
   * Reads all index files and replaces `index` by what they say: call it after taking the lock, and after listing the
   * snapshots whose blobs are wanted.
   *
   * @throws `repository.file-damaged`.
   */
  async loadIndex(signal?: AbortSignal): Promise<void> {
    const read = await this.#readIndex(signal)
    if (read.damaged[0]) throw read.damaged[0]
    this.#useIndex(read)
  }

  /**
   * The same without the index files that are damaged: for whoever reads blobs, and says which are not found, or stores what
   * is not found. Whoever may add a file to a place, or an upload that broke there, could else keep all others out.
   *
   * @returns a `repository.file-damaged` for each that was left out.
   */
  async loadReadableIndex(signal?: AbortSignal): Promise<readonly AppError[]> {
    const read = await this.#readIndex(signal)
    this.#useIndex(read)
    return read.damaged
  }

  /** Whether every index file that `index` was read from is still there: what one that is gone named may be gone, too. */
  async isIndexCurrent(signal?: AbortSignal): Promise<boolean> {
    const there = new Set<string>()
    for await (const { name } of this.backend.list('index', signal)) there.add(name)
    return this.#indexFiles.isSubsetOf(there)
  }

  /** Forgets what was loaded; what needs an index loads it anew. For whoever moves blobs to other packs. */
  dropIndex(): void {
    this.#index = new BlobIndex()
    this.#indexFiles = new Set()
    this.#isIndexLoaded = false
  }

  /** What one index file says. @throws `backend.missing`; `repository.file-damaged`. */
  async loadIndexFile(id: string, signal?: AbortSignal): Promise<IndexedPack[]> {
    return await this.#files.read('index', id, decodeIndex, signal)
  }

  /** The same as numbers, for whoever reads many of them. @throws as `loadIndexFile`. */
  async loadIndexRows(id: string, signal?: AbortSignal): Promise<IndexRows> {
    return await this.#files.read('index', id, decodeIndexRows, signal)
  }

  /** Seals, verifies and saves a JSON document. @returns its hex id. */
  async saveUnpacked(type: UnpackedType, json: Uint8Array, signal?: AbortSignal): Promise<string> {
    return await this.#files.save(type, json, signal)
  }

  /** The JSON of a document. @throws `backend.missing`; `repository.file-damaged`. */
  async loadUnpacked(type: UnpackedType, id: string, signal?: AbortSignal): Promise<Uint8Array> {
    return await this.#files.load(type, id, signal)
  }

  /**
   * The plain bytes of a blob, checked against `id`. Loads the index when that was never done.
   *
   * @throws `repository.blob-missing`; `repository.blob-damaged`.
   */
  async loadBlob(type: BlobType, id: string, signal?: AbortSignal): Promise<Uint8Array> {
    if (!this.#isIndexLoaded) await this.loadIndex(signal)
    return await this.#blobs.load(this.index, type, id, signal)
  }

  /** The same of many, in the order of `ids`; those that lie side by side in a pack are read together. @throws as `loadBlob`. */
  async *loadBlobs(
    type: BlobType,
    ids: Iterable<string>,
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, void> {
    if (!this.#isIndexLoaded) await this.loadIndex(signal)
    yield* this.#blobs.loadInOrder(this.index, type, ids, signal)
  }

  /** All snapshots, oldest first; a damaged one is reported beside them. */
  async listSnapshots(signal?: AbortSignal): Promise<SnapshotList> {
    return await snapshots.listSnapshots(this.#files, signal)
  }

  /**
   * The snapshot whose id begins with `name`, or the newest one for `latest`.
   *
   * @throws `repository.snapshot-missing`; `repository.snapshot-ambiguous`; `repository.file-damaged`.
   */
  async findSnapshot(name: string, signal?: AbortSignal): Promise<StoredSnapshot> {
    return await snapshots.findSnapshot(this.#files, name, signal)
  }

  /** @returns the hex id of the snapshot. */
  async saveSnapshot(snapshot: Snapshot, signal?: AbortSignal): Promise<string> {
    return await snapshots.saveSnapshot(this.#files, snapshot, signal)
  }

  /** Frees no space. @throws `repository.snapshot-missing`. */
  async removeSnapshot(id: string, signal?: AbortSignal): Promise<void> {
    await snapshots.removeSnapshot(this.#files, id, signal)
  }

  /**
   * A shared lock for whoever only reads; undefined where nothing can be written, since nobody can remove anything there
   * either. @throws as `lock`.
   */
  async lockToRead(signal?: AbortSignal): Promise<RepositoryLock | undefined> {
    try {
      return await this.lock('shared', signal)
    } catch (thrown) {
      if (thrown instanceof AppError && thrown.code === 'backend.denied') return undefined
      throw thrown
    }
  }

  /**
   * Locks the repository against other programs, restic among them, until the lock is disposed.
   *
   * @throws `repository.locked`; `repository.lock-unreadable`.
   */
  async lock(kind: LockKind, signal?: AbortSignal): Promise<RepositoryLock> {
    const lock = await acquireLock(this.#files, kind, this.#lockOptions(), signal)
    this.#locks.add(lock)
    return lock
  }

  /** The same, for whoever has something to read until it settles whose lock it is. @throws as `lock`. */
  async beginLock(kind: LockKind, signal?: AbortSignal): Promise<BegunLock> {
    const lock = await beginLock(this.#files, kind, this.#lockOptions(), signal)
    this.#locks.add(lock)
    return lock
  }

  /**
   * Lets one more password open the repository, once it was proven that it does. Wants a shared lock.
   *
   * @returns the hex id of the new key.
   * @throws `repository.key-unusable`.
   */
  async addKey(password: Secret, cost: KeyCost = keyCost, signal?: AbortSignal): Promise<string> {
    const options = { cost, identity: this.#identity, clock: this.clock }
    const id = await saveKey(this.backend, this.key, password, options, signal)
    let reason = 'its password opens something else'
    try {
      const opened = await openKey(this.backend, id, password, signal)
      const stored = await loadAll(this.backend, config, undefined, signal)
      if (opened && decodeConfig(new Sealer(opened).unseal(stored)).id === this.config.id) return id
    } catch (thrown) {
      reason = textOf(thrown)
    }
    await this.backend.remove({ type: 'key', name: id })
    signal?.throwIfAborted()
    throw repositoryError('repository.key-unusable', { place: this.backend.place, reason })
  }

  /** The keys in order of creation; those that cannot be read are left out. */
  async listKeys(signal?: AbortSignal): Promise<StoredKey[]> {
    return await listKeys(this.backend, this.keyId, signal)
  }

  /**
   * Takes a password's way in. Whoever copied the key file before keeps it: the master key stays the same. Wants an exclusive
   * lock.
   *
   * @throws `repository.key-in-use`; `repository.key-missing`.
   */
  async removeKey(id: string, signal?: AbortSignal): Promise<void> {
    const facts = { key: id.slice(0, 10), place: this.backend.place }
    if (id === this.keyId) throw repositoryError('repository.key-in-use', facts)
    try {
      await this.backend.remove({ type: 'key', name: id }, signal)
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'backend.missing') throw thrown
      throw repositoryError('repository.key-missing', facts, thrown)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#locks].map((lock) => lock[Symbol.asyncDispose]()))
  }

  #useIndex({ index, files }: ReadIndex): void {
    this.#index = index
    this.#indexFiles = files
    this.#isIndexLoaded = true
  }

  #lockOptions(): LockOptions {
    const onRelease = (lock: RepositoryLock): void => void this.#locks.delete(lock)
    return { clock: this.clock, identity: this.#identity, timings: this.#lockTimings, onRelease }
  }

  async #readIndex(signal?: AbortSignal): Promise<ReadIndex> {
    const index = new BlobIndex()
    const files = new Set<string>()
    const damaged: AppError[] = []
    const load = async ({ name }: { name: string }): Promise<IndexRows | undefined> => {
      files.add(name)
      try {
        return await this.#files.read('index', name, decodeIndexRows, signal)
      } catch (thrown) {
        if (!(thrown instanceof AppError) || thrown.code !== 'repository.file-damaged') throw thrown
        damaged.push(thrown)
        return undefined
      }
    }
    for await (const rows of mapInOrder(this.backend.list('index', signal), load, this.backend.connections)) {
      if (rows) index.insertAll(rows)
    }
    return { index, files, damaged }
  }
}
