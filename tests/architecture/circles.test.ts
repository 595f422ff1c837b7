import { test } from 'node:test'

import { assertNone } from './assert-none.ts'
import { readSources } from './imports.ts'

test('no file imports itself by way of others, not even for a type', () => {
  const graph = new Map(
    readSources(['src/**/*.ts', 'tests/**/*.ts', 'scripts/**/*.ts']).map(({ path, imports }) => [
      path,
      imports.flatMap(({ file }) => file ?? []),
    ]),
  )
  assertNone(
    findCircles(graph).map(
      (circle) => `${circle.join(' → ')}; in a circle no file can be read, tested or changed without the others`,
    ),
  )
})

/** The circles that a walk in depth meets; at least one when there is any. */
function findCircles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = []
  const done = new Set<string>()
  const way: string[] = []
  const walk = (file: string): void => {
    const at = way.indexOf(file)
    if (at !== -1) circles.push([...way.slice(at), file])
    if (at !== -1 || done.has(file)) return
    way.push(file)
    for (const next of graph.get(file) ?? []) walk(next)
    way.pop()
    done.add(file)
  }
  for (const file of graph.keys()) walk(file)
  return circles
}
