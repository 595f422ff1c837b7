import { createHmac } from 'node:crypto'

import type { Clock, Secret } from '#base'
import type { Channel, Message } from '../channel.ts'
import { post, type Network } from '../http.ts'
import { oneLine, plainLines } from '../plain.ts'

export interface WebhookOptions {
  readonly url: Secret
  /** Absent: what is sent is not signed. `whsec_` and base64, or any text. */
  readonly secret?: Secret
  readonly allowPrivate: boolean
  /** For the time in the signature. */
  readonly clock: Clock
  /** For the `source` of each message. */
  readonly organisation?: string
}

/** Of what is sent; it grows when a receiver would misread it, and not when a key is added. */
const schema = 1

/**
 * JSON to an address of your own, signed as Standard Webhooks says: `webhook-id`, `webhook-timestamp` (seconds) and
 * `webhook-signature`, which is `v1,` and the base64 of HMAC-SHA-256 over `id.timestamp.body`.
 *
 * Source: Standard Webhooks, "Specification".
 */
export function webhookChannel(options: WebhookOptions, network: Network = {}): Channel {
  const { url, secret, allowPrivate, clock, organisation } = options
  return {
    name: 'webhook',
    send: async (message, signal) => {
      const body = JSON.stringify(webhookForm(message, organisation))
      const timestamp = String(Math.floor(clock.now() / 1000))
      const asked = {
        channel: 'webhook',
        url: url.reveal(),
        headers: {
          'content-type': 'application/json',
          'webhook-id': message.id,
          'webhook-timestamp': timestamp,
          ...(secret && { 'webhook-signature': `v1,${sign(secret, `${message.id}.${timestamp}.${body}`)}` }),
        },
        body,
        allowPrivate,
      }
      const { status, text } = await post(asked, network, signal)
      return { answer: text === '' ? String(status) : text }
    },
  }
}

function sign(secret: Secret, text: string): string {
  const words = secret.reveal().trim()
  const key = words.startsWith('whsec_') ? Buffer.from(words.slice('whsec_'.length), 'base64') : Buffer.from(words)
  return createHmac('sha256', key).update(text).digest('base64')
}

function webhookForm(message: Message, organisation: string | undefined): unknown {
  const { id, at, kind, gravity, subject, text, project, about, facts } = message
  return {
    schema,
    type: `bewaar.${kind}`,
    id,
    timestamp: new Date(at).toISOString(),
    organisation: organisation ?? null,
    gravity,
    project: project ?? null,
    incidents: about ?? [],
    subject: oneLine(subject, 1000),
    text: plainLines(text, 100_000),
    facts,
  }
}
