import type { Secret } from '#base'
import type { Channel, Message } from '../channel.ts'
import { post, type Network } from '../http.ts'
import { cut, oneLine, plainLines } from '../plain.ts'

/** Source: Slack, "Block Kit", limits of a header and of a section. */
const longestHeader = 150
const longestSection = 3000

/** An incoming webhook of Slack, or of what speaks as it does (Mattermost). Nothing in a message becomes markup, a mention or a link. */
export function slackChannel(
  { webhook, allowPrivate }: { readonly webhook: Secret; readonly allowPrivate: boolean },
  network: Network = {},
): Channel {
  return {
    name: 'slack',
    send: async (message, signal) => {
      const asked = {
        channel: 'slack',
        url: webhook.reveal(),
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(slackForm(message)),
        allowPrivate,
      }
      const { text } = await post(asked, network, signal)
      return { answer: text }
    },
  }
}

/** Plain text throughout; `text` is what notifications show, where Slack looks for markup still. */
function slackForm({ subject, text, brief = text }: Message): unknown {
  const title = oneLine(subject, longestHeader)
  return {
    text: escaped(title),
    mrkdwn: false,
    link_names: 0,
    parse: 'none',
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: title, emoji: false } },
      { type: 'section', text: { type: 'plain_text', text: plainLines(brief, longestSection), emoji: false } },
    ],
  }
}

/** Source: Slack, "Formatting text for app surfaces": these three make mentions and links. */
function escaped(text: string): string {
  return cut(text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'), longestSection)
}
