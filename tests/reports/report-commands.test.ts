import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, suite, test } from 'node:test'

import { decodeWords, MailServer, partOf } from '#notify/testing'
import type { Place } from '../e2e/place.ts'
import { shopPlace } from '../e2e/shop.ts'

const configuration = `organisation: HavunCore
timezone: Europe/Amsterdam
language: nl
state: ./state
vaults:
  hot: { location: ./hot, password: { file: ./password } }
  archive: { location: ./archive, password: { file: ./password }, price: 12 EUR/month }
projects:
  shop:
    title: "Webshop <b>&\\u202e\\r\\nBcc: x@example.org"
    type: node-app
    path: ./shop
    schedule: daily 03:00
    vault: hot
    copies: [{ to: archive }]
  gone: { type: generic, path: ./nothing, schedule: daily 03:00, vault: hot }
`

suite('reports and logs on the command line', () => {
  let place: Place
  let server: MailServer
  before(async () => {
    server = await MailServer.start()
    place = await shopPlace(configuration)
    const codes = [await place.bewaar('init'), await place.bewaar('run')].map(({ code }) => code)
    assert.deepEqual(codes, [0, 1])
  })
  after(async () => {
    await place?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  test('a report that was to be sent goes nowhere without a channel: exit code 1', async () => {
    const { code, out } = await place.bewaar('report', '--send')
    assert.equal(code, 1)
    assert.match(out, /\nSent to nobody: the configuration has no channel/)
  })

  test('a report goes out as a mail with text and HTML, and names steer nothing in it', async () => {
    const notify = `notify:\n  mail: { smtp: "smtp://127.0.0.1:${server.port}", from: bewaar@example.org, to: [jan@example.org] }\n  digest: daily 07:00\n  weekly: weekly monday 08:00\n  monthly: monthly 1 08:00\n`
    await place.write('bewaar.yaml', configuration + notify)
    const { code, out } = await place.bewaar('report', '--weekly', '--send')
    assert.equal(code, 0, out)
    assert.match(out, /\nSent to mail: /)
    const [mail] = server.arrived
    assert.equal(server.arrived.length, 1)
    assert.deepEqual(mail!.to, ['jan@example.org'])
    assert.match(
      decodeWords(mail!.headers.get('subject')!),
      /^⚠ \[HavunCore\] Wekelijks back-uprapport - 20\d\d-\d\d-\d\d$/,
    )
    assert.equal(mail!.headers.get('bcc'), undefined)
    // because a line that was folded before an option looks as a border of parts does
    const raw = mail!.raw.replace(/=\r\n--/g, '--')
    const [text, html] = [partOf(raw, 'text/plain'), partOf(raw, 'text/html')]
    assert.match(text, /⚠ 1 van de 2 projecten vraagt aandacht: gone \(te laat\)/)
    assert.match(text, /^Webshop <b>& Bcc: x@/m)
    assert.match(html, /<bdi>Webshop &lt;b&gt;&amp; Bcc: x@example\.org<\/bdi>/)
    assert.doesNotMatch(html, /<b>&/)
  })

  test('a mail server that refuses is said, with exit code 1', async () => {
    server.behaviour = 'refusing'
    const { code, out } = await place.bewaar('report', '--send', '--html=page.html')
    server.behaviour = 'well'
    assert.equal(code, 1)
    assert.match(out, /^Written to page\.html\nNot sent to mail: /)
    assert.match(await readFile(place.at('page.html'), 'utf8'), /^<!doctype html>/)
    const json = await place.bewaar('report', '--send', '--json')
    const { sent } = JSON.parse(json.out) as { sent: Record<string, unknown>[] }
    assert.deepEqual([json.code, sent.map(({ channel, status }) => [channel, status])], [0, [['mail', 'sent']]])
  })

  test('the page and the JSON go to standard output, and the JSON has its documented keys', async () => {
    const page = await place.bewaar('report', '--html=-', '--project=shop')
    assert.equal(page.code, 0)
    assert.match(page.out, /^<!doctype html>[^]*<\/html>\n$/)
    const { out } = await place.bewaar('report', '--monthly', '--json')
    const report = JSON.parse(out) as Record<string, unknown> & { projects: Record<string, unknown>[] }
    const keys = ['period', 'from', 'to', 'made', 'projects', 'vaults', 'incidents', 'totals', 'sent']
    assert.deepEqual(Object.keys(report), keys)
    const ofProject =
      'project title criticality paused verdict reasons newest oldest lastRun runs due succeeded seconds bytesRead bytesAdded growth vaults copies verifications cleanups tested'
    assert.deepEqual(Object.keys(report.projects[0]!), ofProject.split(' '))
    assert.equal(report['period'], 'month')
  })

  test('what is asked of another time is checked', async () => {
    const future = await place.bewaar('report', '--until=2999-01-01')
    assert.deepEqual([future.code, future.err.includes('has not come yet')], [2, true])
    const past = await place.bewaar('report', '--monthly', '--until=2025-12-31', '--json')
    const { from, to } = JSON.parse(past.out) as { from: string; to: string }
    assert.deepEqual([from, to], ['2025-11-30T23:00:00.000Z', '2025-12-31T23:00:00.000Z'])
    const nowhere = await place.bewaar('report', '--html=no/such/folder/page.html')
    assert.deepEqual([nowhere.code, /\(cli\.unwritable\)/.test(nowhere.err)], [1, true])
  })

  test('the log has what was done, how it ended, where, how much, how long, and why not', async () => {
    assert.equal((await place.bewaar('restore', '--project=shop', '--latest', '--to=out', '--yes')).code, 0)
    const { out } = await place.bewaar('logs')
    assert.match(out, /^TIME +KIND +PROJECT +VAULT +RESULT +SIZE +TOOK\n/)
    assert.match(out, /^20\S+ \d\d:\d\d {2}backup +shop +hot +complete +[\d.]+ K?B +0:\d\d$/m)
    assert.match(out, /^20\S+ \d\d:\d\d {2}copy +shop +archive +complete /m)
    assert.match(out, / backup +gone +hot +failed +0:\d\d\n {4}Backup to hot failed: .*nothing/)
    assert.match(
      out,
      / restore +shop +hot +complete .*\n {4}Restore of \w{8} from hot to .*out complete\n {4}by \S+@\S+, snapshot /,
    )
    const rows = out.split('\n').filter((line) => !line.startsWith('    '))
    assert.ok(rows.every((line) => line.length <= 80))
  })

  test('the log can be asked for kinds and times', async () => {
    const kindsOf = async (...args: string[]): Promise<string[]> => {
      const { out } = await place.bewaar('logs', '--json', ...args)
      return [...new Set((JSON.parse(out) as { kind: string }[]).map(({ kind }) => kind))].toSorted()
    }
    assert.deepEqual(await kindsOf('--kind=copy,restore'), ['copy', 'restore'])
    assert.ok((await kindsOf('--since=1 hour')).includes('backup'))
    const { out } = await place.bewaar('logs', '--since=2999-01-01')
    assert.equal(out, 'Nothing that fits has been logged.\n')
    assert.equal((await place.bewaar('logs', '--since=yesterday')).code, 2)
    const verbose = await place.bewaar('logs', '--kind=backup', '--project=shop', '--verbose')
    assert.match(verbose.out, /\n {4}Backup to hot complete\n {4}by \S+@\S+, snapshot \w{8}, run \S+\n$/)
    const json = JSON.parse((await place.bewaar('logs', '--kind=backup', '--project=shop', '--json')).out) as [
      Record<string, unknown>,
    ]
    const { result, vault, bytes, seconds, who, sha256 } = json[0]
    assert.deepEqual(
      [result, vault, typeof bytes, typeof seconds, typeof who],
      ['complete', 'hot', 'number', 'number', 'string'],
    )
    assert.ok(Object.values(sha256 as Record<string, string>).every((hash) => /^[0-9a-f]{64}$/.test(hash)))
  })
})
