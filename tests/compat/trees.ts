/**
 * Trees that are hard to back up, in groups. All of them go through `battery`; some through the program as people run it.
 *
 * A new tree is one entry in one of the lists.
 */
import { contents } from './trees/contents.ts'
import { links } from './trees/links.ts'
import { metadata, metadataInMemory } from './trees/metadata.ts'
import { names } from './trees/names.ts'
import { shapes } from './trees/shapes.ts'
import type { Tree } from './trees/tree.ts'

export type { BlindSpot, Tree } from './trees/tree.ts'
export { at, noise } from './trees/tree.ts'

export const trees: Readonly<
  Record<'names' | 'shapes' | 'contents' | 'links' | 'metadata' | 'inMemory', readonly Tree[]>
> = {
  names,
  shapes,
  contents,
  links,
  metadata,
  inMemory: metadataInMemory,
}

/** @throws when no tree has that title. */
export function getTree(title: string): Tree {
  const found = Object.values(trees)
    .flat()
    .find((tree) => tree.title === title)
  if (!found) throw new Error(`there is no tree of ${title}`)
  return found
}
