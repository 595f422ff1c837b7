import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { assert as hold, array, constantFrom, integer, property, record, subarray } from 'fast-check'

import { troubleKey, type SeenTrouble } from './incident.ts'
import { planIncidents, reopenMs, type IncidentStep, type KnownIncident } from './plan-incidents.ts'

const kinds = ['late', 'failed', 'full'] as const
const late: SeenTrouble = {
  kind: 'late',
  project: 'shop',
  vault: 'local',
  criticality: 'high',
  text: 'its newest backup is 26 hours old, and may be 25 hours',
  advice: 'Run it',
  lastBackup: { at: 5, vault: 'local' },
}

function opened(trouble: SeenTrouble, more: Partial<KnownIncident> = {}): KnownIncident {
  return { id: 'i-1', openedAt: 1, seenAt: 1, ...trouble, ...more }
}

function stepsOf(known: readonly KnownIncident[], troubles: readonly SeenTrouble[], now = 10): string {
  return planIncidents(known, troubles, kinds, now)
    .map((step) => (step.step === 'open' ? `open ${troubleKey(step.trouble)}` : `${step.step} ${step.id}`))
    .join(', ')
}

suite('the plan of incidents', () => {
  test('opens one for each trouble, and resolves it when the trouble is gone', () => {
    assert.equal(stepsOf([], [late, late]), 'open late/shop/local')
    assert.equal(stepsOf([opened(late)], [late]), 'see i-1')
    assert.equal(stepsOf([opened(late)], []), 'resolve i-1')
    assert.equal(stepsOf([], []), '')
  })

  test('is no news when only amounts change, and is when the words or the criticality do', () => {
    const says = (text: string): string => stepsOf([opened(late)], [{ ...late, text }])
    assert.equal(says('its newest backup is 3 days old, and may be 25 hours'), 'see i-1')
    assert.equal(says('its newest backup is 119 minutes old, and may be 25 hours'), 'see i-1')
    assert.equal(says('it holds no backup yet'), 'change i-1')
    assert.equal(stepsOf([opened(late)], [{ ...late, criticality: 'low' }]), 'change i-1')
    const full = { ...late, text: 'only 9% of its room is free: 1.5 GB' }
    assert.equal(stepsOf([opened(full)], [{ ...full, text: 'only 10% of its room is free: 900 MB' }]), 'see i-1')
  })

  test('opens the same incident again when its trouble comes back within minutes', () => {
    const over = opened(late, { resolvedAt: 100 })
    assert.equal(stepsOf([over], [late], 100 + reopenMs), 'reopen i-1')
    assert.equal(stepsOf([over], [late], 101 + reopenMs), 'open late/shop/local')
    assert.equal(stepsOf([over], [late], 99 - reopenMs), 'open late/shop/local', 'after the clock was put back')
    assert.equal(stepsOf([{ ...over, resolvedBy: 'anna@host' }], [late], 101), 'open late/shop/local')
    const earlier = opened(late, { id: 'i-0', resolvedAt: 50 })
    assert.equal(stepsOf([earlier, { ...over, resolvedBy: 'anna@host' }], [late], 101), 'open late/shop/local')
    assert.equal(stepsOf([earlier, over], [late], 101), 'reopen i-1')
    assert.equal(stepsOf([over], [{ ...late, vault: 'box' }], 101), 'open late/shop/box')
  })

  test('leaves alone what was not looked for', () => {
    assert.equal(stepsOf([opened({ ...late, kind: 'channel' })], []), '')
    assert.equal(stepsOf([], [{ ...late, kind: 'channel' }]), '')
  })

  test('keeps one open incident for each trouble, whatever comes and goes', () => {
    const troubles: readonly SeenTrouble[] = kinds.flatMap((kind) =>
      ['shop', 'blog'].map((project) => ({ kind, project, criticality: 'low', text: kind, advice: '' }) as const),
    )
    const look = record({
      seen: subarray([...troubles]),
      minutes: integer({ min: 0, max: 40 }),
      word: constantFrom('', ' again'),
    })
    hold(
      property(array(look, { maxLength: 30 }), (looks) => {
        const history = new History()
        for (const { seen, minutes, word } of looks) {
          history.look(
            seen.map((one) => ({ ...one, text: one.text + word })),
            minutes,
          )
        }
        history.look([], 60)
        assert.deepEqual(history.open(), [], 'what is gone is resolved')
      }),
    )
  })
})

/** What a store does with the steps, and what must hold after each of them. */
class History {
  readonly #all = new Map<string, KnownIncident>()
  #now = 0

  open(): string[] {
    return [...this.#all.values()].filter(({ resolvedAt }) => resolvedAt === undefined).map(troubleKey)
  }

  look(troubles: readonly SeenTrouble[], minutes: number): void {
    this.#now += minutes * 60_000
    const steps = planIncidents([...this.#all.values()], troubles, kinds, this.#now)
    const touched = steps.flatMap((step) => (step.step === 'open' ? [] : [step.id]))
    assert.equal(new Set(touched).size, touched.length, 'one step for each incident')
    for (const step of steps) this.#perform(step)
    assert.deepEqual(this.open().toSorted(), troubles.map(troubleKey).toSorted(), 'one open incident for each trouble')
  }

  #perform(step: IncidentStep): void {
    if (step.step === 'open') {
      const id = `i-${this.#all.size}`
      this.#all.set(id, opened(step.trouble, { id, openedAt: this.#now }))
      return
    }
    const { resolvedAt, ...known } = this.#all.get(step.id)!
    assert.equal(resolvedAt !== undefined, step.step === 'reopen', 'only what is open is seen, changed or resolved')
    if (step.step === 'resolve') this.#all.set(step.id, { ...known, resolvedAt: this.#now })
    else this.#all.set(step.id, { ...known, ...step.trouble })
  }
}
