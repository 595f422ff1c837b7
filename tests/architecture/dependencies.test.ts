import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { assertNone } from './assert-none.ts'
import { builtins, globals, harmless, type OutsideDoor, packages } from './dependencies.ts'
import { productionFiles, readSources, type SourceFile } from './imports.ts'

const inside = readSources(['src/**/*.ts'])
const production = productionFiles(inside)
const used = inside.filter(({ path }) => production.has(path))

test('packages and powerful builtins enter by the files that are named for them', () => {
  assertNone(
    used.flatMap((source) =>
      source.imports.flatMap(({ target, file }) => (file === undefined ? (refusal(source, target) ?? []) : [])),
    ),
  )
})

test('time, chance, exit, network and shells are used only where they may be', () => {
  assertNone(
    used.flatMap((source) =>
      globals
        .filter(({ pattern }) => pattern.test(source.code))
        .flatMap((door) => (isOpen(door, source) ? [] : [explain(source, door.name, door)])),
    ),
  )
})

test('the packages of package.json and the table of doors are the same', () => {
  const { dependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    dependencies: Record<string, string>
  }
  assert.deepEqual(Object.keys(packages).toSorted(), Object.keys(dependencies).toSorted())
})

test('every door names files that are there', () => {
  const doors = [...Object.values(packages), ...Object.values(builtins), ...globals]
  const named = new Set(doors.flatMap(({ onlyIn }) => onlyIn))
  assertNone([...named].filter((place) => !inside.some(({ path }) => path.startsWith(place))))
})

test('every file of src is reached from a door or from a test', () => {
  const tests = inside.filter(({ path }) => path.endsWith('.test.ts') || path.endsWith('/testing.ts'))
  const reached = new Set([...production, ...reachedFrom(tests), ...readSourcesAround()])
  assertNone(
    inside
      .map(({ path }) => path)
      .filter((path) => !reached.has(path))
      .map((path) => `${path} is used by nothing`),
  )
})

function refusal(source: SourceFile, target: string): string | undefined {
  if (harmless.includes(target)) return undefined
  const table = target.startsWith('node:') ? builtins : packages
  const door = table[target] ?? table[target.split('/')[0]!]
  if (!door) return `${source.path} uses ${target}, which has no line in tests/architecture/dependencies.ts`
  return isOpen(door, source) ? undefined : explain(source, target, door)
}

function isOpen(door: OutsideDoor, { path }: SourceFile): boolean {
  return door.onlyIn.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place))
}

function explain({ path }: SourceFile, what: string, door: OutsideDoor): string {
  const where = door.onlyIn.length > 0 ? `only in ${door.onlyIn.join(', ')}` : 'nowhere'
  return `${path} uses ${what}, which may be used ${where}, because ${door.because}`
}

function reachedFrom(starts: readonly SourceFile[]): Set<string> {
  const known = new Map(inside.map((source) => [source.path, source]))
  const reached = new Set<string>()
  const waiting = [...starts]
  for (let source = waiting.pop(); source !== undefined; source = waiting.pop()) {
    if (reached.has(source.path)) continue
    reached.add(source.path)
    waiting.push(...source.imports.flatMap(({ file }) => known.get(file ?? '') ?? []))
  }
  return reached
}

function readSourcesAround(): string[] {
  return readSources(['tests/**/*.ts', 'scripts/**/*.ts']).flatMap(({ imports }) =>
    imports.flatMap(({ file }) => file ?? []),
  )
}
