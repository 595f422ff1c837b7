import type { Kysely } from 'kysely'

import type { Tables } from './tables.ts'

/** A project in one of its vaults. */
export interface WatchedPlace {
  readonly project: string
  readonly vault: string
}

export interface WatchedStore {
  /** Remembers places that nobody has looked at before. @returns since when each is looked at: milliseconds since 1970. */
  see(places: readonly WatchedPlace[], now: number): Promise<readonly (WatchedPlace & { readonly since: number })[]>
}

export function createWatchedStore(database: Kysely<Tables>): WatchedStore {
  return {
    see: async (places, now) => {
      const known = await database.selectFrom('watched').selectAll().execute()
      const sinceOf = ({ project, vault }: WatchedPlace): number | undefined =>
        known.find((one) => one.project === project && one.vault === vault)?.since
      const unknown = places.filter((place) => sinceOf(place) === undefined)
      if (unknown.length > 0) {
        await database
          .insertInto('watched')
          .values(unknown.map(({ project, vault }) => ({ project, vault, since: now })))
          .onConflict((conflict) => conflict.columns(['project', 'vault']).doNothing())
          .execute()
      }
      return places.map(({ project, vault }) => ({ project, vault, since: sinceOf({ project, vault }) ?? now }))
    },
  }
}
