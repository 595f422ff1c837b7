import type { SecretReference } from './secret-reference.ts'

/** Where something that speaks HTTP may lead. */
export interface Reach {
  /** Also to private addresses and to this machine, and without TLS to this machine. */
  readonly allowPrivate?: boolean
}

/** An address that hears of each run, and raises an alarm of its own when it hears nothing. */
export interface Ping extends Reach {
  readonly url: SecretReference
}
