import { randomBytes } from '#base'
import {
  bundleNotices,
  dueNotices,
  nextAttemptAt,
  planIncidents,
  reopenMs,
  type ChannelName,
  type Delivery,
  type DueNotice,
  type FailingChannel,
  type Incident,
  type SeenTrouble,
} from '#model'
import type { Network } from '#notify'
import { attempt, channelsOf, claimMs, type AlarmServices } from './send-message.ts'

/** What one round of telling did. */
export interface TellReport {
  readonly sent: readonly {
    readonly channel: ChannelName
    readonly subject: string
    readonly incidents: readonly string[]
  }[]
  /** Each is tried again by a later round, for a day. */
  readonly failed: readonly { readonly channel: ChannelName; readonly subject: string; readonly error: string }[]
}

/** Longer than any reminder is late, so that the end of what was told is told even after days without power. */
const rememberedMs = 30 * 24 * 3_600_000
/** A channel that fails for less may only be putting us off, as mail servers do with who they do not know. */
const failingMs = 10 * 60_000

/**
 * Tells people what is due: what began, what lasts, what is over; see `dueNotices`. To be called every minute; it is safe at any
 * moment and from several processes at once, and each message is sent at least once, with one id for all attempts.
 *
 * A channel that fails is left alone for the rest of the round, and after ten minutes of it that is an incident of its own.
 *
 * @throws errors of the catalog; the signal's reason.
 */
export async function tell(services: AlarmServices, signal: AbortSignal, network: Network = {}): Promise<TellReport> {
  const { catalog, clock, configuration } = services
  const channels = channelsOf(configuration)
  if (channels.length === 0) return { sent: [], failed: [] }
  const now = clock.now()
  const incidents = await catalog.incidents.list({ since: now - rememberedMs })
  const deliveries = await catalog.deliveries.of(incidents.map(({ id }) => id))
  const failing = (await catalog.deliveries.failing()).map(({ channel }) => channel)
  const routes = configuration.notify.routes ?? []
  const due = dueNotices({ incidents, deliveries, channels, routes, failing, now })
  const rounds = await Promise.all(
    [...Map.groupBy(due, ({ channel }) => channel)].map(([channel, own]) =>
      tellChannel(services, channel, own, network, signal),
    ),
  )
  await watchChannels(services, channels, incidents)
  return { sent: rounds.flatMap(({ sent }) => sent), failed: rounds.flatMap(({ failed }) => failed) }
}

type Claimed = Delivery & { readonly incident: Incident }

async function tellChannel(
  services: AlarmServices,
  channel: ChannelName,
  due: readonly DueNotice[],
  network: Network,
  signal: AbortSignal,
): Promise<TellReport> {
  const { catalog, clock, configuration, version } = services
  const now = clock.now()
  const planned = due.map(({ incident: { id, criticality }, notice }) => ({ about: id, notice, channel, criticality }))
  const incidents = new Map(due.map(({ incident }) => [incident.id, incident]))
  const claimed = (await catalog.deliveries.claim(planned, now, now + claimMs)).map((delivery): Claimed => {
    const incident = incidents.get(delivery.about)!
    return { ...delivery, criticality: incident.criticality, incident }
  })
  const open = new Set(claimed)
  const sent: TellReport['sent'][number][] = []
  try {
    for (const group of groupsOf(claimed)) {
      signal.throwIfAborted()
      const { composeAlarm } = await import('#notify')
      const message = await composeAlarm(group, messageId(group), { configuration, version, now })
      const { error } = await attempt(services, channel, group, message, network, signal)
      for (const one of group) open.delete(one)
      if (error) {
        const at = clock.now()
        const mayPass = error.kind === 'unavailable'
        const nextAt = Math.min(...group.map((one) => nextAttemptAt(one, mayPass, at, chance()) ?? Infinity))
        const outcome = { at, nextAt: nextAt === Infinity ? undefined : nextAt, error: error.message }
        await catalog.deliveries.failed(channel, group, outcome)
        return { sent, failed: [{ channel, subject: message.subject, error: error.message }] }
      }
      for (const { incident, notice } of group) {
        await catalog.incidents.addEvent(incident.id, {
          at: clock.now(),
          what: 'told',
          text: toldText(notice, channel),
        })
      }
      sent.push({ channel, subject: message.subject, incidents: group.map(({ about }) => about) })
    }
    return { sent, failed: [] }
  } finally {
    await catalog.deliveries.release([...open])
  }
}

/** What was attempted and has no outcome goes again as it was; all the rest is bundled anew. */
function groupsOf(claimed: readonly Claimed[]): readonly (readonly Claimed[])[] {
  const cutOff = claimed.filter(({ message, error }) => message !== '' && error === undefined)
  const fresh = claimed.filter((one) => !cutOff.includes(one))
  return [...Map.groupBy(cutOff, ({ message }) => message).values(), ...bundleNotices(fresh)]
}

function messageId(group: readonly Claimed[]): string {
  const [first] = group as [Claimed]
  if (first.message !== '' && first.error === undefined) return first.message
  const single = `${first.about}.${first.notice}`
  return group.length === 1 ? single : `${single}.and-${group.length - 1}`
}

function toldText(notice: Delivery['notice'], channel: ChannelName): string {
  if (notice === 'opened') return `Told by ${channel}`
  if (notice === 'resolved') return `Told by ${channel} that it is over`
  return notice.startsWith('reminder-')
    ? `Reminder ${notice.slice('reminder-'.length)} by ${channel}`
    : `Told by ${channel} that it is graver`
}

function chance(): number {
  return randomBytes(1)[0]! / 255
}

/** A channel that fails for long is a trouble like any other: the channels that work tell of it. */
async function watchChannels(
  { catalog, clock }: Pick<AlarmServices, 'catalog' | 'clock'>,
  channels: readonly ChannelName[],
  incidents: readonly Incident[],
): Promise<void> {
  const all = await catalog.deliveries.failing()
  const gone = all.filter(({ channel }) => !channels.includes(channel))
  if (gone.length > 0) await catalog.deliveries.keepChannels(channels)
  const now = clock.now()
  const failing = all.filter(({ channel, since }) => channels.includes(channel) && now - since >= failingMs)
  const isOpen = incidents.some(({ kind, resolvedAt }) => kind === 'channel' && resolvedAt === undefined)
  if (failing.length === 0 && !isOpen) return
  const troubles = failing.length > 0 ? [troubleOf(failing)] : []
  await catalog.incidents.settle(now - reopenMs, (known) => planIncidents(known, troubles, ['channel'], now), now)
}

function troubleOf(failing: readonly FailingChannel[]): SeenTrouble {
  return {
    kind: 'channel',
    criticality: 'high',
    text: `Messages by ${failing.map(({ channel }) => channel).join(' and ')} do not arrive: ${failing[0]!.error}`,
    advice: 'Run `bewaar notify test` to see what the other side says, and mend it.',
  }
}
