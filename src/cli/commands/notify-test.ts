import { channelNames } from '#model'
import { testChannels } from '#usecases'
import { defineCommand, option } from '../command.ts'
import { exit } from '../exit-codes.ts'
import { oneOf } from '../parsers.ts'

export const notifyTest = defineCommand({
  examples: ['bewaar notify test', 'bewaar notify test --channel=mail', 'bewaar notify test --json'],
  input: { channel: option('--channel', oneOf(channelNames), { help: 'only this channel' }) },

  run: async (context, { channel }, signal) => {
    const configuration = await context.services.loadConfiguration()
    await using opened = await context.services.open(configuration, context)
    return await testChannels(opened.services, channel, signal)
  },

  render: (sendings) =>
    sendings.flatMap(({ channel, status, answer, hint }) => [
      status === 'failed' ? `${channel}: failed: ${answer}` : `${channel}: sent${answer === '' ? '' : ` (${answer})`}`,
      ...(hint === undefined ? [] : [`  ${hint}`]),
    ]),

  json: (sendings) =>
    sendings.map(({ channel, status, answer, hint }) => ({ channel, status, answer, hint: hint ?? null })),

  exitCode: (sendings) => (sendings.some(({ status }) => status === 'failed') ? exit.failed : exit.done),
})
