import { pause } from '#base'
import { backendError } from './errors.ts'
import { describeFile } from './file-ref.ts'
import { loadAll } from './load-all.ts'
import type { Backend, ByteRange, FileRef, FileStat, FileType } from './backend.ts'

export type Operation = 'save' | 'load' | 'list' | 'remove'

/**
 * What goes wrong with one operation:
 *
 * - `fail`: it has no effect and throws `backend.unavailable`;
 * - `lose-answer`: it has its whole effect and then throws `backend.unavailable`;
 * - `delay`: it happens `delayMs` later;
 * - `truncate`: a save keeps only the first part of the bytes under the final name, as a place without atomic writes
 *   does, and everything stops; a load or list ends early as if that were all;
 * - `flip`: one bit of the bytes that a load gives, or a save stores, is turned over;
 * - `stop`: neither this operation nor any later one has an effect, as if the process had been killed here.
 */
export type FaultAction = 'fail' | 'lose-answer' | 'delay' | 'truncate' | 'flip' | 'stop'

export interface Fault {
  /** Strikes the nth operation, counted from 1 over all operations that match `on` and `type`. */
  readonly at: number
  readonly action: FaultAction
  /** Counts and strikes only these. Default: all. */
  readonly on?: readonly Operation[]
  /** Counts and strikes only files of this type. Default: all. */
  readonly type?: FileType
  /** How many matching operations it strikes from `at` on. Default: 1. */
  readonly times?: number
  /** Default: 10. */
  readonly delayMs?: number
}

export interface FaultyOptions {
  readonly faults?: readonly Fault[]
  /** Besides, each operation is struck with this chance (0 to 1) by one of `actions`; the same seed, the same faults. */
  readonly chance?: { readonly share: number; readonly actions: readonly FaultAction[]; readonly seed: number }
  /** Chooses the flipped bits and the places of truncation. Default: that of `chance`, or 1. */
  readonly seed?: number
}

export interface PerformedOperation {
  readonly operation: Operation
  readonly type: FileType
  /** '' for a list, and for the config. */
  readonly name: string
}

/** A backend that fails on purpose, and writes down what was asked of it. Disposing disposes the backend it wraps. */
export class FaultyBackend implements Backend {
  readonly #inner: Backend
  readonly #faults: readonly Fault[]
  readonly #counts: number[]
  readonly #chance: FaultyOptions['chance']
  readonly #random: () => number
  readonly #operations: PerformedOperation[] = []
  #stopped = false

  constructor(inner: Backend, options: FaultyOptions = {}) {
    this.#inner = inner
    this.#faults = options.faults ?? []
    this.#counts = this.#faults.map(() => 0)
    this.#chance = options.chance
    this.#random = seededRandom(options.seed ?? options.chance?.seed ?? 1)
  }

  get place(): string {
    return this.#inner.place
  }

  get connections(): number {
    return this.#inner.connections
  }

  /** All operations that were asked for, in order, struck ones and those after a stop among them. */
  get operations(): readonly PerformedOperation[] {
    return this.#operations
  }

  get stopped(): boolean {
    return this.#stopped
  }

  async save(ref: FileRef, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    const action = await this.#strike('save', ref, signal)
    if (action === 'truncate') {
      this.#stopped = true
      await this.#inner.save(ref, this.#truncated(body), signal)
      throw this.#unavailable('save', ref)
    }
    await this.#inner.save(ref, action === 'flip' ? this.#flipped(body) : body, signal)
    if (action === 'lose-answer') throw this.#unavailable('save', ref)
  }

  async *load(ref: FileRef, range?: ByteRange, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    const action = await this.#strike('load', ref, signal)
    if (action === 'truncate' || action === 'flip') {
      const bytes = await loadAll(this.#inner, ref, range, signal)
      yield action === 'flip' ? this.#flipped(bytes) : this.#truncated(bytes)
      return
    }
    yield* this.#inner.load(ref, range, signal)
    if (action === 'lose-answer') throw this.#unavailable('load', ref)
  }

  async *list(type: FileType, signal?: AbortSignal): AsyncGenerator<FileStat, void, void> {
    const ref = { type, name: '' }
    const action = await this.#strike('list', ref, signal)
    const files = await Array.fromAsync(this.#inner.list(type, signal))
    yield* action === 'truncate' ? files.slice(0, Math.floor(this.#random() * files.length)) : files
    if (action === 'lose-answer') throw this.#unavailable('list', ref)
  }

  async remove(ref: FileRef, signal?: AbortSignal): Promise<void> {
    const action = await this.#strike('remove', ref, signal)
    await this.#inner.remove(ref, signal)
    if (action === 'lose-answer') throw this.#unavailable('remove', ref)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]()
  }

  /** Counts the operation, waits or throws as its fault says, and returns the action that is left to do. */
  async #strike(operation: Operation, ref: FileRef, signal?: AbortSignal): Promise<FaultAction | undefined> {
    this.#operations.push({ operation, type: ref.type, name: ref.name })
    const fault = this.#faultOf(operation, ref)
    if (fault?.action === 'stop') this.#stopped = true
    if (this.#stopped || fault?.action === 'fail') throw this.#unavailable(operation, ref)
    if (fault?.action === 'delay') await pause(fault.delayMs ?? 10, signal)
    return fault?.action
  }

  #faultOf(operation: Operation, ref: FileRef): Pick<Fault, 'action' | 'delayMs'> | undefined {
    let found: Pick<Fault, 'action' | 'delayMs'> | undefined
    for (const [index, fault] of this.#faults.entries()) {
      if (fault.on?.includes(operation) === false || (fault.type ?? ref.type) !== ref.type) continue
      const count = (this.#counts[index]! += 1)
      if (count >= fault.at && count < fault.at + (fault.times ?? 1)) found ??= fault
    }
    if (found !== undefined || this.#chance === undefined) return found
    const { share, actions } = this.#chance
    const [strikes, which] = [this.#random() < share, this.#random()]
    const action = strikes ? actions[Math.floor(which * actions.length)] : undefined
    return action && { action }
  }

  #truncated(bytes: Uint8Array): Uint8Array {
    return bytes.subarray(0, Math.floor(this.#random() * bytes.length))
  }

  #flipped(bytes: Uint8Array): Uint8Array {
    const copy = Uint8Array.from(bytes)
    const bit = Math.floor(this.#random() * copy.length * 8)
    if (copy.length > 0) copy[bit >> 3]! ^= 1 << (bit & 7)
    return copy
  }

  #unavailable(verb: Operation, ref: FileRef): Error {
    const reason = this.#stopped ? 'a fault stopped it for good' : 'a fault was asked for'
    return backendError('backend.unavailable', { place: this.place, verb, file: describeFile(ref), reason })
  }
}

/** Marsaglia's xorshift with 32 bits: numbers from 0 up to, and without, 1. */
function seededRandom(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 2 ** 32
  }
}
