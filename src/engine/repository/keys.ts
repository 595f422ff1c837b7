import { AppError, randomBytes, textOf, type Clock, type Secret } from '#base'
import type { Backend, FileRef } from '../backend/backend.ts'
import { describeFile } from '../backend/file-ref.ts'
import { loadAll } from '../backend/load-all.ts'
import { deriveKey } from '../crypto/derive-key.ts'
import { sha256Hex } from '../crypto/hash.ts'
import { Sealer, type MasterKey } from '../crypto/seal.ts'
import { decodeKeyFile, decodeMasterKey, encodeKeyFile, encodeMasterKey, type KeyFile } from '../format/key.ts'
import { formatTime } from '../format/time.ts'
import { repositoryError } from './errors.ts'
import type { Identity } from './identity.ts'

/** What scrypt costs: memory is 128 · N · r bytes, time grows with N · r · p. */
export interface KeyCost {
  readonly N: number
  readonly r: number
  readonly p: number
}

/**
 * 32 MiB and about 0.1 s on a server of today. The same everywhere and never measured at run time: a key that is made while
 * its machine is busy must not be weaker, and one made on a fast machine must not stall a small one. Restic opens it.
 */
export const keyCost: KeyCost = { N: 32_768, r: 8, p: 1 }

/** As restic: a repository may hold more, and these are tried. */
const keysTried = 20

export interface StoredKey {
  /** Hex id. */
  readonly id: string
  /** RFC 3339. */
  readonly created: string
  readonly username?: string
  readonly hostname?: string
  /** Whether this key opened the repository. */
  readonly isCurrent: boolean
}

export interface OpenedKey {
  readonly id: string
  readonly master: MasterKey
}

/** Saves a key file that lets `password` open the repository. @returns its hex id. */
export async function saveKey(
  backend: Backend,
  master: MasterKey,
  password: Secret,
  options: { readonly cost: KeyCost; readonly identity: Identity; readonly clock: Clock },
  signal?: AbortSignal,
): Promise<string> {
  const salt = randomBytes(64)
  const userKey = await deriveKey(password.reveal(), { ...options.cost, salt })
  const bytes = encodeKeyFile({
    created: formatTime(BigInt(options.clock.now()) * 1_000_000n),
    ...(options.identity.username && { username: options.identity.username }),
    hostname: options.identity.hostname,
    kdf: 'scrypt',
    ...options.cost,
    salt,
    data: new Sealer(userKey).seal(encodeMasterKey(master)),
  })
  const id = sha256Hex(bytes)
  await backend.save({ type: 'key', name: id }, bytes, signal)
  return id
}

/**
 * Finds the key that `password` opens, trying at most twenty.
 *
 * @param accepts - whether a master key fits the repository. When several makers began at once, or one was killed, the same
 * password may open a key of a repository that never came to be; it is used only when no other one fits.
 * @throws `repository.password`; `repository.keys-missing` when there is no key to try.
 */
export async function findKey(
  backend: Backend,
  password: Secret,
  accepts: (master: MasterKey) => boolean,
  signal?: AbortSignal,
): Promise<OpenedKey> {
  const files = await Array.fromAsync(backend.list('key', signal))
  const ids = files.map((file) => file.name).sort()
  let unreadable = 'the folder of keys is empty'
  let tried = 0
  let unfitting: OpenedKey | undefined
  for (const id of ids.slice(0, keysTried)) {
    try {
      const master = await openKey(backend, id, password, signal)
      if (master !== undefined && accepts(master)) return { id, master }
      if (master !== undefined) unfitting ??= { id, master }
      tried++
    } catch (thrown) {
      if (!(thrown instanceof AppError) || (thrown.kind !== 'damaged' && thrown.kind !== 'missing')) throw thrown
      unreadable = thrown.message
    }
  }
  if (unfitting !== undefined) return unfitting
  if (tried === 0) throw repositoryError('repository.keys-missing', { place: backend.place, reason: unreadable })
  throw repositoryError('repository.password', { keys: ids.length, place: backend.place })
}

/** Undefined when `password` is not the one of this key. @throws `backend.missing`; `repository.file-damaged`. */
export async function openKey(
  backend: Backend,
  id: string,
  password: Secret,
  signal?: AbortSignal,
): Promise<MasterKey | undefined> {
  const key = await loadKeyFile(backend, id, signal)
  signal?.throwIfAborted()
  const userKey = await deriveKey(password.reveal(), key)
  let json: Uint8Array
  try {
    json = new Sealer(userKey).unseal(key.data)
  } catch {
    return undefined // because a wrong password and a wrong byte look alike, and the file's hash rules out the byte
  }
  try {
    return decodeMasterKey(json)
  } catch (thrown) {
    throw damagedKey(backend, id, thrown)
  }
}

/** The keys in order of creation; those that cannot be read are left out. */
export async function listKeys(backend: Backend, currentId: string, signal?: AbortSignal): Promise<StoredKey[]> {
  const keys: StoredKey[] = []
  for await (const { name: id } of backend.list('key', signal)) {
    const key = await loadKeyFile(backend, id, signal).catch(undefinedIfUnreadable)
    if (key === undefined) continue
    const { created, username, hostname } = key
    keys.push({
      id,
      created,
      ...(username && { username }),
      ...(hostname && { hostname }),
      isCurrent: id === currentId,
    })
  }
  return keys.sort((a, b) => a.created.localeCompare(b.created) || a.id.localeCompare(b.id))
}

function undefinedIfUnreadable(thrown: unknown): undefined {
  if (thrown instanceof AppError && (thrown.kind === 'damaged' || thrown.kind === 'missing')) return undefined
  throw thrown
}

async function loadKeyFile(backend: Backend, id: string, signal?: AbortSignal): Promise<KeyFile> {
  const ref: FileRef = { type: 'key', name: id }
  const bytes = await loadAll(backend, ref, undefined, signal)
  if (sha256Hex(bytes) !== id) throw damagedKey(backend, id, new Error('its bytes do not hash to its name'))
  try {
    return decodeKeyFile(bytes)
  } catch (thrown) {
    throw damagedKey(backend, id, thrown)
  }
}

function damagedKey(backend: Backend, id: string, cause: unknown): AppError {
  const facts = { file: describeFile({ type: 'key', name: id }), place: backend.place, reason: textOf(cause) }
  return repositoryError('repository.file-damaged', facts, cause)
}
