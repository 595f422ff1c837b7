import type { Secret } from '#base'
import type { Channel, Gravity, Message } from '../channel.ts'
import { post, type Network } from '../http.ts'
import { cutBytes, oneLine, plainLines } from '../plain.ts'

/** Source: ntfy, "Limitations": a longer message becomes an attachment. */
const longestBytes = 4000
const longestTitle = 250

const priorities: Record<Gravity, number> = { alarm: 5, warning: 4, notice: 3, good: 3 }

export interface NtfyOptions {
  /** Of the server, without the topic: `https://ntfy.sh`. */
  readonly url: string
  readonly topic: string
  readonly token?: Secret
  readonly allowPrivate: boolean
}

/** A topic of ntfy, published as JSON, so that nothing of a message is in a header. */
export function ntfyChannel({ url, topic, token, allowPrivate }: NtfyOptions, network: Network = {}): Channel {
  return {
    name: 'ntfy',
    send: async (message, signal) => {
      const asked = {
        channel: 'ntfy',
        url,
        headers: {
          'content-type': 'application/json',
          ...(token && { authorization: `Bearer ${token.reveal().trim()}` }),
        },
        body: JSON.stringify(ntfyForm(message, topic)),
        allowPrivate,
      }
      const { text } = await post(asked, network, signal)
      return { answer: text }
    },
  }
}

function ntfyForm({ subject, text, brief = text, gravity }: Message, topic: string): unknown {
  return {
    topic,
    title: oneLine(subject, longestTitle),
    message: cutBytes(plainLines(brief, longestBytes), longestBytes),
    priority: priorities[gravity],
    markdown: false,
  }
}
