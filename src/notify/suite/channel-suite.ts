import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import type { Channel, Message } from '../channel.ts'

/** A message as the other side got it. */
export interface Arrived {
  readonly id: string
  /** As a person sees it. */
  readonly subject: string
  readonly text: string
  /** All that came, undecoded. */
  readonly raw: string
}

/** A channel and its other side, which can be told how to behave. */
export interface ChannelScene extends AsyncDisposable {
  readonly channel: Channel
  /** What arrived so far. */
  arrived(): readonly Arrived[]
  behave(how: 'well' | 'busy' | 'refusing' | 'stalling'): void
  /** Nobody listens any more. */
  stop(): Promise<void>
}

/** A message for tests. */
export function sampleMessage(changes: Partial<Message> = {}): Message {
  return {
    id: 'i-3f09ac.opened',
    at: Date.UTC(2026, 10, 22, 2, 5),
    kind: 'opened',
    gravity: 'alarm',
    subject: '🚨 [Havun] BACKUP FAILED - HavunAdmin',
    text: 'BACKUP FAILED - HavunAdmin\n\nThe last run made no backup.\n\n   bewaar logs --project=havunadmin\n',
    html: '<!doctype html><html lang="en"><body><h1>BACKUP FAILED - HavunAdmin</h1></body></html>',
    project: 'havunadmin',
    about: ['i-3f09ac'],
    facts: { incident: 'i-3f09ac', kind: 'failed', criticality: 'critical', since: '2026-11-22T02:00:00.000Z' },
    ...changes,
  }
}

const hostile = [
  'a\r\nBcc: victim@example.org\r\n\r\nbody',
  'x'.repeat(10_000),
  '<script>alert(1)</script>',
  '\u202Egnp.exe\u2066 \u200F',
  '@everyone <!channel> <@U123> <https://evil.example/|click> [click](https://evil.example)',
  '``` **bold** `code` ~~gone~~',
  '\u0000\u0007\u001b[31m\ud800',
]

/**
 * The contract of a channel, for every implementation.
 *
 * @param open - a fresh scene, whose channel gives up after `timeoutMs`.
 * @param options - `hasIds`: the other side can tell a message that it gets twice. Default: yes.
 */
export function channelSuite(
  name: string,
  open: (timeoutMs: number) => Promise<ChannelScene>,
  { hasIds = true }: { readonly hasIds?: boolean } = {},
): void {
  const never = new AbortController().signal

  describe(`${name} as a channel`, () => {
    test('brings a message once, whole, and returns what was answered on one line', async () => {
      await using scene = await open(5000)
      const receipt = await scene.channel.send(sampleMessage(), never)
      const [arrived, ...others] = scene.arrived()
      assert.equal(others.length, 0)
      assert.ok(arrived!.subject.includes('[Havun] BACKUP FAILED - HavunAdmin'), arrived!.subject)
      assert.ok(arrived!.text.includes('bewaar logs --project=havunadmin'), arrived!.text)
      assert.ok(receipt.answer.length <= 300 && !receipt.answer.includes('\n'))
    })

    test('sends the same id for each attempt at one message, and another for another', async () => {
      await using scene = await open(5000)
      await scene.channel.send(sampleMessage(), never)
      await scene.channel.send(sampleMessage(), never)
      await scene.channel.send(sampleMessage({ id: 'i-3f09ac.reminder-1' }), never)
      const ids = scene.arrived().map(({ id }) => id)
      assert.equal(ids.length, 3)
      assert.equal(ids[0], ids[1])
      if (hasIds) assert.notEqual(ids[1], ids[2])
      assert.notEqual(ids[0], '')
    })

    test('keeps names from outside what they are, whatever they hold', async () => {
      for (const words of hostile) {
        await using scene = await open(5000)
        const subject = `🚨 [Havun] BACKUP FAILED - ${words}`
        await scene.channel.send(sampleMessage({ subject, text: `Project: ${words}\n`, brief: words }), never)
        const [arrived, ...others] = scene.arrived()
        assert.equal(others.length, 0)
        const said = arrived!.subject + arrived!.text
        // oxlint-disable-next-line no-control-regex
        assert.doesNotMatch(arrived!.subject, /[\r\n\u0000-\u0008\u001b\u202a-\u202e\u2066-\u2069]/)
        // oxlint-disable-next-line no-control-regex
        assert.doesNotMatch(said, /[\u0000\u0007\u001b\u202a-\u202e\u2066-\u2069]/)
        assert.ok(said.isWellFormed())
      }
    })

    test('says of a trouble that may pass that it may be tried again, and works when it has passed', async () => {
      await using scene = await open(5000)
      scene.behave('busy')
      await assert.rejects(scene.channel.send(sampleMessage(), never), {
        code: 'channel.unavailable',
        kind: 'unavailable',
      })
      scene.behave('well')
      await scene.channel.send(sampleMessage(), never)
    })

    test('says of a refusal that a person must mend something', async () => {
      await using scene = await open(5000)
      scene.behave('refusing')
      await assert.rejects(scene.channel.send(sampleMessage(), never), { code: 'channel.refused', kind: 'denied' })
    })

    test('gives up an other side that does not answer', async () => {
      await using scene = await open(300)
      scene.behave('stalling')
      await assert.rejects(scene.channel.send(sampleMessage(), never), { code: 'channel.unavailable' })
    })

    test('ends at once when it is told to', async () => {
      await using scene = await open(20_000)
      scene.behave('stalling')
      const stopping = new AbortController()
      const reason = new Error('enough')
      setTimeout(() => stopping.abort(reason), 100)
      await assert.rejects(scene.channel.send(sampleMessage(), stopping.signal), reason)
    })

    test('says so when nobody listens', async () => {
      await using scene = await open(5000)
      await scene.stop()
      await assert.rejects(scene.channel.send(sampleMessage(), never), { code: 'channel.unavailable' })
    })
  })
}
