import {
  createEventEnvelope,
  dsnFromString,
  getEnvelopeEndpointWithUrlEncodedAuth,
  serializeEnvelope,
  type DsnComponents,
  type Event,
  type SeverityLevel,
} from '@sentry/core'

import type { Secret } from '#base'
import type { Channel, Gravity, Message } from '../channel.ts'
import { notifyError } from '../errors.ts'
import { post, type Network } from '../http.ts'
import { oneLine, plainLines } from '../plain.ts'

export interface SentryOptions {
  readonly dsn: Secret
  readonly allowPrivate: boolean
  /** Of Bewaar: `0.1.0`. */
  readonly version: string
  readonly hostname: string
}

const levels: Record<Gravity, SeverityLevel> = { alarm: 'fatal', warning: 'warning', notice: 'info', good: 'info' }
/** Source: Sentry, "Tags" and size limits of events. */
const longestTag = 200
const longestMessage = 8000

/** Events in Sentry: all that is said of one incident is one issue there. Only what is in the message is sent, nothing of the process. */
export function sentryChannel({ dsn, allowPrivate, version, hostname }: SentryOptions, network: Network = {}): Channel {
  return {
    name: 'sentry',
    send: async (message, signal) => {
      const parsed = parseDsn(dsn)
      const event = await eventOf(message, version, hostname)
      const envelope = serializeEnvelope(createEventEnvelope(event, parsed))
      const asked = {
        channel: 'sentry',
        url: getEnvelopeEndpointWithUrlEncodedAuth(parsed),
        headers: { 'content-type': 'application/x-sentry-envelope' },
        body: envelope,
        allowPrivate,
      }
      const { text } = await post(asked, network, signal)
      return { answer: text }
    },
  }
}

function parseDsn(dsn: Secret): DsnComponents {
  // because Sentry's own reader writes what it cannot read, the key in it, to the console
  const text = dsn.reveal().trim()
  const parsed = /^https?:\/\/\w+(:\w+)?@[\w.[\]:-]+\/(.*\/)?\d+$/.test(text) ? dsnFromString(text) : undefined
  if (!parsed) throw notifyError('channel.invalid', { place: 'sentry', reason: 'it is not https://key@host/project' })
  return parsed
}

async function eventOf(message: Message, version: string, hostname: string): Promise<Event> {
  const { id, at, kind, gravity, subject, text, project, about, facts } = message
  const tags: Record<string, string> = { message: kind, ...(project !== undefined && { project }) }
  for (const [key, value] of Object.entries(facts)) tags[key] = oneLine(String(value), longestTag)
  return {
    event_id: await eventId(id),
    timestamp: at / 1000,
    platform: 'other',
    level: levels[gravity],
    logger: 'bewaar',
    release: `bewaar@${version}`,
    server_name: hostname,
    message: oneLine(subject, longestMessage),
    tags,
    fingerprint: ['bewaar', ...(about?.length ? about : [id])],
    extra: { text: plainLines(text, longestMessage) },
  }
}

/** The same for each attempt, so that Sentry drops the second: 32 hexadecimal characters. */
async function eventId(id: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(id))
  return Buffer.from(digest).toString('hex').slice(0, 32)
}
