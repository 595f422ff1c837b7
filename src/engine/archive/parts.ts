import { archiveError } from './errors.ts'
import type { Part } from './entry.ts'

/** The parts of a snapshot as the tree of folders they make; a place may hold a part, places below it, or both. */
export interface Place {
  readonly path: string
  part?: Part
  readonly below: Map<string, Place>
}

/** @throws `archive.path-taken` when two parts want the same place, or a file would have something below it. */
export function arrangeParts(parts: readonly Part[]): Place {
  const root: Place = { path: '', below: new Map() }
  for (const part of parts) {
    let place = root
    for (const component of part.at.split('/').filter((text) => text !== '')) {
      if (place.part && !isFolderPart(place.part)) throw archiveError('archive.path-taken', { path: place.path })
      let next = place.below.get(component)
      if (!next) {
        next = { path: place.path === '' ? component : `${place.path}/${component}`, below: new Map() }
        place.below.set(component, next)
      }
      place = next
    }
    if (place.part || (!isFolderPart(part) && place.below.size > 0)) {
      throw archiveError('archive.path-taken', { path: place.path })
    }
    place.part = part
  }
  return root
}

function isFolderPart({ kind }: Part): boolean {
  return kind === 'folder' || kind === 'remote-folder'
}
