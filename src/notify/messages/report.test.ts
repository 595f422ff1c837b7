import assert from 'node:assert/strict'
import { test } from 'node:test'

import { sumTotals, type Incident, type ProjectReport, type Report, type VaultReport } from '#model'
import { composeReport, type ReportMessage } from './report.ts'
import type { ReportSetting } from './report-view.ts'

/** 07:00 in Amsterdam. */
const at = Date.UTC(2025, 10, 21, 6)
const [hourMs, dayMs] = [3_600_000, 24 * 3_600_000]

const good: ProjectReport = {
  project: 'shop',
  title: 'Webshop',
  criticality: 'high',
  isPaused: false,
  verdict: 'healthy',
  reasons: [],
  newest: { at: at - 4 * hourMs, vault: 'local', bytes: 1_234_567_890 },
  oldest: { at: at - 400 * dayMs, vault: 'box' },
  lastRun: { status: 'complete', at: at - 4 * hourMs, seconds: 125 },
  runs: { running: 0, complete: 1, incomplete: 0, failed: 0, cancelled: 0 },
  scheduled: { due: 1, succeeded: 1 },
  seconds: 125,
  bytesRead: 25_000_000,
  bytesAdded: 1_500_000,
  growthBytes: 1_200_000,
  places: [
    { vault: 'local', backups: 30, newestAt: at - 4 * hourMs, oldestAt: at - 30 * dayMs, readBack: 1 },
    {
      vault: 'box',
      backups: 400,
      newestAt: at - 4 * hourMs,
      oldestAt: at - 400 * dayMs,
      readBack: 0.3666666667,
      copies: { complete: 1, failed: 0, snapshots: 1, bytesAdded: 1_500_000 },
    },
  ],
  verifications: { sound: 2, damaged: 0, failed: 0 },
  cleanups: { complete: 1, failed: 0, freedBytes: 52_000_000 },
  testedAt: at - 20 * dayMs,
}

const bad: ProjectReport = {
  ...good,
  project: 'blog',
  title: 'Blog',
  criticality: 'low',
  verdict: 'late',
  reasons: [
    {
      verdict: 'failed',
      text: 'the last run made no backup: disk full',
      advice: 'Run `bewaar logs --project=blog` to see why.',
    },
    { verdict: 'late', vault: 'local', text: 'it holds no backup yet', advice: 'Run `bewaar run --project=blog`.' },
  ],
  lastRun: { status: 'failed', at: at - 3 * hourMs, seconds: 2, because: 'disk full' },
  runs: { running: 0, complete: 0, incomplete: 0, failed: 1, cancelled: 0 },
  scheduled: { due: 1, succeeded: 0 },
  seconds: 2,
  bytesRead: 0,
  bytesAdded: 0,
  places: [{ vault: 'local', backups: 0, readBack: 0 }],
  verifications: { sound: 0, damaged: 0, failed: 0 },
  cleanups: { complete: 0, failed: 1, freedBytes: 0 },
}
const { newest: _newest, oldest: _oldest, growthBytes: _growth, testedAt: _tested, ...never } = bad

const vaults: readonly VaultReport[] = [
  {
    vault: 'local',
    isLocal: true,
    measuredAt: at,
    usedBytes: 214e9,
    freeBytes: 1.2e12,
    growthBytesPerDay: 1.3e9,
    fullAt: at + 900 * dayMs,
  },
  { vault: 'box', isLocal: false, measuredAt: at, usedBytes: 412e9, price: { perMonth: 19.04, currency: 'EUR' } },
  { vault: 'fresh', isLocal: false },
]

const incident: Incident = {
  id: 'i-3f09ac',
  kind: 'failed',
  project: 'blog',
  criticality: 'low',
  text: 'the last run made no backup',
  advice: 'See the log.',
  openedAt: at - 3 * hourMs,
  seenAt: at,
  timeline: [],
}

function reportOf(projects: readonly ProjectReport[], incidents: readonly Incident[] = []): Report {
  const span = { from: at - dayMs, to: at }
  return { period: 'day', span, at, projects, vaults, incidents, totals: sumTotals(projects, vaults) }
}

function written(report: Report, more: Partial<ReportSetting> = {}): ReportMessage {
  return composeReport(report, {
    language: 'en',
    organisation: 'HavunCore',
    timezone: 'Europe/Amsterdam',
    version: '0.1.0',
    ...more,
  })
}

/** Because the spaces of numbers and money are of a kind that cannot be seen. */
function plain(text: string): string {
  return text.replace(/[\u00a0\u202f]/g, ' ')
}

