import type { ChannelName } from '#model'

/** What a message is about: the life of an incident, a report of a period, or a test of the channel. */
export type MessageKind = 'opened' | 'worse' | 'reminder' | 'resolved' | 'report' | 'test'

/** How loud a message is: `alarm` may wake somebody, `good` is the end of a trouble. */
export type Gravity = 'alarm' | 'warning' | 'notice' | 'good'

/** One message, composed for people and machines; texts may hold names from outside, which each channel escapes. */
export interface Message {
  /** The same for each attempt, so that who gets it twice can drop one: letters, digits, `.`, `_` and `-`. */
  readonly id: string
  /** Milliseconds since 1970, UTC: when it was composed. */
  readonly at: number
  readonly kind: MessageKind
  readonly gravity: Gravity
  /** One line. */
  readonly subject: string
  /** Lines for a person; the channel cuts what is too long for it. */
  readonly text: string
  /** The same in a few lines, for chat and telephones. Default: the text. */
  readonly brief?: string
  /** A whole document; a channel that shows none uses the text. */
  readonly html?: string
  /** Name of the project that it is about, if it is one. */
  readonly project?: string
  /** The incidents that it is about: messages about the same ones belong together. */
  readonly about?: readonly string[]
  /** For machines: `kind`, `vault`, `criticality`, `since` … */
  readonly facts: Readonly<Record<string, string | number>>
}

/** What the other side said when it took a message. */
export interface Receipt {
  /** One line, at most 300 characters. */
  readonly answer: string
  /** What was not as it should be though the message was taken, as one sentence. */
  readonly warning?: string
}

/**
 * A way to tell people. Every implementation passes `channelSuite` (#notify/testing).
 *
 * Nothing is kept open between two messages, and one attempt ends within a minute, whatever the other side does.
 */
export interface Channel {
  readonly name: ChannelName
  /**
   * Sends one message, once.
   *
   * @throws `channel.unavailable`, which may pass; `channel.refused` and `channel.forbidden`, which need a person; the
   * reason of the signal.
   */
  send(message: Message, signal: AbortSignal): Promise<Receipt>
}
