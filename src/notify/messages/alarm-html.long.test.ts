import assert from 'node:assert/strict'
import { test } from 'node:test'

import { chromium } from 'playwright-core'

import type { Incident } from '#model'
import { needs } from '../../../tests/needs.ts'
import { composeAlarm } from './alarm.ts'

const at = Date.UTC(2026, 10, 22, 2, 0)
const incident: Incident = {
  id: 'i-3f09ac',
  kind: 'copy-failed',
  project: 'havunadmin',
  vault: 'storage-box',
  criticality: 'critical',
  text: `${'x'.repeat(400)} <script>document.title = 'run'</script> ${'long words '.repeat(40)}`,
  advice: '',
  openedAt: at,
  seenAt: at,
  timeline: [],
}

test(
  'an alarm stands in a wide and in a narrow window without a line that runs out of it, runs nothing and fetches nothing',
  {
    skip: needs('chromium'),
  },
  async () => {
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
    try {
      for (const language of ['nl', 'en'] as const) {
        for (const count of [1, 60]) {
          const notices = Array.from({ length: count }, () => ({ incident, notice: 'opened' as const }))
          const configuration = {
            file: '/etc/bewaar/bewaar.yaml',
            language,
            timezone: 'Europe/Amsterdam',
            projects: [],
          }
          const { html } = await composeAlarm(notices, 'id', { configuration, version: '0.1.0', now: at })
          for (const width of [1200, 600, 320]) {
            const page = await browser.newPage({ viewport: { width, height: 600 } })
            const asked: string[] = []
            page.on('request', (request) => asked.push(request.url()))
            await page.setContent(html!)
            assert.ok(
              Number(await page.evaluate('document.documentElement.scrollWidth')) <= width,
              `${language} ${width}`,
            )
            assert.match(await page.title(), /Bewaar/)
            assert.equal(await page.locator('html').getAttribute('lang'), language)
            assert.deepEqual(asked, [])
            await page.close()
          }
        }
      }
    } finally {
      await browser.close()
    }
  },
)
