import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { assertNone } from './assert-none.ts'
import { type Import, productionFiles, readSource, readSources, type SourceFile } from './imports.ts'
import { engineRooms, type Room, rooms, testsMayAlsoEnter } from './rooms.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const sources = readSources(['src/**/*.ts', 'tests/**/*.ts', 'scripts/**/*.ts', 'bin/*.js'])
/** Where the launcher starts the program. */
const start = 'src/app/main.ts'
/** What tests use from outside the rooms: the list of programs, and the whole program to run it as people do. */
const around = ['tests/needs.ts', 'tests/fixtures/applications/applications.ts', 'bin/bewaar.js']
const inside = sources.filter((source) => source.path.startsWith('src/'))
const production = productionFiles(inside)

test('every import stays in its room, or enters by the door a room that it may enter', () => {
  assertNone(inside.flatMap(trespasses))
})

test('inside the engine every import runs down, and archive, restore and maintain never meet', () => {
  assertNone(inside.flatMap(engineTrespasses))
})

test('tests and scripts enter the rooms by their doors', () => {
  const others = sources.filter(
    (source) => !source.path.startsWith('src/') && !source.path.startsWith('scripts/generate-'),
  )
  assertNone(
    others.flatMap(({ path, imports }) =>
      imports
        .filter(({ target, file }) => target.startsWith('.') && file?.startsWith('src/') && file !== start)
        .map(({ target }) => `${path} goes round a door to ${target}; what only its room knows is tested beside it`),
    ),
  )
})

test('every room stands in the plan, and every row of the plan is a room', () => {
  assert.deepEqual(Object.keys(rooms).toSorted(), foldersOf('src'))
  assert.deepEqual(Object.keys(engineRooms).toSorted(), foldersOf('src/engine'))
})

test('the walls are seen in each way to write an import', () => {
  const source = readSource(
    'src/model/example.ts',
    [
      `import { a } from '#engine'`,
      `import {\n  b,\n  c,\n} from '#usecases'`,
      `export * from '../engine/mod.ts'`,
      `export type { D } from '#cli'`,
      `import '#app'`,
      `const later = await import('#catalog')`,
      `new Worker(new URL('../sources/copy.ts', import.meta.url))`,
      `const text = 'https://example.org' // import { z } from '#sources'`,
      `import { fine } from '#base'`,
    ].join('\n'),
  )
  assert.equal(source.imports.length, 8)
  assert.equal(trespasses(source).length, 7)
})

function trespasses(source: SourceFile): string[] {
  const name = source.path.split('/')[1]!
  const room = rooms[name]
  if (!room) return [`${source.path} lies in no room of the plan`]
  return source.imports
    .filter((entry) => !isAllowed(source, name, room, entry))
    .map(
      ({ target }) =>
        `${source.path} enters ${target}; ${name} may enter ${list(room)} by their doors, and must never ${room.mustNever}`,
    )
}

function isAllowed(source: SourceFile, name: string, room: Room, { target, file }: Import): boolean {
  if (target.startsWith('#')) {
    const [entered, part] = target.slice(1).split('/') as [string, string?]
    if (servesTests(source)) return reachable(name).has(entered)
    return part === undefined && (room.mayEnter.includes(entered) || (entered === 'base' && name !== 'base'))
  }
  if (!target.startsWith('.')) return true
  if (file === 'package.json' && name === 'app') return true
  if (file !== undefined && around.includes(file) && servesTests(source)) return true
  return file!.startsWith(`src/${name}/`) && (file !== `src/${name}/mod.ts` || servesTests(source))
}

/** A test may go on through the rooms that its own may enter: it puts the real things together. */
function reachable(name: string): Set<string> {
  const further = (rooms[name]?.mayEnter ?? []).flatMap((next) => [next, ...reachable(next)])
  return new Set(['base', name, ...further])
}

function engineTrespasses(source: SourceFile): string[] {
  const name = innerRoom(source.path)
  if (name === undefined) return []
  const room = engineRooms[name]
  if (!room) return [`${source.path} lies in no room of the engine's plan`]
  return source.imports
    .filter(({ file }) => {
      const entered = file === undefined ? undefined : innerRoom(file)
      if (entered === undefined) return file?.startsWith('src/engine/') && !servesTests(source)
      return (
        entered !== name && ![...room.mayEnter, ...(servesTests(source) ? testsMayAlsoEnter : [])].includes(entered)
      )
    })
    .map(
      ({ target }) =>
        `${source.path} enters ${target}; ${name} may enter ${list(room)}, and must never ${room.mustNever}`,
    )
}

function servesTests({ path }: SourceFile): boolean {
  return !production.has(path)
}

function innerRoom(path: string): string | undefined {
  return /^src\/engine\/([^/]+)\//.exec(path)?.[1]
}

function foldersOf(folder: string): string[] {
  return globSync(`${folder}/*/`, { cwd: root })
    .map((path) => path.split('/').at(-1)!)
    .toSorted()
}

function list(room: Room): string {
  return room.mayEnter.length > 0 ? room.mayEnter.join(', ') : 'nothing but base'
}
