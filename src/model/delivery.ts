import type { ChannelName } from './configuration.ts'
import type { Criticality } from './project.ts'

/**
 * One thing that is told of an incident: that it began (`opened`), that it became graver (`worse-critical`), that it is still
 * there (`reminder-3`), that it is over (`resolved`). A report or a test is one of its own.
 */
export type Notice = 'opened' | `worse-${Criticality}` | `reminder-${number}` | 'resolved' | 'report' | 'test'

/** Names one delivery: one notice about one incident (or report) by one channel. */
export interface DeliveryKey {
  /** Id of the incident; of a report or test, the id of the message. */
  readonly about: string
  readonly notice: Notice
  readonly channel: ChannelName
}

/** How far it is. Moments are milliseconds since 1970, UTC. */
export interface Delivery extends DeliveryKey {
  /** The message of the last attempt; several deliveries share one that bundles them. Empty: there was none. */
  readonly message: string
  /** Of the incident when it was planned. */
  readonly criticality: Criticality
  readonly plannedAt: number
  readonly attempts: number
  /** Not before then it is tried again. */
  readonly nextAt: number
  readonly sentAt?: number
  /** When it was given up, or was no longer of use; it is not tried again. */
  readonly endedAt?: number
  /** Of the last attempt, if it failed. */
  readonly error?: string
}

/** A channel whose last attempts failed. */
export interface FailingChannel {
  readonly channel: ChannelName
  /** When the first of them failed: milliseconds since 1970, UTC. */
  readonly since: number
  readonly attempts: number
  /** What the last one came to, one line. */
  readonly error: string
}