test('a report that says all is well, in English', () => {
  const { subject, text } = written(reportOf([good]))
  assert.equal(subject, '[HavunCore] Daily Backup Report - 2025-11-21')
  assert.equal(
    plain(text),
    `HavunCore – Daily Backup Report
20 Nov 07:00 – 21 Nov 07:00 (Europe/Amsterdam)

✓ All is well: the project is healthy
  1 of 1 scheduled backups succeeded (100%) · 214 GB local, 412 GB offsite ·
  €19.04 a month

PROJECTS
PROJECT    SIZE   GROWTH  LAST RUN  NEWEST        MADE        TOOK
Webshop  1.2 GB  +1.2 MB  complete  21 Nov 03:00   1/1  2 min 05 s

VAULTS OF EACH PROJECT
PROJECT  VAULT  NEWEST        OLDEST       COPIES  FAILED  READ BACK
Webshop  local  21 Nov 03:00  22 Oct                            100%
         box    21 Nov 03:00  17 Oct 2024       1       0      36.6%
Clean-ups: 1 done, 52.0 MB freed

STORAGE
VAULT                     USED    FREE    A DAY  FULL        A MONTH
local  local            214 GB  1.2 TB  +1.3 GB  9 May 2028
box    offsite          412 GB                                €19.04
fresh  offsite  never measured

A scheduled backup counts as succeeded when a complete one was begun before
the next was due. Sizes, verdicts and storage are those of now. Read back is
the sum of what verifications read in the last 30 days.
Made 21 Nov 07:00 by Bewaar 0.1.0
`,
  )
})

test('a report that says what is wrong, in Dutch', () => {
  const { subject, text } = written(reportOf([good, never], [incident]), { language: 'nl' })
  assert.equal(subject, '⚠ [HavunCore] Dagelijks back-uprapport - 2025-11-21')
  assert.equal(
    plain(text),
    `HavunCore – Dagelijks back-uprapport
20 nov 07:00 – 21 nov 07:00 (Europe/Amsterdam)

⚠ 1 van de 2 projecten vraagt aandacht: Blog (te laat)
  1 van de 2 geplande back-ups is gelukt (50%) · 214 GB lokaal, 412 GB elders
  · € 19,04 per maand

VRAAGT AANDACHT
Blog: te laat · belang: laag
  - de laatste run maakte geen back-up
    Bekijk waarom. \`bewaar logs --project=blog\`
  - local: er is nog geen back-up
    Maak nu een back-up. \`bewaar run --project=blog\`
  Er is geen back-up
  Laatste run: mislukt, 21 nov 04:00. Reden: disk full

PROJECTEN
PROJECT  OMVANG    GROEI  LAATSTE   NIEUWSTE      GEMAAKT        DUUR
Webshop  1,2 GB  +1,2 MB  volledig  21 nov 03:00      1/1  2 min 05 s
Blog                      mislukt   geen              0/1       2,0 s

KLUIZEN PER PROJECT
PROJECT  KLUIS  NIEUWSTE      OUDSTE       KOPIEËN  MISLUKT  GELEZEN
Webshop  local  21 nov 03:00  22 okt                            100%
         box    21 nov 03:00  17 okt 2024        1        0    36,6%
Blog     local  geen
Hersteltest: nooit van Blog
Opgeruimd: 1 keer, 1 keer mislukt, 52,0 MB vrijgemaakt

OPSLAG
KLUIS               GEBRUIKT    VRIJ  PER DAG  VOL         PER MAAND
local  lokaal         214 GB  1,2 TB  +1,3 GB  9 mei 2028
box    elders         412 GB                                 € 19,04
fresh  elders  nooit gemeten

INCIDENTEN
Blog: de laatste run maakte geen back-up (i-3f09ac)
  open sinds 21 nov 04:00

Een geplande back-up telt als gelukt wanneer een volledige begon voordat de
volgende moest komen. Omvang, oordeel en opslag zijn die van nu. Gelezen is de
som van wat controles in de laatste 30 dagen teruglazen.
Gemaakt 21 nov 07:00 door Bewaar 0.1.0
`,
  )
})

test('subjects name the organisation, the kind of report and its last day or month', () => {
  const day = reportOf([good])
  const subjects = (['week', 'month'] as const).flatMap((period) =>
    (['en', 'nl'] as const).map(
      (language) => written({ ...day, period, span: { from: 0, to: Date.UTC(2025, 9, 31, 23) } }, { language }).subject,
    ),
  )
  assert.deepEqual(subjects, [
    '[HavunCore] Weekly Backup Report - 2025-10-31',
    '[HavunCore] Wekelijks back-uprapport - 2025-10-31',
    '[HavunCore] Monthly Backup Report - 2025-10',
    '[HavunCore] Maandelijks back-uprapport - 2025-10',
  ])
  assert.match(written(day, { organisation: ' \r\n ' }).subject, /^\[Bewaar\] Daily/)
})

