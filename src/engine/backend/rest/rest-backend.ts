import { AppError, mapInOrder, pause, systemClock } from '#base'
import { backendError } from '../errors.ts'
import { checkRequest, describeFile, isFileName, rangeWithin } from '../file-ref.ts'
import { halfStored } from '../half-stored.ts'
import { folders } from '../layout.ts'
import { loadAll } from '../load-all.ts'
import type { Backend, ByteRange, FileRef, FileStat, FileType } from '../backend.ts'
import { announcedSize, lengthIn } from './announced-size.ts'
import { nonsense, refusal, translate, type Asked, type Verb } from './answers.ts'
import { readList, type ListItem } from './list-items.ts'
import { NameSet } from './name-set.ts'
import { Stalled, type Answer, type Call, type Transport } from './transport.ts'

/** More names than any repository has: 128 TB in packs of 16 MB. */
const mostFiles = 8_000_000
/** Version 1 of the protocol tells no sizes, so that all names are kept while each file is asked for its own. */
const mostFilesOfVersion1 = 500_000

/** Where a repository is behind its server. */
export interface RestPlace {
  /** For people. */
  readonly place: string
  /** Begins and ends with `/`. */
  readonly path: string
  readonly connections: number
  /** For each question. */
  readonly headers: Readonly<Record<string, string>>
}

export function restOver(transport: Transport, place: RestPlace): Backend {
  return new RestBackend(transport, place)
}

/** Disposes the transport when it fails. */
export async function createRestOver(transport: Transport, place: RestPlace, signal?: AbortSignal): Promise<Backend> {
  const backend = new RestBackend(transport, place)
  try {
    await backend.create(signal)
    return backend
  } catch (thrown) {
    await backend[Symbol.asyncDispose]()
    throw thrown
  }
}

class RestBackend implements Backend {
  readonly place: string
  readonly connections: number
  readonly #transport: Transport
  readonly #path: string
  readonly #headers: Readonly<Record<string, string>>
  /** Who saves a file, because some servers overwrite: of us at least one alone saves a name. */
  readonly #savers = new Map<string, Promise<void>>()
  /** What we began to save, nobody writes any more, and could not be seen to be whole or gone. */
  readonly #unfinished = new Set<string>()

  constructor(transport: Transport, { place, path, connections, headers }: RestPlace) {
    this.place = place
    this.connections = connections
    this.#transport = transport
    this.#path = path
    this.#headers = { 'user-agent': 'bewaar', accept: 'application/vnd.x.restic.rest.v2', ...headers }
  }

  async create(signal?: AbortSignal): Promise<void> {
    const asked: Asked = { place: this.place, verb: 'create', file: 'the folders of a repository' }
    const call = { method: 'POST', path: `${this.#path}?create=true`, body: new Uint8Array() } as const
    const answer = await this.#ask(asked, call, signal)
    await answer.discard()
    if (!isDone(answer)) throw refusal(asked, answer)
  }

