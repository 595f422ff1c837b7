import type { Secret } from '#base'
import type { Channel, Message } from '../channel.ts'
import { post, type Network } from '../http.ts'
import { cut, oneLine, plainLines } from '../plain.ts'

/** Source: Discord, "Execute Webhook": the limit of `content`. */
const longest = 2000
const longestSubject = 250
/** Source: Discord, message flags: no previews of links. */
const suppressEmbeds = 4

/** A webhook of Discord. The text stands in a block of code, where nothing is markup; nobody is mentioned. */
export function discordChannel(
  { webhook, allowPrivate }: { readonly webhook: Secret; readonly allowPrivate: boolean },
  network: Network = {},
): Channel {
  return {
    name: 'discord',
    send: async (message, signal) => {
      const asked = {
        channel: 'discord',
        url: webhook.reveal(),
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(discordForm(message)),
        allowPrivate,
      }
      const { status, text } = await post(asked, network, signal)
      return { answer: text === '' ? String(status) : text }
    },
  }
}

function discordForm({ subject, text, brief = text }: Message): unknown {
  const title = `**${escaped(oneLine(subject, longestSubject))}**\n`
  const room = longest - title.length - '```\n\n```'.length
  // because three backticks would end the block; a space of no width keeps them apart
  const lines = plainLines(brief, room).replaceAll('``', '`\u200B`')
  return {
    content: `${title}\`\`\`\n${cut(lines, room)}\n\`\`\``,
    allowed_mentions: { parse: [] },
    flags: suppressEmbeds,
    username: 'Bewaar',
  }
}

/** Markdown of Discord, its mentions and its links. */
function escaped(text: string): string {
  return text
    .replace(/[\\`*_~|#>[\]()<@:-]/g, (mark) => `\\${mark}`)
    .replaceAll('@everyone', '@\u200Beveryone')
    .replaceAll('@here', '@\u200Bhere')
}
