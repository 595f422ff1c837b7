import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'

import { systemClock } from '#base'
import { openCatalog } from '#catalog'
import { hasChanged, type Project, type RestoreJournal } from '#model'
import { usecaseError } from '../errors.ts'
import { performActions, type Action, type Early, type Together } from './actions.ts'

const project: Project = {
  name: 'shop',
  title: 'Shop',
  type: 'generic',
  criticality: 'high',
  schedule: { kind: 'daily', at: { hour: 3, minute: 0 } },
  path: '/srv/shop',
  leaveOut: [],
  vault: 'hot',
  copies: [],
  keep: new Map(),
  restore: {},
  paused: false,
}
const wish = { only: [], paths: [], tables: [], delete: false, rolePasswords: false, safety: true }

/** Performs them once more each time, and tells how the journal stands. */
async function withJournal(
  work: (perform: (actions: readonly (Action | Early | Together)[]) => Promise<RestoreJournal>) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bewaar-actions-'))
  try {
    await using catalog = await openCatalog(join(folder, 'catalog.sqlite'), { purpose: 'write' })
    const about = { id: 'r-1', project: 'shop', vault: 'hot', snapshot: 'a'.repeat(64), wish, startedAt: 1 }
    const services = { catalog, clock: systemClock }
    await work(async (actions) => {
      await catalog.restoreJournals.open(about)
      try {
        await performActions(services, project, 'r-1', actions, new AbortController().signal)
      } catch (thrown) {
        assert.match(String(thrown), /broken/)
      }
      return (await catalog.restoreJournals.find('r-1'))!
    })
  } finally {
    await rm(folder, { recursive: true })
  }
}

function statesOf({ steps }: RestoreJournal): string[] {
  return steps.map(({ kind, about, state }) => `${kind} ${about} ${state}`).toSorted()
}

test('steps that go together are under way at once, and what follows waits for all of them', async () => {
  await withJournal(async (perform) => {
    const seen: string[] = []
    const { promise: loading, resolve: begin } = Promise.withResolvers<void>()
    const files: Action = {
      kind: 'files',
      about: 'uploads',
      perform: async () => {
        await loading
        await wait(20)
        seen.push('files')
        return {}
      },
    }
    const database: Action = {
      kind: 'database',
      about: 'shop',
      perform: async () => (begin(), seen.push('database'), {}),
    }
    const after: Action = { kind: 'after', about: 'migrate', perform: async () => (seen.push('after'), {}) }
    const journal = await perform([{ together: [[files], [database]] }, after])
    assert.deepEqual(seen, ['database', 'files', 'after'])
    assert.deepEqual(statesOf(journal), ['after migrate done', 'database shop done', 'files uploads done'])
  })
})

test('where one step fails, those beside it are stopped, and whoever goes on does what is not done', async () => {
  await withJournal(async (perform) => {
    let isBroken = true
    const done: string[] = []
    const step = (kind: Action['kind'], about: string, work: Action['perform']): Action => ({
      kind,
      about,
      perform: async (way, signal) => {
        const outcome = await work(way, signal)
        done.push(`${kind} ${about}`)
        return outcome
      },
    })
    const actions = [
      {
        together: [
          [
            step('files', 'settings', async () => ({})),
            step('files', 'uploads', async () => {
              if (isBroken) throw usecaseError('restore.damaged', { count: 1, first: 'broken' })
              return {}
            }),
          ],
          [
            step('database', 'shop', async (_, signal) => {
              if (isBroken) await wait(60_000, undefined, { signal })
              return {}
            }),
          ],
        ],
      },
      step('after', 'migrate', async () => ({})),
    ]
    const failed = await perform(actions)
    assert.equal(failed.state, 'failed')
    assert.deepEqual(statesOf(failed), ['database shop failed', 'files settings done', 'files uploads failed'])
    isBroken = false
    done.length = 0
    const resumed = await perform(actions)
    assert.deepEqual(done.toSorted(), ['after migrate', 'database shop', 'files uploads'])
    assert.equal(
      resumed.steps.every(({ state }) => state === 'done'),
      true,
    )
  })
})

/** Makes something ready, waits for its turn, and takes it. */
function waiting(kind: Action['kind'], seen: string[], work: () => Promise<void> = async () => {}): Action {
  return {
    kind,
    about: 'shop',
    perform: async ({ mayChange, takenBack }) => {
      try {
        await work()
        seen.push(`${kind} ready`)
        await mayChange()
      } catch (thrown) {
        seen.push(`${kind} cleared`)
        takenBack()
        throw thrown
      }
      seen.push(`${kind} done`)
      return {}
    },
  }
}

test('steps that are begun early are ready before the next begins, and change something when it is their turn', async () => {
  await withJournal(async (perform) => {
    const seen: string[] = []
    const files = waiting('files', seen, () => wait(20))
    const database = waiting('database', seen)
    const safety: Action = { kind: 'safety', about: 'backup', perform: async () => (seen.push('safety'), {}) }
    const journal = await perform([{ early: [files, database] }, safety, { together: [[files], [database]] }])
    assert.deepEqual(seen, ['database ready', 'files ready', 'safety', 'files done', 'database done'])
    assert.ok(journal.steps.every(({ state }) => state === 'done'))
  })
})

test('what was begun early is as it was when something fails before its turn, and nothing counts as changed', async () => {
  for (const failing of ['files', 'safety'] as const) {
    await withJournal(async (perform) => {
      const seen: string[] = []
      const fail = async (): Promise<void> => {
        await wait(20)
        throw usecaseError('restore.damaged', { count: 1, first: 'broken' })
      }
      const files = waiting('files', seen, failing === 'files' ? fail : undefined)
      const database = waiting('database', seen)
      const safety: Action = { kind: 'safety', about: 'backup', perform: async () => (await fail(), {}) }
      const journal = await perform([{ early: [files, database] }, safety, { together: [[files], [database]] }])
      assert.deepEqual(seen.filter((one) => /cleared|done/.test(one)).toSorted(), ['database cleared', 'files cleared'])
      assert.deepEqual(
        statesOf(journal).filter((one) => !one.startsWith('safety')),
        ['database shop undone', 'files shop undone'],
      )
      assert.equal(hasChanged(journal), false)
    })
  }
})