  async save(ref: FileRef, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    checkRequest(this.place, ref)
    const path = this.#pathOf(ref)
    const before = this.#savers.get(path)
    const saving = (before ?? Promise.resolve()).then(() => this.#saveAlone(ref, body, signal))
    const settled = saving.catch(() => {}) // because only its own caller is told
    this.#savers.set(path, settled)
    try {
      await saving
    } finally {
      if (this.#savers.get(path) === settled) this.#savers.delete(path)
    }
  }

  async *load(ref: FileRef, range?: ByteRange, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    signal?.throwIfAborted()
    checkRequest(this.place, ref, range)
    if (range !== undefined && range.start === range.end) {
      await this.#checkEmpty(ref, range, signal)
      return
    }
    const asked = this.#asked('load', ref)
    const headers = range && { range: `bytes=${range.start}-${range.end - 1}` }
    const answer = await this.#ask(asked, { method: 'GET', ref, ...(headers && { headers }) }, signal)
    let size: number
    try {
      size = announcedSize(asked, ref, answer, range)
    } catch (thrown) {
      await answer.discard()
      throw thrown
    }
    yield* this.#read(asked, answer, size, signal)
  }

  async *list(type: FileType, signal?: AbortSignal): AsyncGenerator<FileStat, void, void> {
    signal?.throwIfAborted()
    if (type === 'config') {
      const size = await this.#findSize({ type, name: '' }, 'list', signal)
      if (size !== undefined) yield { type, name: '', size }
      return
    }
    const asked: Asked = { place: this.place, verb: 'list', file: `the ${folders[type]}` }
    const call = { method: 'GET', path: `${this.#path}${folders[type]}/`, aside: true } as const
    const answer = await this.#ask(asked, call, signal)
    if (answer.status !== 200) {
      await answer.discard()
      if (answer.status === 404) return
      throw refusal(asked, answer)
    }
    const unsized: string[] = []
    for await (const { name, size } of this.#readList(asked, answer, signal)) {
      if (size !== undefined) yield { type, name, size }
      else if (unsized.push(name) > mostFilesOfVersion1) throw nonsense(asked, 'its list has too many files')
    }
    const sizes = mapInOrder(unsized, async (name) => this.#find({ type, name }, signal), this.connections)
    for await (const file of sizes) if (file !== undefined) yield file
  }

  async remove(ref: FileRef, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    checkRequest(this.place, ref)
    const asked = this.#asked('remove', ref)
    // because to rest-server a file that is not there is removed well
    if ((await this.#findSize(ref, 'remove', signal)) === undefined) {
      throw backendError('backend.missing', { file: asked.file, place: this.place })
    }
    const answer = await this.#ask(asked, { method: 'DELETE', ref }, signal)
    await answer.discard()
    if (!isDone(answer)) throw refusal(asked, answer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]()
  }

  /** Looks first, because a server may overwrite, or hide behind one status that the name is taken and that we may not. */
  async #saveAlone(ref: FileRef, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const asked = this.#asked('save', ref)
    const conflict = (): Error => backendError('backend.conflict', { file: asked.file, place: this.place })
    const found = await this.#findSize(ref, 'save', signal)
    if (found !== undefined && !(await this.#isGhost(ref, signal))) {
      if (found === body.length || !(await this.#removeUnfinished(ref, signal))) throw conflict()
    }
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(body.length) }
    let answer: Answer
    try {
      answer = await this.#ask(asked, { method: 'POST', ref, body, headers }, signal)
    } catch (thrown) {
      await this.#tidy(ref, body.length, thrown)
      throw thrown
    }
    await answer.discard()
    if (isDone(answer)) {
      if (ref.type === 'config' && !(await this.#holds(ref, body, signal))) throw conflict()
      return
    }
    if (answer.status === 403 && (await this.#findSize(ref, 'save', signal)) !== undefined) throw conflict()
    const refused = refusal(asked, answer)
    if (answer.status >= 500) await this.#tidy(ref, body.length, refused)
    throw refused
  }

  /** Whether a config is ours, because of two who make a repository at once a server that overwrites lets both go on. */
  async #holds(ref: FileRef, body: Uint8Array, signal?: AbortSignal): Promise<boolean> {
    return Buffer.compare(await loadAll(this, ref, undefined, signal), body) === 0
  }

  /**
   * Sees that a save which failed leaves no part of the file behind: servers that write under the final name take such a
   * part away when they notice, which takes a moment, and may not notice.
   *
   * @throws `backend.half-stored` when the server may not know that the upload is over: once it learns, rclone removes
   * whatever has the name by then, so that nothing may be stored under it any more.
   */
  async #tidy(ref: FileRef, size: number, failure: unknown): Promise<void> {
    // because a config may be that of somebody else, and no other name is ever chosen twice
    if (ref.type === 'config') return
    const mayStillWrite = failure instanceof AppError && failure.cause instanceof Stalled
    if (!mayStillWrite) this.#unfinished.add(ref.name)
    let isGone: boolean
    try {
      if (await this.#settles(ref, size)) {
        this.#unfinished.delete(ref.name)
        return
      }
      isGone = await this.#takeAway(ref, AbortSignal.timeout(tidyMs))
    } catch {
      return // because the failed save is the news; whoever saves the file again begins with this
    }
    if (mayStillWrite || !isGone) throw halfStored(this.place, ref, failure)
  }

  /** Waits until the file is whole, or not there. @returns false when a part of it stays. */
  async #settles(ref: FileRef, size: number): Promise<boolean> {
    const giveUpAt = systemClock.monotonic() + settleMs
    while (systemClock.monotonic() < giveUpAt) {
      // first of all, because what rclone is asked about too early it takes for there ever after
      await pause(settleMs / 10)
      const signal = AbortSignal.timeout(tidyMs)
      const found = await this.#findSize(ref, 'save', signal)
      if (found === undefined || found === size || (await this.#isGhost(ref, signal))) return true
    }
    return false
  }

  /** Whether the server believes in a file that is gone: rclone remembers the part of one that it has removed. */
  async #isGhost(ref: FileRef, signal?: AbortSignal): Promise<boolean> {
    const headers = { range: 'bytes=0-0' }
    const answer = await this.#ask(this.#asked('load', ref), { method: 'GET', ref, headers }, signal)
    await answer.discard()
    return answer.status === 404
  }

  /** Takes away what we ourselves left behind, and nobody writes any more. @returns whether it is gone. */
  async #removeUnfinished(ref: FileRef, signal?: AbortSignal): Promise<boolean> {
    return this.#unfinished.has(ref.name) && (await this.#takeAway(ref, signal))
  }

  async #takeAway(ref: FileRef, signal?: AbortSignal): Promise<boolean> {
    const answer = await this.#ask(this.#asked('remove', ref), { method: 'DELETE', ref }, signal)
    await answer.discard()
    if (isDone(answer)) this.#unfinished.delete(ref.name)
    return isDone(answer)
  }

  async #find(ref: FileRef, signal?: AbortSignal): Promise<FileStat | undefined> {
    const size = await this.#findSize(ref, 'list', signal)
    return size === undefined ? undefined : { ...ref, size }
  }

  /** Undefined when it is not there. */
  async #findSize(ref: FileRef, verb: Verb, signal?: AbortSignal): Promise<number | undefined> {
    const asked = this.#asked(verb, ref)
    const answer = await this.#ask(asked, { method: 'HEAD', ref }, signal)
    await answer.discard()
    if (answer.status === 404) return undefined
    if (answer.status !== 200) throw refusal(asked, answer)
    const size = lengthIn(answer)
    if (size === undefined) throw nonsense(asked, 'it does not say how long the file is')
    return size
  }

  async #checkEmpty(ref: FileRef, range: ByteRange, signal?: AbortSignal): Promise<void> {
    const size = await this.#findSize(ref, 'load', signal)
    if (size === undefined) {
      throw backendError('backend.missing', { file: describeFile(ref), place: this.place })
    }
    rangeWithin(this.place, ref, size, range)
  }

  async *#read(
    asked: Asked,
    answer: Answer,
    size: number,
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, void> {
    let read = 0
    try {
      for await (const bytes of answer.bytes(signal)) {
        read += bytes.length
        if (read > size) throw nonsense(asked, `it brings more than the ${size} bytes that it announced`)
        if (bytes.length > 0) yield bytes
      }
    } catch (thrown) {
      signal?.throwIfAborted()
      throw translate(thrown, asked)
    }
    if (read < size) throw nonsense(asked, `it ended after ${read} of ${size} bytes`)
  }

  /** Each name once; what is no file of a repository is passed over. */
  async *#readList(asked: Asked, answer: Answer, signal?: AbortSignal): AsyncGenerator<ListItem, void, void> {
    const seen = new NameSet()
    try {
      for await (const item of readList(answer.bytes(signal))) {
        signal?.throwIfAborted()
        if (isFileName(item.name) && seen.add(item.name)) yield item
        if (seen.size > mostFiles) throw nonsense(asked, 'its list has too many files')
      }
    } catch (thrown) {
      signal?.throwIfAborted()
      throw translate(thrown, asked)
    }
  }

  #asked(verb: Verb, ref: FileRef): Asked {
    return { place: this.place, verb, file: describeFile(ref) }
  }

  #pathOf(ref: FileRef): string {
    return `${this.#path}${ref.type === 'config' ? 'config' : `${folders[ref.type]}/${ref.name}`}`
  }

  async #ask(asked: Asked, call: Question, signal?: AbortSignal): Promise<Answer> {
    const { method, ref, body, aside = ref?.type === 'lock' } = call
    const path = ref === undefined ? call.path! : this.#pathOf(ref)
    const headers = { ...this.#headers, ...(body && { 'content-length': String(body.length) }), ...call.headers }
    try {
      return await this.#transport.ask({ method, path, headers, aside, ...(body && { body }) }, signal)
    } catch (thrown) {
      signal?.throwIfAborted()
      throw translate(thrown, asked)
    }
  }
}

/** What the server is asked: about a file, or by a path. */
interface Question extends Partial<Call> {
  readonly method: Call['method']
  readonly ref?: FileRef
}

/** What a server has to notice that an upload broke off. */
const settleMs = 1000
/** What it has for each question about that. */
const tidyMs = 3000

function isDone({ status }: Answer): boolean {
  return status === 200 || status === 201 || status === 204
}