test('the first line says what is wrong, also when it is about no project, and when there are no projects', () => {
  const clock: Incident = { ...incident, id: 'i-1', kind: 'clock', text: 'the clock went back by 3 hours' }
  const { project: _, ...bare } = clock
  const headline = (report: Report, language: 'en' | 'nl' = 'en'): string =>
    /font-weight:bold[^>]*>\s*[✓⚠]\s+([^<]+?)\s*</.exec(written(report, { language }).html)![1]!
  assert.equal(headline(reportOf([good], [bare])), 'the clock went back by 3 hours')
  assert.equal(headline(reportOf([good], [bare]), 'nl'), 'de klok van deze machine is niet te vertrouwen')
  assert.equal(headline(reportOf([good], [bare, { ...bare, id: 'i-2' }])), '2 troubles need attention')
  assert.match(headline(reportOf([good, never], [bare])), /^1 of 2 projects .*; one more trouble needs attention$/)
  assert.equal(headline(reportOf([])), 'Nothing is backed up: the configuration names no projects')
  assert.equal(headline(reportOf([good], [{ ...bare, resolvedAt: at }])), 'All is well: the project is healthy')
  const damaged = { ...good, verifications: { sound: 3, damaged: 1, failed: 0 } }
  assert.equal(headline(reportOf([damaged])), 'A verification found damage, though a later one did not: Webshop')
  assert.match(written(reportOf([damaged])).text, /^Webshop: verified: 3 sound, 1 damaged$/m)
  const many = Array.from({ length: 9 }, (_unused, index) => ({ ...bad, title: `P${index}` }))
  assert.match(headline(reportOf(many)), /^9 of 9 projects need attention: P0 \(late\), P1 .* and 5 more$/)
  assert.match(headline(reportOf(many), 'nl'), / en nog 5$/)
})

const hostile = [
  'x\r\nBcc: victim@example.org\r\n\r\n<h1>hi',
  '<b>bold</b><script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '${7*7} {{7*7}} `rm -rf /` & &amp; &lt;',
  'abc\u202egnp.exe\u2066\u200f\u200b',
  '\u001b[31mred\u001b]0;title\u0007',
  '\ud800 half \u0000 nothing',
  'W'.repeat(5000),
  '😀'.repeat(400),
]

test('names and texts from outside steer neither the subject, nor the text, nor the markup', () => {
  for (const text of hostile) {
    const project: ProjectReport = {
      ...bad,
      title: text,
      reasons: [{ verdict: 'failed', text, advice: text, vault: text }],
      lastRun: { ...bad.lastRun!, because: text },
    }
    const troubles = [
      { ...incident, text, acknowledgedBy: text, acknowledgedAt: at },
      { ...incident, project: text, text },
    ]
    for (const language of ['en', 'nl'] as const) {
      const report = reportOf([project, { ...good, title: text }], troubles)
      const { subject, text: body, html } = written(report, { language, organisation: text })
      // oxlint-disable-next-line no-control-regex
      const steering = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u200f\u202a-\u202e\u2066-\u2069]|\p{Cs}/u
      assert.doesNotMatch(subject, steering)
      assert.ok(!subject.includes('\n') && subject.length < 140, subject)
      for (const whole of [body, html]) assert.doesNotMatch(whole, steering)
      const known = /^<(\/?(html|head|meta|title|style|body|div|table|tr|td|p|bdi|h1|h2|b|span|code)\b|!doctype html>)/
      for (const [tag] of html.matchAll(/<[^>]*>?/g)) {
        assert.match(tag, known)
        assert.doesNotMatch(tag, /onerror|onmouseover|alert/)
      }
      assert.ok(html.length < 40_000 && body.length < 20_000, `${html.length} ${body.length}`)
      assert.ok(body.split('\n').every((line) => !line.startsWith('Bcc:')))
    }
  }
})

test('the mail fetches nothing and runs nothing', () => {
  const { html } = written(reportOf([good, never], [incident]))
  assert.doesNotMatch(html, /https?:|src=|href=|url\(|<script|<img|<link|@import/)
})

test('columns give way on a narrow terminal, and names are whole on a wide one', () => {
  const long = { ...good, title: 'Vereniging tot Behoud van het Boerenerf in de Achterhoek' }
  const { text, lines } = written(reportOf([long, never], [incident]))
  assert.ok(text.split('\n').every((line) => line.length <= 78))
  assert.ok(lines(Infinity).some((line) => line.startsWith(`${long.title}  1.2 GB`)))
  assert.ok(text.includes('Vereniging '))
})
