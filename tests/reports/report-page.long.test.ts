import assert from 'node:assert/strict'
import { test } from 'node:test'

import { chromium } from 'playwright-core'

import { spanOf } from '#model'
import { makeReport, writeReport } from '#usecases'
import { needs } from '../needs.ts'
import { makeReportScene, sceneNow } from './report-scene.ts'

test(
  'the mail fits on every screen, light and dark, and what it says can be read',
  { skip: needs('chromium') },
  async () => {
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
    await using _ = { [Symbol.asyncDispose]: () => browser.close() }
    for (const isTroubled of [true, false]) {
      await using scene = await makeReportScene(isTroubled)
      for (const language of ['en', 'nl'] as const) {
        const configuration = { ...scene.services.configuration, language }
        const services = { ...scene.services, configuration }
        const span = spanOf('day', sceneNow, configuration.timezone)
        const report = await makeReport(services, { projects: configuration.projects, period: 'day', span })
        const { html } = await writeReport(services, report)
        for (const width of [320, 360, 800]) {
          for (const colorScheme of ['light', 'dark'] as const) {
            const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme })
            const asked: string[] = []
            page.on('request', (request) => asked.push(request.url()))
            await page.setContent(html)
            const wide = await page.evaluate('document.documentElement.scrollWidth')
            assert.ok(Number(wide) <= width, `${language} ${width} ${String(wide)}`)
            assert.deepEqual(asked, [])
            const faint = await page.evaluate(faintTexts)
            assert.deepEqual(faint, [], `${language} ${width} ${colorScheme}`)
            await page.close()
          }
        }
      }
    }
  },
)

/** Runs in the page: the texts whose contrast with what is behind them is under 4.5. Source: WCAG 2.2, 1.4.3. */
const faintTexts = `(() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number)
  const light = (colour) => {
    const [r, g, b] = numbers(colour).map((one) => one / 255).map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor
      if (numbers(colour)[3] !== 0) return colour
    }
    return 'rgb(255, 255, 255)'
  }
  const own = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '')
  return [...document.body.querySelectorAll('*')].filter((element) => own(element) && element.offsetHeight > 0).flatMap((element) => {
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))]
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
    return contrast < 4.5 ? [element.textContent.trim().slice(0, 40) + ' ' + contrast.toFixed(2)] : []
  })
})()`
