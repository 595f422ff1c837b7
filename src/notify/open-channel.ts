import type { Clock, Secret } from '#base'
import type { ChannelName, Notify, SecretReference } from '#model'
import type { Channel } from './channel.ts'
import { notifyError } from './errors.ts'
import type { Network } from './http.ts'

/** What channels take from their surroundings. */
export interface ChannelSetting {
  readonly notify: Notify
  readonly organisation?: string
  /** Of Bewaar: `0.1.0`. */
  readonly version: string
  readonly hostname: string
  readonly clock: Clock
  readonly secret: (reference: SecretReference, signal?: AbortSignal) => Promise<Secret>
  /** @param path - absolute. */
  readonly readText: (path: string) => Promise<string>
}

/**
 * The channel of the configuration that has this name, with its secrets fetched. Only what it needs is loaded.
 *
 * @throws `channel.invalid` when the configuration has none; errors of the credentials.
 */
export async function openChannel(
  name: ChannelName,
  { notify, organisation, version, hostname, clock, secret, readText }: ChannelSetting,
  network: Network,
  signal: AbortSignal,
): Promise<Channel> {
  const reveal = async (reference: SecretReference | undefined): Promise<Secret | undefined> =>
    reference && (await secret(reference, signal))
  switch (name) {
    case 'mail': {
      const { mail } = notify
      if (!mail) break
      const [{ mailChannel }, password] = await Promise.all([import('./channels/mail.ts'), reveal(mail.password)])
      const authorities = mail.authorities === undefined ? undefined : await readText(mail.authorities)
      const { smtp, user, from, to } = mail
      return mailChannel(
        { smtp, from, to, ...(user !== undefined && { user }), ...(password && { password }) },
        { ...network, ...(authorities !== undefined && { authorities }) },
      )
    }
    case 'slack': {
      const { slack } = notify
      if (!slack) break
      const { slackChannel } = await import('./channels/slack.ts')
      const webhook = await secret(slack.webhook, signal)
      return slackChannel({ webhook, allowPrivate: slack.allowPrivate ?? false }, network)
    }
    case 'discord': {
      const { discord } = notify
      if (!discord) break
      const { discordChannel } = await import('./channels/discord.ts')
      const webhook = await secret(discord.webhook, signal)
      return discordChannel({ webhook, allowPrivate: discord.allowPrivate ?? false }, network)
    }
    case 'sentry': {
      const { sentry } = notify
      if (!sentry) break
      const { sentryChannel } = await import('./channels/sentry.ts')
      const dsn = await secret(sentry.dsn, signal)
      return sentryChannel({ dsn, allowPrivate: sentry.allowPrivate ?? false, version, hostname }, network)
    }
    case 'webhook': {
      const { webhook } = notify
      if (!webhook) break
      const { webhookChannel } = await import('./channels/webhook.ts')
      const key = await reveal(webhook.secret)
      const options = {
        url: await secret(webhook.url, signal),
        allowPrivate: webhook.allowPrivate ?? false,
        clock,
        ...(key && { secret: key }),
        ...(organisation !== undefined && { organisation }),
      }
      return webhookChannel(options, network)
    }
    case 'ntfy': {
      const { ntfy } = notify
      if (!ntfy) break
      const { ntfyChannel } = await import('./channels/ntfy.ts')
      const token = await reveal(ntfy.token)
      const { url, topic, allowPrivate = false } = ntfy
      return ntfyChannel({ url, topic, allowPrivate, ...(token && { token }) }, network)
    }
    default:
      return name satisfies never
  }
  throw notifyError('channel.invalid', { place: name, reason: 'the configuration has no such channel' })
}
