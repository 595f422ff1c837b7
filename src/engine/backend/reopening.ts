import { AppError } from '#base'
import type { Backend } from './backend.ts'

/** A backend and how many operations it is busy with. */
export interface Held {
  readonly backend: Backend
  users: number
  /** Whether an operation has failed on it: then no further one begins. */
  isSuspect: boolean
}

/**
 * One place, opened anew after an operation on it has failed; what was open before ends with the last operation that it is
 * busy with. Without `reconnect` it is the same backend for ever.
 */
export class Reopening implements AsyncDisposable {
  readonly first: Backend
  readonly #reconnect: (() => Promise<Backend>) | undefined
  readonly #open = new Set<Held>()
  readonly #closing = new Set<Promise<void>>()
  #current: Promise<Held>

  constructor(first: Backend, reconnect: (() => Promise<Backend>) | undefined) {
    this.first = first
    this.#reconnect = reconnect
    this.#current = Promise.resolve(this.#hold(first))
  }

  /** The backend to ask; whoever asks it counts `users` up, and calls `release`. @throws what `reconnect` throws. */
  async current(): Promise<Held> {
    const before = this.#current
    const held = await before.catch(() => undefined)
    if (held && !(held.isSuspect && this.#reconnect)) return held
    // because of all who wait here only the first one opens it
    if (this.#current === before) this.#current = this.#reconnect!().then((backend) => this.#hold(backend))
    return await this.#current
  }

  /** @param thrown - what the operation failed with, if it did. */
  release(held: Held, thrown?: unknown): void {
    held.users--
    if (isUnavailable(thrown)) held.isSuspect = true
    if (held.users > 0 || !held.isSuspect || !this.#reconnect) return
    this.#open.delete(held)
    this.#close(held.backend)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#current.catch(() => {}) // because what could not be opened need not be closed
    await Promise.all([...Array.from(this.#open, ({ backend }) => backend[Symbol.asyncDispose]()), ...this.#closing])
  }

  #close(backend: Backend): void {
    const closing = Promise.resolve(backend[Symbol.asyncDispose]())
      .catch(() => {}) // because what has failed cannot end in order
      .finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }

  #hold(backend: Backend): Held {
    const held = { backend, users: 0, isSuspect: false }
    this.#open.add(held)
    return held
  }
}

/** Whether it may be tried again: what a place itself says, or what kept us from reaching it. */
export function isUnavailable(thrown: unknown): boolean {
  if (!(thrown instanceof AppError) || thrown.kind !== 'unavailable') return false
  return thrown.code === 'backend.unavailable' || !thrown.code.startsWith('backend.')
}
